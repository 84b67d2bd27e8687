#include "time_index.h"

#include <algorithm>
#include <limits>

namespace seglog {

namespace {
constexpr IndexLayout kLayout{.entry_bytes = 12, .key_bytes = 8, .second_may_repeat = true};
constexpr int64_t kMaxRelative = std::numeric_limits<int32_t>::max();
}  // namespace

Result<std::unique_ptr<TimeIndex>> TimeIndex::Open(Io& io, std::string path, RecordOffset base_offset,
                                                   int64_t max_bytes, IndexMode mode) {
  auto file = IndexFile::Open(io, std::move(path), kLayout, mode);
  if (!file.ok()) return file.status();
  const auto max_entries = static_cast<size_t>(std::max<int64_t>(max_bytes, 0)) / kLayout.entry_bytes;
  return std::unique_ptr<TimeIndex>(new TimeIndex(std::move(*file), base_offset, max_entries));
}

Status TimeIndex::Append(TimestampMs timestamp, RecordOffset offset, Place place) {
  if (timestamp <= last().timestamp) return Status::Ok();
  const int64_t relative = offset - base_offset_;
  if (relative < 0 || relative > kMaxRelative) {
    return Status::Error(ErrorCode::kInvalidArgument, "the offset does not fit this time index",
                         file_->path())
        .At(-1, offset.value);
  }
  const bool room = place == Place::kFinal ? entries() < max_entries_ : !full();
  if (!room) return Status::Error(ErrorCode::kSegmentFull, "the time index is full", file_->path());
  return file_->Append(timestamp.value, static_cast<int32_t>(relative));
}

Result<TimeIndex::Entry> TimeIndex::Lookup(TimestampMs target, IndexWait wait) {
  IndexFile::Entry found;
  auto hit = file_->Find(target.value, wait, &found);
  if (!hit.ok()) return hit.status();
  if (!*hit) return Entry{TimestampMs(-1), base_offset_};
  return Entry{TimestampMs(found.key), base_offset_ + found.second};
}

Status TimeIndex::TruncateTo(RecordOffset end_offset) {
  return file_->TruncateTo(std::numeric_limits<int64_t>::max(), end_offset - base_offset_);
}

TimeIndex::Entry TimeIndex::last() const {
  IndexFile::Entry last;
  if (!file_->Last(&last)) return {TimestampMs(-1), base_offset_};
  return {TimestampMs(last.key), base_offset_ + last.second};
}

}  // namespace seglog
