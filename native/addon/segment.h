// An open segment, as JavaScript holds it.
//
// Its state (ends, largest timestamp, results of the calls that end in Now) lies in a Float64Array that
// JavaScript made and hands over once: filling it is a few stores, where returning an object would cost
// hundreds of ns per call.
//
// The append state of the core's segment has one owner. It is this thread while no leased operation (append,
// seal, truncate, close) is pending, from the call to its completion here; else the strand. appendNow asks
// leased() first.
#pragma once

#include <memory>

#include "../core/flusher.h"
#include "../core/segment.h"
#include "directory.h"
#include "environment.h"

namespace seglog::addon {

/// Indexes into the state array; ts/native/binding.ts has the same table.
enum StateField : size_t {
  kEndPosition,
  kEndOffset,
  kDurableOffset,
  kMaxTimestamp,
  kMaxTimestampOffset,
  kFirstTimestamp,
  kCreatedMs,
  kFlushedOffset,
  kResult,  // four slots: of appendNow as AppendField, of locateNow base offset and position
  kStateFields = kResult + 4,
};

/// A flush round of one segment.
class SegmentFlush final : public FlushTarget {
 public:
  SegmentFlush(std::shared_ptr<Segment> core, std::shared_ptr<DataDirectory> directory);
  Status FlushRound() override;
  JournalSource* journal_source() override { return core_.get(); }

 private:
  const std::shared_ptr<Segment> core_;
  const std::shared_ptr<DataDirectory> directory_;
};

/// Loop thread, but for core().
class SegmentHandle final : public Resource, public std::enable_shared_from_this<SegmentHandle> {
 public:
  SegmentHandle(std::shared_ptr<Segment> core, const DirectoryHandle& directory);

  const std::shared_ptr<Segment>& core() const { return core_; }
  const std::shared_ptr<FlushQueue>& flush_queue() const { return flush_queue_; }
  double* results() const { return state_ + kResult; }

  /// A storage thread owns the append state, or is about to.
  bool leased() const { return leased_ > 0; }

  /// Refers to `state` (a Float64Array of kStateFields) until Forget.
  void Bind(napi_env env, napi_value array, double* state);
  void Forget(napi_env env);
  void Refresh();

  /// Runs in order with the others of this kind, owning the append state; gives the ticket.
  napi_value SubmitLeased(Environment& environment, std::unique_ptr<LoopOperation> operation);
  /// Runs beside anything.
  napi_value SubmitBeside(Environment& environment, std::unique_ptr<LoopOperation> operation);
  napi_value Flush(Environment& environment, std::unique_ptr<LoopOperation> waiter);
  void Settled(Environment& environment, LoopOperation& operation) override;

  /// Closes once nothing is pending; gives the ticket.
  napi_value Close(Environment& environment);
  /// At the end of the environment: as a kill would leave it.
  void CloseNow(Environment& environment);

 private:
  const std::shared_ptr<Segment> core_;
  const std::shared_ptr<SegmentFlush> flush_;
  const std::shared_ptr<FlushQueue> flush_queue_;
  const std::shared_ptr<Strand> strand_ = std::make_shared<Strand>();
  double scratch_[kStateFields] = {};  // until Bind
  double* state_ = scratch_;
  napi_ref state_reference_ = nullptr;
  size_t pending_ = 0;
  size_t leased_ = 0;
  std::unique_ptr<LoopOperation> close_;  // waits for pending_ to be 0
};

napi_value OpenSegment(napi_env env, napi_callback_info info);
napi_value SegmentState(napi_env env, napi_callback_info info);
napi_value SegmentFlushNow(napi_env env, napi_callback_info info);
napi_value SegmentSeal(napi_env env, napi_callback_info info);
napi_value SegmentTruncate(napi_env env, napi_callback_info info);
napi_value SegmentClose(napi_env env, napi_callback_info info);

// append.cc
napi_value AppendNow(napi_env env, napi_callback_info info);
napi_value SegmentAppend(napi_env env, napi_callback_info info);

// read.cc
napi_value ReadNow(napi_env env, napi_callback_info info);
napi_value SegmentRead(napi_env env, napi_callback_info info);
napi_value ReadAtNow(napi_env env, napi_callback_info info);
napi_value SegmentReadAt(napi_env env, napi_callback_info info);
napi_value LocateNow(napi_env env, napi_callback_info info);
napi_value SegmentLocate(napi_env env, napi_callback_info info);
napi_value SegmentLocateTimestamp(napi_env env, napi_callback_info info);

// scan.cc
napi_value ScanSegmentFiles(napi_env env, napi_callback_info info);

// wires.cc
napi_value WireStart(napi_env env, napi_callback_info info);
napi_value WireAdopt(napi_env env, napi_callback_info info);
napi_value WirePause(napi_env env, napi_callback_info info);
napi_value WireResume(napi_env env, napi_callback_info info);
napi_value WireSend(napi_env env, napi_callback_info info);
napi_value WireEnd(napi_env env, napi_callback_info info);
napi_value WireClose(napi_env env, napi_callback_info info);
napi_value WireState(napi_env env, napi_callback_info info);
napi_value WireFree(napi_env env, napi_callback_info info);
napi_value WireCountsOf(napi_env env, napi_callback_info info);

// process.cc
napi_value Crc32cOf(napi_env env, napi_callback_info info);
napi_value LiveMappingsOf(napi_env env, napi_callback_info info);
napi_value InjectFaults(napi_env env, napi_callback_info info);
napi_value IoCalls(napi_env env, napi_callback_info info);

/// The segment of the first argument; null with CLOSED thrown if it names none.
template <typename ArgumentsT>
SegmentHandle* SegmentOf(ArgumentsT& arguments) {
  const uint32_t handle = arguments.Bits(0, "segment");
  if (arguments.failed()) return nullptr;
  SegmentHandle* segment = arguments.environment().segments.Find(handle);
  if (segment == nullptr) arguments.environment().ThrowClosed("segment");
  return segment;
}

}  // namespace seglog::addon
