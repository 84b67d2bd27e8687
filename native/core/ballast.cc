#include "ballast.h"

namespace seglog {

bool Ballast::Take() {
  if (held()) return true;
  std::lock_guard lock(mutex_);
  if (held()) return true;
  auto file = io_.Open(path_, OpenMode::kCreate);
  if (!file.ok()) return false;
  if (!(*file)->Reserve(0, kBytes).ok()) {
    (void)io_.Remove(path_);
    return false;
  }
  held_.store(true, std::memory_order_release);
  return true;
}

bool Ballast::GiveBack() {
  std::lock_guard lock(mutex_);
  if (!held()) return false;
  held_.store(false, std::memory_order_release);
  return io_.Remove(path_).ok();
}

}  // namespace seglog
