#include "../core/transfer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <latch>
#include <map>
#include <random>
#include <thread>

#include "socket_pair.h"

namespace seglog {
namespace {

using test::SocketPair;

/// A file of bytes that can be told from each other, which may be cold, short, or closed.
class FakeSource final : public RegionSource {
 public:
  explicit FakeSource(size_t size) : path_(testing::TempDir() + "seglog-transfer-" + std::to_string(++made)) {
    std::string bytes(size, '\0');
    std::mt19937 random(static_cast<uint32_t>(size));
    for (char& c : bytes) c = static_cast<char>(random());
    content = bytes;
    file_ = SystemIo().Open(path_, OpenMode::kCreate).value();
    const IoSlice slice{reinterpret_cast<const uint8_t*>(content.data()), content.size()};
    EXPECT_TRUE(file_->WriteAt(0, &slice, 1).ok());
  }
  ~FakeSource() override { (void)SystemIo().Remove(path_); }

  Result<SentBytes> SendTo(int socket, FilePosition position, size_t size) override {
    ++sends;
    if (closed) return Status::Error(ErrorCode::kClosed, "closed");
    if (cold && position.value >= warm_to) return Status::Error(ErrorCode::kIo, "sent while it was cold");
    return file_->SendTo(socket, position.value, size);
  }
  bool IsCached(FilePosition position, size_t size) override {
    return !cold || position.value + static_cast<int64_t>(size) <= warm_to;
  }
  Status Warm(FilePosition position, size_t size) override {
    if (warming != nullptr) warming->wait();
    ++warm_ups;
    warm_to = position.value + static_cast<int64_t>(size);
    return warm_fails ? Status::Error(ErrorCode::kIo, "the disk is broken") : Status::Ok();
  }
  Status Cut(int64_t size) { return file_->Truncate(size); }

  std::string content;
  std::atomic<bool> cold{false};
  std::atomic<bool> closed{false};
  std::atomic<bool> warm_fails{false};
  std::atomic<int64_t> warm_to{0};
  std::atomic<int> warm_ups{0};
  std::atomic<int> sends{0};
  std::latch* warming = nullptr;

 private:
  static std::atomic<int> made;
  const std::string path_;
  std::unique_ptr<File> file_;
};

std::atomic<int> FakeSource::made{0};

TransferPiece Bytes(const std::string& text) {
  TransferPiece piece;
  piece.bytes.assign(text.begin(), text.end());
  piece.size = text.size();
  return piece;
}

TransferPiece Region(std::shared_ptr<RegionSource> source, int64_t position, size_t size) {
  TransferPiece piece;
  piece.source = std::move(source);
  piece.position = FilePosition(position);
  piece.size = size;
  return piece;
}

template <typename... Pieces>
std::vector<TransferPiece> List(Pieces... pieces) {
  std::vector<TransferPiece> list;
  (list.push_back(std::move(pieces)), ...);
  return list;
}

class TransferTest : public testing::Test {
 protected:
  std::shared_ptr<TransferStream> Open(const SocketPair& pair) {
    auto socket = WireSocket::Duplicate(pair.near());
    EXPECT_TRUE(socket.ok());
    return transfer_->Open(++last_id_, std::move(*socket));
  }

  uint64_t last_id() const { return last_id_; }

  Status WaitFor(uint64_t id) {
    std::unique_lock lock(mutex_);
    for (;;) {
      lock.unlock();
      for (TransferDone& one : transfer_->TakeDone()) done_[one.stream] = one.outcome;
      lock.lock();
      if (const auto found = done_.find(id); found != done_.end()) {
        const Status outcome = found->second;
        done_.erase(found);
        return outcome;
      }
      woken_.wait(lock, [this] { return wakes_ != 0; });
      wakes_ = 0;
    }
  }

  bool HasDone(uint64_t id) {
    for (TransferDone& one : transfer_->TakeDone()) done_[one.stream] = one.outcome;
    return done_.contains(id);
  }

