#include "commit_journal.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "coarse_clock.h"
#include "data_directory.h"
#include "process_info.h"

namespace seglog {

namespace {
constexpr int64_t kBlock = kJournalBlockBytes;
constexpr int64_t kZeroStepBytes = 1 << 20;
constexpr int64_t kNobodyWaits = INT64_MAX;
}  // namespace

CommitJournal::CommitJournal(DataDirectory& directory, int64_t max_bytes)
    : directory_(directory),
      path_(directory.Resolve(kJournalName)),
      max_bytes_(std::min(max_bytes, kMaxBytes) / kBlock * kBlock) {}

CommitJournal::~CommitJournal() { Stop(); }

bool CommitJournal::Ready() noexcept {
  if (ready_.load(std::memory_order_acquire)) return true;
  if (max_bytes_ > 0) Want();
  return false;
}

// -- frames

JournalFrame& CommitJournal::NewFrame(size_t entries) {
  int64_t ring;
  {
    std::lock_guard lock(mutex_);
    ring = end_ - kRingBegin;
  }
  const auto quarter = static_cast<size_t>(std::max<int64_t>(ring, 0)) / 4;
  frame_.Begin(entries, quarter / kJournalBlockBytes * kJournalBlockBytes);
  return frame_;
}

// Frames are placed in the order of the ring, so that an old one loses its head before its bodies, and a tail
// is never overwritten before a later frame that knows at least as much.
bool CommitJournal::Place(int64_t bytes, int64_t* position) {
  if (file_ == nullptr) return false;
  int64_t at = head_;
  if (live_.empty() || at > live_.front().position) {
    if (at + bytes > end_) at = kRingBegin;
  }
  if (at + bytes > end_) return false;
  if (!live_.empty()) {
    const int64_t oldest = live_.front().position;
    const bool wrapped = at < head_ || head_ <= oldest;
    if (wrapped && at + bytes >= oldest) return false;
  }
  *position = at;
  head_ = at + bytes;
  return true;
}

Result<bool> CommitJournal::Commit(std::span<JournalSource* const> sources) {
  std::lock_guard committing(commit_mutex_);
  if (frame_.entries() == 0) return true;
  uint64_t sequence;
  uint64_t tail;
  int64_t position;
  {
    std::lock_guard lock(mutex_);
    const auto bytes = static_cast<int64_t>(frame_.bytes());
    if (!Place(bytes, &position)) {
      wake_.notify_one();
      return false;
    }
    sequence = next_sequence_++;
    live_.push_back({sequence, position, bytes});
    tail = Tail(sequence);
    // From here on a settling knows them: it flushes what they added, whether or not the frame is there yet.
    if (sources_.empty()) {
      oldest_ms_ = CoarseNowMs();
      wake_.notify_one();
    }
    sources_.insert(sources.begin(), sources.end());
  }
  bool flush_failed = false;
  const Status written = Write(frame_, sequence, tail, position, &flush_failed);
  if (flush_failed) return directory_.FlushFailed(written);
  if (!written.ok()) {
    const Status failed = directory_.Failed(written);
    if (directory_.offline()) return failed;
    return false;  // no room on a file system that copies on write
  }
  std::lock_guard lock(mutex_);
  persisted_tail_ = std::max(persisted_tail_, tail);
  if (HalfFull()) wake_.notify_one();
  return true;
}

Status CommitJournal::Write(JournalFrame& frame, uint64_t sequence, uint64_t tail, int64_t position,
                            bool* flush_failed) {
  const ByteSpan bytes = frame.Finish(id_, sequence, tail);
  const IoSlice slice{bytes.data(), bytes.size()};
  SEGLOG_RETURN_IF_ERROR(file_->WriteAt(position, &slice, 1));
  const Status flushed = file_->SyncData();
  *flush_failed = !flushed.ok();
  return flushed;
}

int64_t CommitJournal::LiveBytes() const {
  int64_t bytes = 0;
  if (live_.empty()) return bytes;
  const int64_t from = live_.front().position;
  const int64_t to = live_.back().position + live_.back().bytes;
  bytes = to - from;
  return bytes > 0 ? bytes : bytes + end_ - kRingBegin;
}

int64_t CommitJournal::live_bytes() const {
  std::lock_guard lock(mutex_);
  return LiveBytes();
}

int64_t CommitJournal::file_bytes() const {
  std::lock_guard lock(mutex_);
  return file_ == nullptr ? 0 : end_;
}

// -- settling

Status CommitJournal::Settle() {
  std::lock_guard settling(settle_mutex_);
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (file_ == nullptr || persisted_tail_ >= next_sequence_) return Status::Ok();
    }
    SEGLOG_RETURN_IF_ERROR(SettleSources());
    SEGLOG_RETURN_IF_ERROR(PersistTail());
  }
}

