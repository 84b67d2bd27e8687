// Distinct types for the numbers a log mixes up most easily. All are signed 64-bit; conversions are
// explicit (`.value`), comparison and +/- of a plain delta stay within one type.
#pragma once

#include <compare>
#include <cstdint>
#include <span>

namespace seglog {

template <typename Tag>
struct Strong {
  int64_t value = 0;
  constexpr Strong() = default;
  constexpr explicit Strong(int64_t v) : value(v) {}
  constexpr auto operator<=>(const Strong&) const = default;
  constexpr Strong operator+(int64_t delta) const { return Strong(value + delta); }
  constexpr Strong operator-(int64_t delta) const { return Strong(value - delta); }
  constexpr int64_t operator-(Strong other) const { return value - other.value; }
  constexpr Strong& operator+=(int64_t delta) {
    value += delta;
    return *this;
  }
};

using RecordOffset = Strong<struct RecordOffsetTag>;  // offset of a record in its partition
using FilePosition = Strong<struct FilePositionTag>;  // byte position in a segment file
using TimestampMs = Strong<struct TimestampMsTag>;    // milliseconds since the epoch, -1 none

using ByteSpan = std::span<const uint8_t>;
using MutableByteSpan = std::span<uint8_t>;

}  // namespace seglog