  std::mutex mutex_;
  std::condition_variable woken_;
  int wakes_ = 0;
  std::map<uint64_t, Status> done_;
  uint64_t last_id_ = 0;
  std::unique_ptr<Transfer> transfer_ = std::make_unique<Transfer>([this] {
    std::lock_guard lock(mutex_);
    ++wakes_;
    woken_.notify_one();
  });
};

TEST_F(TransferTest, SendsBytesAndRegionsInOrder) {
  SocketPair pair;
  const auto source = std::make_shared<FakeSource>(3'000'000);
  const auto stream = Open(pair);
  std::string expected =
      "head" + source->content.substr(5, 2'000'000) + "between" + "again" + source->content.substr(0, 10);
  ASSERT_TRUE(transfer_
                  ->Send(stream, List(Bytes("head"), Region(source, 5, 2'000'000), Bytes("between"),
                                      Bytes("again"), Bytes(""), Region(source, 0, 10), Region(source, 9, 0)))
                  .ok());
  EXPECT_TRUE(pair.FarReads(expected.size()) == expected);
  EXPECT_TRUE(WaitFor(last_id()).ok());
  EXPECT_EQ(stream->sent_bytes(), static_cast<int64_t>(expected.size()));
  EXPECT_EQ(stream->waiting_bytes(), 0);
  EXPECT_EQ(transfer_->counts().file_bytes.load(), 2'000'010);
}

TEST_F(TransferTest, AClientThatClosedItsHalfGetsAllOfIt) {
  SocketPair pair;
  const auto source = std::make_shared<FakeSource>(20'000'000);
  shutdown(pair.far(), SHUT_WR);
  ASSERT_TRUE(transfer_->Send(Open(pair), List(Region(source, 0, source->content.size()))).ok());
  pair.CloseNear();  // the number that the caller had is nobody's now
  EXPECT_TRUE(pair.FarReads(source->content.size()) == source->content);
  EXPECT_TRUE(WaitFor(last_id()).ok());
}

TEST_F(TransferTest, AClientThatReadsNothingHoldsUpNobody) {
  const auto source = std::make_shared<FakeSource>(8'000'000);
  SocketPair slow(4096);
  const auto slow_stream = Open(slow);
  const uint64_t slow_id = last_id();
  ASSERT_TRUE(transfer_->Send(slow_stream, List(Region(source, 0, source->content.size()))).ok());
  for (int i = 0; i < 20; ++i) {
    SocketPair quick;
    ASSERT_TRUE(transfer_->Send(Open(quick), List(Region(source, i, 1'000'000))).ok());
    EXPECT_TRUE(quick.FarReads(1'000'000) == source->content.substr(static_cast<size_t>(i), 1'000'000));
    EXPECT_TRUE(WaitFor(last_id()).ok());
  }
  EXPECT_FALSE(HasDone(slow_id));
  EXPECT_GT(slow_stream->waiting_bytes(), 0);
  EXPECT_TRUE(slow.FarReads(source->content.size()) == source->content);
  EXPECT_TRUE(WaitFor(slow_id).ok());
}

TEST_F(TransferTest, ThousandsOfSlowReadersAllGetTheirs) {
  // Each has three descriptors here.
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const size_t readers = std::min<size_t>(2000, limit.rlim_cur / 4);
  constexpr size_t kEach = 60'000;
  const auto source = std::make_shared<FakeSource>(kEach + readers);
  std::vector<std::unique_ptr<SocketPair>> pairs;
  for (size_t i = 0; i < readers; ++i) {
    pairs.push_back(std::make_unique<SocketPair>(4096));
    const auto stream = Open(*pairs.back());
    ASSERT_TRUE(
        transfer_->Send(stream, List(Bytes("head"), Region(source, static_cast<int64_t>(i), kEach))).ok());
  }
  std::vector<std::string> got(readers);
  for (bool any = true; any;) {
    any = false;
    for (size_t i = 0; i < readers; ++i) {
      if (got[i].size() == kEach + 4) continue;
      got[i] += pairs[i]->FarReads(std::min<size_t>(20'000, kEach + 4 - got[i].size()));
      any = true;
    }
  }
  for (size_t i = 0; i < readers; ++i) {
    ASSERT_TRUE(got[i] == "head" + source->content.substr(i, kEach)) << i;
  }
  for (uint64_t id = 1; id <= readers; ++id) EXPECT_TRUE(WaitFor(id).ok());
}

TEST_F(TransferTest, ColdRangesAreReadFirstAndHoldUpNobody) {
  std::latch warming(1);
  const auto cold = std::make_shared<FakeSource>(2'000'000);
  cold->cold = true;
  cold->warming = &warming;
  const auto hot = std::make_shared<FakeSource>(100'000);
  SocketPair waits;
  ASSERT_TRUE(transfer_->Send(Open(waits), List(Bytes("head"), Region(cold, 7, 1'500'000))).ok());
  const uint64_t waiting = last_id();
  SocketPair quick;
  ASSERT_TRUE(transfer_->Send(Open(quick), List(Region(hot, 0, 100'000))).ok());
  EXPECT_TRUE(WaitFor(last_id()).ok());
  EXPECT_FALSE(HasDone(waiting));
  EXPECT_EQ(cold->sends.load(), 0);
  warming.count_down();
  EXPECT_TRUE(waits.FarReads(1'500'004) == "head" + cold->content.substr(7, 1'500'000));
  EXPECT_TRUE(WaitFor(waiting).ok());
  EXPECT_GE(cold->warm_ups.load(), 2);  // a part at a time
  EXPECT_EQ(transfer_->counts().cold_ranges.load(), cold->warm_ups.load());
}

TEST_F(TransferTest, ARegionThatComesUpShortFails) {
  const auto source = std::make_shared<FakeSource>(100'000);
  ASSERT_TRUE(source->Cut(50'000).ok());
  SocketPair pair;
  ASSERT_TRUE(transfer_->Send(Open(pair), List(Bytes("head"), Region(source, 0, 50'000))).ok());
  EXPECT_TRUE(WaitFor(last_id()).ok());
  EXPECT_EQ(pair.FarReads(50'004).size(), 50'004u);
  // FakeSource answers what sendfile does behind the end, which is nothing; a segment makes an error of it.
  class Short final : public RegionSource {
   public:
    Result<SentBytes> SendTo(int, FilePosition, size_t) override {
      return Status::Error(ErrorCode::kCorrupt, "the segment ends before the bytes asked for");
    }
    bool IsCached(FilePosition, size_t) override { return true; }
    Status Warm(FilePosition, size_t) override { return Status::Ok(); }
  };
  ASSERT_TRUE(transfer_->Send(Open(pair), List(Region(std::make_shared<Short>(), 0, 10))).ok());
  EXPECT_EQ(WaitFor(last_id()).code(), ErrorCode::kCorrupt);
}

TEST_F(TransferTest, TellsOfClosedAndBrokenFiles) {
  const auto source = std::make_shared<FakeSource>(100'000);
  SocketPair pair;
  const auto stream = Open(pair);
  source->closed = true;
  ASSERT_TRUE(transfer_->Send(stream, List(Bytes("head"), Region(source, 0, 50'000))).ok());
  EXPECT_EQ(WaitFor(last_id()).code(), ErrorCode::kClosed);
  EXPECT_EQ(stream->sent_bytes(), 4);
  // The same stream goes on: the rest is sent from a file that was opened again.
  source->closed = false;
  ASSERT_TRUE(transfer_->Send(stream, List(Region(source, 0, 50'000))).ok());
  EXPECT_TRUE(pair.FarReads(50'004) == "head" + source->content.substr(0, 50'000));
  EXPECT_TRUE(WaitFor(last_id()).ok());

  source->cold = true;
  source->warm_fails = true;
  ASSERT_TRUE(transfer_->Send(stream, List(Region(source, 0, 50'000))).ok());
  EXPECT_EQ(WaitFor(last_id()).code(), ErrorCode::kIo);
}

TEST_F(TransferTest, ALostPeerIsToldOf) {
  const auto source = std::make_shared<FakeSource>(8'000'000);
  SocketPair pair(4096);
  ASSERT_TRUE(transfer_->Send(Open(pair), List(Region(source, 0, source->content.size()))).ok());
  pair.FarReads(1000);
  pair.ResetFar();
  EXPECT_EQ(WaitFor(last_id()).code(), ErrorCode::kPeerGone);
}

TEST_F(TransferTest, CancelEndsASendUnderWayAndItsNumberIsFreeOnlyThen) {
  const auto source = std::make_shared<FakeSource>(8'000'000);
  for (int i = 0; i < 50; ++i) {
    SocketPair pair(4096);
    auto stream = Open(pair);
    std::weak_ptr<TransferStream> alive = stream;
    ASSERT_TRUE(transfer_->Send(stream, List(Bytes("head"), Region(source, 0, source->content.size()))).ok());
    if (i % 2 == 0) pair.FarReads(1000);
    transfer_->Cancel(stream);
    stream.reset();
    pair.CloseNear();
    // The far side sees the end, not bytes for ever.
    std::string rest = pair.FarReads(source->content.size());
    EXPECT_LT(rest.size(), source->content.size());
    while (!alive.expired()) std::this_thread::yield();
  }
}

TEST_F(TransferTest, EndsWithStreamsOfEveryKindUnderWay) {
  std::latch warming(1);
  const auto source = std::make_shared<FakeSource>(8'000'000);
  const auto cold = std::make_shared<FakeSource>(1'000'000);
  cold->cold = true;
  cold->warming = &warming;
  std::vector<std::unique_ptr<SocketPair>> pairs;
  for (int i = 0; i < 20; ++i) {
    pairs.push_back(std::make_unique<SocketPair>(4096));
    auto stream = Open(*pairs.back());
    const auto& from = i % 3 == 0 ? cold : source;
    ASSERT_TRUE(transfer_->Send(stream, List(Region(from, 0, 1'000'000))).ok());
    if (i % 4 == 0) transfer_->Cancel(stream);
  }
  warming.count_down();
  transfer_.reset();
}

}  // namespace
}  // namespace seglog
