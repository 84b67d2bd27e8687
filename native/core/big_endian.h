// Big-endian loads and stores at any alignment: the byte order of every Kafka format.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace seglog {

namespace big_endian_internal {
inline uint16_t Swap(uint16_t v) { return __builtin_bswap16(v); }
inline uint32_t Swap(uint32_t v) { return __builtin_bswap32(v); }
inline uint64_t Swap(uint64_t v) { return __builtin_bswap64(v); }

template <typename Int, typename Unsigned>
Int Load(const uint8_t* from) {
  Unsigned raw;
  std::memcpy(&raw, from, sizeof raw);
  if constexpr (std::endian::native == std::endian::little) raw = Swap(raw);
  return static_cast<Int>(raw);
}

template <typename Unsigned>
void Store(uint8_t* to, Unsigned raw) {
  if constexpr (std::endian::native == std::endian::little) raw = Swap(raw);
  std::memcpy(to, &raw, sizeof raw);
}
}  // namespace big_endian_internal

inline int16_t LoadBig16(const uint8_t* from) { return big_endian_internal::Load<int16_t, uint16_t>(from); }
inline int32_t LoadBig32(const uint8_t* from) { return big_endian_internal::Load<int32_t, uint32_t>(from); }
inline int64_t LoadBig64(const uint8_t* from) { return big_endian_internal::Load<int64_t, uint64_t>(from); }
inline void StoreBig16(uint8_t* to, int16_t v) { big_endian_internal::Store(to, static_cast<uint16_t>(v)); }
inline void StoreBig32(uint8_t* to, int32_t v) { big_endian_internal::Store(to, static_cast<uint32_t>(v)); }
inline void StoreBig64(uint8_t* to, int64_t v) { big_endian_internal::Store(to, static_cast<uint64_t>(v)); }

}  // namespace seglog
