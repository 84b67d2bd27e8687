// One writer, the helper, flushers and readers on one segment: for thread sanitizers, and for what they
// cannot see.
#include <atomic>
#include <thread>

#include "segment_fixture.h"

namespace seglog::test {
namespace {

class SegmentThreadsTest : public SegmentTest {};

TEST_F(SegmentThreadsTest, AppendFlushReadAndTendTogether) {
  Ahead ahead;
  SegmentOptions options = Options();
  options.create = true;
  options.segment_bytes = 64 << 20;
  options.index_bytes = 1 << 20;
  segment_ = Segment::Open(directory_, &ahead, options).value();
  std::atomic<bool> done{false};
  std::atomic<int64_t> reads{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!done.load()) {
        auto flushed = segment_->Flush();
        ASSERT_TRUE(flushed.ok());
        ASSERT_LE(flushed->offset, segment_->published().offset);
        ASSERT_TRUE(directory_->FlushEnds().ok());
      }
    });
  }
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      Bytes target(16 << 10);
      int64_t offset = 0;
      for (uint64_t turn = 0; !done.load(); ++turn) {
        if (turn % 3 == 0) offset = 0;
        auto read = i == 0 ? segment_->Read(RecordOffset(offset), FilePosition(INT64_MAX), target)
                           : segment_->ReadNow(RecordOffset(offset), FilePosition(INT64_MAX), target);
        ASSERT_TRUE(read.ok()) << read.status().ToString();
        ASSERT_EQ(read->first_needs, 0u);
        for (size_t at = 0; at < read->bytes;) {
          const ByteSpan rest(target.data() + at, read->bytes - at);
          const BatchHeader header = ParseBatchHeader(rest).value();
          ASSERT_TRUE(BatchCrcMatches(rest, header));
          ASSERT_EQ(header.base_offset.value, offset);
          offset = header.last_offset().value + 1;
          at += static_cast<size_t>(header.size_bytes());
        }
        (void)segment_->LocateTimestamp(TimestampMs(offset));
        reads.fetch_add(1);
      }
    });
  }
  const Bytes small = MakeBatch({.records = 4, .value_bytes = 100});
  int64_t by_mapping = 0;
  for (int i = 0; i < 4000 || reads.load() < 50 || by_mapping < 100; ++i) {
    Bytes batch = i % 100 == 99 ? MakeBatchOfSize(12 << 10) : small;
    StoreBig64(batch.data() + 35, i);
    const AppendOutcome outcome = AppendNow(batch);
    if (outcome == AppendOutcome::kSegmentFull) break;
    if (outcome == AppendOutcome::kDone) {
      ++by_mapping;
      continue;
    }
    ASSERT_EQ(outcome, AppendOutcome::kNotReady) << error_.ToString();
    ASSERT_OK(Append(batch).status());
  }
  done.store(true);
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(by_mapping, 0);
  ASSERT_OK(segment_->Seal());
  ASSERT_OK(segment_->SyncAll());
  EXPECT_EQ(segment_->durable(), segment_->published());
  ScanOptions scan;
  scan.folder = "/data/t-0";
  scan.index_bytes = options.index_bytes;
  scan.verify_indexes = true;
  const ScanResult scanned = ScanSegment(memory_, scan).value();
  EXPECT_EQ(scanned.end_offset, segment_->published().offset);
  EXPECT_TRUE(scanned.index_faults.empty());
  segment_.reset();
}

TEST_F(SegmentThreadsTest, RetiringWhileTheHelperWorks) {
  Ahead ahead;
  for (int round = 0; round < 30; ++round) {
    SegmentOptions options = Options(round * 1000);
    options.create = true;
    segment_ = Segment::Open(directory_, &ahead, options).value();
    for (int i = 0; i < 20; ++i) {
      const Bytes batch = MakeBatchOfSize(8 << 10);
      if (AppendNow(batch) != AppendOutcome::kDone) { ASSERT_OK(Append(batch).status()); }
    }
    if (round % 3 == 0) {
      ASSERT_OK(segment_->TruncateTo(RecordOffset(round * 1000 + 5)));
    } else if (round % 3 == 1) {
      ASSERT_OK(segment_->Seal());
    }
    segment_.reset();
  }
}

}  // namespace
}  // namespace seglog::test
