// Compares index files with the batches of their log, in one pass beside a scan.
//
// Thread rule: one thread. Holds every entry in memory.
#pragma once

#include <string>
#include <vector>

#include "header_walk.h"
#include "io.h"

namespace seglog {

class IndexCheck {
 public:
  /// Loads both files; what is wrong with them as files is a fault already.
  static Result<IndexCheck> Load(Io& io, const std::string& offset_path, const std::string& time_path,
                                 RecordOffset base_offset, FilePosition from);
  /// The next good batch of the log, with the largest timestamp up to and including it.
  void Batch(const BatchAt& batch, TimestampMs max_so_far);
  /// The good prefix ends here.
  void End(FilePosition end, RecordOffset end_offset);
  std::vector<std::string> TakeFaults() { return std::move(faults_); }

 private:
  struct OffsetEntry {
    RecordOffset offset;
    FilePosition position;
  };
  struct TimeEntry {
    TimestampMs timestamp;
    RecordOffset offset;
  };

  void Fault(const char* index, size_t entry, std::string what);
  void LoadOffsets(const std::vector<uint8_t>& bytes, RecordOffset base_offset);
  void LoadTimes(const std::vector<uint8_t>& bytes, RecordOffset base_offset);

  std::vector<OffsetEntry> offsets_;
  std::vector<TimeEntry> times_;
  size_t next_offset_ = 0;
  size_t next_time_ = 0;
  std::vector<std::string> faults_;
};

}  // namespace seglog
