// One scripted life of a partition, with the n-th I/O call failing, for every n: every failure is a Status,
// nothing acknowledged is lost, and the directory opens again.
#include <algorithm>

#include "fault_io.h"
#include "segment_fixture.h"

namespace seglog::test {
namespace {

constexpr int kIoError = 5;
constexpr int kNoSpace = 28;
constexpr int kTooManyFiles = 24;

struct Acknowledged {
  std::vector<int64_t> appended;  // base offsets, in order
  size_t durable = 0;             // this many of them survive a power loss
};

class Life {
 public:
  explicit Life(Io& io) : io_(io) {}

  /// Runs until something fails; what it was told before that is in `acknowledged`.
  Status Run(Acknowledged* acknowledged) {
    auto directory = DataDirectory::Open(io_, "/data", {.journal_bytes = 44 << 10});
    if (!directory.ok()) return directory.status();
    directory_ = *directory;
    SEGLOG_RETURN_IF_ERROR(directory_->MakeDirectory("t-0"));
    const std::string metadata = "version: 0\ntopic_id: AQIDBAUGBwgJCgsMDQ4PEA";
    SEGLOG_RETURN_IF_ERROR(directory_->ReplaceFile(
        "t-0/partition.metadata", {reinterpret_cast<const uint8_t*>(metadata.data()), metadata.size()}));
    auto slot = directory_->Slot(kTopic, 0);
    if (!slot.ok()) return slot.status();
    options_.folder = "t-0";
    options_.active = options_.create = true;
    options_.segment_bytes = 24 << 10;
    options_.index_interval_bytes = 1000;
    options_.slot = *slot;
    SEGLOG_RETURN_IF_ERROR(Open(0));
    for (int i = 0; i < 40; ++i) {
      SEGLOG_RETURN_IF_ERROR(AppendOne(i % 7 == 6 ? 3000 : 700, acknowledged));
      if (i % 5 == 4) SEGLOG_RETURN_IF_ERROR(Flush(acknowledged));
      if (i % 3 == 2) SEGLOG_RETURN_IF_ERROR(FlushByJournal(acknowledged));
      if (i == 23) SEGLOG_RETURN_IF_ERROR(directory_->SettleJournal());
    }
    SEGLOG_RETURN_IF_ERROR(Roll(acknowledged));
    SEGLOG_RETURN_IF_ERROR(directory_->RemoveJournal());
    SEGLOG_RETURN_IF_ERROR(directory_->ReplaceFile("recovery-point-offset-checkpoint", Bytes{1}));
    SEGLOG_RETURN_IF_ERROR(directory_->ReplaceFile(".kafka_cleanshutdown", {}));
    segment_.reset();
    return directory_->Close(true);
  }

 private:
  Status Open(int64_t base) {
    options_.base_offset = RecordOffset(base);
    auto segment = Segment::Open(directory_, nullptr, options_);
    if (segment.ok()) segment_ = *segment;
    return segment.status();
  }

  Status AppendOne(size_t bytes, Acknowledged* acknowledged) {
    const Bytes batch = MakeBatchOfSize(bytes);
    const std::vector<ByteSpan> parts = Parts(batch);
    Appended appended;
    Status error;
    segment_->Tend(CoarseNowMs(), Ahead::kProcessBytes);
    const AppendOutcome outcome = segment_->AppendNow(parts, {}, &appended, &error);
    if (outcome == AppendOutcome::kFailed) return error;
    if (outcome != AppendOutcome::kDone) {
      auto result = segment_->Append(parts, {});
      if (result.status().code() == ErrorCode::kSegmentFull) {
        SEGLOG_RETURN_IF_ERROR(Roll(acknowledged));
        return AppendOne(bytes, acknowledged);
      }
      if (!result.ok()) return result.status();
      appended = *result;
    }
    acknowledged->appended.push_back(appended.base_offset.value);
    return Status::Ok();
  }

  Status Flush(Acknowledged* acknowledged) {
    auto flushed = segment_->Flush();
    if (!flushed.ok()) return flushed.status();
    acknowledged->durable = acknowledged->appended.size();
    return directory_->FlushEnds();
  }

