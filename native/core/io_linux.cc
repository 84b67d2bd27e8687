// The Linux half of io_posix.cc; compiled to nothing elsewhere.
#if defined(__linux__)

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "io_platform.h"

// Older headers than the kernels this runs on.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif
#ifndef SYS_cachestat
#define SYS_cachestat 451  // the same number on every architecture
#endif

namespace seglog::io_platform {

namespace {
template <typename Call>
int RetryInterrupted(Call call) {
  while (call() != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}
}  // namespace

FileInfo ToFileInfo(const struct stat& stat) {
  FileInfo info;
  info.size = stat.st_size;
  info.modified_ms = int64_t{stat.st_mtim.tv_sec} * 1000 + stat.st_mtim.tv_nsec / 1'000'000;
  info.device = stat.st_dev;
  info.inode = stat.st_ino;
  info.allocated_bytes = int64_t{stat.st_blocks} * 512;
  info.is_directory = S_ISDIR(stat.st_mode);
  return info;
}

int64_t ReadCached(int fd, int64_t position, uint8_t* out, size_t size) {
  const iovec slice{out, size};
  for (;;) {
    const ssize_t got = preadv2(fd, &slice, 1, position, RWF_NOWAIT);
    if (got >= 0) return got;
    if (errno == ENOSYS || errno == EINVAL) return -EOPNOTSUPP;
    if (errno != EINTR) return -errno;
  }
}

int64_t SendFile(int socket, int fd, int64_t position, size_t size) {
  for (;;) {
    off_t at = position;
    const ssize_t sent = sendfile(socket, fd, &at, size);
    if (sent >= 0) return sent;
    if (errno != EINTR) return -errno;
  }
}

namespace {

constexpr int64_t kPageBytes = 4096;
// Without cachestat one byte in so many is asked for: what the kernel reads ahead at a time.
constexpr int64_t kProbeBytes = 64 * 1024;

/// cachestat(2), from Linux 6.5 on: whether every page is there, or -1 where it cannot be asked.
int CountCached(int fd, int64_t position, size_t size) {
  struct {
    uint64_t offset, length;
  } range{static_cast<uint64_t>(position), size};
  struct {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
  } counts{};
  if (syscall(SYS_cachestat, fd, &range, &counts, 0) != 0) return -1;
  const int64_t last = position + static_cast<int64_t>(size) - 1;
  return static_cast<int64_t>(counts.cached) >= last / kPageBytes - position / kPageBytes + 1 ? 1 : 0;
}

}  // namespace

bool IsCached(int fd, int64_t position, size_t size) {
  if (size == 0) return true;
  const int counted = CountCached(fd, position, size);
  if (counted >= 0) return counted == 1;
  const int64_t last = position + static_cast<int64_t>(size) - 1;
  uint8_t byte;
  for (int64_t at = position; at < last; at += kProbeBytes) {
    if (ReadCached(fd, at, &byte, 1) < 0) return false;
  }
  return ReadCached(fd, last, &byte, 1) >= 0;
}

int AllocateRange(int fd, int64_t position, int64_t size) {
  return RetryInterrupted([&] { return fallocate(fd, 0, position, size); });
}

int LockWholeFile(int fd) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return RetryInterrupted([&] { return fcntl(fd, F_OFD_SETLK, &lock); });
}

int ProbeLock(int fd, bool* held) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const int failed = RetryInterrupted([&] { return fcntl(fd, F_OFD_GETLK, &lock); });
  *held = failed == 0 && lock.l_type != F_UNLCK;
  return failed;
}

// Never retried: after a failed flush the kernel may report success without having written.
int SyncData(int fd) { return fdatasync(fd) == 0 ? 0 : errno; }
int SyncAll(int fd) { return fsync(fd) == 0 ? 0 : errno; }

int SyncFileSystem(int fd) { return syncfs(fd) == 0 ? 0 : errno; }

int PopulatePages(uint8_t* start, size_t size) {
  return RetryInterrupted([&] { return madvise(start, size, MADV_POPULATE_WRITE); });
}

void AdviseRandom(int fd) { posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM); }

void Prefetch(int fd, int64_t position, int64_t size) {
  posix_fadvise(fd, position, size, POSIX_FADV_WILLNEED);
}

void StartWriteback(int fd, int64_t position, int64_t size) {
  (void)sync_file_range(fd, position, size, SYNC_FILE_RANGE_WRITE);
}

Result<FileSystemKind> FileSystemOf(const std::string& path) {
  struct statfs info {};
  const int failed = RetryInterrupted([&] { return statfs(path.c_str(), &info); });
  if (failed != 0) return Status::FromErrno(failed, "cannot ask for the file system", path);
  switch (static_cast<uint32_t>(info.f_type)) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
      return FileSystemKind::kOverwriteInPlace;
    default:
      return FileSystemKind::kOther;
  }
}

std::string BootId() {
  char id[64];
  const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t got = read(fd, id, sizeof id);
  close(fd);
  size_t size = got > 0 ? static_cast<size_t>(got) : 0;
  while (size > 0 && id[size - 1] == '\n') --size;
  return std::string(id, size);
}

}  // namespace seglog::io_platform

#endif
