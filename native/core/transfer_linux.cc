// The transfer's thread, over epoll; compiled to nothing elsewhere, where sockets stay with Node.
#if defined(__linux__)

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "transfer.h"

namespace seglog {

namespace {

/// What a stream sends in its turn.
constexpr size_t kTurnBytes = 512 << 10;
/// What is asked for, and read where it is cold, at a time. Also what one call sends at most, which bounds
/// how long the segment's files are held.
constexpr size_t kWindowBytes = 512 << 10;
constexpr size_t kWarmThreads = 2;
constexpr int kSlices = 16;
// Stream ids stay below.
constexpr uint64_t kOrdersMark = ~uint64_t{0};
constexpr uint64_t kWarmedMark = ~uint64_t{0} - 1;

}  // namespace

WakeEvent::WakeEvent() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

WakeEvent::~WakeEvent() {
  if (descriptor_ >= 0) close(descriptor_);
}

void WakeEvent::Set() {
  const uint64_t one = 1;
  while (write(descriptor_, &one, sizeof one) < 0 && errno == EINTR) {}
}

void WakeEvent::Clear() {
  uint64_t count;
  while (read(descriptor_, &count, sizeof count) < 0 && errno == EINTR) {}
}

/// Reads a cold range, so that sending it does not wait.
class Transfer::WarmUp final : public Operation {
 public:
  WarmUp(std::shared_ptr<TransferStream> stream, const TransferPiece& piece, size_t from, size_t to)
      : stream(std::move(stream)), to(to), source_(piece.source), position_(piece.position), from_(from) {}
  void Run() override { outcome = source_->Warm(position_ + static_cast<int64_t>(from_), to - from_); }

  const std::shared_ptr<TransferStream> stream;
  const size_t to;

