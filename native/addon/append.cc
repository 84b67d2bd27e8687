// Appending: the mapped lane on this thread, the storage lane as an operation.
#include <array>

#include "arguments.h"
#include "segment.h"
#include "values.h"

namespace seglog::addon {

namespace {

/// Bits of `flags`; ts/native/binding.ts has the same.
constexpr uint32_t kVerifyCrc = 1;
constexpr uint32_t kKeepOffsets = 2;
constexpr uint32_t kCheckRecords = 4;
constexpr uint32_t kKeyedRecords = 8;

template <typename ArgumentsT>
AppendOptions OptionsOf(ArgumentsT& arguments) {
  AppendOptions options;
  options.leader_epoch = arguments.Int32(2, "leaderEpoch", -1);
  options.append_time = TimestampMs(arguments.Integer(3, "appendTime", -1));
  const uint32_t flags = arguments.Bits(4, "flags");
  options.crc = flags & kVerifyCrc ? CrcMode::kVerify : CrcMode::kCompute;
  options.keep_offsets = flags & kKeepOffsets;
  if (flags & kCheckRecords) {
    options.records = RecordRules{TimestampMs(arguments.Integer(5, "oldest", -kMaxSafeInteger)),
                                  TimestampMs(arguments.Integer(6, "newest", -kMaxSafeInteger)),
                                  (flags & kKeyedRecords) != 0};
  }
  return options;
}

void Store(const Appended& appended, double* out) {
  out[0] = static_cast<double>(appended.base_offset.value);
  out[1] = static_cast<double>(appended.last_offset.value);
  out[2] = static_cast<double>(appended.max_timestamp.value);
  out[3] = static_cast<double>(appended.end_position.value);
}

napi_value Outcome(napi_env env, AppendOutcome outcome) {
  napi_value value;
  napi_create_uint32(env, static_cast<uint32_t>(outcome), &value);
  return value;
}

}  // namespace

// appendNow(segment, bytes | bytes[], leaderEpoch, appendTime, flags, oldest, newest): outcome; the rest is
// in the segment's state
napi_value AppendNow(napi_env env, napi_callback_info info) {
  Arguments<7> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  const AppendOptions options = OptionsOf(arguments);
  if (arguments.failed()) return nullptr;
  if (segment->leased()) return Outcome(env, AppendOutcome::kNotReady);

  MutableByteSpan whole;
  ByteSpan one;
  std::vector<ByteSpan> many;
  std::span<const ByteSpan> parts(&one, 1);
  if (BytesOf(env, arguments[1], &whole)) {
    one = whole;
  } else {
    many = arguments.Parts(1, "buffers");
    if (arguments.failed()) return nullptr;
    parts = many;
  }

  Appended appended;
  Status error;
  const AppendOutcome outcome = segment->core()->AppendNow(parts, options, &appended, &error);
  if (outcome == AppendOutcome::kFailed) return arguments.environment().Throw(error);
  if (outcome == AppendOutcome::kDone) {
    segment->Refresh();
    Store(appended, segment->results());
  }
  return Outcome(env, outcome);
}

// segmentAppend(segment, bytes[], leaderEpoch, appendTime, flags, oldest, newest): ticket of [baseOffset,
// lastOffset, maxTimestamp, endPosition]
napi_value SegmentAppend(napi_env env, napi_callback_info info) {
  Arguments<7> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  const AppendOptions options = OptionsOf(arguments);
  std::vector<ByteSpan> parts = arguments.Parts(1, "buffers");
  if (arguments.failed()) return nullptr;
  return segment->SubmitLeased(arguments.environment(),
                               MakeTask(
                                   segment->shared_from_this(),
                                   [core = segment->core(), parts = std::move(parts), options] {
                                     return core->Append(parts, options);
                                   },
                                   [](napi_env env, Appended& appended) {
                                     std::array<double, 4> fields;
                                     Store(appended, fields.data());
                                     return ArrayOf(env, fields, Number);
                                   }));
}

}  // namespace seglog::addon
