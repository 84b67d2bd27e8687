#include "percentiles.h"

#include <algorithm>

namespace load {

void Percentiles::Report(const std::string& name, JsonLine& line) {
  if (samples_.empty()) return;
  std::sort(samples_.begin(), samples_.end());
  const auto at = [&](double fraction) {
    const auto index = static_cast<size_t>(fraction * static_cast<double>(samples_.size()));
    return static_cast<double>(samples_[std::min(index, samples_.size() - 1)]) / 1000;
  };
  line.Add(name + "_p50_us", at(0.5));
  line.Add(name + "_p99_us", at(0.99));
  line.Add(name + "_p999_us", at(0.999));
  line.Add(name + "_max_us", at(1));
}

}  // namespace load
