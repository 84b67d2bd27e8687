#include "ahead.h"

#include <algorithm>
#include <chrono>

#include "coarse_clock.h"

namespace seglog {

namespace {
// Well under kReadyForMs: a window is refreshed before it stops being ready.
constexpr auto kTick = std::chrono::milliseconds(100);
}  // namespace

Ahead::~Ahead() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_) thread_->Join();
}

void Ahead::Watch(Tended* tended) {
  std::lock_guard lock(mutex_);
  watched_.push_back(tended);
  // Without a helper thread nothing is ever ready: the storage lane serves, and the next segment tries again.
  if (!thread_) thread_ = Thread::Start("seglog-ahead", [this] { Run(); });
}

void Ahead::Retire(Tended* tended) {
  std::unique_lock lock(mutex_);
  std::erase(watched_, tended);
  while (busy_ == tended) let_go_.wait(lock);
}

void Ahead::Nudge() noexcept {
  if (nudged_.load(std::memory_order_relaxed) || nudged_.exchange(true)) return;
  { std::lock_guard lock(mutex_); }  // the helper is either before its check of nudged_, or waiting
  wake_.notify_one();
}

void Ahead::Run() {
  std::unique_lock lock(mutex_);
  std::vector<Tended*> round;
  while (!stop_) {
    nudged_.store(false);
    const int64_t now = CoarseNowMs();
    round.clear();
    for (Tended* tended : watched_) {
      if (tended->Active(now)) round.push_back(tended);
    }
    int64_t budget = kProcessBytes;
    for (Tended* tended : round) {
      if (stop_) return;
      if (std::find(watched_.begin(), watched_.end(), tended) == watched_.end()) continue;
      busy_ = tended;
      lock.unlock();
      budget -= tended->Tend(now, budget);
      lock.lock();
      busy_ = nullptr;
      let_go_.notify_all();
    }
    // By the system clock: the steady one needs a call that thread sanitizers of this generation do not know.
    const auto tick = std::chrono::system_clock::now() + kTick;
    while (!stop_ && !nudged_.load()) {
      if (round.empty()) {
        wake_.wait(lock);
      } else if (wake_.wait_until(lock, tick) == std::cv_status::timeout) {
        break;
      }
    }
  }
}

}  // namespace seglog
