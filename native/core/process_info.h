// Who this process is, as the text of `.lock` tells others, and what else the system knows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace seglog {

int64_t ProcessId() noexcept;
std::string HostName();
int64_t NowMs() noexcept;  // wall clock, milliseconds since the epoch
/// Bytes that nobody can guess, at most 256. False if the system has none.
bool RandomBytes(uint8_t* out, size_t size) noexcept;

}  // namespace seglog
