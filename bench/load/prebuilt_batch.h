// Record batches made before the clock starts, their CRC computed once. Only the broker writes into them
// later (base offset and leader epoch, which the CRC leaves out).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace load {

struct PrebuiltBatch {
  std::vector<uint8_t> bytes;
  int32_t records = 0;
  /// Where the value of the first record begins; the same in all batches of one shape.
  size_t first_value = 0;
};

/// `records` records of `record_bytes` value bytes each, filled from `seed`.
PrebuiltBatch BuildBatch(int32_t records, int32_t record_bytes, uint32_t seed);
/// As many records of that size as fit into `batch_bytes`, at least one.
PrebuiltBatch BuildBatchOfBytes(int64_t batch_bytes, int32_t record_bytes, uint32_t seed);

/// Writes the time into the first value (8 bytes at least) and the CRC anew.
void StampBatch(std::vector<uint8_t>& bytes, size_t first_value, int64_t time_ns);
/// What StampBatch wrote into the batch that begins here.
int64_t StampOf(const uint8_t* batch, size_t first_value);

}  // namespace load
