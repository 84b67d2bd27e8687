#include "../core/frame_cutter.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "../core/big_endian.h"

namespace seglog {
namespace {

constexpr int32_t kMost = 4 << 20;

std::string Framed(const std::string& body) {
  uint8_t length[4];
  StoreBig32(length, static_cast<int32_t>(body.size()));
  return std::string(reinterpret_cast<const char*>(length), 4) + body;
}

/// A connection that brings bytes in pieces.
class Brought {
 public:
  explicit Brought(size_t spill = 70'000) : spill_(spill) {}

  /// As one receive of the system: fills what the cutter offers, at most `most` bytes.
  CutOutcome Receive(std::string_view& stream, size_t most) {
    const FrameCutter::Targets targets = cutter.Next(spill_);
    size_t brought = 0;
    for (const MutableByteSpan target : targets) {
      const size_t part = std::min({target.size(), most - brought, stream.size() - brought});
      if (part > 0) std::memcpy(target.data(), stream.data() + brought, part);
      brought += part;
    }
    EXPECT_GT(brought, 0u);
    stream.remove_prefix(brought);
    return cutter.Took(targets, brought, [this](Frame frame) {
      EXPECT_EQ(frame.block != nullptr, frame.bytes.size() > FrameCutter::kBlockFrom);
      frames.emplace_back(reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size());
    });
  }

  CutOutcome All(std::string_view stream, size_t most = SIZE_MAX) {
    while (!stream.empty()) {
      const CutOutcome outcome = Receive(stream, most);
      if (outcome != CutOutcome::kGood) return outcome;
    }
    return CutOutcome::kGood;
  }

  BlockPool pool;
  FrameCutter cutter{kMost, pool};
  std::vector<std::string> frames;

 private:
  std::vector<uint8_t> spill_;
};

TEST(FrameCutter, FindsFramesHoweverTheyAreCut) {
  std::mt19937 random(20);
  const size_t sizes[] = {0, 1, 3, 4, 5, 100, 4095, 4096, 4097, 65'535, 65'536, 65'537, 1'200'000, 3'000'000};
  for (const size_t most : {size_t{1}, size_t{7}, size_t{1000}, size_t{65'536}, SIZE_MAX}) {
    std::vector<std::string> expected;
    std::string stream;
    for (int i = 0; i < 40; ++i) {
      // Byte by byte the large ones would take a minute under a sanitizer.
      const size_t size = sizes[random() % (most < 1000 ? 9 : std::size(sizes))];
      std::string body(size, static_cast<char>(random()));
      for (size_t at = 0; at < size; at += 97) body[at] = static_cast<char>(random());
      stream += Framed(body);
      expected.push_back(std::move(body));
    }
    Brought brought(most == 7 ? 10 : 70'000);
    ASSERT_EQ(brought.All(stream, most), CutOutcome::kGood);
    EXPECT_TRUE(brought.frames == expected) << "at most " << most;
    EXPECT_EQ(brought.cutter.held(), 0u);
    EXPECT_EQ(brought.pool.used_bytes(), 0);
  }
}

TEST(FrameCutter, RefusesLengthsThatAreNone) {
  for (const int32_t length : {-1, INT32_MIN, kMost + 1}) {
    uint8_t raw[4];
    StoreBig32(raw, length);
    Brought brought;
    const std::string stream = Framed("good") + std::string(reinterpret_cast<const char*>(raw), 4) + "rest";
    EXPECT_EQ(brought.All(stream), CutOutcome::kBadLength);
    EXPECT_EQ(brought.frames, std::vector<std::string>{"good"});
    EXPECT_EQ(brought.cutter.bad_length(), length);
    uint8_t head[16];
    ASSERT_EQ(brought.cutter.Head(head), 4u);
    EXPECT_EQ(std::memcmp(head, raw, 4), 0);
  }
}

TEST(FrameCutter, TellsWhatItHolds) {
  Brought brought;
  ASSERT_EQ(brought.All(std::string_view("\0\0", 2)), CutOutcome::kGood);
  EXPECT_EQ(brought.cutter.held(), 2u);
  EXPECT_EQ(brought.cutter.begins_with(), -1);
  ASSERT_EQ(brought.All(std::string("\0\x09\0", 3)), CutOutcome::kGood);
  EXPECT_EQ(brought.cutter.held(), 5u);
  EXPECT_EQ(brought.cutter.begins_with(), -1);
  ASSERT_EQ(brought.All(std::string("\x12", 1)), CutOutcome::kGood);
  EXPECT_EQ(brought.cutter.begins_with(), 0x12);
  uint8_t head[16];
  ASSERT_EQ(brought.cutter.Head(head), 6u);
  EXPECT_EQ(std::memcmp(head, "\0\0\0\x09\0\x12", 6), 0);
  EXPECT_EQ(brought.cutter.Head(MutableByteSpan(head, 3)), 3u);
}

TEST(FrameCutter, AnAnnouncedLengthReservesNothing) {
  BlockPool pool;
  FrameCutter cutter(INT32_MAX, pool);
  uint8_t stream[5] = {};
  StoreBig32(stream, INT32_MAX);
  std::vector<uint8_t> spill(4096);
  const auto targets = cutter.Next(spill);
  std::memcpy(targets[1].data(), stream, sizeof stream);
  ASSERT_EQ(cutter.Took(targets, sizeof stream, [](Frame) {}), CutOutcome::kGood);
  EXPECT_EQ(pool.used_bytes(), static_cast<int64_t>(BlockPool::kBlockBytes));
}

TEST(BlockPool, GivesBlocksAgainAndKeepsWhatGrew) {
  BlockPool pool;
  auto block = pool.Take();
  uint8_t* const first = block->data();
  std::memset(first, 7, block->capacity());
  block.reset();
  block = pool.Take();
  EXPECT_EQ(block->data(), first);
  ASSERT_TRUE(block->Grow(8 << 20));
  EXPECT_EQ(block->data()[BlockPool::kBlockBytes - 1], 7);
  block->data()[(8 << 20) - 1] = 9;
  EXPECT_EQ(pool.used_bytes(), 8 << 20);
  block.reset();
  EXPECT_EQ(pool.used_bytes(), 0);
}

}  // namespace
}  // namespace seglog
