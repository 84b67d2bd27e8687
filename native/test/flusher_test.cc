#include "../core/flusher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <semaphore>
#include <thread>

namespace seglog {
namespace {

struct Waiter final : Operation {
  int number = 0;
  int published = 0;  // what had been published when it asked
  bool ran = false;

  void Run() override { ran = true; }
};

/// Counts what is published and what a flush has made durable; a gate can hold rounds.
class Target final : public FlushTarget {
 public:
  std::atomic<int> published = 0;
  std::atomic<int> durable = 0;
  std::atomic<int> rounds = 0;
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> gate{0};
  bool gated = false;
  Status outcome;

  Status FlushRound() override {
    if (inside.fetch_add(1) != 0) overlapped = true;
    const int end = published;
    if (gated) {
      begun.release();
      gate.acquire();
    }
    durable = end;
    ++rounds;
    inside.fetch_sub(1);
    return outcome;
  }
};

class FlusherTest : public ::testing::Test {
 protected:
  void Ask(const std::shared_ptr<FlushQueue>& queue, int number, int published = 0) {
    auto waiter = std::make_unique<Waiter>();
    waiter->number = number;
    waiter->published = published;
    std::vector<FlushRequest> batch;
    batch.push_back({queue, std::move(waiter)});
    flusher_.Request(std::move(batch));
  }

  std::vector<std::unique_ptr<Operation>> WaitFor(size_t count) {
    std::vector<std::unique_ptr<Operation>> all;
    while (all.size() < count) {
      wake_.acquire();
      for (auto& operation : completions_.Take()) all.push_back(std::move(operation));
    }
    return all;
  }

  static std::vector<int> Numbers(const std::vector<std::unique_ptr<Operation>>& operations) {
    std::vector<int> numbers;
    for (const auto& operation : operations) numbers.push_back(static_cast<const Waiter&>(*operation).number);
    return numbers;
  }

  std::counting_semaphore<> wake_{0};
  CompletionQueue completions_{[this] { wake_.release(); }};
  Flusher flusher_{16, &completions_};
};

TEST_F(FlusherTest, WaitersThatAskDuringARoundShareTheNext) {
  auto target = std::make_shared<Target>();
  target->gated = true;
  auto queue = std::make_shared<FlushQueue>(target);
  Ask(queue, 0);
  target->begun.acquire();
  for (int i = 1; i <= 64; ++i) Ask(queue, i);
  target->gate.release();
  EXPECT_EQ(Numbers(WaitFor(1)), std::vector<int>{0});
  target->begun.acquire();
  target->gate.release();
  std::vector<int> expected;
  for (int i = 1; i <= 64; ++i) expected.push_back(i);
  EXPECT_EQ(Numbers(WaitFor(64)), expected);
  EXPECT_EQ(target->rounds, 2);
}

TEST_F(FlusherTest, ARoundServesOnlyWhatWasPublishedBeforeItBegan) {
  auto target = std::make_shared<Target>();
  auto queue = std::make_shared<FlushQueue>(target);
  constexpr int kCount = 2000;
  std::thread asking([&] {
    for (int i = 1; i <= kCount; ++i) {
      target->published = i;
      Ask(queue, i, i);
    }
  });
  size_t seen = 0;
  int last = 0;
  while (seen < kCount) {
    for (const auto& operation : WaitFor(1)) {
      const auto& waiter = static_cast<const Waiter&>(*operation);
      EXPECT_LE(waiter.published, target->durable);
      EXPECT_EQ(waiter.number, ++last);
      EXPECT_FALSE(waiter.ran) << "the round did its work";
      ++seen;
    }
  }
  asking.join();
  EXPECT_FALSE(target->overlapped);
  EXPECT_LE(target->rounds, kCount);
}

TEST_F(FlusherTest, TargetsFlushInParallel) {
  constexpr int kTargets = 16;
  std::latch together(kTargets);
  struct Meeting final : FlushTarget {
    explicit Meeting(std::latch& latch) : together(latch) {}
    std::latch& together;
    Status FlushRound() override {
      together.arrive_and_wait();
      return Status::Ok();
    }
  };
  std::vector<FlushRequest> batch;
  for (int i = 0; i < kTargets; ++i) {
    batch.push_back(
        {std::make_shared<FlushQueue>(std::make_shared<Meeting>(together)), std::make_unique<Waiter>()});
  }
  flusher_.Request(std::move(batch));
  EXPECT_EQ(WaitFor(kTargets).size(), size_t{kTargets});
}

TEST_F(FlusherTest, AFailedRoundFailsItsWaitersAndNoOthers) {
  auto target = std::make_shared<Target>();
  target->outcome = Status::Error(ErrorCode::kIo, "flush: disk on fire", "/x");
  auto broken = std::make_shared<FlushQueue>(target);
  auto healthy = std::make_shared<FlushQueue>(std::make_shared<Target>());
  Ask(broken, 1);
  Ask(broken, 1);
  Ask(healthy, 2);
  for (const auto& operation : WaitFor(3)) {
    const auto& waiter = static_cast<const Waiter&>(*operation);
    EXPECT_EQ(waiter.outcome.code(), waiter.number == 1 ? ErrorCode::kIo : ErrorCode::kOk);
  }
}

TEST_F(FlusherTest, StopFinishesTheRunningRoundAndCancelsTheWaitersOfTheNext) {
  auto target = std::make_shared<Target>();
  target->gated = true;
  auto queue = std::make_shared<FlushQueue>(target);
  Ask(queue, 0);
  target->begun.acquire();
  Ask(queue, 1);
  Ask(queue, 2);
  target->gate.release();
  target->gate.release();  // in case the second round begins before Stop
  flusher_.Stop();
  Ask(queue, 3);
  const auto all = WaitFor(4);
  EXPECT_EQ(Numbers(all), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_TRUE(static_cast<const Waiter&>(*all[0]).outcome.ok());
  EXPECT_EQ(static_cast<const Waiter&>(*all[3]).outcome.code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace seglog
