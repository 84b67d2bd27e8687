// The time index of one segment, `<base>.timeindex`: 12-byte big-endian entries {int64 largest timestamp of
// the segment so far, int32 last offset of the batch that holds it - base}. Timestamps strictly increase,
// offsets never decrease. An entry {t, o} says: every record with an offset <= o has a timestamp <= t. One
// slot is kept for the final entry, which roll and close write. States, threads and ownership: see
// index_file.h.
#pragma once

#include "index_file.h"

namespace seglog {

class TimeIndex {
 public:
  struct Entry {
    TimestampMs timestamp;
    RecordOffset offset;  // last offset of the batch that holds it
  };
  /// kFinal may take the slot kept for the last entry.
  enum class Place { kNext, kFinal };

  /// max_bytes is segment.index.bytes. kNotFound and kCorrupt as OffsetIndex::Open.
  static Result<std::unique_ptr<TimeIndex>> Open(Io& io, std::string path, RecordOffset base_offset,
                                                 int64_t max_bytes, IndexMode mode);

  /// Nothing happens (OK) unless timestamp is above last().timestamp. kInvalidArgument if the offset
  /// decreases or offset - base does not fit 31 bits; kSegmentFull if there is no slot.
  Status Append(TimestampMs timestamp, RecordOffset offset, Place place = Place::kNext);
  /// The entry with the largest timestamp <= target, or {-1, base} if there is none. For the first record
  /// with a timestamp >= t: look up t - 1 and scan from the batch that holds that entry's offset.
  Result<Entry> Lookup(TimestampMs target, IndexWait wait = IndexWait::kMayWait);
  /// Drops entries with offset >= end_offset.
  Status TruncateTo(RecordOffset end_offset);
  /// Drops every entry and empties the file, ready to be appended to.
  Status Clear() { return file_->TruncateTo(INT64_MIN, 0); }

  bool full() const { return entries() + 1 >= max_entries_; }
  size_t entries() const { return file_->entries(); }
  size_t max_entries() const { return max_entries_; }
  /// The last entry, {-1, base} while empty. For the owner of Append.
  Entry last() const;
  Status WritePending() { return file_->WritePending(); }
  Status Sync() { return file_->Sync(); }
  Status Seal() { return file_->Seal(); }
  void ReleaseFile() { file_->ReleaseFile(); }
  bool active() const { return file_->active(); }
  size_t memory_bytes() const { return sizeof(*this) + file_->memory_bytes(); }

 private:
  TimeIndex(std::unique_ptr<IndexFile> file, RecordOffset base_offset, size_t max_entries)
      : file_(std::move(file)), base_offset_(base_offset), max_entries_(max_entries) {}
  std::unique_ptr<IndexFile> file_;
  const RecordOffset base_offset_;
  const size_t max_entries_;
};

}  // namespace seglog
