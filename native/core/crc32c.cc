#include "crc32c.h"

#include <algorithm>
#include <cstring>

namespace seglog {

namespace {

// Copied bytes are read again for the CRC while they are still in the first-level cache.
constexpr size_t kCopyBlock = 8 * 1024;

crc32c_internal::Extend Choose() noexcept {
  if (const crc32c_internal::Extend folding = crc32c_internal::FoldingExtend()) return folding;
  const crc32c_internal::Extend hardware = crc32c_internal::HardwareExtend();
  return hardware != nullptr ? hardware : crc32c_internal::ExtendTable;
}

crc32c_internal::Extend Fastest() noexcept {
  static const crc32c_internal::Extend fastest = Choose();
  return fastest;
}

}  // namespace

uint32_t Crc32c(const uint8_t* data, size_t size, uint32_t crc) noexcept {
  return Fastest()(crc, data, size);
}

uint32_t Crc32cCopy(uint8_t* target, const uint8_t* source, size_t size, uint32_t crc) noexcept {
  const crc32c_internal::Extend extend = Fastest();
  while (size > 0) {
    const size_t block = std::min(size, kCopyBlock);
    std::memcpy(target, source, block);
    crc = extend(crc, target, block);  // of what was stored: the source may change meanwhile
    target += block;
    source += block;
    size -= block;
  }
  return crc;
}

#if !defined(__x86_64__) && !defined(__aarch64__)
crc32c_internal::Extend crc32c_internal::HardwareExtend() noexcept { return nullptr; }
#endif

#if !defined(__x86_64__)
crc32c_internal::Extend crc32c_internal::FoldingExtend() noexcept { return nullptr; }
#endif

}  // namespace seglog
