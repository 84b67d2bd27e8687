// What a connection brings, cut anywhere: the first byte chooses how much comes at a time, the rest is what
// comes. Whatever it is, the cutter tells the same frames as a reader that has all of it, in order, up to the
// first length that is none.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "big_endian.h"
#include "frame_cutter.h"

namespace {

using namespace seglog;

constexpr int32_t kMost = 200'000;

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t step = data[0] % 64 + 1;
  ByteSpan left(data + 1, size - 1);
  const uint8_t* expected = left.data();  // the next length

  BlockPool pool;
  FrameCutter cutter(kMost, pool);
  std::vector<uint8_t> spill(100);
  CutOutcome outcome = CutOutcome::kGood;
  while (!left.empty() && outcome == CutOutcome::kGood) {
    const auto targets = cutter.Next(spill);
    size_t brought = 0;
    for (const MutableByteSpan target : targets) {
      const size_t part = std::min({target.size(), step - brought, left.size() - brought});
      if (part > 0) std::memcpy(target.data(), left.data() + brought, part);
      brought += part;
    }
    Check(brought > 0);
    left = left.subspan(brought);
    outcome = cutter.Took(targets, brought, [&](Frame frame) {
      Check(static_cast<size_t>(LoadBig32(expected)) == frame.bytes.size());
      Check(std::memcmp(expected + 4, frame.bytes.data(), frame.bytes.size()) == 0);
      expected += 4 + frame.bytes.size();
    });
    if (outcome == CutOutcome::kGood) {
      Check(expected + cutter.held() == left.data());
    } else {
      Check(outcome == CutOutcome::kBadLength && LoadBig32(expected) == cutter.bad_length());
      Check(cutter.bad_length() < 0 || cutter.bad_length() > kMost);
    }
  }
  return 0;
}