Status CommitJournal::SettleSources() {
  SEGLOG_RETURN_IF_ERROR(directory_.CheckWritable());
  uint64_t upto;
  std::set<JournalSource*> sources;
  {
    std::lock_guard lock(mutex_);
    upto = next_sequence_;
    sources.swap(sources_);
  }
  Status status;
  for (JournalSource* source : sources) {
    status = source->FlushBehind();
    if (!status.ok()) break;
  }
  std::lock_guard lock(mutex_);
  settled_ms_ = CoarseNowMs();
  oldest_ms_ = settled_ms_;
  if (!status.ok()) {
    sources_.merge(sources);
    return directory_.FlushFailed(status);
  }
  while (!live_.empty() && live_.front().sequence < upto) live_.pop_front();
  return status;
}

// A frame without entries. No room for it only while frames that came after the settling fill the ring: then
// the caller settles again.
Status CommitJournal::PersistTail() {
  std::lock_guard committing(commit_mutex_);
  empty_.Begin(0, kJournalBlockBytes);
  uint64_t sequence;
  uint64_t tail;
  int64_t position;
  {
    std::lock_guard lock(mutex_);
    if (!Place(kJournalBlockBytes, &position)) return Status::Ok();
    sequence = next_sequence_++;
    tail = Tail(next_sequence_);
  }
  bool flush_failed = false;
  const Status written = Write(empty_, sequence, tail, position, &flush_failed);
  if (flush_failed) return directory_.FlushFailed(written);
  if (!written.ok()) return directory_.Failed(written);
  std::lock_guard lock(mutex_);
  persisted_tail_ = std::max(persisted_tail_, tail);
  return Status::Ok();
}

void CommitJournal::Leave(JournalSource* source) {
  std::lock_guard settling(settle_mutex_);
  {
    std::lock_guard lock(mutex_);
    if (!sources_.contains(source)) return;
  }
  // Its frames stay until the others are settled: to replay them again changes nothing.
  if (directory_.CheckWritable().ok()) (void)directory_.FlushFailed(source->FlushBehind());
  std::lock_guard lock(mutex_);
  sources_.erase(source);
}

// -- the file

Status CommitJournal::Prepare() {
  std::lock_guard settling(settle_mutex_);
  {
    std::lock_guard lock(mutex_);
    if (file_ != nullptr) return Status::Ok();
  }
  SEGLOG_RETURN_IF_ERROR(directory_.CheckWritable());
  if (max_bytes_ <= 0) return Status::Error(ErrorCode::kUnsupported, "the journal is off", path_);
  Status made =
      directory_.MayGrow() ? MakeFile() : Status::Error(ErrorCode::kNoSpace, "the disk is full", path_);
  if (made.ok()) return made;
  (void)directory_.io().Remove(path_);
  std::lock_guard lock(mutex_);
  ask_again_ms_ = CoarseNowMs() + kAskAgainMs;
  return directory_.Failed(made);
}

