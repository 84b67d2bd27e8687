// Tables of CRC-32C, made at compile time: eight bytes a step (slicing), and the advance of a CRC over a run
// of zero bytes, which is how streams computed side by side are joined.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace seglog::crc32c_internal {

inline constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

using SlicingTable = std::array<std::array<uint32_t, 256>, 8>;

constexpr SlicingTable MakeSlicingTable() {
  SlicingTable table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[0][byte] = crc;
  }
  for (size_t step = 1; step < 8; ++step) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t crc = table[step - 1][byte];
      table[step][byte] = (crc >> 8) ^ table[0][crc & 0xff];
    }
  }
  return table;
}

inline constexpr SlicingTable kSlicing = MakeSlicingTable();

/// a * b modulo the polynomial, both reflected (bit 31 is x^0).
constexpr uint32_t MultiplyModulo(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

/// x^(8 * bytes) modulo the polynomial: what a CRC is multiplied by when that many zero bytes follow.
constexpr uint32_t ZerosFactor(size_t bytes) {
  uint32_t result = 0x80000000u;  // 1
  uint32_t power = 0x00800000u;   // x^8
  for (; bytes != 0; bytes >>= 1) {
    if ((bytes & 1) != 0) result = MultiplyModulo(result, power);
    power = MultiplyModulo(power, power);
  }
  return result;
}

/// Multiplication by ZerosFactor(bytes), by the bytes of the CRC.
struct ZerosTable {
  std::array<std::array<uint32_t, 256>, 4> by_byte{};

  constexpr explicit ZerosTable(size_t bytes) {
    const uint32_t factor = ZerosFactor(bytes);
    for (size_t place = 0; place < 4; ++place) {
      for (uint32_t byte = 0; byte < 256; ++byte) {
        by_byte[place][byte] = MultiplyModulo(byte << (8 * place), factor);
      }
    }
  }

  uint32_t Advance(uint32_t crc) const {
    return by_byte[0][crc & 0xff] ^ by_byte[1][(crc >> 8) & 0xff] ^ by_byte[2][(crc >> 16) & 0xff] ^
           by_byte[3][crc >> 24];
  }
};

}  // namespace seglog::crc32c_internal
