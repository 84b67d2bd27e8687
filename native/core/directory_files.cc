// DataDirectory's small files: seglog.json, checkpoints, markers, snapshots. Every change is on disk when it
// returns.
#include "data_directory.h"

namespace seglog {

namespace {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status WriteWhole(Io& io, const std::string& path, ByteSpan bytes) {
  auto file = io.Open(path, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  SEGLOG_RETURN_IF_ERROR((*file)->Truncate(0));
  const IoSlice slice{bytes.data(), bytes.size()};
  if (!bytes.empty()) SEGLOG_RETURN_IF_ERROR((*file)->WriteAt(0, &slice, 1));
  return (*file)->Sync();
}

}  // namespace

Status DataDirectory::CreateFolder(const std::string& path) {
  const std::string parent = FolderOf(path);
  if (parent != "." && parent != "/" && io_.Stat(parent).status().code() == ErrorCode::kNotFound) {
    SEGLOG_RETURN_IF_ERROR(CreateFolder(parent));
  }
  SEGLOG_RETURN_IF_ERROR(io_.MakeDirectory(path));
  return io_.SyncDirectory(parent);
}

Result<std::vector<std::string>> DataDirectory::List(const std::string& path) {
  return io_.List(Resolve(path));
}

Result<std::optional<FileInfo>> DataDirectory::Stat(const std::string& path) {
  auto info = io_.Stat(Resolve(path));
  if (info.status().code() == ErrorCode::kNotFound) return std::optional<FileInfo>();
  if (!info.ok()) return info.status();
  return std::optional<FileInfo>(*info);
}

Result<std::vector<uint8_t>> DataDirectory::ReadFile(const std::string& path) {
  auto file = io_.Open(Resolve(path), OpenMode::kRead);
  if (!file.ok()) return file.status();
  auto info = (*file)->Info();
  if (!info.ok()) return info.status();
  if (info->is_directory)
    return Status::Error(ErrorCode::kInvalidArgument, "a directory cannot be read", Resolve(path));
  std::vector<uint8_t> bytes(static_cast<size_t>(info->size));
  auto read = (*file)->ReadAt(0, bytes.data(), bytes.size());
  if (!read.ok()) return read.status();
  bytes.resize(*read);
  return bytes;
}

Status DataDirectory::ReplaceFile(const std::string& path, ByteSpan bytes) {
  SEGLOG_RETURN_IF_ERROR(CheckWritable());
  const std::string target = Resolve(path);
  const std::string temporary = target + ".tmp";
  const Status replaced = WithReserves([&] {
    Status written = WriteWhole(io_, temporary, bytes);
    if (written.ok()) written = io_.Rename(temporary, target);
    if (!written.ok()) {
      (void)io_.Remove(temporary);
      return written;
    }
    return io_.SyncDirectory(FolderOf(target));
  });
  return Failed(replaced);
}

Status DataDirectory::MakeDirectory(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(CheckWritable());
  return Failed(WithReserves([&] { return CreateFolder(Resolve(path)); }));
}

Status DataDirectory::Rename(const std::string& from, const std::string& to) {
  SEGLOG_RETURN_IF_ERROR(CheckWritable());
  SEGLOG_RETURN_IF_ERROR(SettleJournal());
  return WithReserves([&] {
    SEGLOG_RETURN_IF_ERROR(io_.Rename(Resolve(from), Resolve(to)));
    SEGLOG_RETURN_IF_ERROR(io_.SyncDirectory(FolderOf(Resolve(to))));
    return FolderOf(Resolve(from)) == FolderOf(Resolve(to)) ? Status::Ok()
                                                            : io_.SyncDirectory(FolderOf(Resolve(from)));
  });
}

Status DataDirectory::Remove(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(CheckWritable());
  if (path.ends_with(".log")) SEGLOG_RETURN_IF_ERROR(SettleJournal());
  SEGLOG_RETURN_IF_ERROR(io_.Remove(Resolve(path)));
  return WithReserves([&] { return io_.SyncDirectory(FolderOf(Resolve(path))); });
}

Status DataDirectory::RemoveTree(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(CheckWritable());
  SEGLOG_RETURN_IF_ERROR(io_.RemoveTree(Resolve(path)));
  return WithReserves([&] { return io_.SyncDirectory(FolderOf(Resolve(path))); });
}

Status DataDirectory::SyncDirectory(const std::string& path) {
  SEGLOG_RETURN_IF_ERROR(CheckWritable());
  Status synced = WithReserves([&] { return io_.SyncDirectory(Resolve(path)); });
  const bool no_such = synced.code() == ErrorCode::kNotFound || synced.code() == ErrorCode::kNotDirectory;
  return no_such ? synced : FlushFailed(std::move(synced));
}

}  // namespace seglog
