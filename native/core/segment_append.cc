// The two lanes of Segment's append. Both plan first, then store, then publish.
#include <array>
#include <cassert>
#include <cstring>
#include <vector>

#include "append_plan.h"
#include "coarse_clock.h"
#include "crc32c.h"
#include "segment.h"

namespace seglog {

namespace {

// Above this, and unless the batches are small, bodies are checked and written where they are instead of
// being copied.
constexpr size_t kCopiedAppendBytes = 64 << 10;
constexpr size_t kSmallBatchBytes = 4096;

Status WrongCrc(const BatchHeader& header, size_t index) {
  return Status::Error(ErrorCode::kCorruptBatch,
                       "batch " + std::to_string(index) + " of this append does not match its CRC")
      .At(-1, header.base_offset.value);
}

/// The header's share of a CRC: what lies behind kCrcStart.
uint32_t HeaderCrc(const uint8_t* raw) { return Crc32c(raw + kCrcStart, kBatchOverhead - kCrcStart); }

/// The largest timestamp of a batch's records; kInvalidBatch where they break the rules.
Result<TimestampMs> CheckRecords(ByteSpan body, const BatchHeader& header, const RecordRules& rules) {
  auto walk = WalkBody(body, header, true);
  if (!walk.ok()) return walk.status();
  if (rules.keyed && walk->any_null_key)
    return Status::Error(ErrorCode::kInvalidBatch, "a record has no key");
  if (walk->max_timestamp > rules.newest || walk->min_timestamp < rules.oldest) {
    return Status::Error(ErrorCode::kInvalidBatch, "a record's timestamp is out of bounds");
  }
  return walk->max_timestamp;
}

/// Copies planned batches to `target`, stamped and with their CRCs checked or computed. At most plan.bytes
/// are stored, header first; *stored tells how many when it fails.
Status CopyBatches(std::span<const ByteSpan> given, AppendPlan* plan, const AppendOptions& options,
                   RecordOffset next, uint8_t* target, size_t* stored) {
  BatchParts parts(given);
  for (size_t i = 0; i < plan->batches; ++i) {
    uint8_t raw[kBatchOverhead];
    auto header = TakeHeader(&parts, *plan, i == 0, plan->bytes - *stored, raw);
    if (!header.ok()) return header.status();
    const BatchHeader as_given = *header;
    const uint32_t given_crc = options.crc == CrcMode::kVerify ? HeaderCrc(raw) : 0;
    StampHeader(options, next, raw, &*header);
    std::memcpy(target, raw, kBatchOverhead);
    *stored += static_cast<size_t>(header->size_bytes());

    const auto body = static_cast<size_t>(header->size_bytes()) - kBatchOverhead;
    bool restamped = options.append_time.value >= 0;
    uint32_t crc = options.crc == CrcMode::kVerify ? given_crc : HeaderCrc(raw);
    uint8_t* to = target + kBatchOverhead;
    parts.Take(body, [&](const uint8_t* piece, size_t size) {
      crc = Crc32cCopy(to, piece, size, crc);
      to += size;
    });
    if (options.crc == CrcMode::kVerify) {
      if (crc != header->crc) return WrongCrc(*header, i);
      if (options.records && as_given.codec() == 0) {
        auto newest = CheckRecords({target + kBatchOverhead, body}, as_given, *options.records);
        if (!newest.ok()) return newest.status();
        if (!restamped && *newest != as_given.max_timestamp) {
          restamped = true;
          PatchMaxTimestamp(target, *newest);
          if (i == 0) plan->first.max_timestamp = *newest;
        }
      }
      if (restamped) crc = Crc32c(target + kCrcStart, body + kBatchOverhead - kCrcStart);
    }
    if (options.crc == CrcMode::kCompute || restamped) PatchCrc(target, crc);
    next = header->last_offset() + 1;
    target += header->size_bytes();
  }
  return Status::Ok();
}

/// Batches as they are to be written: headers of their own, bodies where they were given.
struct SlicedBatches {
  std::vector<std::array<uint8_t, kBatchOverhead>> headers;
  std::vector<IoSlice> slices;
};

uint32_t BodyCrc(std::span<const IoSlice> body, uint32_t crc) {
  for (const IoSlice& piece : body) crc = Crc32c(piece.data, piece.size, crc);
  return crc;
}

/// The body in one piece: where it is, or copied together into `joined`.
ByteSpan Joined(std::span<const IoSlice> body, std::vector<uint8_t>* joined) {
  if (body.size() == 1) return {body[0].data, body[0].size};
  joined->clear();
  for (const IoSlice& piece : body) joined->insert(joined->end(), piece.data, piece.data + piece.size);
  return *joined;
}

/// As CopyBatches, but only headers are copied; bodies stay where they are.
Status SliceBatches(std::span<const ByteSpan> given, const AppendPlan& plan, const AppendOptions& options,
                    RecordOffset next, SlicedBatches* sliced) {
  BatchParts parts(given);
  std::vector<uint8_t> joined;
  sliced->headers.resize(plan.batches);
  size_t planned = 0;
  for (size_t i = 0; i < plan.batches; ++i) {
    uint8_t* raw = sliced->headers[i].data();
    auto header = TakeHeader(&parts, plan, i == 0, plan.bytes - planned, raw);
    if (!header.ok()) return header.status();
    planned += static_cast<size_t>(header->size_bytes());
    const BatchHeader as_given = *header;
    const uint32_t given_crc = HeaderCrc(raw);
    StampHeader(options, next, raw, &*header);
    sliced->slices.push_back({raw, kBatchOverhead});
    const size_t first_piece = sliced->slices.size();
    parts.Take(static_cast<size_t>(header->size_bytes()) - kBatchOverhead,
               [&](const uint8_t* piece, size_t size) {
                 sliced->slices.push_back({piece, size});
               });
    const auto body = std::span<const IoSlice>(sliced->slices).subspan(first_piece);

    bool restamped = options.crc == CrcMode::kCompute || options.append_time.value >= 0;
    if (options.crc == CrcMode::kVerify) {
      if (BodyCrc(body, given_crc) != as_given.crc) return WrongCrc(*header, i);
      if (options.records && as_given.codec() == 0) {
        auto newest = CheckRecords(Joined(body, &joined), as_given, *options.records);
        if (!newest.ok()) return newest.status();
        if (!restamped && *newest != as_given.max_timestamp) {
          restamped = true;
          PatchMaxTimestamp(raw, *newest);
        }
      }
    }
    if (restamped) PatchCrc(raw, BodyCrc(body, HeaderCrc(raw)));
    next = header->last_offset() + 1;
  }
  return Status::Ok();
}

}  // namespace

/// Catches, in debug builds, two threads that both believe to hold the lease.
class Segment::LeaseCheck {
 public:
#ifdef NDEBUG
  explicit LeaseCheck(Segment&) {}
#else
  explicit LeaseCheck(Segment& segment) : held_(segment.lease_held_) { assert(!held_.exchange(true)); }
  ~LeaseCheck() { held_.store(false); }

