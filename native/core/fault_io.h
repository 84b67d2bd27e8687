// An Io that counts calls and fails some of them by plan, in front of another Io. Without a plan it costs one
// relaxed load per call. It ships: crash and disk-error tests of the whole product reach it through the
// addon.
//
// A failing call does not reach the Io behind, except that a failing write of more than one byte stores the
// first half of its first slice, as a real one may. Thread rule: any thread, Inject and Clear included. The
// Io behind must outlive it, and it its Files.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "io.h"

namespace seglog {

enum class IoKind : uint32_t {
  kOpen = 1 << 0,
  kRead = 1 << 1,
  kWrite = 1 << 2,
  kReserve = 1 << 3,
  kTruncate = 1 << 4,
  kSync = 1 << 5,  // fsync, fdatasync
  kMap = 1 << 6,
  kPopulate = 1 << 7,
  kMsync = 1 << 8,
  kRename = 1 << 9,
  kRemove = 1 << 10,
  kList = 1 << 11,
  kStat = 1 << 12,
  kMkdir = 1 << 13,
  kSyncdir = 1 << 14,
  kLock = 1 << 15,
};

/// "open", "read", ... as in ts/native/engine.ts; nullopt for another name.
std::optional<IoKind> IoKindFromName(std::string_view name) noexcept;

struct FaultPlan {
  int64_t fail_nth = 0;         // 1 is the next matching call; 0 only counts
  bool sticky = false;          // ... and every matching call after it
  uint32_t kinds = ~0u;         // IoKind bits that match
  std::string path_includes{};  // only paths that contain this match
  int sys_errno = 5;            // EIO; kKillProcess ends the process there instead, as kill -9 would
  static constexpr int kKillProcess = 0;
};

class FaultIo final : public Io {
 public:
  explicit FaultIo(Io& behind) : behind_(behind) {}

  /// Replaces the plan and starts counting at 0.
  void Inject(FaultPlan plan);
  /// Ends the plan; calls() keeps its value.
  void Clear();
  /// Matching calls since Inject.
  int64_t calls() const;
  /// How many calls were made to fail since Inject.
  int64_t failures() const;

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status MakeDirectory(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status SyncFileSystem(const std::string& directory) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveTree(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& path) override;
  Result<FileInfo> Stat(const std::string& path) override;
  Result<FileSystemKind> FileSystem(const std::string& path) override;
  bool CanPopulate(const std::string& directory) override;
  std::string BootId() override;

  /// Counts one call and decides about it: OK, or the planned failure.
  Status Check(IoKind kind, const std::string& path) {
    if (!armed_.load(std::memory_order_relaxed)) return Status::Ok();
    return CheckPlan(kind, path);
  }

 private:
  Status CheckPlan(IoKind kind, const std::string& path);

  Io& behind_;
  std::atomic<bool> armed_{false};
  mutable std::mutex mutex_;
  FaultPlan plan_;
  int64_t calls_ = 0;
  int64_t failures_ = 0;
};

}  // namespace seglog
