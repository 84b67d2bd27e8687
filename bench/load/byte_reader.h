// Reads answers in Kafka's flexible encoding. An answer that ends too early ends the program.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "big_endian.h"
#include "byte_writer.h"
#include "fail.h"

namespace load {

class ByteReader {
 public:
  explicit ByteReader(std::span<const uint8_t> bytes) : left_(bytes) {}

  int8_t Int8() { return static_cast<int8_t>(Take(1)[0]); }
  int16_t Int16() { return seglog::LoadBig16(Take(2).data()); }
  int32_t Int32() { return seglog::LoadBig32(Take(4).data()); }
  int64_t Int64() { return seglog::LoadBig64(Take(8).data()); }
  uint32_t Uvarint() {
    uint32_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const uint8_t byte = Take(1)[0];
      value |= static_cast<uint32_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    Fail("a varint without an end");
  }
  Uuid Id() {
    Uuid id;
    std::memcpy(id.data(), Take(id.size()).data(), id.size());
    return id;
  }
  /// Elements of a compact array; 0 for null too.
  uint32_t CompactCount() {
    const uint32_t raw = Uvarint();
    return raw == 0 ? 0 : raw - 1;
  }
  std::span<const uint8_t> CompactBytes() { return Take(CompactCount()); }
  std::string CompactText() {
    const auto bytes = CompactBytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  void SkipTags() {
    for (uint32_t count = Uvarint(); count > 0; --count) {
      Uvarint();
      Take(Uvarint());
    }
  }
  std::span<const uint8_t> Take(size_t size) {
    if (size > left_.size()) Fail("an answer is shorter than what it says");
    const auto taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }

 private:
  std::span<const uint8_t> left_;
};

}  // namespace load
