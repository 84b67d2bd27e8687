// CRC-32C by SSE4.2. The instruction takes 3 cycles but one can start every cycle, so three streams of equal
// length run side by side and are joined by advancing each over the zeros that stand for the next.
#include "crc32c.h"

#if defined(__x86_64__)

#include <nmmintrin.h>

#include <cstring>

#include "crc32c_table.h"

namespace seglog::crc32c_internal {

namespace {

constexpr size_t kLongStream = 2048;
constexpr size_t kShortStream = 128;
constexpr ZerosTable kLongZeros(kLongStream);
constexpr ZerosTable kShortZeros(kShortStream);

inline uint64_t Word(const uint8_t* data) {
  uint64_t word;
  std::memcpy(&word, data, sizeof word);
  return word;
}

/// Takes whole groups of three streams off the front.
template <size_t kStream>
__attribute__((target("sse4.2,crc32"))) inline uint64_t Streams(uint64_t crc, const uint8_t** data,
                                                                size_t* size, const ZerosTable& zeros) {
  while (*size >= 3 * kStream) {
    const uint8_t* at = *data;
    uint64_t second = 0;
    uint64_t third = 0;
    for (const uint8_t* end = at + kStream; at != end; at += 8) {
      crc = _mm_crc32_u64(crc, Word(at));
      second = _mm_crc32_u64(second, Word(at + kStream));
      third = _mm_crc32_u64(third, Word(at + 2 * kStream));
    }
    crc = zeros.Advance(static_cast<uint32_t>(crc)) ^ second;
    crc = zeros.Advance(static_cast<uint32_t>(crc)) ^ third;
    *data += 3 * kStream;
    *size -= 3 * kStream;
  }
  return crc;
}

__attribute__((target("sse4.2,crc32"))) uint32_t ExtendSse42(uint32_t start, const uint8_t* data,
                                                             size_t size) {
  uint64_t crc = static_cast<uint32_t>(~start);
  crc = Streams<kLongStream>(crc, &data, &size, kLongZeros);
  crc = Streams<kShortStream>(crc, &data, &size, kShortZeros);
  for (; size >= 8; size -= 8, data += 8) crc = _mm_crc32_u64(crc, Word(data));
  auto narrow = static_cast<uint32_t>(crc);
  for (; size > 0; --size) narrow = _mm_crc32_u8(narrow, *data++);
  return ~narrow;
}

}  // namespace

Extend HardwareExtend() noexcept { return __builtin_cpu_supports("sse4.2") ? ExtendSse42 : nullptr; }

}  // namespace seglog::crc32c_internal

#endif
