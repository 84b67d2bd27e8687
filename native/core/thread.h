// A thread that may fail to start. std::thread reports that by an exception, and the core has none.
//
// Signals are blocked in it, so that the host program's handlers never run on our threads.
#pragma once

#include <functional>
#include <memory>

namespace seglog {

/// Joinable; Join must be called before destruction.
class Thread {
 public:
  /// Null when the system refuses another thread. `name` has at most 15 characters.
  static std::unique_ptr<Thread> Start(const char* name, std::function<void()> body);
  virtual ~Thread() = default;
  virtual void Join() = 0;
};

}  // namespace seglog
