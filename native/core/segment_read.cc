// Finding offsets and reading whole batches. An index entry is a hint: the header found there is checked, and
// where it does not fit the segment is scanned from its beginning.
#include <algorithm>
#include <limits>

#include "segment.h"

namespace seglog {

namespace {

constexpr size_t kFindBytes = 4096;
constexpr size_t kWarmBytes = 256 << 10;

Status ClosedStatus(const std::string& path) {
  return Status::Error(ErrorCode::kClosed, "the segment is closed", path);
}

}  // namespace

Result<std::optional<BatchAt>> Segment::Find(RecordOffset offset, LogEnd end, Wait wait) {
  if (offset >= end.offset) return std::optional<BatchAt>();
  if (offset_index_ != nullptr && !index_suspect()) {
    auto entry = offset_index_->Lookup(offset, wait == Wait::kYes ? IndexWait::kMayWait : IndexWait::kNoWait);
    if (!entry.ok() && entry.status().code() != ErrorCode::kCorrupt) return entry.status();
    if (entry.ok() && entry->position.value <= 0) return FindFrom(FilePosition(0), offset, end, wait);
    if (entry.ok() && entry->position < end.position) {
      uint8_t raw[kBatchOverhead];
      auto there = HeaderWalk(*file_, entry->position, end.position, raw, wait).Next();
      if (there.ok() && *there && (*there)->header.last_offset() == entry->offset) {
        if (entry->offset == offset) return *there;
        return FindFrom((*there)->end(), offset, end, wait);
      }
      if (!there.ok() && there.status().code() != ErrorCode::kCorrupt) return there.status();
    }
    index_suspect_.store(true, std::memory_order_relaxed);
  }
  return FindFrom(FilePosition(0), offset, end, wait);
}

Result<std::optional<BatchAt>> Segment::FindFrom(FilePosition from, RecordOffset offset, LogEnd end,
                                                 Wait wait) {
  uint8_t buffer[kFindBytes];
  HeaderWalk walk(*file_, from, end.position, buffer, wait);
  for (;;) {
    auto batch = walk.Next();
    if (!batch.ok()) {
      Status status = batch.status();
      return status.code() == ErrorCode::kCorrupt ? status.At(walk.next().value, offset.value) : status;
    }
    if (!*batch || (*batch)->header.last_offset() >= offset) return *batch;
  }
}

Result<ReadResult> Segment::ReadNow(RecordOffset offset, FilePosition limit, MutableByteSpan target) {
  return ReadBatches(offset, limit, target, Wait::kNo);
}

Result<ReadResult> Segment::Read(RecordOffset offset, FilePosition limit, MutableByteSpan target) {
  return ReadBatches(offset, limit, target, Wait::kYes);
}

Result<ReadResult> Segment::ReadBatches(RecordOffset offset, FilePosition limit, MutableByteSpan target,
                                        Wait wait) {
  std::shared_lock files(files_mutex_);
  if (file_ == nullptr) return ClosedStatus(log_path_);
  return Uncut(wait, [&](uint64_t cuts) { return ReadOnce(offset, limit, target, wait, cuts); });
}

Result<ReadResult> Segment::ReadOnce(RecordOffset offset, FilePosition limit, MutableByteSpan target,
                                     Wait wait, uint64_t cuts) {
  const LogEnd end = published();
  if (offset >= end.offset) {
    if (!damage_.ok()) return damage_;
    return ReadResult{};
  }
  limit = std::min(limit, end.position);
  LogEnd read_end;
  const std::optional<FilePosition> went_on = LastReadEnd(offset, cuts);
  auto read = went_on && *went_on < end.position ? ReadWhole(*went_on, offset, limit, target, wait, &read_end)
                                                 : Status::Error(ErrorCode::kCorrupt, "no such end");
  if (!read.ok() && read.status().code() == ErrorCode::kCorrupt) {
    auto batch = Find(offset, end, wait);
    if (!batch.ok()) return batch.status();
    if (!*batch) return ReadResult{};
    read = ReadWhole((*batch)->position, offset, limit, target, wait, &read_end);
  }
  if (read.ok() && read->bytes > 0) RememberReadEnd(read_end, cuts);
  return read;
}

Result<ReadResult> Segment::ReadWhole(FilePosition from, RecordOffset offset, FilePosition limit,
                                      MutableByteSpan target, Wait wait, LogEnd* read_end) {
  ReadResult result;
  if (from >= limit) return result;
  uint8_t head[kBatchOverhead];
  const MutableByteSpan into = target.size() < kBatchOverhead ? MutableByteSpan(head) : target;
  const auto wanted = std::min<int64_t>(static_cast<int64_t>(into.size()), limit - from);
  auto read = ReadFile(*file_, from, into.data(), static_cast<size_t>(wanted), wait);
  if (!read.ok()) return read.status();
  RecordOffset next = offset;
  while (*read - result.bytes >= kBatchOverhead) {
    auto header = ParseBatchHeader({into.data() + result.bytes, *read - result.bytes});
    const bool is_first = result.bytes == 0;
    const bool fits =
        header.ok() && header->last_offset() >= next && (is_first || header->base_offset >= next);
    if (!fits) {
      if (!is_first) break;  // what is good first; the next read begins at the damage
      return Status::Error(
                 ErrorCode::kCorrupt,
                 header.ok() ? "a batch holds other offsets than expected" : header.status().detail().message,
                 log_path_)
          .At(from.value, offset.value);
    }
    const auto size = static_cast<size_t>(header->size_bytes());
    if (size > *read - result.bytes || size > target.size()) {
      if (is_first && header->size_bytes() <= limit - from) result.first_needs = size;
      break;
    }
    result.bytes += size;
    next = header->last_offset() + 1;
  }
  *read_end = {from + static_cast<int64_t>(result.bytes), next};
  return result;
}

Status Segment::ReadAtNow(FilePosition position, MutableByteSpan target) {
  return ReadPublished(position, target, Wait::kNo);
}

Status Segment::ReadAt(FilePosition position, MutableByteSpan target) {
  return ReadPublished(position, target, Wait::kYes);
}

Status Segment::ReadPublished(FilePosition position, MutableByteSpan target, Wait wait) {
  std::shared_lock files(files_mutex_);
  if (file_ == nullptr) return ClosedStatus(log_path_);
  return Uncut(wait, [&](uint64_t) -> Status {
    const int64_t published_bytes = published().position - position;
    if (position.value >= 0 && static_cast<int64_t>(target.size()) <= published_bytes) {
      auto read = ReadFile(*file_, position, target.data(), target.size(), wait);
      if (!read.ok()) return read.status();
      if (*read == target.size()) return Status();
    }
    return EndsBefore(position);
  });
}

Result<SentBytes> Segment::SendTo(int socket, FilePosition position, size_t size) {
  std::shared_lock files(files_mutex_);
  if (file_ == nullptr) return ClosedStatus(log_path_);
  if (position.value >= 0 && static_cast<int64_t>(size) <= published().position - position) {
    auto sent = file_->SendTo(socket, position.value, size);
    if (!sent.ok() || sent->blocked || sent->bytes > 0 || size == 0) return sent;
  }
  return EndsBefore(position);
}

bool Segment::IsCached(FilePosition position, size_t size) {
  std::shared_lock files(files_mutex_);
  return file_ != nullptr && file_->IsCached(position.value, size);
}

Status Segment::Warm(FilePosition position, size_t size) {
  const auto piece = std::make_unique_for_overwrite<uint8_t[]>(std::min(size, kWarmBytes));
  while (size > 0) {
    const size_t next = std::min(size, kWarmBytes);
    SEGLOG_RETURN_IF_ERROR(ReadPublished(position, {piece.get(), next}, Wait::kYes));
    position += static_cast<int64_t>(next);
    size -= next;
  }
  return Status::Ok();
}

Status Segment::EndsBefore(FilePosition position) const {
  return Status::Error(ErrorCode::kCorrupt, "the segment ends before the bytes asked for", log_path_)
      .At(position.value);
}

std::optional<FilePosition> Segment::LastReadEnd(RecordOffset offset, uint64_t cuts) {
  if (last_read_busy_.test_and_set(std::memory_order_acquire)) return std::nullopt;
  const LogEnd last = last_read_;
  const bool valid = last_read_cuts_ == cuts && last.offset == offset && last.position.value > 0;
  last_read_busy_.clear(std::memory_order_release);
  return valid ? std::optional(last.position) : std::nullopt;
}

void Segment::RememberReadEnd(LogEnd end, uint64_t cuts) {
  if (last_read_busy_.test_and_set(std::memory_order_acquire)) return;
  last_read_ = end;
  last_read_cuts_ = cuts;
  last_read_busy_.clear(std::memory_order_release);
}

Result<std::optional<LocatedBatch>> Segment::LocateNow(RecordOffset offset) {
  return LocateBatch(offset, Wait::kNo);
}

Result<std::optional<LocatedBatch>> Segment::Locate(RecordOffset offset) {
  return LocateBatch(offset, Wait::kYes);
}

Result<std::optional<LocatedBatch>> Segment::LocateBatch(RecordOffset offset, Wait wait) {
  std::shared_lock files(files_mutex_);
  if (file_ == nullptr) return ClosedStatus(log_path_);
  return Uncut(wait, [&](uint64_t) -> Result<std::optional<LocatedBatch>> {
    const LogEnd end = published();
    if (offset >= end.offset && !damage_.ok()) return damage_;
    auto batch = Find(offset, end, wait);
    if (!batch.ok()) return batch.status();
    if (!*batch) return std::optional<LocatedBatch>();
    return std::optional<LocatedBatch>({(*batch)->header.base_offset, (*batch)->position});
  });
}

}  // namespace seglog
