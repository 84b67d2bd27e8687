#include "flusher.h"

#include <utility>

namespace seglog {

class FlushQueue::Round final : public Operation {
 public:
  Round(std::shared_ptr<FlushQueue> queue, CompletionQueue* completions)
      : queue_(std::move(queue)), completions_(completions) {}

  // The waiters are taken before the flush begins: what they published is older than it.
  void Run() override {
    std::vector<std::unique_ptr<Operation>> waiters = queue_->Take();
    const Status outcome = queue_->target_->FlushRound();
    for (auto& waiter : waiters) static_cast<FlushWaiter&>(*waiter).outcome = outcome;
    completions_->Push(std::move(waiters));
  }

  void Cancel() override {
    std::vector<std::unique_ptr<Operation>> waiters = queue_->Take();
    for (auto& waiter : waiters) waiter->Cancel();
    completions_->Push(std::move(waiters));
  }

 private:
  const std::shared_ptr<FlushQueue> queue_;
  CompletionQueue* const completions_;
};

bool FlushQueue::Add(std::unique_ptr<Operation> waiter) {
  std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(waiter));
  return waiting_.size() == 1;
}

std::vector<std::unique_ptr<Operation>> FlushQueue::Take() {
  std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

void Flusher::Request(std::vector<FlushRequest> batch) {
  std::vector<Submission> rounds;
  for (FlushRequest& request : batch) {
    if (!request.queue->Add(std::move(request.waiter))) continue;
    std::shared_ptr<Strand> strand = request.queue->strand_;
    auto round = std::make_unique<FlushQueue::Round>(std::move(request.queue), completions_);
    rounds.push_back({std::move(strand), std::move(round)});
  }
  if (!rounds.empty()) threads_.Submit(std::move(rounds));
}

}  // namespace seglog
