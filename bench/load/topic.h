// The topic under load, as the broker describes it.
#pragma once

#include <cstdint>
#include <string>

#include "byte_writer.h"

namespace load {

struct Topic {
  std::string name;
  Uuid id{};
  int32_t partitions = 0;
};

/// Versions spoken. Produce 13 and Fetch 13 and later name topics by id, those before by name.
struct Versions {
  int16_t produce = 13;  // 9 to 13
  int16_t fetch = 17;    // 12 to 17
};

}  // namespace load
