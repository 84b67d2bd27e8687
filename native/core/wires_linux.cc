// Over epoll; compiled to nothing elsewhere, where sockets stay with Node.
#if defined(__linux__)

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "wires.h"

namespace seglog {

namespace {

constexpr size_t kScratchBytes = 512 << 10;
// What one receive may need of it: what comes beside a small frame under way, and that frame itself.
constexpr size_t kReceiveBytes = 64 << 10;
constexpr size_t kRoomBytes = kReceiveBytes + FrameCutter::kBlockFrom + Wires::kHeadBytes;
// One wire's share of a pass, and all of a pass: the loop has other things to do as well, and so much may
// come before it is told that memory for requests is short.
constexpr size_t kWireBytes = 1 << 20;
constexpr size_t kPassBytes = 4 << 20;
constexpr size_t kMostBlocks = 64;
constexpr uint64_t kSentMark = 0;  // wires' ids begin at 1

}  // namespace

Wires::Wires(BlockPool& pool)
    : pool_(pool),
      wires_(1),
      scratch_(std::make_unique_for_overwrite<uint8_t[]>(kScratchBytes)),
      transfer_(std::make_unique<Transfer>([this] { sent_event_.Set(); })) {}

Result<std::unique_ptr<Wires>> Wires::Open(BlockPool& pool) {
  std::unique_ptr<Wires> wires(new Wires(pool));
  wires->poll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kSentMark;
  if (wires->poll_ < 0 ||
      epoll_ctl(wires->poll_, EPOLL_CTL_ADD, wires->sent_event_.descriptor(), &event) != 0) {
    return Status::FromErrno(errno, "cannot make a poll set for connections", "");
  }
  return wires;
}

Wires::~Wires() {
  for (uint32_t number = 1; number < wires_.size(); ++number) {
    if (wires_[number]) Close(number);
  }
  transfer_.reset();
  if (poll_ >= 0) close(poll_);
}

Result<uint32_t> Wires::Adopt(int descriptor, int32_t most_frame_bytes) {
  auto socket = WireSocket::Duplicate(descriptor);
  if (!socket.ok()) return socket.status();
  auto wire = std::make_unique<Wire>(most_frame_bytes, pool_);
  wire->socket = std::move(*socket);
  const uint32_t number = free_.empty() ? static_cast<uint32_t>(wires_.size()) : free_.back();
  wire->id = ++adopted_ << 32 | number;
  wire->stream = transfer_->Open(wire->id, wire->socket);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wire->id;
  if (epoll_ctl(poll_, EPOLL_CTL_ADD, wire->socket->descriptor(), &event) != 0) {
    return Status::FromErrno(errno, "cannot watch a connection", "");
  }
  if (free_.empty()) {
    wires_.push_back(nullptr);
  } else {
    free_.pop_back();
  }
  wires_[number] = std::move(wire);
  return number;
}

uint32_t Wires::Find(uint64_t id) const {
  const auto number = static_cast<uint32_t>(id);
  return Has(number) && wires_[number]->id == id ? number : 0;
}

bool Wires::Poll(Delivery* delivery) {
  delivery->events.clear();
  delivery->frames.clear();
  delivery->blocks.clear();
  scratch_used_ = 0;
  epoll_event events[256];
  const int count = epoll_wait(poll_, events, std::size(events), 0);
  size_t budget = kPassBytes;
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kSentMark) {
      sent_event_.Clear();
      TellSent(delivery);
      continue;
    }
    const uint32_t number = Find(events[i].data.u64);
    if (number == 0) continue;
    Wire& wire = *wires_[number];
    if (wire.reading && !wire.ended) {
      // What is left for lack of room is still readable when the loop asks again.
      if (!Receive(number, &budget, delivery)) break;
    } else if ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0 && !wire.lost) {
      wire.lost = true;
      Watch(wire);
      delivery->events.push_back({.wire = number, .flags = WireEvent::kLost, .detail = ECONNRESET});
    }
  }
  delivery->chunk = {scratch_.get(), scratch_used_};
  return !delivery->events.empty();
}

