// A data directory and segments of one partition, in memory, for tests.
#pragma once

#include <gtest/gtest.h>

#include "batches.h"
#include "coarse_clock.h"
#include "data_directory.h"
#include "memory_io.h"
#include "segment.h"
#include "segment_scan.h"

namespace seglog::test {

inline constexpr TopicId kTopic{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

inline std::vector<ByteSpan> Parts(const Bytes& bytes) { return {ByteSpan(bytes)}; }

#define ASSERT_OK(expr)                                    \
  do {                                                     \
    const ::seglog::Status seglog_ok_ = (expr);            \
    ASSERT_TRUE(seglog_ok_.ok()) << seglog_ok_.ToString(); \
  } while (0)
#define EXPECT_OK(expr)                                    \
  do {                                                     \
    const ::seglog::Status seglog_ok_ = (expr);            \
    EXPECT_TRUE(seglog_ok_.ok()) << seglog_ok_.ToString(); \
  } while (0)

class SegmentTest : public ::testing::Test {
 protected:
  void SetUp() override { OpenDirectory(); }
  void TearDown() override {
    segment_.reset();
    directory_.reset();
    EXPECT_EQ(LiveMappings(), 0);
  }

  virtual Io& io() { return memory_; }

  void OpenDirectory(DirectoryOptions options = {}) {
    auto directory = DataDirectory::Open(io(), "/data", options);
    ASSERT_TRUE(directory.ok()) << directory.status().ToString();
    directory_ = std::move(*directory);
    if (options.read_only) return;
    ASSERT_OK(directory_->MakeDirectory("t-0"));
    auto slot = directory_->Slot(kTopic, 0);
    ASSERT_TRUE(slot.ok());
    slot_ = *slot;
  }

  SegmentOptions Options(int64_t base = 0) {
    SegmentOptions options;
    options.folder = "t-0";
    options.base_offset = RecordOffset(base);
    options.active = true;
    options.segment_bytes = 1 << 20;
    options.index_bytes = 8 << 10;
    options.index_interval_bytes = 4096;
    options.slot = slot_;
    return options;
  }

  Status TryOpen(SegmentOptions options) {
    segment_.reset();
    auto segment = Segment::Open(directory_, nullptr, std::move(options));
    if (segment.ok()) segment_ = std::move(*segment);
    return segment.status();
  }

  void Create(SegmentOptions options) {
    options.create = true;
    ASSERT_OK(TryOpen(std::move(options)));
  }
  void Create(int64_t base = 0) { Create(Options(base)); }

  /// As after a kill: nothing is sealed or flushed.
  void Kill() {
    segment_.reset();
    directory_.reset();
    OpenDirectory();
  }

  /// What `.ends` believes of the partition.
  std::optional<LogEnd> BelievedEnd() const {
    for (const PartitionEnds& ends : directory_->ends()) {
      if (ends.topic_id == kTopic && ends.partition == 0) return LogEnd{ends.end_position, ends.end_offset};
    }
    return std::nullopt;
  }

  /// Makes the window ready, as the helper would.
  void Tend() { segment_->Tend(CoarseNowMs(), Ahead::kProcessBytes); }

  Result<Appended> Append(const Bytes& bytes, AppendOptions options = {}) {
    const auto parts = Parts(bytes);
    return segment_->Append(parts, options);
  }

  AppendOutcome AppendNow(const Bytes& bytes, AppendOptions options = {}) {
    const auto parts = Parts(bytes);
    return segment_->AppendNow(parts, options, &appended_, &error_);
  }

  /// AppendNow after making it ready.
  void MustAppendNow(const Bytes& bytes, AppendOptions options = {}) {
    AppendOutcome outcome = AppendNow(bytes, options);
    if (outcome == AppendOutcome::kNotReady) {
      Tend();
      outcome = AppendNow(bytes, options);
    }
    ASSERT_EQ(outcome, AppendOutcome::kDone) << error_.ToString();
  }

  Bytes ReadFrom(int64_t offset, size_t max_bytes = 1 << 20) {
    Bytes target(max_bytes);
    auto read = segment_->Read(RecordOffset(offset), FilePosition(INT64_MAX), target);
    EXPECT_TRUE(read.ok()) << read.status().ToString();
    target.resize(read.ok() ? read->bytes : 0);
    return target;
  }

  Bytes FileBytes(const std::string& path) {
    auto bytes = directory_->ReadFile(path);
    EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
    return bytes.ok() ? *bytes : Bytes();
  }

  void WriteBytes(const std::string& path, int64_t position, const Bytes& bytes) {
    auto file = io().Open(directory_->Resolve(path), OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok());
    const IoSlice slice{bytes.data(), bytes.size()};
    ASSERT_OK((*file)->WriteAt(position, &slice, 1));
  }

  static constexpr const char* kLog = "t-0/00000000000000000000.log";
  static constexpr const char* kIndex = "t-0/00000000000000000000.index";
  static constexpr const char* kTimeIndex = "t-0/00000000000000000000.timeindex";

  MemoryIo memory_;
  std::shared_ptr<DataDirectory> directory_;
  EndsSlot* slot_ = nullptr;
  std::shared_ptr<Segment> segment_;
  Appended appended_;
  Status error_;
};

}  // namespace seglog::test
