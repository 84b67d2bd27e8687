// `.ends`: where each partition's log ends, kept current in memory shared with the page cache. It is what
// makes a killed process restart in time that does not grow with the data, and what readers in other
// processes follow.
//
// Format (little-endian, the only byte order this engine runs on): a 4,096-byte header, then records of 256
// bytes.
//   header  identity, never changed after creation: magic, version, record size, boot id, st_dev and st_ino
//   of the
//           file itself, CRC32C of these. Then, outside the CRC: its standing (0 in use, 1 poisoned, 2
//           retired by a clean close), the change counter (a futex word, raised by every record update), the
//           topics generation.
//   record  two copies of 128 bytes. The valid copy (CRC32C) with the higher sequence counts; an update
//   writes the
//           other one. A kill in the middle of an update, or a reader that copies during one, sees the older
//           copy.
//
// A record is fresh (made, nothing published yet: readers skip it), believed (the run that wrote the header
// published it) or bounds (carried over a full scan: only its durable end counts).
//
// Where the file system lets a store into reserved space never fail the file is mapped: an update is a few
// stores. Elsewhere updates stay in memory until WriteOut(), which the storage lane calls.
//
// Thread rule: everything may be called from any thread; a slot serialises its updates by a spin lock held
// for some 20 ns. Ownership: slots belong to the file and stay where they are until it is destroyed.
#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io.h"
#include "status.h"
#include "types.h"

namespace seglog {

using TopicId = std::array<uint8_t, 16>;

/// One partition's record. The durable end is a lower bound of what is on disk.
struct PartitionEnds {
  TopicId topic_id{};
  int32_t partition = -1;
  RecordOffset segment_base;
  FilePosition end_position;
  RecordOffset end_offset;
  RecordOffset durable_segment_base;
  FilePosition durable_position;
  RecordOffset durable_offset;
  RecordOffset high_watermark;
  RecordOffset last_stable_offset;
  RecordOffset log_start_offset;
  int64_t generation = 0;
  bool operator==(const PartitionEnds&) const = default;
};

inline constexpr size_t kEndsHeaderBytes = 4096;
inline constexpr size_t kEndsRecordBytes = 256;
inline constexpr size_t kEndsCopyBytes = 128;
inline constexpr uint32_t kEndsMaxSlots = 65'536;

class EndsFile;

class EndsSlot {
 public:
  /// The log of the active segment grew to here. On the append path: no system call when mapped.
  void PublishEnd(FilePosition position, RecordOffset offset) noexcept;
  /// Another segment is active now, or this one was cut (roll, open, truncation). Lowers the durable end to
  /// it.
  void SetSegment(RecordOffset base, FilePosition position, RecordOffset offset) noexcept;
  /// Everything up to here is on disk; never lowers. Reaches the disk itself with the next flush round.
  void SetDurable(RecordOffset segment_base, FilePosition position, RecordOffset offset) noexcept;
  /// -1 is unknown, where nobody has set it.
  void SetMarks(std::optional<RecordOffset> high_watermark, std::optional<RecordOffset> last_stable_offset,
                std::optional<RecordOffset> log_start_offset) noexcept;
  void RaiseGeneration() noexcept;
  /// Forgets the partition; its record is given to the next one that asks. Later calls do nothing.
  void Free() noexcept;
  PartitionEnds Snapshot() const noexcept;
  /// A segment has published into it, in this run or in the killed one whose records go on.
  bool published() const noexcept;

  EndsSlot(EndsFile& file, uint32_t index, uint64_t sequence)
      : file_(file), index_(index), sequence_(sequence) {}
  EndsSlot(const EndsSlot&) = delete;
  EndsSlot& operator=(const EndsSlot&) = delete;

 private:
  friend class EndsFile;
  enum State : uint32_t { kFree = 0, kFresh = 1, kBelieved = 2, kBounds = 3 };
  class Guard;
  void Store() noexcept;  // under the lock: writes the other copy

