// Every sample is kept, so percentiles are exact and nothing is rounded into buckets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "json_line.h"

namespace load {

class Percentiles {
 public:
  void Add(int64_t ns) { samples_.push_back(ns); }
  size_t count() const { return samples_.size(); }
  /// Adds NAME_p50_us, _p99_us, _p999_us and _max_us. Sorts the samples.
  void Report(const std::string& name, JsonLine& line);

 private:
  std::vector<int64_t> samples_;
};

}  // namespace load
