// Catch-up: each of consumers= readers takes the whole topic from offset 0 to its end. expect= is the number
// of records that each must have counted, record-bytes= what each of them holds.
#include <algorithm>
#include <memory>
#include <vector>

#include "consumer.h"
#include "fail.h"
#include "modes.h"
#include "stopwatch.h"

namespace load {

void RunConsume(Options& options) {
  const Target target = FindTarget(options);
  const ConsumerOptions how(options);
  const int64_t expected = options.Number("expect", -1);
  const int64_t record_bytes = options.Number("record-bytes", 1024);
  EventLoop loop;
  std::vector<std::unique_ptr<Consumer>> consumers;
  for (int64_t i = options.Number("consumers", 1); i > 0; --i) {
    consumers.push_back(std::make_unique<Consumer>(loop, target, how));
    Consumer& consumer = *consumers.back();
    consumer.on_answer = [&consumer] {
      if (consumer.at_the_end()) consumer.Stop();
    };
  }
  options.MustBeUsed();

  const Stopwatch watch(target.server_pid);
  for (const auto& consumer : consumers) consumer->Start();
  loop.Run([&] { return std::ranges::all_of(consumers, [](const auto& one) { return one->at_the_end(); }); });

  int64_t records = 0;
  for (const auto& consumer : consumers) {
    if (expected >= 0 && consumer->records() != expected) {
      Fail(std::to_string(consumer->records()) + " of " + std::to_string(expected) + " records came back");
    }
    records += consumer->records();
  }
  JsonLine line;
  watch.Report(records, records * record_bytes, line);
  line.Print();
}

}  // namespace load
