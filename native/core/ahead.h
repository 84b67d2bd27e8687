// The helper that keeps the space in front of active segments reserved and populated, so that the mapped lane
// never waits, and the space behind them out of the resident set. One thread per engine, asleep while nobody
// appends.
//
// Thread rule: any thread. Lock order: a tended object's own locks are taken inside Tend(), never while
// calling the helper. Ownership: the helper holds plain pointers; whoever watches retires before it dies.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "thread.h"

namespace seglog {

class Ahead {
 public:
  static constexpr int64_t kReadyForMs = 500;         // populated pages count as ready this long
  static constexpr int64_t kProcessBytes = 64 << 20;  // windows of all segments together

  /// Something with a window to tend: an active segment.
  class Tended {
   public:
    /// Works on the window, at most `budget` bytes of it, and returns the bytes it keeps ready. Called on the
    /// helper's thread only.
    virtual int64_t Tend(int64_t now_ms, int64_t budget) = 0;
    /// Used within the last kReadyForMs: tended again soon.
    virtual bool Active(int64_t now_ms) const = 0;

   protected:
    ~Tended() = default;
  };

  Ahead() = default;
  ~Ahead();  // stops the thread; everything has been retired

  void Watch(Tended* tended);  // starts the thread on first use
  /// Returns when the helper has let go of it and will not touch it again. Watch may follow.
  void Retire(Tended* tended);
  /// There is work: one atomic exchange, a wake-up only for the first since the helper last looked.
  void Nudge() noexcept;

 private:
  void Run();

  std::mutex mutex_;  // everything below but nudged_
  std::condition_variable wake_;
  std::condition_variable let_go_;
  std::vector<Tended*> watched_;
  Tended* busy_ = nullptr;
  bool stop_ = false;
  std::unique_ptr<Thread> thread_;
  std::atomic<bool> nudged_{false};
};

}  // namespace seglog
