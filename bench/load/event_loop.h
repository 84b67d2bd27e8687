// The one thread of a load: epoll over its connections. Requests that are queued during a turn leave together
// at its end.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "connection.h"

namespace load {

class EventLoop {
 public:
  using Answer = std::function<void(std::span<const uint8_t>)>;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Watches `connection` and hands its answers over. At most `read_bytes` of it are read in one turn.
  void Add(Connection& connection, Answer answer, size_t read_bytes = 1 << 20);

  /// Turns until `done()`, which is asked once a turn. With `spin` the thread never sleeps.
  void Run(const std::function<bool()>& done, bool spin = false);

 private:
  struct Watched {
    Connection* connection;
    Answer answer;
    size_t read_bytes;
    bool watching_writes = false;
  };

  void FlushAll();

  int epoll_ = -1;
  std::vector<std::unique_ptr<Watched>> watched_;
};

}  // namespace load
