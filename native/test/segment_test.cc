#include "segment.h"

#include <algorithm>

#include "fault_io.h"
#include "segment_fixture.h"

namespace seglog::test {
namespace {

Bytes Joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST_F(SegmentTest, MappedLaneIsNotReadyUntilTendedAndThenStores) {
  Create();
  const Bytes batch = MakeBatch({.records = 3});
  EXPECT_EQ(AppendNow(batch), AppendOutcome::kNotReady);
  EXPECT_EQ(segment_->published(), (LogEnd{FilePosition(0), RecordOffset(0)}));
  Tend();
  ASSERT_EQ(AppendNow(batch, {.leader_epoch = 4}), AppendOutcome::kDone) << error_.ToString();
  EXPECT_EQ(appended_.base_offset.value, 0);
  EXPECT_EQ(appended_.last_offset.value, 2);
  EXPECT_EQ(appended_.max_timestamp.value, 1002);
  EXPECT_EQ(appended_.end_position.value, static_cast<int64_t>(batch.size()));
  EXPECT_EQ(ReadFrom(0), Stamped(batch, 0, 4));
}

TEST_F(SegmentTest, MappedLaneRefusesMoreThan64KiB) {
  Create();
  MustAppendNow(MakeBatch({}));
  Tend();
  EXPECT_EQ(AppendNow(MakeBatchOfSize((64 << 10) + 1)), AppendOutcome::kNotReady);
  EXPECT_EQ(AppendNow(MakeBatchOfSize(1000)), AppendOutcome::kDone);
}

TEST_F(SegmentTest, NoMappedLaneOnOtherFileSystems) {
  segment_.reset();
  directory_.reset();
  memory_.set_file_system(FileSystemKind::kOther);
  OpenDirectory();
  EXPECT_FALSE(directory_->mapped_lane());
  Create();
  Tend();
  // Tend is only called where the helper watches, which it does not here; the storage lane works all the
  // same.
  EXPECT_OK(Append(MakeBatch({})).status());
  EXPECT_EQ(segment_->published().offset.value, 1);
  const EndsContents contents = EndsFile::Read(memory_, "/data/.ends").value();
  ASSERT_EQ(contents.partitions.size(), 1u);
  EXPECT_EQ(contents.partitions[0].end_offset.value, 1);
}

TEST_F(SegmentTest, BothLanesPatchAlike) {
  Create();
  const Bytes batch = MakeBatch({.records = 2, .value_bytes = 40});
  const AppendOptions options{.leader_epoch = 9, .append_time = TimestampMs(777'000)};
  MustAppendNow(batch, options);
  ASSERT_OK(Append(batch, options).status());
  const Bytes stored = ReadFrom(0);
  ASSERT_EQ(stored.size(), 2 * batch.size());
  for (size_t i = 0; i < 2; ++i) {
    const ByteSpan one(stored.data() + i * batch.size(), batch.size());
    const BatchHeader header = ParseBatchHeader(one).value();
    EXPECT_EQ(header.base_offset.value, static_cast<int64_t>(2 * i));
    EXPECT_EQ(header.leader_epoch, 9);
    EXPECT_TRUE(header.is_append_time());
    EXPECT_EQ(header.max_timestamp.value, 777'000);
    EXPECT_TRUE(BatchCrcMatches(one, header));
  }
}

TEST_F(SegmentTest, LargeAppendsLeaveBodiesWhereTheyAre) {
  Create();
  const Bytes first = MakeBatchOfSize(200 << 10);
  const Bytes second = MakeBatchOfSize(150 << 10, {.fill = 'y'});
  const Bytes given = Joined({first, second});
  // Torn in the middle of the second header.
  const std::vector<ByteSpan> parts{{given.data(), first.size() + 7},
                                    {given.data() + first.size() + 7, given.size() - first.size() - 7}};
  auto appended =
      segment_->Append(parts, {.leader_epoch = 1, .append_time = TimestampMs(5), .crc = CrcMode::kVerify});
  ASSERT_OK(appended.status());
  const Bytes stored = ReadFrom(0);
  ASSERT_EQ(stored.size(), given.size());
  const ByteSpan one(stored.data() + first.size(), second.size());
  const BatchHeader header = ParseBatchHeader(one).value();
  EXPECT_EQ(header.base_offset.value, 1);
  EXPECT_TRUE(BatchCrcMatches(one, header));
  EXPECT_EQ(stored[first.size() + 100], 'y');
}

TEST_F(SegmentTest, VerifyRefusesADamagedBatchAndLeavesZeros) {
  Create();
  MustAppendNow(MakeBatch({}));
  const LogEnd before = segment_->published();
  Bytes damaged = MakeBatch({.value_bytes = 300});
  damaged.back() ^= 1;
  const Bytes given = Joined({MakeBatch({}), damaged});
  EXPECT_EQ(AppendNow(given, {.crc = CrcMode::kVerify}), AppendOutcome::kFailed);
  EXPECT_EQ(error_.code(), ErrorCode::kCorruptBatch);
  EXPECT_EQ(Append(given, {.crc = CrcMode::kVerify}).status().code(), ErrorCode::kCorruptBatch);
  EXPECT_EQ(segment_->published(), before);
  const Bytes file = FileBytes(kLog);
  EXPECT_TRUE(
      std::all_of(file.begin() + before.position.value, file.end(), [](uint8_t byte) { return byte == 0; }));
}

TEST_F(SegmentTest, InvalidBatchesAreRefusedBeforeAnyStore) {
  Create();
  MustAppendNow(MakeBatch({}));
  const LogEnd before = segment_->published();
  Bytes magic = MakeBatch({});
  magic[16] = 1;
  Bytes cut = MakeBatch({});
  cut.pop_back();
  Bytes negative = MakeBatch({});
  StoreBig32(negative.data() + 23, -1);
  for (const Bytes& bytes : {Bytes(), Bytes(30), magic, cut, negative, Joined({MakeBatch({}), Bytes(5)})}) {
    EXPECT_EQ(AppendNow(bytes), AppendOutcome::kFailed);
    EXPECT_EQ(error_.code(), ErrorCode::kInvalidBatch);
    EXPECT_EQ(Append(bytes).status().code(), ErrorCode::kInvalidBatch);
  }
  EXPECT_EQ(segment_->published(), before);
}

TEST_F(SegmentTest, KeptOffsetsMustNotGoBack) {
  Create();
  MustAppendNow(MakeBatch({.base_offset = 10}), {.keep_offsets = true});
  EXPECT_EQ(segment_->published().offset.value, 11);
  EXPECT_EQ(AppendNow(MakeBatch({.base_offset = 10}), {.keep_offsets = true}), AppendOutcome::kFailed);
  EXPECT_EQ(error_.code(), ErrorCode::kInvalidBatch);
  MustAppendNow(MakeBatch({.base_offset = 20, .leader_epoch = 6}), {.keep_offsets = true});
  EXPECT_EQ(ParseBatchHeader(ReadFrom(15)).value().base_offset.value, 20);
  EXPECT_EQ(ParseBatchHeader(ReadFrom(15)).value().leader_epoch, 6);
}

TEST_F(SegmentTest, OffsetsPastWhatJavaScriptCountsAreRefused) {
  const int64_t base = (int64_t{1} << 53) - 3;
  Create(base);
  EXPECT_EQ(Append(MakeBatch({.records = 3})).status().code(), ErrorCode::kInvalidBatch);
  EXPECT_OK(Append(MakeBatch({.records = 2})).status());
}

TEST_F(SegmentTest, FullBySizeRelativeOffsetAndIndex) {
  SegmentOptions options = Options();
  options.segment_bytes = 4096;
  options.index_interval_bytes = 0;
  options.index_bytes = 5 * 12;
  Create(options);
  EXPECT_EQ(Append(MakeBatchOfSize(4097)).status().code(), ErrorCode::kBatchTooLarge);
  ASSERT_OK(Append(MakeBatchOfSize(4000)).status());
  EXPECT_EQ(Append(MakeBatchOfSize(97)).status().code(), ErrorCode::kSegmentFull);
  EXPECT_EQ(AppendNow(MakeBatchOfSize(97)), AppendOutcome::kSegmentFull);
  EXPECT_OK(Append(MakeBatchOfSize(96)).status());

  options.base_offset = RecordOffset(1'000'000);
  Create(options);
  ASSERT_OK(Append(MakeBatch({})).status());
  const Bytes far = MakeBatch({.base_offset = 1'000'000 + int64_t{INT32_MAX} + 1});
  EXPECT_EQ(Append(far, {.keep_offsets = true}).status().code(), ErrorCode::kSegmentFull);

  options.base_offset = RecordOffset(2'000'000);
  options.segment_bytes = 1 << 20;
  Create(options);
  // The first batch makes no entry; four more fit, the fifth slot of the time index is for the final one.
  int appended = 0;
  while (Append(MakeBatch({.timestamp = 1000 + appended * 10})).ok()) ++appended;
  EXPECT_EQ(appended, 5);
  EXPECT_EQ(Append(MakeBatch({})).status().code(), ErrorCode::kSegmentFull);
}

TEST_F(SegmentTest, AnAppendThatNoSegmentCouldTakeIsTooLargeNotFull) {
  Create();
  const Bytes far = MakeBatch({.base_offset = int64_t{INT32_MAX} + 1});
  EXPECT_EQ(Append(far, {.keep_offsets = true}).status().code(), ErrorCode::kBatchTooLarge);
}

// kafka-facts 3.3: an entry for a batch if more than the interval was written since the last, before it is
// counted.
TEST_F(SegmentTest, IndexEntriesFollowKafkasRule) {
  Create();
  std::vector<Bytes> batches;
  for (int i = 0; i < 6; ++i)
    batches.push_back(MakeBatchOfSize(2048, {.timestamp = i == 3 ? 500 : 1000 + i}));
  for (const Bytes& batch : batches) MustAppendNow(batch);
  ASSERT_OK(segment_->Seal());
  ASSERT_OK(segment_->SyncAll());
  // 0, 2048 and 4096 bytes before batches 0, 1, 2; 6144 > 4096 before batch 3, whose entry begins anew.
  EXPECT_EQ(FileBytes(kIndex), (Bytes{0, 0, 0, 3, 0, 0, 0x18, 0}));
  // With it the largest timestamp so far, 1002 of offset 2; at the seal 1005 of offset 5.
  EXPECT_EQ(FileBytes(kTimeIndex),
            (Bytes{0, 0, 0, 0, 0, 0, 0x03, 0xea, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0x03, 0xed, 0, 0, 0, 5}));
  EXPECT_EQ(FileBytes(kLog).size(), 6u * 2048);
}

TEST_F(SegmentTest, ReadsWholeBatchesBelowTheLimit) {
  Create();
  const Bytes batch = MakeBatch({.records = 10, .value_bytes = 100});
  for (int i = 0; i < 20; ++i) MustAppendNow(batch);
  const auto size = static_cast<int64_t>(batch.size());
  Bytes target(3 * batch.size() - 1);
  auto read = segment_->Read(RecordOffset(57), FilePosition(INT64_MAX), target);
  ASSERT_OK(read.status());
  EXPECT_EQ(read->bytes, 2 * batch.size());
  EXPECT_EQ(ParseBatchHeader(target).value().base_offset.value, 50);
  // On from there, without a look-up.
  read = segment_->Read(RecordOffset(70), FilePosition(8 * size), target);
  EXPECT_EQ(read->bytes, batch.size());
  EXPECT_EQ(ParseBatchHeader(target).value().base_offset.value, 70);
  read = segment_->Read(RecordOffset(80), FilePosition(8 * size), target);
  EXPECT_EQ(read->bytes, 0u);
  EXPECT_EQ(read->first_needs, 0u);
  read = segment_->Read(RecordOffset(0), FilePosition(INT64_MAX), MutableByteSpan(target).first(40));
  EXPECT_EQ(read->bytes, 0u);
  EXPECT_EQ(read->first_needs, batch.size());
  EXPECT_EQ(segment_->Read(RecordOffset(200), FilePosition(INT64_MAX), target)->bytes, 0u);
  EXPECT_EQ(segment_->Locate(RecordOffset(199)).value()->position.value, 19 * size);
  EXPECT_FALSE(segment_->Locate(RecordOffset(200)).value().has_value());
}

TEST_F(SegmentTest, ReadsWithoutWaitingSayWhenTheyAreCold) {
  Create();
  MustAppendNow(MakeBatch({}));
  memory_.set_cold(true);
  Bytes target(1000);
  EXPECT_EQ(segment_->ReadNow(RecordOffset(0), FilePosition(INT64_MAX), target).status().code(),
            ErrorCode::kCold);
  EXPECT_EQ(segment_->LocateNow(RecordOffset(0)).status().code(), ErrorCode::kCold);
  EXPECT_GT(segment_->Read(RecordOffset(0), FilePosition(INT64_MAX), target)->bytes, 0u);
}

TEST_F(SegmentTest, AnIndexThatLiesIsFoundOutAndReadAround) {
  Create();
  for (int i = 0; i < 60; ++i) MustAppendNow(MakeBatchOfSize(1000, {.timestamp = i}));
  ASSERT_OK(segment_->Seal());
  ASSERT_OK(segment_->SyncAll());
  segment_.reset();
  WriteBytes(kIndex, 12, {0, 0, 0x20, 0});  // the second entry points somewhere else
  SegmentOptions options = Options();
  options.active = false;
  ASSERT_OK(TryOpen(options));
  EXPECT_FALSE(segment_->index_suspect());
  EXPECT_EQ(ParseBatchHeader(ReadFrom(12, 1000)).value().base_offset.value, 12);
  EXPECT_TRUE(segment_->index_suspect());
  for (int i = 0; i < 60; ++i) EXPECT_EQ(ParseBatchHeader(ReadFrom(i, 1000)).value().base_offset.value, i);
  EXPECT_EQ(segment_->LocateTimestamp(TimestampMs(40)).value()->offset.value, 40);
}

TEST_F(SegmentTest, AClosedSegmentWithoutIndexesIsReadByScanning) {
  Create();
  for (int i = 0; i < 20; ++i) MustAppendNow(MakeBatchOfSize(1000));
  ASSERT_OK(segment_->Seal());
  segment_.reset();
  ASSERT_OK(directory_->Remove(kIndex));
  SegmentOptions options = Options();
  options.active = false;
  ASSERT_OK(TryOpen(options));
  EXPECT_TRUE(segment_->index_suspect());
  EXPECT_EQ(segment_->published().offset.value, 20);
  EXPECT_EQ(ParseBatchHeader(ReadFrom(17, 1000)).value().base_offset.value, 17);
}

TEST_F(SegmentTest, DamageInAClosedSegmentIsReportedBehindWhatIsGood) {
  Create();
  for (int i = 0; i < 20; ++i) MustAppendNow(MakeBatchOfSize(1000));
  ASSERT_OK(segment_->Seal());
  segment_.reset();
  WriteBytes(kLog, 15'000 + 16, {9});  // magic of the 16th batch
  SegmentOptions options = Options();
  options.active = false;
  ASSERT_OK(TryOpen(options));
  EXPECT_EQ(ReadFrom(14, 5000).size(), 1000u);
  Bytes target(2000);
  auto read = segment_->Read(RecordOffset(15), FilePosition(INT64_MAX), target);
  ASSERT_EQ(read.status().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(read.status().detail().position, 15'000);
}

TEST_F(SegmentTest, FindsTheFirstRecordAtOrAfterATimestamp) {
  Create();
  for (int i = 0; i < 100; ++i) {
    MustAppendNow(MakeBatch({.records = 5,
                             .value_bytes = 50,
                             .timestamp = 1000 + i * 100,
                             .timestamp_step = 10,
                             .leader_epoch = 3}));
  }
  EXPECT_EQ(segment_->LocateTimestamp(TimestampMs(0)).value()->offset.value, 0);
  const auto exact = segment_->LocateTimestamp(TimestampMs(5520)).value();
  EXPECT_EQ(exact->offset.value, 45 * 5 + 2);
  EXPECT_EQ(exact->timestamp.value, 5520);
  EXPECT_EQ(exact->leader_epoch, 3);
  const auto between = segment_->LocateTimestamp(TimestampMs(5541)).value();
  EXPECT_EQ(between->offset.value, 46 * 5);
  EXPECT_EQ(between->timestamp.value, 5600);
  EXPECT_FALSE(segment_->LocateTimestamp(TimestampMs(11'000)).value().has_value());
}

TEST_F(SegmentTest, TimestampsThatGoBackAndCompressedBatches) {
  Create();
  MustAppendNow(MakeBatch({.timestamp = 5000}));
  MustAppendNow(MakeBatch({.timestamp = 1000}));
  MustAppendNow(MakeBatch({.records = 4, .timestamp = 9000, .attributes = 3}));
  EXPECT_EQ(segment_->LocateTimestamp(TimestampMs(900)).value()->offset.value, 0);
  const auto compressed = segment_->LocateTimestamp(TimestampMs(6000)).value();
  EXPECT_EQ(compressed->offset.value, 2);
  EXPECT_TRUE(compressed->compressed);
  EXPECT_EQ(segment_->max_timestamp().value, 9003);
  EXPECT_EQ(segment_->max_timestamp_offset().value, 5);
  EXPECT_EQ(segment_->first_timestamp().value, 5000);
}

TEST_F(SegmentTest, FlushMovesTheDurableEndAndTheSlotFollows) {
  Create();
  MustAppendNow(MakeBatch({}));
  EXPECT_EQ(segment_->durable().offset.value, 0);
  ASSERT_EQ(segment_->Flush().value(), segment_->published());
  EXPECT_EQ(segment_->durable(), segment_->published());
  EXPECT_EQ(slot_->Snapshot().durable_offset.value, 1);
  EXPECT_EQ(slot_->Snapshot().end_offset.value, 1);
}

TEST_F(SegmentTest, SealLeavesExactFilesAndEndsAppending) {
  Create();
  MustAppendNow(MakeBatch({}));
  EXPECT_GT(FileBytes(kLog).size(), MakeBatch({}).size());  // reserved space behind the end
  ASSERT_OK(segment_->Seal());
  EXPECT_EQ(FileBytes(kLog).size(), MakeBatch({}).size());
  EXPECT_EQ(LiveMappings(), 1) << "only the one of .ends";
  EXPECT_EQ(AppendNow(MakeBatch({})), AppendOutcome::kFailed);
  EXPECT_EQ(error_.code(), ErrorCode::kClosed);
  EXPECT_OK(segment_->Seal());
  EXPECT_EQ(segment_->Flush().value().offset.value, 1);
  EXPECT_EQ(ReadFrom(0).size(), MakeBatch({}).size());
}

TEST_F(SegmentTest, SpaceReservedGrowsWithUse) {
  Create();
  ASSERT_OK(Append(MakeBatch({})).status());
  EXPECT_LE(FileBytes(kLog).size(), 16u << 10);
  ASSERT_OK(Append(MakeBatchOfSize(200 << 10)).status());
  ASSERT_OK(Append(MakeBatchOfSize(1000)).status());
  EXPECT_LE(FileBytes(kLog).size(), 512u << 10);
}

TEST_F(SegmentTest, TruncateCutsLogIndexesAndTheSlot) {
  Create();
  for (int i = 0; i < 30; ++i) MustAppendNow(MakeBatchOfSize(1000, {.timestamp = 100 + i}));
  ASSERT_OK(segment_->Flush().status());
  ASSERT_OK(segment_->TruncateTo(RecordOffset(12)));
  EXPECT_EQ(segment_->published(), (LogEnd{FilePosition(12'000), RecordOffset(12)}));
  EXPECT_EQ(segment_->durable().offset.value, 12);
  EXPECT_EQ(segment_->max_timestamp().value, 111);
  EXPECT_EQ(slot_->Snapshot().generation, 1);
  EXPECT_EQ(slot_->Snapshot().end_offset.value, 12);
  EXPECT_EQ(slot_->Snapshot().durable_offset.value, 12);
  EXPECT_EQ(ReadFrom(11, 5000).size(), 1000u);
  MustAppendNow(MakeBatchOfSize(1000, {.timestamp = 999}));
  EXPECT_EQ(ReadFrom(12, 5000).size(), 1000u);
  ASSERT_OK(segment_->TruncateTo(RecordOffset(0)));
  EXPECT_EQ(segment_->published(), (LogEnd{FilePosition(0), RecordOffset(0)}));
  EXPECT_EQ(segment_->max_timestamp().value, -1);
}

TEST_F(SegmentTest, AReadBehindACutDoesNotGoOnWhereTheLastOneEnded) {
  Create();
  for (int i = 0; i < 3; ++i) MustAppendNow(MakeBatchOfSize(1000));
  EXPECT_EQ(ReadFrom(0, 2000).size(), 2000u);
  ASSERT_OK(segment_->TruncateTo(RecordOffset(1)));
  // Where offset 2 used to begin now lies the value of a record that looks like a batch with offset 2.
  Bytes trap = MakeBatchOfSize(3000);
  const Bytes bait = MakeBatchOfSize(500, {.base_offset = 2});
  std::copy(bait.begin(), bait.end(), trap.begin() + 1000);
  MustAppendNow(trap);
  MustAppendNow(MakeBatchOfSize(700, {.fill = 'y'}));
  const Bytes read = ReadFrom(2);
  ASSERT_EQ(read.size(), 700u);
  EXPECT_EQ(read[600], 'y');
}

TEST_F(SegmentTest, AKillLosesNothingAndWhatWasHalfWrittenIsErased) {
  Create();
  for (int i = 0; i < 50; ++i) MustAppendNow(MakeBatchOfSize(900, {.timestamp = i}));
  const LogEnd end = segment_->published();
  // A whole, valid batch that was stored and never published.
  WriteBytes(kLog, end.position.value, Stamped(MakeBatchOfSize(5000), end.offset.value, -1));
  Kill();
  ASSERT_EQ(directory_->left_behind(), LeftBehind::kKilled);
  ASSERT_EQ(BelievedEnd(), end);
  SegmentOptions options = Options();
  options.end = end;
  ASSERT_OK(TryOpen(options));
  EXPECT_EQ(segment_->published(), end);
  EXPECT_EQ(segment_->max_timestamp().value, 49);
  EXPECT_EQ(segment_->first_timestamp().value, 0);
  const Bytes file = FileBytes(kLog);
  EXPECT_TRUE(
      std::all_of(file.begin() + end.position.value, file.end(), [](uint8_t byte) { return byte == 0; }));
  MustAppendNow(MakeBatchOfSize(900));
  ASSERT_OK(segment_->Seal());
  ScanOptions scan;
  scan.folder = "/data/t-0";
  scan.verify_indexes = true;
  const ScanResult result = ScanSegment(memory_, scan).value();
  EXPECT_EQ(result.batches, 51);
  EXPECT_TRUE(result.index_faults.empty());
}

TEST_F(SegmentTest, AKillMayLoseIndexEntriesAndPartsOfThem) {
  Create();
  for (int i = 0; i < 50; ++i) MustAppendNow(MakeBatchOfSize(900, {.timestamp = i}));
  const LogEnd end = segment_->published();
  ASSERT_OK(segment_->Flush().status());  // writes the index entries
  segment_.reset();
  auto index = memory_.Open("/data/t-0/00000000000000000000.index", OpenMode::kReadWrite);
  ASSERT_OK((*index)->Truncate(3 * 8 + 5));
  Kill();
  SegmentOptions options = Options();
  options.end = end;
  ASSERT_OK(TryOpen(options));
  ASSERT_OK(segment_->Seal());
  ScanOptions scan;
  scan.folder = "/data/t-0";
  scan.verify_indexes = true;
  EXPECT_TRUE(ScanSegment(memory_, scan).value().index_faults.empty());
  EXPECT_EQ(FileBytes(kIndex).size(), 9u * 8);
}

TEST_F(SegmentTest, AnEndThatTheBatchesDoNotLeadToIsCorrupt) {
  Create();
  for (int i = 0; i < 3; ++i) MustAppendNow(MakeBatchOfSize(900));
  segment_.reset();
  SegmentOptions options = Options();
  options.end = LogEnd{FilePosition(1000), RecordOffset(1)};
  EXPECT_EQ(TryOpen(options).code(), ErrorCode::kCorrupt);
  options.end = LogEnd{FilePosition(1 << 19), RecordOffset(3)};
  EXPECT_EQ(TryOpen(options).code(), ErrorCode::kCorrupt);
  options.end = LogEnd{FilePosition(2700), RecordOffset(2)};
  EXPECT_EQ(TryOpen(options).code(), ErrorCode::kCorrupt);
  options.end = LogEnd{FilePosition(2700), RecordOffset(3)};
  EXPECT_OK(TryOpen(options));
}

TEST_F(SegmentTest, CreatingOverExistingFilesAndOpeningMissingOnes) {
  Create();
  SegmentOptions options = Options();
  options.create = true;
  EXPECT_OK(TryOpen(options));  // empty: what a roll that was killed leaves
  MustAppendNow(MakeBatch({}));
  EXPECT_EQ(TryOpen(options).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(TryOpen(Options(5)).code(), ErrorCode::kNotFound);
  options.segment_bytes = int64_t{1} << 32;
  EXPECT_EQ(TryOpen(options).code(), ErrorCode::kInvalidArgument);
}

TEST_F(SegmentTest, AFailedFlushTakesTheDirectoryOfflineAndReadsGoOn) {
  segment_.reset();
  directory_.reset();
  FaultIo faults(memory_);
  directory_ = DataDirectory::Open(faults, "/data", {}).value();
  slot_ = directory_->Slot(kTopic, 0).value();
  int told = 0;
  directory_->OnOffline([&](const Status&) { ++told; });
  Create();
  MustAppendNow(MakeBatch({}));
  faults.Inject(
      {.fail_nth = 1, .kinds = static_cast<uint32_t>(IoKind::kMsync) | static_cast<uint32_t>(IoKind::kSync)});
  EXPECT_EQ(segment_->Flush().status().code(), ErrorCode::kIo);
  faults.Clear();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(segment_->Flush().status().code(), ErrorCode::kOffline);
  EXPECT_EQ(AppendNow(MakeBatch({})), AppendOutcome::kFailed);
  EXPECT_EQ(error_.code(), ErrorCode::kOffline);
  EXPECT_EQ(ReadFrom(0).size(), MakeBatch({}).size());
  segment_.reset();
  directory_.reset();
  auto again = DataDirectory::Open(memory_, "/data", {});
  ASSERT_OK(again.status());
  EXPECT_EQ((*again)->left_behind(), LeftBehind::kScan);
}

TEST_F(SegmentTest, AFullDiskIsRetriableAndChangesNothing) {
  segment_.reset();
  directory_.reset();
  FaultIo faults(memory_);
  directory_ = DataDirectory::Open(faults, "/data", {}).value();
  slot_ = directory_->Slot(kTopic, 0).value();
  Create();
  MustAppendNow(MakeBatch({}));
  const LogEnd before = segment_->published();
  const Bytes large = MakeBatchOfSize(100 << 10);
  for (const IoKind kind : {IoKind::kReserve, IoKind::kWrite}) {
    faults.Inject({.fail_nth = 1,
                   .sticky = true,
                   .kinds = static_cast<uint32_t>(kind),
                   .path_includes = ".log",
                   .sys_errno = 28});
    EXPECT_EQ(Append(large).status().code(), ErrorCode::kNoSpace);
    faults.Clear();
    EXPECT_EQ(segment_->published(), before);
    EXPECT_EQ(slot_->Snapshot().end_offset, before.offset);
    EXPECT_FALSE(directory_->offline());
  }
  EXPECT_OK(Append(large).status());
  segment_.reset();
  directory_.reset();
}

}  // namespace
/// Records from outside, whole or large: what breaks the rules is refused and leaves nothing behind.
TEST_F(SegmentTest, RecordsAreCheckedWhereTheyAreStored) {
  Create(Options());
  const auto rules = [](int64_t oldest, int64_t newest, bool keyed = false) {
    return AppendOptions{.crc = CrcMode::kVerify,
                         .records = RecordRules{TimestampMs(oldest), TimestampMs(newest), keyed}};
  };
  for (const size_t value_bytes : {size_t{10}, size_t{200'000}}) {
    const Bytes good = MakeBatch({.records = 2, .value_bytes = value_bytes});
    const LogEnd before = segment_->published();
    EXPECT_EQ(Append(good, rules(0, 1000)).status().code(), ErrorCode::kInvalidBatch);
    EXPECT_EQ(Append(good, rules(1001, 5000)).status().code(), ErrorCode::kInvalidBatch);
    EXPECT_EQ(Append(good, rules(0, 5000, true)).status().code(), ErrorCode::kInvalidBatch);
    Bytes broken = good;
    broken[kBatchOverhead] = 0x7e;
    PatchCrc(broken.data(), Crc32c(broken.data() + kCrcStart, broken.size() - kCrcStart));
    EXPECT_EQ(Append(broken, rules(0, 5000)).status().code(), ErrorCode::kInvalidBatch);
    EXPECT_EQ(segment_->published(), before);

    Bytes lying = good;
    PatchMaxTimestamp(lying.data(), TimestampMs(7'000));
    PatchCrc(lying.data(), Crc32c(lying.data() + kCrcStart, lying.size() - kCrcStart));
    auto appended = Append(lying, rules(1000, 1001));
    ASSERT_OK(appended.status());
    EXPECT_EQ(appended->max_timestamp, TimestampMs(1001));
    EXPECT_EQ(segment_->max_timestamp(), TimestampMs(1001));
    Bytes stored(good.size());
    ASSERT_OK(segment_->ReadAt(before.position, stored));
    EXPECT_EQ(stored, Stamped(good, before.offset.value, -1));
  }
}

/// Large batches are checked and written where they lie, in one piece or spread over several, and stay as
/// they were; only what is stored differs from them.
TEST_F(SegmentTest, LargeBatchesAreCheckedAndWrittenWhereTheyLie) {
  SegmentOptions roomy = Options();
  roomy.segment_bytes = 16 << 20;
  Create(roomy);
  const AppendOptions checked{
      .crc = CrcMode::kVerify,
      .records = RecordRules{TimestampMs(0), TimestampMs(5000), false},
  };
  AppendOptions stamped = checked;
  stamped.append_time = TimestampMs(4321);
  const Bytes first = MakeBatch({.records = 3, .value_bytes = 50'000});
  Bytes lying = MakeBatch({.records = 2, .value_bytes = 60'000});
  PatchMaxTimestamp(lying.data(), TimestampMs(7'000));
  PatchCrc(lying.data(), Crc32c(lying.data() + kCrcStart, lying.size() - kCrcStart));
  const Bytes given = Joined({first, lying});
  const auto end_of_first = first.size();
  using Cuts = std::vector<size_t>;
  for (const Cuts& cuts :
       {Cuts{}, Cuts{30}, Cuts{61}, Cuts{61, 100'000}, Cuts{end_of_first},
        Cuts{end_of_first - 1, end_of_first + 10, end_of_first + 61, end_of_first + 70'000}}) {
    for (const AppendOptions& options : {checked, stamped}) {
      const bool is_stamped = options.append_time.value >= 0;
      Bytes source = given;
      std::vector<ByteSpan> parts;
      size_t from = 0;
      for (const size_t cut : cuts) {
        parts.push_back(ByteSpan(source).subspan(from, cut - from));
        from = cut;
      }
      parts.push_back(ByteSpan(source).subspan(from));
      const LogEnd before = segment_->published();

      source.back() ^= 1;  // in the record's header count, of the second batch alone
      EXPECT_EQ(segment_->Append(parts, options).status().code(), ErrorCode::kCorruptBatch);
      EXPECT_EQ(segment_->published(), before);
      source.back() ^= 1;

      auto appended = segment_->Append(parts, options);
      ASSERT_OK(appended.status());
      EXPECT_EQ(appended->max_timestamp, TimestampMs(is_stamped ? 4321 : 1002));
      EXPECT_EQ(source, given);
      Bytes stored(given.size());
      ASSERT_OK(segment_->ReadAt(before.position, stored));
      int64_t offset = before.offset.value;
      size_t at = 0;
      for (const Bytes& batch : {first, MakeBatch({.records = 2, .value_bytes = 60'000})}) {
        Bytes expected = Stamped(batch, offset, -1);
        if (is_stamped) {
          PatchAppendTime(expected.data(), TimestampMs(4321));
          PatchCrc(expected.data(), Crc32c(expected.data() + kCrcStart, expected.size() - kCrcStart));
        }
        EXPECT_EQ(Bytes(stored.begin() + static_cast<ptrdiff_t>(at),
                        stored.begin() + static_cast<ptrdiff_t>(at + batch.size())),
                  expected);
        at += batch.size();
        offset += batch.size() == first.size() ? 3 : 2;
      }
    }
  }
}

}  // namespace seglog::test