 private:
  const std::shared_ptr<RegionSource> source_;
  const FilePosition position_;
  const size_t from_;
};

Transfer::Transfer(std::function<void()> wake)
    : wake_(std::move(wake)),
      warmed_([this] { warmed_event_.Set(); }),
      warmers_("seglog-warm", kWarmThreads, &warmed_) {}

Transfer::~Transfer() {
  if (thread_) {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    orders_event_.Set();
    thread_->Join();
  }
  warmers_.Stop();
  warmed_.Take();
  if (poll_ >= 0) close(poll_);
}

std::shared_ptr<TransferStream> Transfer::Open(uint64_t id, std::shared_ptr<WireSocket> socket) {
  return std::shared_ptr<TransferStream>(new TransferStream(id, std::move(socket)));
}

Status Transfer::Start() {
  if (thread_) return Status::Ok();
  if (poll_ < 0) {
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    if (poll_ < 0) return Status::FromErrno(errno, "cannot make a poll set for the transfer", "");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kOrdersMark;
    bool watched = epoll_ctl(poll_, EPOLL_CTL_ADD, orders_event_.descriptor(), &event) == 0;
    event.data.u64 = kWarmedMark;
    watched = watched && epoll_ctl(poll_, EPOLL_CTL_ADD, warmed_event_.descriptor(), &event) == 0;
    if (!watched) {
      const int failed = errno;
      close(std::exchange(poll_, -1));
      return Status::FromErrno(failed, "cannot watch the transfer's orders", "");
    }
  }
  thread_ = Thread::Start("seglog-transfer", [this] { Run(); });
  if (!thread_) return Status::Error(ErrorCode::kIo, "the transfer's thread cannot be started");
  return Status::Ok();
}

Status Transfer::Send(const std::shared_ptr<TransferStream>& stream, std::vector<TransferPiece> pieces) {
  SEGLOG_RETURN_IF_ERROR(Start());
  int64_t bytes = 0;
  for (const TransferPiece& piece : pieces) bytes += static_cast<int64_t>(piece.size);
  stream->waiting_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  bool was_empty;
  {
    std::lock_guard lock(mutex_);
    was_empty = orders_.empty();
    orders_.push_back({stream, std::move(pieces)});
  }
  if (was_empty) orders_event_.Set();
  return Status::Ok();
}

void Transfer::Cancel(const std::shared_ptr<TransferStream>& stream) {
  stream->cancelled_.store(true, std::memory_order_release);
  stream->socket_->Shutdown();
  if (!thread_) return;
  bool was_empty;
  {
    std::lock_guard lock(mutex_);
    was_empty = orders_.empty();
    orders_.push_back({stream, {}});
  }
  if (was_empty) orders_event_.Set();
}

std::vector<TransferDone> Transfer::TakeDone() {
  std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void Transfer::Run() {
  epoll_event events[64];
  for (;;) {
    const int count = epoll_wait(poll_, events, std::size(events), ready_.empty() ? -1 : 0);
    for (int i = 0; i < count; ++i) {
      const uint64_t mark = events[i].data.u64;
      if (mark == kOrdersMark) {
        orders_event_.Clear();
        if (!TakeOrders()) return;
      } else if (mark == kWarmedMark) {
        warmed_event_.Clear();
        TakeWarmed();
      } else if (const auto found = streams_.find(mark); found != streams_.end() && found->second->waits_) {
        found->second->waits_ = false;
        ready_.push_back(found->second);
      }
    }
    // Each that is ready now has one turn before sockets are looked at again.
    for (size_t turns = ready_.size(); turns > 0; --turns) {
      const std::shared_ptr<TransferStream> stream = std::move(ready_.front());
      ready_.pop_front();
      Turn(stream);
    }
  }
}

/// False when the thread is to end.
bool Transfer::TakeOrders() {
  std::vector<Order> orders;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
    orders = std::exchange(orders_, {});
  }
  for (Order& order : orders) {
    TransferStream& stream = *order.stream;
    if (order.pieces.empty() || stream.cancelled_.load(std::memory_order_acquire)) {
      Drop(stream);
      continue;
    }
    for (TransferPiece& piece : order.pieces) stream.pieces_.push_back(std::move(piece));
    streams_[stream.id_] = order.stream;
    stream.waits_ = false;
    ready_.push_back(std::move(order.stream));
  }
  return true;
}

void Transfer::TakeWarmed() {
  for (auto& operation : warmed_.Take()) {
    auto& warm_up = static_cast<WarmUp&>(*operation);
    const std::shared_ptr<TransferStream>& stream = warm_up.stream;
    if (stream->cancelled_.load(std::memory_order_acquire) || !streams_.contains(stream->id_)) continue;
    if (!warm_up.outcome.ok()) {
      Finish(stream, warm_up.outcome);
      continue;
    }
    // Sent now even if it was evicted meanwhile: else a system short of memory would never get to it.
    stream->warm_to_ = warm_up.to;
    stream->waits_ = false;
    ready_.push_back(stream);
  }
}

void Transfer::Turn(const std::shared_ptr<TransferStream>& stream) {
  size_t sent = 0;
  Status error;
  while (!stream->pieces_.empty() && sent < kTurnBytes) {
    if (stream->cancelled_.load(std::memory_order_acquire)) return;  // its order follows
    const bool is_region = stream->pieces_.front().source != nullptr;
    const Step step = is_region ? SendRegion(stream, &sent, &error) : SendBytes(*stream, &sent, &error);
    if (step == Step::kSent) continue;
    stream->waits_ = step != Step::kFailed;
    if (step == Step::kBlocked) Watch(*stream);
    if (step == Step::kFailed) Finish(stream, std::move(error));
    return;
  }
  if (stream->pieces_.empty()) {
    Finish(stream, Status::Ok());
  } else {
    ready_.push_back(stream);
  }
}

Transfer::Step Transfer::SendBytes(TransferStream& stream, size_t* sent, Status* error) {
  iovec slices[kSlices];
  int count = 0;
  bool more = false;  // a region follows
  for (const TransferPiece& piece : stream.pieces_) {
    more = piece.source != nullptr;
    if (more || count == kSlices) break;
    const size_t skip = count == 0 ? stream.done_ : 0;
    slices[count++] = {const_cast<uint8_t*>(piece.bytes.data()) + skip, piece.size - skip};
  }
  const SocketMove moved = stream.socket_->Send({slices, static_cast<size_t>(count)}, more);
  counts_.calls.fetch_add(1, std::memory_order_relaxed);
  if (moved.error != 0) {
    *error = Status::Error(ErrorCode::kPeerGone, "the connection is gone", "", moved.error);
    return Step::kFailed;
  }
  if (moved.blocked) return Step::kBlocked;
  counts_.copied_bytes.fetch_add(static_cast<int64_t>(moved.bytes), std::memory_order_relaxed);
  Advance(stream, moved.bytes);
  *sent += moved.bytes;
  return Step::kSent;
}

Transfer::Step Transfer::SendRegion(const std::shared_ptr<TransferStream>& stream, size_t* sent,
                                    Status* error) {
  const TransferPiece& piece = stream->pieces_.front();
  const FilePosition position = piece.position + static_cast<int64_t>(stream->done_);
  if (stream->done_ >= stream->warm_to_) {
    const size_t to = std::min(piece.size, stream->done_ + kWindowBytes);
    if (!piece.source->IsCached(position, to - stream->done_)) {
      counts_.cold_ranges.fetch_add(1, std::memory_order_relaxed);
      warmers_.Submit(nullptr, std::make_unique<WarmUp>(stream, piece, stream->done_, to));
      return Step::kCold;
    }
    stream->warm_to_ = to;
  }
  auto moved =
      piece.source->SendTo(stream->socket_->descriptor(), position, stream->warm_to_ - stream->done_);
  counts_.calls.fetch_add(1, std::memory_order_relaxed);
  if (!moved.ok()) {
    *error = moved.status();
    return Step::kFailed;
  }
  if (moved->blocked) return Step::kBlocked;
  counts_.file_bytes.fetch_add(static_cast<int64_t>(moved->bytes), std::memory_order_relaxed);
  Advance(*stream, moved->bytes);
  *sent += moved->bytes;
  return Step::kSent;
}

void Transfer::Advance(TransferStream& stream, size_t bytes) {
  stream.sent_bytes_.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  stream.waiting_bytes_.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  stream.done_ += bytes;
  while (!stream.pieces_.empty() && stream.done_ >= stream.pieces_.front().size) {
    stream.done_ -= stream.pieces_.front().size;
    stream.warm_to_ = 0;
    stream.pieces_.pop_front();
  }
}

void Transfer::Watch(TransferStream& stream) {
  epoll_event event{};
  event.events = EPOLLOUT | EPOLLONESHOT;
  event.data.u64 = stream.id_;
  const int how = stream.watched_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (epoll_ctl(poll_, how, stream.socket_->descriptor(), &event) == 0) {
    stream.watched_ = true;
    return;
  }
  const int failed = errno;
  Finish(streams_.at(stream.id_), Status::Error(ErrorCode::kPeerGone, "cannot watch a socket", "", failed));
}

void Transfer::Drop(TransferStream& stream) {
  if (stream.watched_) epoll_ctl(poll_, EPOLL_CTL_DEL, stream.socket_->descriptor(), nullptr);
  stream.watched_ = false;
  stream.pieces_.clear();
  stream.done_ = 0;
  stream.warm_to_ = 0;
  stream.waiting_bytes_.store(0, std::memory_order_relaxed);
  streams_.erase(stream.id_);
}

void Transfer::Finish(const std::shared_ptr<TransferStream>& stream, Status outcome) {
  if (stream->cancelled_.load(std::memory_order_acquire)) return;
  if (outcome.ok()) {
    streams_.erase(stream->id_);  // stays in the poll set, disarmed: it will most likely be back
  } else {
    Drop(*stream);
  }
  bool was_empty;
  {
    std::lock_guard lock(mutex_);
    was_empty = done_.empty();
    done_.push_back({stream->id_, std::move(outcome)});
  }
  if (was_empty) wake_();
}

}  // namespace seglog

#endif
