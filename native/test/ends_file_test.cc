#include "ends_file.h"

#include <gtest/gtest.h>

#include <cstring>

#include "ends_format.h"
#include "memory_io.h"

namespace seglog::test {
namespace {

constexpr char kPath[] = "/d/.ends";
constexpr TopicId kTopic{1, 2, 3};

class EndsFileTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override { ASSERT_TRUE(io_.MakeDirectory("/d").ok()); }

  void Open(EndsStart start) {
    file_.reset();
    const EndsContents before = Read();
    auto opened = EndsFile::Open(io_, kPath, start, before, GetParam());
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    file_ = std::move(*opened);
  }

  EndsContents Read() { return EndsFile::Read(io_, kPath).value(); }

  EndsSlot* Slot(int32_t partition) { return file_->Slot(kTopic, partition).value(); }

  void Overwrite(int64_t position, const std::vector<uint8_t>& bytes) {
    auto file = io_.Open(kPath, OpenMode::kReadWrite);
    const IoSlice slice{bytes.data(), bytes.size()};
    ASSERT_TRUE((*file)->WriteAt(position, &slice, 1).ok());
  }

  MemoryIo io_;
  std::unique_ptr<EndsFile> file_;
};

TEST_P(EndsFileTest, MissingFileSaysNothing) {
  EXPECT_FALSE(Read().found);
  EXPECT_FALSE(Read().believable);
}

TEST_P(EndsFileTest, PublishedEndsAreReadBack) {
  Open(EndsStart::kEmpty);
  EndsSlot* slot = Slot(3);
  slot->SetSegment(RecordOffset(100), FilePosition(0), RecordOffset(100));
  slot->PublishEnd(FilePosition(128), RecordOffset(101));
  slot->PublishEnd(FilePosition(256), RecordOffset(102));
  slot->SetDurable(RecordOffset(100), FilePosition(128), RecordOffset(101));
  slot->SetMarks(RecordOffset(102), std::nullopt, RecordOffset(7));
  ASSERT_TRUE(file_->WriteOut().ok());
  const EndsContents contents = Read();
  EXPECT_TRUE(contents.believable);
  ASSERT_EQ(contents.partitions.size(), 1u);
  const PartitionEnds& ends = contents.partitions[0];
  EXPECT_EQ(ends, slot->Snapshot());
  EXPECT_EQ(ends.partition, 3);
  EXPECT_EQ(ends.topic_id, kTopic);
  EXPECT_EQ(ends.end_position.value, 256);
  EXPECT_EQ(ends.durable_offset.value, 101);
  EXPECT_EQ(ends.high_watermark.value, 102);
  EXPECT_EQ(ends.last_stable_offset.value, -1);
  EXPECT_EQ(ends.log_start_offset.value, 7);
}

TEST_P(EndsFileTest, ASlotNobodyPublishedIntoIsNoClaim) {
  Open(EndsStart::kEmpty);
  Slot(1);
  ASSERT_TRUE(file_->Flush().ok());
  EXPECT_TRUE(Read().believable);
  EXPECT_TRUE(Read().partitions.empty());
}

TEST_P(EndsFileTest, ADamagedCopyLeavesTheOneBefore) {
  Open(EndsStart::kEmpty);
  EndsSlot* slot = Slot(0);
  slot->SetSegment(RecordOffset(0), FilePosition(0), RecordOffset(0));
  slot->PublishEnd(FilePosition(100), RecordOffset(1));
  slot->PublishEnd(FilePosition(200), RecordOffset(2));
  ASSERT_TRUE(file_->Flush().ok());
  file_.reset();
  // The fourth store (making the slot was the first) went to copy 0.
  Overwrite(kEndsHeaderBytes + 60, {0xff, 0xff, 0xff});
  EXPECT_EQ(Read().partitions.at(0).end_position.value, 100);
  EXPECT_TRUE(Read().believable);
  Overwrite(kEndsHeaderBytes + kEndsCopyBytes + 60, {0xff, 0xff, 0xff});
  EXPECT_TRUE(Read().partitions.empty());
  EXPECT_FALSE(Read().believable);
}

TEST_P(EndsFileTest, RetiredByACleanCloseItSaysNothing) {
  Open(EndsStart::kEmpty);
  Slot(0)->SetSegment(RecordOffset(0), FilePosition(100), RecordOffset(7));
  ASSERT_TRUE(file_->Flush().ok());
  file_->Retire();
  EXPECT_TRUE(Read().found);
  EXPECT_TRUE(Read().retired);
  EXPECT_FALSE(Read().poisoned);
  EXPECT_FALSE(Read().believable);
  EXPECT_TRUE(Read().partitions.empty());
  Open(EndsStart::kEmpty);
  EXPECT_FALSE(Read().retired);
}

TEST_P(EndsFileTest, AnotherBootAnotherFileOrPoisonIsNotBelieved) {
  Open(EndsStart::kEmpty);
  Slot(0)->SetSegment(RecordOffset(0), FilePosition(0), RecordOffset(0));
  ASSERT_TRUE(file_->Flush().ok());
  EXPECT_TRUE(Read().believable);
  file_->Poison();
  EXPECT_TRUE(Read().poisoned);
  EXPECT_FALSE(Read().believable);

  Open(EndsStart::kEmpty);
  EXPECT_TRUE(Read().believable);
  file_.reset();
  auto from = io_.Open(kPath, OpenMode::kRead);
  std::vector<uint8_t> bytes(static_cast<size_t>((*from)->Info()->size));
  ASSERT_TRUE((*from)->ReadAt(0, bytes.data(), bytes.size()).ok());
  auto to = io_.Open("/d/copy", OpenMode::kCreate);
  const IoSlice slice{bytes.data(), bytes.size()};
  ASSERT_TRUE((*to)->WriteAt(0, &slice, 1).ok());
  EXPECT_FALSE(EndsFile::Read(io_, "/d/copy").value().believable);
  EXPECT_TRUE(EndsFile::Read(io_, "/d/copy").value().partitions.empty());
  ASSERT_TRUE((*from)->Sync().ok());
  ASSERT_TRUE(io_.SyncDirectory("/").ok());
  ASSERT_TRUE(io_.SyncDirectory("/d").ok());
  from.value().reset();
  to.value().reset();
  io_.PowerLoss(1);
  EXPECT_TRUE(Read().found);
  EXPECT_FALSE(Read().believable);
}

TEST_P(EndsFileTest, ARetiredFileMakesNoClaims) {
  Open(EndsStart::kEmpty);
  Slot(0)->SetSegment(RecordOffset(0), FilePosition(10), RecordOffset(1));
  ASSERT_TRUE(file_->Flush().ok());
  file_->Retire();
  EXPECT_TRUE(Read().retired);
  EXPECT_FALSE(Read().poisoned);
  EXPECT_FALSE(Read().believable);
  EXPECT_TRUE(Read().partitions.empty());
}

TEST_P(EndsFileTest, BelievedRecordsGoOn) {
  Open(EndsStart::kEmpty);
  Slot(0)->SetSegment(RecordOffset(0), FilePosition(10), RecordOffset(1));
  Slot(1)->SetSegment(RecordOffset(0), FilePosition(20), RecordOffset(2));
  ASSERT_TRUE(file_->Flush().ok());
  Open(EndsStart::kBelieve);
  EXPECT_EQ(Slot(1)->Snapshot().end_position.value, 20);
  EXPECT_TRUE(Slot(1)->published());
  Slot(1)->PublishEnd(FilePosition(30), RecordOffset(3));
  ASSERT_TRUE(file_->Flush().ok());
  EXPECT_TRUE(Read().believable);
  EXPECT_EQ(Read().partitions.at(1).end_position.value, 30);
}

TEST_P(EndsFileTest, AfterAScanOnlyLowerBoundsAreLeftUntilPublishedAgain) {
  Open(EndsStart::kEmpty);
  Slot(0)->SetSegment(RecordOffset(0), FilePosition(10), RecordOffset(1));
  Slot(0)->SetDurable(RecordOffset(0), FilePosition(10), RecordOffset(1));
  ASSERT_TRUE(file_->Flush().ok());
  Open(EndsStart::kBounds);
  EXPECT_FALSE(Read().believable);
  EXPECT_EQ(Read().partitions.at(0).durable_position.value, 10);
  EXPECT_FALSE(Slot(0)->published());
  Slot(0)->SetSegment(RecordOffset(0), FilePosition(15), RecordOffset(2));
  ASSERT_TRUE(file_->Flush().ok());
  EXPECT_TRUE(Read().believable);
  EXPECT_EQ(Read().partitions.at(0).durable_position.value, 10);
}

TEST_P(EndsFileTest, DurableEndsNeverPassACutAndNeverGoBackOtherwise) {
  Open(EndsStart::kEmpty);
  EndsSlot* slot = Slot(0);
  slot->SetSegment(RecordOffset(0), FilePosition(50), RecordOffset(5));
  slot->SetDurable(RecordOffset(0), FilePosition(50), RecordOffset(5));
  slot->SetDurable(RecordOffset(0), FilePosition(20), RecordOffset(2));
  EXPECT_EQ(slot->Snapshot().durable_offset.value, 5);
  slot->SetSegment(RecordOffset(5), FilePosition(0), RecordOffset(5));
  EXPECT_EQ(slot->Snapshot().durable_segment_base.value, 0);
  slot->SetSegment(RecordOffset(0), FilePosition(30), RecordOffset(3));
  EXPECT_EQ(slot->Snapshot().durable_offset.value, 3);
  EXPECT_EQ(slot->Snapshot().durable_position.value, 30);
}

TEST_P(EndsFileTest, ATornUpdateBehindACutDoesNotBringTheHigherBoundBack) {
  for (const size_t torn_copy : {0, 1}) {
    Open(EndsStart::kEmpty);
    EndsSlot* slot = Slot(0);
    slot->SetSegment(RecordOffset(0), FilePosition(50), RecordOffset(5));
    slot->SetDurable(RecordOffset(0), FilePosition(50), RecordOffset(5));
    slot->SetSegment(RecordOffset(0), FilePosition(30), RecordOffset(3));
    ASSERT_TRUE(file_->Flush().ok());
    file_.reset();
    Overwrite(static_cast<int64_t>(kEndsHeaderBytes + torn_copy * kEndsCopyBytes + 60), {0xff});
    EXPECT_EQ(Read().partitions.at(0).durable_position.value, 30);
  }
}

TEST_P(EndsFileTest, AFreedRecordServesAnotherPartitionAndTheOldSlotIsDead) {
  Open(EndsStart::kEmpty);
  EndsSlot* old = Slot(0);
  old->SetSegment(RecordOffset(0), FilePosition(10), RecordOffset(1));
  old->Free();
  old->Free();
  ASSERT_TRUE(file_->Flush().ok());
  EXPECT_TRUE(Read().partitions.empty());
  EndsSlot* other = Slot(9);
  EXPECT_NE(other, old);
  other->SetSegment(RecordOffset(0), FilePosition(70), RecordOffset(7));
  old->PublishEnd(FilePosition(99), RecordOffset(9));
  ASSERT_TRUE(file_->Flush().ok());
  ASSERT_EQ(Read().partitions.size(), 1u);
  EXPECT_EQ(Read().partitions[0].partition, 9);
  EXPECT_EQ(Read().partitions[0].end_position.value, 70);
}

TEST_P(EndsFileTest, GrowsAndKeepsAddresses) {
  Open(EndsStart::kEmpty);
  std::vector<EndsSlot*> slots;
  for (int32_t i = 0; i < 1000; ++i) {
    slots.push_back(Slot(i));
    slots.back()->SetSegment(RecordOffset(i), FilePosition(0), RecordOffset(i));
  }
  for (int32_t i = 0; i < 1000; ++i) ASSERT_EQ(Slot(i), slots[static_cast<size_t>(i)]);
  ASSERT_TRUE(file_->Flush().ok());
  EXPECT_EQ(Read().partitions.size(), 1000u);
  EXPECT_TRUE(Read().believable);
}

TEST_P(EndsFileTest, EveryChangeRaisesTheCounterAndTopicsHaveTheirOwn) {
  Open(EndsStart::kEmpty);
  EndsSlot* slot = Slot(0);
  const uint32_t before = file_->change_counter();
  slot->PublishEnd(FilePosition(1), RecordOffset(1));
  EXPECT_GT(file_->change_counter(), before);
  file_->RaiseTopicsGeneration();
  ASSERT_TRUE(file_->Flush().ok());
  EXPECT_EQ(Read().topics_generation, 1);
}

TEST_P(EndsFileTest, AnyBytesAreReadWithoutHarm) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{5000}, size_t{20'000}}) {
    auto file = io_.Open(kPath, OpenMode::kCreate);
    ASSERT_TRUE((*file)->Truncate(0).ok());
    const std::vector<uint8_t> bytes(size, 0xa5);
    const IoSlice slice{bytes.data(), bytes.size()};
    if (size > 0) { ASSERT_TRUE((*file)->WriteAt(0, &slice, 1).ok()); }
    EXPECT_FALSE(Read().believable);
    EXPECT_TRUE(Read().partitions.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Lanes, EndsFileTest, ::testing::Values(true, false),
                         [](const auto& mapped) { return mapped.param ? "Mapped" : "Unmapped"; });

}  // namespace
}  // namespace seglog::test
