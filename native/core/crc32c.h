// CRC-32C (Castagnoli, RFC 3720), as record batch v2 uses it. The fastest implementation this CPU has is
// chosen once, on first use: folding by AVX-512 multiplication, SSE4.2 with three interleaved streams, the
// ARMv8 CRC extension, or a table.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seglog {

/// CRC of data, continuing from `crc` (0 to begin).
uint32_t Crc32c(const uint8_t* data, size_t size, uint32_t crc = 0) noexcept;
/// Copies size bytes from source to target and returns the CRC of them continuing from `crc`, in one pass.
uint32_t Crc32cCopy(uint8_t* target, const uint8_t* source, size_t size, uint32_t crc = 0) noexcept;

namespace crc32c_internal {
using Extend = uint32_t (*)(uint32_t crc, const uint8_t* data, size_t size);
uint32_t ExtendTable(uint32_t crc, const uint8_t* data, size_t size) noexcept;
Extend HardwareExtend() noexcept;  // by the CPU's CRC instruction; nullptr where it has none
Extend FoldingExtend() noexcept;   // nullptr where the CPU cannot
}  // namespace crc32c_internal

}  // namespace seglog