  /// Where the journal does not take it, nothing was promised.
  Status FlushByJournal(Acknowledged* acknowledged) {
    if (directory_->journal() == nullptr) return Status::Ok();  // the kind of file system could not be asked
    CommitJournal& journal = *directory_->journal();
    const Status made = journal.Prepare();
    if (made.code() == ErrorCode::kNoSpace || made.code() == ErrorCode::kTooManyFiles) return Status::Ok();
    SEGLOG_RETURN_IF_ERROR(made);
    JournalFrame& frame = journal.NewFrame(1);
    if (!segment_->BeginJournal()) return Status::Ok();
    JournalSource* const sources[] = {segment_.get()};
    const bool added = segment_->AddTo(&frame);
    auto committed = journal.Commit(std::span(sources).first(added ? 1 : 0));
    const bool durable = added && committed.ok() && *committed;
    segment_->EndJournal(durable);
    if (durable) acknowledged->durable = acknowledged->appended.size();
    return committed.status();
  }

  Status Roll(Acknowledged* acknowledged) {
    SEGLOG_RETURN_IF_ERROR(segment_->Seal());
    SEGLOG_RETURN_IF_ERROR(segment_->SyncAll());
    acknowledged->durable = acknowledged->appended.size();
    return Open(segment_->published().offset.value);
  }

  Io& io_;
  SegmentOptions options_;
  std::shared_ptr<DataDirectory> directory_;
  std::shared_ptr<Segment> segment_;
};

/// Offsets of every batch found by scanning what is there.
std::vector<int64_t> Recovered(Io& io) {
  std::vector<int64_t> bases;
  auto names = io.List("/data/t-0");
  if (!names.ok()) return {};
  for (const std::string& name : *names) {
    if (name.ends_with(".log")) bases.push_back(std::stoll(name));
  }
  std::sort(bases.begin(), bases.end());
  std::vector<int64_t> found;
  for (const int64_t base : bases) {
    ScanOptions options;
    options.folder = "/data/t-0";
    options.base_offset = RecordOffset(base);
    auto scanned = ScanSegment(io, options);
    EXPECT_TRUE(scanned.ok());
    for (int64_t i = 0; i < scanned->batches; ++i) found.push_back(base + i);
  }
  return found;
}

class SegmentFaultTest : public ::testing::TestWithParam<std::tuple<int, bool>> {};

TEST_P(SegmentFaultTest, NothingAcknowledgedIsLostWhicheverCallFails) {
  const auto [sys_errno, power_loss] = GetParam();
  bool failed = true;
  int64_t nth = 0;
  while (failed) {
    ++nth;
    SCOPED_TRACE("call " + std::to_string(nth));
    MemoryIo memory;
    FaultIo faults(memory);
    Acknowledged acknowledged;
    faults.Inject({.fail_nth = nth, .sys_errno = sys_errno});
    Status status;
    {
      Life life(faults);
      status = life.Run(&acknowledged);
      // Before it is over: what closing brings to disk must not be what saves it.
      if (power_loss) memory.PowerLoss(static_cast<uint64_t>(nth));
    }
    failed = faults.failures() > 0;
    ASSERT_EQ(LiveMappings(), 0);
    if (!status.ok()) { ASSERT_NE(status.code(), ErrorCode::kCorrupt) << status.ToString(); }
    faults.Clear();
    auto again = DataDirectory::Open(memory, "/data", {});
    ASSERT_TRUE(again.ok()) << again.status().ToString();
    const std::vector<int64_t> found = Recovered(memory);
    const size_t promised = power_loss ? acknowledged.durable : acknowledged.appended.size();
    ASSERT_GE(found.size(), promised) << status.ToString();
    for (size_t i = 0; i < promised; ++i) ASSERT_EQ(found[i], acknowledged.appended[i]);

    if ((*again)->left_behind() == LeftBehind::kKilled) {
      for (const PartitionEnds& ends : (*again)->ends()) {
        ASSERT_EQ(ends.end_offset.value, static_cast<int64_t>(acknowledged.appended.size()));
      }
    }
    ASSERT_EQ((*again)->left_behind() == LeftBehind::kClean && acknowledged.appended.size() < 40, false);
  }
  EXPECT_GT(nth, 80);
}

INSTANTIATE_TEST_SUITE_P(Errors, SegmentFaultTest,
                         ::testing::Combine(::testing::Values(kIoError, kNoSpace, kTooManyFiles),
                                            ::testing::Bool()));

}  // namespace
}  // namespace seglog::test