 private:
  std::atomic<bool>& held_;
#endif
};

Status Segment::CheckAppendable() const {
  if (closed_.load(std::memory_order_relaxed))
    return Status::Error(ErrorCode::kClosed, "the segment is closed", log_path_);
  if (sealed())
    return Status::Error(ErrorCode::kClosed, "the segment is sealed: append to its successor", log_path_);
  return directory_->CheckWritable();
}

AppendOutcome Segment::Check(std::span<const ByteSpan> parts, const AppendOptions& options, AppendPlan* plan,
                             Status* error) const {
  const AppendFrom from{options_.base_offset, next_offset_, bytes_since_entry_,
                        options_.index_interval_bytes};
  *error = PlanAppend(parts, options.keep_offsets, from, plan);
  if (!error->ok()) return AppendOutcome::kFailed;
  const auto bytes = static_cast<int64_t>(plan->bytes);
  const bool empty = end_.value == 0;
  const size_t entries = plan->index_entries;
  const bool index_full = offset_index_->full() || time_index_->full() ||
                          offset_index_->entries() + entries > offset_index_->max_entries() ||
                          time_index_->entries() + entries + 1 > time_index_->max_entries();
  if (bytes > options_.segment_bytes || (empty && plan->offsets_overflow)) {
    // No roll would help.
    *error = Status::Error(ErrorCode::kBatchTooLarge,
                           std::to_string(bytes) + " bytes in one append do not fit a segment of " +
                               std::to_string(options_.segment_bytes),
                           log_path_);
    return AppendOutcome::kFailed;
  }
  if (end_.value + bytes > options_.segment_bytes || plan->offsets_overflow || (index_full && !empty)) {
    return AppendOutcome::kSegmentFull;
  }
  return AppendOutcome::kDone;
}

AppendOutcome Segment::AppendNow(std::span<const ByteSpan> parts, const AppendOptions& options,
                                 Appended* appended, Status* error) {
  LeaseCheck lease(*this);
  *error = CheckAppendable();
  if (!error->ok()) return AppendOutcome::kFailed;
  size_t bytes = 0;
  for (const ByteSpan part : parts) bytes += part.size();
  if (bytes > kMappedLaneBytes) return AppendOutcome::kNotReady;
  const int64_t now_ms = CoarseNowMs();
  last_small_append_ms_.store(now_ms, std::memory_order_relaxed);
  uint8_t* const target = window_->ReadyAt(end_.value, static_cast<int64_t>(bytes), now_ms);
  if (target == nullptr && end_.value + static_cast<int64_t>(bytes) <= options_.segment_bytes) {
    NudgeHelper();
    return AppendOutcome::kNotReady;
  }
  AppendPlan plan;
  const AppendOutcome outcome = Check(parts, options, &plan, error);
  if (outcome != AppendOutcome::kDone) return outcome;

  size_t stored = 0;
  *error = CopyBatches(parts, &plan, options, next_offset_, target, &stored);
  if (!error->ok()) {
    // Whole batches that were refused must not be found behind the end one day. The first header goes last:
    // while it stands, recovery looks behind it.
    std::memset(target + kBatchOverhead, 0, stored - kBatchOverhead);
    std::memset(target, 0, kBatchOverhead);
    return AppendOutcome::kFailed;
  }
  *appended = Account(plan, options, target);
  PublishToSlot();
  Publish();
  if (end_.value > window_->nudge_at()) NudgeHelper();
  return AppendOutcome::kDone;
}

Result<Appended> Segment::Append(std::span<const ByteSpan> parts, const AppendOptions& options) {
  LeaseCheck lease(*this);
  SEGLOG_RETURN_IF_ERROR(CheckAppendable());
  AppendPlan plan;
  Status error;
  const AppendOutcome outcome = Check(parts, options, &plan, &error);
  if (outcome == AppendOutcome::kFailed) return error;
  if (outcome == AppendOutcome::kSegmentFull) {
    return Status::Error(ErrorCode::kSegmentFull, "the segment is full", log_path_)
        .At(end_.value, next_offset_.value);
  }
  if (plan.bytes <= kMappedLaneBytes) last_small_append_ms_.store(CoarseNowMs(), std::memory_order_relaxed);

  std::unique_ptr<uint8_t[]> copy;
  SlicedBatches sliced;
  if (plan.bytes <= kCopiedAppendBytes || plan.bytes / plan.batches < kSmallBatchBytes) {
    copy = std::make_unique_for_overwrite<uint8_t[]>(plan.bytes);
    size_t stored = 0;
    SEGLOG_RETURN_IF_ERROR(CopyBatches(parts, &plan, options, next_offset_, copy.get(), &stored));
    sliced.slices.push_back({copy.get(), plan.bytes});
  } else {
    SEGLOG_RETURN_IF_ERROR(SliceBatches(parts, plan, options, next_offset_, &sliced));
  }

  const FilePosition begin = end_;
  SEGLOG_RETURN_IF_ERROR(
      directory_->Failed(window_->Reserve(begin.value + static_cast<int64_t>(plan.bytes))));
  const Status written = file_->WriteAt(begin.value, sliced.slices.data(), sliced.slices.size());
  if (!written.ok()) {
    if (directory_->Failed(written).code() == ErrorCode::kNoSpace) CutBehindEnd();
    return written;
  }
  // The record in `.ends` first: an append that it does not cover would be zeroed after a kill.
  if (options_.slot != nullptr) {
    options_.slot->PublishEnd(begin + static_cast<int64_t>(plan.bytes), plan.next_offset);
    const Status noted = directory_->ends_file()->WriteOut();
    if (!noted.ok()) {
      options_.slot->PublishEnd(begin, next_offset_);
      if (directory_->Failed(noted).code() == ErrorCode::kNoSpace) CutBehindEnd();
      return noted;
    }
  }
  const Appended appended = copy ? Account(plan, options, copy.get()) : AccountHeaders(sliced.headers, plan);
  Publish();
  if (plan.bytes <= kMappedLaneBytes) NudgeHelper();
  return appended;
}

void Segment::AccountBatch(const BatchHeader& header, Appended* appended) {
  if (end_.value == 0) first_timestamp_.store(header.max_timestamp.value, std::memory_order_relaxed);
  if (header.max_timestamp.value > max_timestamp_.load(std::memory_order_relaxed)) {
    max_timestamp_.store(header.max_timestamp.value, std::memory_order_relaxed);
    max_timestamp_offset_.store(header.last_offset().value, std::memory_order_relaxed);
  }
  if (bytes_since_entry_ > options_.index_interval_bytes) {
    AddIndexEntries(header);
    bytes_since_entry_ = 0;
  }
  bytes_since_entry_ += header.size_bytes();
  if (appended != nullptr) appended->max_timestamp = std::max(appended->max_timestamp, header.max_timestamp);
  end_ += header.size_bytes();
  next_offset_ = header.last_offset() + 1;
}

// An index that is full or refuses an entry stays as it is: it is a hint. Appends roll before it comes to
// that.
void Segment::AddIndexEntries(const BatchHeader& header) {
  if (!offset_index_->Append(header.last_offset(), end_).ok()) return;
  (void)time_index_->Append(max_timestamp(), max_timestamp_offset());
  pending_entries_.fetch_add(1, std::memory_order_relaxed);
}

Appended Segment::Account(const AppendPlan& plan, const AppendOptions& options, const uint8_t* stored) {
  Appended appended{plan.base_offset, plan.next_offset - 1, TimestampMs(-1), FilePosition(0)};
  if (plan.batches == 1) {
    BatchHeader header = plan.first;
    header.base_offset = plan.base_offset;
    if (options.append_time.value >= 0) header.max_timestamp = options.append_time;
    AccountBatch(header, &appended);
  } else {
    for (size_t i = 0; i < plan.batches; ++i) {
      const auto header =
          ParseBatchHeader({stored, kBatchOverhead});  // ours by now: checked when it was stored
      AccountBatch(header.value(), &appended);
      stored += header.value().size_bytes();
    }
  }
  appended.end_position = end_;
  return appended;
}

Appended Segment::AccountHeaders(std::span<const std::array<uint8_t, kBatchOverhead>> headers,
                                 const AppendPlan& plan) {
  Appended appended{plan.base_offset, plan.next_offset - 1, TimestampMs(-1), FilePosition(0)};
  for (const auto& raw : headers) AccountBatch(ParseBatchHeader(raw).value(), &appended);
  appended.end_position = end_;
  return appended;
}

void Segment::PublishToSlot() noexcept {
  if (options_.slot != nullptr) options_.slot->PublishEnd(end_, next_offset_);
}

// A sequence lock without fences: the data are atomics stored with release and loaded with acquire, so a
// reader that sees a new value also sees the odd sequence stored before it.
void Segment::Publish() noexcept {
  const uint64_t sequence = publish_sequence_.load(std::memory_order_relaxed);
  publish_sequence_.store(sequence + 1, std::memory_order_relaxed);
  published_position_.store(end_.value, std::memory_order_release);
  published_offset_.store(next_offset_.value, std::memory_order_release);
  publish_sequence_.store(sequence + 2, std::memory_order_release);
}

LogEnd Segment::published() const noexcept {
  for (;;) {
    const uint64_t before = publish_sequence_.load(std::memory_order_acquire);
    const LogEnd end{FilePosition(published_position_.load(std::memory_order_acquire)),
                     RecordOffset(published_offset_.load(std::memory_order_acquire))};
    if ((before & 1) == 0 && publish_sequence_.load(std::memory_order_relaxed) == before) return end;
  }
}

void Segment::NudgeHelper() noexcept {
  if (ahead_ != nullptr && watched_) ahead_->Nudge();
}

// A write that ran out of space may have left whole batches behind the end.
void Segment::CutBehindEnd() {
  RetireHelper();
  window_->Drop();
  if (file_->Truncate(end_.value).ok()) window_->SetFileSize(end_.value);
  WatchAgain();
}

}  // namespace seglog
