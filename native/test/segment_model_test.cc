// Random operations on a partition's segments against the simplest model there is: a list of batches. What is
// read is what was appended; a kill loses nothing; a power loss loses at most what was not flushed and leaves
// a prefix.
//
// SEGLOG_SEQUENCES, SEGLOG_OPERATIONS, SEGLOG_REAL_SEQUENCES and SEGLOG_SEED set how much.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "batches.h"
#include "coarse_clock.h"
#include "data_directory.h"
#include "fault_io.h"
#include "memory_io.h"
#include "segment.h"
#include "segment_scan.h"

namespace seglog::test {
namespace {

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoll(value, nullptr, 10);
}

constexpr TopicId kTopic{7};

struct ModelBatch {
  int64_t base_offset;
  int64_t last_offset;
  int64_t max_timestamp;
  Bytes bytes;  // as stored
};

class Partition {
 public:
  Partition(Io& io, MemoryIo* memory, std::string path, uint64_t seed)
      : io_(io), memory_(memory), path_(std::move(path)), random_(seed) {
    interval_ = Pick(3) == 0 ? 0 : static_cast<int64_t>(Pick(4)) * 400;
    segment_bytes_ = 8192 + static_cast<int64_t>(Pick(64)) * 1024;
  }

  void Run(int64_t operations) {
    OpenDirectory();
    ASSERT_EQ(directory_->left_behind(), LeftBehind::kNew);
    OpenActive(0, true, std::nullopt);
    for (int64_t i = 0; i < operations && !::testing::Test::HasFatalFailure(); ++i) {
      SCOPED_TRACE("operation " + std::to_string(i));
      Step();
    }
    if (::testing::Test::HasFatalFailure()) return;
    CheckAll();
    CloseCleanly();
  }

 private:
  uint64_t Pick(uint64_t count) { return random_() % count; }

  void Step() {
    switch (Pick(20)) {
      case 0:
        return Roll();
      case 1:
      case 2:
        return Flush();
      case 3:
      case 4:
      case 5:
        return ReadSomewhere();
      case 6:
        return LookUpTime();
      case 7:
        return Pick(3) == 0 ? Truncate() : Append();
      case 8:
        return Pick(2) == 0 ? KillAndRecover() : Append();
      case 9:
        return memory_ != nullptr && Pick(2) == 0 ? LosePower() : Append();
      case 10:
      case 11:
        active_->Tend(CoarseNowMs(), Ahead::kProcessBytes);
        return;
      case 12:
        return Pick(4) == 0 ? RestartCleanly() : RefuseDamaged();
      default:
        return Append();
    }
  }

  // -- operations

  Bytes RandomBatch() {
    BatchSpec spec;
    spec.records = 1 + static_cast<int32_t>(Pick(5));
    spec.value_bytes = Pick(20) == 0 ? Pick(6000) : Pick(200);
    clock_ += static_cast<int64_t>(Pick(20)) - 4;
    spec.timestamp = std::max<int64_t>(0, clock_);
    spec.timestamp_step = static_cast<int64_t>(Pick(3));
    spec.fill = static_cast<uint8_t>(Pick(256));
    return MakeBatch(spec);
  }

  /// Tears the bytes of whole batches into parts at random places.
  std::vector<ByteSpan> Tear(const Bytes& bytes) {
    std::vector<ByteSpan> parts;
    size_t at = 0;
    while (at < bytes.size()) {
      const size_t size = Pick(3) == 0 ? std::min<size_t>(bytes.size() - at, Pick(70)) : bytes.size() - at;
      parts.emplace_back(bytes.data() + at, size);
      at += size;
    }
    return parts;
  }

