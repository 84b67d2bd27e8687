// Who this process is, as the text of `.lock` tells others.
#pragma once

#include <cstdint>
#include <string>

namespace seglog {

int64_t ProcessId() noexcept;
std::string HostName();
int64_t NowMs() noexcept;  // wall clock, milliseconds since the epoch

}  // namespace seglog
