// What an append will do, worked out before its first store: every check of segment_append.cc that can refuse
// the batches for what they are is here, without a file in sight.
#pragma once

#include "batch_parts.h"
#include "record_batch.h"
#include "segment.h"

namespace seglog {

/// Offsets stay below this: JavaScript's numbers count to it exactly.
inline constexpr int64_t kMaxOffset = (int64_t{1} << 53) - 1;

struct AppendPlan {
  size_t bytes = 0;
  size_t batches = 0;
  size_t index_entries = 0;
  RecordOffset base_offset;       // of the first batch
  RecordOffset next_offset;       // after the last
  bool offsets_overflow = false;  // the last offset is too far from the segment's base
  // The first batch as it was when it was checked: memory shared with other threads may change behind our
  // back.
  BatchHeader first;
  uint8_t first_raw[kBatchOverhead];
};

/// What of the segment the plan depends on.
struct AppendFrom {
  RecordOffset segment_base;
  RecordOffset next_offset;
  int64_t bytes_since_entry;
  int64_t index_interval_bytes;
};

/// OK or kInvalidBatch.
Status PlanAppend(std::span<const ByteSpan> parts, bool keep_offsets, const AppendFrom& from,
                  AppendPlan* plan);

/// Stamps base offset (unless kept), leader epoch and append time into a header's bytes and its parsed form.
void StampHeader(const AppendOptions& options, RecordOffset next_offset, uint8_t* raw, BatchHeader* header);

/// The next batch's header bytes out of `parts`, parsed and checked against what is left of `budget`, the
/// bytes that the plan has room for: kInvalidBatch when the memory changed since it was planned.
Result<BatchHeader> TakeHeader(BatchParts* parts, const AppendPlan& plan, bool is_first, size_t budget,
                               uint8_t* raw);

}  // namespace seglog
