// What the transfer sends from: published bytes of a file. A segment is one; tests have others.
//
// Thread rule: any thread, at the same time.
#pragma once

#include "io.h"

namespace seglog {

class RegionSource {
 public:
  virtual ~RegionSource() = default;
  /// See File::SendTo. kClosed where the file is closed: the rest is sent from one that is opened again.
  virtual Result<SentBytes> SendTo(int socket, FilePosition position, size_t size) = 0;
  /// Whether sending the range would not wait for the disk, as far as the system tells.
  virtual bool IsCached(FilePosition position, size_t size) = 0;
  /// Brings the range into the page cache; waits for the disk.
  virtual Status Warm(FilePosition position, size_t size) = 0;
};

}  // namespace seglog