/// False where there is no room for what comes on other wires.
bool Wires::Receive(uint32_t number, size_t* budget, Delivery* delivery) {
  Wire& wire = *wires_[number];
  WireEvent event{.wire = number, .first_frame = delivery->frames.size()};
  bool has_room = true;
  while (event.flags == 0 && event.received < kWireBytes) {
    has_room = kScratchBytes - scratch_used_ >= kRoomBytes && *budget > 0 &&
               delivery->frames.size() < kMostFrames && delivery->blocks.size() < kMostBlocks &&
               delivery->events.size() < kMostEvents;
    if (!has_room) break;
    uint8_t* const spill = scratch_.get() + scratch_used_;
    const FrameCutter::Targets targets = wire.cutter.Next({spill, kReceiveBytes});
    iovec slices[2];
    size_t used = 0;
    size_t asked = 0;
    for (const MutableByteSpan target : targets) {
      if (target.empty()) continue;
      slices[used++] = {target.data(), target.size()};
      asked += target.size();
    }
    const SocketMove moved = wire.socket->Receive({slices, used});
    ++counts_.receive_calls;
    if (moved.blocked) break;
    if (moved.error != 0) {
      event.flags |= WireEvent::kLost;
      event.detail = moved.error;
      wire.lost = wire.ended = true;
      break;
    }
    if (moved.bytes == 0) {
      event.flags |= WireEvent::kEnd;
      wire.ended = true;
      break;
    }
    event.received += moved.bytes;
    *budget -= std::min(*budget, moved.bytes);
    if (wire.broken) continue;
    // Frames that were under way are put behind what came beside them.
    scratch_used_ += moved.bytes - std::min(moved.bytes, targets[0].size());
    const CutOutcome cut =
        wire.cutter.Took(targets, moved.bytes, [&](Frame frame) { Take(std::move(frame), delivery); });
    if (cut == CutOutcome::kBadLength) {
      event.flags |= WireEvent::kBadLength;
      event.detail = wire.cutter.bad_length();
      wire.broken = true;
    } else if (cut == CutOutcome::kNoMemory) {
      event.flags |= WireEvent::kLost;
      event.detail = ENOMEM;
      wire.lost = wire.ended = true;
    }
    if (moved.bytes < asked) break;
  }
  counts_.received_bytes += static_cast<int64_t>(event.received);
  if (event.received == 0 && event.flags == 0) return has_room;
  event.frames = delivery->frames.size() - event.first_frame;
  wire.had_frame = wire.had_frame || event.frames > 0;
  const bool tells_head = !wire.broken || (event.flags & WireEvent::kBadLength) != 0;
  if (!wire.had_frame && tells_head) AddHead(wire, &event);
  if (wire.ended) Watch(wire);
  delivery->events.push_back(event);
  return has_room;
}

void Wires::Take(Frame frame, Delivery* delivery) {
  DeliveredFrame delivered{-1, 0, frame.bytes.size()};
  const uint8_t* const data = frame.bytes.data();
  if (frame.block) {
    delivered.block = static_cast<int32_t>(delivery->blocks.size());
    delivery->blocks.push_back(std::move(frame.block));
  } else if (data >= scratch_.get() && data < scratch_.get() + kScratchBytes) {
    delivered.start = static_cast<size_t>(data - scratch_.get());
  } else {
    delivered.start = scratch_used_;
    if (!frame.bytes.empty()) std::memcpy(scratch_.get() + scratch_used_, data, frame.bytes.size());
    scratch_used_ += frame.bytes.size();
  }
  delivery->frames.push_back(delivered);
}

