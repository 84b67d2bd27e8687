#include "record_batch.h"

#include "big_endian.h"
#include "crc32c.h"

namespace seglog {

namespace {

constexpr size_t kLengthAt = 8;
constexpr size_t kEpochAt = 12;
constexpr size_t kMagicAt = 16;
constexpr size_t kCrcAt = 17;
constexpr size_t kAttributesAt = 21;
constexpr size_t kMaxTimestampAt = 35;
constexpr int8_t kMagic = 2;
constexpr int16_t kAppendTimeBit = 0x08;

Status Corrupt(const char* what) { return Status::Error(ErrorCode::kCorruptBatch, what); }

Status Invalid(const char* what, int64_t record) {
  return Status::Error(ErrorCode::kInvalidBatch, "record " + std::to_string(record) + ": " + what);
}

int64_t ZigZag(uint64_t raw) { return static_cast<int64_t>((raw >> 1) ^ (~(raw & 1) + 1)); }

struct Decoded {
  const uint8_t* behind;  // null: the varint passes the end or its type
  int64_t value;
};

/// At most kBits of value; bits beyond them are an error, not dropped.
template <int kBits>
[[gnu::noinline]] Decoded DecodeVarint(const uint8_t* at, const uint8_t* end) {
  uint64_t value = 0;
  for (int shift = 0; shift < kBits && at != end; shift += 7) {
    const uint64_t byte = *at++;
    if (kBits - shift < 7 && (byte >> (kBits - shift)) != 0) break;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return {at, ZigZag(value)};
  }
  return {nullptr, 0};
}

/// Reads varints and skips bytes inside [at, end). A failed read empties the cursor, which fails every later
/// one, so that callers may check once for several reads. Its address is never taken, so it lives in
/// registers.
class Cursor {
 public:
  Cursor(const uint8_t* begin, const uint8_t* end) : at_(begin), end_(end) {}

