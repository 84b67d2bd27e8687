// Walking a segment from disk, on a storage thread.
#include "../core/segment_scan.h"
#include "arguments.h"
#include "segment.h"
#include "values.h"

namespace seglog::addon {

namespace {

/// Bits of `flags`; ts/native/binding.ts has the same.
constexpr uint32_t kCheckCrc = 1;
constexpr uint32_t kWalkRecords = 2;
constexpr uint32_t kRebuildIndexes = 4;
constexpr uint32_t kTruncate = 8;
constexpr uint32_t kVerifyIndexes = 16;

napi_value StopValue(napi_env env, const ScanStop& stop) {
  return ObjectMaker(env)
      .Set("position", stop.position.value)
      .Set("offset", stop.offset.value)
      .Set("reason", stop.reason)
      .Set("zeros", stop.zeros)
      .object();
}

napi_value ScanValue(napi_env env, ScanResult& result) {
  napi_value producers;
  napi_create_buffer_copy(env, result.producers.size(), result.producers.data(), nullptr, &producers);
  return ObjectMaker(env)
      .Set("endPosition", result.end_position.value)
      .Set("endOffset", result.end_offset.value)
      .Set("maxTimestamp", result.max_timestamp.value)
      .Set("maxTimestampOffset", result.max_timestamp_offset.value)
      .Set("batches", result.batches)
      .Set("epochs", ArrayOf(env, result.epochs,
                             [](napi_env env, const ScanEpoch& epoch) {
                               return ObjectMaker(env)
                                   .Set("epoch", int64_t{epoch.epoch})
                                   .Set("startOffset", epoch.start_offset.value)
                                   .object();
                             }))
      .Set("producers", producers)
      .Set("stopped", result.stopped ? StopValue(env, *result.stopped) : Null(env))
      .Set("indexFaults", ArrayOf(env, result.index_faults,
                                  [](napi_env env, const std::string& fault) { return Text(env, fault); }))
      .object();
}

}  // namespace

// scanSegment(directory, folder, baseOffset, fromPosition, fromOffset, toPosition, flags, indexIntervalBytes,
//             indexBytes): ticket of a ScanResult. -1 for fromOffset and toPosition: none.
napi_value ScanSegmentFiles(napi_env env, napi_callback_info info) {
  Arguments<9> arguments(env, info);
  const uint32_t handle = arguments.Bits(0, "directory");
  ScanOptions options;
  options.folder = arguments.Text(1, "folder");
  options.base_offset = RecordOffset(arguments.Integer(2, "baseOffset"));
  options.from = FilePosition(arguments.Integer(3, "fromPosition"));
  const int64_t from_offset = arguments.Integer(4, "fromOffset", -1);
  if (from_offset >= 0) options.from_offset = RecordOffset(from_offset);
  const int64_t to = arguments.Integer(5, "toPosition", -1);
  if (to >= 0) options.to = FilePosition(to);
  const uint32_t flags = arguments.Bits(6, "flags");
  options.check_crc = flags & kCheckCrc;
  options.walk_records = flags & kWalkRecords;
  options.rebuild_indexes = flags & kRebuildIndexes;
  options.truncate = flags & kTruncate;
  options.verify_indexes = flags & kVerifyIndexes;
  options.index_interval_bytes = arguments.Int32(7, "indexIntervalBytes", 0);
  options.index_bytes = arguments.Int32(8, "indexBytes", 1);
  if (arguments.failed()) return nullptr;

  Environment& environment = arguments.environment();
  std::shared_ptr<DirectoryHandle> directory = environment.directories.Share(handle);
  if (!directory) return environment.ThrowClosed("directory");
  options.folder = directory->core()->Resolve(options.folder);
  directory->Begun();
  return environment.Submit(nullptr, MakeTask(
                                         directory,
                                         [core = directory->core(), options]() -> Result<ScanResult> {
                                           if (options.truncate || options.rebuild_indexes) {
                                             SEGLOG_RETURN_IF_ERROR(core->CheckWritable());
                                           }
                                           return ScanSegment(core->io(), options);
                                         },
                                         ScanValue));
}

}  // namespace seglog::addon
