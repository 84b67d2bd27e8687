// What every mode is told first: where the broker is, which topic, which versions.
#pragma once

#include <cstdint>
#include <string>

#include "options.h"
#include "topic.h"

namespace load {

/// Options bootstrap=HOST:PORT topic=NAME create=PARTITIONS (0: it is there) server-pid= produce-version=
/// fetch-version=.
struct Target {
  std::string bootstrap;
  Topic topic;
  Versions versions;
  int64_t server_pid = 0;
};

Target FindTarget(Options& options);

}  // namespace load