  bool failed() const { return at_ == nullptr; }
  const uint8_t* at() const { return at_; }
  const uint8_t* end() const { return end_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  uint8_t Byte() {
    if (at_ != end_) return *at_++;
    MoveTo(nullptr);
    return 0;
  }

  int64_t Varint() { return Read<32>(); }
  int64_t Varlong() { return Read<64>(); }

  void Skip(int64_t size) {
    if (size < 0 || static_cast<uint64_t>(size) > left()) {
      MoveTo(nullptr);
    } else if (size > 0) {
      at_ += size;
    }
  }

  void MoveTo(const uint8_t* at) {
    at_ = at;
    if (at == nullptr) end_ = nullptr;
  }

 private:
  /// Lengths and deltas of everyday records take one or two bytes.
  template <int kBits>
  int64_t Read() {
    if (left() >= 2) {
      const uint64_t first = at_[0];
      if (first < 0x80) {
        at_ += 1;
        return ZigZag(first);
      }
      const uint64_t second = at_[1];
      if (second < 0x80) {
        at_ += 2;
        return ZigZag((first & 0x7f) | second << 7);
      }
    }
    const Decoded decoded = DecodeVarint<kBits>(at_, end_);
    MoveTo(decoded.behind);
    return decoded.value;
  }

  const uint8_t* at_;
  const uint8_t* end_;
};

/// The first byte behind `count` headers, or null.
[[gnu::noinline]] const uint8_t* SkipHeaders(const uint8_t* at, const uint8_t* end, int64_t count) {
  Cursor cursor(at, end);
  if (count < 0 || static_cast<uint64_t>(count) > cursor.left() / 2)
    return nullptr;  // two bytes each at least
  for (int64_t i = 0; i < count && !cursor.failed(); ++i) {
    cursor.Skip(cursor.Varint());  // a header key is never null
    const int64_t value = cursor.Varint();
    if (value < -1) return nullptr;
    if (value > 0) cursor.Skip(value);
  }
  return cursor.at();
}

}  // namespace

Result<BatchHeader> ParseBatchHeader(ByteSpan bytes) {
  if (bytes.size() < kBatchOverhead) return Corrupt("a batch header needs 61 bytes");
  const uint8_t* raw = bytes.data();
  BatchHeader header;
  header.base_offset = RecordOffset(LoadBig64(raw));
  header.batch_length = LoadBig32(raw + kLengthAt);
  header.leader_epoch = LoadBig32(raw + kEpochAt);
  header.magic = static_cast<int8_t>(raw[kMagicAt]);
  header.crc = static_cast<uint32_t>(LoadBig32(raw + kCrcAt));
  header.attributes = LoadBig16(raw + kAttributesAt);
  header.last_offset_delta = LoadBig32(raw + 23);
  header.base_timestamp = TimestampMs(LoadBig64(raw + 27));
  header.max_timestamp = TimestampMs(LoadBig64(raw + kMaxTimestampAt));
  header.producer_id = LoadBig64(raw + 43);
  header.producer_epoch = LoadBig16(raw + 51);
  header.base_sequence = LoadBig32(raw + 53);
  header.record_count = LoadBig32(raw + 57);
  if (header.magic != kMagic) return Corrupt("the batch is not of magic 2");
  if (header.batch_length < static_cast<int32_t>(kBatchOverhead - kBatchLengthEnd) ||
      header.batch_length > kMaxBatchBytes) {
    return Corrupt("the batch length is out of range");
  }
  if (header.base_offset.value < 0 || header.base_offset.value > INT64_MAX - INT32_MAX) {
    return Corrupt("the base offset is out of range");
  }
  if (header.last_offset_delta < 0 || header.record_count < 0) return Corrupt("the record count is negative");
  return header;
}

bool BatchCrcMatches(ByteSpan batch, const BatchHeader& header) {
  const auto size = static_cast<size_t>(header.size_bytes());
  if (header.size_bytes() < static_cast<int64_t>(kBatchOverhead) || batch.size() < size) return false;
  return Crc32c(batch.data() + kCrcStart, size - kCrcStart) == header.crc;
}

Result<RecordWalk> WalkRecords(ByteSpan batch, const BatchHeader& header, bool dense_offsets) {
  const auto size = static_cast<size_t>(header.size_bytes());
  if (header.size_bytes() < static_cast<int64_t>(kBatchOverhead) || batch.size() < size) {
    return Invalid("the batch is not whole", 0);
  }
  return WalkBody(batch.subspan(kBatchOverhead, size - kBatchOverhead), header, dense_offsets);
}

Result<RecordWalk> WalkBody(ByteSpan body, const BatchHeader& header, bool dense_offsets) {
  if (header.codec() != 0) return Invalid("the batch is compressed", 0);
  if (dense_offsets && header.last_offset_delta != header.record_count - 1) {
    return Invalid("last offset delta and record count disagree", 0);
  }
  RecordWalk walk;
  if (header.is_append_time() && header.record_count > 0) walk.max_timestamp = header.max_timestamp;
  // One cursor over all records: a field may be read past its record's end, never past the batch's, and then
  // the record does not end where its length says.
  Cursor cursor(body.data(), body.data() + body.size());
  int64_t last_delta = -1;
  for (int64_t i = 0; i < header.record_count; ++i) {
    const int64_t length = cursor.Varint();
    if (cursor.failed() || length < 0 || static_cast<uint64_t>(length) > cursor.left()) {
      return Invalid("its length passes the end of the batch", i);
    }
    const uint8_t* const record_end = cursor.at() + length;
    const uint8_t attributes = cursor.Byte();
    const int64_t timestamp_delta = cursor.Varlong();
    const int64_t offset_delta = cursor.Varint();
    const int64_t key_size = cursor.Varint();
    if (key_size > 0) cursor.Skip(key_size);
    const int64_t value_size = cursor.Varint();
    if (value_size > 0) cursor.Skip(value_size);
    const int64_t header_count = cursor.Varint();
    if (cursor.failed() || key_size < -1 || value_size < -1) return Invalid("a field passes its end", i);
    if (attributes != 0) return Invalid("its attributes are not 0", i);
    if (header_count != 0) {
      cursor.MoveTo(SkipHeaders(cursor.at(), cursor.end(), header_count));
      if (cursor.failed()) return Invalid("its headers pass its end", i);
    }
    if (cursor.at() != record_end) return Invalid("its fields do not end where it does", i);
    if (dense_offsets ? offset_delta != i
                      : offset_delta <= last_delta || offset_delta > header.last_offset_delta) {
      return Invalid("its offset delta is out of order", i);
    }
    last_delta = offset_delta;
    walk.any_null_key |= key_size < 0;
    if (!header.is_append_time()) {
      int64_t timestamp;
      if (__builtin_add_overflow(header.base_timestamp.value, timestamp_delta, &timestamp)) {
        return Invalid("its timestamp overflows", i);
      }
      if (timestamp != -1 && timestamp < walk.min_timestamp.value)
        walk.min_timestamp = TimestampMs(timestamp);
      if (timestamp > walk.max_timestamp.value) {
        walk.max_timestamp = TimestampMs(timestamp);
        walk.max_timestamp_offset_delta = static_cast<int32_t>(offset_delta);
      }
    }
  }
  if (cursor.left() != 0) return Invalid("bytes are left behind the last record", header.record_count);
  return walk;
}

void PatchBaseOffset(uint8_t* batch, RecordOffset base_offset) { StoreBig64(batch, base_offset.value); }

void PatchLeaderEpoch(uint8_t* batch, int32_t leader_epoch) { StoreBig32(batch + kEpochAt, leader_epoch); }

void PatchMaxTimestamp(uint8_t* batch, TimestampMs max_timestamp) {
  StoreBig64(batch + kMaxTimestampAt, max_timestamp.value);
}

void PatchAppendTime(uint8_t* batch, TimestampMs now) {
  const int16_t attributes = LoadBig16(batch + kAttributesAt);
  StoreBig16(batch + kAttributesAt, static_cast<int16_t>(attributes | kAppendTimeBit));
  PatchMaxTimestamp(batch, now);
}

void PatchCrc(uint8_t* batch, uint32_t crc) { StoreBig32(batch + kCrcAt, static_cast<int32_t>(crc)); }

}  // namespace seglog
