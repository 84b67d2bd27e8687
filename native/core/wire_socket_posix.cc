#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "wire_socket.h"

namespace seglog {

namespace {

#ifdef MSG_MORE
constexpr int kMore = MSG_MORE;
#else
constexpr int kMore = 0;
#endif
#ifdef MSG_NOSIGNAL
constexpr int kNoSignal = MSG_NOSIGNAL;
#else
constexpr int kNoSignal = 0;
#endif

template <typename Call>
SocketMove Move(Call call) {
  for (;;) {
    const ssize_t moved = call();
    if (moved >= 0) return {static_cast<size_t>(moved), false, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {0, true, 0};
    if (errno != EINTR) return {0, false, errno};
  }
}

msghdr Message(std::span<const iovec> parts) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(parts.size());
  return message;
}

}  // namespace

Result<std::shared_ptr<WireSocket>> WireSocket::Duplicate(int descriptor) {
  int type = 0;
  socklen_t size = sizeof type;
  const bool is_stream =
      getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
  const int flags = is_stream ? fcntl(descriptor, F_GETFL) : -1;
  if (flags < 0 || (flags & O_NONBLOCK) == 0) {
    return Status::Error(ErrorCode::kInvalidArgument, "descriptor " + std::to_string(descriptor) +
                                                          " is no stream socket that does not block");
  }
  const int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return Status::FromErrno(errno, "cannot duplicate a socket's descriptor", "");
  return std::shared_ptr<WireSocket>(new WireSocket(own));
}

WireSocket::~WireSocket() { close(descriptor_); }

SocketMove WireSocket::Receive(std::span<const iovec> targets) {
  msghdr message = Message(targets);
  return Move([&] { return recvmsg(descriptor_, &message, 0); });
}

SocketMove WireSocket::Send(std::span<const iovec> parts, bool more) {
  const msghdr message = Message(parts);
  return Move([&] { return sendmsg(descriptor_, &message, kNoSignal | (more ? kMore : 0)); });
}

void WireSocket::EndSending() { shutdown(descriptor_, SHUT_WR); }

void WireSocket::Shutdown() { shutdown(descriptor_, SHUT_RDWR); }

}  // namespace seglog
