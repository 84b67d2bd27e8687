// A lock of which one thread may hold very many at once (one per segment of a flush round); as a mutex it is
// used with std::lock_guard and std::unique_lock. Unlocked by whoever locked it.
#pragma once

#include <condition_variable>
#include <mutex>

namespace seglog {

class Gate {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return !held_; });
    held_ = true;
  }
  bool try_lock() {
    std::lock_guard lock(mutex_);
    if (held_) return false;
    held_ = true;
    return true;
  }
  void unlock() {
    {
      std::lock_guard lock(mutex_);
      held_ = false;
    }
    opened_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool held_ = false;  // guarded by mutex_
};

}  // namespace seglog
