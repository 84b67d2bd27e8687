// The commit journal: its format byte by byte, the ring, what fails, and the flusher's rounds through it.
#include "commit_journal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <semaphore>
#include <thread>

#include "fault_io.h"
#include "flusher.h"
#include "journal_replay.h"
#include "segment_fixture.h"

namespace seglog::test {
namespace {

constexpr uint32_t kFlushes = static_cast<uint32_t>(IoKind::kSync) | static_cast<uint32_t>(IoKind::kMsync);
constexpr JournalId kId{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

Bytes FrameOf(const JournalId& id, uint64_t sequence, uint64_t tail, const std::string& body) {
  JournalFrame frame;
  frame.Begin(1, 64 << 10);
  const MutableByteSpan room = frame.Add(kTopic, 3, RecordOffset(7), FilePosition(9), body.size());
  std::memcpy(room.data(), body.data(), body.size());
  const ByteSpan bytes = frame.Finish(id, sequence, tail);
  return {bytes.begin(), bytes.end()};
}

TEST(JournalFormatTest, AFrameByteByByte) {
  const Bytes frame = FrameOf(kId, 5, 4, "hello");
  ASSERT_EQ(frame.size(), kJournalBlockBytes);
  const uint8_t head[] = {'S', 'G', 'L', 'F', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 5, 0,  0,
                          0,   0,   0,   0,   0, 4, 0, 0, 0, 0, 0, 0, 0, 1,  0,  0,  0,  0,  16, 0,  0, 112};
  EXPECT_TRUE(std::equal(std::begin(head), std::end(head), frame.begin() + 4));
  const uint8_t entry[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 3, 0, 0, 0,
                           5, 0, 0, 0, 7, 0, 0, 0, 0, 0,  0,  0,  9,  0,  0,  0,  0, 0, 0, 0};
  EXPECT_TRUE(std::equal(std::begin(entry), std::end(entry), frame.begin() + 64));
  EXPECT_EQ(std::string(frame.begin() + 112, frame.begin() + 117), "hello");
  EXPECT_TRUE(std::all_of(frame.begin() + 117, frame.end(), [](uint8_t byte) { return byte == 0; }));
  const auto peeked = journal_format::PeekFrame(frame, kId);
  ASSERT_TRUE(peeked.has_value());
  const auto table = journal_format::ParseTable(frame, *peeked);
  ASSERT_TRUE(table.has_value());
  ASSERT_EQ(table->size(), 1u);
  const ByteSpan body = ByteSpan(frame).subspan((*table)[0].body_at, (*table)[0].length);
  EXPECT_TRUE(journal_format::BodyIsIntact(body, (*table)[0], kId, 5));
  EXPECT_FALSE(journal_format::BodyIsIntact(body, (*table)[0], kId, 6))
      << "an older frame's body in its place";
}

TEST(JournalFormatTest, EveryFlippedBitOfTheHeadIsFound) {
  const Bytes good = FrameOf(kId, 5, 4, "hello");
  for (size_t bit = 0; bit < 112 * 8; ++bit) {
    Bytes frame = good;
    frame[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const auto peeked = journal_format::PeekFrame(frame, kId);
    EXPECT_FALSE(peeked && journal_format::ParseTable(frame, *peeked)) << "bit " << bit;
  }
  JournalId other = kId;
  other[15] ^= 1;
  EXPECT_FALSE(journal_format::PeekFrame(good, other)) << "another journal's";
}

TEST(JournalFormatTest, AHeaderThatIsNotWholeIsNone) {
  Bytes block(kJournalBlockBytes);
  EXPECT_FALSE(journal_format::ParseHeader(block));
  journal_format::FillHeader(block, kId);
  ASSERT_TRUE(journal_format::ParseHeader(block));
  EXPECT_EQ(journal_format::ParseHeader(block)->id, kId);
  block[20] ^= 1;
  EXPECT_FALSE(journal_format::ParseHeader(block));
  EXPECT_FALSE(journal_format::ParseHeader(ByteSpan(block).first(10)));
}

/// Several partitions with a segment each, behind an Io that can fail.
class CommitJournalTest : public ::testing::Test {
 protected:
  static constexpr size_t kPartitions = 6;

  void SetUp() override { OpenDirectory(); }
  void TearDown() override {
    segments_.clear();
    directory_.reset();
    EXPECT_EQ(LiveMappings(), 0);
  }

  TopicId Id(size_t index) {
    TopicId id{};
    id[15] = static_cast<uint8_t>(index);
    return id;
  }

  void OpenDirectory(DirectoryOptions options = {}) {
    auto directory = DataDirectory::Open(faults_, "/data", options);
    ASSERT_TRUE(directory.ok()) << directory.status().ToString();
    directory_ = std::move(*directory);
  }

  void MakeSegments(size_t count = kPartitions) {
    for (size_t i = 0; i < count; ++i) {
      const std::string folder = "t-" + std::to_string(i);
      ASSERT_OK(directory_->MakeDirectory(folder));
      // The last byte of the id lies in the last two digits.
      std::string text = "version: 0\ntopic_id: ";
      const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
      text += std::string(20, 'A') + digits[i >> 2] + digits[(i & 3) << 4];
      ASSERT_OK(directory_->ReplaceFile(folder + "/partition.metadata",
                                        {reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
      SegmentOptions options;
      options.folder = folder;
      options.active = options.create = true;
      options.slot = directory_->Slot(Id(i), static_cast<int32_t>(i)).value();
      auto segment = Segment::Open(directory_, nullptr, options);
      ASSERT_TRUE(segment.ok()) << segment.status().ToString();
      segments_.push_back(*segment);
      Append(i, 100);
      ASSERT_TRUE(segments_[i]->Flush().ok());  // its name is on disk
    }
    ASSERT_OK(directory_->journal()->Prepare());
  }

  void Append(size_t index, size_t bytes) {
    const Bytes batch = MakeBatchOfSize(bytes);
    const std::vector<ByteSpan> parts = Parts(batch);
    ASSERT_TRUE(segments_[index]->Append(parts, {}).ok());
  }

  /// A round of all segments that can join. The number that was served, or the failure.
  Result<size_t> Round() {
    CommitJournal& journal = *directory_->journal();
    JournalFrame& frame = journal.NewFrame(segments_.size());
    std::vector<std::pair<Segment*, bool>> members;
    std::vector<JournalSource*> sources;
    for (const auto& segment : segments_) {
      if (!segment->BeginJournal()) continue;
      const bool added = segment->AddTo(&frame);
      if (added) sources.push_back(segment.get());
      members.emplace_back(segment.get(), added);
    }
    auto committed = journal.Commit(sources);
    size_t served = 0;
    for (const auto& [segment, added] : members) {
      const bool done = added && committed.ok() && *committed;
      segment->EndJournal(done);
      if (done) ++served;
    }
    if (!committed.ok()) return committed.status();
    return served;
  }

  int64_t Waiting() { return UseJournal(memory_, "/data", JournalUse::kCount).value().entries; }

  MemoryIo memory_;
  FaultIo faults_{memory_};
  std::shared_ptr<DataDirectory> directory_;
  std::vector<std::shared_ptr<Segment>> segments_;
};

TEST_F(CommitJournalTest, OneFlushMakesAllOfThemDurableAndReplayPutsThemInPlace) {
  MakeSegments();
  for (size_t i = 0; i < kPartitions; ++i) Append(i, 200 + i);
  faults_.Inject({.kinds = kFlushes});
  ASSERT_EQ(Round().value(), kPartitions);
  EXPECT_EQ(faults_.calls(), 1) << "flushes";
  for (const auto& segment : segments_) {
    EXPECT_EQ(segment->durable(), segment->published());
    EXPECT_LT(segment->flushed().position, segment->published().position);
  }
  faults_.Clear();
  memory_.PowerLoss(9);
  segments_.clear();
  directory_.reset();
  EXPECT_EQ(Waiting(), int64_t{kPartitions});
  OpenDirectory();
  EXPECT_EQ(directory_->left_behind(), LeftBehind::kScan);
  EXPECT_FALSE(directory_->Stat(".journal").value()) << "what was replayed is removed";
  for (size_t i = 0; i < kPartitions; ++i) {
    ScanOptions options;
    options.folder = "/data/t-" + std::to_string(i);
    EXPECT_EQ(ScanSegment(memory_, options).value().end_position.value, int64_t(300 + i));
  }
}

TEST_F(CommitJournalTest, SettlingBringsTheFilesUpAndLeavesNothingToReplay) {
  MakeSegments();
  for (size_t i = 0; i < kPartitions; ++i) Append(i, 200);
  ASSERT_EQ(Round().value(), kPartitions);
  EXPECT_EQ(Waiting(), int64_t{kPartitions});
  ASSERT_OK(directory_->SettleJournal());
  EXPECT_EQ(Waiting(), 0);
  EXPECT_EQ(directory_->journal()->live_bytes(), 0);
  for (const auto& segment : segments_) EXPECT_EQ(segment->flushed(), segment->published());
}

TEST_F(CommitJournalTest, AFailedFlushOfItPoisonsAndTellsEveryWaiter) {
  MakeSegments();
  for (size_t i = 0; i < kPartitions; ++i) Append(i, 200);
  faults_.Inject({.fail_nth = 1, .kinds = static_cast<uint32_t>(IoKind::kSync), .path_includes = ".journal"});
  EXPECT_EQ(Round().status().code(), ErrorCode::kIo);
  EXPECT_TRUE(directory_->offline());
  for (const auto& segment : segments_) EXPECT_LT(segment->durable().position, segment->published().position);
  faults_.Clear();
  segments_.clear();
  directory_.reset();
  OpenDirectory();
  EXPECT_EQ(directory_->left_behind(), LeftBehind::kScan) << "poisoned";
}

TEST_F(CommitJournalTest, AFailedFlushBehindItGoesOfflineAndKeepsTheEntries) {
  MakeSegments();
  for (size_t i = 0; i < kPartitions; ++i) Append(i, 200);
  ASSERT_EQ(Round().value(), kPartitions);
  faults_.Inject({.fail_nth = 3, .kinds = kFlushes, .path_includes = "t-"});
  EXPECT_FALSE(directory_->SettleJournal().ok());
  EXPECT_TRUE(directory_->offline());
  faults_.Clear();
  EXPECT_EQ(Waiting(), int64_t{kPartitions});
  memory_.PowerLoss(4);
  segments_.clear();
  directory_.reset();
  OpenDirectory();
  for (size_t i = 0; i < kPartitions; ++i) {
    ScanOptions options;
    options.folder = "/data/t-" + std::to_string(i);
    EXPECT_EQ(ScanSegment(memory_, options).value().end_position.value, 300);
  }
}

TEST_F(CommitJournalTest, AFullRingTakesNothingMoreUntilItIsSettled) {
  directory_.reset();
  OpenDirectory({.journal_bytes = 40 << 10});
  MakeSegments();
  size_t rounds = 0;
  for (; rounds < 100; ++rounds) {
    Append(0, 500);
    if (Round().value() == 0) break;
  }
  EXPECT_GT(rounds, 3u);
  EXPECT_LT(rounds, 10u);
  ASSERT_OK(directory_->SettleJournal());
  for (int i = 0; i < 30; ++i) {
    Append(0, 500);
    ASSERT_EQ(Round().value(), kPartitions) << "round " << i;
    ASSERT_OK(directory_->SettleJournal());
  }
}

TEST_F(CommitJournalTest, MoreThan64KiBIsFlushedByItself) {
  MakeSegments();
  Append(0, 70 << 10);
  Append(1, 200);
  EXPECT_EQ(Round().value(), kPartitions - 1);
  EXPECT_LT(segments_[0]->durable().position, segments_[0]->published().position);
  EXPECT_EQ(segments_[1]->durable(), segments_[1]->published());
}

TEST_F(CommitJournalTest, AFullDiskGivesNoJournalAndTakesTheOneThereIs) {
  MakeSegments();
  EXPECT_TRUE(directory_->Stat(".journal").value());
  // A checkpoint that finds no room, even with the ballast given back.
  faults_.Inject({.fail_nth = 1, .sticky = true, .path_includes = "checkpoint", .sys_errno = 28});
  EXPECT_EQ(directory_->ReplaceFile("a-checkpoint", Bytes{1}).code(), ErrorCode::kNoSpace);
  EXPECT_FALSE(directory_->Stat(".journal").value());
  EXPECT_FALSE(directory_->journal()->Ready());
  faults_.Inject({.fail_nth = 1, .sticky = true, .path_includes = ".journal", .sys_errno = 28});
  EXPECT_EQ(directory_->journal()->Prepare().code(), ErrorCode::kNoSpace);
  faults_.Clear();
  EXPECT_FALSE(directory_->Stat(".journal").value());
  EXPECT_FALSE(directory_->offline());
  ASSERT_OK(directory_->journal()->Prepare());
}

TEST_F(CommitJournalTest, AJournalOfANewerVersionIsNotIgnored) {
  MakeSegments();
  directory_->journal()->Stop();
  memory_.PowerLoss(1);
  segments_.clear();
  directory_.reset();
  auto file = memory_.Open("/data/.journal", OpenMode::kReadWrite).value();
  uint8_t block[36];
  ASSERT_EQ(file->ReadAt(0, block, sizeof block).value(), sizeof block);
  block[8] = 2;
  const uint32_t crc = Crc32c(block, 32);
  std::memcpy(block + 32, &crc, sizeof crc);
  const IoSlice slice{block, sizeof block};
  ASSERT_OK(file->WriteAt(0, &slice, 1));
  EXPECT_EQ(DataDirectory::Open(memory_, "/data", {}).status().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(DataDirectory::Open(memory_, "/data", {.read_only = true}).status().code(),
            ErrorCode::kUnsupported);
}

TEST_F(CommitJournalTest, AnotherTopicUnderTheSameNameIsLeftAlone) {
  MakeSegments(2);
  Append(0, 200);
  Append(1, 200);
  ASSERT_EQ(Round().value(), 2u);
  memory_.PowerLoss(2);
  segments_.clear();
  directory_.reset();
  const std::string other = "version: 0\ntopic_id: BBBBBBBBBBBBBBBBBBBBBA";
  auto file = memory_.Open("/data/t-0/partition.metadata", OpenMode::kCreate).value();
  const IoSlice slice{reinterpret_cast<const uint8_t*>(other.data()), other.size()};
  ASSERT_OK(file->WriteAt(0, &slice, 1));
  const JournalReplay replay = UseJournal(memory_, "/data", JournalUse::kReplay).value();
  EXPECT_EQ(replay.entries, 1);
  EXPECT_EQ(replay.skipped, 1);
}

/// A target of the flusher, as the addon makes it.
class SegmentTarget final : public FlushTarget {
 public:
  explicit SegmentTarget(std::shared_ptr<Segment> segment) : segment_(std::move(segment)) {}
  Status FlushRound() override {
    ++rounds;
    return segment_->Flush().status();
  }
  JournalSource* journal_source() override { return segment_.get(); }
  std::atomic<int> rounds = 0;

 private:
  const std::shared_ptr<Segment> segment_;
};

struct Waiter final : Operation {
  size_t partition = 0;
  FilePosition published;
  void Run() override {}
};

TEST_F(CommitJournalTest, RoundsOfTheFlusherGoThroughItOnceMoreThanAFewWait) {
  MakeSegments();
  std::counting_semaphore<> wake{0};
  CompletionQueue completions([&] { wake.release(); });
  Flusher flusher(4, &completions);
  auto group = std::make_shared<FlushGroup>(directory_);
  std::vector<std::shared_ptr<SegmentTarget>> targets;
  std::vector<std::shared_ptr<FlushQueue>> queues;
  for (const auto& segment : segments_) {
    targets.push_back(std::make_shared<SegmentTarget>(segment));
    queues.push_back(std::make_shared<FlushQueue>(targets.back(), group));
  }
  const auto ask = [&](size_t partitions) {
    std::vector<FlushRequest> batch;
    for (size_t i = 0; i < partitions; ++i) {
      Append(i, 300);
      auto waiter = std::make_unique<Waiter>();
      waiter->partition = i;
      waiter->published = segments_[i]->published().position;
      batch.push_back({queues[i], std::move(waiter)});
    }
    flusher.Request(std::move(batch));
    for (size_t done = 0; done < partitions;) {
      wake.acquire();
      for (const auto& operation : completions.Take()) {
        const auto& waiter = static_cast<const Waiter&>(*operation);
        EXPECT_OK(waiter.outcome);
        EXPECT_GE(segments_[waiter.partition]->durable().position, waiter.published);
        ++done;
      }
    }
  };
  ask(FlushGroup::kFew);
  for (size_t i = 0; i < FlushGroup::kFew; ++i) EXPECT_EQ(targets[i]->rounds, 1);
  EXPECT_EQ(Waiting(), 0);
  ask(kPartitions);
  EXPECT_EQ(targets.back()->rounds, 0);
  EXPECT_GT(Waiting(), 0);
  for (int i = 0; i < 50; ++i) ask(kPartitions);
  flusher.Stop();
}

TEST_F(CommitJournalTest, TheKeeperMakesTheFileAndFlushesBehindIt) {
  MakeSegments();
  ASSERT_OK(directory_->journal()->Remove());
  directory_.reset();
  segments_.clear();
  OpenDirectory();
  CommitJournal& journal = *directory_->journal();
  while (!journal.Ready()) std::this_thread::yield();
  EXPECT_EQ(journal.file_bytes(), CommitJournal::kFirstBytes);
}

}  // namespace
}  // namespace seglog::test
