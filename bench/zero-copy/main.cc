// Sends a file that lies in the page cache through a loopback connection, over and over, in one of three
// ways, and prints what that took as one line of JSON. FILE bytes= chunk-bytes= way= send-cpu= receive-cpu=.
// What arrives is checked against what the file holds.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "clock.h"
#include "crc32c.h"
#include "fail.h"
#include "json_line.h"
#include "options.h"
#include "receiver.h"
#include "ways.h"

namespace zero_copy {

namespace {

struct Sockets {
  int sending = -1;
  int receiving = -1;
};

Sockets Connect() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, size) != 0 || listen(listener, 1) != 0) load::Fail("cannot listen");
  getsockname(listener, generic, &size);
  Sockets sockets;
  sockets.receiving = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(sockets.receiving, generic, size) != 0) load::Fail("cannot connect");
  sockets.sending = accept(listener, nullptr, nullptr);
  close(listener);
  const int on = 1;
  setsockopt(sockets.sending, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return sockets;
}

/// Opens and maps the file, all of it in the page cache and in the page tables.
Path OpenHot(const std::string& file) {
  Path path;
  path.file = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (path.file < 0 || fstat(path.file, &status) != 0 || status.st_size == 0)
    load::Fail("cannot open " + file);
  path.size = static_cast<size_t>(status.st_size);
  void* const mapping = mmap(nullptr, path.size, PROT_READ, MAP_SHARED | MAP_POPULATE, path.file, 0);
  if (mapping == MAP_FAILED) load::Fail("cannot map " + file);
  path.mapping = static_cast<const uint8_t*>(mapping);
  return path;
}

void Run(load::Options& options) {
  Path path = OpenHot(options.mode());
  const auto chunk = static_cast<size_t>(options.Number("chunk-bytes", 1 << 20));
  const int64_t passes =
      std::max<int64_t>(1, options.Number("bytes", 2'000'000'000) / static_cast<int64_t>(path.size));
  const Way& way = WayNamed(options.Text("way", "sendfile"));
  const auto send_cpu = static_cast<int>(options.Number("send-cpu", 1));
  const auto receive_cpu = static_cast<int>(options.Number("receive-cpu", 0));
  options.MustBeUsed();

  uint32_t expected = 0;
  for (int64_t i = 0; i < passes; ++i) expected = seglog::Crc32c(path.mapping, path.size, expected);
  StayOn(send_cpu);
  const Sockets sockets = Connect();
  path.socket = sockets.sending;
  const int64_t bytes = passes * static_cast<int64_t>(path.size);
  Receiver receiver(sockets.receiving, bytes, receive_cpu);

  const rusage before = ThreadUsage();
  const int64_t began = load::NowNs();
  int64_t calls = 0;
  for (int64_t pass = 0; pass < passes; ++pass) {
    for (size_t at = 0; at < path.size; at += chunk) {
      calls += way.send(path, at, std::min(chunk, path.size - at));
    }
  }
  const rusage after = ThreadUsage();
  receiver.Join();
  const double seconds = load::SecondsSince(began);
  if (receiver.crc() != expected) load::Fail("other bytes arrived than were sent");

  const double gigabytes = static_cast<double>(bytes) / 1e9;
  load::JsonLine line;
  line.Add("mb_s", gigabytes * 1000 / seconds);
  line.Add("copies", way.copies);
  line.Add("calls_gb", static_cast<double>(calls) / gigabytes);
  line.Add("calls_chunk",
           static_cast<double>(calls) * static_cast<double>(chunk) / static_cast<double>(bytes));
  line.Add("cpu_s_gb", (Seconds(after) - Seconds(before)) / gigabytes);
  line.Add("receiver_cpu_s_gb", receiver.cpu_seconds() / gigabytes);
  line.Add("waits_gb", static_cast<double>(after.ru_nvcsw - before.ru_nvcsw) / gigabytes);
  line.Add("preempted_gb", static_cast<double>(after.ru_nivcsw - before.ru_nivcsw) / gigabytes);
  line.Print();
}

}  // namespace

}  // namespace zero_copy

int main(int argc, char** argv) {
  load::Options options(argc, argv);
  zero_copy::Run(options);
}
