// Group commit. Many waiters ask for one target (a segment) to be on disk; one round of the flusher answers
// all of them that asked before the round began. Those who ask while it runs share the next. Rounds of one
// target follow each other, rounds of different targets run in parallel.
//
// Thread rule: as StorageThreads. Waiters of one target are completed in the order they asked.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "status.h"
#include "storage_threads.h"

namespace seglog {

/// What a round writes out.
class FlushTarget {
 public:
  virtual ~FlushTarget() = default;
  /// On a flusher thread, never twice at once: everything published before the call is on disk when it
  /// returns OK.
  virtual Status FlushRound() = 0;
};

/// One target's place in the flusher: its order and its waiters. Made once per target.
class FlushQueue {
 public:
  explicit FlushQueue(std::shared_ptr<FlushTarget> target) : target_(std::move(target)) {}

 private:
  friend class Flusher;
  class Round;

  /// True if a round must be queued for it; false if one is, and has not begun.
  bool Add(std::unique_ptr<Operation> waiter);
  std::vector<std::unique_ptr<Operation>> Take();

  const std::shared_ptr<FlushTarget> target_;
  const std::shared_ptr<Strand> strand_ = std::make_shared<Strand>();
  std::mutex mutex_;
  std::vector<std::unique_ptr<Operation>> waiting_;  // guarded by mutex_
  bool queued_ = false;                              // guarded by mutex_: a round will take them
};

/// The waiter is never run: it gets the outcome of the round that served it.
struct FlushRequest {
  std::shared_ptr<FlushQueue> queue;
  std::unique_ptr<Operation> waiter;
};

class Flusher {
 public:
  /// Waiters are completed through `completions`, which outlives this.
  Flusher(size_t max_threads, CompletionQueue* completions)
      : completions_(completions), threads_("seglog-flush", max_threads, nullptr) {}

  /// A batch of requests: one lock of the threads, one wake-up.
  void Request(std::vector<FlushRequest> batch);

  /// Cancels waiters whose round has not begun, finishes the rounds that have, joins. Idempotent.
  void Stop() { threads_.Stop(); }

 private:
  friend class FlushQueue;

  CompletionQueue* const completions_;
  StorageThreads threads_;
};

}  // namespace seglog