Status CommitJournal::MakeFile() {
  Io& io = directory_.io();
  JournalId id;
  if (!RandomBytes(id.data(), id.size())) {
    return Status::Error(ErrorCode::kUnsupported, "the system gives no random bytes", path_);
  }
  auto file = io.Open(path_, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  const int64_t bytes = std::min(kFirstBytes, max_bytes_);
  SEGLOG_RETURN_IF_ERROR((*file)->Truncate(0));
  SEGLOG_RETURN_IF_ERROR(FillWithZeros(**file, 0, bytes));
  uint8_t block[kJournalBlockBytes];
  journal_format::FillHeader(block, id);
  const IoSlice slice{block, sizeof block};
  SEGLOG_RETURN_IF_ERROR((*file)->WriteAt(0, &slice, 1));
  SEGLOG_RETURN_IF_ERROR((*file)->Sync());
  SEGLOG_RETURN_IF_ERROR(io.SyncDirectory(directory_.path()));
  std::lock_guard committing(commit_mutex_);
  std::lock_guard lock(mutex_);
  file_ = std::move(*file);
  id_ = id;
  end_ = bytes;
  head_ = kRingBegin;
  next_sequence_ = persisted_tail_ = 1;
  settled_ms_ = CoarseNowMs();
  ready_.store(true, std::memory_order_release);
  return Status::Ok();
}

// Reserved first, so that a full disk is found out before anything is written; written, because the first
// write to reserved space costs a flush a commit of metadata. In steps, each flushed: a commit of somebody
// else's flush waits for all that was written before it.
Status CommitJournal::FillWithZeros(File& file, int64_t from, int64_t to) {
  const Status reserved = file.Reserve(from, to - from);
  if (!reserved.ok() && reserved.code() != ErrorCode::kUnsupported) return reserved;
  const std::vector<uint8_t> zeros(kZeroStepBytes);
  for (int64_t at = from; at < to; at += kZeroStepBytes) {
    const IoSlice slice{zeros.data(), static_cast<size_t>(std::min(kZeroStepBytes, to - at))};
    SEGLOG_RETURN_IF_ERROR(file.WriteAt(at, &slice, 1));
    SEGLOG_RETURN_IF_ERROR(file.SyncData());
  }
  return file.Sync();
}

void CommitJournal::Grow() {
  std::lock_guard settling(settle_mutex_);
  int64_t from;
  {
    std::lock_guard lock(mutex_);
    if (file_ == nullptr || end_ >= max_bytes_ || CoarseNowMs() < ask_again_ms_) return;
    from = end_;
  }
  const int64_t to = std::min(2 * from, max_bytes_);
  Status grown = directory_.MayGrow() ? FillWithZeros(*file_, from, to)
                                      : Status::Error(ErrorCode::kNoSpace, "the disk is full", path_);
  if (!grown.ok() && !directory_.offline()) (void)file_->Truncate(from);
  (void)directory_.Failed(grown);
  std::lock_guard lock(mutex_);
  if (grown.ok()) {
    end_ = to;
  } else {
    ask_again_ms_ = CoarseNowMs() + kAskAgainMs;
  }
}

Status CommitJournal::Remove() {
  std::lock_guard settling(settle_mutex_);
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (file_ == nullptr) return Status::Ok();
    }
    SEGLOG_RETURN_IF_ERROR(SettleSources());
    std::lock_guard committing(commit_mutex_);
    std::lock_guard lock(mutex_);
    if (!live_.empty()) continue;
    ready_.store(false, std::memory_order_release);
    file_.reset();
    ask_again_ms_ = CoarseNowMs() + kAskAgainMs;
    SEGLOG_RETURN_IF_ERROR(directory_.io().Remove(path_));
    return directory_.FlushFailed(directory_.io().SyncDirectory(directory_.path()));
  }
}

// -- the keeper

void CommitJournal::Want() noexcept {
  std::lock_guard lock(mutex_);
  if (stop_ || wanted_ || CoarseNowMs() < ask_again_ms_) return;
  wanted_ = true;
  // Without a thread there is no journal; the next one who wants it tries again.
  if (!keeper_) keeper_ = Thread::Start("seglog-journal", [this] { Keep(); });
  wanted_ = keeper_ != nullptr;
  wake_.notify_one();
}

bool CommitJournal::Due(int64_t now_ms) const {
  if (file_ == nullptr || sources_.empty() || directory_.offline()) return false;
  return HalfFull() || now_ms - oldest_ms_ >= kSettleAfterMs;
}

void CommitJournal::Keep() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const int64_t now = CoarseNowMs();
    if (wanted_) {
      lock.unlock();
      (void)Prepare();
      lock.lock();
      wanted_ = false;
      continue;
    }
    if (Due(now)) {
      const bool too_small = HalfFull() && now - settled_ms_ < kSettleAfterMs;
      lock.unlock();
      {
        std::lock_guard settling(settle_mutex_);
        (void)SettleSources();
      }
      if (too_small) Grow();
      lock.lock();
      const bool idle = live_.empty() && persisted_tail_ < next_sequence_ && !directory_.offline();
      if (!idle) continue;
      lock.unlock();
      (void)Settle();  // so that old frames are not replayed hours later
      lock.lock();
      continue;
    }
    const bool waiting = !sources_.empty() && !directory_.offline();
    const int64_t left = waiting ? std::max<int64_t>(oldest_ms_ + kSettleAfterMs - now, 1) : kNobodyWaits;
    if (left == kNobodyWaits) {
      wake_.wait(lock);
    } else {
      // By the system clock: the steady one needs a call that thread sanitizers of this generation do not
      // know.
      wake_.wait_until(lock, std::chrono::system_clock::now() + std::chrono::milliseconds(left));
    }
  }
}

void CommitJournal::Stop() {
  std::unique_ptr<Thread> keeper;
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    keeper = std::move(keeper_);
  }
  wake_.notify_all();
  if (keeper) keeper->Join();
}

}  // namespace seglog
