#include "record_batch.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include "crc32c.h"

namespace seglog {
namespace {

using Bytes = std::vector<uint8_t>;

// Two records {key "k", value "v1"} at 1000 ms and {key null, value null, header "h" = null} at 1005 ms, base
// offset 7.
Bytes Sample() {
  return {
      0,    0,    0,    0,    0, 0,   0,    7,             // base offset
      0,    0,    0,    69,                                // length: 49 + 20
      0,    0,    0,    3,                                 // leader epoch
      2,                                                   // magic
      0xb8, 0xd6, 0x6d, 0x0e,                              // CRC
      0,    0,                                             // attributes
      0,    0,    0,    1,                                 // last offset delta
      0,    0,    0,    0,    0, 0,   0x03, 0xe8,          // base timestamp 1000
      0,    0,    0,    0,    0, 0,   0x03, 0xed,          // max timestamp 1005
      0,    0,    0,    0,    0, 0,   0,    9,             // producer id
      0,    4,                                             // producer epoch
      0,    0,    0,    5,                                 // base sequence
      0,    0,    0,    2,                                 // records
      18,   0,    0,    0,    2, 'k', 4,    'v',  '1', 0,  // length 9
      18,   0,    10,   2,    1, 1,   2,    2,    'h', 1,  // length 9
  };
}

constexpr size_t kFirst = 61;
constexpr size_t kSecond = 71;

BatchHeader Header(const Bytes& bytes) {
  auto header = ParseBatchHeader(bytes);
  EXPECT_TRUE(header.ok()) << header.status().ToString();
  return *header;
}

/// A batch of the given record bytes, everything else as small as it gets.
Bytes BatchOf(const Bytes& records, int32_t count, int32_t last_offset_delta) {
  Bytes bytes = Sample();
  bytes.resize(kFirst);
  bytes[11] = static_cast<uint8_t>(49 + records.size());
  bytes[26] = static_cast<uint8_t>(last_offset_delta);
  bytes[60] = static_cast<uint8_t>(count);
  bytes.insert(bytes.end(), records.begin(), records.end());
  return bytes;
}

ErrorCode WalkCode(const Bytes& records, int32_t count = 1, int32_t last_offset_delta = 0,
                   bool dense = true) {
  const Bytes bytes = BatchOf(records, count, last_offset_delta);
  return WalkRecords(bytes, Header(bytes), dense).status().code();
}

TEST(BatchHeader, ReadsEveryField) {
  const BatchHeader header = Header(Sample());
  EXPECT_EQ(header.base_offset, RecordOffset(7));
  EXPECT_EQ(header.batch_length, 69);
  EXPECT_EQ(header.size_bytes(), 81);
  EXPECT_EQ(header.leader_epoch, 3);
  EXPECT_EQ(header.magic, 2);
  EXPECT_EQ(header.crc, 0xb8d66d0eu);
  EXPECT_EQ(header.attributes, 0);
  EXPECT_EQ(header.last_offset(), RecordOffset(8));
  EXPECT_EQ(header.base_timestamp, TimestampMs(1000));
  EXPECT_EQ(header.max_timestamp, TimestampMs(1005));
  EXPECT_EQ(header.producer_id, 9);
  EXPECT_EQ(header.producer_epoch, 4);
  EXPECT_EQ(header.base_sequence, 5);
  EXPECT_EQ(header.record_count, 2);
}

TEST(BatchHeader, ReadsAttributeBits) {
  Bytes bytes = Sample();
  bytes[22] = 0x7c;
  const BatchHeader header = Header(bytes);
  EXPECT_EQ(header.codec(), 4);
  EXPECT_TRUE(header.is_append_time() && header.is_transactional() && header.is_control() &&
              header.has_delete_horizon());
}

TEST(BatchHeader, RefusesWhatCannotBeOne) {
  const auto code = [](size_t at, Bytes replaced) {
    Bytes bytes = Sample();
    std::copy(replaced.begin(), replaced.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    return ParseBatchHeader(bytes).status().code();
  };
  const ErrorCode corrupt = ErrorCode::kCorruptBatch;
  EXPECT_EQ(ParseBatchHeader(ByteSpan(Sample().data(), 0)).status().code(), corrupt);
  const Bytes sample = Sample();
  EXPECT_EQ(ParseBatchHeader(ByteSpan(sample.data(), 60)).status().code(), corrupt);
  EXPECT_TRUE(ParseBatchHeader(ByteSpan(sample.data(), 61)).ok());
  EXPECT_EQ(code(16, {1}), corrupt);           // magic
  EXPECT_EQ(code(8, {0, 0, 0, 48}), corrupt);  // shorter than its own header
  EXPECT_EQ(code(8, {0, 0, 0, 49}), ErrorCode::kOk);
  EXPECT_EQ(code(8, {0x7f, 0xff, 0xff, 0xff}), corrupt);  // its size would not fit
  EXPECT_EQ(code(8, {0xff, 0xff, 0xff, 0xff}), corrupt);
  EXPECT_EQ(code(0, {0xff}), corrupt);                          // negative base offset
  EXPECT_EQ(code(0, {0x7f, 0xff, 0xff, 0xff, 0xff}), corrupt);  // last offset would overflow
  EXPECT_EQ(code(23, {0x80}), corrupt);                         // negative last offset delta
  EXPECT_EQ(code(57, {0x80}), corrupt);                         // negative record count
}

TEST(BatchCrc, CoversEverythingFromTheAttributesOn) {
  Bytes bytes = Sample();
  BatchHeader header = Header(bytes);
  EXPECT_EQ(Crc32c(bytes.data() + 21, bytes.size() - 21), header.crc);
  EXPECT_TRUE(BatchCrcMatches(bytes, header));
  for (size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] ^= 0x40;
    EXPECT_EQ(BatchCrcMatches(bytes, header), at < kCrcStart) << at;
    bytes[at] ^= 0x40;
  }
  EXPECT_FALSE(BatchCrcMatches(ByteSpan(bytes.data(), bytes.size() - 1), header));
  bytes.push_back(99);  // what follows belongs to the next batch
  EXPECT_TRUE(BatchCrcMatches(bytes, header));
}

TEST(WalkRecords, ReportsTheSample) {
  const Bytes bytes = Sample();
  auto walk = WalkRecords(bytes, Header(bytes), true);
  ASSERT_TRUE(walk.ok()) << walk.status().ToString();
  EXPECT_EQ(walk->max_timestamp, TimestampMs(1005));
  EXPECT_EQ(walk->max_timestamp_offset_delta, 1);
  EXPECT_TRUE(walk->any_null_key);
}

TEST(WalkRecords, FirstOfEqualTimestampsAndAppendTime) {
  const Bytes records = {12, 0, 20, 0,  0, 1,  0, 12, 0, 19, 2,
                         0,  1, 0,  12, 0, 20, 4, 0,  1, 0};  // +10, -10, +10
  Bytes bytes = BatchOf(records, 3, 2);
  auto walk = WalkRecords(bytes, Header(bytes), true);
  ASSERT_TRUE(walk.ok()) << walk.status().ToString();
  EXPECT_EQ(walk->max_timestamp, TimestampMs(1010));
  EXPECT_EQ(walk->max_timestamp_offset_delta, 0);
  EXPECT_FALSE(walk->any_null_key);  // empty is not null
  PatchAppendTime(bytes.data(), TimestampMs(5000));
  EXPECT_EQ(WalkRecords(bytes, Header(bytes), true)->max_timestamp, TimestampMs(5000));
}

TEST(WalkRecords, EveryTruncationOfTheSampleIsRefused) {
  const Bytes whole = Sample();
  for (size_t size = kFirst; size < whole.size(); ++size) {
    Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(WalkRecords(bytes, Header(whole), true).ok()) << size;  // the span ends early
    bytes[11] = static_cast<uint8_t>(size - 12);
    EXPECT_FALSE(WalkRecords(bytes, Header(bytes), true).ok()) << size;  // the batch does
  }
}

TEST(WalkRecords, RefusesBrokenRecords) {
  const ErrorCode invalid = ErrorCode::kInvalidBatch;
  EXPECT_EQ(WalkCode({12, 0, 0, 0, 1, 1, 0}), ErrorCode::kOk);
  EXPECT_EQ(WalkCode({12, 1, 0, 0, 1, 1, 0}), invalid);               // attributes
  EXPECT_EQ(WalkCode({12, 0, 0, 2, 1, 1, 0}), invalid);               // offset delta 1
  EXPECT_EQ(WalkCode({12, 0, 0, 0, 3, 1, 0}), invalid);               // key length -2
  EXPECT_EQ(WalkCode({12, 0, 0, 0, 1, 3, 0}), invalid);               // value length -2
  EXPECT_EQ(WalkCode({12, 0, 0, 0, 1, 1, 1}), invalid);               // header count -1
  EXPECT_EQ(WalkCode({12, 0, 0, 0, 1, 1, 2}), invalid);               // a header that is not there
  EXPECT_EQ(WalkCode({12, 0, 0, 0, 1, 2, 0}), invalid);               // value takes the header count's byte
  EXPECT_EQ(WalkCode({14, 0, 0, 0, 1, 1, 0, 0}), invalid);            // a byte left in the record
  EXPECT_EQ(WalkCode({12, 0, 0, 0, 1, 1, 0, 0}), invalid);            // a byte left in the batch
  EXPECT_EQ(WalkCode({11, 0, 0, 0, 1, 1, 0}), invalid);               // negative record length
  EXPECT_EQ(WalkCode({16, 0, 0, 0, 1, 1, 2, 1, 1}), invalid);         // null header key
  EXPECT_EQ(WalkCode({16, 0, 0, 0, 1, 1, 2, 0, 3}), invalid);         // header value length -2
  EXPECT_EQ(WalkCode({16, 0, 0, 0, 1, 1, 2, 0, 1}), ErrorCode::kOk);  // empty header key, null value
  EXPECT_EQ(WalkCode({}, 1), invalid);
  EXPECT_EQ(WalkCode({12, 0, 0, 0, 1, 1, 0}, 1, 1), invalid);  // delta of the header does not fit the count
}

TEST(WalkRecords, RefusesVarintsThatAreTooLong) {
  const ErrorCode invalid = ErrorCode::kInvalidBatch;
  // 0 in five bytes as offset delta: allowed; in six, or with bits above 32: not.
  EXPECT_EQ(WalkCode({20, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x00, 1, 1, 0}), ErrorCode::kOk);
  EXPECT_EQ(WalkCode({22, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 1, 1, 0}), invalid);
  EXPECT_EQ(WalkCode({20, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 1, 1, 0}), invalid);
  // The timestamp delta has ten bytes; base 1000 plus the largest overflows, plus the smallest does not.
  const Bytes largest = {30, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0, 1, 1, 0};
  EXPECT_EQ(WalkCode(largest), invalid);
  Bytes smallest = largest;
  smallest[2] = 0xff;
  EXPECT_EQ(WalkCode(smallest), ErrorCode::kOk);
  Bytes above = largest;
  above[11] = 0x02;
  EXPECT_EQ(WalkCode(above), invalid);
  // A key that claims 2^31 - 1 bytes.
  EXPECT_EQ(WalkCode({20, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1, 0}), invalid);
}

TEST(WalkRecords, CompactedBatchesHaveGaps) {
  const Bytes records = {12, 0, 0, 2, 1, 1, 0, 12, 0, 0, 10, 1, 1, 0};  // deltas 1 and 5
  EXPECT_EQ(WalkCode(records, 2, 5, false), ErrorCode::kOk);
  EXPECT_EQ(WalkCode(records, 2, 7, false), ErrorCode::kOk);
  EXPECT_EQ(WalkCode(records, 2, 4, false), ErrorCode::kInvalidBatch);
  EXPECT_EQ(WalkCode(records, 2, 5, true), ErrorCode::kInvalidBatch);
  EXPECT_EQ(WalkCode({12, 0, 0, 2, 1, 1, 0, 12, 0, 0, 2, 1, 1, 0}, 2, 5, false), ErrorCode::kInvalidBatch);
  EXPECT_EQ(WalkCode({}, 0, 5, false), ErrorCode::kOk);  // kept empty for its sequence
}

TEST(WalkRecords, CompressedBatchesAreNotWalked) {
  Bytes bytes = Sample();
  bytes[22] = 1;
  EXPECT_EQ(WalkRecords(bytes, Header(bytes), true).status().code(), ErrorCode::kInvalidBatch);
}

TEST(Patches, TouchTheirFieldsOnly) {
  Bytes bytes = Sample();
  PatchBaseOffset(bytes.data(), RecordOffset(0x0102030405060708));
  PatchLeaderEpoch(bytes.data(), 0x11121314);
  Bytes expected = Sample();
  const Bytes front = {1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 69, 0x11, 0x12, 0x13, 0x14};
  std::copy(front.begin(), front.end(), expected.begin());
  EXPECT_EQ(bytes, expected);
  EXPECT_TRUE(BatchCrcMatches(bytes, Header(bytes)));

  PatchAppendTime(bytes.data(), TimestampMs(0x2122232425262728));
  PatchCrc(bytes.data(), Crc32c(bytes.data() + kCrcStart, bytes.size() - kCrcStart));
  expected[22] = 8;
  const Bytes time = {0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28};
  std::copy(time.begin(), time.end(), expected.begin() + 35);
  EXPECT_EQ(Bytes(bytes.begin() + 21, bytes.end()), Bytes(expected.begin() + 21, expected.end()));
  EXPECT_TRUE(BatchCrcMatches(bytes, Header(bytes)));
  static_assert(kSecond == 71);
}

}  // namespace
}  // namespace seglog
