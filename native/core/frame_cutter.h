// Cuts what a connection brings into frames: a length of four bytes, big endian, and so many bytes.
//
// Frames that come whole are found where they were received; of one that does not, the rest is received where
// it belongs, so that no byte is copied more than once, and those of large frames not at all. Memory grows
// with the bytes that came, never with what was announced.
//
// Thread rule: one thread at a time.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "block_pool.h"
#include "types.h"

namespace seglog {

/// A whole frame, without its length in front. Its bytes are the block's where there is one; else they are to
/// be used or copied before the call returns that told of it.
struct Frame {
  ByteSpan bytes;
  std::unique_ptr<Block> block;
};

enum class CutOutcome : uint8_t { kGood, kBadLength, kNoMemory };

class FrameCutter {
 public:
  /// Frames above this have a block of their own.
  static constexpr size_t kBlockFrom = 64 << 10;
  /// Behind the rest of a frame in a block only so much is received besides: it will mostly be the beginning
  /// of a next one and has to be copied.
  static constexpr size_t kSpillBehindBlock = 4 << 10;

  /// Lengths above max_bytes are refused.
  FrameCutter(int32_t max_bytes, BlockPool& pool) : max_bytes_(max_bytes), pool_(pool) {}

  using Targets = std::array<MutableByteSpan, 2>;
  /// Where to receive next, in this order: the rest of the frame under way (may be empty), and a part of
  /// `spill`. Valid until Took.
  Targets Next(MutableByteSpan spill);
  /// `bytes` have come into the targets of Next. Tells `take` of every frame that is whole. After anything
  /// but kGood it is not to be used again.
  CutOutcome Took(const Targets& targets, size_t bytes, const std::function<void(Frame)>& take);

  /// Bytes held of what is not whole yet.
  size_t held() const { return prefix_size_ + (size_ >= 0 ? kLengthBytes + got_ : 0); }
  /// The first bytes of those, at most out.size(); how many.
  size_t Head(MutableByteSpan out) const;
  /// The first two bytes of the frame under way, as a signed number; -1 while they are not there.
  int16_t begins_with() const;
  /// What was announced when Took answered kBadLength.
  int32_t bad_length() const { return bad_length_; }

 private:
  static constexpr size_t kLengthBytes = 4;
  static constexpr size_t kSmallStep = 4 << 10;

  CutOutcome Cut(ByteSpan bytes, const std::function<void(Frame)>& take);
  CutOutcome Begin(int32_t size);
  bool Reserve();
  uint8_t* data() const { return block_ ? block_->data() : small_.get(); }
  size_t capacity() const { return block_ ? block_->capacity() : small_capacity_; }
  void Emit(const std::function<void(Frame)>& take);

  const int32_t max_bytes_;
  BlockPool& pool_;
  // A length of which not all has come.
  std::array<uint8_t, kLengthBytes> prefix_{};
  size_t prefix_size_ = 0;
  // The frame under way; size_ -1: none.
  int32_t size_ = -1;
  size_t got_ = 0;
  std::unique_ptr<Block> block_;
  std::unique_ptr<uint8_t[]> small_;
  size_t small_capacity_ = 0;
  int32_t bad_length_ = 0;
};

}  // namespace seglog
