// Batches back to back from any bytes: whatever the header and the records say, nothing outside the input is
// read and what is accepted keeps its promises.
#include <cstdlib>
#include <vector>

#include "record_batch.h"

using seglog::ByteSpan;

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckBatch(ByteSpan bytes, const seglog::BatchHeader& header) {
  Check(header.size_bytes() >= static_cast<int64_t>(seglog::kBatchOverhead));
  Check(header.last_offset() >= header.base_offset);
  seglog::BatchCrcMatches(bytes, header);
  for (const bool dense : {true, false}) {
    const auto walk = seglog::WalkRecords(bytes, header, dense);
    if (!walk.ok()) continue;
    Check(static_cast<uint64_t>(header.size_bytes()) <= bytes.size());
    Check(walk.value().max_timestamp_offset_delta >= 0);
    Check(walk.value().max_timestamp_offset_delta <= header.last_offset_delta);
    Check(!dense || header.record_count == header.last_offset_delta + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // An allocation of its own size, so that a sanitizer sees one byte too many.
  const std::vector<uint8_t> copy(data, data + size);
  ByteSpan left(copy);
  for (;;) {
    const auto header = seglog::ParseBatchHeader(left);
    if (!header.ok()) break;
    CheckBatch(left, header.value());
    const auto batch_bytes = static_cast<uint64_t>(header.value().size_bytes());
    if (batch_bytes > left.size()) break;
    left = left.subspan(batch_bytes);
  }
  return 0;
}
