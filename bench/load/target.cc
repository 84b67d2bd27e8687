#include "target.h"

#include "admin.h"
#include "fail.h"

namespace load {

Target FindTarget(Options& options) {
  Target target;
  target.bootstrap = options.Text("bootstrap", "127.0.0.1:9092");
  target.server_pid = options.Number("server-pid", 0);
  target.versions.produce = static_cast<int16_t>(options.Number("produce-version", 13));
  target.versions.fetch = static_cast<int16_t>(options.Number("fetch-version", 17));
  if (target.versions.produce < 9 || target.versions.produce > 13) Fail("produce-version is 9 to 13");
  if (target.versions.fetch < 12 || target.versions.fetch > 17) Fail("fetch-version is 12 to 17");
  Topic topic;
  topic.name = options.Text("topic", "load");
  topic.partitions = static_cast<int32_t>(options.Number("create", 0));
  if (topic.partitions > 0) CreateTopicsNow(target.bootstrap, {&topic, 1});
  AwaitTopics(target.bootstrap, {&topic, 1});
  target.topic = topic;
  return target;
}

}  // namespace load
