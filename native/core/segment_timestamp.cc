// The first record at or after a timestamp.
#include <algorithm>

#include "record_head.h"
#include "segment.h"

namespace seglog {

namespace {

constexpr size_t kWalkBytes = 16 << 10;

}  // namespace

Result<std::optional<LocatedTimestamp>> Segment::LocateTimestamp(TimestampMs timestamp) {
  std::shared_lock files(files_mutex_);
  if (file_ == nullptr) return Status::Error(ErrorCode::kClosed, "the segment is closed", log_path_);
  return Uncut(Wait::kYes, [&](uint64_t) { return LocateTimestampOnce(timestamp); });
}

Result<std::optional<LocatedTimestamp>> Segment::LocateTimestampOnce(TimestampMs timestamp) {
  using Found = std::optional<LocatedTimestamp>;
  const LogEnd end = published();
  if (end.position.value == 0 || max_timestamp() < timestamp) return Found();
  // An entry {t, o} says that nothing up to o is later than t: with t below what is asked, begin behind o.
  FilePosition from(0);
  if (time_index_ != nullptr && !index_suspect()) {
    auto entry = time_index_->Lookup(timestamp - 1);
    if (!entry.ok() && entry.status().code() != ErrorCode::kCorrupt) return entry.status();
    if (entry.ok() && entry->timestamp.value >= 0) {
      auto batch = Find(entry->offset + 1, end, Wait::kYes);
      if (!batch.ok()) return batch.status();
      if (*batch) from = (*batch)->position;
    }
  }
  const auto buffer = std::make_unique_for_overwrite<uint8_t[]>(kWalkBytes);
  HeaderWalk walk(*file_, from, end.position, {buffer.get(), kWalkBytes}, Wait::kYes);
  for (;;) {
    auto batch = walk.Next();
    if (!batch.ok()) return batch.status();
    if (!*batch) return Found();
    if ((*batch)->header.max_timestamp < timestamp) continue;
    auto first = FirstInBatch(**batch, timestamp);
    if (!first.ok() || *first) return first;
  }
}

Result<std::optional<LocatedTimestamp>> Segment::FirstInBatch(const BatchAt& batch, TimestampMs timestamp) {
  using Found = std::optional<LocatedTimestamp>;
  const BatchHeader& header = batch.header;
  if (header.record_count == 0) return Found();
  if (header.is_append_time()) {
    return Found({header.base_offset, header.max_timestamp, header.leader_epoch, false});
  }
  if (header.codec() != 0) {
    return Found({header.base_offset, header.max_timestamp, header.leader_epoch, true});
  }
  const auto size = static_cast<size_t>(header.size_bytes());
  const auto bytes = std::make_unique_for_overwrite<uint8_t[]>(size);
  auto read = file_->ReadAt(batch.position.value, bytes.get(), size);
  if (!read.ok()) return read.status();
  if (*read < size) return Found();  // cut meanwhile
  const uint8_t* at = bytes.get() + kBatchOverhead;
  RecordHead record;
  for (int32_t i = 0; i < header.record_count && ReadRecordHead(&at, bytes.get() + size, &record); ++i) {
    int64_t when = 0;
    if (__builtin_add_overflow(header.base_timestamp.value, record.timestamp_delta, &when)) break;
    if (when < timestamp.value || record.offset_delta < 0 || record.offset_delta > header.last_offset_delta)
      continue;
    return Found({header.base_offset + record.offset_delta, TimestampMs(when), header.leader_epoch, false});
  }
  return Found();
}

}  // namespace seglog
