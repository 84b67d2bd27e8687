#include "../core/wires.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <map>
#include <thread>

#include "../core/big_endian.h"
#include "socket_pair.h"

namespace seglog {
namespace {

using test::SocketPair;

std::string Framed(const std::string& body) {
  uint8_t length[4];
  StoreBig32(length, static_cast<int32_t>(body.size()));
  return std::string(reinterpret_cast<const char*>(length), 4) + body;
}

class WiresTest : public testing::Test {
 protected:
  struct Seen {
    std::vector<std::string> frames;
    size_t received = 0;
    uint32_t flags = 0;
    int32_t detail = 0;
    std::string head;
    int sent = 0;
  };

  uint32_t Adopt(SocketPair& pair, int32_t most = 16 << 20) {
    const auto wire = wires_->Adopt(pair.near(), most);
    EXPECT_TRUE(wire.ok());
    pair.CloseNear();
    return wire.value();
  }

  /// One turn of the loop.
  void Turn(int wait_ms) {
    pollfd one{wires_->descriptor(), POLLIN, 0};
    poll(&one, 1, wait_ms);
    if (!wires_->Poll(&delivery_)) return;
    for (const WireEvent& event : delivery_.events) {
      Seen& seen = seen_[event.wire];
      seen.received += event.received;
      if (event.flags & WireEvent::kSent) {
        ++seen.sent;
        seen.detail = event.detail;
      }
      if (event.flags & (WireEvent::kBadLength | WireEvent::kLost)) seen.detail = event.detail;
      seen.flags |= event.flags;
      if (event.flags & WireEvent::kHead) {
        seen.head.assign(reinterpret_cast<const char*>(delivery_.chunk.data()) + event.head_start,
                         event.head_size);
      }
      for (size_t i = 0; i < event.frames; ++i) {
        const DeliveredFrame& frame = delivery_.frames[event.first_frame + i];
        const uint8_t* from = frame.block < 0 ? delivery_.chunk.data()
                                              : delivery_.blocks[static_cast<size_t>(frame.block)]->data();
        seen.frames.emplace_back(reinterpret_cast<const char*>(from) + frame.start, frame.size);
      }
    }
  }

  template <typename Condition>
  void Until(Condition holds) {
    while (!holds()) Turn(1000);
  }

  bool SendText(uint32_t wire, const std::string& text, bool force = false) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    return wires_->Send(wire, {}, {&part, 1}, force);
  }

