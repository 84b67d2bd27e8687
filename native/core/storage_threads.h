// Storage threads: where everything runs that may wait for the disk.
//
// Work is an Operation. Operations of one Strand run in submission order, one at a time; operations of
// different strands, and those without one, run in parallel. Each is handed back through a CompletionQueue on
// whatever thread drains it, so an operation is created and destroyed by the same thread that owns the queue.
//
// Both directions work in batches: Submit takes the lock and wakes a thread once for all it is given, and the
// completion queue calls its wake function only when it goes from empty to non-empty.
//
// Thread rule: every method may be called from any thread, except that Stop is called once, not from a
// storage thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "status.h"
#include "thread.h"

namespace seglog {

/// One piece of work. Exactly one of Run and Cancel is called, once.
class Operation {
 public:
  virtual ~Operation() = default;
  /// On a storage thread. Leaves its outcome.
  virtual void Run() = 0;
  /// Instead of Run when the threads are stopped first or none can be started; on the thread that stops or
  /// submits.
  virtual void Cancel();

  Status outcome;
};

/// Finished operations on their way back to the thread that submitted them.
class CompletionQueue {
 public:
  /// `wake` is called from any thread, outside the lock, when the queue stops being empty.
  explicit CompletionQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  void Push(std::unique_ptr<Operation> operation);
  void Push(std::vector<std::unique_ptr<Operation>> operations);
  /// Everything finished so far, oldest first.
  std::vector<std::unique_ptr<Operation>> Take();

 private:
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Operation>> finished_;  // guarded by mutex_
};

/// The order of one segment's (or partition's, or directory's) operations. Holds no thread.
class Strand {
 private:
  friend class StorageThreads;
  // All guarded by the mutex of the StorageThreads it is used with; one strand belongs to one pool.
  std::deque<std::unique_ptr<Operation>> queue_;
  bool scheduled_ = false;  // in the ready list or in a thread's hands
};

struct Submission {
  std::shared_ptr<Strand> strand;  // null: no order
  std::unique_ptr<Operation> operation;
};

class StorageThreads {
 public:
  /// Up to `max_threads` called `name`, each started when work waits and no thread is idle. Finished
  /// operations go to `completions`, which outlives this, or are destroyed at once when it is null.
  StorageThreads(const char* name, size_t max_threads, CompletionQueue* completions)
      : name_(name), max_threads_(max_threads), completions_(completions) {}
  ~StorageThreads() { Stop(); }
  StorageThreads(const StorageThreads&) = delete;
  StorageThreads& operator=(const StorageThreads&) = delete;

  /// Queues a batch. After Stop its operations are cancelled and completed here.
  void Submit(std::vector<Submission> batch);
  void Submit(std::shared_ptr<Strand> strand, std::unique_ptr<Operation> operation);

  /// Cancels what has not begun, waits for what has, joins every thread. All operations have been completed
  /// when it returns. Idempotent.
  void Stop();

  size_t thread_count();

 private:
  using Operations = std::vector<std::unique_ptr<Operation>>;

  void Work();
  // With mutex_ held:
  bool WakeOne();
  void Schedule(std::shared_ptr<Strand> strand);
  void GiveUp(Strand& strand, Operations* cancelled);
  void GiveUpReady(Operations* cancelled);

  void Finish(std::unique_ptr<Operation> operation);
  void CancelAll(Operations operations);

  const char* const name_;
  const size_t max_threads_;
  CompletionQueue* const completions_;
  std::mutex mutex_;
  // Everything below is guarded by mutex_.
  std::condition_variable ready_changed_;
  std::deque<std::shared_ptr<Strand>> ready_;
  std::vector<std::unique_ptr<Thread>> threads_;
  Operations left_behind_;  // what a thread found queued behind its operation when it was told to stop
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace seglog
