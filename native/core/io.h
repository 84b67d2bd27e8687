// The one seam for I/O. Every system call the engine makes on a file goes through an Io, so that tests can
// count, fail, tear, reorder or drop them (test/fault_io.h, test/memory_io.h). Populating and reserving
// count as I/O calls like any other.
//
// Thread rule: an Io and a File may be used from any thread at the same time; each call is independent.
// Ownership: a File closes its descriptor when destroyed. A Mapping unmaps when destroyed and counts in
// LiveMappings(). Neither outlives its Io.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "status.h"
#include "types.h"

namespace seglog {

struct IoSlice {
  const uint8_t* data;
  size_t size;
};

/// What a socket took of a file at once.
struct SentBytes {
  size_t bytes = 0;
  bool blocked = false;  // the socket takes no more for now
};

enum class OpenMode { kRead, kReadWrite, kCreate, kCreateExclusive };

/// A shared, writable (or read-only) mapping of a file from position 0 for `size` bytes. The range may reach
/// past the end of the file; touching a byte beyond it is the caller's bug (SIGBUS), never done here.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual uint8_t* data() = 0;
  virtual size_t size() const = 0;
  /// Faults [from, to) in for writing (MADV_POPULATE_WRITE). from/to need not be page aligned.
  virtual Status Populate(size_t from, size_t to) = 0;
  /// Drops [from, to) from this mapping, keeping the page cache (MADV_DONTNEED). Only whole pages inside.
  virtual void Release(size_t from, size_t to) = 0;
  /// msync(MS_SYNC) of the page-rounded range: data on disk when it returns OK.
  virtual Status Sync(size_t from, size_t to) = 0;
};

struct FileInfo {
  int64_t size = 0;
  int64_t modified_ms = 0;
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t allocated_bytes = 0;
  bool is_directory = false;
};

class File {
 public:
  virtual ~File() = default;
  virtual const std::string& path() const = 0;
  /// Reads up to size bytes; fewer only at end of file.
  virtual Result<size_t> ReadAt(int64_t position, uint8_t* out, size_t size) = 0;
  /// Like ReadAt but never waits for the disk: kCold when any byte is not in the page cache. File systems
  /// without RWF_NOWAIT (tmpfs) read plainly.
  virtual Result<size_t> ReadAtNoWait(int64_t position, uint8_t* out, size_t size) = 0;
  /// Sends up to size bytes to a non-blocking socket without bringing them into this process (sendfile);
  /// waits for the disk where they are not in the page cache. No bytes and not blocked: the file ends there.
  /// A failure with kPeerGone is the socket's, any other the file's.
  virtual Result<SentBytes> SendTo(int socket, int64_t position, size_t size) = 0;
  /// Whether all of the range is in the page cache, as far as the system tells; false is always right.
  virtual bool IsCached(int64_t position, size_t size) = 0;
  /// Writes all bytes of all slices at position (retries short writes); on failure some may be written.
  virtual Status WriteAt(int64_t position, const IoSlice* slices, size_t count) = 0;
  /// fallocate: the file is at least position + size long and that range can be written without allocation.
  virtual Status Reserve(int64_t position, int64_t size) = 0;
  virtual Status Truncate(int64_t size) = 0;
  virtual Status SyncData() = 0;  // fdatasync
  virtual Status Sync() = 0;      // fsync
  virtual Result<FileInfo> Info() = 0;
  virtual Result<std::unique_ptr<Mapping>> Map(size_t size, bool writable) = 0;
  virtual void AdviseRandom() = 0;                            // POSIX_FADV_RANDOM
  virtual void Prefetch(int64_t position, int64_t size) = 0;  // POSIX_FADV_WILLNEED, a hint
  /// Starts write-back of the range and waits for nothing (sync_file_range): a hint, no promise of
  /// durability.
  virtual void StartWriteback(int64_t position, int64_t size) = 0;
  /// Open-file-description write lock over the whole file (F_OFD_SETLK), held until the File is destroyed.
  /// kLocked when another open holds one.
  virtual Status Lock() = 0;
  /// Whether another open holds that lock, without taking it. False where nothing can tell.
  virtual Result<bool> LockedByAnother() { return false; }
};

enum class FileSystemKind { kOverwriteInPlace /* ext4, XFS, tmpfs: mapped lane allowed */, kOther };

class Io {
 public:
  virtual ~Io() = default;
  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  virtual Status MakeDirectory(const std::string& path) = 0;  // parents too; OK if it exists
  virtual Status SyncDirectory(const std::string& path) = 0;
  /// Everything of the file system a directory is on. One that copies on write gives the space of what was
  /// removed to others only then.
  virtual Status SyncFileSystem(const std::string& directory) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;      // a file; NotFound is an error
  virtual Status RemoveTree(const std::string& path) = 0;  // a directory with everything in it
  virtual Result<std::vector<std::string>> List(const std::string& path) = 0;  // names, unordered
  virtual Result<FileInfo> Stat(const std::string& path) = 0;
  virtual Result<FileSystemKind> FileSystem(const std::string& path) = 0;
  /// True if Mapping::Populate works in this directory (probed with a temporary file).
  virtual bool CanPopulate(const std::string& directory) = 0;
  virtual std::string BootId() = 0;
};

/// The real one; a process-wide singleton.
Io& SystemIo();

/// Mappings alive in this process, over every Io.
int64_t LiveMappings() noexcept;

}  // namespace seglog
