// The first fields of a record inside an uncompressed batch, for those who need no more than when, where and
// the key. Reads only inside the bytes it is given.
#pragma once

#include <cstdint>

#include "types.h"

namespace seglog {

struct RecordHead {
  int64_t timestamp_delta = 0;
  int64_t offset_delta = 0;
  ByteSpan key;    // empty also for null
  ByteSpan value;  // empty also for null
};

/// The record at *at, which moves behind it; false where there is none.
bool ReadRecordHead(const uint8_t** at, const uint8_t* end, RecordHead* record);

}  // namespace seglog
