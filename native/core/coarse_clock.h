// A monotonic clock that costs a few ns to read and is exact to a few ms: for the append path.
#pragma once

#include <cstdint>

namespace seglog {

int64_t CoarseNowMs() noexcept;

}  // namespace seglog
