// One TCP connection of the load: requests leave in order, several in one system call; answers arrive whole.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace load {

class Connection {
 public:
  /// Connects before it returns. `bootstrap` is HOST:PORT with a numeric host.
  explicit Connection(const std::string& bootstrap);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  bool wants_write() const { return !queue_.empty(); }

  /// Queues `head`, then `body` and `tail`, which must stay valid until they have left. Leaves with the next
  /// Flush.
  void Send(std::vector<uint8_t> head, std::span<const uint8_t> body = {},
            std::span<const uint8_t> tail = {});
  /// Writes until the socket is full.
  void Flush();
  /// Reads at most `most` bytes and hands over each whole answer, without its length. What the answer refers
  /// to is gone when the call returns.
  void Read(size_t most, const std::function<void(std::span<const uint8_t>)>& answer);

 private:
  struct Frame {
    std::vector<uint8_t> head;
    std::span<const uint8_t> body;
    std::span<const uint8_t> tail;
  };

  void Left(size_t bytes);

  int fd_ = -1;
  std::deque<Frame> queue_;
  size_t left_of_front_ = 0;  // bytes of the first frame that are gone
  std::vector<uint8_t> in_;
  size_t in_end_ = 0;
};

}  // namespace load
