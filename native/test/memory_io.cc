#include "memory_io.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "live_mappings.h"

namespace seglog::test {

namespace {

constexpr int64_t kPageBytes = 4096;

int64_t PageDown(int64_t value) { return value / kPageBytes * kPageBytes; }
int64_t PageUp(int64_t value) { return PageDown(value + kPageBytes - 1); }

/// Address space for one file, filled with zeros as it is touched.
class Region {
 public:
  Region() {
    void* data = mmap(nullptr, MemoryIo::kMaxFileBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) {
      std::perror("MemoryIo: no address space for a file");
      std::abort();
    }
    data_ = static_cast<uint8_t*>(data);
  }
  ~Region() { munmap(data_, MemoryIo::kMaxFileBytes); }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  uint8_t* data() const { return data_; }

  void Zero(int64_t from, int64_t to) {
    const int64_t whole = std::min(PageUp(from), to);
    std::memset(data_ + from, 0, static_cast<size_t>(whole - from));
    if (whole < to) madvise(data_ + whole, static_cast<size_t>(to - whole), MADV_DONTNEED);
  }

 private:
  uint8_t* data_;
};

/// Copies what another thread may be storing to beside the bytes that matter, as a disk controller does.
__attribute__((no_sanitize("thread"))) void CopyWhileStored(uint8_t* to, const uint8_t* from, int64_t size) {
  const auto* source = reinterpret_cast<const volatile uint8_t*>(from);
  int64_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const uint64_t word = *reinterpret_cast<const volatile uint64_t*>(source + i);
    __builtin_memcpy(to + i, &word, 8);
  }
  for (; i < size; ++i) to[i] = source[i];
}

std::vector<std::string> Split(const std::string& path) {
  std::vector<std::string> names;
  size_t begin = 0;
  while (begin < path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin && path.compare(begin, end - begin, ".") != 0)
      names.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

std::pair<std::string, std::string> SplitLast(const std::string& path) {
  const std::vector<std::string> names = Split(path);
  if (names.empty()) return {"/", ""};
  std::string parent;
  for (size_t i = 0; i + 1 < names.size(); ++i) parent += "/" + names[i];
  return {parent.empty() ? "/" : parent, names.back()};
}

}  // namespace

struct MemoryIo::Node {
  bool is_directory = false;
  uint64_t inode = 0;
  int64_t modified_ms = 0;

  // A file.
  std::unique_ptr<Region> region;
  int64_t size = 0;
  int64_t smallest_size = 0;     // since the size was last durable
  std::vector<uint8_t> durable;  // content and size on disk
  const void* lock_holder = nullptr;

  // A directory: names now, names on disk, and the changes between them in order.
  struct Change {
    std::vector<std::pair<std::string, NodePtr>> names;  // null: removed
  };
  Names now;
  Names durable_names;
  std::vector<Change> pending;

  void Apply(Change change) {
    Apply(change, now);
    pending.push_back(std::move(change));
  }
  static void Apply(const Change& change, Names& names) {
    for (const auto& [name, node] : change.names) {
      if (node == nullptr) {
        names.erase(name);
      } else {
        names[name] = node;
      }
    }
  }

  void Resize(int64_t to) {
    if (to < size) region->Zero(to, size);
    size = to;
    smallest_size = std::min(smallest_size, to);
  }

  /// The size and the bytes [from, to) become durable.
  void MakeDurable(int64_t from, int64_t to) {
    const auto old_size = static_cast<int64_t>(durable.size());
    if (smallest_size < old_size) durable.resize(static_cast<size_t>(smallest_size));
    durable.resize(static_cast<size_t>(size), 0);
    smallest_size = size;
    to = std::min(to, size);
    if (from < to) CopyWhileStored(durable.data() + from, region->data() + from, to - from);
  }

