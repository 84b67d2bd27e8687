// Walks a segment's `.log` from disk: recovery after power loss, replay of producers behind a snapshot, `log
// verify`. Stops at the first byte that is not a good batch and says why; never trusts a length before
// checking it.
//
// Thread rule: no state; any thread, one scan of a file at a time when it writes. Reads ahead in large
// blocks, or only the headers when neither CRCs nor records are asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io.h"
#include "record_batch.h"

namespace seglog {

struct ScanOptions {
  std::string folder;  // absolute
  RecordOffset base_offset;
  FilePosition from;                        // a batch boundary
  std::optional<RecordOffset> from_offset;  // offsets below it at `from` are a fault
  std::optional<FilePosition> to;           // default: end of the file
  bool check_crc = true;
  bool walk_records = false;
  int64_t index_interval_bytes = 4096;
  int64_t index_bytes = 10 << 20;
  bool rebuild_indexes = false;  // only with from == 0
  bool truncate = false;         // `.log` to the good prefix, fsynced
  bool verify_indexes = false;
};

struct ScanStop {
  FilePosition position;
  RecordOffset offset;  // next expected
  std::string reason;
  /// Nothing but zeros from here to the end of the file: reserved space, not damage.
  bool zeros = false;
};

struct ScanEpoch {
  int32_t epoch;
  RecordOffset start_offset;
};

struct ScanResult {
  FilePosition end_position;
  RecordOffset end_offset;
  TimestampMs max_timestamp{-1};
  RecordOffset max_timestamp_offset{-1};
  int64_t batches = 0;
  std::vector<ScanEpoch> epochs;
  /// One record of kScanProducerBytes per batch with a producer id, little-endian:
  ///   0 producerId i64      8 baseOffset i64      16 lastOffset i64    24 maxTimestamp i64
  ///   32 position i64       40 baseSequence i32   44 lastOffsetDelta i32
  ///   48 recordCount i32    52 coordinatorEpoch i32 (control batches, else -1)
  ///   56 producerEpoch i16  58 attributes i16     60 controlType i16 (control batches, else -1)   62 zero
  std::vector<uint8_t> producers;
  std::optional<ScanStop> stopped;
  std::vector<std::string> index_faults;
};

inline constexpr size_t kScanProducerBytes = 64;

/// Errors are those of I/O; what the bytes say is in the result.
Result<ScanResult> ScanSegment(Io& io, const ScanOptions& options);

}  // namespace seglog
