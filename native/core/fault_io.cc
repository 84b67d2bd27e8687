#include "fault_io.h"

#include <csignal>
#include <utility>

namespace seglog {

namespace {

constexpr std::pair<std::string_view, IoKind> kKindNames[] = {
    {"open", IoKind::kOpen},       {"read", IoKind::kRead},   {"write", IoKind::kWrite},
    {"reserve", IoKind::kReserve}, {"sync", IoKind::kSync},   {"truncate", IoKind::kTruncate},
    {"map", IoKind::kMap},         {"msync", IoKind::kMsync}, {"populate", IoKind::kPopulate},
    {"rename", IoKind::kRename},   {"list", IoKind::kList},   {"remove", IoKind::kRemove},
    {"stat", IoKind::kStat},       {"mkdir", IoKind::kMkdir}, {"syncdir", IoKind::kSyncdir},
    {"lock", IoKind::kLock},
};

std::string_view NameOf(IoKind kind) {
  for (const auto& [name, named] : kKindNames) {
    if (named == kind) return name;
  }
  return "call";
}

class FaultMapping final : public Mapping {
 public:
  FaultMapping(FaultIo& io, std::string path, std::unique_ptr<Mapping> behind)
      : io_(io), path_(std::move(path)), behind_(std::move(behind)) {}
  uint8_t* data() override { return behind_->data(); }
  size_t size() const override { return behind_->size(); }
  Status Populate(size_t from, size_t to) override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kPopulate, path_));
    return behind_->Populate(from, to);
  }
  void Release(size_t from, size_t to) override { behind_->Release(from, to); }
  Status Sync(size_t from, size_t to) override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kMsync, path_));
    return behind_->Sync(from, to);
  }

 private:
  FaultIo& io_;
  const std::string path_;
  const std::unique_ptr<Mapping> behind_;
};

class FaultFile final : public File {
 public:
  FaultFile(FaultIo& io, std::unique_ptr<File> behind) : io_(io), behind_(std::move(behind)) {}
  const std::string& path() const override { return behind_->path(); }
  Result<size_t> ReadAt(int64_t position, uint8_t* out, size_t size) override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kRead, path()));
    return behind_->ReadAt(position, out, size);
  }
  Result<size_t> ReadAtNoWait(int64_t position, uint8_t* out, size_t size) override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kRead, path()));
    return behind_->ReadAtNoWait(position, out, size);
  }
  Result<SentBytes> SendTo(int socket, int64_t position, size_t size) override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kRead, path()));
    return behind_->SendTo(socket, position, size);
  }
  bool IsCached(int64_t position, size_t size) override { return behind_->IsCached(position, size); }
  Status WriteAt(int64_t position, const IoSlice* slices, size_t count) override {
    const Status planned = io_.Check(IoKind::kWrite, path());
    if (planned.ok()) return behind_->WriteAt(position, slices, count);
    if (count > 0 && slices[0].size > 1) {
      const IoSlice half{slices[0].data, slices[0].size / 2};
      SEGLOG_RETURN_IF_ERROR(behind_->WriteAt(position, &half, 1));
    }
    return planned;
  }
  Status Reserve(int64_t position, int64_t size) override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kReserve, path()));
    return behind_->Reserve(position, size);
  }
  Status Truncate(int64_t size) override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kTruncate, path()));
    return behind_->Truncate(size);
  }
  Status SyncData() override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kSync, path()));
    return behind_->SyncData();
  }
  Status Sync() override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kSync, path()));
    return behind_->Sync();
  }
  Result<FileInfo> Info() override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kStat, path()));
    return behind_->Info();
  }
  Result<std::unique_ptr<Mapping>> Map(size_t size, bool writable) override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kMap, path()));
    auto mapping = behind_->Map(size, writable);
    if (!mapping.ok()) return mapping.status();
    return std::unique_ptr<Mapping>(new FaultMapping(io_, path(), std::move(*mapping)));
  }
  void AdviseRandom() override { behind_->AdviseRandom(); }
  void Prefetch(int64_t position, int64_t size) override { behind_->Prefetch(position, size); }
  void StartWriteback(int64_t position, int64_t size) override { behind_->StartWriteback(position, size); }
  Status Lock() override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kLock, path()));
    return behind_->Lock();
  }
  Result<bool> LockedByAnother() override {
    SEGLOG_RETURN_IF_ERROR(io_.Check(IoKind::kLock, path()));
    return behind_->LockedByAnother();
  }

 private:
  FaultIo& io_;
  const std::unique_ptr<File> behind_;
};

}  // namespace

