#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

#include "fault_io.h"
#include "memory_io.h"
#include "offset_index.h"
#include "time_index.h"

namespace seglog {
namespace {

using test::MemoryIo;

constexpr int64_t kIndexBytes = 10 << 20;
constexpr RecordOffset kBase{1000};
constexpr FilePosition kAnywhere{std::numeric_limits<int64_t>::max()};

class Indexes : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(io_.MakeDirectory("/p").ok()); }

  std::unique_ptr<OffsetIndex> Offsets(IndexMode mode, int64_t max_bytes = kIndexBytes) {
    auto index = OffsetIndex::Open(io_, "/p/0.index", kBase, max_bytes, mode);
    EXPECT_TRUE(index.ok()) << index.status().ToString();
    return std::move(*index);
  }
  std::unique_ptr<TimeIndex> Times(IndexMode mode, int64_t max_bytes = kIndexBytes) {
    auto index = TimeIndex::Open(io_, "/p/0.timeindex", kBase, max_bytes, mode);
    EXPECT_TRUE(index.ok()) << index.status().ToString();
    return std::move(*index);
  }
  std::vector<uint8_t> Bytes(const std::string& path) {
    auto file = io_.Open(path, OpenMode::kRead);
    EXPECT_TRUE(file.ok());
    std::vector<uint8_t> bytes(static_cast<size_t>((*file)->Info()->size));
    EXPECT_TRUE((*file)->ReadAt(0, bytes.data(), bytes.size()).ok());
    return bytes;
  }
  void Write(const std::string& path, const std::vector<uint8_t>& bytes) {
    auto file = io_.Open(path, OpenMode::kCreate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Truncate(0).ok());
    const IoSlice slice{bytes.data(), bytes.size()};
    ASSERT_TRUE((*file)->WriteAt(0, &slice, 1).ok());
  }
  /// Entry i is {base + 10 i + 9, 100 i}.
  static void Fill(OffsetIndex& index, int count) {
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(index.Append(kBase + (10 * i + 9), FilePosition(100 * i)).ok());
  }

  MemoryIo io_;
};

TEST_F(Indexes, OffsetEntriesOnDisk) {
  const auto index = Offsets(IndexMode::kEmpty);
  ASSERT_TRUE(index->Append(kBase + 9, FilePosition(0x1234)).ok());
  ASSERT_TRUE(index->Append(kBase + 0x01020304, FilePosition(0x7fffffff)).ok());
  EXPECT_EQ(Bytes("/p/0.index").size(), 0u);  // pending
  ASSERT_TRUE(index->WritePending().ok());
  const std::vector<uint8_t> expected = {0, 0, 0, 9, 0, 0, 0x12, 0x34, 1, 2, 3, 4, 0x7f, 0xff, 0xff, 0xff};
  EXPECT_EQ(Bytes("/p/0.index"), expected);
}

TEST_F(Indexes, TimeEntriesOnDisk) {
  const auto index = Times(IndexMode::kEmpty);
  ASSERT_TRUE(index->Append(TimestampMs(0x0102030405060708), kBase + 0x0a0b0c0d).ok());
  ASSERT_TRUE(index->WritePending().ok());
  const std::vector<uint8_t> expected = {1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13};
  EXPECT_EQ(Bytes("/p/0.timeindex"), expected);
}

TEST_F(Indexes, WritePendingWritesEachEntryOnce) {
  const auto index = Offsets(IndexMode::kEmpty);
  Fill(*index, 100);
  ASSERT_TRUE(index->WritePending().ok());
  Write("/p/0.index", {});  // what was written is not looked at again
  for (int i = 100; i < 150; ++i)
    ASSERT_TRUE(index->Append(kBase + (10 * i + 9), FilePosition(100 * i)).ok());
  ASSERT_TRUE(index->WritePending().ok());
  const std::vector<uint8_t> bytes = Bytes("/p/0.index");
  ASSERT_EQ(bytes.size(), 150u * 8);
  EXPECT_EQ(std::vector<uint8_t>(bytes.begin(), bytes.begin() + 800), std::vector<uint8_t>(800, 0));
  const std::vector<uint8_t> entry_100 = {0, 0, 0x03, 0xf1, 0, 0, 0x27, 0x10};
  EXPECT_EQ(std::vector<uint8_t>(bytes.begin() + 800, bytes.begin() + 808), entry_100);
}

