#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include <chrono>

#include "process_info.h"

namespace seglog {

int64_t ProcessId() noexcept { return getpid(); }

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? std::string(name) : std::string("unknown");
}

bool RandomBytes(uint8_t* out, size_t size) noexcept { return getentropy(out, size) == 0; }

int64_t NowMs() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace seglog
