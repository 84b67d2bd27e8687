#include <fcntl.h>
#include <unistd.h>

#include "fd_reserve.h"

namespace seglog {

void FdReserve::Take() {
  std::lock_guard lock(mutex_);
  while (descriptors_.size() < kDescriptors) {
    const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    descriptors_.push_back(descriptor);
  }
}

bool FdReserve::GiveBack() {
  std::lock_guard lock(mutex_);
  const bool any = !descriptors_.empty();
  for (const int descriptor : descriptors_) close(descriptor);
  descriptors_.clear();
  return any;
}

}  // namespace seglog
