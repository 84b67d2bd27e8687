// One reader of a topic: a connection with one fetch under way, as Kafka's clients do it. Every batch must
// follow the one before it without a gap.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "answers.h"
#include "connection.h"
#include "event_loop.h"
#include "options.h"
#include "requests.h"
#include "target.h"

namespace load {

/// Options fetch-bytes= (of a partition in one answer) max-wait= (ms) crc=1 (batches' CRCs are checked).
struct ConsumerOptions {
  explicit ConsumerOptions(Options& options);
  FetchLimits limits;
  bool check_crc;
};

class Consumer {
 public:
  /// Reads all partitions of the topic from offset 0.
  Consumer(EventLoop& loop, const Target& target, const ConsumerOptions& options,
           size_t read_bytes = 1 << 20);

  /// Called for each whole batch.
  std::function<void(const uint8_t* batch)> on_batch = [](const uint8_t*) {};
  /// Called behind each answer, before the next fetch leaves.
  std::function<void()> on_answer = [] {};

  void Start() { FetchNext(); }
  /// No further fetch leaves.
  void Stop() { stopped_ = true; }
  int64_t records() const { return records_; }
  /// Batches as they are stored, headers included.
  int64_t bytes() const { return bytes_; }
  bool at_the_end() const;

 private:
  void FetchNext();
  void Answered(std::span<const uint8_t> answer);
  void Walk(const Fetched& fetched);

  const Target& target_;
  const ConsumerOptions options_;
  Connection connection_;
  std::map<int32_t, int64_t> offsets_;
  std::map<int32_t, int64_t> ends_;  // high watermarks
  int32_t correlation_ = 0;
  int64_t records_ = 0;
  int64_t bytes_ = 0;
  bool stopped_ = false;
};

}  // namespace load
