// CRC-32C by the ARMv8 CRC extension: optional in ARMv8.0, so asked for at run time.
#include "crc32c.h"

#if defined(__aarch64__)

#include <cstring>

#if defined(__linux__)
#include <sys/auxv.h>
#endif

namespace seglog::crc32c_internal {

namespace {

#if defined(__clang__)
#define SEGLOG_TARGET_CRC __attribute__((target("crc")))
#else
#define SEGLOG_TARGET_CRC __attribute__((target("+crc")))
#endif

SEGLOG_TARGET_CRC uint32_t ExtendArm(uint32_t start, const uint8_t* data, size_t size) {
  uint32_t crc = ~start;
  for (; size >= 8; size -= 8, data += 8) {
    uint64_t word;
    std::memcpy(&word, data, sizeof word);
    __asm__("crc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
  }
  for (; size > 0; --size) {
    const uint32_t byte = *data++;
    __asm__("crc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(byte));
  }
  return ~crc;
}

}  // namespace

Extend HardwareExtend() noexcept {
#if defined(__APPLE__)
  return ExtendArm;
#elif defined(__linux__)
  constexpr unsigned long kHwcapCrc32 = 1ul << 7;
  return (getauxval(AT_HWCAP) & kHwcapCrc32) != 0 ? ExtendArm : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace seglog::crc32c_internal

#endif
