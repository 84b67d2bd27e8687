// Random operations on several partitions of one directory whose flushes go through the commit journal,
// against a list of batches each: what was acknowledged is there after a power loss, and nothing else than
// what was appended; a kill loses nothing, and what was journaled before it survives a power loss after it.
//
// SEGLOG_JOURNAL_SEQUENCES, SEGLOG_OPERATIONS and SEGLOG_SEED set how much.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "batches.h"
#include "coarse_clock.h"
#include "commit_journal.h"
#include "data_directory.h"
#include "journal_replay.h"
#include "memory_io.h"
#include "segment.h"
#include "segment_fixture.h"
#include "segment_scan.h"

namespace seglog::test {
namespace {

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoll(value, nullptr, 10);
}

/// Kafka's text of a topic id.
std::string Base64Url(const TopicId& id) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  uint32_t bits = 0;
  int held = 0;
  for (const uint8_t byte : id) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 6; held -= 6) text += kDigits[bits >> (held - 6) & 63];
  }
  return text + kDigits[bits << (6 - held) & 63];
}

struct ModelBatch {
  int64_t segment_base;
  Bytes bytes;  // one record each
};

struct ModelPartition {
  std::string folder;
  int32_t number = 0;
  TopicId id{};
  EndsSlot* slot = nullptr;
  std::shared_ptr<Segment> sealed;  // the one before, not flushed yet
  std::shared_ptr<Segment> active;
  std::vector<ModelBatch> batches;  // of offsets 0, 1, 2, ...
  size_t acknowledged = 0;
  int64_t next() const { return static_cast<int64_t>(batches.size()); }
};

class Directory {
 public:
  Directory(MemoryIo& io, uint64_t seed) : io_(io), random_(seed) {
    constexpr int64_t kRings[] = {44 << 10, 100 << 10, 1 << 20};
    options_.journal_bytes = kRings[Pick(3)];
    segment_bytes_ = 16 << 10;
  }

  void Run(int64_t operations) {
    Open();
    for (int32_t i = 0; i < 5; ++i) {
      ModelPartition partition;
      partition.number = i;
      partition.folder = "t-" + std::to_string(i);
      partitions_.push_back(std::move(partition));
      Make(partitions_.back());
    }
    for (int64_t i = 0; i < operations && !::testing::Test::HasFatalFailure(); ++i) {
      SCOPED_TRACE("operation " + std::to_string(i));
      Step();
    }
    if (!::testing::Test::HasFatalFailure()) LosePower();
  }

  int64_t committed() const { return committed_; }
  int64_t replayed() const { return replayed_; }

 private:
  uint64_t Pick(uint64_t count) { return random_() % count; }
  ModelPartition& PickOne() { return partitions_[Pick(partitions_.size())]; }

  void Step() {
    switch (Pick(32)) {
      case 0:
        return Roll(PickOne());
      case 1:
      case 2:
        return Flush(PickOne());
      case 3:
        return Truncate(PickOne());
      case 4:
        return Pick(3) == 0 ? DeleteAndMake(PickOne()) : Append(PickOne());
      case 5:
        ASSERT_OK(directory_->SettleJournal());
        return;
      case 6:
        return Pick(3) == 0 ? LosePower() : Append(PickOne());
      case 7:
        return Pick(3) == 0 ? Kill() : Append(PickOne());
      case 8:
        return Pick(6) == 0 ? RestartCleanly() : Append(PickOne());
      case 9:
        PickOne().active->Tend(CoarseNowMs(), Ahead::kProcessBytes);
        return;
      case 10:
        ASSERT_OK(directory_->FlushEnds());
        return;
      case 11:
        if (Pick(8) == 0) ASSERT_OK(directory_->journal()->Remove());
        return;
      case 12:
      case 13:
      case 14:
      case 15:
      case 16:
      case 17:
        return JournalRound();
      default:
        return Append(PickOne());
    }
  }

