#include "consumer.h"

#include "fail.h"
#include "record_batch.h"

namespace load {

ConsumerOptions::ConsumerOptions(Options& options) : check_crc(options.Number("crc", 0) != 0) {
  limits.partition_bytes = static_cast<int32_t>(options.Number("fetch-bytes", 1 << 20));
  limits.max_wait_ms = static_cast<int32_t>(options.Number("max-wait", 500));
}

Consumer::Consumer(EventLoop& loop, const Target& target, const ConsumerOptions& options, size_t read_bytes)
    : target_(target), options_(options), connection_(target.bootstrap) {
  for (int32_t i = 0; i < target.topic.partitions; ++i) {
    offsets_[i] = 0;
    ends_[i] = -1;
  }
  loop.Add(
      connection_, [this](std::span<const uint8_t> answer) { Answered(answer); }, read_bytes);
}

bool Consumer::at_the_end() const {
  for (const auto& [partition, offset] : offsets_) {
    if (ends_.at(partition) != offset) return false;
  }
  return true;
}

void Consumer::FetchNext() {
  connection_.Send(Fetch(target_.topic, target_.versions.fetch, ++correlation_, options_.limits, offsets_));
}

void Consumer::Answered(std::span<const uint8_t> answer) {
  if (seglog::LoadBig32(answer.data()) != correlation_) Fail("answers out of order");
  ReadFetched(answer, target_.versions.fetch, [this](const Fetched& fetched) { Walk(fetched); });
  on_answer();
  if (!stopped_) FetchNext();
}

void Consumer::Walk(const Fetched& fetched) {
  int64_t& offset = offsets_.at(fetched.partition);
  ends_.at(fetched.partition) = fetched.high_watermark;
  for (Bytes left = fetched.records; left.size() >= seglog::kBatchOverhead;) {
    auto header = seglog::ParseBatchHeader(left);
    if (!header.ok()) Fail("a batch that is none at offset " + std::to_string(offset));
    const auto size = static_cast<size_t>(header->size_bytes());
    if (size > left.size()) return;  // cut by the limit: comes whole with the next fetch
    if (header->base_offset.value != offset || header->last_offset_delta + 1 != header->record_count) {
      Fail("partition " + std::to_string(fetched.partition) + ": a batch at " +
           std::to_string(header->base_offset.value) + ", due at " + std::to_string(offset));
    }
    if (options_.check_crc && !seglog::BatchCrcMatches(left, *header)) {
      Fail("a wrong CRC at " + std::to_string(offset));
    }
    on_batch(left.data());
    offset += header->record_count;
    records_ += header->record_count;
    bytes_ += static_cast<int64_t>(size);
    left = left.subspan(size);
  }
}

}  // namespace load
