#include "data_directory.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "coarse_clock.h"
#include "journal_replay.h"
#include "process_info.h"

namespace seglog {

namespace {

constexpr char kLockName[] = ".lock";
constexpr char kEndsName[] = ".ends";
constexpr char kBallastName[] = ".ballast";
constexpr char kMarkerName[] = ".kafka_cleanshutdown";

std::string LockText() {
  return "{\"pid\":" + std::to_string(ProcessId()) + ",\"host\":\"" + HostName() +
         "\",\"startedMs\":" + std::to_string(NowMs()) + "}\n";
}

/// The holder's pid out of the lock's text; empty when it says none.
std::string HolderPid(const std::string& text) {
  const size_t at = text.find("\"pid\":");
  if (at == std::string::npos) return {};
  const size_t from = at + 6;
  const size_t to = text.find_first_not_of("0123456789", from);
  return text.substr(from, to - from);
}

bool IsOurOwnOrNothing(const std::string& name) {
  return name == kLockName || name == kEndsName || name == kJournalName || name == kBallastName ||
         name == kMarkerName || name == "lost+found" || name.ends_with(".tmp") ||
         name.starts_with(".seglog-probe-");
}

/// The disk or the file system failed, as opposed to a resource that comes back or a wrong call.
bool IsDiskTrouble(ErrorCode code) { return code == ErrorCode::kIo || code == ErrorCode::kAccessDenied; }

}  // namespace

DataDirectory::DataDirectory(Io& io, std::string path, DirectoryOptions options)
    : io_(io), path_(std::move(path)), options_(options), ballast_(io, path_ + "/" + kBallastName) {}

DataDirectory::~DataDirectory() { (void)Close(false); }

Result<std::shared_ptr<DataDirectory>> DataDirectory::Open(Io& io, const std::string& path,
                                                           DirectoryOptions options) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  if (trimmed.empty()) return Status::Error(ErrorCode::kInvalidArgument, "a data directory needs a path");
  std::shared_ptr<DataDirectory> directory(new DataDirectory(io, std::move(trimmed), options));
  SEGLOG_RETURN_IF_ERROR(directory->OpenFiles());
  return directory;
}

Status DataDirectory::OpenFiles() {
  auto info = io_.Stat(path_);
  if (info.status().code() == ErrorCode::kNotFound) {
    if (read_only() || !options_.create) {
      return Status::Error(ErrorCode::kNotFound, "there is no data directory", path_);
    }
    SEGLOG_RETURN_IF_ERROR(CreateFolder(path_));
  } else if (!info.ok()) {
    return info.status();
  } else if (!info->is_directory) {
    return Status::Error(ErrorCode::kNotDirectory, "a data directory cannot be a file", path_);
  }
  auto kind = io_.FileSystem(path_);
  overwrite_in_place_ = kind.ok() && *kind == FileSystemKind::kOverwriteInPlace;
  if (read_only()) {
    live_ = HeldByAnother();
    SEGLOG_RETURN_IF_ERROR(JudgeWhatIsLeft(nullptr));
    if (left_behind_ != LeftBehind::kScan) return Status::Ok();
    auto waiting = UseJournal(io_, path_, JournalUse::kCount);
    if (!waiting.ok()) return waiting.status();
    journal_waits_ = waiting->entries > 0;
    return Status::Ok();
  }
  SEGLOG_RETURN_IF_ERROR(TakeLock());
  live_ = true;
  mapped_lane_ = overwrite_in_place_ && io_.CanPopulate(path_);
  EndsContents before;
  SEGLOG_RETURN_IF_ERROR(JudgeWhatIsLeft(&before));
  SEGLOG_RETURN_IF_ERROR(TakeInJournal());
  SEGLOG_RETURN_IF_ERROR(BeginWriting(before));
  // Elsewhere an overwrite may want new space, and commits metadata whatever was written before.
  if (overwrite_in_place_) journal_ = std::make_unique<CommitJournal>(*this, options_.journal_bytes);
  return Status::Ok();
}

bool DataDirectory::HeldByAnother() {
  auto file = io_.Open(path_ + "/" + kLockName, OpenMode::kRead);
  if (!file.ok()) return false;
  auto locked = (*file)->LockedByAnother();
  return locked.ok() && *locked;
}

