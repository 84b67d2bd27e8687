// A load generator that speaks just enough of Kafka's protocol to be no client library: batches are made
// before the clock starts, answers are checked and counted, and one thread does it all. Used for every broker
// alike.
#include <functional>
#include <map>

#include "fail.h"
#include "modes.h"

int main(int argc, char** argv) {
  load::Options options(argc, argv);
  const std::map<std::string, std::function<void(load::Options&)>> modes = {
      {"produce", load::RunProduce}, {"consume", load::RunConsume}, {"tail", load::RunTail},
      {"latency", load::RunLatency}, {"create", load::RunCreate},   {"sink", load::RunSink},
  };
  const auto mode = modes.find(options.mode());
  if (mode == modes.end()) load::Fail("modes: produce consume tail latency create sink");
  mode->second(options);
}
