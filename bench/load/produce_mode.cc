// Produce in a closed loop: options of Target and Producers, and bytes= (of values) or requests=, and
// seconds=, whichever is reached first.
#include <algorithm>
#include <limits>

#include "event_loop.h"
#include "modes.h"
#include "producers.h"
#include "stopwatch.h"

namespace load {

void RunProduce(Options& options) {
  const Target target = FindTarget(options);
  EventLoop loop;
  Producers producers(loop, target, options);
  const int64_t bytes = options.Number("bytes", std::numeric_limits<int64_t>::max());
  const int64_t requests = std::min(options.Number("requests", std::numeric_limits<int64_t>::max()),
                                    bytes / producers.value_bytes_each());
  const auto nanoseconds = static_cast<int64_t>(options.Fraction("seconds", 3600) * 1e9);
  options.MustBeUsed();

  const Stopwatch watch(target.server_pid);
  const int64_t until = watch.began_ns() + nanoseconds;
  producers.may_send = [&] { return producers.sent() < requests && NowNs() < until; };
  producers.Pump();
  loop.Run([&] { return producers.idle() && !producers.may_send(); });

  JsonLine line;
  const int64_t acked = producers.acked();
  watch.Report(acked * producers.records_each(), acked * producers.value_bytes_each(), line);
  line.Add("requests_s", static_cast<double>(acked) / watch.seconds());
  producers.latencies().Report("ack", line);
  line.Print();
}

}  // namespace load
