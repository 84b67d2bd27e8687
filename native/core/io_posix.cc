// SystemIo for POSIX systems; what differs between them is in io_platform.h.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>

#include "io.h"
#include "io_platform.h"
#include "live_mappings.h"

namespace seglog {

namespace {

// Populating holds the process's memory-map lock: one step must not keep page faults of other threads
// waiting.
constexpr size_t kPopulateStep = 256 * 1024;
constexpr int kMaxSlices = 64;

std::atomic<int64_t> live_mappings{0};

size_t PageSize() {
  static const auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

size_t RoundDown(size_t value) { return value & ~(PageSize() - 1); }
size_t RoundUp(size_t value) { return RoundDown(value + PageSize() - 1); }

template <typename Call>
auto RetryInterrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

class PosixMapping final : public Mapping {
 public:
  PosixMapping(std::string path, uint8_t* data, size_t size)
      : path_(std::move(path)), data_(data), size_(size) {}
  ~PosixMapping() override { munmap(data_, size_); }

  uint8_t* data() override { return data_; }
  size_t size() const override { return size_; }

  Status Populate(size_t from, size_t to) override {
    const size_t end = std::min(RoundUp(to), RoundUp(size_));
    for (size_t begin = RoundDown(from); begin < end; begin += kPopulateStep) {
      const int failed = io_platform::PopulatePages(data_ + begin, std::min(kPopulateStep, end - begin));
      if (failed == EINVAL)
        return Status::Error(ErrorCode::kUnsupported, "pages cannot be populated here", path_);
      if (failed != 0)
        return Status::FromErrno(failed, "cannot populate pages", path_).At(static_cast<int64_t>(begin));
    }
    return Status::Ok();
  }

  void Release(size_t from, size_t to) override {
    const size_t begin = RoundUp(from);
    const size_t end = RoundDown(std::min(to, size_));
    if (begin < end) madvise(data_ + begin, end - begin, MADV_DONTNEED);
  }

  // Never retried, as a failed fsync is not.
  Status Sync(size_t from, size_t to) override {
    const size_t begin = RoundDown(from);
    const size_t end = std::min(to, size_);
    if (begin >= end || msync(data_ + begin, end - begin, MS_SYNC) == 0) return Status::Ok();
    return Status::FromErrno(errno, "cannot flush mapped pages", path_).At(static_cast<int64_t>(begin));
  }

 private:
  const std::string path_;
  uint8_t* const data_;
  const size_t size_;
  LiveMapping live_;
};

class PosixFile final : public File {
 public:
  PosixFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~PosixFile() override { close(fd_); }

  const std::string& path() const override { return path_; }

  Result<size_t> ReadAt(int64_t position, uint8_t* out, size_t size) override {
    size_t done = 0;
    while (done < size) {
      const int64_t at = position + static_cast<int64_t>(done);
      const ssize_t got = RetryInterrupted([&] { return pread(fd_, out + done, size - done, at); });
      if (got < 0) return Fail(errno, "cannot read", at);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Result<size_t> ReadAtNoWait(int64_t position, uint8_t* out, size_t size) override {
    if (cannot_tell_cached_.load(std::memory_order_relaxed)) return ReadAt(position, out, size);
    size_t done = 0;
    while (done < size) {
      const int64_t at = position + static_cast<int64_t>(done);
      const int64_t got = io_platform::ReadCached(fd_, at, out + done, size - done);
      if (got == 0) break;
      if (got == -EAGAIN) return Status::Error(ErrorCode::kCold, "not in the page cache", path_).At(at);
      if (got == -EOPNOTSUPP) {
        cannot_tell_cached_.store(true, std::memory_order_relaxed);
        return ReadAt(position, out, size);
      }
      if (got < 0) return Fail(static_cast<int>(-got), "cannot read", at);
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Result<SentBytes> SendTo(int socket, int64_t position, size_t size) override {
    const int64_t sent = io_platform::SendFile(socket, fd_, position, size);
    if (sent >= 0) return SentBytes{static_cast<size_t>(sent), false};
    if (sent == -EAGAIN) return SentBytes{0, true};
    const auto failed = static_cast<int>(-sent);
    if (failed == EPIPE || failed == ECONNRESET || failed == ENOTCONN || failed == ETIMEDOUT) {
      return Status::Error(ErrorCode::kPeerGone, "the connection is gone", path_, failed);
    }
    return Fail(failed, "cannot send", position);
  }

  bool IsCached(int64_t position, size_t size) override { return io_platform::IsCached(fd_, position, size); }

  Status WriteAt(int64_t position, const IoSlice* slices, size_t count) override {
    size_t next = 0;       // first slice with bytes left
    size_t next_done = 0;  // bytes of it already written
    while (next < count) {
      iovec batch[kMaxSlices];
      int used = 0;
      for (size_t i = next; i < count && used < kMaxSlices; ++i) {
        const size_t skip = i == next ? next_done : 0;
        batch[used++] = {const_cast<uint8_t*>(slices[i].data) + skip, slices[i].size - skip};
      }
      const ssize_t put = RetryInterrupted([&] { return pwritev(fd_, batch, used, position); });
      if (put < 0) return Fail(errno, "cannot write", position);
      position += put;
      auto left = static_cast<size_t>(put);
      size_t asked = 0;
      for (int i = 0; i < used; ++i) asked += batch[i].iov_len;
      if (left == 0 && asked > 0) return Fail(EIO, "a write stored nothing", position);
      while (next < count && left >= slices[next].size - next_done) {
        left -= slices[next].size - next_done;
        next_done = 0;
        ++next;
      }
      next_done += left;
    }
    return Status::Ok();
  }

  Status Reserve(int64_t position, int64_t size) override {
    const int failed = io_platform::AllocateRange(fd_, position, size);
    if (failed == EOPNOTSUPP || failed == ENOSYS) {
      return Status::Error(ErrorCode::kUnsupported, "space cannot be reserved here", path_, failed);
    }
    return failed == 0 ? Status::Ok() : Fail(failed, "cannot reserve space", position);
  }

  Status Truncate(int64_t size) override {
    if (RetryInterrupted([&] { return ftruncate(fd_, size); }) == 0) return Status::Ok();
    return Fail(errno, "cannot set the size", size);
  }

  Status SyncData() override {
    const int failed = io_platform::SyncData(fd_);
    return failed == 0 ? Status::Ok() : Fail(failed, "cannot flush", -1);
  }

  Status Sync() override {
    const int failed = io_platform::SyncAll(fd_);
    return failed == 0 ? Status::Ok() : Fail(failed, "cannot flush", -1);
  }

  Result<FileInfo> Info() override {
    struct stat stat {};
    if (fstat(fd_, &stat) != 0) return Fail(errno, "cannot ask for the size", -1);
    return io_platform::ToFileInfo(stat);
  }

  Result<std::unique_ptr<Mapping>> Map(size_t size, bool writable) override {
    if (size == 0) return Status::Error(ErrorCode::kInvalidArgument, "a mapping needs a size", path_);
    const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void* data = mmap(nullptr, size, protection, MAP_SHARED, fd_, 0);
    if (data == MAP_FAILED) return Fail(errno, "cannot map", -1);
    return std::unique_ptr<Mapping>(new PosixMapping(path_, static_cast<uint8_t*>(data), size));
  }

  void AdviseRandom() override { io_platform::AdviseRandom(fd_); }
  void Prefetch(int64_t position, int64_t size) override { io_platform::Prefetch(fd_, position, size); }
  void StartWriteback(int64_t position, int64_t size) override {
    io_platform::StartWriteback(fd_, position, size);
  }

  Status Lock() override {
    const int failed = io_platform::LockWholeFile(fd_);
    if (failed == EAGAIN || failed == EACCES) {
      return Status::Error(ErrorCode::kLocked, "another open holds the lock", path_, failed);
    }
    return failed == 0 ? Status::Ok() : Fail(failed, "cannot lock", -1);
  }

  Result<bool> LockedByAnother() override {
    bool held = false;
    const int failed = io_platform::ProbeLock(fd_, &held);
    if (failed != 0) return Fail(failed, "cannot ask for the lock", -1);
    return held;
  }

 private:
  Status Fail(int sys_errno, const char* what, int64_t position) const {
    return Status::FromErrno(sys_errno, what, path_).At(position);
  }

  const std::string path_;
  const int fd_;
  std::atomic<bool> cannot_tell_cached_{false};
};

int OpenFlags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case OpenMode::kCreateExclusive:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

class PosixIo final : public Io {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    const int fd = RetryInterrupted([&] { return open(path.c_str(), OpenFlags(mode) | O_CLOEXEC, 0666); });
    if (fd < 0) return Status::FromErrno(errno, "cannot open", path);
    return std::unique_ptr<File>(new PosixFile(path, fd));
  }

  Status MakeDirectory(const std::string& path) override {
    if (mkdir(path.c_str(), 0777) == 0) return Status::Ok();
    const int failed = errno;
    if (failed == ENOENT) {
      const size_t end = path.find_last_not_of('/');
      const size_t slash = end == std::string::npos ? end : path.find_last_of('/', end);
      if (slash == std::string::npos || slash == 0)
        return Status::FromErrno(failed, "cannot create directory", path);
      SEGLOG_RETURN_IF_ERROR(MakeDirectory(path.substr(0, slash)));
      if (mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return Status::Ok();
      return Status::FromErrno(errno, "cannot create directory", path);
    }
    if (failed != EEXIST) return Status::FromErrno(failed, "cannot create directory", path);
    auto info = Stat(path);
    if (!info.ok()) return info.status();
    return info->is_directory ? Status::Ok() : Status::FromErrno(ENOTDIR, "cannot create directory", path);
  }

  Status SyncDirectory(const std::string& path) override {
    const int fd = RetryInterrupted([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return Status::FromErrno(errno, "cannot open directory", path);
    const int failed = io_platform::SyncAll(fd);
    close(fd);
    // Some network file systems have no such call and order directory changes themselves.
    return failed == 0 || failed == EINVAL ? Status::Ok()
                                           : Status::FromErrno(failed, "cannot flush directory", path);
  }

  Status SyncFileSystem(const std::string& directory) override {
    const int fd =
        RetryInterrupted([&] { return open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return Status::FromErrno(errno, "cannot open directory", directory);
    const int failed = io_platform::SyncFileSystem(fd);
    close(fd);
    return failed == 0 ? Status::Ok()
                       : Status::FromErrno(failed, "cannot flush the file system of", directory);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) == 0) return Status::Ok();
    return Status::FromErrno(errno, "cannot rename to " + to, from);
  }

  Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) == 0) return Status::Ok();
    return Status::FromErrno(errno, "cannot remove", path);
  }

  Status RemoveTree(const std::string& path) override {
    std::error_code failed;
    std::filesystem::remove_all(path, failed);
    return failed ? Status::FromErrno(failed.value(), "cannot remove directory", path) : Status::Ok();
  }

  Result<std::vector<std::string>> List(const std::string& path) override {
    DIR* directory = opendir(path.c_str());
    if (directory == nullptr) return Status::FromErrno(errno, "cannot list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(directory)) {
      std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(std::move(name));
      errno = 0;
    }
    const int failed = errno;
    closedir(directory);
    if (failed != 0) return Status::FromErrno(failed, "cannot list", path);
    return names;
  }

  Result<FileInfo> Stat(const std::string& path) override {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return Status::FromErrno(errno, "cannot stat", path);
    return io_platform::ToFileInfo(info);
  }

  Result<FileSystemKind> FileSystem(const std::string& path) override {
    return io_platform::FileSystemOf(path);
  }

  bool CanPopulate(const std::string& directory) override {
    static std::atomic<uint32_t> probes{0};
    const std::string path =
        directory + "/.seglog-probe-" + std::to_string(getpid()) + "-" + std::to_string(probes.fetch_add(1));
    auto file = Open(path, OpenMode::kCreateExclusive);
    if (!file.ok()) return false;
    const Status removed = Remove(path);
    const Status reserved = (*file)->Reserve(0, static_cast<int64_t>(PageSize()));
    // A full disk says nothing about the kernel; the file system's kind is judged by FileSystem().
    if (reserved.code() == ErrorCode::kNoSpace) return KernelPopulates();
    if (!removed.ok() || !reserved.ok()) return false;
    auto mapping = (*file)->Map(PageSize(), true);
    return mapping.ok() && (*mapping)->Populate(0, PageSize()).ok();
  }

  std::string BootId() override { return io_platform::BootId(); }

 private:
  static bool KernelPopulates() {
    void* page = mmap(nullptr, PageSize(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return false;
    const bool works = io_platform::PopulatePages(static_cast<uint8_t*>(page), PageSize()) == 0;
    munmap(page, PageSize());
    return works;
  }
};

}  // namespace

LiveMapping::LiveMapping() noexcept { live_mappings.fetch_add(1, std::memory_order_relaxed); }
LiveMapping::~LiveMapping() { live_mappings.fetch_sub(1, std::memory_order_relaxed); }

int64_t LiveMappings() noexcept { return live_mappings.load(std::memory_order_relaxed); }

Io& SystemIo() {
  static PosixIo* const io = new PosixIo();  // never destroyed: threads may outlive static destruction
  return *io;
}

}  // namespace seglog