std::optional<IoKind> IoKindFromName(std::string_view name) noexcept {
  for (const auto& [known, kind] : kKindNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

void FaultIo::Inject(FaultPlan plan) {
  std::lock_guard lock(mutex_);
  plan_ = std::move(plan);
  calls_ = 0;
  failures_ = 0;
  armed_.store(true, std::memory_order_relaxed);
}

void FaultIo::Clear() {
  std::lock_guard lock(mutex_);
  armed_.store(false, std::memory_order_relaxed);
}

int64_t FaultIo::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

int64_t FaultIo::failures() const {
  std::lock_guard lock(mutex_);
  return failures_;
}

Status FaultIo::CheckPlan(IoKind kind, const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!armed_.load(std::memory_order_relaxed)) return Status::Ok();
  if ((plan_.kinds & static_cast<uint32_t>(kind)) == 0) return Status::Ok();
  if (path.find(plan_.path_includes) == std::string::npos) return Status::Ok();
  ++calls_;
  const bool fails =
      plan_.fail_nth > 0 && (plan_.sticky ? calls_ >= plan_.fail_nth : calls_ == plan_.fail_nth);
  if (!fails) return Status::Ok();
  ++failures_;
  if (plan_.sys_errno == FaultPlan::kKillProcess) std::raise(SIGKILL);
  return Status::FromErrno(plan_.sys_errno, "injected fault in " + std::string(NameOf(kind)), path);
}

Result<std::unique_ptr<File>> FaultIo::Open(const std::string& path, OpenMode mode) {
  SEGLOG_RETURN_IF_ERROR(Check(IoKind::kOpen, path));
  auto file = behind_.Open(path, mode);
  if (!file.ok()) return file.status();
  return std::unique_ptr<File>(new FaultFile(*this, std::move(*file)));
}

Status FaultIo::MakeDirectory(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(Check(IoKind::kMkdir, path));
  return behind_.MakeDirectory(path);
}

Status FaultIo::SyncDirectory(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(Check(IoKind::kSyncdir, path));
  return behind_.SyncDirectory(path);
}

Status FaultIo::SyncFileSystem(const std::string& directory) {
  SEGLOG_RETURN_IF_ERROR(Check(IoKind::kSyncdir, directory));
  return behind_.SyncFileSystem(directory);
}

Status FaultIo::Rename(const std::string& from, const std::string& to) {
  SEGLOG_RETURN_IF_ERROR(Check(IoKind::kRename, from));
  return behind_.Rename(from, to);
}

Status FaultIo::Remove(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(Check(IoKind::kRemove, path));
  return behind_.Remove(path);
}

Status FaultIo::RemoveTree(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(Check(IoKind::kRemove, path));
  return behind_.RemoveTree(path);
}

Result<std::vector<std::string>> FaultIo::List(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(Check(IoKind::kList, path));
  return behind_.List(path);
}

Result<FileInfo> FaultIo::Stat(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(Check(IoKind::kStat, path));
  return behind_.Stat(path);
}

Result<FileSystemKind> FaultIo::FileSystem(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(Check(IoKind::kStat, path));
  return behind_.FileSystem(path);
}

bool FaultIo::CanPopulate(const std::string& directory) {
  return Check(IoKind::kPopulate, directory).ok() && behind_.CanPopulate(directory);
}

std::string FaultIo::BootId() { return behind_.BootId(); }

}  // namespace seglog
