#include "append_window.h"

#include <algorithm>

namespace seglog {

namespace {

constexpr int64_t kPage = 4096;  // the smallest there is; the Io rounds further where pages are larger
constexpr int64_t kFirstReservation = 16 << 10;
constexpr int64_t kLargestReservation = 16 << 20;
constexpr int64_t kReleaseStep = 4 << 20;
constexpr int64_t kRestampAfterMs = 200;

constexpr int64_t PageDown(int64_t value) { return value & ~(kPage - 1); }
constexpr int64_t PageUp(int64_t value) { return PageDown(value + kPage - 1); }

}  // namespace

AppendWindow::AppendWindow(DataDirectory& directory, File& file, int64_t segment_bytes, int64_t end)
    : directory_(directory), file_(file), segment_bytes_(segment_bytes), reserved_(end) {}

Status AppendWindow::Reserve(int64_t to) {
  if (to <= reserved_.load(std::memory_order_acquire)) return Status::Ok();
  if (!directory_.MayGrow()) {
    return Status::Error(ErrorCode::kNoSpace, "the disk is full; what is left is kept for a clean close",
                         file_.path());
  }
  if (!directory_.overwrite_in_place()) return Status::Ok();
  std::lock_guard lock(growth_mutex_);
  const int64_t from = reserved_.load(std::memory_order_relaxed);
  if (to <= from) return Status::Ok();
  const int64_t step = std::clamp(from, kFirstReservation, kLargestReservation);
  const int64_t needed = PageUp(to);
  const int64_t wished = std::max(needed, std::min(PageUp(from + step), PageUp(segment_bytes_)));
  Status reserved = file_.Reserve(from, wished - from);
  int64_t reached = wished;
  if (reserved.code() == ErrorCode::kNoSpace && needed < wished) {
    reserved = file_.Reserve(from, needed - from);
    reached = needed;
  }
  if (reserved.code() == ErrorCode::kUnsupported) return Status::Ok();  // the write itself will tell
  SEGLOG_RETURN_IF_ERROR(reserved);
  reserved_.store(reached, std::memory_order_release);
  return Status::Ok();
}

int64_t AppendWindow::Advance(int64_t end, int64_t bytes, int64_t now_ms) {
  const int64_t limit = std::min(end + bytes, segment_bytes_);
  (void)Reserve(limit);
  const int64_t to = std::min(PageUp(limit), reserved_.load(std::memory_order_acquire));
  const std::shared_ptr<Mapping> mapping = to > end ? SharedMapping(end) : nullptr;
  if (mapping == nullptr) return 0;

  const int64_t from = PageDown(end);
  int64_t ready_to = ready_to_.load(std::memory_order_relaxed);
  const int64_t age = now_ms - ready_stamp_ms_.load(std::memory_order_relaxed);
  const bool young = age < kReadyForMs && ready_to > end;
  if (!young) {
    ready_to = from;
    ready_to_.store(from, std::memory_order_release);
  } else if (age >= kRestampAfterMs && !PopulateInSteps(*mapping, from, std::min(ready_to, to))) {
    return 0;  // it grows old and stops being ready by itself
  }
  if (!young || age >= kRestampAfterMs) {
    ready_from_.store(from, std::memory_order_relaxed);
    ready_stamp_ms_.store(now_ms, std::memory_order_relaxed);
  }
  while (ready_to < to) {
    const int64_t next = std::min(ready_to + kStepBytes, to);
    if (!PopulateInSteps(*mapping, ready_to, next)) break;
    ready_to = next;
    ready_to_.store(ready_to, std::memory_order_release);
  }
  const bool last = ready_to >= segment_bytes_;
  nudge_at_.store(last ? INT64_MAX : end + (ready_to - end) / 2, std::memory_order_relaxed);
  ReleaseBehind(*mapping, end);
  return std::max<int64_t>(ready_to - end, 0);
}

bool AppendWindow::PopulateInSteps(Mapping& mapping, int64_t from, int64_t to) {
  for (int64_t at = from; at < to; at += kStepBytes) {
    const int64_t next = std::min(at + kStepBytes, to);
    if (!mapping.Populate(static_cast<size_t>(at), static_cast<size_t>(next)).ok()) return false;
  }
  return true;
}

// In big steps: each one is a call that walks page tables and flushes other cores' copies of them.
void AppendWindow::ReleaseBehind(Mapping& mapping, int64_t end) {
  const int64_t to = PageDown(end - kKeepBehindBytes);
  if (to - released_to_ < kReleaseStep) return;
  mapping.Release(static_cast<size_t>(released_to_), static_cast<size_t>(to));
  released_to_ = to;
}

std::shared_ptr<Mapping> AppendWindow::SharedMapping(int64_t end) {
  std::lock_guard lock(mapping_mutex_);
  if (mapping_ == nullptr && !map_refused_) {
    auto mapping = file_.Map(static_cast<size_t>(PageUp(segment_bytes_) + kMinBytes), true);
    if (mapping.ok()) {
      mapping_ = std::move(*mapping);
      base_.store(mapping_->data(), std::memory_order_relaxed);
      released_to_ = PageDown(end);
    }
    map_refused_ = mapping_ == nullptr;  // asking again at every step would not help
  }
  return mapping_;
}

Status AppendWindow::Sync(int64_t from, int64_t to) {
  std::shared_ptr<Mapping> mapping;
  {
    std::lock_guard lock(mapping_mutex_);
    mapping = mapping_;
  }
  // A range, because populating dirties the whole window and flushing that would write megabytes.
  if (mapping != nullptr && to <= static_cast<int64_t>(mapping->size())) {
    return mapping->Sync(static_cast<size_t>(from), static_cast<size_t>(to));
  }
  return file_.SyncData();
}

void AppendWindow::Drop() {
  ready_to_.store(0, std::memory_order_relaxed);
  ready_stamp_ms_.store(kNever, std::memory_order_relaxed);
  base_.store(nullptr, std::memory_order_relaxed);
  std::lock_guard lock(mapping_mutex_);
  mapping_.reset();
}

void AppendWindow::SetFileSize(int64_t file_size) { reserved_.store(file_size, std::memory_order_release); }

}  // namespace seglog
