// What passes between two moments: time, the server's CPU and the load's own.
#pragma once

#include <cstdint>

#include "clock.h"
#include "cpu_time.h"
#include "json_line.h"

namespace load {

class Stopwatch {
 public:
  explicit Stopwatch(int64_t server_pid)
      : pid_(server_pid), server_cpu_(CpuSecondsOf(pid_)), own_cpu_(OwnCpuSeconds()), began_ns_(NowNs()) {}

  int64_t began_ns() const { return began_ns_; }
  double seconds() const { return SecondsSince(began_ns_); }

  /// Adds seconds, server_cpu_s, load_cpu_s, and of `records` records of `bytes` bytes in all: records,
  /// bytes, mb_s, records_s, server_cpu_s_gb.
  void Report(int64_t records, int64_t bytes, JsonLine& line) const {
    const double took = seconds();
    const double server_cpu = CpuSecondsOf(pid_) - server_cpu_;
    line.Add("seconds", took);
    line.Add("server_cpu_s", server_cpu);
    line.Add("load_cpu_s", OwnCpuSeconds() - own_cpu_);
    line.Add("records", static_cast<double>(records));
    line.Add("bytes", static_cast<double>(bytes));
    line.Add("records_s", static_cast<double>(records) / took);
    line.Add("mb_s", static_cast<double>(bytes) / 1e6 / took);
    if (bytes > 0) line.Add("server_cpu_s_gb", server_cpu / (static_cast<double>(bytes) / 1e9));
  }

 private:
  const int64_t pid_;
  const double server_cpu_;
  const double own_cpu_;
  const int64_t began_ns_;
};

}  // namespace load