void Wires::AddHead(const Wire& wire, WireEvent* event) {
  event->head_size = wire.cutter.Head({scratch_.get() + scratch_used_, kHeadBytes});
  if (event->head_size == 0) return;
  event->flags |= WireEvent::kHead;
  event->head_start = scratch_used_;
  scratch_used_ += event->head_size;
}

void Wires::TellSent(Delivery* delivery) {
  std::vector<TransferDone> done = transfer_->TakeDone();
  for (TransferDone& own : std::exchange(own_done_, {})) done.push_back(std::move(own));
  for (const TransferDone& one : done) {
    const uint32_t number = Find(one.stream);
    if (number == 0) continue;
    wires_[number]->sending = false;
    SentOutcome outcome = SentOutcome::kFailed;
    if (one.outcome.ok()) outcome = SentOutcome::kAll;
    if (one.outcome.code() == ErrorCode::kClosed) outcome = SentOutcome::kClosed;
    if (one.outcome.code() == ErrorCode::kPeerGone) outcome = SentOutcome::kLost;
    delivery->events.push_back(
        {.wire = number, .flags = WireEvent::kSent, .detail = static_cast<int32_t>(outcome)});
  }
}

void Wires::SetReading(uint32_t number, bool reading) {
  Wire& wire = *wires_[number];
  if (wire.reading == reading) return;
  wire.reading = reading;
  if (!wire.ended) Watch(wire);
}

/// In the poll set as it now is: an error is told of even where nothing is received, but once.
void Wires::Watch(Wire& wire) {
  epoll_event event{};
  event.events = wire.reading && !wire.ended ? EPOLLIN : 0u;
  event.data.u64 = wire.id;
  const int descriptor = wire.socket->descriptor();
  // A half-closed connection would be told of for ever once the other half is closed too.
  const bool watched = !wire.lost && !wire.ended;
  if (watched != wire.watched) {
    epoll_ctl(poll_, watched ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, descriptor, &event);
    wire.watched = watched;
  } else if (watched) {
    epoll_ctl(poll_, EPOLL_CTL_MOD, descriptor, &event);
  }
}

bool Wires::Send(uint32_t number, std::vector<TransferPiece> pieces, std::span<const iovec> bytes,
                 bool force) {
  Wire& wire = *wires_[number];
  // `pieces` describes all of it; `bytes` is the same where it is bytes only.
  const bool is_direct = !force && !bytes.empty();
  size_t sent = 0;
  if (is_direct) {
    const SocketMove moved = wire.socket->Send(bytes, false);
    ++counts_.send_calls;
    counts_.sent_bytes += static_cast<int64_t>(moved.bytes);
    wire.stream->CountSent(moved.bytes);
    sent = moved.bytes;
  }
  size_t total = 0;
  for (const iovec& part : bytes) total += part.iov_len;
  if (pieces.empty() && sent == total) return true;
  if (pieces.empty()) {
    for (const iovec& part : bytes) {
      const size_t skip = std::min(sent, part.iov_len);
      sent -= skip;
      if (skip == part.iov_len) continue;
      const auto* from = static_cast<const uint8_t*>(part.iov_base) + skip;
      TransferPiece piece;
      piece.size = part.iov_len - skip;
      piece.bytes.assign(from, from + piece.size);
      pieces.push_back(std::move(piece));
    }
  }
  wire.sending = true;
  // An error of the socket is met again there.
  if (Status refused = transfer_->Send(wire.stream, std::move(pieces)); !refused.ok()) {
    own_done_.push_back({wire.id, std::move(refused)});
    sent_event_.Set();
  }
  return false;
}

void Wires::EndSending(uint32_t number) { wires_[number]->socket->EndSending(); }

void Wires::Close(uint32_t number) {
  const std::unique_ptr<Wire> wire = std::move(wires_[number]);
  if (wire->watched) epoll_ctl(poll_, EPOLL_CTL_DEL, wire->socket->descriptor(), nullptr);
  transfer_->Cancel(wire->stream);
  free_.push_back(number);
}

}  // namespace seglog

#endif
