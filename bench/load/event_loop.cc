#include "event_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "clock.h"
#include "fail.h"

namespace load {

namespace {

constexpr int kMostEvents = 256;
constexpr int kSilentMs = 60'000;

}  // namespace

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) Fail("epoll_create1");
}

EventLoop::~EventLoop() { close(epoll_); }

void EventLoop::Add(Connection& connection, Answer answer, size_t read_bytes) {
  watched_.push_back(std::make_unique<Watched>(Watched{&connection, std::move(answer), read_bytes}));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = watched_.back().get();
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd(), &event) != 0) Fail("epoll_ctl");
}

void EventLoop::Run(const std::function<bool()>& done, bool spin) {
  FlushAll();
  int64_t heard = NowNs();
  while (!done()) {
    FlushAll();
    epoll_event events[kMostEvents];
    const int count = epoll_wait(epoll_, events, kMostEvents, spin ? 0 : 100);
    if (count < 0 && errno != EINTR) Fail("epoll_wait");
    if (count > 0) heard = NowNs();
    if (count == 0 && NowNs() - heard > int64_t{kSilentMs} * 1'000'000) Fail("no answer within a minute");
    for (int i = 0; i < count; ++i) {
      auto& watched = *static_cast<Watched*>(events[i].data.ptr);
      if (events[i].events & ~EPOLLOUT) watched.connection->Read(watched.read_bytes, watched.answer);
    }
  }
}

void EventLoop::FlushAll() {
  for (const auto& watched : watched_) {
    if (!watched->connection->wants_write()) {
      if (!watched->watching_writes) continue;
    } else {
      watched->connection->Flush();
    }
    const bool full = watched->connection->wants_write();
    if (full == watched->watching_writes) continue;
    watched->watching_writes = full;
    epoll_event event{};
    event.events = full ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = watched.get();
    epoll_ctl(epoll_, EPOLL_CTL_MOD, watched->connection->fd(), &event);
  }
}

}  // namespace load
