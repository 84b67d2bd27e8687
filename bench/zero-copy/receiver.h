// The other end of the connection: a thread that takes everything out of the socket and computes its CRC.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <thread>

namespace zero_copy {

class Receiver {
 public:
  /// Takes `bytes` bytes from the socket, on that CPU.
  Receiver(int socket, int64_t bytes, int cpu);

  /// Waits until all have come.
  void Join() { thread_.join(); }
  uint32_t crc() const { return crc_; }
  double cpu_seconds() const { return cpu_seconds_; }

 private:
  void Run(int socket, int64_t bytes, int cpu);

  uint32_t crc_ = 0;
  double cpu_seconds_ = 0;
  std::thread thread_;
};

void StayOn(int cpu);
double Seconds(const rusage& usage);
rusage ThreadUsage();

}  // namespace zero_copy
