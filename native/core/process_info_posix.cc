#include <unistd.h>

#include <chrono>

#include "process_info.h"

namespace seglog {

int64_t ProcessId() noexcept { return getpid(); }

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? std::string(name) : std::string("unknown");
}

int64_t NowMs() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace seglog
