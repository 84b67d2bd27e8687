// Several buffers read as one run of bytes: whole batches whose bytes may be spread over them.
//
// Thread rule: one thread. Refers to the buffers it was given.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "types.h"

namespace seglog {

class BatchParts {
 public:
  explicit BatchParts(std::span<const ByteSpan> parts) : parts_(parts) {
    for (const ByteSpan part : parts) left_ += part.size();
  }

  size_t left() const { return left_; }

  /// Hands the next `size` bytes (at most left()) to visit(pointer, size), piece by piece.
  template <typename Visit>
  void Take(size_t size, Visit visit) {
    left_ -= size;
    while (size > 0) {
      const ByteSpan part = parts_[index_];
      const size_t piece = std::min(size, part.size() - at_);
      if (piece > 0) visit(part.data() + at_, piece);
      size -= piece;
      at_ += piece;
      if (at_ == part.size()) {
        ++index_;
        at_ = 0;
      }
    }
  }

  void Copy(uint8_t* out, size_t size) {
    Take(size, [&](const uint8_t* piece, size_t piece_size) {
      std::memcpy(out, piece, piece_size);
      out += piece_size;
    });
  }

  void Skip(size_t size) {
    Take(size, [](const uint8_t*, size_t) {});
  }

 private:
  const std::span<const ByteSpan> parts_;
  size_t index_ = 0;
  size_t at_ = 0;
  size_t left_ = 0;
};

}  // namespace seglog
