// A data directory: who writes it (`.lock`), how it was left behind (`.ends`, `.journal`,
// `.kafka_cleanshutdown`), whether it can still be written (offline after a failed write or flush), and
// durable operations on its small files.
//
// A read-only open writes nothing at all: no lock, no `.ends`, no marker removed.
//
// Thread rule: any thread. Ownership: segments hold a shared_ptr to their directory; Close() releases `.ends`
// and the lock when every segment is closed. Paths given to methods are absolute or relative to the
// directory.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ballast.h"
#include "commit_journal.h"
#include "ends_file.h"
#include "fd_reserve.h"
#include "io.h"

namespace seglog {

enum class LeftBehind {
  kNew,     // no log was ever here
  kClean,   // closed cleanly: every file is exact
  kKilled,  // the writer died, the page cache did not: `.ends` may be believed
  kScan,    // anything else: scan from the recovery point
};

struct DirectoryOptions {
  bool read_only = false;
  bool create = true;
  /// How large `.journal` may become; 0: none is made.
  int64_t journal_bytes = CommitJournal::kMaxBytes;
};

class DataDirectory {
 public:
  static constexpr int64_t kEndsEveryMs = 5;

  /// kLocked (naming the holder's pid) when another open writes it, kNotDirectory, kAccessDenied, kNotFound
  /// without `create`. Waits for the disk: call it on a storage thread.
  static Result<std::shared_ptr<DataDirectory>> Open(Io& io, const std::string& path,
                                                     DirectoryOptions options);
  ~DataDirectory();

  Io& io() const { return io_; }
  const std::string& path() const { return path_; }
  bool read_only() const { return options_.read_only; }
  LeftBehind left_behind() const { return left_behind_; }
  /// A process (for read-only opens: another one) held the write lock at open.
  bool live() const { return live_; }
  bool mapped_lane() const { return mapped_lane_; }
  /// Writing into reserved space needs no allocation here: reserve before writing.
  bool overwrite_in_place() const { return overwrite_in_place_; }
  const std::vector<PartitionEnds>& ends() const { return ends_found_; }
  /// Read-only opens: acknowledged records wait in `.journal` for an open that may write them where they
  /// belong; `ends` may know of them.
  bool journal_waits() const { return journal_waits_; }
  std::string Resolve(const std::string& path) const;

  // -- writing

  /// OK, kReadOnly, kClosed or kOffline (with the first failure's message).
  Status CheckWritable() const;
  bool offline() const { return offline_.load(std::memory_order_acquire); }
  /// A write failed with `cause`: goes offline and poisons `.ends`, once, if the disk is at fault (kIo,
  /// kAccessDenied). A full disk, a missing descriptor and a wrong path are not; then nothing happens.
  /// Returns `cause` for chaining.
  Status Failed(Status cause);
  /// A flush failed, whatever the code: always goes offline.
  Status FlushFailed(Status cause);
  /// Called once, on the failing thread, when the directory goes offline.
  void OnOffline(std::function<void(const Status&)> callback);

  Result<EndsSlot*> Slot(const TopicId& topic_id, int32_t partition);
  void TopicsChanged();
  /// `.ends` is on disk as it is now.
  Status FlushEnds();
  /// Every flush round calls this: the durable ends of earlier rounds go to disk behind the round's own
  /// bytes, at most every kEndsEveryMs. They are a lower bound, so nothing waits for them: an msync of their
  /// own was a second journal commit per round and doubled its time.
  void EndsBehind() noexcept;
  EndsFile* ends_file() { return ends_file_.get(); }

  /// Null where none is used: read-only, closed, or a file system that copies on write.
  CommitJournal* journal() { return journal_.get(); }
  /// Before bytes that may have been journaled are changed, or a name is given to something else.
  Status SettleJournal() { return journal_ ? journal_->Settle() : Status::Ok(); }
  void LeaveJournal(JournalSource* source) {
    if (journal_) journal_->Leave(source);
  }
  /// Everything is flushed: no journal is left behind. For a clean close, before its marker is written.
  Status RemoveJournal();

  /// Appends may take new space: false while the ballast is given away and there is no room to take it again.
  bool MayGrow();

  /// Runs `write`; on kNoSpace gives the ballast back, on kTooManyFiles the reserved descriptors, and runs it
  /// once more.
  Status WithReserves(const std::function<Status()>& write);

  // -- small files, durable when they return

  Result<std::vector<std::string>> List(const std::string& path);
  Result<std::optional<FileInfo>> Stat(const std::string& path);  // nullopt when there is none
  Result<std::vector<uint8_t>> ReadFile(const std::string& path);
  /// Temporary file, fsync, rename, fsync of the folder.
  Status ReplaceFile(const std::string& path, ByteSpan bytes);
  /// mkdir -p and fsync of each parent.
  Status MakeDirectory(const std::string& path);
  Status Rename(const std::string& from, const std::string& to);
  Status Remove(const std::string& path);
  Status RemoveTree(const std::string& path);
  Status SyncDirectory(const std::string& path);

  /// Flushes `.ends`, releases it and the lock. Idempotent. `clean`: every segment was sealed and flushed and
  /// the caller wrote `.kafka_cleanshutdown` last; it is removed again if `.ends` cannot be flushed.
  Status Close(bool clean);

 private:
  DataDirectory(Io& io, std::string path, DirectoryOptions options);
  Status OpenFiles();
  Status TakeLock();
  /// With its missing parents, each of them known to the folder above it on disk.
  Status CreateFolder(const std::string& path);
  bool HeldByAnother();
  Status FlushEndsFile();
  Status JudgeWhatIsLeft(EndsContents* before);
  /// What a `.journal` was left for: replay, or what a kill left in the page cache brought to disk.
  Status TakeInJournal();
  Status BeginWriting(const EndsContents& before);
  Status GoOffline(Status cause);

  Io& io_;
  const std::string path_;
  const DirectoryOptions options_;
  LeftBehind left_behind_ = LeftBehind::kNew;
  bool live_ = false;
  bool mapped_lane_ = false;
  bool overwrite_in_place_ = false;
  std::vector<PartitionEnds> ends_found_;
  std::unique_ptr<File> lock_;
  std::unique_ptr<EndsFile> ends_file_;
  std::unique_ptr<CommitJournal> journal_;
  bool journal_waits_ = false;
  Ballast ballast_;
  bool ballast_wanted_ = false;  // it could be taken at open
  FdReserve descriptors_;
  std::atomic<int64_t> ends_written_ms_{0};
  std::atomic<bool> offline_{false};
  std::atomic<bool> closed_{false};
  mutable std::mutex mutex_;  // offline_cause_, on_offline_
  Status offline_cause_;
  std::function<void(const Status&)> on_offline_;
};

}  // namespace seglog
