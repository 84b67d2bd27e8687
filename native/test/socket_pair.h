// Connected TCP sockets on loopback, for what needs the real thing: half-closed ends, full buffers, lost
// peers.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "../core/wire_socket.h"

namespace seglog::test {

/// `far` is the client's blocking end, `near` ours.
class SocketPair {
 public:
  /// A small `buffer` makes both ends full early.
  explicit SocketPair(int buffer = 0) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    far_ = socket(AF_INET, SOCK_STREAM, 0);
    if (buffer > 0) {
      setsockopt(far_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
      setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    }
    EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    EXPECT_EQ(connect(far_, reinterpret_cast<sockaddr*>(&address), size), 0);
    near_ = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    EXPECT_GE(near_, 0);
    close(listener);
  }
  ~SocketPair() {
    CloseNear();
    CloseFar();
  }

  int near() const { return near_; }
  int far() const { return far_; }
  void CloseNear() { CloseOne(&near_); }
  void CloseFar() { CloseOne(&far_); }

  /// Ends the far side with an error for ours instead of an end.
  void ResetFar() {
    const linger none{1, 0};
    setsockopt(far_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    CloseFar();
  }

  void FarSends(const std::string& bytes) {
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t sent = send(far_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      ASSERT_GT(sent, 0);
      done += static_cast<size_t>(sent);
    }
  }

  /// Reads `count` bytes on the far side, or what comes before the end.
  std::string FarReads(size_t count) {
    std::string bytes(count, '\0');
    size_t done = 0;
    while (done < count) {
      const ssize_t got = recv(far_, bytes.data() + done, count - done, 0);
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

 private:
  static void CloseOne(int* descriptor) {
    if (*descriptor >= 0) close(std::exchange(*descriptor, -1));
  }

  int near_ = -1;
  int far_ = -1;
};

}  // namespace seglog::test
