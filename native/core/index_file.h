// What the offset index and the time index share: a file of fixed-size, sorted, big-endian entries.
//
// Two states. Active: every entry is in memory, in chunks that never move (16, 32, 64, ... entries, so memory
// is at most twice the entries), and WritePending appends to the file what it does not have yet; the file is
// never longer than its entries. Closed: one entry per 4 KiB block of the file is in memory, read on the
// first look-up that may wait, and a look-up costs one read of one block.
//
// Thread rule: one owner at a time calls Append. Find, WritePending and Sync may run on any thread at the
// same time as Append and as each other. TruncateTo and Seal exclude running look-ups themselves, but must
// not run at the same time as Append. Ownership: owns its File; the Io must outlive it. Nothing returned
// refers to it.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "io.h"

namespace seglog {

enum class IndexMode {
  kEmpty,   // created if missing, emptied if not; active
  kActive,  // loaded whole
  kClosed,  // read only, loaded sparsely and late
};

/// May a look-up wait for the disk? kNoWait answers kCold where it would have to.
enum class IndexWait { kMayWait, kNoWait };

/// How an entry reads: a key, then an int32.
struct IndexLayout {
  size_t entry_bytes;
  size_t key_bytes;        // 4 or 8; the key is strictly increasing
  bool second_may_repeat;  // the int32 behind the key: non-decreasing, or strictly increasing
};

class IndexFile {
 public:
  struct Entry {
    int64_t key;
    int32_t second;
  };

  /// kNotFound if it should be loaded and is not there; kCorrupt if its size is no multiple of the entry size
  /// or its entries do not increase (closed: found by the first look-up that reads it): rebuild it with
  /// kEmpty.
  static Result<std::unique_ptr<IndexFile>> Open(Io& io, std::string path, IndexLayout layout,
                                                 IndexMode mode);
  ~IndexFile();

  /// Active only; kInvalidArgument if it does not increase. Takes no lock and makes no system call.
  Status Append(int64_t key, int32_t second);
  /// The last entry with key <= target; false if there is none.
  Result<bool> Find(int64_t target, IndexWait wait, Entry* found);

  size_t entries() const { return count_.load(std::memory_order_acquire); }
  /// The last entry; false while empty. Owner of Append only.
  bool Last(Entry* last) const;
  /// Keeps the longest prefix in which key < key_end and second < second_end, in memory and in the file. A
  /// closed index becomes active.
  Status TruncateTo(int64_t key_end, int64_t second_end);
  /// Appends to the file what it does not have yet.
  Status WritePending();
  /// WritePending, then everything on disk.
  Status Sync();
  /// Writes what is pending and becomes closed.
  Status Seal();
  /// Closed only, else nothing: closes the descriptor; the next look-up that may wait opens it again.
  void ReleaseFile();
  bool active() const { return active_.load(std::memory_order_acquire); }
  size_t memory_bytes() const;
  const std::string& path() const { return path_; }

 private:
  static constexpr size_t kFirstChunk = 16;
  static constexpr size_t kMaxChunks = 28;
  using Chunks = std::array<std::unique_ptr<uint8_t[]>, kMaxChunks>;

  IndexFile(Io& io, std::string path, IndexLayout layout);
  uint8_t* Slot(size_t index) const;
  Entry Decode(const uint8_t* raw) const;
  bool Increases(const Entry& before, const Entry& after) const;
  size_t entries_per_block() const;
  void MakeRoom(size_t index);
  Status Corrupt(size_t index) const;
  Status Load(IndexMode mode);
  Status CountEntries();
  template <typename Visit>
  Status ReadEntries(Visit visit);
  Status LoadAll();
  Status LoadLast();
  Status LoadSamples();
  Status Activate();
  Status WritePendingLocked();
  bool FindInMemory(int64_t target, Entry* found) const;
  Result<bool> FindInBlock(int64_t target, IndexWait wait, Entry* found) const;

  Io& io_;
  const std::string path_;
  const IndexLayout layout_;
  std::atomic<size_t> count_{0};
  std::atomic<bool> active_{true};
  Entry last_{};  // valid while entries() > 0; the owner of Append's
  // Changes of the three below (not the growth of chunks_) hold shape_ alone and file_mutex_; look-ups share
  // shape_.
  mutable std::shared_mutex shape_;
  Chunks chunks_;                 // active: every entry
  std::vector<int64_t> samples_;  // closed: first key of each block, empty until loaded
  std::unique_ptr<File> file_;
  std::mutex file_mutex_;  // taken before shape_
  size_t written_ = 0;     // entries the file has
};

}  // namespace seglog
