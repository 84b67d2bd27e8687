// CRC-32C for a CPU without instructions for it, and the reference the others are tested against.
#include "crc32c_table.h"

#include <bit>
#include <cstring>

#include "crc32c.h"

namespace seglog::crc32c_internal {

uint32_t ExtendTable(uint32_t crc, const uint8_t* data, size_t size) noexcept {
  crc = ~crc;
  if constexpr (std::endian::native == std::endian::little) {
    for (; size >= 8; size -= 8, data += 8) {
      uint64_t word;
      std::memcpy(&word, data, 8);
      word ^= crc;
      crc = kSlicing[7][word & 0xff] ^ kSlicing[6][(word >> 8) & 0xff] ^ kSlicing[5][(word >> 16) & 0xff] ^
            kSlicing[4][(word >> 24) & 0xff] ^ kSlicing[3][(word >> 32) & 0xff] ^
            kSlicing[2][(word >> 40) & 0xff] ^ kSlicing[1][(word >> 48) & 0xff] ^ kSlicing[0][word >> 56];
    }
  }
  for (; size > 0; --size) crc = (crc >> 8) ^ kSlicing[0][(crc ^ *data++) & 0xff];
  return ~crc;
}

}  // namespace seglog::crc32c_internal