  FileInfo Info() const {
    FileInfo info;
    info.size = size;
    info.modified_ms = modified_ms;
    info.device = 77;
    info.inode = inode;
    info.allocated_bytes = size;
    info.is_directory = is_directory;
    return info;
  }
};

class MemoryMapping final : public Mapping {
 public:
  MemoryMapping(MemoryIo& io, MemoryIo::NodePtr node, std::string path, size_t size)
      : io_(io), node_(std::move(node)), path_(std::move(path)), size_(size) {}
  uint8_t* data() override { return node_->region->data(); }
  size_t size() const override { return size_; }
  Status Populate(size_t from, size_t to) override {
    std::lock_guard lock(io_.mutex_);
    if (from<to&& static_cast<int64_t>(to)> PageUp(node_->size)) {
      return Status::FromErrno(EFAULT, "cannot populate beyond the end", path_);
    }
    return Status::Ok();
  }
  void Release(size_t, size_t) override {}
  Status Sync(size_t from, size_t to) override {
    std::lock_guard lock(io_.mutex_);
    node_->MakeDurable(PageDown(static_cast<int64_t>(from)), PageUp(static_cast<int64_t>(to)));
    return Status::Ok();
  }

 private:
  MemoryIo& io_;
  const MemoryIo::NodePtr node_;
  const std::string path_;
  const size_t size_;
  LiveMapping live_;
};

class MemoryFile final : public File {
 public:
  MemoryFile(MemoryIo& io, MemoryIo::NodePtr node, std::string path, bool writable)
      : io_(io), node_(std::move(node)), path_(std::move(path)), writable_(writable) {}
  ~MemoryFile() override {
    std::lock_guard lock(io_.mutex_);
    if (node_->lock_holder == this) node_->lock_holder = nullptr;
  }

  const std::string& path() const override { return path_; }

  Result<size_t> ReadAt(int64_t position, uint8_t* out, size_t size) override {
    std::lock_guard lock(io_.mutex_);
    const int64_t left = std::max<int64_t>(node_->size - position, 0);
    const size_t got = std::min(size, static_cast<size_t>(left));
    if (got > 0) std::memcpy(out, node_->region->data() + position, got);
    return got;
  }

  Result<size_t> ReadAtNoWait(int64_t position, uint8_t* out, size_t size) override {
    if (io_.cold_.load()) return Status::Error(ErrorCode::kCold, "not in the page cache", path_);
    return ReadAt(position, out, size);
  }

  Result<SentBytes> SendTo(int, int64_t, size_t) override {
    return Status::Error(ErrorCode::kUnsupported, "a file in memory is not sent", path_);
  }
  bool IsCached(int64_t, size_t) override { return !io_.cold_.load(); }

  Status WriteAt(int64_t position, const IoSlice* slices, size_t count) override {
    std::lock_guard lock(io_.mutex_);
    SEGLOG_RETURN_IF_ERROR(CheckWritable());
    for (size_t i = 0; i < count; ++i) {
      const int64_t end = position + static_cast<int64_t>(slices[i].size);
      if (end > MemoryIo::kMaxFileBytes) return Status::FromErrno(EFBIG, "cannot write", path_);
      if (end > node_->size) node_->Resize(end);
      if (slices[i].size > 0) std::memcpy(node_->region->data() + position, slices[i].data, slices[i].size);
      position = end;
    }
    return Status::Ok();
  }

  Status Reserve(int64_t position, int64_t size) override {
    std::lock_guard lock(io_.mutex_);
    SEGLOG_RETURN_IF_ERROR(CheckWritable());
    if (position < 0 || size <= 0) return Status::FromErrno(EINVAL, "cannot reserve space", path_);
    if (position + size > MemoryIo::kMaxFileBytes)
      return Status::FromErrno(EFBIG, "cannot reserve space", path_);
    if (position + size > node_->size) node_->Resize(position + size);
    return Status::Ok();
  }

  Status Truncate(int64_t size) override {
    std::lock_guard lock(io_.mutex_);
    SEGLOG_RETURN_IF_ERROR(CheckWritable());
    if (size < 0 || size > MemoryIo::kMaxFileBytes)
      return Status::FromErrno(EINVAL, "cannot set the size", path_);
    node_->Resize(size);
    return Status::Ok();
  }

