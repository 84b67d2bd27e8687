// Flush, seal, truncate, close, and the helper's visits.
#include <algorithm>
#include <chrono>

#include "coarse_clock.h"
#include "segment.h"

namespace seglog {

namespace {

constexpr int64_t kPendingEntriesMax = 512;  // what a kill may cost in headers to walk again
constexpr int64_t kRefreshAfterMs = 200;
// The window holds about 5 ms of writing: half of it used up sooner doubles it, much later halves it.
constexpr int64_t kTooSoonUs = 2'500;
constexpr int64_t kTooLateUs = 50'000;

int64_t NowUs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace

Segment::~Segment() { Close(); }

LogEnd Segment::durable() const {
  std::lock_guard lock(durable_mutex_);
  return durable_;
}

LogEnd Segment::flushed() const {
  std::lock_guard lock(durable_mutex_);
  return flushed_;
}

void Segment::SetDurable(LogEnd end) {
  {
    std::lock_guard lock(durable_mutex_);
    durable_ = flushed_ = end;
  }
  if (options_.slot != nullptr) options_.slot->SetDurable(options_.base_offset, end.position, end.offset);
}

// A full disk leaves the entries for later: a flush promises the log, and the indexes can be made from it.
Status Segment::WritePendingIndexes() {
  if (pending_entries_.exchange(0, std::memory_order_relaxed) == 0) return Status::Ok();
  Status written = time_index_->WritePending();
  if (written.ok()) written = offset_index_->WritePending();
  if (written.ok()) return written;
  pending_entries_.fetch_add(1, std::memory_order_relaxed);
  return written.code() == ErrorCode::kNoSpace ? Status::Ok() : directory_->Failed(written);
}

// Before the first durable acknowledgement in new files: their names.
Status Segment::SyncFolderOnce() {
  if (folder_synced_) return Status::Ok();
  SEGLOG_RETURN_IF_ERROR(directory_->io().SyncDirectory(folder_));
  folder_synced_ = true;
  return Status::Ok();
}

Result<LogEnd> Segment::Flush() {
  std::lock_guard flushing(flush_gate_);
  std::shared_lock files(files_mutex_);
  if (file_ == nullptr) return Status::Error(ErrorCode::kClosed, "the segment is closed", log_path_);
  if (!options_.active) return durable();
  SEGLOG_RETURN_IF_ERROR(directory_->CheckWritable());
  if (sealed()) {
    SEGLOG_RETURN_IF_ERROR(SyncAllLocked());
    return durable();
  }
  const LogEnd end = published();
  if (end.position > durable().position) {
    const LogEnd from = flushed();
    SEGLOG_RETURN_IF_ERROR(WritePendingIndexes());
    SEGLOG_RETURN_IF_ERROR(directory_->FlushFailed(SyncFolderOnce()));
    SEGLOG_RETURN_IF_ERROR(directory_->FlushFailed(window_->Sync(from.position.value, end.position.value)));
    SetDurable(end);
  }
  return end;
}

Status Segment::SyncAll() {
  std::lock_guard flushing(flush_gate_);
  std::shared_lock files(files_mutex_);
  if (file_ == nullptr) return Status::Error(ErrorCode::kClosed, "the segment is closed", log_path_);
  if (!options_.active) return Status::Ok();
  SEGLOG_RETURN_IF_ERROR(directory_->CheckWritable());
  return SyncAllLocked();
}

Status Segment::SyncAllLocked() {
  const LogEnd end = published();
  SEGLOG_RETURN_IF_ERROR(directory_->FlushFailed(SyncFolderOnce()));
  SEGLOG_RETURN_IF_ERROR(directory_->FlushFailed(file_->SyncData()));
  SEGLOG_RETURN_IF_ERROR(directory_->FlushFailed(offset_index_->Sync()));
  SEGLOG_RETURN_IF_ERROR(directory_->FlushFailed(time_index_->Sync()));
  SetDurable(end);
  return Status::Ok();
}

Status Segment::Seal() {
  if (sealed() || !options_.active) return Status::Ok();
  SEGLOG_RETURN_IF_ERROR(CheckAppendable());
  RetireHelper();
  window_->Drop();
  const LogEnd end{end_, next_offset_};
  const Status sealed = directory_->WithReserves([&] {
    SEGLOG_RETURN_IF_ERROR(file_->Truncate(end.position.value));
    window_->SetFileSize(end.position.value);
    // Nobody looks at a sealed segment's indexes again before trusting them.
    if (index_suspect()) SEGLOG_RETURN_IF_ERROR(TakeOver(end.position, end.offset));
    if (max_timestamp().value >= 0) {
      (void)time_index_->Append(max_timestamp(), max_timestamp_offset(), TimeIndex::Place::kFinal);
    }
    SEGLOG_RETURN_IF_ERROR(time_index_->Seal());
    return offset_index_->Seal();
  });
  end_ = end.position;  // TakeOver counts them anew
  next_offset_ = end.offset;
  if (!sealed.ok()) {
    WatchAgain();
    return directory_->Failed(sealed);
  }
  sealed_.store(true, std::memory_order_release);
  return Status::Ok();
}

Status Segment::TruncateTo(RecordOffset offset) {
  if (!options_.active)
    return Status::Error(ErrorCode::kInvalidArgument, "only an active segment is cut", log_path_);
  SEGLOG_RETURN_IF_ERROR(CheckAppendable());
  if (offset >= next_offset_) return Status::Ok();
  std::lock_guard flushing(flush_gate_);
  // What is about to be cut must not come back by a replay, over what is appended in its place.
  SEGLOG_RETURN_IF_ERROR(directory_->SettleJournal());
  LogEnd end{FilePosition(0), options_.base_offset};
  if (offset > options_.base_offset) {
    auto batch = Find(offset, published(), Wait::kYes);
    if (!batch.ok()) return batch.status();
    // In a gap of offsets, also one that an earlier cut left at the end: exactly there.
    end = *batch ? LogEnd{(*batch)->position, std::min(offset, (*batch)->header.base_offset)}
                 : LogEnd{end_, offset};
  }
  RetireHelper();
  window_->Drop();
  // Readers and `.ends` first: whoever looks meanwhile must not expect what is about to go.
  end_ = end.position;
  next_offset_ = end.offset;
  Publish();
  cuts_.fetch_add(1, std::memory_order_release);
  if (options_.slot != nullptr) {
    options_.slot->RaiseGeneration();
    options_.slot->SetSegment(options_.base_offset, end.position, end.offset);
  }
  // Durable step by step: a lower bound above the cut would make a torn tail look like damage, and what was
  // cut must not come back behind what is appended in its place.
  const auto cut = [&]() -> Status {
    SEGLOG_RETURN_IF_ERROR(directory_->FlushEnds());
    SEGLOG_RETURN_IF_ERROR(file_->Truncate(end.position.value));
    window_->SetFileSize(end.position.value);
    SEGLOG_RETURN_IF_ERROR(directory_->FlushFailed(file_->SyncData()));
    SEGLOG_RETURN_IF_ERROR(offset_index_->TruncateTo(end.offset, end.position));
    SEGLOG_RETURN_IF_ERROR(time_index_->TruncateTo(end.offset));
    SEGLOG_RETURN_IF_ERROR(offset_index_->entries() == 0
                               ? time_index_->Clear()
                               : time_index_->TruncateTo(offset_index_->last().offset + 1));
    return TakeOver(end.position, std::nullopt);
  };
  const Status status = directory_->Failed(directory_->WithReserves(cut));
  end_ = end.position;  // TakeOver counts them anew; a failed one must not leave less
  next_offset_ = end.offset;
  {
    std::lock_guard lock(durable_mutex_);
    for (LogEnd* known : {&durable_, &flushed_, &journaled_}) {
      if (known->position > end.position) *known = end;
    }
  }
  WatchAgain();
  return status;
}

void Segment::Close() {
  if (closed_.exchange(true)) return;
  RetireHelper();
  if (window_) window_->Drop();
  std::lock_guard flushing(flush_gate_);
  directory_->LeaveJournal(this);
  std::unique_lock files(files_mutex_);
  file_.reset();
  offset_index_.reset();
  time_index_.reset();
}

void Segment::WatchAgain() {
  if (ahead_ == nullptr || watched_ || !directory_->mapped_lane()) return;
  watched_ = true;
  ahead_->Watch(this);
}

void Segment::RetireHelper() {
  if (!watched_) return;
  watched_ = false;
  ahead_->Retire(this);
}

bool Segment::Active(int64_t now_ms) const {
  return now_ms - last_small_append_ms_.load(std::memory_order_relaxed) < Ahead::kReadyForMs;
}

int64_t Segment::Tend(int64_t now_ms, int64_t budget) {
  if (directory_->offline()) return 0;
  if (pending_entries_.load(std::memory_order_relaxed) > kPendingEntriesMax) (void)WritePendingIndexes();
  const int64_t end = published().position.value;
  const bool used_up = end >= window_->nudge_at();
  if (!used_up && now_ms - window_->ready_stamp_ms() < kRefreshAfterMs) return window_bytes_;
  const int64_t now_us = NowUs();
  const int64_t elapsed_us = now_us - last_advance_us_;
  last_advance_us_ = now_us;
  if (used_up && elapsed_us < kTooSoonUs) window_bytes_ *= 2;
  if (elapsed_us > kTooLateUs) window_bytes_ /= 2;
  window_bytes_ = std::clamp(window_bytes_, AppendWindow::kMinBytes, AppendWindow::kMaxBytes);
  if (budget < AppendWindow::kMinBytes) return 0;
  return window_->Advance(end, std::min(window_bytes_, budget), now_ms);
}

}  // namespace seglog
