// Time until what was created can be used. partitions=: one topic with so many, and one record acknowledged
// in each. topics=: so many topics of one partition, in one request.
#include <limits>
#include <vector>

#include "admin.h"
#include "event_loop.h"
#include "fail.h"
#include "modes.h"
#include "producers.h"
#include "stopwatch.h"

namespace load {

namespace {

void WriteOneToEach(const Target& target, Options& options) {
  EventLoop loop;
  Producers producers(loop, target, options);
  options.MustBeUsed();
  producers.may_send = [&] { return producers.sent() < target.topic.partitions; };
  producers.Pump();
  loop.Run([&] { return producers.acked() == target.topic.partitions; });
}

}  // namespace

void RunCreate(Options& options) {
  Target target;
  target.bootstrap = options.Text("bootstrap", "127.0.0.1:9092");
  target.server_pid = options.Number("server-pid", 0);
  const std::string name = options.Text("topic", "created");
  const auto partitions = static_cast<int32_t>(options.Number("partitions", 0));
  const int64_t topics = options.Number("topics", 0);
  if ((partitions > 0) == (topics > 0)) Fail("partitions= or topics=");
  std::vector<Topic> wanted;
  if (partitions > 0) wanted.push_back({name, {}, partitions});
  for (int64_t i = 0; i < topics; ++i) wanted.push_back({name + "-" + std::to_string(i), {}, 1});

  const Stopwatch watch(target.server_pid);
  CreateTopicsNow(target.bootstrap, wanted);
  JsonLine line;
  line.Add("created_s", watch.seconds());
  AwaitTopics(target.bootstrap, wanted);
  line.Add("served_s", watch.seconds());
  target.topic = wanted.front();
  if (partitions > 0) WriteOneToEach(target, options);
  watch.Report(partitions, 0, line);
  line.Print();
}

}  // namespace load
