#include "segment_scan.h"

#include "big_endian.h"
#include "segment_fixture.h"

namespace seglog::test {
namespace {

int64_t Little(const Bytes& bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= uint64_t{bytes[at + i]} << (8 * i);
  const int shift = static_cast<int>(64 - 8 * size);
  return static_cast<int64_t>(value << shift) >> shift;
}

class SegmentScanTest : public SegmentTest {
 protected:
  void SetUp() override {
    SegmentTest::SetUp();
    options_.folder = "/data/t-0";
    options_.index_bytes = 8 << 10;
  }

  /// Twenty batches of 1000 bytes, two records' worth of offsets apart by nothing, sealed.
  void WriteTwenty() {
    Create();
    for (int i = 0; i < 20; ++i) {
      MustAppendNow(MakeBatchOfSize(1000, {.timestamp = 100 + i}), {.leader_epoch = i < 7 ? 1 : 3});
    }
    ASSERT_OK(segment_->Seal());
    segment_.reset();
  }

  ScanResult Scan() {
    auto result = ScanSegment(memory_, options_);
    EXPECT_TRUE(result.ok()) << result.status().ToString();
    return result.ok() ? *result : ScanResult();
  }

  ScanOptions options_;
};

TEST_F(SegmentScanTest, TellsTheEndEpochsAndLargestTimestamp) {
  WriteTwenty();
  for (const bool check_crc : {true, false}) {
    options_.check_crc = check_crc;
    const ScanResult result = Scan();
    EXPECT_EQ(result.batches, 20);
    EXPECT_EQ(result.end_position.value, 20'000);
    EXPECT_EQ(result.end_offset.value, 20);
    EXPECT_EQ(result.max_timestamp.value, 119);
    EXPECT_EQ(result.max_timestamp_offset.value, 19);
    ASSERT_EQ(result.epochs.size(), 2u);
    EXPECT_EQ(result.epochs[0].epoch, 1);
    EXPECT_EQ(result.epochs[1].epoch, 3);
    EXPECT_EQ(result.epochs[1].start_offset.value, 7);
    EXPECT_FALSE(result.stopped.has_value());
    EXPECT_TRUE(result.producers.empty());
  }
}

TEST_F(SegmentScanTest, FromAndTo) {
  WriteTwenty();
  options_.from = FilePosition(5000);
  options_.from_offset = RecordOffset(5);
  options_.to = FilePosition(9000);
  const ScanResult result = Scan();
  EXPECT_EQ(result.batches, 4);
  EXPECT_EQ(result.end_offset.value, 9);
  EXPECT_FALSE(result.stopped.has_value());
  options_.rebuild_indexes = true;
  EXPECT_EQ(ScanSegment(memory_, options_).status().code(), ErrorCode::kInvalidArgument);
}

TEST_F(SegmentScanTest, StopsAtTheFirstBadByteAndSaysWhy) {
  WriteTwenty();
  struct Damage {
    int64_t position;
    Bytes bytes;
    const char* reason;
  };
  for (const Damage& damage : std::vector<Damage>{{5000 + 900, {'?'}, "CRC"},
                                                  {5000 + 16, {1}, "magic"},
                                                  {5000 + 8, {0x7f, 0, 0, 0}, "end of the file"},
                                                  {5000, {0, 0, 0, 0, 0, 0, 0, 2}, "expected"},
                                                  {5000, {0, 0, 1, 0, 0, 0, 0, 2}, "do not belong"}}) {
    const Bytes before = FileBytes(kLog);
    WriteBytes(kLog, damage.position, damage.bytes);
    const ScanResult result = Scan();
    ASSERT_TRUE(result.stopped.has_value()) << damage.reason;
    EXPECT_EQ(result.stopped->position.value, 5000);
    EXPECT_EQ(result.stopped->offset.value, 5);
    EXPECT_NE(result.stopped->reason.find(damage.reason), std::string::npos) << result.stopped->reason;
    EXPECT_FALSE(result.stopped->zeros);
    EXPECT_EQ(result.end_position.value, 5000);
    WriteBytes(kLog, 0, before);
  }
  EXPECT_FALSE(Scan().stopped.has_value());
}

TEST_F(SegmentScanTest, ReservedSpaceIsToldFromDamage) {
  WriteTwenty();
  auto file = memory_.Open("/data/t-0/00000000000000000000.log", OpenMode::kReadWrite);
  ASSERT_OK((*file)->Reserve(20'000, 100'000));
  ASSERT_TRUE(Scan().stopped.has_value());
  EXPECT_TRUE(Scan().stopped->zeros);
  WriteBytes(kLog, 119'999, {1});
  EXPECT_FALSE(Scan().stopped->zeros);
}

TEST_F(SegmentScanTest, TruncatesToTheGoodPrefixAndRebuildsIndexes) {
  WriteTwenty();
  const Bytes index = FileBytes(kIndex);
  WriteBytes(kLog, 15'500, {'?'});
  WriteBytes(kIndex, 0, {9, 9, 9, 9});
  options_.truncate = true;
  options_.rebuild_indexes = true;
  EXPECT_TRUE(Scan().stopped.has_value());
  EXPECT_EQ(FileBytes(kLog).size(), 15'000u);
  const Bytes rebuilt = FileBytes(kIndex);
  EXPECT_TRUE(std::equal(rebuilt.begin(), rebuilt.end(), index.begin()));
  options_.truncate = options_.rebuild_indexes = false;
  options_.verify_indexes = true;
  const ScanResult verified = Scan();
  EXPECT_FALSE(verified.stopped.has_value());
  EXPECT_TRUE(verified.index_faults.empty());
  EXPECT_EQ(LoadBig32(FileBytes(kTimeIndex).data() + FileBytes(kTimeIndex).size() - 4), 14);
}

TEST_F(SegmentScanTest, ListsEveryIndexFault) {
  WriteTwenty();
  options_.verify_indexes = true;
  EXPECT_TRUE(Scan().index_faults.empty());
  const Bytes index = FileBytes(kIndex);
  WriteBytes(kIndex, 4, {0, 0, 0x13, 0x89});  // 5001
  ASSERT_EQ(Scan().index_faults.size(), 1u);
  EXPECT_NE(Scan().index_faults[0].find("begins no batch"), std::string::npos);
  WriteBytes(kIndex, 0, index);
  WriteBytes(kIndex, 0, {0, 0, 0, 4});
  EXPECT_NE(Scan().index_faults.at(0).find("ends with 5"), std::string::npos);
  WriteBytes(kIndex, 0, index);
  WriteBytes(kIndex, static_cast<int64_t>(index.size()), {0, 0, 1, 0, 0, 0x10, 0, 0, 7});
  EXPECT_EQ(Scan().index_faults.size(), 2u);  // its size, and an entry behind the end
  WriteBytes(kTimeIndex, 7, {0xff});
  EXPECT_GE(Scan().index_faults.size(), 3u);
  ASSERT_OK(directory_->Remove(kIndex));
  EXPECT_NE(Scan().index_faults.at(0).find("missing"), std::string::npos);
}

TEST_F(SegmentScanTest, PacksProducersAndControlBatches) {
  Create();
  MustAppendNow(MakeBatch({.records = 3,
                           .timestamp = 50,
                           .attributes = 0x10,
                           .producer_id = 77,
                           .producer_epoch = 2,
                           .base_sequence = 9}));
  MustAppendNow(MakeBatch({}));
  Bytes control =
      MakeBatch({.records = 1, .value_bytes = 0, .attributes = 0x30, .producer_id = 77, .producer_epoch = 3});
  control.resize(kBatchOverhead);
  // length, attributes, timestamp, offset, key {version 0, type 1}, value {version 0, coordinator epoch 5},
  // headers
  const Bytes record{32, 0, 0, 0, 8, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 5, 0};
  control.insert(control.end(), record.begin(), record.end());
  StoreBig32(control.data() + 8, static_cast<int32_t>(control.size() - 12));
  MustAppendNow(control);
  for (const bool check_crc : {true, false}) {
    options_.check_crc = check_crc;
    const Bytes packed = Scan().producers;
    ASSERT_EQ(packed.size(), 2 * kScanProducerBytes);
    EXPECT_EQ(Little(packed, 0, 8), 77);
    EXPECT_EQ(Little(packed, 8, 8), 0);
    EXPECT_EQ(Little(packed, 16, 8), 2);
    EXPECT_EQ(Little(packed, 24, 8), 52);
    EXPECT_EQ(Little(packed, 32, 8), 0);
    EXPECT_EQ(Little(packed, 40, 4), 9);
    EXPECT_EQ(Little(packed, 44, 4), 2);
    EXPECT_EQ(Little(packed, 48, 4), 3);
    EXPECT_EQ(Little(packed, 52, 4), -1);
    EXPECT_EQ(Little(packed, 56, 2), 2);
    EXPECT_EQ(Little(packed, 58, 2), 0x10);
    EXPECT_EQ(Little(packed, 60, 2), -1);
    EXPECT_EQ(Little(packed, 64 + 8, 8), 4);
    EXPECT_EQ(Little(packed, 64 + 52, 4), 5);
    EXPECT_EQ(Little(packed, 64 + 56, 2), 3);
    EXPECT_EQ(Little(packed, 64 + 60, 2), 1);
  }
}

TEST_F(SegmentScanTest, BatchesLargerThanABlock) {
  SegmentOptions segment = Options();
  segment.segment_bytes = 16 << 20;
  Create(segment);
  for (int i = 0; i < 3; ++i) ASSERT_OK(Append(MakeBatchOfSize((3 << 20) + 17)).status());
  ASSERT_OK(segment_->Seal());
  EXPECT_EQ(Scan().batches, 3);
}

TEST_F(SegmentScanTest, RecordsAreWalkedWhenAsked) {
  Create();
  Bytes batch = MakeBatch({.records = 2});
  batch[kBatchOverhead + 1] = 1;  // a record's attributes
  MustAppendNow(batch);
  ASSERT_OK(segment_->Seal());
  EXPECT_FALSE(Scan().stopped.has_value());
  options_.walk_records = true;
  EXPECT_TRUE(Scan().stopped.has_value());
}

TEST_F(SegmentScanTest, EmptyAndMissingFiles) {
  Create();
  EXPECT_EQ(Scan().batches, 0);
  options_.base_offset = RecordOffset(5);
  EXPECT_EQ(ScanSegment(memory_, options_).status().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace seglog::test
