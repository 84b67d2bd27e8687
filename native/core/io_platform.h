// What io_posix.cc needs of one operating system. Each platform has one file that implements all of it
// (io_linux.cc). Functions keep no state and may be called from any thread; errno values come back as they
// are, negative sizes never.
#pragma once

#include <sys/stat.h>

#include <string>

#include "io.h"

namespace seglog::io_platform {

FileInfo ToFileInfo(const struct stat& stat);
/// Reads what the page cache holds, never waiting: bytes read (0 at the end of the file) or -errno. EAGAIN:
/// cold; EOPNOTSUPP: this file system cannot tell.
int64_t ReadCached(int fd, int64_t position, uint8_t* out, size_t size);
/// sendfile: bytes sent, 0 at the end of the file, or -errno (EAGAIN: the socket is full).
int64_t SendFile(int socket, int fd, int64_t position, size_t size);
/// Whether all of the range is in the page cache; false where nothing can tell.
bool IsCached(int fd, int64_t position, size_t size);
int AllocateRange(int fd, int64_t position, int64_t size);  // 0 or errno
int LockWholeFile(int fd);                                  // 0 or errno; EAGAIN: held by another open
int ProbeLock(int fd, bool* held);                          // 0 or errno; by another open
int SyncData(int fd);                                       // 0 or errno
int SyncAll(int fd);                                        // 0 or errno
int SyncFileSystem(int fd);                                 // 0 or errno
/// Faults whole pages in for writing: 0 or errno, EINVAL where the kernel cannot.
int PopulatePages(uint8_t* start, size_t size);
void AdviseRandom(int fd);
void Prefetch(int fd, int64_t position, int64_t size);
void StartWriteback(int fd, int64_t position, int64_t size);
Result<FileSystemKind> FileSystemOf(const std::string& path);
std::string BootId();

}  // namespace seglog::io_platform
