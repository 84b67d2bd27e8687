// Descriptors held back for the moment the process has no more: checkpoints and a clean close still get
// theirs.
//
// Thread rule: any thread; a mutex inside.
#pragma once

#include <mutex>
#include <vector>

namespace seglog {

class FdReserve {
 public:
  static constexpr int kDescriptors = 32;

  ~FdReserve() { GiveBack(); }
  /// Opens as many of the reserve as are missing and the limit allows.
  void Take();
  /// Closes them all; true if there were any.
  bool GiveBack();

 private:
  std::mutex mutex_;
  std::vector<int> descriptors_;
};

}  // namespace seglog
