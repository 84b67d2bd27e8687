// Group commit. Many waiters ask for one target (a segment) to be on disk; one round of the flusher answers
// all of them that asked before the round began. Those who ask while it runs share the next. Rounds of one
// target follow each other, rounds of different targets run in parallel.
//
// Targets of one group (a data directory) flush together once more than a few of them wait: their round is
// one frame of the group's journal. Rounds of a group follow each other; who asks meanwhile joins the next.
//
// Thread rule: as StorageThreads. Waiters of one target are completed in the order they asked.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "commit_journal.h"
#include "status.h"
#include "storage_threads.h"

namespace seglog {

class FlushQueue;

/// What a round writes out.
class FlushTarget {
 public:
  virtual ~FlushTarget() = default;
  /// On a flusher thread, never twice at once: everything published before the call is on disk when it
  /// returns OK.
  virtual Status FlushRound() = 0;
  /// What a round of the target's group may put into the journal instead; null if that cannot be.
  virtual JournalSource* journal_source() { return nullptr; }
};

/// The targets of one data directory. Made once, by whoever makes the queues.
class FlushGroup {
 public:
  /// As many targets as this flush each by itself, in parallel: no slower, and written once.
  static constexpr size_t kFew = 3;

  explicit FlushGroup(std::shared_ptr<DataDirectory> directory, size_t few = kFew);

 private:
  friend class Flusher;
  friend class FlushQueue;
  class Round;

  std::vector<std::shared_ptr<FlushQueue>> Take();
  void EndRound();
  void EndAlone();

  const std::shared_ptr<DataDirectory> directory_;
  const size_t few_;
  const std::shared_ptr<Strand> strand_ = std::make_shared<Strand>();
  std::mutex mutex_;
  // Everything below is guarded by mutex_.
  std::vector<std::shared_ptr<FlushQueue>> waiting_;
  size_t rounds_ = 0;    // queued or running; the last of them takes what waits
  bool queued_ = false;  // one of them has not begun
  size_t alone_ = 0;     // rounds of single targets, queued or running
};

/// One target's place in the flusher: its order and its waiters. Made once per target.
class FlushQueue {
 public:
  explicit FlushQueue(std::shared_ptr<FlushTarget> target, std::shared_ptr<FlushGroup> group = nullptr)
      : target_(std::move(target)), group_(std::move(group)) {}

 private:
  friend class Flusher;
  friend class FlushGroup;
  class Round;

  /// True if a round must be queued for it; false if one is, and has not begun.
  bool Add(std::unique_ptr<Operation> waiter);
  std::vector<std::unique_ptr<Operation>> Take();
  /// Taken too early: in front of those who asked since. As Add.
  bool PutBack(std::vector<std::unique_ptr<Operation>> waiters);

  const std::shared_ptr<FlushTarget> target_;
  const std::shared_ptr<FlushGroup> group_;  // or null
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
  friend class FlushGroup;
  using Queues = std::vector<std::shared_ptr<FlushQueue>>;

  /// The round that will serve `queues` of one group: theirs alone, or the group's.
  void Plan(const std::shared_ptr<FlushGroup>& group, Queues queues, std::vector<Submission>* rounds);
  Submission Alone(std::shared_ptr<FlushQueue> queue);

  CompletionQueue* const completions_;
  StorageThreads threads_;
};

}  // namespace seglog
