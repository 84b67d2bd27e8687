// A segment as a source of the commit journal.
#include <algorithm>

#include "segment.h"

namespace seglog {

bool Segment::BeginJournal() {
  if (options_.slot == nullptr || !flush_gate_.try_lock()) return false;
  const bool fits = published().position - durable().position <= kJournaledBytes;
  if (file_ != nullptr && options_.active && folder_synced_ && fits && !sealed() && !directory_->offline()) {
    return true;
  }
  flush_gate_.unlock();
  return false;
}

bool Segment::AddTo(JournalFrame* frame) {
  const LogEnd end = published();
  const LogEnd from = durable();
  journaling_to_ = from;
  if (end.position <= from.position) return true;
  const auto bytes = static_cast<size_t>(end.position - from.position);
  const MutableByteSpan room =
      frame->Add(partition_.first, partition_.second, options_.base_offset, from.position, bytes);
  if (room.empty()) return false;
  auto read = file_->ReadAt(from.position.value, room.data(), room.size());
  if (!read.ok() || *read < room.size()) {
    frame->DropLast();
    return false;
  }
  journaling_to_ = end;
  std::lock_guard lock(durable_mutex_);
  journaled_ = end;
  return true;
}

void Segment::EndJournal(bool committed) {
  if (committed && journaling_to_.position > durable().position) {
    {
      std::lock_guard lock(durable_mutex_);
      durable_ = journaling_to_;
    }
    options_.slot->SetDurable(options_.base_offset, journaling_to_.position, journaling_to_.offset);
  }
  flush_gate_.unlock();
}

// Beside flushes and cuts: the ends are looked at before and after, and a cut in between lowered them.
Status Segment::FlushBehind() {
  std::shared_lock files(files_mutex_);
  if (file_ == nullptr) return Status::Ok();  // Close brought its share to disk
  LogEnd from;
  LogEnd to;
  {
    std::lock_guard lock(durable_mutex_);
    from = flushed_;
    to = journaled_;
  }
  if (to.position <= from.position) return Status::Ok();
  SEGLOG_RETURN_IF_ERROR(WritePendingIndexes());
  SEGLOG_RETURN_IF_ERROR(window_->Sync(from.position.value, to.position.value));
  std::lock_guard lock(durable_mutex_);
  const bool cut = journaled_.position < to.position;
  if (!cut && flushed_.position < to.position) flushed_ = to;
  return Status::Ok();
}

}  // namespace seglog
