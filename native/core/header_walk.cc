#include "header_walk.h"

#include <algorithm>

namespace seglog {

Result<ByteSpan> HeaderWalk::HeaderBytes() {
  const int64_t skip = next_ - buffer_from_;
  const bool inside =
      skip >= 0 && skip + static_cast<int64_t>(kBatchOverhead) <= static_cast<int64_t>(buffered_);
  if (inside) return ByteSpan(buffer_.data() + skip, kBatchOverhead);
  const auto wanted = std::min<int64_t>(static_cast<int64_t>(buffer_.size()), limit_ - next_);
  auto read = ReadFile(file_, next_, buffer_.data(), static_cast<size_t>(wanted), wait_);
  if (!read.ok()) return read.status();
  buffer_from_ = next_;
  buffered_ = *read;
  return ByteSpan(buffer_.data(), std::min(buffered_, kBatchOverhead));
}

Result<std::optional<BatchAt>> HeaderWalk::Next() {
  if (next_ >= limit_) return std::optional<BatchAt>();
  auto bytes = HeaderBytes();
  if (!bytes.ok()) return bytes.status();
  auto header = ParseBatchHeader(*bytes);
  if (!header.ok()) {
    return Status::Error(ErrorCode::kCorrupt, header.status().detail().message, file_.path()).At(next_.value);
  }
  if (header->size_bytes() > limit_ - next_) {
    return Status::Error(ErrorCode::kCorrupt, "a batch passes the end of the log", file_.path())
        .At(next_.value);
  }
  const BatchAt batch{*header, next_};
  next_ = batch.end();
  return std::optional<BatchAt>(batch);
}

}  // namespace seglog
