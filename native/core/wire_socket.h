// A connected stream socket that several threads use at the same time: one receives, another sends. It is
// closed when the last of them lets go, so that its number cannot come to mean another connection while one
// of them still holds it; Shutdown ends what the others do with it.
//
// Its flags are shared with whoever had the descriptor before and are never changed here.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <span>

#include "status.h"

namespace seglog {

/// What one call on a socket came to.
struct SocketMove {
  size_t bytes = 0;
  bool blocked = false;  // nothing moves for now
  int error = 0;         // errno: the connection is lost
};

class WireSocket {
 public:
  /// Of a descriptor that stays the caller's: this one has a number of its own. kInvalidArgument unless it is
  /// a stream socket that does not block.
  static Result<std::shared_ptr<WireSocket>> Duplicate(int descriptor);
  ~WireSocket();
  WireSocket(const WireSocket&) = delete;
  WireSocket& operator=(const WireSocket&) = delete;

  int descriptor() const { return descriptor_; }
  /// No bytes, not blocked and no error: the other end has ended.
  SocketMove Receive(std::span<const iovec> targets);
  /// `more` follows at once: the system may wait with a packet that is not full.
  SocketMove Send(std::span<const iovec> parts, bool more);
  /// Nothing more is sent; what was is delivered first.
  void EndSending();
  /// Nothing moves any more, in either direction.
  void Shutdown();

 private:
  explicit WireSocket(int descriptor) : descriptor_(descriptor) {}

  const int descriptor_;
};

}  // namespace seglog