  Status SyncData() override { return Sync(); }

  Status Sync() override {
    std::lock_guard lock(io_.mutex_);
    node_->MakeDurable(0, node_->size);
    return Status::Ok();
  }

  Result<FileInfo> Info() override {
    std::lock_guard lock(io_.mutex_);
    return node_->Info();
  }

  Result<std::unique_ptr<Mapping>> Map(size_t size, bool writable) override {
    if (size == 0 || static_cast<int64_t>(size) > MemoryIo::kMaxFileBytes) {
      return Status::FromErrno(EINVAL, "cannot map", path_);
    }
    if (writable && !writable_) return Status::FromErrno(EACCES, "cannot map", path_);
    return std::unique_ptr<Mapping>(new MemoryMapping(io_, node_, path_, size));
  }

  void AdviseRandom() override {}
  void Prefetch(int64_t, int64_t) override {}
  void StartWriteback(int64_t, int64_t) override {}

  Status Lock() override {
    std::lock_guard lock(io_.mutex_);
    if (node_->lock_holder != nullptr && node_->lock_holder != this) {
      return Status::Error(ErrorCode::kLocked, "another open holds the lock", path_, EAGAIN);
    }
    node_->lock_holder = this;
    return Status::Ok();
  }

  Result<bool> LockedByAnother() override {
    std::lock_guard lock(io_.mutex_);
    return node_->lock_holder != nullptr && node_->lock_holder != this;
  }

 private:
  Status CheckWritable() {
    if (!writable_) return Status::FromErrno(EBADF, "cannot write", path_);
    node_->modified_ms = io_.now_ms_.load();
    return Status::Ok();
  }

  MemoryIo& io_;
  const MemoryIo::NodePtr node_;
  const std::string path_;
  const bool writable_;
};

MemoryIo::MemoryIo() : root_(NewNode(true)) {}
MemoryIo::~MemoryIo() = default;

MemoryIo::NodePtr MemoryIo::NewNode(bool is_directory) {
  auto node = std::make_shared<Node>();
  node->is_directory = is_directory;
  node->inode = next_inode_++;
  node->modified_ms = now_ms_.load();
  if (!is_directory) node->region = std::make_unique<Region>();
  return node;
}

MemoryIo::NodePtr MemoryIo::Find(const std::string& path) const {
  NodePtr node = root_;
  for (const std::string& name : Split(path)) {
    const auto found = node->now.find(name);
    if (found == node->now.end()) return nullptr;
    node = found->second;
  }
  return node;
}

Result<MemoryIo::NodePtr> MemoryIo::Directory(const std::string& path) const {
  NodePtr node = Find(path);
  if (node == nullptr) return Status::FromErrno(ENOENT, "no such directory", path);
  if (!node->is_directory) return Status::FromErrno(ENOTDIR, "not a directory", path);
  return node;
}

Result<std::unique_ptr<File>> MemoryIo::Open(const std::string& path, OpenMode mode) {
  std::lock_guard lock(mutex_);
  const auto [parent_path, name] = SplitLast(path);
  auto parent = Directory(parent_path);
  if (!parent.ok()) return parent.status();
  const auto found = (*parent)->now.find(name);
  NodePtr node = found == (*parent)->now.end() ? nullptr : found->second;
  if (node == nullptr) {
    if (mode == OpenMode::kRead || mode == OpenMode::kReadWrite)
      return Status::FromErrno(ENOENT, "cannot open", path);
    node = NewNode(false);
    (*parent)->Apply({{{name, node}}});
  } else if (mode == OpenMode::kCreateExclusive) {
    return Status::FromErrno(EEXIST, "cannot open", path);
  } else if (node->is_directory) {
    return Status::FromErrno(EISDIR, "cannot open", path);
  }
  return std::unique_ptr<File>(new MemoryFile(*this, node, path, mode != OpenMode::kRead));
}

Status MemoryIo::MakeDirectory(const std::string& path) {
  std::lock_guard lock(mutex_);
  NodePtr node = root_;
  for (const std::string& name : Split(path)) {
    if (!node->is_directory) break;
    if (!node->now.contains(name)) node->Apply({{{name, NewNode(true)}}});
    node = node->now[name];
  }
  return node->is_directory ? Status::Ok() : Status::FromErrno(ENOTDIR, "cannot create directory", path);
}

Status MemoryIo::SyncDirectory(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto directory = Directory(path);
  if (!directory.ok()) return directory.status();
  (*directory)->durable_names = (*directory)->now;
  (*directory)->pending.clear();
  return Status::Ok();
}

// What nobody asked to be durable by name stays as it was: the tests are about that.
Status MemoryIo::SyncFileSystem(const std::string&) { return Status::Ok(); }

Status MemoryIo::Rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  const auto [from_parent, from_name] = SplitLast(from);
  const auto [to_parent, to_name] = SplitLast(to);
  auto source = Directory(from_parent);
  if (!source.ok()) return source.status();
  auto target = Directory(to_parent);
  if (!target.ok()) return target.status();
  const auto found = (*source)->now.find(from_name);
  if (found == (*source)->now.end()) return Status::FromErrno(ENOENT, "cannot rename to " + to, from);
  const NodePtr node = found->second;
  const auto replaced = (*target)->now.find(to_name);
  if (replaced != (*target)->now.end()) {
    if (replaced->second == node) return Status::Ok();
    const bool fits = replaced->second->is_directory == node->is_directory && replaced->second->now.empty();
    if (!fits) return Status::FromErrno(EEXIST, "cannot rename to " + to, from);
  }
  if (*source == *target) {
    (*source)->Apply({{{from_name, nullptr}, {to_name, node}}});
  } else {
    (*target)->Apply({{{to_name, node}}});
    (*source)->Apply({{{from_name, nullptr}}});
  }
  return Status::Ok();
}

