// A segment: one `.log` file of record batches with its offset index and time index.
//
// The active segment is appended to; its append state (end, next offset, index interval, largest timestamp)
// belongs to whoever holds the lease: the event loop while no storage operation of this segment is pending,
// else the storage thread that runs one. Handing over goes through the storage queue, whose mutex orders the
// memory; the hot path has no lock. AppendNow, Append, Seal, TruncateTo and Close need the lease. Everything
// else may run on any thread at the same time: it reads the published end, two atomics that only grow (except
// by TruncateTo).
//
// Published means visible to readers and in the page cache: it survives the process. Durable means on disk.
//
// Nothing here waits for the disk except Open, Append, Flush, SyncAll, Seal, TruncateTo, Close and the reads
// without "Now". A failed write or flush takes the directory offline (DataDirectory::Failed); a full disk
// does not.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>

#include "ahead.h"
#include "append_window.h"
#include "commit_journal.h"
#include "data_directory.h"
#include "gate.h"
#include "header_walk.h"
#include "offset_index.h"
#include "record_batch.h"
#include "region_source.h"
#include "time_index.h"

namespace seglog {

struct AppendPlan;

/// `<folder>/<base offset, 20 digits><extension>`.
std::string SegmentFile(const std::string& folder, RecordOffset base_offset, const char* extension);

/// A point where one batch ends and the next begins.
struct LogEnd {
  FilePosition position;
  RecordOffset offset;
  bool operator==(const LogEnd&) const = default;
};

struct SegmentOptions {
  std::string folder;  // absolute, or relative to the directory
  RecordOffset base_offset;
  bool active = false;
  int64_t segment_bytes = 1 << 30;
  int64_t index_bytes = 10 << 20;
  int64_t index_interval_bytes = 4096;
  EndsSlot* slot = nullptr;  // active segments publish into it; outlives the segment
  bool create = false;       // the files must not exist, or be empty
  /// Where an existing active segment ends, believed from `.ends`: bytes behind it are zeroed. Without: at
  /// the end of the file.
  std::optional<LogEnd> end;
};

enum class CrcMode { kCompute, kVerify };

/// What the records of uncompressed batches from outside have to be besides whole and dense.
struct RecordRules {
  TimestampMs oldest;  // a record without a timestamp (-1) is neither too old nor too new
  TimestampMs newest;
  bool keyed = false;
};

struct AppendOptions {
  int32_t leader_epoch = -1;  // stamped into every batch; -1 keeps the batch's own
  TimestampMs append_time{-1};
  CrcMode crc = CrcMode::kCompute;
  bool keep_offsets = false;
  /// Set: records are walked on the stored bytes (kInvalidBatch), and a header whose largest timestamp is not
  /// theirs is corrected, as a Kafka leader does. Compressed batches are taken as they are.
  std::optional<RecordRules> records;
};

struct Appended {
  RecordOffset base_offset;
  RecordOffset last_offset;
  TimestampMs max_timestamp{-1};
  FilePosition end_position;
};

enum class AppendOutcome : uint8_t {
  kDone,
  kNotReady,     // use Append
  kSegmentFull,  // roll first
  kFailed,       // see the status
};

struct LocatedBatch {
  RecordOffset base_offset;
  FilePosition position;
};

struct LocatedTimestamp {
  RecordOffset offset;
  TimestampMs timestamp;
  int32_t leader_epoch = -1;
  bool compressed = false;  // offset is the batch's base: decode it to find the record
};

struct ReadResult {
  size_t bytes = 0;        // whole batches now in the target; 0 at the end
  size_t first_needs = 0;  // the first batch does not fit: its size
};

class Segment final : public Ahead::Tended,
                      public RegionSource,
                      public JournalSource,
                      public std::enable_shared_from_this<Segment> {
 public:
  static constexpr size_t kMappedLaneBytes = 64 << 10;
  static constexpr int64_t kJournaledBytes = 64 << 10;  // more than this is flushed by itself

  /// `ahead` null: the storage lane only. kCorrupt when the file's batches do not lead to its end.
  static Result<std::shared_ptr<Segment>> Open(std::shared_ptr<DataDirectory> directory, Ahead* ahead,
                                               SegmentOptions options);
  ~Segment();

  // -- state, any thread

  RecordOffset base_offset() const { return options_.base_offset; }
  LogEnd published() const noexcept;
  /// Up to here nothing is lost with the power: it is in the file on disk, or in the journal.
  LogEnd durable() const;
  /// Up to here the file itself is on disk.
  LogEnd flushed() const;
  /// The append's statistics as of the published end; consistent on the lease holder's thread.
  TimestampMs max_timestamp() const { return TimestampMs(max_timestamp_.load(std::memory_order_relaxed)); }
  RecordOffset max_timestamp_offset() const {
    return RecordOffset(max_timestamp_offset_.load(std::memory_order_relaxed));
  }
  TimestampMs first_timestamp() const {
    return TimestampMs(first_timestamp_.load(std::memory_order_relaxed));
  }
  TimestampMs created() const { return created_; }
  bool sealed() const noexcept { return sealed_.load(std::memory_order_acquire); }
  const std::string& log_path() const { return log_path_; }

  // -- appending, lease holder

  /// The mapped lane, on the calling thread, without a system call or an allocation. `parts` concatenated are
  /// whole batches. Anything but kDone left the segment as it was; kFailed sets *error (kInvalidBatch,
  /// kCorruptBatch, kBatchTooLarge, kOffline, kReadOnly, kClosed).
  AppendOutcome AppendNow(std::span<const ByteSpan> parts, const AppendOptions& options, Appended* appended,
                          Status* error);
  /// The storage lane. kSegmentFull, kNoSpace (retriable, nothing stored), or as above.
  Result<Appended> Append(std::span<const ByteSpan> parts, const AppendOptions& options);

  // -- durability, any thread; one flush of a segment at a time runs, others wait for it

  /// Everything published before the call is on disk when it returns OK; returns the new durable end. A
  /// sealed segment is flushed whole, with its indexes.
  Result<LogEnd> Flush();
  /// fsync of the log and both indexes.
  Status SyncAll();

  // -- reading, any thread

  /// Copies whole batches from the one that holds `offset` (or the next after it) that end at or below
  /// `limit` and fit into target. Never waits: kCold.
  Result<ReadResult> ReadNow(RecordOffset offset, FilePosition limit, MutableByteSpan target);
  Result<ReadResult> Read(RecordOffset offset, FilePosition limit, MutableByteSpan target);
  /// Fills target with the bytes from `position` on, published ones only: kCorrupt where there are not as
  /// many. ReadAtNow: kCold.
  Status ReadAtNow(FilePosition position, MutableByteSpan target);
  Status ReadAt(FilePosition position, MutableByteSpan target);
  /// Sends published bytes to a non-blocking socket, see File::SendTo. kCorrupt where there are not as many,
  /// kClosed, kPeerGone.
  Result<SentBytes> SendTo(int socket, FilePosition position, size_t size) override;
  bool IsCached(FilePosition position, size_t size) override;
  Status Warm(FilePosition position, size_t size) override;
  /// nullopt behind the end. LocateNow: kCold.
  Result<std::optional<LocatedBatch>> LocateNow(RecordOffset offset);
  Result<std::optional<LocatedBatch>> Locate(RecordOffset offset);
  Result<std::optional<LocatedTimestamp>> LocateTimestamp(TimestampMs timestamp);
  /// An index entry did not match its batch; reads go by scanning until the indexes are rebuilt.
  bool index_suspect() const noexcept { return index_suspect_.load(std::memory_order_relaxed); }

  // -- lifecycle, lease holder on a storage thread

  /// Final time-index entry, helper retired, mapping gone, `.log` exact, indexes written; not yet on disk.
  /// Idempotent.
  Status Seal();
  /// Cuts to the batch boundary at or below `offset`, indexes too, and raises the slot's generation. The cut
  /// is on disk when it returns.
  Status TruncateTo(RecordOffset offset);
  /// Closes the files, leaving an unsealed segment as a kill would. Idempotent.
  void Close();

  // -- JournalSource
  bool BeginJournal() override;
  bool AddTo(JournalFrame* frame) override;
  void EndJournal(bool committed) override;
  Status FlushBehind() override;

  // -- Ahead::Tended, helper thread
  int64_t Tend(int64_t now_ms, int64_t budget) override;
  bool Active(int64_t now_ms) const override;

 private:
  class LeaseCheck;

  Segment(std::shared_ptr<DataDirectory> directory, Ahead* ahead, SegmentOptions options);

  // opening (segment_open.cc)
  Status CreateFiles();
  Result<std::unique_ptr<File>> OpenLeftover();
  Status OpenFiles();
  Status OpenIndexes(bool rebuild);
  Status AdoptActiveEnd(int64_t file_size);
  Status AdoptClosedEnd(int64_t file_size);
  LogEnd DurableAtOpen() const;
  Status EraseBehind(FilePosition end, int64_t file_size);
  /// Takes over from the last index entry, or from the beginning, walking headers to `end`; adds index
  /// entries on the way when `index`. kCorrupt where the batches do not lead there.
  Status WalkTo(FilePosition end, bool from_start, bool index);
  /// WalkTo for an active segment; where the indexes do not lead to `end` they are made anew.
  Status TakeOver(FilePosition end, std::optional<RecordOffset> end_offset);
  void ResetAppendState();

  // lifecycle (segment_lifecycle.cc)
  Status WritePendingIndexes();
  void WatchAgain();
  void RetireHelper();
  void CutBehindEnd();
  Status SyncAllLocked();
  Status SyncFolderOnce();
  void SetDurable(LogEnd end);

  // append (segment_append.cc)
  Status CheckAppendable() const;
  AppendOutcome Check(std::span<const ByteSpan> parts, const AppendOptions& options, AppendPlan* plan,
                      Status* error) const;
  Appended Account(const AppendPlan& plan, const AppendOptions& options, const uint8_t* stored);
  Appended AccountHeaders(std::span<const std::array<uint8_t, kBatchOverhead>> headers,
                          const AppendPlan& plan);
  void AccountBatch(const BatchHeader& header, Appended* appended);
  void AddIndexEntries(const BatchHeader& header);
  void PublishToSlot() noexcept;
  void Publish() noexcept;
  void NudgeHelper() noexcept;

  // reading (segment_read.cc, segment_timestamp.cc)
  Result<std::optional<BatchAt>> Find(RecordOffset offset, LogEnd end, Wait wait);
  Result<std::optional<BatchAt>> FindFrom(FilePosition from, RecordOffset offset, LogEnd end, Wait wait);
  Result<ReadResult> ReadBatches(RecordOffset offset, FilePosition limit, MutableByteSpan target, Wait wait);
  Status ReadPublished(FilePosition position, MutableByteSpan target, Wait wait);
  Status EndsBefore(FilePosition position) const;
  Result<ReadResult> ReadWhole(FilePosition from, RecordOffset offset, FilePosition limit,
                               MutableByteSpan target, Wait wait, LogEnd* read_end);
  /// Runs read(cuts) until no cut of the log happened beside it; without waiting, kCold in place of another
  /// try.
  template <typename Read>
  auto Uncut(Wait wait, Read read) -> decltype(read(uint64_t{})) {
    for (;;) {
      const uint64_t cuts = cuts_.load(std::memory_order_acquire);
      auto result = read(cuts);
      if (cuts_.load(std::memory_order_acquire) == cuts) return result;
      if (wait == Wait::kNo) return Status::Error(ErrorCode::kCold, "the log was cut meanwhile", log_path_);
    }
  }
  Result<ReadResult> ReadOnce(RecordOffset offset, FilePosition limit, MutableByteSpan target, Wait wait,
                              uint64_t cuts);
  Result<std::optional<LocatedTimestamp>> LocateTimestampOnce(TimestampMs timestamp);
  std::optional<FilePosition> LastReadEnd(RecordOffset offset, uint64_t cuts);
  void RememberReadEnd(LogEnd end, uint64_t cuts);
  Result<std::optional<LocatedBatch>> LocateBatch(RecordOffset offset, Wait wait);
  Result<std::optional<LocatedTimestamp>> FirstInBatch(const BatchAt& batch, TimestampMs timestamp);

  const std::shared_ptr<DataDirectory> directory_;
  Ahead* const ahead_;
  const SegmentOptions options_;
  const std::string folder_;
  const std::string log_path_;
  TimestampMs created_{0};
  std::unique_ptr<AppendWindow> window_;  // active segments
  mutable std::shared_mutex
      files_mutex_;  // file_ and the indexes: shared while used without the lease, alone to close
  std::unique_ptr<File> file_;
  std::unique_ptr<OffsetIndex> offset_index_;  // null: closed segment whose index is missing or damaged
  std::unique_ptr<TimeIndex> time_index_;

  // Append state: lease holder only.
  FilePosition end_;
  RecordOffset next_offset_;
  int64_t bytes_since_entry_ = 0;
  bool watched_ = false;
  std::atomic<bool> lease_held_{false};  // debug builds

  // Written by the lease holder, read by anyone.
  std::atomic<uint64_t> publish_sequence_{0};
  std::atomic<int64_t> published_position_{0};
  std::atomic<int64_t> published_offset_{0};
  std::atomic<int64_t> max_timestamp_{-1};
  std::atomic<int64_t> max_timestamp_offset_{-1};
  std::atomic<int64_t> first_timestamp_{-1};
  std::atomic<int64_t> last_small_append_ms_;
  std::atomic<int64_t> pending_entries_{0};  // index entries added since the last write
  std::atomic<uint64_t> cuts_{0};  // raised by TruncateTo behind the lowered end: what readers know is void
  std::atomic<bool> sealed_{false};
  std::atomic<bool> closed_{false};
  std::atomic<bool> index_suspect_{false};
  Status damage_;  // closed segments: why the published end is not the end of the file; set by Open

  // The end of the last read: where a sequential reader goes on without a look-up.
  std::atomic_flag last_read_busy_ = ATOMIC_FLAG_INIT;
  LogEnd last_read_;
  uint64_t last_read_cuts_ = 0;

  Gate flush_gate_;            // held through a flush or a cut; taken before durable_mutex_
  bool folder_synced_ = true;  // under flush_gate_; false: the files' names may not be on disk yet
  LogEnd journaling_to_;       // under flush_gate_
  std::pair<TopicId, int32_t> partition_;  // with a slot; set by Open
  mutable std::mutex durable_mutex_;
  LogEnd durable_;
  LogEnd flushed_;    // at most durable_
  LogEnd journaled_;  // what was given to the journal, committed or not; from flushed_ on it is only there

  // Helper thread only.
  int64_t window_bytes_ = AppendWindow::kMinBytes;
  int64_t last_advance_us_ = 0;
};

}  // namespace seglog
