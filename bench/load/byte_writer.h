// Builds requests in Kafka's flexible encoding.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "big_endian.h"

namespace load {

using Uuid = std::array<uint8_t, 16>;

class ByteWriter {
 public:
  void Int8(int8_t value) { bytes_.push_back(static_cast<uint8_t>(value)); }
  void Int16(int16_t value) { seglog::StoreBig16(Grow(2), value); }
  void Int32(int32_t value) { seglog::StoreBig32(Grow(4), value); }
  void Int64(int64_t value) { seglog::StoreBig64(Grow(8), value); }
  void Uvarint(uint32_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<uint8_t>(value | 0x80));
    bytes_.push_back(static_cast<uint8_t>(value));
  }
  /// Zig-zag, as in records.
  void Varint(int32_t value) {
    Uvarint((static_cast<uint32_t>(value) << 1) ^ static_cast<uint32_t>(value >> 31));
  }
  void Raw(std::span<const uint8_t> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void Id(const Uuid& id) { Raw(id); }
  void CompactCount(size_t count) { Uvarint(static_cast<uint32_t>(count) + 1); }
  void CompactNull() { Uvarint(0); }
  void CompactText(const std::string& text) {
    CompactCount(text.size());
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }
  void NoTags() { Uvarint(0); }

  size_t size() const { return bytes_.size(); }
  uint8_t* at(size_t position) { return bytes_.data() + position; }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  uint8_t* Grow(size_t size) {
    bytes_.resize(bytes_.size() + size);
    return bytes_.data() + bytes_.size() - size;
  }

  std::vector<uint8_t> bytes_;
};

}  // namespace load
