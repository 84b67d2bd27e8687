#include "record_head.h"

namespace seglog {

namespace {

/// A zig-zag varint at *at, which moves behind it; false past the end or past 64 bits.
bool ReadVarint(const uint8_t** at, const uint8_t* end, int64_t* value) {
  uint64_t raw = 0;
  for (int shift = 0; shift < 64 && *at < end; shift += 7) {
    const uint8_t byte = *(*at)++;
    raw |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) {
      *value = static_cast<int64_t>((raw >> 1) ^ (~(raw & 1) + 1));
      return true;
    }
  }
  return false;
}

bool ReadBytes(const uint8_t** at, const uint8_t* end, ByteSpan* bytes) {
  int64_t size = 0;
  if (!ReadVarint(at, end, &size) || size > end - *at) return false;
  *bytes = size > 0 ? ByteSpan(*at, static_cast<size_t>(size)) : ByteSpan();
  if (size > 0) *at += size;
  return true;
}

}  // namespace

bool ReadRecordHead(const uint8_t** at, const uint8_t* end, RecordHead* record) {
  int64_t length = 0;
  if (!ReadVarint(at, end, &length) || length < 1 || length > end - *at) return false;
  const uint8_t* field = *at + 1;  // behind the attributes
  const uint8_t* const record_end = *at + length;
  *at = record_end;
  return ReadVarint(&field, record_end, &record->timestamp_delta) &&
         ReadVarint(&field, record_end, &record->offset_delta) &&
         ReadBytes(&field, record_end, &record->key) && ReadBytes(&field, record_end, &record->value);
}

}  // namespace seglog