  void Append() {
    AppendOptions options;
    options.leader_epoch = epoch_;
    options.keep_offsets = Pick(5) == 0;
    options.crc = Pick(2) == 0 ? CrcMode::kVerify : CrcMode::kCompute;
    if (Pick(6) == 0) options.append_time = TimestampMs(clock_ + 50'000);
    const size_t count = Pick(4) == 0 ? 1 + Pick(6) : 1;
    Bytes given;
    std::vector<ModelBatch> stored;
    int64_t next = next_offset_;
    for (size_t i = 0; i < count; ++i) {
      Bytes batch = RandomBatch();
      if (options.keep_offsets) {
        next += static_cast<int64_t>(Pick(4));
        PatchBaseOffset(batch.data(), RecordOffset(next));
      }
      if (options.crc == CrcMode::kCompute) PatchCrc(batch.data(), 0xdeadbeef);
      given.insert(given.end(), batch.begin(), batch.end());
      Bytes expected = Stamped(batch, next, epoch_);
      if (options.append_time.value >= 0) PatchAppendTime(expected.data(), options.append_time);
      PatchCrc(expected.data(), Crc32c(expected.data() + kCrcStart, expected.size() - kCrcStart));
      const BatchHeader header = ParseBatchHeader(expected).value();
      stored.push_back({next, header.last_offset().value, header.max_timestamp.value, std::move(expected)});
      next = stored.back().last_offset + 1;
    }
    Appended appended;
    Status error;
    const std::vector<ByteSpan> parts = Tear(given);
    AppendOutcome outcome = AppendOutcome::kNotReady;
    if (Pick(5) != 0) outcome = active_->AppendNow(parts, options, &appended, &error);
    if (outcome == AppendOutcome::kNotReady) {
      auto result = active_->Append(parts, options);
      if (result.ok()) {
        outcome = AppendOutcome::kDone;
        appended = *result;
      } else {
        error = result.status();
        outcome =
            error.code() == ErrorCode::kSegmentFull ? AppendOutcome::kSegmentFull : AppendOutcome::kFailed;
      }
    }
    if (outcome == AppendOutcome::kFailed && error.code() == ErrorCode::kBatchTooLarge) {
      ASSERT_GT(static_cast<int64_t>(given.size()), segment_bytes_);
      return;
    }
    if (outcome == AppendOutcome::kSegmentFull) return Roll();
    ASSERT_EQ(outcome, AppendOutcome::kDone) << error.ToString();
    EXPECT_EQ(appended.base_offset.value, stored.front().base_offset);
    EXPECT_EQ(appended.last_offset.value, stored.back().last_offset);
    next_offset_ = next;
    for (ModelBatch& batch : stored) model_.push_back(std::move(batch));
    ASSERT_EQ(active_->published().offset.value, next_offset_);
    ASSERT_EQ(appended.end_position, active_->published().position);
  }

  void RefuseDamaged() {
    Bytes good = RandomBatch();
    Bytes bad = RandomBatch();
    bad[bad.size() - 1 - Pick(bad.size() - kCrcStart)] ^= 1;
    Bytes given = good;
    given.insert(given.end(), bad.begin(), bad.end());
    AppendOptions options;
    options.crc = CrcMode::kVerify;
    const std::vector<ByteSpan> parts = Tear(given);
    const LogEnd before = active_->published();
    Appended appended;
    Status error;
    const AppendOutcome outcome = active_->AppendNow(parts, options, &appended, &error);
    ASSERT_NE(outcome, AppendOutcome::kDone);
    if (outcome == AppendOutcome::kNotReady) { ASSERT_FALSE(active_->Append(parts, options).ok()); }
    ASSERT_EQ(active_->published(), before);
  }

  void Roll() {
    if (active_->published().position.value == 0) return;
    ASSERT_TRUE(active_->Seal().ok());
    ASSERT_TRUE(active_->SyncAll().ok());
    durable_batches_ = model_.size();
    closed_.push_back(active_);
    OpenActive(next_offset_, true, std::nullopt);
  }

  void Flush() {
    auto flushed = active_->Flush();
    ASSERT_TRUE(flushed.ok()) << flushed.status().ToString();
    ASSERT_EQ(flushed->offset.value, next_offset_);
    durable_batches_ = model_.size();
    if (Pick(2) == 0) { ASSERT_TRUE(directory_->FlushEnds().ok()); }
  }

  void Truncate() {
    const int64_t base = active_->base_offset().value;
    if (next_offset_ == base) return;
    const int64_t to = base + static_cast<int64_t>(Pick(static_cast<uint64_t>(next_offset_ - base) + 2));
    ASSERT_TRUE(active_->TruncateTo(RecordOffset(to)).ok());
    while (!model_.empty() && model_.back().last_offset >= std::max(to, base) &&
           model_.back().base_offset >= base) {
      model_.pop_back();
    }
    durable_batches_ = std::min(durable_batches_, model_.size());
    next_offset_ = active_->published().offset.value;
    // Offsets between the last batch kept and the first one cut stay unused.
    ASSERT_LE(next_offset_, std::max(to, base));
    ASSERT_GE(next_offset_, model_.empty() ? 0 : model_.back().last_offset + 1);
    CheckAll();
  }

  void KillAndRecover() {
    const LogEnd end = active_->published();
    const int64_t base = active_->base_offset().value;
    const std::string log = active_->log_path();
    Close();
    LeaveGarbage(log, end.position.value);
    ++epoch_;
    OpenDirectory();
    ASSERT_EQ(directory_->left_behind(), LeftBehind::kKilled);
    ASSERT_EQ(directory_->ends().size(), 1u);
    const PartitionEnds ends = directory_->ends()[0];
    ASSERT_EQ(ends.segment_base.value, base);
    ASSERT_EQ(ends.end_position, end.position);
    ASSERT_EQ(ends.end_offset, end.offset);
    Reopen(base, LogEnd{ends.end_position, ends.end_offset});
    CheckZerosBehind(log, end.position.value);
    CheckAll();
  }

  void LosePower() {
    Close();
    memory_->PowerLoss(random_());
    ++epoch_;
    OpenDirectory();
    ASSERT_EQ(directory_->left_behind(), LeftBehind::kScan);
    ScanAndRecover();
    CheckAll();
  }

  void RestartCleanly() {
    CloseCleanly();
    OpenDirectory();
    ASSERT_EQ(directory_->left_behind(), LeftBehind::kClean);
    const int64_t base = bases_.back();
    next_offset_ = model_.empty() ? base : std::max(base, model_.back().last_offset + 1);
    Reopen(base, std::nullopt);
    CheckAll();
  }

  // -- recovery, as the log above would do it

  void ScanAndRecover() {
    std::vector<int64_t> bases;
    const std::vector<std::string> names = io_.List(path_ + "/t-0").value();
    for (const std::string& name : names) {
      if (name.ends_with(".log")) bases.push_back(std::stoll(name));
    }
    std::sort(bases.begin(), bases.end());
    if (bases.empty()) return StartAnew();
    PartitionEnds bound;
    for (const PartitionEnds& ends : directory_->ends()) bound = ends;
    int64_t next = bases[0];
    size_t kept = 0;
    bool cut = false;
    for (; kept < bases.size() && !cut; ++kept) {
      ScanOptions options;
      options.folder = path_ + "/t-0";
      options.base_offset = RecordOffset(bases[kept]);
      options.index_interval_bytes = interval_;
      options.index_bytes = kIndexBytes;
      options.rebuild_indexes = true;
      options.truncate = true;
      options.walk_records = true;
      auto scanned = ScanSegment(io_, options);
      ASSERT_TRUE(scanned.ok()) << scanned.status().ToString();
      next = scanned->end_offset.value;
      cut = scanned->stopped.has_value();
      // By position: a log that was cut inside a gap of offsets ends with an offset no batch shows.
      if (cut) { ASSERT_GE(bases[kept], bound.durable_segment_base.value) << "a durable segment is damaged"; }
      if (bases[kept] == bound.durable_segment_base.value) {
        ASSERT_GE(scanned->end_position, bound.durable_position) << "what was known to be durable is gone";
      }
      options.rebuild_indexes = options.truncate = false;
      options.verify_indexes = true;
      auto verified = ScanSegment(io_, options);
      ASSERT_TRUE(verified.ok());
      ASSERT_FALSE(verified->stopped.has_value());
      ASSERT_TRUE(verified->index_faults.empty()) << verified->index_faults[0];
    }
    for (size_t i = kept; i < bases.size(); ++i) RemoveSegment(bases[i]);
    bases.resize(kept);
    ASSERT_GE(bases.back(), bound.durable_segment_base.value) << "a durable segment is gone";
    size_t left = 0;
    while (left < model_.size() && model_[left].last_offset < next) ++left;
    ASSERT_GE(left, durable_batches_) << "flushed batches are gone";
    model_.resize(left);
    durable_batches_ = left;
    next_offset_ = model_.empty() ? bases.back() : std::max(bases.back(), model_.back().last_offset + 1);
    bases_ = bases;
    Reopen(bases.back(), std::nullopt);
    ASSERT_EQ(active_->published().offset.value, next_offset_);
    ASSERT_TRUE(active_->Flush().ok());
    ASSERT_TRUE(directory_->SyncDirectory("t-0").ok());
  }

  /// The first segment's name never reached the disk.
  void StartAnew() {
    ASSERT_EQ(durable_batches_, 0u);
    RemoveSegment(0);
    model_.clear();
    bases_.clear();
    closed_.clear();
    next_offset_ = 0;
    OpenActive(0, true, std::nullopt);
  }

  void RemoveSegment(int64_t base) {
    for (const char* extension : {".log", ".index", ".timeindex"}) {
      (void)io_.Remove(SegmentFile(path_ + "/t-0", RecordOffset(base), extension));
    }
  }

  // -- opening and closing

  SegmentOptions Options(int64_t base) {
    SegmentOptions options;
    options.folder = "t-0";
    options.base_offset = RecordOffset(base);
    options.segment_bytes = segment_bytes_;
    options.index_bytes = kIndexBytes;
    options.index_interval_bytes = interval_;
    return options;
  }

  void OpenDirectory() {
    auto directory = DataDirectory::Open(io_, path_, {});
    ASSERT_TRUE(directory.ok()) << directory.status().ToString();
    directory_ = std::move(*directory);
    ASSERT_TRUE(directory_->MakeDirectory("t-0").ok());
    slot_ = directory_->Slot(kTopic, 0).value();
  }

  void OpenActive(int64_t base, bool create, std::optional<LogEnd> end) {
    SegmentOptions options = Options(base);
    options.active = true;
    options.create = create;
    options.end = end;
    options.slot = slot_;
    auto segment = Segment::Open(directory_, nullptr, options);
    ASSERT_TRUE(segment.ok()) << segment.status().ToString();
    active_ = std::move(*segment);
    if (create) bases_.push_back(base);
  }

  void Reopen(int64_t active_base, std::optional<LogEnd> end) {
    closed_.clear();
    for (const int64_t base : bases_) {
      if (base == active_base) continue;
      auto segment = Segment::Open(directory_, nullptr, Options(base));
      ASSERT_TRUE(segment.ok()) << segment.status().ToString();
      closed_.push_back(std::move(*segment));
    }
    OpenActive(active_base, false, end);
  }

  void Close() {
    closed_.clear();
    active_.reset();
    directory_.reset();
  }

  void CloseCleanly() {
    ASSERT_TRUE(active_->Seal().ok());
    ASSERT_TRUE(active_->SyncAll().ok());
    durable_batches_ = model_.size();
    ASSERT_TRUE(directory_->ReplaceFile(".kafka_cleanshutdown", {}).ok());
    closed_.clear();
    active_.reset();
    ASSERT_TRUE(directory_->Close(true).ok());
    directory_.reset();
  }

  /// The first part of a batch behind the end, as an append that was killed leaves it.
  void LeaveGarbage(const std::string& path, int64_t end) {
    if (Pick(2) == 0) return;
    Bytes torn = Stamped(RandomBatch(), next_offset_, epoch_);
    torn.resize(1 + Pick(torn.size() - 1));
    auto file = io_.Open(path, OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok());
    const IoSlice slice{torn.data(), torn.size()};
    ASSERT_TRUE((*file)->WriteAt(end, &slice, 1).ok());
  }

  void CheckZerosBehind(const std::string& path, int64_t end) {
    auto file = io_.Open(path, OpenMode::kRead);
    ASSERT_TRUE(file.ok());
    const int64_t size = (*file)->Info()->size;
    Bytes behind(static_cast<size_t>(size - end));
    ASSERT_EQ((*file)->ReadAt(end, behind.data(), behind.size()).value(), behind.size());
    ASSERT_TRUE(std::all_of(behind.begin(), behind.end(), [](uint8_t byte) { return byte == 0; }));
  }

  // -- checks

  Segment& SegmentFor(int64_t offset) {
    for (size_t i = closed_.size(); i > 0 && offset < active_->base_offset().value; --i) {
      if (closed_[i - 1]->base_offset().value <= offset) return *closed_[i - 1];
    }
    return *active_;
  }

  size_t FirstAt(int64_t offset) {
    const auto first = std::find_if(model_.begin(), model_.end(),
                                    [&](const ModelBatch& batch) { return batch.last_offset >= offset; });
    return static_cast<size_t>(first - model_.begin());
  }

  void ReadSomewhere() {
    if (next_offset_ == 0) return;
    ReadAt(static_cast<int64_t>(Pick(static_cast<uint64_t>(next_offset_))), Pick(8000));
  }

  /// Reads at `offset` and compares; returns the offset to go on from, -1 at the end of a segment.
  int64_t ReadAt(int64_t offset, size_t max_bytes) {
    Segment& segment = SegmentFor(offset);
    const bool now = Pick(2) == 0;
    Bytes target(max_bytes);
    const FilePosition limit(INT64_MAX);
    auto read = now ? segment.ReadNow(RecordOffset(offset), limit, target)
                    : segment.Read(RecordOffset(offset), limit, target);
    if (!read.ok() && read.status().code() == ErrorCode::kCold)
      read = segment.Read(RecordOffset(offset), limit, target);
    EXPECT_TRUE(read.ok()) << read.status().ToString();
    if (!read.ok()) return -1;
    const size_t first = FirstAt(offset);
    const bool in_segment =
        first < model_.size() && model_[first].base_offset < segment.published().offset.value;
    if (!in_segment) {
      EXPECT_EQ(read->bytes, 0u);
      EXPECT_EQ(read->first_needs, 0u);
      return -1;
    }
    if (read->first_needs != 0) {
      EXPECT_EQ(read->first_needs, model_[first].bytes.size());
      EXPECT_GT(read->first_needs, max_bytes);
      return ReadAt(offset, read->first_needs);
    }
    EXPECT_GT(read->bytes, 0u);
    size_t at = 0;
    size_t i = first;
    for (; at < read->bytes && i < model_.size(); ++i) {
      const Bytes& expected = model_[i].bytes;
      EXPECT_LE(at + expected.size(), read->bytes);
      if (at + expected.size() > read->bytes) return -1;
      const bool equal =
          std::equal(expected.begin(), expected.end(), target.begin() + static_cast<int64_t>(at));
      EXPECT_TRUE(equal) << "batch at offset " << model_[i].base_offset;
      if (!equal) return -1;
      at += expected.size();
    }
    EXPECT_EQ(at, read->bytes);
    return model_[i - 1].last_offset + 1;
  }

  void LookUpTime() {
    const int64_t wanted = clock_ - static_cast<int64_t>(Pick(200));
    for (const auto& segment : {closed_.empty() ? active_ : closed_[Pick(closed_.size())], active_}) {
      auto found = segment->LocateTimestamp(TimestampMs(wanted));
      ASSERT_TRUE(found.ok()) << found.status().ToString();
      const ModelBatch* expected = nullptr;
      int64_t segment_max = -1;
      for (const ModelBatch& batch : model_) {
        const bool inside = batch.base_offset >= segment->base_offset().value &&
                            batch.last_offset < segment->published().offset.value;
        if (!inside) continue;
        segment_max = std::max(segment_max, batch.max_timestamp);
        if (expected == nullptr && batch.max_timestamp >= wanted) expected = &batch;
      }
      EXPECT_EQ(segment->max_timestamp().value, segment_max);
      ASSERT_EQ(found->has_value(), expected != nullptr);
      if (expected == nullptr) continue;
      EXPECT_GE((*found)->offset.value, expected->base_offset);
      EXPECT_LE((*found)->offset.value, expected->last_offset);
      EXPECT_GE((*found)->timestamp.value, wanted);
    }
  }

  void CheckAll() {
    ASSERT_EQ(active_->published().offset.value, next_offset_);
    size_t seen = 0;
    for (int64_t offset = bases_.front(); seen < model_.size();) {
      const int64_t next = ReadAt(model_[FirstAt(offset)].base_offset, 64 << 10);
      ASSERT_GT(next, offset) << "reading stops at " << offset;
      offset = next;
      seen = FirstAt(offset);
    }
    for (const auto& segment : closed_) ASSERT_FALSE(segment->index_suspect());
    ASSERT_FALSE(active_->index_suspect());
  }

  static constexpr int64_t kIndexBytes = 4096;

  Io& io_;
  MemoryIo* const memory_;
  const std::string path_;
  std::mt19937_64 random_;
  int64_t interval_;
  int64_t segment_bytes_;
  std::shared_ptr<DataDirectory> directory_;
  EndsSlot* slot_ = nullptr;
  std::shared_ptr<Segment> active_;
  std::vector<std::shared_ptr<Segment>> closed_;
  std::vector<int64_t> bases_;
  std::vector<ModelBatch> model_;
  size_t durable_batches_ = 0;
  int64_t next_offset_ = 0;
  int64_t clock_ = 1'000'000;
  int32_t epoch_ = 1;
};

TEST(SegmentModelTest, InMemory) {
  const int64_t sequences = FromEnvironment("SEGLOG_SEQUENCES", 60);
  const auto seed = static_cast<uint64_t>(FromEnvironment("SEGLOG_SEED", 1));
  for (int64_t i = 0; i < sequences && !HasFailure(); ++i) {
    SCOPED_TRACE("SEGLOG_SEED=" + std::to_string(seed + static_cast<uint64_t>(i)) + " SEGLOG_SEQUENCES=1");
    MemoryIo io;
    if (i % 4 == 3) io.set_file_system(FileSystemKind::kOther);
    Partition(io, &io, "/data", seed + static_cast<uint64_t>(i))
        .Run(FromEnvironment("SEGLOG_OPERATIONS", 200));
    ASSERT_EQ(LiveMappings(), 0);
  }
}

TEST(SegmentModelTest, OnRealFiles) {
  const int64_t sequences = FromEnvironment("SEGLOG_REAL_SEQUENCES", 3);
  const auto seed = static_cast<uint64_t>(FromEnvironment("SEGLOG_SEED", 1));
  for (int64_t i = 0; i < sequences && !HasFailure(); ++i) {
    SCOPED_TRACE("SEGLOG_SEED=" + std::to_string(seed + static_cast<uint64_t>(i)) +
                 " SEGLOG_REAL_SEQUENCES=1");
    std::string path = ::testing::TempDir() + "/seglog-model-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    Partition(SystemIo(), nullptr, path + "/data", seed + static_cast<uint64_t>(i))
        .Run(FromEnvironment("SEGLOG_OPERATIONS", 200));
    ASSERT_EQ(LiveMappings(), 0);
    std::filesystem::remove_all(path);
  }
}

}  // namespace
}  // namespace seglog::test
