// A file of reserved space in the data directory. When the disk is full it is given back, so that checkpoints
// and a clean close can still be written, and taken again as soon as there is room.
//
// Thread rule: any thread; a mutex inside. The fast question (`held`) is one atomic load.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "io.h"

namespace seglog {

class Ballast {
 public:
  static constexpr int64_t kBytes = 4 << 20;

  Ballast(Io& io, std::string path) : io_(io), path_(std::move(path)) {}
  /// Takes the space if it is not held. A full disk is not an error: false, and nothing is left behind.
  bool Take();
  /// Gives the space back; true if there was any.
  bool GiveBack();
  bool held() const { return held_.load(std::memory_order_acquire); }

 private:
  Io& io_;
  const std::string path_;
  std::mutex mutex_;
  std::atomic<bool> held_{false};
};

}  // namespace seglog