Status DataDirectory::TakeLock() {
  const std::string lock_path = path_ + "/" + kLockName;
  auto file = io_.Open(lock_path, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  const Status locked = (*file)->Lock();
  if (locked.code() == ErrorCode::kLocked) {
    char text[512];
    auto read = (*file)->ReadAt(0, reinterpret_cast<uint8_t*>(text), sizeof text);
    const std::string pid = read.ok() ? HolderPid(std::string(text, *read)) : std::string();
    return Status::Error(ErrorCode::kLocked,
                         pid.empty() ? "another open writes this data directory"
                                     : "process " + pid + " writes this data directory",
                         path_);
  }
  SEGLOG_RETURN_IF_ERROR(locked);
  lock_ = std::move(*file);
  // The text is a courtesy to whoever finds the lock held: a full disk must not keep the directory closed.
  const std::string text = LockText();
  const IoSlice slice{reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  if (lock_->Truncate(0).ok()) (void)lock_->WriteAt(0, &slice, 1);
  return Status::Ok();
}

Status DataDirectory::JudgeWhatIsLeft(EndsContents* before) {
  auto names = io_.List(path_);
  if (!names.ok()) return names.status();
  auto contents = EndsFile::Read(io_, path_ + "/" + kEndsName);
  if (!contents.ok()) return contents.status();
  const bool marked = std::find(names->begin(), names->end(), kMarkerName) != names->end();
  const bool holds_something = std::any_of(names->begin(), names->end(),
                                           [](const std::string& name) { return !IsOurOwnOrNothing(name); });
  if (contents->poisoned) {
    left_behind_ = LeftBehind::kScan;
  } else if (!holds_something && contents->partitions.empty()) {
    left_behind_ = LeftBehind::kNew;
  } else if (marked) {
    left_behind_ = LeftBehind::kClean;
  } else {
    left_behind_ = contents->believable ? LeftBehind::kKilled : LeftBehind::kScan;
  }
  ends_found_ = contents->partitions;
  if (before != nullptr) *before = std::move(*contents);
  return Status::Ok();
}

// Of a clean directory the journal is void: whoever closed it flushed everything, and another program may
// have written since.
Status DataDirectory::TakeInJournal() {
  const std::string path = path_ + "/" + kJournalName;
  const Status there = io_.Stat(path).status();
  if (there.code() == ErrorCode::kNotFound) return Status::Ok();
  SEGLOG_RETURN_IF_ERROR(there);
  if (left_behind_ == LeftBehind::kKilled) {
    const Status flushed = UseJournal(io_, path_, JournalUse::kFlush).status();
    if (flushed.code() == ErrorCode::kUnsupported) return flushed;
    // A flush that failed may have lost the pages; the journal has them.
    if (!flushed.ok()) left_behind_ = LeftBehind::kScan;
  }
  if (left_behind_ == LeftBehind::kScan) {
    SEGLOG_RETURN_IF_ERROR(UseJournal(io_, path_, JournalUse::kReplay).status());
  }
  SEGLOG_RETURN_IF_ERROR(io_.Remove(path));
  return io_.SyncDirectory(path_);
}

Status DataDirectory::RemoveJournal() {
  SEGLOG_RETURN_IF_ERROR(CheckWritable());
  return journal_ ? journal_->Remove() : Status::Ok();
}

Status DataDirectory::BeginWriting(const EndsContents& before) {
  EndsStart start = EndsStart::kEmpty;
  if (left_behind_ == LeftBehind::kKilled) start = EndsStart::kBelieve;
  if (left_behind_ == LeftBehind::kScan) start = EndsStart::kBounds;
  descriptors_.Take();
  (void)ballast_.Take();
  ballast_wanted_ = ballast_.held();
  SEGLOG_RETURN_IF_ERROR(WithReserves([&] {
    auto ends = EndsFile::Open(io_, path_ + "/" + kEndsName, start, before, mapped_lane_);
    if (!ends.ok()) return ends.status();
    ends_file_ = std::move(*ends);
    return Status::Ok();
  }));
  // Before the first append: a marker that outlives it would call torn files clean.
  const Status removed = io_.Remove(path_ + "/" + kMarkerName);
  if (removed.code() == ErrorCode::kNotFound) return Status::Ok();
  SEGLOG_RETURN_IF_ERROR(removed);
  return io_.SyncDirectory(path_);
}

std::string DataDirectory::Resolve(const std::string& path) const {
  if (path.empty()) return path_;
  return path.front() == '/' ? path : path_ + "/" + path;
}

Status DataDirectory::CheckWritable() const {
  if (read_only())
    return Status::Error(ErrorCode::kReadOnly, "the data directory is open for reading only", path_);
  if (closed_.load(std::memory_order_acquire)) {
    return Status::Error(ErrorCode::kClosed, "the data directory is closed", path_);
  }
  if (!offline()) return Status::Ok();
  std::lock_guard lock(mutex_);
  return Status::Error(ErrorCode::kOffline,
                       "the data directory is offline: " + offline_cause_.detail().message, path_,
                       offline_cause_.detail().sys_errno);
}

Status DataDirectory::Failed(Status cause) {
  return !cause.ok() && IsDiskTrouble(cause.code()) ? GoOffline(std::move(cause)) : cause;
}

Status DataDirectory::FlushFailed(Status cause) { return cause.ok() ? cause : GoOffline(std::move(cause)); }

Status DataDirectory::GoOffline(Status cause) {
  std::function<void(const Status&)> tell;
  {
    std::lock_guard lock(mutex_);
    if (offline()) return cause;
    offline_cause_ = cause;
    offline_.store(true, std::memory_order_release);
    if (ends_file_) ends_file_->Poison();
    tell = on_offline_;
  }
  if (tell) tell(cause);
  return cause;
}

void DataDirectory::OnOffline(std::function<void(const Status&)> callback) {
  std::lock_guard lock(mutex_);
  on_offline_ = std::move(callback);
}

Result<EndsSlot*> DataDirectory::Slot(const TopicId& topic_id, int32_t partition) {
  SEGLOG_RETURN_IF_ERROR(CheckWritable());
  EndsSlot* slot = nullptr;
  SEGLOG_RETURN_IF_ERROR(WithReserves([&] {
    auto found = ends_file_->Slot(topic_id, partition);
    if (!found.ok()) return found.status();
    slot = *found;
    return Status::Ok();
  }));
  return slot;
}

void DataDirectory::TopicsChanged() {
  if (ends_file_) ends_file_->RaiseTopicsGeneration();
}

Status DataDirectory::FlushEnds() {
  SEGLOG_RETURN_IF_ERROR(CheckWritable());
  return FlushFailed(FlushEndsFile());
}

// A file system that copies on write wants new space for old records. A mapping's failed sync is never tried
// again: the second one succeeds with the pages lost.
Status DataDirectory::FlushEndsFile() {
  if (mapped_lane_) return ends_file_->Flush();
  return WithReserves([&] { return ends_file_->Flush(); });
}

void DataDirectory::EndsBehind() noexcept {
  const int64_t now = CoarseNowMs();
  int64_t last = ends_written_ms_.load(std::memory_order_relaxed);
  if (now - last < kEndsEveryMs || !ends_written_ms_.compare_exchange_strong(last, now)) return;
  ends_file_->StartWriteback();
}

bool DataDirectory::MayGrow() { return !ballast_wanted_ || ballast_.held() || ballast_.Take(); }

Status DataDirectory::WithReserves(const std::function<Status()>& write) {
  const Status first = write();
  if (first.code() == ErrorCode::kNoSpace) {
    if (ballast_.GiveBack()) {
      const Status second = write();
      if (second.code() != ErrorCode::kNoSpace) return second;
    }
    // What was removed, now or earlier, is free only now.
    if (journal_ && journal_->file_bytes() > 0 && journal_->Remove().ok()) {
      const Status third = write();
      if (third.code() != ErrorCode::kNoSpace) return third;
    }
    if (overwrite_in_place_ || !ballast_wanted_) return first;
    (void)io_.SyncFileSystem(path_);
    return write();
  }
  if (first.code() == ErrorCode::kTooManyFiles && descriptors_.GiveBack()) {
    const Status second = write();
    descriptors_.Take();
    return second;
  }
  return first;
}

Status DataDirectory::Close(bool clean) {
  if (journal_) journal_->Stop();
  if (closed_) return Status::Ok();
  Status status;
  if (clean && !offline()) status = RemoveJournal();
  if (closed_.exchange(true)) return Status::Ok();
  if (ends_file_) {
    if (!offline() && status.ok()) status = FlushFailed(FlushEndsFile());
    // The next open must not take a clean close on trust when the ends beside it never reached the disk.
    if (clean && (offline() || !status.ok()))
      (void)io_.Remove(path_ + "/" + kMarkerName);
    else if (clean)
      ends_file_->Retire();
    ends_file_.reset();
  }
  descriptors_.GiveBack();
  lock_.reset();
  return status;
}

}  // namespace seglog
