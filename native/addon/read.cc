// Reading and finding, on this thread where the page cache has it, else on a storage thread.
#include <array>

#include "arguments.h"
#include "segment.h"
#include "values.h"

namespace seglog::addon {

namespace {

constexpr int64_t kCold = -1;

/// The byte count, or minus the size of a first batch that does not fit.
int64_t CountOf(const ReadResult& result) {
  return result.bytes == 0 && result.first_needs > 0 ? -static_cast<int64_t>(result.first_needs)
                                                     : static_cast<int64_t>(result.bytes);
}

napi_value Integer(napi_env env, int64_t number) {
  napi_value value;
  napi_create_int64(env, number, &value);
  return value;
}

}  // namespace

// readNow(segment, offset, maxPosition, target): bytes, -1 cold, -n the first batch needs n
napi_value ReadNow(napi_env env, napi_callback_info info) {
  Arguments<4> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  const RecordOffset offset(arguments.Integer(1, "offset"));
  const FilePosition limit(arguments.Integer(2, "maxPosition"));
  const MutableByteSpan target = arguments.Bytes(3, "target");
  if (arguments.failed()) return nullptr;
  const Result<ReadResult> result = segment->core()->ReadNow(offset, limit, target);
  if (result.ok()) return Integer(env, CountOf(result.value()));
  const Status status = result.status();
  if (status.code() == ErrorCode::kCold) return Integer(env, kCold);
  return arguments.environment().Throw(status);
}

// segmentRead(segment, offset, maxPosition, target): ticket of a number as readNow's, never -1
napi_value SegmentRead(napi_env env, napi_callback_info info) {
  Arguments<4> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  const RecordOffset offset(arguments.Integer(1, "offset"));
  const FilePosition limit(arguments.Integer(2, "maxPosition"));
  const MutableByteSpan target = arguments.Bytes(3, "target");
  if (arguments.failed()) return nullptr;
  return segment->SubmitBeside(
      arguments.environment(),
      MakeTask(
          segment->shared_from_this(),
          [core = segment->core(), offset, limit, target] { return core->Read(offset, limit, target); },
          [](napi_env env, ReadResult& result) { return Integer(env, CountOf(result)); }));
}

// readAtNow(segment, position, target): true, or false where the page cache does not have it all
napi_value ReadAtNow(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  const FilePosition position(arguments.Integer(1, "position"));
  const MutableByteSpan target = arguments.Bytes(2, "target");
  if (arguments.failed()) return nullptr;
  const Status status = segment->core()->ReadAtNow(position, target);
  if (!status.ok() && status.code() != ErrorCode::kCold) return arguments.environment().Throw(status);
  return Boolean(env, status.ok());
}

// segmentReadAt(segment, position, target): ticket of nothing
napi_value SegmentReadAt(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  const FilePosition position(arguments.Integer(1, "position"));
  const MutableByteSpan target = arguments.Bytes(2, "target");
  if (arguments.failed()) return nullptr;
  return segment->SubmitBeside(arguments.environment(), MakeTask(segment->shared_from_this(),
                                                                 [core = segment->core(), position, target] {
                                                                   return core->ReadAt(position, target);
                                                                 }));
}

// locateNow(segment, offset): 1 found (base offset and position are in the segment's state), 0 behind the
// end, -1 cold
napi_value LocateNow(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  const RecordOffset offset(arguments.Integer(1, "offset"));
  if (arguments.failed()) return nullptr;
  const Result<std::optional<LocatedBatch>> found = segment->core()->LocateNow(offset);
  if (!found.ok()) {
    const Status status = found.status();
    if (status.code() == ErrorCode::kCold) return Integer(env, kCold);
    return arguments.environment().Throw(status);
  }
  if (!found.value()) return Integer(env, 0);
  segment->results()[0] = static_cast<double>(found.value()->base_offset.value);
  segment->results()[1] = static_cast<double>(found.value()->position.value);
  return Integer(env, 1);
}

// segmentLocate(segment, offset): ticket of [baseOffset, position] | null
napi_value SegmentLocate(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  const RecordOffset offset(arguments.Integer(1, "offset"));
  if (arguments.failed()) return nullptr;
  return segment->SubmitBeside(
      arguments.environment(),
      MakeTask(
          segment->shared_from_this(), [core = segment->core(), offset] { return core->Locate(offset); },
          [](napi_env env, std::optional<LocatedBatch>& found) {
            if (!found) return Null(env);
            return ArrayOf(env, std::array{double(found->base_offset.value), double(found->position.value)},
                           Number);
          }));
}

// segmentLocateTimestamp(segment, timestamp): ticket of {offset, timestamp, leaderEpoch, compressed} | null
napi_value SegmentLocateTimestamp(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  const TimestampMs timestamp(arguments.Integer(1, "timestamp", -1));
  if (arguments.failed()) return nullptr;
  return segment->SubmitBeside(
      arguments.environment(),
      MakeTask(
          segment->shared_from_this(),
          [core = segment->core(), timestamp] { return core->LocateTimestamp(timestamp); },
          [](napi_env env, std::optional<LocatedTimestamp>& found) {
            if (!found) return Null(env);
            return ObjectMaker(env)
                .Set("offset", found->offset.value)
                .Set("timestamp", found->timestamp.value)
                .Set("leaderEpoch", int64_t{found->leader_epoch})
                .Set("compressed", found->compressed)
                .object();
          }));
}

}  // namespace seglog::addon
