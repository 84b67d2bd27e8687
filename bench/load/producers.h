// A closed loop of Produce requests: each connection keeps so many under way, the partitions take turns, one
// batch a request. Every acknowledgement is checked.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "connection.h"
#include "event_loop.h"
#include "options.h"
#include "percentiles.h"
#include "prebuilt_batch.h"
#include "target.h"

namespace load {

/// Options connections= in-flight= (of each connection) acks=1|-1 batch-bytes= record-bytes=.
class Producers {
 public:
  Producers(EventLoop& loop, const Target& target, Options& options);

  /// Asked before each request; while it says no, none is sent until the next Pump.
  std::function<bool()> may_send = [] { return true; };

  void Pump();
  bool idle() const { return acked_ == sent_; }

  int64_t sent() const { return sent_; }
  int64_t acked() const { return acked_; }
  int32_t records_each() const { return batches_.front().records; }
  int64_t value_bytes_each() const { return int64_t{records_each()} * record_bytes_; }
  Percentiles& latencies() { return latencies_; }

 private:
  struct Lane {
    std::unique_ptr<Connection> connection;
    std::deque<int64_t> sent_ns;  // of the requests under way, oldest first
    int32_t next_correlation = 0;
    int32_t next_answer = 0;
  };

  void Pump(Lane& lane);
  void Answered(Lane& lane, std::span<const uint8_t> answer);

  const Target& target_;
  const int16_t acks_;
  const size_t in_flight_;
  const int32_t record_bytes_;
  std::vector<PrebuiltBatch> batches_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  int64_t sent_ = 0;
  int64_t acked_ = 0;
  Percentiles latencies_;
};

}  // namespace load
