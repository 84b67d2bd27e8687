#include "offset_index.h"

#include <algorithm>
#include <limits>

namespace seglog {

namespace {
constexpr IndexLayout kLayout{.entry_bytes = 8, .key_bytes = 4, .second_may_repeat = false};
constexpr int64_t kMaxRelative = std::numeric_limits<int32_t>::max();
}  // namespace

Result<std::unique_ptr<OffsetIndex>> OffsetIndex::Open(Io& io, std::string path, RecordOffset base_offset,
                                                       int64_t max_bytes, IndexMode mode) {
  auto file = IndexFile::Open(io, std::move(path), kLayout, mode);
  if (!file.ok()) return file.status();
  const auto max_entries = static_cast<size_t>(std::max<int64_t>(max_bytes, 0)) / kLayout.entry_bytes;
  return std::unique_ptr<OffsetIndex>(new OffsetIndex(std::move(*file), base_offset, max_entries));
}

Status OffsetIndex::Append(RecordOffset offset, FilePosition position) {
  const int64_t relative = offset - base_offset_;
  if (relative < 0 || relative > kMaxRelative || position.value < 0 || position.value > kMaxRelative) {
    return Status::Error(ErrorCode::kInvalidArgument, "offset or position does not fit this offset index",
                         file_->path())
        .At(position.value, offset.value);
  }
  if (full()) return Status::Error(ErrorCode::kSegmentFull, "the offset index is full", file_->path());
  return file_->Append(relative, static_cast<int32_t>(position.value));
}

Result<OffsetIndex::Entry> OffsetIndex::Lookup(RecordOffset target, IndexWait wait) {
  IndexFile::Entry found;
  auto hit = file_->Find(target - base_offset_, wait, &found);
  if (!hit.ok()) return hit.status();
  if (!*hit) return Entry{base_offset_, FilePosition(0)};
  return Entry{base_offset_ + found.key, FilePosition(found.second)};
}

Status OffsetIndex::TruncateTo(RecordOffset end_offset, FilePosition end_position) {
  return file_->TruncateTo(end_offset - base_offset_, end_position.value);
}

OffsetIndex::Entry OffsetIndex::last() const {
  IndexFile::Entry last;
  if (!file_->Last(&last)) return {base_offset_, FilePosition(0)};
  return {base_offset_ + last.key, FilePosition(last.second)};
}

}  // namespace seglog
