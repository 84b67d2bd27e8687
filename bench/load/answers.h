// The answers of the load taken apart. An error code in one of them ends the program: what is measured must
// succeed.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "topic.h"

namespace load {

using Bytes = std::span<const uint8_t>;

struct Produced {
  int32_t partition = 0;
  int64_t base_offset = 0;
};
/// A whole answer without its length; one partition as ProduceHead asked.
Produced ReadProduced(Bytes answer, int16_t version);

struct Fetched {
  int32_t partition = 0;
  int64_t high_watermark = 0;
  Bytes records;
};
void ReadFetched(Bytes answer, int16_t version, const std::function<void(const Fetched&)>& visit);

/// Fills in ids and partition counts, by the answer's order. False while a topic or a leader is unknown.
bool ReadMetadata(Bytes answer, std::span<Topic> topics);
/// True if every partition answered without an error, that is: the broker serves it.
bool ReadOffsetsListed(Bytes answer);
void ReadCreated(Bytes answer);

}  // namespace load
