#include "frame_cutter.h"

#include <algorithm>
#include <cstring>

#include "big_endian.h"

namespace seglog {

FrameCutter::Targets FrameCutter::Next(MutableByteSpan spill) {
  if (size_ < 0) return {MutableByteSpan(), spill};
  const size_t missing = static_cast<size_t>(size_) - got_;
  const size_t room = std::min(missing, capacity() - got_);
  const MutableByteSpan rest(data() + got_, room);
  if (room < missing) return {rest, MutableByteSpan()};
  return {rest, block_ ? spill.first(std::min(spill.size(), kSpillBehindBlock)) : spill};
}

CutOutcome FrameCutter::Took(const Targets& targets, size_t bytes, const std::function<void(Frame)>& take) {
  const size_t rest = std::min(bytes, targets[0].size());
  if (size_ >= 0) {
    got_ += rest;
    if (got_ == static_cast<size_t>(size_)) {
      Emit(take);
    } else {
      return Reserve() ? CutOutcome::kGood : CutOutcome::kNoMemory;
    }
  }
  return Cut(targets[1].first(bytes - rest), take);
}

CutOutcome FrameCutter::Cut(ByteSpan bytes, const std::function<void(Frame)>& take) {
  while (!bytes.empty()) {
    const size_t more = std::min(bytes.size(), kLengthBytes - prefix_size_);
    std::memcpy(prefix_.data() + prefix_size_, bytes.data(), more);
    prefix_size_ += more;
    bytes = bytes.subspan(more);
    if (prefix_size_ < kLengthBytes) return CutOutcome::kGood;
    const int32_t size = LoadBig32(prefix_.data());
    if (size < 0 || size > max_bytes_) {
      bad_length_ = size;
      return CutOutcome::kBadLength;
    }
    const auto wanted = static_cast<size_t>(size);
    if (wanted <= bytes.size() && wanted <= kBlockFrom) {
      prefix_size_ = 0;
      take({bytes.first(wanted), nullptr});
      bytes = bytes.subspan(wanted);
      continue;
    }
    const CutOutcome begun = Begin(size);
    if (begun != CutOutcome::kGood) return begun;
    // What came with it fits: memory begins larger than what is received beside a length.
    while (got_ < wanted && !bytes.empty()) {
      const size_t part = std::min({bytes.size(), wanted - got_, capacity() - got_});
      std::memcpy(data() + got_, bytes.data(), part);
      got_ += part;
      bytes = bytes.subspan(part);
      if (!Reserve()) return CutOutcome::kNoMemory;
    }
    if (got_ == wanted) Emit(take);
  }
  return CutOutcome::kGood;
}

CutOutcome FrameCutter::Begin(int32_t size) {
  prefix_size_ = 0;
  size_ = size;
  got_ = 0;
  if (static_cast<size_t>(size) > kBlockFrom) {
    block_ = pool_.Take();
    if (!block_) return CutOutcome::kNoMemory;
  }
  return Reserve() ? CutOutcome::kGood : CutOutcome::kNoMemory;
}

/// Room for at least one byte more of the frame under way.
bool FrameCutter::Reserve() {
  const auto size = static_cast<size_t>(size_);
  if (got_ == size || got_ < capacity()) return true;
  const size_t wanted = std::min(size, std::max(got_ * 2, kSmallStep));
  if (block_) return block_->Grow(wanted);
  auto larger = std::make_unique_for_overwrite<uint8_t[]>(wanted);
  if (got_ > 0) std::memcpy(larger.get(), small_.get(), got_);
  small_ = std::move(larger);
  small_capacity_ = wanted;
  return true;
}

void FrameCutter::Emit(const std::function<void(Frame)>& take) {
  const ByteSpan bytes(data(), static_cast<size_t>(size_));
  size_ = -1;
  got_ = 0;
  take({bytes, std::move(block_)});
  block_ = nullptr;
  small_ = nullptr;
  small_capacity_ = 0;
}

int16_t FrameCutter::begins_with() const {
  return size_ >= 0 && got_ >= sizeof(int16_t) ? LoadBig16(data()) : int16_t{-1};
}

size_t FrameCutter::Head(MutableByteSpan out) const {
  uint8_t length[kLengthBytes];
  if (size_ >= 0) StoreBig32(length, size_);
  const ByteSpan first = size_ >= 0 ? ByteSpan(length) : ByteSpan(prefix_.data(), prefix_size_);
  const size_t from_first = std::min(out.size(), first.size());
  std::memcpy(out.data(), first.data(), from_first);
  const size_t from_frame = size_ >= 0 ? std::min(out.size() - from_first, got_) : 0;
  if (from_frame > 0) std::memcpy(out.data() + from_first, data(), from_frame);
  return from_first + from_frame;
}

}  // namespace seglog