// Every target around every entry, in the three ways an index can come to be.
TEST_F(Indexes, LookupFindsTheLargestNotAbove) {
  constexpr int kCount = 2000;  // several chunks, several blocks
  auto active = Offsets(IndexMode::kEmpty);
  Fill(*active, kCount);
  ASSERT_TRUE(active->WritePending().ok());
  auto loaded = Offsets(IndexMode::kActive);
  auto closed = Offsets(IndexMode::kClosed);
  for (OffsetIndex* index : {active.get(), loaded.get(), closed.get()}) {
    EXPECT_EQ(index->entries(), static_cast<size_t>(kCount));
    EXPECT_EQ(index->last().offset, kBase + (10 * kCount - 1));
    for (int target = -1; target < 10 * kCount + 5; ++target) {
      const int entry = target < 9 ? -1 : std::min((target - 9) / 10, kCount - 1);
      auto hit = index->Lookup(kBase + target);
      ASSERT_TRUE(hit.ok()) << hit.status().ToString();
      ASSERT_EQ(hit->offset, entry < 0 ? kBase : kBase + (10 * entry + 9)) << target;
      ASSERT_EQ(hit->position, FilePosition(entry < 0 ? 0 : 100 * entry)) << target;
    }
  }
}

TEST_F(Indexes, TimeLookup) {
  auto index = Times(IndexMode::kEmpty);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(index->Append(TimestampMs(5000 + 10 * i), kBase + i).ok());
  ASSERT_TRUE(index->Seal().ok());
  for (int target = 4990; target < 15'010; ++target) {
    auto hit = index->Lookup(TimestampMs(target));
    ASSERT_TRUE(hit.ok());
    const int entry = target < 5000 ? -1 : std::min((target - 5000) / 10, 999);
    ASSERT_EQ(hit->timestamp, TimestampMs(entry < 0 ? -1 : 5000 + 10 * entry)) << target;
    ASSERT_EQ(hit->offset, kBase + std::max(entry, 0)) << target;
  }
}

