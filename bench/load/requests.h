// The requests of the load, in Kafka's wire format, each with its length in front.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "topic.h"

namespace load {

namespace api {
inline constexpr int16_t kProduce = 0;
inline constexpr int16_t kFetch = 1;
inline constexpr int16_t kListOffsets = 2;
inline constexpr int16_t kMetadata = 3;
inline constexpr int16_t kCreateTopics = 19;
}  // namespace api

/// What comes before a batch of `batch_bytes`; behind it kProduceTail follows.
std::vector<uint8_t> ProduceHead(const Topic& topic, int16_t version, int32_t correlation, int16_t acks,
                                 int32_t partition, size_t batch_bytes);
/// The tags of the partition, the topic and the request: none.
inline constexpr uint8_t kProduceTail[3] = {0, 0, 0};

struct FetchLimits {
  int32_t max_wait_ms = 500;
  int32_t min_bytes = 1;
  int32_t max_bytes = 50 << 20;
  int32_t partition_bytes = 1 << 20;
};
/// Without a session: every partition with the offset wanted.
std::vector<uint8_t> Fetch(const Topic& topic, int16_t version, int32_t correlation,
                           const FetchLimits& limits, const std::map<int32_t, int64_t>& offsets);

std::vector<uint8_t> Metadata(std::span<const Topic> topics, int32_t correlation);
/// Of the ends of all partitions.
std::vector<uint8_t> ListOffsets(std::span<const Topic> topics, int32_t correlation);
std::vector<uint8_t> CreateTopics(std::span<const Topic> topics, int32_t correlation);

}  // namespace load