  void Append(ModelPartition& partition) {
    BatchSpec spec;
    spec.value_bytes = Pick(12) == 0 ? Pick(9000) : Pick(300);
    spec.fill = static_cast<uint8_t>(Pick(256));
    Bytes stored = Stamped(MakeBatch(spec), partition.next(), epoch_);
    const std::vector<ByteSpan> parts = Parts(stored);
    AppendOptions options;
    options.leader_epoch = epoch_;
    Appended appended;
    Status error;
    AppendOutcome outcome = AppendOutcome::kNotReady;
    if (Pick(4) != 0) outcome = partition.active->AppendNow(parts, options, &appended, &error);
    if (outcome == AppendOutcome::kNotReady) {
      error = partition.active->Append(parts, options).status();
      outcome = error.ok()                                ? AppendOutcome::kDone
                : error.code() == ErrorCode::kSegmentFull ? AppendOutcome::kSegmentFull
                                                          : AppendOutcome::kFailed;
    }
    if (outcome == AppendOutcome::kSegmentFull) return Roll(partition);
    ASSERT_EQ(outcome, AppendOutcome::kDone) << error.ToString();
    partition.batches.push_back({partition.active->base_offset().value, std::move(stored)});
  }

  /// As the flusher's round of a group.
  void JournalRound() {
    CommitJournal& journal = *directory_->journal();
    if (journal.file_bytes() == 0) ASSERT_OK(journal.Prepare());
    struct Member {
      ModelPartition* partition;
      bool added;
      size_t batches;
    };
    std::vector<Member> members;
    std::vector<JournalSource*> sources;
    JournalFrame& frame = journal.NewFrame(partitions_.size());
    for (ModelPartition& partition : partitions_) {
      if (Pick(3) == 0 || partition.sealed) continue;  // a log flushes what was sealed before
      if (!partition.active->BeginJournal()) continue;
      Member member{&partition, partition.active->AddTo(&frame), partition.batches.size()};
      if (member.added) sources.push_back(partition.active.get());
      members.push_back(member);
      if (ModelPartition* other = PickRoomy(); other != nullptr && Pick(4) == 0) Append(*other);
    }
    auto committed = journal.Commit(sources);
    ASSERT_TRUE(committed.ok()) << committed.status().ToString();
    for (const Member& member : members) {
      member.partition->active->EndJournal(member.added && *committed);
      if (!member.added || !*committed) continue;
      member.partition->acknowledged = std::max(member.partition->acknowledged, member.batches);
      ++committed_;
    }
    if (!*committed) ASSERT_OK(journal.Settle());
  }

  /// One that takes any append without a roll, or null.
  ModelPartition* PickRoomy() {
    ModelPartition& partition = PickOne();
    return partition.active->published().position.value + 10'000 < segment_bytes_ ? &partition : nullptr;
  }

  void Flush(ModelPartition& partition) {
    FlushSealed(partition);
    auto flushed = partition.active->Flush();
    ASSERT_TRUE(flushed.ok()) << flushed.status().ToString();
    partition.acknowledged = partition.batches.size();
  }

  void FlushSealed(ModelPartition& partition) {
    if (!partition.sealed) return;
    ASSERT_OK(partition.sealed->SyncAll());
    partition.sealed.reset();
  }

  void Roll(ModelPartition& partition) {
    if (partition.active->published().position.value == 0) return;
    FlushSealed(partition);
    ASSERT_OK(partition.active->Seal());
    partition.sealed = std::move(partition.active);
    OpenActive(partition, partition.next(), true, std::nullopt);
    if (Pick(2) == 0) FlushSealed(partition);
  }

  void Truncate(ModelPartition& partition) {
    const int64_t base = partition.active->base_offset().value;
    const int64_t to = base + static_cast<int64_t>(Pick(static_cast<uint64_t>(partition.next() - base) + 1));
    ASSERT_OK(partition.active->TruncateTo(RecordOffset(to)));
    ++epoch_;
    partition.batches.resize(static_cast<size_t>(to));
    partition.acknowledged = std::min(partition.acknowledged, partition.batches.size());
  }

  void DeleteAndMake(ModelPartition& partition) {
    partition.sealed.reset();
    partition.active.reset();
    ASSERT_OK(directory_->Rename(partition.folder,
                                 partition.folder + "-" + std::to_string(++deleted_) + "-delete"));
    partition.slot->Free();
    Make(partition);
  }