Status MemoryIo::Remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  const NodePtr node = Find(path);
  if (node == nullptr) return Status::FromErrno(ENOENT, "cannot remove", path);
  if (node->is_directory) return Status::FromErrno(EISDIR, "cannot remove", path);
  const auto [parent, name] = SplitLast(path);
  Find(parent)->Apply({{{name, nullptr}}});
  return Status::Ok();
}

Status MemoryIo::RemoveTree(const std::string& path) {
  std::lock_guard lock(mutex_);
  const NodePtr node = Find(path);
  if (node == nullptr || node == root_) return Status::Ok();
  const auto remove_inside = [](const auto& self, Node& directory) -> void {
    const Names names = directory.now;
    for (const auto& [name, child] : names) {
      if (child->is_directory) self(self, *child);
      directory.Apply({{{name, nullptr}}});
    }
  };
  if (node->is_directory) remove_inside(remove_inside, *node);
  const auto [parent, name] = SplitLast(path);
  Find(parent)->Apply({{{name, nullptr}}});
  return Status::Ok();
}

Result<std::vector<std::string>> MemoryIo::List(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto directory = Directory(path);
  if (!directory.ok()) return directory.status();
  std::vector<std::string> names;
  for (const auto& [name, node] : (*directory)->now) names.push_back(name);
  return names;
}

Result<FileInfo> MemoryIo::Stat(const std::string& path) {
  std::lock_guard lock(mutex_);
  const NodePtr node = Find(path);
  if (node == nullptr) return Status::FromErrno(ENOENT, "cannot stat", path);
  return node->Info();
}

Result<FileSystemKind> MemoryIo::FileSystem(const std::string&) { return file_system_.load(); }

bool MemoryIo::CanPopulate(const std::string&) { return true; }

std::string MemoryIo::BootId() {
  std::lock_guard lock(mutex_);
  return "memory-boot-" + std::to_string(boots_);
}

void MemoryIo::PowerLoss(uint64_t seed) {
  std::lock_guard lock(mutex_);
  std::mt19937_64 random(seed);
  RollBack(*root_, random);
  ++boots_;
}

