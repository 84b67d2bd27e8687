#include "crc32c.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>
#include <string_view>
#include <vector>

namespace seglog {
namespace {

using crc32c_internal::Extend;

std::vector<uint8_t> RandomBytes(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

class Crc32cKinds : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string_view kind = GetParam();
    if (kind == "table") extend_ = crc32c_internal::ExtendTable;
    if (kind == "hardware") extend_ = crc32c_internal::HardwareExtend();
    if (kind == "folding") extend_ = crc32c_internal::FoldingExtend();
    if (extend_ == nullptr) GTEST_SKIP() << "this CPU has no instruction for it";
  }
  uint32_t Of(const std::vector<uint8_t>& bytes) { return extend_(0, bytes.data(), bytes.size()); }
  Extend extend_ = nullptr;
};

// RFC 3720, appendix B.4.
TEST_P(Crc32cKinds, KnownVectors) {
  EXPECT_EQ(Of(std::vector<uint8_t>(32, 0x00)), 0x8a9136aau);
  EXPECT_EQ(Of(std::vector<uint8_t>(32, 0xff)), 0x62a8ab43u);
  std::vector<uint8_t> bytes(32);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  EXPECT_EQ(Of(bytes), 0x46dd794eu);
  std::reverse(bytes.begin(), bytes.end());
  EXPECT_EQ(Of(bytes), 0x113fdb5cu);
  const std::vector<uint8_t> read_command = {
      0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
      0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  EXPECT_EQ(Of(read_command), 0xd9963a56u);
  const std::string_view digits = "123456789";
  EXPECT_EQ(Of({digits.begin(), digits.end()}), 0xe3069283u);
  EXPECT_EQ(extend_(0, nullptr, 0), 0u);
}

// Bit by bit, as the definition says.
uint32_t Slow(uint32_t crc, const uint8_t* data, size_t size) {
  crc = ~crc;
  for (size_t i = 0; i < size; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
  }
  return ~crc;
}

TEST_P(Crc32cKinds, EveryLengthAndAlignment) {
  const std::vector<uint8_t> bytes = RandomBytes(4096 + 16, 1);
  for (size_t size = 0; size <= 4096; ++size) {
    const size_t at = size % 16;
    const uint32_t start = static_cast<uint32_t>(size * 2654435761u);
    ASSERT_EQ(extend_(start, bytes.data() + at, size), Slow(start, bytes.data() + at, size)) << size;
  }
  for (size_t at = 0; at < 16; ++at) {
    for (const size_t size : {0, 1, 7, 8, 9, 63, 64, 383, 384, 385, 1000, 4095, 4096}) {
      ASSERT_EQ(extend_(0, bytes.data() + at, size), Slow(0, bytes.data() + at, size)) << at << " " << size;
    }
  }
}

TEST_P(Crc32cKinds, LongRunsContinue) {
  const std::vector<uint8_t> bytes = RandomBytes(100'003, 2);
  const uint32_t whole = Slow(0, bytes.data(), bytes.size());
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{6143}, size_t{6144}, size_t{50'000}, bytes.size()}) {
    const uint32_t front = extend_(0, bytes.data(), cut);
    EXPECT_EQ(extend_(front, bytes.data() + cut, bytes.size() - cut), whole) << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Crc32cKinds, testing::Values("table", "hardware", "folding"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(Crc32c, PublicOneMatchesTheTable) {
  const std::vector<uint8_t> bytes = RandomBytes(20'000, 3);
  EXPECT_EQ(Crc32c(bytes.data(), bytes.size()), crc32c_internal::ExtendTable(0, bytes.data(), bytes.size()));
}

TEST(Crc32cCopy, CopiesAllAndNothingElse) {
  const std::vector<uint8_t> bytes = RandomBytes(20'000, 4);
  for (const size_t size : {0, 1, 61, 8191, 8192, 8193, 16384, 19'999}) {
    std::vector<uint8_t> target(bytes.size() + 2, 0xee);
    const uint32_t crc = Crc32cCopy(target.data() + 1, bytes.data(), size, 77);
    EXPECT_EQ(crc, Crc32c(bytes.data(), size, 77)) << size;
    EXPECT_EQ(std::memcmp(target.data() + 1, bytes.data(), size), 0) << size;
    EXPECT_EQ(target[0], 0xee);
    EXPECT_EQ(target[size + 1], 0xee) << size;
  }
}

}  // namespace
}  // namespace seglog
