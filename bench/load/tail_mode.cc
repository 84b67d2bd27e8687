// Readers at the end of a topic that is being written: producers in a closed loop, consumers= behind them.
// The producers wait while the slowest reader is more than lag-bytes= behind, so that what is read is always
// what was just written. The topic must be empty; rates are those of all readers together.
#include <algorithm>
#include <memory>
#include <vector>

#include "consumer.h"
#include "modes.h"
#include "producers.h"
#include "stopwatch.h"

namespace load {

void RunTail(Options& options) {
  const Target target = FindTarget(options);
  const ConsumerOptions how(options);
  EventLoop loop;
  Producers producers(loop, target, options);
  std::vector<std::unique_ptr<Consumer>> consumers;
  for (int64_t i = options.Number("consumers", 1); i > 0; --i) {
    consumers.push_back(std::make_unique<Consumer>(loop, target, how));
    consumers.back()->on_answer = [&] { producers.Pump(); };
  }
  const int64_t requests = options.Number("bytes", 1'000'000'000) / producers.value_bytes_each();
  const int64_t most_behind = options.Number("lag-bytes", 32 << 20);
  options.MustBeUsed();

  const auto slowest = [&] {
    int64_t least = consumers.front()->records();
    for (const auto& consumer : consumers) least = std::min(least, consumer->records());
    return least;
  };
  producers.may_send = [&] {
    const int64_t behind = producers.sent() * producers.records_each() - slowest();
    return producers.sent() < requests &&
           behind / producers.records_each() * producers.value_bytes_each() < most_behind;
  };

  const Stopwatch watch(target.server_pid);
  for (const auto& consumer : consumers) consumer->Start();
  producers.Pump();
  loop.Run([&] { return slowest() == requests * producers.records_each() && producers.idle(); });

  JsonLine line;
  const auto readers = static_cast<int64_t>(consumers.size());
  watch.Report(requests * producers.records_each() * readers,
               requests * producers.value_bytes_each() * readers, line);
  producers.latencies().Report("ack", line);
  line.Print();
}

}  // namespace load
