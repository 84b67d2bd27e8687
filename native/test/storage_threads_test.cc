#include "../core/storage_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <map>
#include <random>
#include <thread>

namespace seglog {
namespace {

struct Step final : Operation {
  std::function<void()> body;
  int key = 0;
  int sequence = 0;
  bool ran = false;
  bool cancelled = false;

  explicit Step(std::function<void()> run = [] {}) : body(std::move(run)) {}
  void Run() override {
    body();
    ran = true;
  }
  void Cancel() override {
    cancelled = true;
    Operation::Cancel();
  }
};

/// A completion queue with a condition to wait on, standing for the event loop.
class Loop {
 public:
  CompletionQueue queue{[this] {
    std::lock_guard lock(mutex_);
    ++wakes_;
    woken_.notify_one();
  }};

  std::vector<std::unique_ptr<Operation>> WaitFor(size_t count) {
    std::vector<std::unique_ptr<Operation>> all;
    while (all.size() < count) {
      std::unique_lock lock(mutex_);
      woken_.wait(lock, [this] { return wakes_ > seen_; });
      seen_ = wakes_;
      lock.unlock();
      for (auto& operation : queue.Take()) all.push_back(std::move(operation));
    }
    return all;
  }

  int wakes() {
    std::lock_guard lock(mutex_);
    return wakes_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  int wakes_ = 0;
  int seen_ = 0;
};

TEST(CompletionQueue, WakesOnlyWhenItStopsBeingEmpty) {
  int wakes = 0;
  CompletionQueue queue([&] { ++wakes; });
  queue.Push(std::make_unique<Step>());
  queue.Push(std::make_unique<Step>());
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(queue.Take().size(), 2u);
  std::vector<std::unique_ptr<Operation>> none;
  queue.Push(std::move(none));
  EXPECT_EQ(wakes, 1);
  queue.Push(std::make_unique<Step>());
  EXPECT_EQ(wakes, 2);
}

TEST(StorageThreads, StartsNoThreadBeforeThereIsWork) {
  Loop loop;
  StorageThreads threads("test", 4, &loop.queue);
  EXPECT_EQ(threads.thread_count(), 0u);
  threads.Submit(nullptr, std::make_unique<Step>());
  loop.WaitFor(1);
  EXPECT_EQ(threads.thread_count(), 1u);
}

TEST(StorageThreads, RunsOneStrandInOrderOneAtATime) {
  Loop loop;
  StorageThreads threads("test", 4, &loop.queue);
  constexpr int kKeys = 7;
  constexpr int kEach = 400;
  std::vector<std::shared_ptr<Strand>> strands;
  std::vector<std::atomic<int>> inside(kKeys);
  std::vector<int> next(kKeys, 0);  // only the strand's runner touches its slot: TSan sees a race if two do
  std::atomic<int> wrong = 0;
  for (int key = 0; key < kKeys; ++key) strands.push_back(std::make_shared<Strand>());

  std::mt19937 random(7);
  std::vector<int> sequence(kKeys, 0);
  std::vector<Submission> batch;
  for (int i = 0; i < kKeys * kEach; ++i) {
    const int key = static_cast<int>(random() % kKeys);
    const int number = sequence[key]++;
    auto step = std::make_unique<Step>([&, key, number] {
      if (inside[key].fetch_add(1) != 0 || next[key]++ != number) ++wrong;
      inside[key].fetch_sub(1);
    });
    step->key = key;
    step->sequence = number;
    batch.push_back({strands[key], std::move(step)});
    if (random() % 9 == 0) threads.Submit(std::exchange(batch, {}));
  }
  threads.Submit(std::move(batch));

  std::map<int, int> completed;
  for (const auto& operation : loop.WaitFor(kKeys * kEach)) {
    const auto& step = static_cast<const Step&>(*operation);
    EXPECT_TRUE(step.ran);
    EXPECT_EQ(step.sequence, completed[step.key]++) << "completions of a strand keep its order";
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(threads.thread_count(), 4u);
}

TEST(StorageThreads, DifferentStrandsRunInParallel) {
  Loop loop;
  StorageThreads threads("test", 3, &loop.queue);
  std::latch together(3);  // passes only if three operations are inside at once
  std::vector<Submission> batch;
  for (int i = 0; i < 3; ++i) {
    batch.push_back(
        {std::make_shared<Strand>(), std::make_unique<Step>([&] { together.arrive_and_wait(); })});
  }
  threads.Submit(std::move(batch));
  EXPECT_EQ(loop.WaitFor(3).size(), 3u);
  EXPECT_EQ(threads.thread_count(), 3u);
}

TEST(StorageThreads, OperationsWithoutAStrandRunInParallel) {
  Loop loop;
  StorageThreads threads("test", 2, &loop.queue);
  std::latch together(2);
  for (int i = 0; i < 2; ++i) {
    threads.Submit(nullptr, std::make_unique<Step>([&] { together.arrive_and_wait(); }));
  }
  EXPECT_EQ(loop.WaitFor(2).size(), 2u);
}

TEST(StorageThreads, StopFinishesWhatRunsAndCancelsTheRest) {
  Loop loop;
  StorageThreads threads("test", 2, &loop.queue);
  std::latch begun(2);
  std::latch release(1);
  auto strand = std::make_shared<Strand>();
  auto block = [&] {
    begun.count_down();
    release.wait();
  };
  threads.Submit(strand, std::make_unique<Step>(block));
  threads.Submit(nullptr, std::make_unique<Step>(block));
  begun.wait();
  for (int i = 0; i < 10; ++i) threads.Submit(i % 2 ? strand : nullptr, std::make_unique<Step>());

  std::thread stopper([&] { threads.Stop(); });
  // Refused means that Stop has begun; what is submitted before that is queued and then cancelled.
  int probes = 0;
  for (bool refused = false; !refused;) {
    auto probe = std::make_unique<Step>();
    const Step& seen = *probe;
    threads.Submit(strand, std::move(probe));
    ++probes;
    refused = seen.cancelled;
  }
  release.count_down();
  stopper.join();

  int ran = 0;
  int cancelled = 0;
  for (const auto& operation : loop.queue.Take()) {
    const auto& step = static_cast<const Step&>(*operation);
    EXPECT_NE(step.ran, step.cancelled);
    EXPECT_EQ(step.outcome.code(), step.ran ? ErrorCode::kOk : ErrorCode::kCancelled);
    step.ran ? ++ran : ++cancelled;
  }
  EXPECT_EQ(ran, 2);
  EXPECT_EQ(cancelled, 10 + probes);
}

TEST(StorageThreads, NothingIsLostWhenManyThreadsSubmitDuringStop) {
  for (int round = 0; round < 20; ++round) {
    Loop loop;
    StorageThreads threads("test", 4, &loop.queue);
    std::vector<std::thread> submitters;
    for (int i = 0; i < 3; ++i) {
      submitters.emplace_back([&] {
        auto strand = std::make_shared<Strand>();
        for (int n = 0; n < 200; ++n) threads.Submit(strand, std::make_unique<Step>());
      });
    }
    threads.Stop();
    for (auto& thread : submitters) thread.join();
    size_t completed = 0;
    for (const auto& operation : loop.queue.Take()) {
      const auto& step = static_cast<const Step&>(*operation);
      EXPECT_NE(step.ran, step.cancelled);
      ++completed;
    }
    EXPECT_EQ(completed, 600u);
  }
}

TEST(StorageThreads, ABatchOfManyKeysWakesTheLoopInBatches) {
  Loop loop;
  StorageThreads threads("test", 1, &loop.queue);
  std::latch release(1);
  threads.Submit(nullptr, std::make_unique<Step>([&] { release.wait(); }));
  std::vector<Submission> batch;
  for (int i = 0; i < 100; ++i) batch.push_back({nullptr, std::make_unique<Step>()});
  threads.Submit(std::move(batch));
  release.count_down();
  threads.Stop();
  EXPECT_EQ(loop.wakes(), 1) << "nobody took anything in between";
  EXPECT_EQ(loop.queue.Take().size(), 101u);
}

}  // namespace
}  // namespace seglog
