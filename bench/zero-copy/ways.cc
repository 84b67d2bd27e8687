#include "ways.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "fail.h"

namespace zero_copy {

namespace {

int64_t SendAll(int socket, const uint8_t* from, size_t size) {
  int64_t calls = 0;
  while (size > 0) {
    const ssize_t sent = send(socket, from, size, MSG_NOSIGNAL);
    ++calls;
    if (sent <= 0) load::Fail("send");
    from += sent;
    size -= static_cast<size_t>(sent);
  }
  return calls;
}

int64_t ReadAndWrite(const Path& path, size_t position, size_t size) {
  static std::vector<uint8_t> buffer;
  if (buffer.size() < size) buffer.resize(size);
  const ssize_t got = pread(path.file, buffer.data(), size, static_cast<off_t>(position));
  if (got != static_cast<ssize_t>(size)) load::Fail("pread");
  return 1 + SendAll(path.socket, buffer.data(), size);
}

int64_t MappedWrite(const Path& path, size_t position, size_t size) {
  return SendAll(path.socket, path.mapping + position, size);
}

int64_t SendFile(const Path& path, size_t position, size_t size) {
  auto at = static_cast<off_t>(position);
  const off_t end = at + static_cast<off_t>(size);
  int64_t calls = 0;
  while (at < end) {
    const ssize_t sent = sendfile(path.socket, path.file, &at, static_cast<size_t>(end - at));
    ++calls;
    if (sent <= 0) load::Fail("sendfile");
  }
  return calls;
}

const Way kWays[] = {
    {"read + write", ReadAndWrite, 2}, {"mapped write", MappedWrite, 1}, {"sendfile", SendFile, 0}};

}  // namespace

const Way& WayNamed(const std::string& name) {
  for (const Way& way : kWays) {
    if (way.name == name) return way;
  }
  load::Fail("no way is named " + name);
}

}  // namespace zero_copy
