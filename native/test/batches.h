// Record batches for tests: real ones, with records that decode.
#pragma once

#include <string>
#include <vector>

#include "big_endian.h"
#include "crc32c.h"
#include "record_batch.h"

namespace seglog::test {

using Bytes = std::vector<uint8_t>;

struct BatchSpec {
  int32_t records = 1;
  size_t value_bytes = 10;
  int64_t base_offset = 0;
  int64_t timestamp = 1000;    // of the first record
  int64_t timestamp_step = 1;  // between records
  int16_t attributes = 0;
  int32_t leader_epoch = -1;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  uint8_t fill = 'x';
};

inline void PutVarint(Bytes* out, int64_t value) {
  auto raw = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  for (; raw >= 0x80; raw >>= 7) out->push_back(static_cast<uint8_t>(raw | 0x80));
  out->push_back(static_cast<uint8_t>(raw));
}

inline Bytes MakeBatch(const BatchSpec& spec) {
  Bytes batch(kBatchOverhead);
  int64_t max_timestamp = spec.records == 0 ? -1 : spec.timestamp;
  for (int32_t i = 0; i < spec.records; ++i) {
    Bytes record{0};
    PutVarint(&record, i * spec.timestamp_step);
    PutVarint(&record, i);
    PutVarint(&record, -1);
    PutVarint(&record, static_cast<int64_t>(spec.value_bytes));
    record.insert(record.end(), spec.value_bytes, spec.fill);
    PutVarint(&record, 0);
    PutVarint(&batch, static_cast<int64_t>(record.size()));
    batch.insert(batch.end(), record.begin(), record.end());
    max_timestamp = std::max(max_timestamp, spec.timestamp + i * spec.timestamp_step);
  }
  uint8_t* raw = batch.data();
  StoreBig64(raw, spec.base_offset);
  StoreBig32(raw + 8, static_cast<int32_t>(batch.size() - 12));
  StoreBig32(raw + 12, spec.leader_epoch);
  raw[16] = 2;
  StoreBig16(raw + 21, spec.attributes);
  StoreBig32(raw + 23, std::max(0, spec.records - 1));
  StoreBig64(raw + 27, spec.timestamp);
  StoreBig64(raw + 35, max_timestamp);
  StoreBig64(raw + 43, spec.producer_id);
  StoreBig16(raw + 51, spec.producer_epoch);
  StoreBig32(raw + 53, spec.base_sequence);
  StoreBig32(raw + 57, spec.records);
  PatchCrc(raw, Crc32c(raw + kCrcStart, batch.size() - kCrcStart));
  return batch;
}

/// A batch of exactly `size` bytes (at least 80) with one record.
inline Bytes MakeBatchOfSize(size_t size, BatchSpec spec = {}) {
  spec.records = 1;
  spec.value_bytes = size - kBatchOverhead - 8;
  Bytes batch = MakeBatch(spec);
  while (batch.size() != size) {
    spec.value_bytes = spec.value_bytes + size - batch.size();
    batch = MakeBatch(spec);
  }
  return batch;
}

/// Offset and epoch as an append would stamp them, the CRC untouched.
inline Bytes Stamped(Bytes batch, int64_t base_offset, int32_t leader_epoch) {
  PatchBaseOffset(batch.data(), RecordOffset(base_offset));
  PatchLeaderEpoch(batch.data(), leader_epoch);
  return batch;
}

}  // namespace seglog::test