  void Make(ModelPartition& partition) {
    partition.id = {};
    for (uint8_t& byte : partition.id) byte = static_cast<uint8_t>(Pick(256));
    partition.batches.clear();
    partition.acknowledged = 0;
    ASSERT_OK(directory_->MakeDirectory(partition.folder));
    const std::string text = "version: 0\ntopic_id: " + Base64Url(partition.id);
    ASSERT_OK(directory_->ReplaceFile(partition.folder + "/partition.metadata",
                                      {reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
    partition.slot = directory_->Slot(partition.id, partition.number).value();
    OpenActive(partition, 0, true, std::nullopt);
  }

  void Open() {
    auto directory = DataDirectory::Open(io_, "/data", options_);
    ASSERT_TRUE(directory.ok()) << directory.status().ToString();
    directory_ = std::move(*directory);
    ++epoch_;
    ASSERT_FALSE(directory_->Stat(".journal").value().has_value());
    for (ModelPartition& partition : partitions_)
      partition.slot = directory_->Slot(partition.id, partition.number).value();
  }

  void OpenActive(ModelPartition& partition, int64_t base, bool create, std::optional<LogEnd> end) {
    SegmentOptions options;
    options.folder = partition.folder;
    options.base_offset = RecordOffset(base);
    options.active = true;
    options.create = create;
    options.end = end;
    options.segment_bytes = segment_bytes_;
    options.index_interval_bytes = 500;
    options.index_bytes = 4096;
    options.slot = partition.slot;
    auto segment = Segment::Open(directory_, nullptr, options);
    ASSERT_TRUE(segment.ok()) << segment.status().ToString();
    partition.active = std::move(*segment);
  }

  void DropEverything() {
    for (ModelPartition& partition : partitions_) {
      partition.sealed.reset();
      partition.active.reset();
    }
    directory_.reset();
  }

  /// What was open goes on, on a disk that is not there any more: what it does at its end must not matter.
  void LosePower() {
    const bool read_only_first = Pick(4) == 0;
    io_.PowerLoss(random_());
    DropEverything();
    replayed_ += UseJournal(io_, "/data", JournalUse::kCount).value().entries;
    if (read_only_first) LookWithoutWriting();
    Open();
    ASSERT_EQ(directory_->left_behind(), LeftBehind::kScan);
    RecoverAll();
  }

  void RecoverAll() {
    for (ModelPartition& partition : partitions_) {
      SCOPED_TRACE(partition.folder);
      ScanAndRecover(partition);
    }
  }

  void LookWithoutWriting() {
    auto reader = DataDirectory::Open(io_, "/data", {.read_only = true});
    ASSERT_TRUE(reader.ok());
    const bool waits = UseJournal(io_, "/data", JournalUse::kCount).value().entries > 0;
    ASSERT_EQ((*reader)->journal_waits(), waits);
  }

  std::vector<int64_t> Bases(const ModelPartition& partition) {
    std::vector<int64_t> bases;
    const std::vector<std::string> names = io_.List("/data/" + partition.folder).value();
    for (const std::string& name : names) {
      if (name.ends_with(".log")) bases.push_back(std::stoll(name));
    }
    std::sort(bases.begin(), bases.end());
    return bases;
  }

  void ScanAndRecover(ModelPartition& partition) {
    std::vector<int64_t> bases = Bases(partition);
    int64_t next = 0;
    size_t kept = 0;
    for (bool cut = false; kept < bases.size() && !cut; ++kept) {
      ScanOptions options;
      options.folder = "/data/" + partition.folder;
      options.base_offset = RecordOffset(bases[kept]);
      options.index_interval_bytes = 500;
      options.index_bytes = 4096;
      options.rebuild_indexes = options.truncate = true;
      if (bases[kept] != next) break;  // what led here is gone
      auto scanned = ScanSegment(io_, options);
      ASSERT_TRUE(scanned.ok()) << scanned.status().ToString();
      next = scanned->end_offset.value;
      cut = scanned->stopped.has_value();
    }
    for (size_t i = kept; i < bases.size(); ++i) RemoveSegment(partition, bases[i]);
    bases.resize(kept);
    ASSERT_GE(static_cast<size_t>(next), partition.acknowledged) << "acknowledged batches are gone";
    ASSERT_LE(next, partition.next());
    partition.batches.resize(static_cast<size_t>(next));
    if (bases.empty()) {
      OpenActive(partition, 0, true, std::nullopt);
    } else {
      OpenActive(partition, bases.back(), false, std::nullopt);
    }
    CheckBytes(partition);
    ASSERT_TRUE(partition.active->Flush().ok());
    ASSERT_OK(directory_->SyncDirectory(partition.folder));
    partition.acknowledged = partition.batches.size();
  }

  void RemoveSegment(const ModelPartition& partition, int64_t base) {
    for (const char* extension : {".log", ".index", ".timeindex"})
      (void)io_.Remove(SegmentFile("/data/" + partition.folder, RecordOffset(base), extension));
  }

  void Kill() {
    io_.Kill();
    DropEverything();
    Open();
    // A power loss may bring back the record of a partition that was deleted; nobody opens that again.
    if (directory_->left_behind() == LeftBehind::kScan && deleted_ > 0) return RecoverAll();
    ASSERT_EQ(directory_->left_behind(), LeftBehind::kKilled);
    for (ModelPartition& partition : partitions_) {
      SCOPED_TRACE(partition.folder);
      const auto ends =
          std::find_if(directory_->ends().begin(), directory_->ends().end(),
                       [&](const PartitionEnds& each) { return each.topic_id == partition.id; });
      ASSERT_NE(ends, directory_->ends().end());
      ASSERT_EQ(ends->end_offset.value, partition.next());
      OpenActive(partition, ends->segment_base.value, false, LogEnd{ends->end_position, ends->end_offset});
      // Sealed before the kill, and not flushed then.
      for (const int64_t base : Bases(partition)) {
        if (base == ends->segment_base.value) continue;
        auto file = io_.Open(SegmentFile("/data/" + partition.folder, RecordOffset(base), ".log"),
                             OpenMode::kReadWrite);
        ASSERT_OK((*file)->Sync());
      }
      ASSERT_OK(directory_->SyncDirectory(partition.folder));
      CheckBytes(partition);
    }
  }

  void RestartCleanly() {
    for (ModelPartition& partition : partitions_) {
      FlushSealed(partition);
      ASSERT_OK(partition.active->Seal());
      ASSERT_OK(partition.active->SyncAll());
      partition.acknowledged = partition.batches.size();
    }
    ASSERT_OK(directory_->RemoveJournal());
    ASSERT_OK(directory_->ReplaceFile(".kafka_cleanshutdown", {}));
    for (ModelPartition& partition : partitions_) partition.active.reset();
    ASSERT_OK(directory_->Close(true));
    directory_.reset();
    ASSERT_EQ(io_.Stat("/data/.journal").status().code(), ErrorCode::kNotFound);
    Open();
    ASSERT_EQ(directory_->left_behind(), LeftBehind::kClean);
    for (ModelPartition& partition : partitions_)
      OpenActive(partition, Bases(partition).back(), false, std::nullopt);
  }

  /// Each segment holds its batches and nothing else but zeros.
  void CheckBytes(const ModelPartition& partition) {
    for (const int64_t base : Bases(partition)) {
      Bytes expected;
      for (const ModelBatch& batch : partition.batches) {
        if (batch.segment_base == base)
          expected.insert(expected.end(), batch.bytes.begin(), batch.bytes.end());
      }
      Bytes found = directory_->ReadFile(SegmentFile(partition.folder, RecordOffset(base), ".log")).value();
      ASSERT_GE(found.size(), expected.size());
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), found.begin())) << "segment " << base;
      ASSERT_TRUE(std::all_of(found.begin() + static_cast<int64_t>(expected.size()), found.end(),
                              [](uint8_t byte) { return byte == 0; }));
    }
  }