void MemoryIo::Kill() {
  std::lock_guard lock(mutex_);
  std::map<const Node*, NodePtr> copies;
  root_ = Copied(root_, copies);
}

MemoryIo::NodePtr MemoryIo::Copied(const NodePtr& node, std::map<const Node*, NodePtr>& copies) {
  if (node == nullptr) return nullptr;
  NodePtr& copy = copies[node.get()];
  if (copy != nullptr) return copy;
  const NodePtr made = copy = NewNode(node->is_directory);
  made->inode = node->inode;
  made->modified_ms = node->modified_ms;
  made->size = node->size;
  made->smallest_size = node->smallest_size;
  made->durable = node->durable;
  if (!node->is_directory) CopyWhileStored(made->region->data(), node->region->data(), node->size);
  const auto copy_names = [&](const Names& from, Names& to) {
    for (const auto& [name, child] : from) to[name] = Copied(child, copies);
  };
  copy_names(node->now, made->now);
  copy_names(node->durable_names, made->durable_names);
  for (const Node::Change& change : node->pending) {
    Node::Change copied;
    for (const auto& [name, child] : change.names) copied.names.emplace_back(name, Copied(child, copies));
    made->pending.push_back(std::move(copied));
  }
  return made;
}

void MemoryIo::RollBack(Node& directory, std::mt19937_64& random) {
  const size_t kept = random() % (directory.pending.size() + 1);
  for (size_t i = 0; i < kept; ++i) Node::Apply(directory.pending[i], directory.durable_names);
  directory.pending.clear();
  for (auto& [name, node] : directory.durable_names) {
    if (node->is_directory) {
      RollBack(*node, random);
    } else {
      node = RolledBack(*node, random);
    }
  }
  directory.now = directory.durable_names;
}

MemoryIo::NodePtr MemoryIo::RolledBack(const Node& file, std::mt19937_64& random) {
  std::vector<uint8_t> disk = file.durable;
  auto disk_size = static_cast<int64_t>(disk.size());
  int64_t changed_end = file.size;  // sectors from here on are as on disk
  if (file.smallest_size < disk_size) {
    if (random() % 2 == 0) {
      disk_size = file.smallest_size;  // the cut reached the disk: old bytes behind it are gone for good
      disk.resize(static_cast<size_t>(disk_size));
    } else {
      changed_end = file.smallest_size;  // it did not, and what was written behind it went to other blocks
    }
  }
  int64_t size = disk_size;
  if (changed_end > disk_size) {
    const int64_t growth = changed_end - disk_size;
    const uint64_t choice = random() % 4;
    if (choice == 0) size = disk_size + static_cast<int64_t>(random() % static_cast<uint64_t>(growth));
    if (choice >= 2) size = changed_end;
  }
  disk.resize(static_cast<size_t>(size), 0);
  const int64_t compared_end = std::min(changed_end, size);
  for (int64_t begin = 0; begin < compared_end; begin += kSectorBytes) {
    const int64_t bytes = std::min(kSectorBytes, compared_end - begin);
    uint8_t* old = disk.data() + begin;
    const uint8_t* fresh = file.region->data() + begin;
    if (std::memcmp(old, fresh, static_cast<size_t>(bytes)) == 0) continue;
    const uint64_t choice = random() % 8;  // 0-3 dropped, 4 torn, 5-7 kept
    const int64_t stored = choice < 4    ? 0
                           : choice == 4 ? static_cast<int64_t>(random() % static_cast<uint64_t>(bytes))
                                         : bytes;
    std::memcpy(old, fresh, static_cast<size_t>(stored));
  }
  NodePtr node = NewNode(false);
  node->inode = file.inode;
  node->modified_ms = file.modified_ms;
  node->size = node->smallest_size = size;
  if (size > 0) std::memcpy(node->region->data(), disk.data(), disk.size());
  node->durable = std::move(disk);
  return node;
}

}  // namespace seglog::test