TEST_F(Indexes, ClosedLookupReadsOneBlock) {
  FaultIo counted(io_);
  Fill(*Offsets(IndexMode::kEmpty), 0);
  auto active = Offsets(IndexMode::kEmpty);
  Fill(*active, 5000);
  ASSERT_TRUE(active->Seal().ok());
  auto opened = OffsetIndex::Open(counted, "/p/0.index", kBase, kIndexBytes, IndexMode::kClosed);
  ASSERT_TRUE(opened.ok());
  ASSERT_TRUE((*opened)->Lookup(kBase).ok());
  counted.Inject({.kinds = static_cast<uint32_t>(IoKind::kRead)});
  ASSERT_TRUE((*opened)->Lookup(kBase + 30'000).ok());
  EXPECT_EQ(counted.calls(), 1);
  EXPECT_LT((*opened)->memory_bytes(), 1000u);
  EXPECT_GT(Offsets(IndexMode::kActive)->memory_bytes(), 5000u * 8);
}

TEST_F(Indexes, NoWaitIsColdUntilLoadedAndWhenNotCached) {
  auto active = Offsets(IndexMode::kEmpty);
  Fill(*active, 600);
  EXPECT_TRUE(active->Lookup(kBase, IndexWait::kNoWait).ok());
  ASSERT_TRUE(active->WritePending().ok());
  auto closed = Offsets(IndexMode::kClosed);
  EXPECT_EQ(closed->Lookup(kBase + 50, IndexWait::kNoWait).status().code(), ErrorCode::kCold);
  EXPECT_TRUE(closed->Lookup(kBase + 50).ok());
  EXPECT_TRUE(closed->Lookup(kBase + 50, IndexWait::kNoWait).ok());
  io_.set_cold(true);
  EXPECT_EQ(closed->Lookup(kBase + 50, IndexWait::kNoWait).status().code(), ErrorCode::kCold);
  EXPECT_TRUE(closed->Lookup(kBase + 50).ok());
  io_.set_cold(false);
  closed->ReleaseFile();
  EXPECT_EQ(closed->Lookup(kBase + 50, IndexWait::kNoWait).status().code(), ErrorCode::kCold);
  EXPECT_TRUE(closed->Lookup(kBase + 50).ok());
}

TEST_F(Indexes, TruncateDropsEntriesInMemoryAndFile) {
  auto index = Offsets(IndexMode::kEmpty);
  Fill(*index, 1000);
  ASSERT_TRUE(index->WritePending().ok());
  ASSERT_TRUE(index->TruncateTo(kBase + 509, kAnywhere).ok());  // entry 50 holds 509
  EXPECT_EQ(index->entries(), 50u);
  EXPECT_EQ(index->last().offset, kBase + 499);
  EXPECT_EQ(Bytes("/p/0.index").size(), 50u * 8);
  ASSERT_TRUE(index->TruncateTo(kBase + 5000, FilePosition(3000)).ok());  // entry 30 stands at 3000
  EXPECT_EQ(index->entries(), 30u);
  ASSERT_TRUE(index->Append(kBase + 300, FilePosition(2999)).ok());
  ASSERT_TRUE(index->WritePending().ok());
  EXPECT_EQ(Offsets(IndexMode::kActive)->last().position, FilePosition(2999));
  EXPECT_EQ(Bytes("/p/0.index").size(), 31u * 8);
  ASSERT_TRUE(index->Clear().ok());
  EXPECT_EQ(index->entries(), 0u);
  EXPECT_EQ(Bytes("/p/0.index").size(), 0u);
  EXPECT_EQ(index->last().offset, kBase);
  EXPECT_EQ(index->Lookup(kBase + 300)->position, FilePosition(0));
}

TEST_F(Indexes, TruncateMakesAClosedIndexActive) {
  auto index = Times(IndexMode::kEmpty);
  for (int i = 0; i < 700; ++i) ASSERT_TRUE(index->Append(TimestampMs(i), kBase + i).ok());
  ASSERT_TRUE(index->Seal().ok());
  EXPECT_FALSE(index->active());
  EXPECT_FALSE(index->Append(TimestampMs(700), kBase + 700).ok());
  ASSERT_TRUE(index->TruncateTo(kBase + 400).ok());
  EXPECT_TRUE(index->active());
  EXPECT_EQ(index->last().timestamp, TimestampMs(399));
  ASSERT_TRUE(index->Append(TimestampMs(1000), kBase + 400).ok());
  EXPECT_EQ(index->Lookup(TimestampMs(999))->offset, kBase + 399);
  ASSERT_TRUE(index->Seal().ok());
  EXPECT_EQ(Bytes("/p/0.timeindex").size(), 401u * 12);
}

TEST_F(Indexes, FullByIndexBytes) {
  auto offsets = Offsets(IndexMode::kEmpty, 8 * 3 + 7);
  EXPECT_EQ(offsets->max_entries(), 3u);
  Fill(*offsets, 3);
  EXPECT_TRUE(offsets->full());
  EXPECT_EQ(offsets->Append(kBase + 100, FilePosition(900)).code(), ErrorCode::kSegmentFull);
  auto times = Times(IndexMode::kEmpty, 12 * 3 + 11);
  ASSERT_TRUE(times->Append(TimestampMs(1), kBase).ok());
  EXPECT_FALSE(times->full());
  ASSERT_TRUE(times->Append(TimestampMs(2), kBase + 1).ok());
  EXPECT_TRUE(times->full());
  EXPECT_EQ(times->Append(TimestampMs(3), kBase + 2).code(), ErrorCode::kSegmentFull);
  EXPECT_TRUE(times->Append(TimestampMs(3), kBase + 2, TimeIndex::Place::kFinal).ok());
  EXPECT_EQ(times->Append(TimestampMs(4), kBase + 3, TimeIndex::Place::kFinal).code(),
            ErrorCode::kSegmentFull);
}

TEST_F(Indexes, AppendsMustIncrease) {
  auto offsets = Offsets(IndexMode::kEmpty);
  ASSERT_TRUE(offsets->Append(kBase + 5, FilePosition(100)).ok());
  EXPECT_EQ(offsets->Append(kBase + 5, FilePosition(200)).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(offsets->Append(kBase + 6, FilePosition(100)).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(offsets->Append(kBase - 1, FilePosition(200)).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(offsets->Append(kBase + (int64_t{1} << 31), FilePosition(200)).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(offsets->Append(kBase + 6, FilePosition(int64_t{1} << 31)).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(offsets->entries(), 1u);
  auto times = Times(IndexMode::kEmpty);
  ASSERT_TRUE(times->Append(TimestampMs(50), kBase + 5).ok());
  EXPECT_TRUE(times->Append(TimestampMs(50), kBase + 6).ok());  // not above the last: nothing happens
  EXPECT_TRUE(times->Append(TimestampMs(-1), kBase + 6).ok());
  EXPECT_EQ(times->entries(), 1u);
  EXPECT_EQ(times->Append(TimestampMs(51), kBase + 4).code(), ErrorCode::kInvalidArgument);
}

TEST_F(Indexes, WrongFilesAreReported) {
  const auto open = [&](IndexMode mode) {
    return OffsetIndex::Open(io_, "/p/0.index", kBase, kIndexBytes, mode).status().code();
  };
  EXPECT_EQ(open(IndexMode::kActive), ErrorCode::kNotFound);
  EXPECT_EQ(open(IndexMode::kClosed), ErrorCode::kNotFound);
  Write("/p/0.index", {0, 0, 0, 1, 0, 0, 0, 1, 0});  // no multiple of 8
  EXPECT_EQ(open(IndexMode::kActive), ErrorCode::kCorrupt);
  EXPECT_EQ(open(IndexMode::kClosed), ErrorCode::kCorrupt);
  Write("/p/0.index", {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2});  // offset does not increase
  EXPECT_EQ(open(IndexMode::kActive), ErrorCode::kCorrupt);
  EXPECT_EQ(Offsets(IndexMode::kClosed)->Lookup(kBase).status().code(), ErrorCode::kCorrupt);
  Write("/p/0.index", std::vector<uint8_t>(4096, 0));  // preallocated and never trimmed
  EXPECT_EQ(open(IndexMode::kActive), ErrorCode::kCorrupt);
  Write("/p/0.index", {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1});  // below base
  EXPECT_EQ(open(IndexMode::kActive), ErrorCode::kCorrupt);
  EXPECT_EQ(open(IndexMode::kClosed), ErrorCode::kCorrupt);
  EXPECT_EQ(open(IndexMode::kEmpty), ErrorCode::kOk);
  EXPECT_EQ(Bytes("/p/0.index").size(), 0u);
}

TEST_F(Indexes, AFailedWriteIsRepeatedWhole) {
  FaultIo faulty(io_);
  auto opened = OffsetIndex::Open(faulty, "/p/0.index", kBase, kIndexBytes, IndexMode::kEmpty);
  ASSERT_TRUE(opened.ok());
  Fill(**opened, 100);
  faulty.Inject({.fail_nth = 1, .kinds = static_cast<uint32_t>(IoKind::kWrite), .sys_errno = ENOSPC});
  EXPECT_EQ((*opened)->WritePending().code(), ErrorCode::kNoSpace);
  EXPECT_TRUE((*opened)->WritePending().ok());
  EXPECT_EQ(Offsets(IndexMode::kActive)->entries(), 100u);
}

TEST_F(Indexes, SyncMakesEntriesDurable) {
  ASSERT_TRUE(io_.SyncDirectory("/").ok());
  auto index = Offsets(IndexMode::kEmpty);
  ASSERT_TRUE(io_.SyncDirectory("/p").ok());
  Fill(*index, 100);
  ASSERT_TRUE(index->Sync().ok());
  index.reset();
  for (uint64_t seed = 0; seed < 5; ++seed) {
    io_.PowerLoss(seed);
    EXPECT_EQ(Offsets(IndexMode::kActive)->entries(), 100u);
  }
}

TEST_F(Indexes, LookUpsRunBesideAppendsAndSeal) {
  constexpr int kCount = 20'000;
  auto index = Offsets(IndexMode::kEmpty);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      size_t seen = 0;
      while (!stop.load()) {
        const size_t entries = index->entries();
        if (entries < seen) ++wrong;
        seen = entries;
        if (entries == 0) continue;
        const auto last = static_cast<int>(entries - 1);
        for (const int entry : {last, last / 2, last / 3}) {
          auto hit = index->Lookup(kBase + (10 * entry + 9));
          if (!hit.ok() || hit->position != FilePosition(100 * entry)) ++wrong;
        }
        if (!index->WritePending().ok()) ++wrong;
      }
    });
  }
  Fill(*index, kCount);
  EXPECT_TRUE(index->Seal().ok());
  for (int i = 0; i < 100; ++i) {
    index->ReleaseFile();
    std::this_thread::yield();
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(Offsets(IndexMode::kActive)->entries(), static_cast<size_t>(kCount));
}

}  // namespace
}  // namespace seglog
