#include "flusher.h"

#include <utility>

namespace seglog {

class FlushQueue::Round final : public Operation {
 public:
  Round(std::shared_ptr<FlushQueue> queue, Flusher* flusher) : queue_(std::move(queue)), flusher_(flusher) {}

  // The waiters are taken before the flush begins: what they published is older than it.
  void Run() override {
    std::vector<std::unique_ptr<Operation>> waiters = queue_->Take();
    outcome = queue_->target_->FlushRound();
    for (auto& waiter : waiters) waiter->outcome = outcome;
    flusher_->completions_->Push(std::move(waiters));
  }

  void Cancel() override {
    std::vector<std::unique_ptr<Operation>> waiters = queue_->Take();
    for (auto& waiter : waiters) waiter->Cancel();
    flusher_->completions_->Push(std::move(waiters));
  }

 private:
  const std::shared_ptr<FlushQueue> queue_;
  Flusher* const flusher_;  // owns the threads this runs on
};

bool FlushQueue::Add(std::unique_ptr<Operation> waiter) {
  std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(waiter));
  return !std::exchange(queued_, true);
}

std::vector<std::unique_ptr<Operation>> FlushQueue::Take() {
  std::lock_guard lock(mutex_);
  queued_ = false;
  return std::exchange(waiting_, {});
}

void Flusher::Request(std::vector<FlushRequest> batch) {
  std::vector<Submission> rounds;
  for (FlushRequest& request : batch) {
    if (!request.queue->Add(std::move(request.waiter))) continue;
    std::shared_ptr<Strand> strand = request.queue->strand_;
    rounds.push_back(
        {std::move(strand), std::make_unique<FlushQueue::Round>(std::move(request.queue), this)});
  }
  if (!rounds.empty()) threads_.Submit(std::move(rounds));
}

}  // namespace seglog