  BlockPool pool_;
  Delivery delivery_;
  std::map<uint32_t, Seen> seen_;
  std::unique_ptr<Wires> wires_ = Wires::Open(pool_).value();
};

TEST_F(WiresTest, DeliversFramesOfEverySizeInOrder) {
  SocketPair pair;
  const uint32_t wire = Adopt(pair);
  std::vector<std::string> expected;
  std::string stream;
  for (const size_t size : {0, 1, 100, 65'536, 65'537, 1'000'000, 5, 3'000'000, 40'000, 40'000, 0}) {
    expected.push_back(std::string(size, static_cast<char>('a' + expected.size())));
    stream += Framed(expected.back());
  }
  std::thread client([&] { pair.FarSends(stream); });
  Until([&] { return seen_[wire].frames.size() == expected.size(); });
  client.join();
  EXPECT_TRUE(seen_[wire].frames == expected);
  EXPECT_EQ(seen_[wire].received, stream.size());
  EXPECT_EQ(wires_->cutter(wire).held(), 0u);
}

TEST_F(WiresTest, TensOfThousandsOfTinyFramesAtOnce) {
  SocketPair pair;
  const uint32_t wire = Adopt(pair);
  std::string stream;
  for (int i = 0; i < 50'000; ++i) stream += Framed(i % 2 ? "x" : "");
  std::thread client([&] { pair.FarSends(stream); });
  Until([&] { return seen_[wire].frames.size() == 50'000; });
  client.join();
  for (size_t i = 0; i < 50'000; ++i) ASSERT_EQ(seen_[wire].frames[i], i % 2 ? "x" : "");
}

TEST_F(WiresTest, ManyWiresShareAPass) {
  constexpr size_t kWires = 100;
  std::vector<std::unique_ptr<SocketPair>> pairs;
  std::vector<uint32_t> wires;
  for (size_t i = 0; i < kWires; ++i) {
    pairs.push_back(std::make_unique<SocketPair>());
    wires.push_back(Adopt(*pairs.back()));
    pairs.back()->FarSends(Framed(std::string(20'000, static_cast<char>(i))));
  }
  Until([&] {
    return std::all_of(wires.begin(), wires.end(),
                       [&](uint32_t wire) { return seen_[wire].frames.size() == 1; });
  });
  for (size_t i = 0; i < kWires; ++i) {
    EXPECT_EQ(seen_[wires[i]].frames[0], std::string(20'000, static_cast<char>(i)));
  }
}

TEST_F(WiresTest, TellsTheHeadUntilAFrameIsWhole) {
  SocketPair pair;
  const uint32_t wire = Adopt(pair);
  pair.FarSends("GET / HTTP");
  Until([&] { return seen_[wire].flags != 0; });
  EXPECT_EQ(seen_[wire].flags & WireEvent::kBadLength, WireEvent::kBadLength);
  EXPECT_EQ(seen_[wire].detail, 0x47455420);
  EXPECT_EQ(seen_[wire].head.substr(0, 4), "GET ");
  // What comes behind is dropped, and the end is noticed.
  pair.FarSends(Framed("not a frame any more"));
  shutdown(pair.far(), SHUT_WR);
  Until([&] { return (seen_[wire].flags & WireEvent::kEnd) != 0; });
  EXPECT_TRUE(seen_[wire].frames.empty());

  SocketPair slow;
  const uint32_t begun = Adopt(slow);
  slow.FarSends(std::string("\0\0\1\0ab", 6));
  Until([&] { return seen_[begun].head.size() == 6; });
  EXPECT_EQ(wires_->cutter(begun).held(), 6u);
}

TEST_F(WiresTest, AConnectionThatEndsWithoutAByteHasNoHead) {
  SocketPair pair;
  const uint32_t wire = Adopt(pair);
  shutdown(pair.far(), SHUT_WR);
  Until([&] { return seen_[wire].flags != 0; });
  EXPECT_EQ(seen_[wire].flags, WireEvent::kEnd);
}

TEST_F(WiresTest, APausedWireReceivesNothingButAnErrorIsToldOnce) {
  SocketPair pair;
  const uint32_t wire = Adopt(pair);
  wires_->Pause(wire);
  pair.FarSends(Framed("later"));
  Turn(20);
  EXPECT_EQ(seen_[wire].received, 0u);
  wires_->Resume(wire);
  Until([&] { return seen_[wire].frames.size() == 1; });
  wires_->Pause(wire);
  pair.ResetFar();
  Until([&] { return seen_[wire].flags != 0; });
  EXPECT_EQ(seen_[wire].flags, WireEvent::kLost);
  seen_.clear();
  Turn(20);
  EXPECT_TRUE(seen_.empty());
}

TEST_F(WiresTest, AnswersLeaveAtOnceOrByTheTransfer) {
  SocketPair pair(4096);
  const uint32_t wire = Adopt(pair);
  EXPECT_TRUE(SendText(wire, "small"));
  EXPECT_EQ(pair.FarReads(5), "small");
  EXPECT_TRUE(SendText(wire, ""));
  const std::string large(5'000'000, 'l');
  EXPECT_FALSE(SendText(wire, large));
  EXPECT_TRUE(wires_->IsSending(wire));
  std::string got;
  std::thread client([&] { got = pair.FarReads(large.size()); });
  Until([&] { return seen_[wire].sent == 1; });
  client.join();
  EXPECT_TRUE(got == large);
  EXPECT_FALSE(wires_->IsSending(wire));
  EXPECT_EQ(wires_->stream(wire).sent_bytes(), 5'000'005);
  EXPECT_FALSE(SendText(wire, "forced", true));
  Until([&] { return seen_[wire].sent == 2; });
  EXPECT_EQ(pair.FarReads(6), "forced");
  wires_->EndSending(wire);
  EXPECT_EQ(pair.FarReads(1), "");
}

TEST_F(WiresTest, AHalfClosedClientGetsItsAnswer) {
  SocketPair pair;
  const uint32_t wire = Adopt(pair);
  pair.FarSends(Framed("ask"));
  shutdown(pair.far(), SHUT_WR);
  Until([&] { return (seen_[wire].flags & WireEvent::kEnd) != 0; });
  EXPECT_EQ(seen_[wire].frames.size(), 1u);
  EXPECT_TRUE(SendText(wire, "answer"));
  wires_->EndSending(wire);
  EXPECT_EQ(pair.FarReads(100), "answer");
  seen_.clear();
  Turn(20);
  EXPECT_TRUE(seen_.empty());  // it is not told again and again
}

TEST_F(WiresTest, ALostPeerIsMetWhenSending) {
  SocketPair pair;
  const uint32_t wire = Adopt(pair);
  wires_->Pause(wire);
  pair.ResetFar();
  for (;;) {
    if (SendText(wire, "into nowhere")) continue;
    Until([&] { return seen_[wire].sent == 1; });
    break;
  }
  EXPECT_EQ(seen_[wire].detail, static_cast<int32_t>(SentOutcome::kLost));
}

TEST_F(WiresTest, AClosedWireTellsNothingAndItsNumberIsGivenAgain) {
  for (int i = 0; i < 100; ++i) {
    SocketPair pair(4096);
    const uint32_t wire = Adopt(pair);
    EXPECT_EQ(wire, 1u);
    pair.FarSends(Framed("never seen"));
    EXPECT_FALSE(SendText(wire, std::string(1'000'000, 'x')));
    wires_->Close(wire);
    EXPECT_FALSE(wires_->Has(wire));
    Turn(0);
    EXPECT_TRUE(seen_.empty());
    EXPECT_EQ(wires_->size(), 0u);
  }
}

TEST_F(WiresTest, RefusesWhatIsNoSocket) {
  EXPECT_EQ(wires_->Adopt(wires_->descriptor(), 100).status().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(wires_->Adopt(99'999, 100).status().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace seglog
