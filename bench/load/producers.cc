#include "producers.h"

#include "answers.h"
#include "big_endian.h"
#include "clock.h"
#include "fail.h"
#include "requests.h"

namespace load {

namespace {

constexpr uint32_t kVariants = 4;  // batches of different bytes

}  // namespace

Producers::Producers(EventLoop& loop, const Target& target, Options& options)
    : target_(target),
      acks_(static_cast<int16_t>(options.Number("acks", -1))),
      in_flight_(static_cast<size_t>(options.Number("in-flight", 5))),
      record_bytes_(static_cast<int32_t>(options.Number("record-bytes", 1024))) {
  if (acks_ != 1 && acks_ != -1) Fail("acks is 1 or -1: without answers there is nothing to measure");
  const int64_t batch_bytes = options.Number("batch-bytes", 1'000'000);
  for (uint32_t i = 0; i < kVariants; ++i) {
    batches_.push_back(BuildBatchOfBytes(batch_bytes, record_bytes_, i + 1));
  }
  for (int64_t i = options.Number("connections", 1); i > 0; --i) {
    lanes_.push_back(std::make_unique<Lane>());
    Lane& lane = *lanes_.back();
    lane.connection = std::make_unique<Connection>(target.bootstrap);
    loop.Add(*lane.connection, [this, &lane](std::span<const uint8_t> answer) { Answered(lane, answer); });
  }
}

void Producers::Pump() {
  for (const auto& lane : lanes_) Pump(*lane);
}

void Producers::Pump(Lane& lane) {
  while (lane.sent_ns.size() < in_flight_ && may_send()) {
    const PrebuiltBatch& batch = batches_[static_cast<size_t>(sent_) % batches_.size()];
    const auto partition = static_cast<int32_t>(sent_ % target_.topic.partitions);
    auto head = ProduceHead(target_.topic, target_.versions.produce, lane.next_correlation++, acks_,
                            partition, batch.bytes.size());
    lane.connection->Send(std::move(head), batch.bytes, kProduceTail);
    lane.sent_ns.push_back(NowNs());
    ++sent_;
  }
}

void Producers::Answered(Lane& lane, std::span<const uint8_t> answer) {
  if (seglog::LoadBig32(answer.data()) != lane.next_answer++) Fail("answers out of order");
  if (lane.sent_ns.empty()) Fail("an answer without a request");
  const Produced produced = ReadProduced(answer, target_.versions.produce);
  if (produced.base_offset < 0) Fail("acknowledged without an offset");
  latencies_.Add(NowNs() - lane.sent_ns.front());
  lane.sent_ns.pop_front();
  ++acked_;
  Pump(lane);
}

}  // namespace load
