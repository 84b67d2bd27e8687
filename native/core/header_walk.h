// Walks batch headers of a `.log` forward, from one batch boundary to a limit, without reading bodies it can
// skip.
//
// Thread rule: one thread. Refers to the file and the buffer it was given.
#pragma once

#include <optional>

#include "io.h"
#include "record_batch.h"

namespace seglog {

enum class Wait : bool { kNo, kYes };

/// ReadAt or ReadAtNoWait.
inline Result<size_t> ReadFile(File& file, FilePosition position, uint8_t* out, size_t size, Wait wait) {
  return wait == Wait::kYes ? file.ReadAt(position.value, out, size)
                            : file.ReadAtNoWait(position.value, out, size);
}

struct BatchAt {
  BatchHeader header;
  FilePosition position;
  FilePosition end() const { return position + header.size_bytes(); }
};

class HeaderWalk {
 public:
  /// buffer: at least kBatchOverhead bytes; a larger one takes in many small batches by one read.
  HeaderWalk(File& file, FilePosition from, FilePosition limit, MutableByteSpan buffer, Wait wait)
      : file_(file), next_(from), limit_(limit), buffer_(buffer), wait_(wait) {}

  /// The next batch that ends at or below the limit; nullopt where none begins below it, kCorrupt (with the
  /// position) where what begins there is no batch, kCold.
  Result<std::optional<BatchAt>> Next();
  /// Where Next() looks.
  FilePosition next() const { return next_; }

 private:
  Result<ByteSpan> HeaderBytes();

  File& file_;
  FilePosition next_;
  const FilePosition limit_;
  const MutableByteSpan buffer_;
  const Wait wait_;
  FilePosition buffer_from_;
  size_t buffered_ = 0;
};

}  // namespace seglog
