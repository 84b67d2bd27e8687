// The three ways from a file to a socket that a broker can choose from, each a loop of system calls that are
// counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace zero_copy {

/// A file that lies in the page cache, and the socket to send it to. Both descriptors block.
struct Path {
  int file = -1;
  size_t size = 0;
  const uint8_t* mapping = nullptr;
  int socket = -1;
};

struct Way {
  std::string name;
  /// Sends bytes [position, position + size) and returns the number of system calls that took.
  int64_t (*send)(const Path& path, size_t position, size_t size);
  /// Copies made by the CPU on the sending side; the network card and the disk make one each without it.
  int copies;
};

/// "read + write", "mapped write" or "sendfile"; ends the program for other names.
const Way& WayNamed(const std::string& name);

}  // namespace zero_copy
