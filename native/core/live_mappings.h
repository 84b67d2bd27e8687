// Counts mappings alive: every Mapping that really maps memory holds one of these. Any thread.
#pragma once

namespace seglog {

class LiveMapping {
 public:
  LiveMapping() noexcept;
  ~LiveMapping();
  LiveMapping(const LiveMapping&) = delete;
  LiveMapping& operator=(const LiveMapping&) = delete;
};

}  // namespace seglog
