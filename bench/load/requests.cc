#include "requests.h"

namespace load {

namespace {

/// Request header 2. The length is set by Finish.
ByteWriter Begin(int16_t key, int16_t version, int32_t correlation) {
  ByteWriter writer;
  writer.Int32(0);
  writer.Int16(key);
  writer.Int16(version);
  writer.Int32(correlation);
  writer.Int16(4);
  writer.Raw(std::span(reinterpret_cast<const uint8_t*>("load"), 4));
  writer.NoTags();
  return writer;
}

std::vector<uint8_t> Finish(ByteWriter& writer, size_t following = 0) {
  seglog::StoreBig32(writer.at(0), static_cast<int32_t>(writer.size() - 4 + following));
  return writer.Take();
}

void NameTopic(ByteWriter& writer, const Topic& topic, bool by_id) {
  if (by_id) return writer.Id(topic.id);
  writer.CompactText(topic.name);
}

}  // namespace

std::vector<uint8_t> ProduceHead(const Topic& topic, int16_t version, int32_t correlation, int16_t acks,
                                 int32_t partition, size_t batch_bytes) {
  ByteWriter writer = Begin(api::kProduce, version, correlation);
  writer.CompactNull();  // no transaction
  writer.Int16(acks);
  writer.Int32(30'000);
  writer.CompactCount(1);
  NameTopic(writer, topic, version >= 13);
  writer.CompactCount(1);
  writer.Int32(partition);
  writer.CompactCount(batch_bytes);
  return Finish(writer, batch_bytes + sizeof kProduceTail);
}

std::vector<uint8_t> Fetch(const Topic& topic, int16_t version, int32_t correlation,
                           const FetchLimits& limits, const std::map<int32_t, int64_t>& offsets) {
  ByteWriter writer = Begin(api::kFetch, version, correlation);
  if (version < 15) writer.Int32(-1);  // a consumer, not a replica
  writer.Int32(limits.max_wait_ms);
  writer.Int32(limits.min_bytes);
  writer.Int32(limits.max_bytes);
  writer.Int8(0);   // read uncommitted
  writer.Int32(0);  // no session
  writer.Int32(-1);
  writer.CompactCount(1);
  NameTopic(writer, topic, version >= 13);
  writer.CompactCount(offsets.size());
  for (const auto& [partition, offset] : offsets) {
    writer.Int32(partition);
    writer.Int32(-1);  // leader epoch: unchecked
    writer.Int64(offset);
    writer.Int32(-1);  // last fetched epoch
    writer.Int64(-1);
    writer.Int32(limits.partition_bytes);
    writer.NoTags();
  }
  writer.NoTags();
  writer.CompactCount(0);  // nothing forgotten
  writer.CompactText("");  // rack
  writer.NoTags();
  return Finish(writer);
}

std::vector<uint8_t> Metadata(std::span<const Topic> topics, int32_t correlation) {
  ByteWriter writer = Begin(api::kMetadata, 12, correlation);
  writer.CompactCount(topics.size());
  for (const Topic& topic : topics) {
    writer.Id({});
    writer.CompactText(topic.name);
    writer.NoTags();
  }
  writer.Int8(0);  // not created by asking
  writer.Int8(0);
  writer.NoTags();
  return Finish(writer);
}

std::vector<uint8_t> ListOffsets(std::span<const Topic> topics, int32_t correlation) {
  ByteWriter writer = Begin(api::kListOffsets, 7, correlation);
  writer.Int32(-1);  // a consumer, not a replica
  writer.Int8(0);    // read uncommitted
  writer.CompactCount(topics.size());
  for (const Topic& topic : topics) {
    writer.CompactText(topic.name);
    writer.CompactCount(static_cast<size_t>(topic.partitions));
    for (int32_t partition = 0; partition < topic.partitions; ++partition) {
      writer.Int32(partition);
      writer.Int32(-1);  // leader epoch: unchecked
      writer.Int64(-1);  // the end
      writer.NoTags();
    }
    writer.NoTags();
  }
  writer.NoTags();
  return Finish(writer);
}

std::vector<uint8_t> CreateTopics(std::span<const Topic> topics, int32_t correlation) {
  ByteWriter writer = Begin(api::kCreateTopics, 7, correlation);
  writer.CompactCount(topics.size());
  for (const Topic& topic : topics) {
    writer.CompactText(topic.name);
    writer.Int32(topic.partitions);
    writer.Int16(1);
    writer.CompactCount(0);  // no assignments
    writer.CompactCount(0);  // nor configs
    writer.NoTags();
  }
  writer.Int32(120'000);
  writer.Int8(0);
  writer.NoTags();
  return Finish(writer);
}

}  // namespace load
