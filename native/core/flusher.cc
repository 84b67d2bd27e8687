#include "flusher.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "data_directory.h"

namespace seglog {

namespace {
using Waiters = std::vector<std::unique_ptr<Operation>>;

void Answer(Waiters waiters, const Status& outcome, CompletionQueue* completions) {
  for (auto& waiter : waiters) waiter->outcome = outcome;
  completions->Push(std::move(waiters));
}
}  // namespace

/// A round of one target.
class FlushQueue::Round final : public Operation {
 public:
  Round(std::shared_ptr<FlushQueue> queue, Flusher* flusher) : queue_(std::move(queue)), flusher_(flusher) {}

  // The waiters are taken before the flush begins: what they published is older than it.
  void Run() override {
    Waiters waiters = queue_->Take();
    outcome = queue_->target_->FlushRound();
    if (queue_->group_) queue_->group_->EndAlone();
    Answer(std::move(waiters), outcome, flusher_->completions_);
  }

  void Cancel() override {
    Waiters waiters = queue_->Take();
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

bool FlushQueue::PutBack(Waiters waiters) {
  std::lock_guard lock(mutex_);
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(waiters));
  waiting_ = std::move(waiters);
  return !std::exchange(queued_, true);
}

FlushGroup::FlushGroup(std::shared_ptr<DataDirectory> directory, size_t few)
    : directory_(std::move(directory)), few_(few) {}

std::vector<std::shared_ptr<FlushQueue>> FlushGroup::Take() {
  std::lock_guard lock(mutex_);
  queued_ = false;
  return std::exchange(waiting_, {});
}

void FlushGroup::EndRound() {
  std::lock_guard lock(mutex_);
  --rounds_;
}

void FlushGroup::EndAlone() {
  std::lock_guard lock(mutex_);
  --alone_;
}

/// A round of a group: one frame of the journal for all that can share it.
class FlushGroup::Round final : public Operation {
 public:
  Round(std::shared_ptr<FlushGroup> group, Flusher* flusher) : group_(std::move(group)), flusher_(flusher) {}

  void Run() override {
    std::vector<std::shared_ptr<FlushQueue>> queues = group_->Take();
    group_->directory_->EndsBehind();
    CommitJournal& journal = *group_->directory_->journal();
    JournalFrame& frame = journal.NewFrame(queues.size());
    std::vector<Member> members;
    std::vector<JournalSource*> sources;
    for (auto& queue : queues) {
      JournalSource* source = queue->target_->journal_source();
      if (source == nullptr || !source->BeginJournal()) {
        alone_.push_back(std::move(queue));
        continue;
      }
      // Held from here on: the waiters are taken before what they published is looked at.
      Member& member = members.emplace_back(Member{std::move(queue), source, {}, false});
      member.waiters = member.queue->Take();
      member.added = source->AddTo(&frame);
      if (member.added) sources.push_back(source);
    }
    Result<bool> committed = journal.Commit(sources);
    Waiters answered;
    for (Member& member : members) {
      const bool served = member.added && (!committed.ok() || *committed);
      member.source->EndJournal(member.added && committed.ok() && *committed);
      if (!served) {
        if (member.queue->PutBack(std::move(member.waiters))) alone_.push_back(std::move(member.queue));
        continue;
      }
      for (auto& waiter : member.waiters) waiter->outcome = committed.status();
      std::move(member.waiters.begin(), member.waiters.end(), std::back_inserter(answered));
    }
    flusher_->completions_->Push(std::move(answered));
    SubmitAlone();
    group_->EndRound();
  }

  void Cancel() override {
    for (const auto& queue : group_->Take()) {
      Waiters waiters = queue->Take();
      for (auto& waiter : waiters) waiter->Cancel();
      flusher_->completions_->Push(std::move(waiters));
    }
  }

 private:
  struct Member {
    std::shared_ptr<FlushQueue> queue;
    JournalSource* source;
    Waiters waiters;
    bool added;
  };

  void SubmitAlone() {
    if (alone_.empty()) return;
    {
      std::lock_guard lock(group_->mutex_);
      group_->alone_ += alone_.size();
    }
    std::vector<Submission> rounds;
    for (auto& queue : alone_) rounds.push_back(flusher_->Alone(std::move(queue)));
    flusher_->threads_.Submit(std::move(rounds));
  }

  const std::shared_ptr<FlushGroup> group_;
  Flusher* const flusher_;
  std::vector<std::shared_ptr<FlushQueue>> alone_;
};

Submission Flusher::Alone(std::shared_ptr<FlushQueue> queue) {
  std::shared_ptr<Strand> strand = queue->strand_;
  return {std::move(strand), std::make_unique<FlushQueue::Round>(std::move(queue), this)};
}

// A group that is at it already takes more in with its next round: that flush costs the same.
void Flusher::Plan(const std::shared_ptr<FlushGroup>& group, Queues queues, std::vector<Submission>* rounds) {
  std::lock_guard lock(group->mutex_);
  const bool few = group->rounds_ == 0 && group->alone_ + queues.size() <= group->few_;
  CommitJournal* journal = group->directory_->journal();
  if (few || journal == nullptr || !journal->Ready()) {
    group->alone_ += queues.size();
    for (auto& queue : queues) rounds->push_back(Alone(std::move(queue)));
    return;
  }
  std::move(queues.begin(), queues.end(), std::back_inserter(group->waiting_));
  if (std::exchange(group->queued_, true)) return;
  ++group->rounds_;
  rounds->push_back({group->strand_, std::make_unique<FlushGroup::Round>(group, this)});
}

void Flusher::Request(std::vector<FlushRequest> batch) {
  std::vector<Submission> rounds;
  std::vector<std::pair<std::shared_ptr<FlushGroup>, Queues>> groups;  // one or two: a process's directories
  for (FlushRequest& request : batch) {
    if (!request.queue->Add(std::move(request.waiter))) continue;
    const std::shared_ptr<FlushGroup>& group = request.queue->group_;
    if (!group) {
      rounds.push_back(Alone(std::move(request.queue)));
      continue;
    }
    auto found =
        std::find_if(groups.begin(), groups.end(), [&](const auto& each) { return each.first == group; });
    if (found == groups.end()) found = groups.insert(groups.end(), {group, {}});
    found->second.push_back(std::move(request.queue));
  }
  for (auto& [group, queues] : groups) Plan(group, std::move(queues), &rounds);
  if (!rounds.empty()) threads_.Submit(std::move(rounds));
}

}  // namespace seglog