  EndsFile& file_;
  const uint32_t index_;
  mutable std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
  State state_ = kFresh;
  uint64_t sequence_;  // of the newest copy in the record
  PartitionEnds ends_;
};

/// What a `.ends` file says, read by pread from any process.
struct EndsContents {
  bool found = false;
  bool poisoned = false;
  bool retired = false;  // cleanly closed; then there are no partitions
  /// Header intact, boot id, device and inode are this machine's and this file's, not poisoned, and every
  /// record in use is intact and was published by the run that wrote it: ends may be believed after a kill.
  bool believable = false;
  int64_t topics_generation = 0;
  uint32_t change_counter = 0;
  std::vector<PartitionEnds>
      partitions;  // also when not believable: their durable ends are still lower bounds
};

/// How the records of an earlier run enter a new one.
enum class EndsStart {
  kEmpty,    // new or cleanly closed: files are exact, records start anew
  kBelieve,  // killed: the records go on
  kBounds,   // scan: only the durable ends count, until each partition is opened again
};

class EndsFile {
 public:
  /// Never fails for what the bytes say: damage means not believable. Errors are those of reading.
  static Result<EndsContents> Read(Io& io, const std::string& path);

  /// Opens for writing, creating the file if needed. `mapped`: stores into it cannot fault (mapped lane
  /// allowed).
  static Result<std::unique_ptr<EndsFile>> Open(Io& io, const std::string& path, EndsStart start,
                                                const EndsContents& before, bool mapped);
  ~EndsFile();

  /// The partition's slot, found or made. kNoSpace when the file cannot grow; kInvalidArgument past
  /// kEndsMaxSlots.
  Result<EndsSlot*> Slot(const TopicId& topic_id, int32_t partition);
  void RaiseTopicsGeneration() noexcept;
  /// A flush or write failed: nothing here may be believed by the next open. Synced at once, as well as it
  /// can be.
  void Poison() noexcept;
  /// A clean close: from now on the files say where they end, and another program may write them next.
  /// Neither ends nor bounds of this file count any more, should the clean-shutdown marker be gone when it is
  /// read.
  void Retire() noexcept;
  /// Brings what changed since the last call to disk (one msync).
  Status Flush();
  /// Lets what changed since the last Flush go to disk in its own time, without waiting and without a
  /// promise.
  void StartWriteback() noexcept;
  /// Unmapped files: writes what changed since the last call, without a sync. Nothing to do when mapped.
  Status WriteOut();
  bool mapped() const { return mapping_ != nullptr; }
  uint32_t change_counter() const noexcept;

 private:
  friend class EndsSlot;
  using Key = std::pair<TopicId, int32_t>;
  struct FreeMemory {
    void operator()(uint8_t* memory) const { std::free(memory); }
  };

  EndsFile(Io& io, std::string path) : io_(io), path_(std::move(path)) {}
  Status Create(const EndsContents& before, EndsStart start, bool mapped);
  Status Adopt(bool mapped);
  Status OpenAt(const std::string& path, bool mapped);
  Status WriteHeader();
  Status Grow(uint32_t records);
  EndsSlot* MakeSlot(uint32_t index, uint64_t sequence, const PartitionEnds& ends, EndsSlot::State state);
  void Release(EndsSlot* slot);
  uint8_t* Record(uint32_t index) const noexcept {
    return base_ + kEndsHeaderBytes + index * kEndsRecordBytes;
  }
  void Touched(uint32_t index) noexcept;
  void SetStanding(uint32_t standing) noexcept;
  void RaiseChangeCounter() noexcept;
  /// Takes the range of records changed since the last time, as bytes of the file; false if there is none.
  bool TakeChanged(size_t* from, size_t* to) noexcept;
  void PutBackChanged(size_t from, size_t to) noexcept;
  Status WriteRecords(size_t from, size_t to);

  Io& io_;
  const std::string path_;
  std::unique_ptr<File> file_;
  std::unique_ptr<Mapping> mapping_;
  std::unique_ptr<uint8_t[], FreeMemory> memory_;  // the whole range, where not mapped
  uint8_t* base_ = nullptr;                        // of mapping_ or memory_
  std::mutex mutex_;                               // the five below
  std::deque<EndsSlot> slots_;                     // stable addresses
  std::vector<EndsSlot*> by_record_;
  std::map<Key, EndsSlot*> by_partition_;
  std::vector<uint32_t> free_;
  uint32_t capacity_ = 0;  // records the file has room for
  std::atomic<uint32_t> changed_from_{kEndsMaxSlots};
  std::atomic<uint32_t> changed_to_{0};
  std::mutex write_mutex_;  // one Flush or WriteOut at a time; taken before mutex_
};

}  // namespace seglog
