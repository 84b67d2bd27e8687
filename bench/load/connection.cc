#include "connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "big_endian.h"
#include "fail.h"

namespace load {

namespace {

constexpr size_t kSmallBody = 4 << 10;  // copied, so that many requests fit into one system call
constexpr size_t kFirstBuffer = 256 << 10;
constexpr int kMostPieces = 192;

std::string Reason() { return std::strerror(errno); }

}  // namespace

Connection::Connection(const std::string& bootstrap) : in_(kFirstBuffer) {
  const size_t colon = bootstrap.rfind(':');
  if (colon == std::string::npos) Fail("bootstrap is HOST:PORT, not " + bootstrap);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(bootstrap.c_str() + colon + 1)));
  if (inet_pton(AF_INET, bootstrap.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    Fail("not a numeric host: " + bootstrap);
  }
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) Fail("socket: " + Reason());
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Fail("connect: " + Reason());
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

Connection::~Connection() { close(fd_); }

void Connection::Send(std::vector<uint8_t> head, std::span<const uint8_t> body,
                      std::span<const uint8_t> tail) {
  if (body.size() <= kSmallBody) {
    head.insert(head.end(), body.begin(), body.end());
    head.insert(head.end(), tail.begin(), tail.end());
    queue_.push_back({std::move(head), {}, {}});
  } else {
    queue_.push_back({std::move(head), body, tail});
  }
}

void Connection::Flush() {
  while (!queue_.empty()) {
    iovec pieces[kMostPieces];
    int count = 0;
    size_t skip = left_of_front_;
    for (const Frame& frame : queue_) {
      if (count + 3 > kMostPieces) break;
      for (const std::span<const uint8_t> piece :
           {std::span<const uint8_t>(frame.head), frame.body, frame.tail}) {
        const size_t gone = std::min(skip, piece.size());
        skip -= gone;
        if (gone < piece.size()) {
          pieces[count++] = {const_cast<uint8_t*>(piece.data() + gone), piece.size() - gone};
        }
      }
    }
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = static_cast<size_t>(count);
    const ssize_t sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR) continue;
      Fail("send: " + Reason());
    }
    Left(static_cast<size_t>(sent));
  }
}

void Connection::Left(size_t bytes) {
  left_of_front_ += bytes;
  while (!queue_.empty()) {
    const Frame& front = queue_.front();
    const size_t size = front.head.size() + front.body.size() + front.tail.size();
    if (left_of_front_ < size) return;
    left_of_front_ -= size;
    queue_.pop_front();
  }
}

void Connection::Read(size_t most, const std::function<void(std::span<const uint8_t>)>& answer) {
  const ssize_t got = recv(fd_, in_.data() + in_end_, std::min(most, in_.size() - in_end_), 0);
  if (got == 0) Fail("the broker closed a connection");
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    Fail("recv: " + Reason());
  }
  in_end_ += static_cast<size_t>(got);
  size_t at = 0;
  size_t wanted = 4;
  while (in_end_ - at >= 4) {
    const int32_t size = seglog::LoadBig32(in_.data() + at);
    if (size < 4) Fail("an answer of " + std::to_string(size) + " bytes");
    wanted = 4 + static_cast<size_t>(size);
    if (in_end_ - at < wanted) break;
    answer({in_.data() + at + 4, static_cast<size_t>(size)});
    at += wanted;
    wanted = 4;
  }
  in_end_ -= at;
  if (at > 0 && in_end_ > 0) std::memmove(in_.data(), in_.data() + at, in_end_);
  if (wanted > in_.size()) in_.resize(wanted);
}

}  // namespace load
