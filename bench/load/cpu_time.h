// CPU seconds, user and system, of all threads.
#pragma once

#include <cstdint>

namespace load {

/// Of another process, by /proc/PID/stat (in hundredths); 0 for pid 0.
double CpuSecondsOf(int64_t pid);
double OwnCpuSeconds();

}  // namespace load
