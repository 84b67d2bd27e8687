// A descriptor that becomes readable when another thread has something for the one that polls it (eventfd).
//
// Thread rule: Set on any thread, Clear on the one that polls.
#pragma once

namespace seglog {

class WakeEvent {
 public:
  WakeEvent();
  ~WakeEvent();
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;

  /// -1: the system had none to give.
  int descriptor() const { return descriptor_; }
  void Set();
  void Clear();

 private:
  const int descriptor_;
};

}  // namespace seglog