  MemoryIo& io_;
  std::mt19937_64 random_;
  DirectoryOptions options_;
  int64_t segment_bytes_;
  std::shared_ptr<DataDirectory> directory_;
  std::vector<ModelPartition> partitions_;
  int32_t epoch_ = 0;
  int deleted_ = 0;
  int64_t committed_ = 0;
  int64_t replayed_ = 0;
};

TEST(JournalModelTest, AcknowledgedIsThereAfterAnyCrash) {
  const int64_t sequences = FromEnvironment("SEGLOG_JOURNAL_SEQUENCES", 60);
  const auto seed = static_cast<uint64_t>(FromEnvironment("SEGLOG_SEED", 1));
  int64_t committed = 0;
  int64_t replayed = 0;
  for (int64_t i = 0; i < sequences && !HasFailure(); ++i) {
    const uint64_t own = seed + static_cast<uint64_t>(i);
    SCOPED_TRACE("SEGLOG_SEED=" + std::to_string(own) + " SEGLOG_JOURNAL_SEQUENCES=1");
    MemoryIo io;
    {
      Directory directory(io, own);
      directory.Run(FromEnvironment("SEGLOG_OPERATIONS", 300));
      committed += directory.committed();
      replayed += directory.replayed();
    }
    ASSERT_EQ(LiveMappings(), 0);
  }
  EXPECT_GT(committed, 20 * sequences);
  EXPECT_GT(replayed, sequences);
}

}  // namespace
}  // namespace seglog::test
