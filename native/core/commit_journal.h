// `.journal`: makes one flush serve many partitions. What a flush round of many segments has to bring to disk
// is appended to this one file, as one frame, and only this file is flushed; the segments' own files follow
// behind, 64 MiB or one second later, which frees the journal. After a power loss it is replayed
// (journal_replay.h). Format: journal_format.h.
//
// The file is written with zeros before it is used, so that a flush commits no metadata. It is a ring that
// begins with 8 MiB and doubles, up to 128 MiB, while it fills faster than a second. It is made when it is
// first wanted, and removed by a clean close, when the disk is full, and once it was replayed.
//
// The rule that makes replay safe: a frame counts until a later one says (`tail`) that it is not needed any
// more. Whoever is about to change bytes that were journaled, or to give a segment's name to something else,
// calls Settle() first.
//
// Thread rule: Commit by one thread at a time; everything else on any. Lock order: a segment's flush gate,
// settle_mutex_, commit_mutex_, mutex_. Ownership: belongs to its directory. Sources are plain pointers:
// whoever was committed calls Leave before it dies.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>

#include "io.h"
#include "journal_format.h"
#include "status.h"
#include "thread.h"

namespace seglog {

class DataDirectory;

inline constexpr char kJournalName[] = ".journal";

/// A segment whose unflushed bytes can go into the journal.
class JournalSource {
 public:
  /// Holds flushes and cuts of it off until EndJournal, on the same thread. False if it has to be flushed by
  /// itself: busy, sealed, too much to flush, or its file's name is not on disk yet.
  virtual bool BeginJournal() = 0;
  /// Adds what is not on disk yet, which may be nothing. False if there is no room, or it cannot be read.
  virtual bool AddTo(JournalFrame* frame) = 0;
  /// `committed`: what was added is durable.
  virtual void EndJournal(bool committed) = 0;
  /// Everything that was added before the call is on disk in its own file when it returns OK.
  virtual Status FlushBehind() = 0;

 protected:
  ~JournalSource() = default;
};

class CommitJournal {
 public:
  static constexpr int64_t kFirstBytes = 8 << 20;
  static constexpr int64_t kMaxBytes = 128 << 20;  // so that 64 MiB may wait
  static constexpr int64_t kSettleAfterMs = 1000;
  static constexpr int64_t kAskAgainMs = 10'000;  // after it could not be made

  /// `max_bytes`: 0 is off.
  CommitJournal(DataDirectory& directory, int64_t max_bytes);
  ~CommitJournal();  // Stop()

  /// Frames can be committed. If not, the keeper's thread is asked to make the file.
  bool Ready() noexcept;
  /// Makes the file, if it is not there: on the keeper's thread, or in tests. Waits for the disk.
  Status Prepare();

  /// Empty, with room for up to `entries`: the one there is.
  JournalFrame& NewFrame(size_t entries);
  /// Writes and flushes the frame. True: durable. False: not taken, flush the sources by themselves. A failed
  /// flush takes the directory offline.
  Result<bool> Commit(std::span<JournalSource* const> sources);

  /// Everything that was journaled is on disk in the segments' own files, and no frame up to now will ever be
  /// replayed.
  Status Settle();
  /// `source` is about to close: its share is brought to disk.
  void Leave(JournalSource* source);
  /// Settles and removes the file; Prepare may follow. A clean close, a full disk.
  Status Remove();
  /// Stops the keeper's thread; the file stays as it is. Idempotent.
  void Stop();

  /// Bytes of frames that wait for their segments' flush.
  int64_t live_bytes() const;
  int64_t file_bytes() const;

 private:
  static constexpr int64_t kRingBegin = kJournalBlockBytes;

  struct Live {
    uint64_t sequence;
    int64_t position;
    int64_t bytes;
  };

  // with mutex_ held
  bool Place(int64_t bytes, int64_t* position);
  /// The oldest sequence that is needed once the frame `sequence` is there.
  uint64_t Tail(uint64_t next) const { return live_.empty() ? next : live_.front().sequence; }
  int64_t LiveBytes() const;
  bool HalfFull() const { return 2 * LiveBytes() > end_ - kRingBegin; }
  bool Due(int64_t now_ms) const;

  // with settle_mutex_ held
  Status SettleSources();
  Status PersistTail();
  Status MakeFile();
  Status FillWithZeros(File& file, int64_t from, int64_t to);
  void Grow();

  /// Writes and flushes one frame; commit_mutex_ held.
  Status Write(JournalFrame& frame, uint64_t sequence, uint64_t tail, int64_t position, bool* flush_failed);
  void Want() noexcept;
  void Keep();

  DataDirectory& directory_;
  const std::string path_;
  const int64_t max_bytes_;
  std::atomic<bool> ready_{false};

  std::mutex settle_mutex_;  // one settling at a time; also making, growing and removing the file
  std::mutex commit_mutex_;  // one frame at a time; the two below
  JournalFrame frame_;
  JournalFrame empty_;  // to persist a tail

  mutable std::mutex mutex_;  // everything below; file_ and id_ change only with commit_mutex_ held, too
  std::condition_variable wake_;
  std::unique_ptr<File> file_;
  JournalId id_{};
  int64_t end_ = 0;  // of the ring, in the file
  int64_t head_ = 0;
  uint64_t next_sequence_ = 1;
  uint64_t persisted_tail_ = 1;  // frames below it are void, and the disk knows
  std::deque<Live> live_;
  std::set<JournalSource*> sources_;  // of the live frames
  int64_t oldest_ms_ = 0;
  int64_t settled_ms_ = 0;
  int64_t ask_again_ms_ = 0;
  bool wanted_ = false;
  bool stop_ = false;
  std::unique_ptr<Thread> keeper_;
};

}  // namespace seglog
