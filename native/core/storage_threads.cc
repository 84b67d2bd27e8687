#include "storage_threads.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace seglog {

namespace {
// How many operations of one strand a thread runs before it looks at the others again.
constexpr size_t kOperationsPerTurn = 16;
}  // namespace

void Operation::Cancel() {
  outcome = Status::Error(ErrorCode::kCancelled, "stopped before the operation began");
}

void CompletionQueue::Push(std::unique_ptr<Operation> operation) {
  bool was_empty;
  {
    std::lock_guard lock(mutex_);
    was_empty = finished_.empty();
    finished_.push_back(std::move(operation));
  }
  if (was_empty) wake_();
}

void CompletionQueue::Push(std::vector<std::unique_ptr<Operation>> operations) {
  if (operations.empty()) return;
  bool was_empty;
  {
    std::lock_guard lock(mutex_);
    was_empty = finished_.empty();
    std::move(operations.begin(), operations.end(), std::back_inserter(finished_));
  }
  if (was_empty) wake_();
}

std::vector<std::unique_ptr<Operation>> CompletionQueue::Take() {
  std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
}

void StorageThreads::Submit(std::shared_ptr<Strand> strand, std::unique_ptr<Operation> operation) {
  std::vector<Submission> batch;
  batch.push_back({std::move(strand), std::move(operation)});
  Submit(std::move(batch));
}

void StorageThreads::Submit(std::vector<Submission> batch) {
  Operations refused;
  {
    std::lock_guard lock(mutex_);
    for (Submission& submission : batch) {
      if (stopping_) {
        refused.push_back(std::move(submission.operation));
        continue;
      }
      std::shared_ptr<Strand> strand =
          submission.strand ? std::move(submission.strand) : std::make_shared<Strand>();
      strand->queue_.push_back(std::move(submission.operation));
      if (!strand->scheduled_) Schedule(std::move(strand));
    }
    if (!ready_.empty() && !WakeOne()) GiveUpReady(&refused);
  }
  CancelAll(std::move(refused));
}

void StorageThreads::Schedule(std::shared_ptr<Strand> strand) {
  strand->scheduled_ = true;
  ready_.push_back(std::move(strand));
}

// One thread is woken (or started) however much is ready; it wakes the next before it begins to work, so that
// the submitter pays for one. False if no thread will ever come.
bool StorageThreads::WakeOne() {
  if (idle_ > 0) {
    ready_changed_.notify_one();
  } else if (threads_.size() < max_threads_) {
    if (auto thread = Thread::Start(name_, [this] { Work(); })) threads_.push_back(std::move(thread));
  }
  return !threads_.empty();
}

void StorageThreads::GiveUp(Strand& strand, Operations* cancelled) {
  std::move(strand.queue_.begin(), strand.queue_.end(), std::back_inserter(*cancelled));
  strand.queue_.clear();
  strand.scheduled_ = false;
}

void StorageThreads::GiveUpReady(Operations* cancelled) {
  for (const std::shared_ptr<Strand>& strand : ready_) GiveUp(*strand, cancelled);
  ready_.clear();
}

void StorageThreads::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    while (ready_.empty() && !stopping_) {
      ++idle_;
      ready_changed_.wait(lock);
      --idle_;
    }
    if (stopping_) return;
    std::shared_ptr<Strand> strand = std::move(ready_.front());
    ready_.pop_front();
    if (!ready_.empty()) WakeOne();

    for (size_t turn = 0; turn < kOperationsPerTurn && !stopping_ && !strand->queue_.empty(); ++turn) {
      std::unique_ptr<Operation> operation = std::move(strand->queue_.front());
      strand->queue_.pop_front();
      lock.unlock();
      operation->Run();
      Finish(std::move(operation));
      lock.lock();
    }
    strand->scheduled_ = false;
    if (stopping_) {
      GiveUp(*strand, &left_behind_);
    } else if (!strand->queue_.empty()) {
      Schedule(std::move(strand));
    }
  }
}

void StorageThreads::Finish(std::unique_ptr<Operation> operation) {
  if (completions_ != nullptr) completions_->Push(std::move(operation));
}

void StorageThreads::CancelAll(Operations operations) {
  for (std::unique_ptr<Operation>& operation : operations) {
    operation->Cancel();
    Finish(std::move(operation));
  }
}

void StorageThreads::Stop() {
  Operations cancelled;
  std::vector<std::unique_ptr<Thread>> threads;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    GiveUpReady(&cancelled);
    threads.swap(threads_);
  }
  ready_changed_.notify_all();
  for (const std::unique_ptr<Thread>& thread : threads) thread->Join();
  {
    std::lock_guard lock(mutex_);
    std::move(left_behind_.begin(), left_behind_.end(), std::back_inserter(cancelled));
    left_behind_.clear();
  }
  CancelAll(std::move(cancelled));
}

size_t StorageThreads::thread_count() {
  std::lock_guard lock(mutex_);
  return threads_.size();
}

}  // namespace seglog
