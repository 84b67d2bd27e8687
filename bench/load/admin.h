// What happens before the load: topics are made and described, one question at a time.
#pragma once

#include <span>
#include <string>

#include "topic.h"

namespace load {

/// Creates the topics in one request.
void CreateTopicsNow(const std::string& bootstrap, std::span<const Topic> topics);

/// Asks, by name, until all partitions of all topics have a leader that serves them; fills in ids and counts.
/// Metadata alone is not enough: Kafka names a leader before that leader has opened the partition.
void AwaitTopics(const std::string& bootstrap, std::span<Topic> topics);

}  // namespace load
