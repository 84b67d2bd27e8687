// The offset index of one segment, `<base>.index`: 8-byte big-endian entries {int32 last offset of a batch -
// base, int32 position of that batch's first byte}, both strictly increasing, one per index.interval.bytes of
// log. A hint: whoever uses a position checks the batch header there and rebuilds the index if it lies.
// States, threads and ownership: see index_file.h.
#pragma once

#include "index_file.h"

namespace seglog {

class OffsetIndex {
 public:
  struct Entry {
    RecordOffset offset;    // last offset of the batch
    FilePosition position;  // its first byte
  };

  /// max_bytes is segment.index.bytes. kNotFound and kCorrupt (bad size, entries that do not increase, an
  /// entry below base): open again with kEmpty and append what a scan of the log finds.
  static Result<std::unique_ptr<OffsetIndex>> Open(Io& io, std::string path, RecordOffset base_offset,
                                                   int64_t max_bytes, IndexMode mode);

  /// kInvalidArgument if it does not increase or offset - base does not fit 31 bits; kSegmentFull if full().
  Status Append(RecordOffset offset, FilePosition position);
  /// The entry with the largest offset <= target, or {base, 0} if there is none: start scanning there.
  Result<Entry> Lookup(RecordOffset target, IndexWait wait = IndexWait::kMayWait);
  /// Drops entries with offset >= end_offset or position >= end_position.
  Status TruncateTo(RecordOffset end_offset, FilePosition end_position);
  /// Drops every entry and empties the file, ready to be appended to.
  Status Clear() { return file_->TruncateTo(0, 0); }

  bool full() const { return entries() >= max_entries_; }
  size_t entries() const { return file_->entries(); }
  size_t max_entries() const { return max_entries_; }
  /// The last entry, {base, 0} while empty. For the owner of Append.
  Entry last() const;
  Status WritePending() { return file_->WritePending(); }
  Status Sync() { return file_->Sync(); }
  Status Seal() { return file_->Seal(); }
  void ReleaseFile() { file_->ReleaseFile(); }
  bool active() const { return file_->active(); }
  size_t memory_bytes() const { return sizeof(*this) + file_->memory_bytes(); }

 private:
  OffsetIndex(std::unique_ptr<IndexFile> file, RecordOffset base_offset, size_t max_entries)
      : file_(std::move(file)), base_offset_(base_offset), max_entries_(max_entries) {}
  std::unique_ptr<IndexFile> file_;
  const RecordOffset base_offset_;
  const size_t max_entries_;
};

}  // namespace seglog
