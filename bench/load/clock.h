// Nanoseconds of the monotonic clock, the same in every thread and process of this machine.
#pragma once

#include <time.h>

#include <cstdint>

namespace load {

inline int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline double SecondsSince(int64_t began_ns) { return static_cast<double>(NowNs() - began_ns) / 1e9; }

}  // namespace load
