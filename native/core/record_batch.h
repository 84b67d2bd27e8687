// Record batch v2 (magic 2): the unit of everything, the same bytes in memory, on disk and on the wire.
// Layout: shared by disk and wire, see docs/format.md. All integers big-endian.
//
// A BatchHeader is a value parsed from at least kBatchOverhead bytes; it refers to nothing. Functions that
// take a ByteSpan read only inside it and check every length first.
#pragma once

#include "status.h"
#include "types.h"

namespace seglog {

inline constexpr size_t kBatchOverhead = 61;   // header bytes before the records
inline constexpr size_t kBatchLengthEnd = 12;  // baseOffset + batchLength
inline constexpr size_t kCrcStart = 21;        // first byte the CRC covers
inline constexpr int32_t kMaxBatchBytes = 0x7fffffff - 12;

struct BatchHeader {
  RecordOffset base_offset;
  int32_t batch_length = 0;
  int32_t leader_epoch = -1;
  int8_t magic = 0;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  TimestampMs base_timestamp;
  TimestampMs max_timestamp;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t record_count = 0;

  int64_t size_bytes() const { return int64_t{batch_length} + 12; }
  RecordOffset last_offset() const { return base_offset + last_offset_delta; }
  int codec() const { return attributes & 7; }
  bool is_append_time() const { return attributes & 0x08; }
  bool is_transactional() const { return attributes & 0x10; }
  bool is_control() const { return attributes & 0x20; }
  bool has_delete_horizon() const { return attributes & 0x40; }
};

/// Parses the first kBatchOverhead bytes. kCorruptBatch if the span is shorter, magic is not 2, the length is
/// below the overhead, or last_offset_delta, record_count or base_offset are negative. Does not look at the
/// body.
Result<BatchHeader> ParseBatchHeader(ByteSpan bytes);

/// True if the CRC over [21, end) of this whole batch matches its header.
bool BatchCrcMatches(ByteSpan batch, const BatchHeader& header);

/// Walks the records of an uncompressed batch: lengths in bounds, attributes 0, deltas 0..n-1 dense when
/// `dense_offsets`, record_count of them and not a byte more. Reports the largest timestamp and its offset
/// delta, and the smallest of those that have one.
struct RecordWalk {
  TimestampMs max_timestamp{-1};
  TimestampMs min_timestamp{INT64_MAX};
  int32_t max_timestamp_offset_delta = 0;
  bool any_null_key = false;
};
Result<RecordWalk> WalkRecords(ByteSpan batch, const BatchHeader& header, bool dense_offsets);
/// The same for the bytes behind the header alone.
Result<RecordWalk> WalkBody(ByteSpan body, const BatchHeader& header, bool dense_offsets);

/// Patches, in place, the two fields outside the CRC.
void PatchBaseOffset(uint8_t* batch, RecordOffset base_offset);
void PatchLeaderEpoch(uint8_t* batch, int32_t leader_epoch);
/// The CRC must be computed afterwards.
void PatchMaxTimestamp(uint8_t* batch, TimestampMs max_timestamp);
/// Sets append time: maxTimestamp and attribute bit 3. The CRC must be computed afterwards.
void PatchAppendTime(uint8_t* batch, TimestampMs now);
void PatchCrc(uint8_t* batch, uint32_t crc);

}  // namespace seglog
