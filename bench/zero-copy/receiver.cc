#include "receiver.h"

#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include "crc32c.h"
#include "fail.h"

namespace zero_copy {

namespace {

constexpr size_t kBuffer = 256 << 10;

}  // namespace

Receiver::Receiver(int socket, int64_t bytes, int cpu) : thread_([=, this] { Run(socket, bytes, cpu); }) {}

void Receiver::Run(int socket, int64_t bytes, int cpu) {
  StayOn(cpu);
  std::vector<uint8_t> buffer(kBuffer);
  while (bytes > 0) {
    const ssize_t got = recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) load::Fail("recv");
    crc_ = seglog::Crc32c(buffer.data(), static_cast<size_t>(got), crc_);
    bytes -= got;
  }
  cpu_seconds_ = Seconds(ThreadUsage());
}

void StayOn(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

rusage ThreadUsage() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage;
}

double Seconds(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace zero_copy
