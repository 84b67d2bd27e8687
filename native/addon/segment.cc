#include "segment.h"

#include "arguments.h"
#include "values.h"

namespace seglog::addon {

SegmentFlush::SegmentFlush(std::shared_ptr<Segment> core, std::shared_ptr<DataDirectory> directory)
    : core_(std::move(core)), directory_(std::move(directory)) {}

Status SegmentFlush::FlushRound() {
  directory_->EndsBehind();
  return core_->Flush().status();
}

SegmentHandle::SegmentHandle(std::shared_ptr<Segment> core, const DirectoryHandle& directory)
    : core_(std::move(core)),
      flush_(std::make_shared<SegmentFlush>(core_, directory.core())),
      flush_queue_(std::make_shared<FlushQueue>(flush_, directory.flush_group())) {}

void SegmentHandle::Bind(napi_env env, napi_value array, double* state) {
  Forget(env);
  napi_create_reference(env, array, 1, &state_reference_);
  state_ = state;
  Refresh();
}

void SegmentHandle::Forget(napi_env env) {
  if (state_reference_ != nullptr) napi_delete_reference(env, state_reference_);
  state_reference_ = nullptr;
  state_ = scratch_;
}

void SegmentHandle::Refresh() {
  const LogEnd end = core_->published();
  state_[kEndPosition] = static_cast<double>(end.position.value);
  state_[kEndOffset] = static_cast<double>(end.offset.value);
  state_[kDurableOffset] = static_cast<double>(core_->durable().offset.value);
  state_[kMaxTimestamp] = static_cast<double>(core_->max_timestamp().value);
  state_[kMaxTimestampOffset] = static_cast<double>(core_->max_timestamp_offset().value);
  state_[kFirstTimestamp] = static_cast<double>(core_->first_timestamp().value);
  state_[kCreatedMs] = static_cast<double>(core_->created().value);
  state_[kFlushedOffset] = static_cast<double>(core_->flushed().offset.value);
}

napi_value SegmentHandle::SubmitLeased(Environment& environment, std::unique_ptr<LoopOperation> operation) {
  ++pending_;
  ++leased_;
  operation->leased = true;
  return environment.Submit(strand_, std::move(operation));
}

napi_value SegmentHandle::SubmitBeside(Environment& environment, std::unique_ptr<LoopOperation> operation) {
  ++pending_;
  return environment.Submit(nullptr, std::move(operation));
}

napi_value SegmentHandle::Flush(Environment& environment, std::unique_ptr<LoopOperation> waiter) {
  ++pending_;
  return environment.Flush(flush_queue_, std::move(waiter));
}

void SegmentHandle::Settled(Environment& environment, LoopOperation& operation) {
  if (operation.leased) --leased_;
  Refresh();
  if (--pending_ == 0 && close_) environment.Queue(strand_, std::move(close_));
}

napi_value SegmentHandle::Close(Environment& environment) {
  Forget(environment.env());
  auto close = MakeTask(nullptr, [core = core_] {
    core->Close();
    return Status::Ok();
  });
  if (pending_ == 0) return environment.Submit(strand_, std::move(close));
  close->ticket = environment.Begin();
  close_ = std::move(close);
  return Number(environment.env(), close_->ticket);
}

void SegmentHandle::CloseNow(Environment& environment) {
  Forget(environment.env());
  core_->Close();
}

// openSegment(directory, folder, baseOffset, active, create, segmentBytes, indexBytes, indexIntervalBytes,
// slot,
//             endPosition, endOffset): ticket of the segment's handle. slot 0: none. endPosition -1: the
//             file's end.
napi_value OpenSegment(napi_env env, napi_callback_info info) {
  Arguments<11> arguments(env, info);
  const uint32_t directory_handle = arguments.Bits(0, "directory");
  SegmentOptions options;
  options.folder = arguments.Text(1, "folder");
  options.base_offset = RecordOffset(arguments.Integer(2, "baseOffset"));
  options.active = arguments.Flag(3, "active");
  options.create = arguments.Flag(4, "create");
  options.segment_bytes = arguments.Int32(5, "segmentBytes", 1);
  options.index_bytes = arguments.Int32(6, "indexBytes", 1);
  options.index_interval_bytes = arguments.Int32(7, "indexIntervalBytes", 0);
  const uint32_t slot_handle = arguments.Bits(8, "slot");
  const int64_t end_position = arguments.Integer(9, "end.position", -1);
  const int64_t end_offset = arguments.Integer(10, "end.offset", -1);
  if (arguments.failed()) return nullptr;
  if (end_position >= 0) options.end = LogEnd{FilePosition(end_position), RecordOffset(end_offset)};

  Environment& environment = arguments.environment();
  std::shared_ptr<DirectoryHandle> directory = environment.directories.Share(directory_handle);
  if (!directory) return environment.ThrowClosed("directory");
  if (slot_handle != 0) {
    const SlotHandle* slot = environment.slots.Find(slot_handle);
    if (slot == nullptr || &slot->directory() != directory.get())
      return environment.ThrowClosed("partition's slot");
    options.slot = slot->get();
  }
  directory->Begun();
  return environment.Submit(
      nullptr, MakeTask(
                   directory,
                   [core = directory->core(), &environment, options] {
                     return Segment::Open(core, &environment.ahead(), options);
                   },
                   [&environment, directory](napi_env env, std::shared_ptr<Segment>& core) {
                     return Number(
                         env, environment.segments.Add(std::make_shared<SegmentHandle>(core, *directory)));
                   }));
}

// segmentState(segment, state): binds the segment's Float64Array and fills it
napi_value SegmentState(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  napi_typedarray_type type;
  size_t length;
  void* data;
  const napi_status status =
      napi_get_typedarray_info(env, arguments[1], &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_float64_array || length < kStateFields) {
    arguments.Refuse("state", "a Float64Array of the state's size");
    return nullptr;
  }
  segment->Bind(env, arguments[1], static_cast<double*>(data));
  return nullptr;
}

// segmentFlush(segment): ticket
napi_value SegmentFlushNow(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  return segment->Flush(arguments.environment(),
                        MakeTask(segment->shared_from_this(), [] { return Status::Ok(); }));
}

// segmentSeal(segment): ticket
napi_value SegmentSeal(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  return segment->SubmitLeased(
      arguments.environment(),
      MakeTask(segment->shared_from_this(), [core = segment->core()] { return core->Seal(); }));
}

// segmentTruncate(segment, offset): ticket
napi_value SegmentTruncate(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  const RecordOffset offset(arguments.Integer(1, "offset"));
  SegmentHandle* segment = SegmentOf(arguments);
  if (segment == nullptr) return nullptr;
  return segment->SubmitLeased(arguments.environment(),
                               MakeTask(segment->shared_from_this(), [core = segment->core(), offset] {
                                 return core->TruncateTo(offset);
                               }));
}

// segmentClose(segment): ticket; the number names nothing from now on
napi_value SegmentClose(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  if (SegmentOf(arguments) == nullptr) return nullptr;
  Environment& environment = arguments.environment();
  return environment.segments.Remove(arguments.Bits(0, "segment"))->Close(environment);
}

}  // namespace seglog::addon
