#include <ctime>

#include "coarse_clock.h"

namespace seglog {

namespace {
#ifdef CLOCK_MONOTONIC_COARSE
constexpr clockid_t kClock = CLOCK_MONOTONIC_COARSE;
#else
constexpr clockid_t kClock = CLOCK_MONOTONIC;
#endif
}  // namespace

int64_t CoarseNowMs() noexcept {
  timespec now{};
  clock_gettime(kClock, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace seglog
