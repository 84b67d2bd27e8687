// An Io in memory that knows what is durable, for tests of kills and power loss.
//
// Every file is a region that stays where it is, so mappings of it and reads see each other's bytes at once.
// What is durable is kept beside it:
//   - Sync and SyncData make a file's content and size durable; Mapping::Sync the pages of its range and the
//   size;
//   - creating, renaming and removing become durable by SyncDirectory of the directory; a file's own Sync
//   does not
//     make its name durable.
// A kill is simulated by destroying every File and Mapping, or by Kill(): nothing else changes. PowerLoss
// keeps what is durable and, of what is not, a random part: of each file any subset of its changed 512-byte
// sectors, some torn inside, and a size between the old and the new; of each directory a prefix of its
// changes, each of them whole.
//
// Thread rule: as Io; stores through a mapping are the caller's to order, as with real files. Files opened
// before a PowerLoss refer to what was lost and must not be used after it.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "io.h"

namespace seglog::test {

class MemoryIo final : public Io {
 public:
  /// The most a file may hold or be mapped for.
  static constexpr int64_t kMaxFileBytes = int64_t{256} << 20;
  static constexpr int64_t kSectorBytes = 512;

  MemoryIo();
  ~MemoryIo() override;

  /// Rolls back to what is durable and a part, chosen by seed, of what is not. The boot id changes. All that
  /// is left is durable.
  void PowerLoss(uint64_t seed);

  /// The process died: whatever it still does, with files it opened before, changes nothing any more.
  void Kill();

  /// What FileInfo::modified_ms of files changed from now on says.
  void set_now_ms(int64_t now_ms) { now_ms_.store(now_ms); }
  /// While cold, ReadAtNoWait answers kCold.
  void set_cold(bool cold) { cold_.store(cold); }
  void set_file_system(FileSystemKind kind) { file_system_.store(kind); }

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

 private:
  friend class MemoryFile;
  friend class MemoryMapping;
  struct Node;
  using NodePtr = std::shared_ptr<Node>;
  using Names = std::map<std::string, NodePtr>;

  NodePtr NewNode(bool is_directory);
  NodePtr Find(const std::string& path) const;
  Result<NodePtr> Directory(const std::string& path) const;
  void RollBack(Node& directory, std::mt19937_64& random);
  NodePtr RolledBack(const Node& file, std::mt19937_64& random);
  NodePtr Copied(const NodePtr& node, std::map<const Node*, NodePtr>& copies);

  mutable std::mutex mutex_;
  NodePtr root_;
  uint64_t next_inode_ = 1;
  uint64_t boots_ = 1;
  std::atomic<int64_t> now_ms_{1};
  std::atomic<bool> cold_{false};
  std::atomic<FileSystemKind> file_system_{FileSystemKind::kOverwriteInPlace};
};

}  // namespace seglog::test
