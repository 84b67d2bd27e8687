// The space in front of an active segment's end: how much of the file is reserved, the mapping over it, and
// which part of that mapping is ready, that is populated so recently that a store does not wait.
//
// Thread rule: ReadyAt() and nudge_at() on the thread that holds the segment's lease; Reserve() there or on
// the helper's thread; Advance() on the helper's thread only; Sync() on any. Drop() and SetFileSize() by the
// lease holder after the helper was retired. Ownership: refers to the file and directory of its segment. The
// mapping is shared with flushes in progress, so it may outlive Drop() by one of them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "ahead.h"
#include "data_directory.h"
#include "io.h"

namespace seglog {

class AppendWindow {
 public:
  static constexpr int64_t kMinBytes = 64 << 10;
  static constexpr int64_t kMaxBytes = 8 << 20;
  static constexpr int64_t kStepBytes = 256 << 10;      // populated at once
  static constexpr int64_t kKeepBehindBytes = 8 << 20;  // resident behind the end

  /// `end`: what is known to be allocated, the end of the batches; space behind it is reserved anew.
  AppendWindow(DataDirectory& directory, File& file, int64_t segment_bytes, int64_t end);

  /// Memory for [position, position + size), or null when that range is not ready.
  uint8_t* ReadyAt(int64_t position, int64_t size, int64_t now_ms) const noexcept {
    if (position < ready_from_.load(std::memory_order_relaxed)) return nullptr;
    if (position + size > ready_to_.load(std::memory_order_acquire)) return nullptr;
    if (now_ms - ready_stamp_ms_.load(std::memory_order_relaxed) >= kReadyForMs) return nullptr;
    return base_.load(std::memory_order_relaxed) + position;
  }
  /// Past this position the helper should be nudged: half of the window is used.
  int64_t nudge_at() const noexcept { return nudge_at_.load(std::memory_order_relaxed); }

  /// The file can be written up to `to` without allocation (where the file system can promise it). Grows by
  /// steps that follow the segment's size; on a nearly full disk by just what is needed. kNoSpace changes
  /// nothing.
  Status Reserve(int64_t to);
  /// Reserves, maps and populates [end, end + bytes), stamps it ready, releases what lies far behind. Trouble
  /// of any kind only leaves the window smaller. Returns the bytes ready.
  int64_t Advance(int64_t end, int64_t bytes, int64_t now_ms);
  /// Range flush through the mapping if there is one, else of the file's data.
  Status Sync(int64_t from, int64_t to);
  /// Forgets readiness and lets the mapping go. The file may be truncated afterwards.
  void Drop();
  /// The file was truncated to this.
  void SetFileSize(int64_t file_size);
  /// When the window was last made ready as a whole; long ago while it never was.
  int64_t ready_stamp_ms() const noexcept { return ready_stamp_ms_.load(std::memory_order_relaxed); }
  int64_t reserved() const noexcept { return reserved_.load(std::memory_order_relaxed); }

 private:
  static constexpr int64_t kReadyForMs = Ahead::kReadyForMs;
  static constexpr int64_t kNever = INT64_MIN / 2;
  static bool PopulateInSteps(Mapping& mapping, int64_t from, int64_t to);
  void ReleaseBehind(Mapping& mapping, int64_t end);
  std::shared_ptr<Mapping> SharedMapping(int64_t end);

  DataDirectory& directory_;
  File& file_;
  const int64_t segment_bytes_;
  std::atomic<uint8_t*> base_{nullptr};
  std::atomic<int64_t> ready_from_{0};
  std::atomic<int64_t> ready_to_{0};
  std::atomic<int64_t> ready_stamp_ms_{kNever};
  std::atomic<int64_t> nudge_at_{0};
  std::atomic<int64_t> reserved_;
  std::mutex growth_mutex_;           // one reservation at a time
  mutable std::mutex mapping_mutex_;  // mapping_; never held through a system call that waits
  std::shared_ptr<Mapping> mapping_;
  bool map_refused_ = false;
  int64_t released_to_ = 0;  // helper thread only
};

}  // namespace seglog
