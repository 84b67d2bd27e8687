#include "append_plan.h"

#include <limits>

namespace seglog {

namespace {

Status Invalid(std::string what) { return Status::Error(ErrorCode::kInvalidBatch, std::move(what)); }

}  // namespace

Status PlanAppend(std::span<const ByteSpan> parts, bool keep_offsets, const AppendFrom& from,
                  AppendPlan* plan) {
  BatchParts rest(parts);
  plan->bytes = rest.left();
  if (plan->bytes == 0) return Invalid("an append needs at least one batch");
  RecordOffset next = from.next_offset;
  int64_t since_entry = from.bytes_since_entry;
  uint8_t later_raw[kBatchOverhead];
  while (rest.left() > 0) {
    if (rest.left() < kBatchOverhead) return Invalid("bytes are left behind the last batch");
    uint8_t* raw = plan->batches == 0 ? plan->first_raw : later_raw;
    rest.Copy(raw, kBatchOverhead);
    auto header = ParseBatchHeader({raw, kBatchOverhead});
    if (!header.ok()) return Invalid(header.status().detail().message);
    const auto body = static_cast<size_t>(header->size_bytes()) - kBatchOverhead;
    if (body > rest.left()) return Invalid("the batch length passes the end of the bytes given");
    rest.Skip(body);

    const RecordOffset base = keep_offsets ? header->base_offset : next;
    if (base < next) {
      return Invalid("base offset " + std::to_string(base.value) + " lies before the end of the log, " +
                     std::to_string(next.value));
    }
    const RecordOffset last = base + header->last_offset_delta;
    if (last.value >= kMaxOffset) return Invalid("its offsets would pass 2^53 - 1");
    plan->offsets_overflow |= last - from.segment_base > std::numeric_limits<int32_t>::max();
    if (since_entry > from.index_interval_bytes) {
      ++plan->index_entries;
      since_entry = 0;
    }
    since_entry += header->size_bytes();
    next = last + 1;
    if (plan->batches == 0) {
      plan->first = *header;
      plan->base_offset = base;
    }
    ++plan->batches;
  }
  plan->next_offset = next;
  return Status::Ok();
}

void StampHeader(const AppendOptions& options, RecordOffset next_offset, uint8_t* raw, BatchHeader* header) {
  if (!options.keep_offsets) {
    PatchBaseOffset(raw, next_offset);
    header->base_offset = next_offset;
  }
  if (options.leader_epoch >= 0) {
    PatchLeaderEpoch(raw, options.leader_epoch);
    header->leader_epoch = options.leader_epoch;
  }
  if (options.append_time.value >= 0) {
    PatchAppendTime(raw, options.append_time);
    header->max_timestamp = options.append_time;
  }
}

Result<BatchHeader> TakeHeader(BatchParts* parts, const AppendPlan& plan, bool is_first, size_t budget,
                               uint8_t* raw) {
  if (is_first) {
    parts->Skip(kBatchOverhead);
    std::memcpy(raw, plan.first_raw, kBatchOverhead);
    return plan.first;
  }
  parts->Copy(raw, kBatchOverhead);
  auto header = ParseBatchHeader({raw, kBatchOverhead});
  if (!header.ok() || static_cast<size_t>(header->size_bytes()) > budget) {
    return Invalid("the batches changed while they were appended");
  }
  return header;
}

}  // namespace seglog
