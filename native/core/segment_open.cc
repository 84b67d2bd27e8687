// Opening a segment: made new, taken over from a clean close or a killed process, or for reading only.
#include <algorithm>
#include <cerrno>
#include <limits>

#include "process_info.h"
#include "segment.h"
#include "segment_scan.h"

namespace seglog {

namespace {

constexpr size_t kWalkBytes = 64 << 10;
constexpr size_t kZeroProbeBytes = 4096;
constexpr size_t kZeroStepBytes = 256 << 10;

/// A write that was cut by a kill may leave part of an entry behind.
Status TrimPartialEntry(Io& io, const std::string& path, int64_t entry_bytes) {
  auto info = io.Stat(path);
  if (!info.ok() || info->size % entry_bytes == 0) return Status::Ok();
  auto file = io.Open(path, OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  return (*file)->Truncate(info->size - info->size % entry_bytes);
}

bool AllZero(const uint8_t* bytes, size_t size) {
  return std::all_of(bytes, bytes + size, [](uint8_t byte) { return byte == 0; });
}

Status CheckOptions(const SegmentOptions& options) {
  const bool sane = options.base_offset.value >= 0 && options.segment_bytes > 0 &&
                    options.segment_bytes <= std::numeric_limits<int32_t>::max() &&
                    options.index_bytes >= 0 && options.index_interval_bytes >= 0;
  return sane ? Status::Ok() : Status::Error(ErrorCode::kInvalidArgument, "a segment option is out of range");
}

}  // namespace

std::string SegmentFile(const std::string& folder, RecordOffset base_offset, const char* extension) {
  const std::string digits = std::to_string(base_offset.value);
  return folder + "/" + std::string(20 - std::min<size_t>(20, digits.size()), '0') + digits + extension;
}

Segment::Segment(std::shared_ptr<DataDirectory> directory, Ahead* ahead, SegmentOptions options)
    : directory_(std::move(directory)),
      ahead_(ahead),
      options_(std::move(options)),
      folder_(directory_->Resolve(options_.folder)),
      log_path_(SegmentFile(folder_, options_.base_offset, ".log")),
      created_(NowMs()),
      last_small_append_ms_(std::numeric_limits<int64_t>::min() / 2) {}

Result<std::shared_ptr<Segment>> Segment::Open(std::shared_ptr<DataDirectory> directory, Ahead* ahead,
                                               SegmentOptions options) {
  SEGLOG_RETURN_IF_ERROR(CheckOptions(options));
  if (options.active || options.create) SEGLOG_RETURN_IF_ERROR(directory->CheckWritable());
  std::shared_ptr<Segment> segment(new Segment(std::move(directory), ahead, std::move(options)));
  segment->ResetAppendState();
  SEGLOG_RETURN_IF_ERROR(segment->options_.create ? segment->CreateFiles() : segment->OpenFiles());
  segment->Publish();
  segment->flushed_ = segment->journaled_ = segment->durable_;
  if (!segment->options_.active) {
    segment->sealed_.store(true, std::memory_order_relaxed);
    return segment;
  }
  segment->window_ = std::make_unique<AppendWindow>(*segment->directory_, *segment->file_,
                                                    segment->options_.segment_bytes, segment->end_.value);
  if (EndsSlot* slot = segment->options_.slot; slot != nullptr) {
    slot->SetSegment(segment->options_.base_offset, segment->end_, segment->next_offset_);
    const PartitionEnds known = slot->Snapshot();
    segment->partition_ = {known.topic_id, known.partition};
    // Nothing is claimed for a segment of which nothing is known to be on disk: its name may not be either.
    const LogEnd durable = segment->durable_;
    if (durable.position.value > 0)
      slot->SetDurable(segment->options_.base_offset, durable.position, durable.offset);
    SEGLOG_RETURN_IF_ERROR(segment->directory_->Failed(segment->directory_->ends_file()->WriteOut()));
  }
  segment->WatchAgain();
  return segment;
}

void Segment::ResetAppendState() {
  end_ = FilePosition(0);
  next_offset_ = options_.base_offset;
  bytes_since_entry_ = 0;
  max_timestamp_.store(-1, std::memory_order_relaxed);
  max_timestamp_offset_.store(-1, std::memory_order_relaxed);
  first_timestamp_.store(-1, std::memory_order_relaxed);
}

Status Segment::CreateFiles() {
  Io& io = directory_->io();
  auto file = io.Open(log_path_, OpenMode::kCreateExclusive);
  if (!file.ok() && file.status().detail().sys_errno == EEXIST) file = OpenLeftover();
  if (!file.ok()) return file.status();
  file_ = std::move(*file);
  file_->AdviseRandom();
  const Status indexes = OpenIndexes(true);
  if (!indexes.ok()) {
    (void)io.Remove(log_path_);
    (void)io.Remove(SegmentFile(folder_, options_.base_offset, ".index"));
    (void)io.Remove(SegmentFile(folder_, options_.base_offset, ".timeindex"));
    return indexes;
  }
  folder_synced_ = false;
  durable_ = {end_, next_offset_};
  return Status::Ok();
}

// A roll that was killed leaves empty files under the name that the next one wants.
Result<std::unique_ptr<File>> Segment::OpenLeftover() {
  auto file = directory_->io().Open(log_path_, OpenMode::kReadWrite);
  if (!file.ok()) return file;
  auto info = (*file)->Info();
  if (!info.ok()) return info.status();
  if (info->size == 0) return file;
  return Status::Error(ErrorCode::kInvalidArgument, "a segment to be created exists already", log_path_,
                       EEXIST);
}

Status Segment::OpenFiles() {
  auto file = directory_->io().Open(log_path_, options_.active ? OpenMode::kReadWrite : OpenMode::kRead);
  if (!file.ok()) return file.status();
  file_ = std::move(*file);
  auto info = file_->Info();
  if (!info.ok()) return info.status();
  if (options_.active) file_->AdviseRandom();
  const Status indexes = OpenIndexes(false);
  const bool missing = indexes.code() == ErrorCode::kNotFound || indexes.code() == ErrorCode::kCorrupt;
  if (!indexes.ok() && !missing) return indexes;
  if (missing) index_suspect_.store(true, std::memory_order_relaxed);
  if (!options_.active) {
    if (missing) {
      offset_index_.reset();
      time_index_.reset();
    }
    return AdoptClosedEnd(info->size);
  }
  if (missing) SEGLOG_RETURN_IF_ERROR(OpenIndexes(true));
  return AdoptActiveEnd(info->size);
}

Status Segment::OpenIndexes(bool rebuild) {
  Io& io = directory_->io();
  const std::string offset_path = SegmentFile(folder_, options_.base_offset, ".index");
  const std::string time_path = SegmentFile(folder_, options_.base_offset, ".timeindex");
  if (!rebuild && options_.end) {
    SEGLOG_RETURN_IF_ERROR(TrimPartialEntry(io, offset_path, 8));
    SEGLOG_RETURN_IF_ERROR(TrimPartialEntry(io, time_path, 12));
  }
  const IndexMode mode = rebuild           ? IndexMode::kEmpty
                         : options_.active ? IndexMode::kActive
                                           : IndexMode::kClosed;
  auto offsets = OffsetIndex::Open(io, offset_path, options_.base_offset, options_.index_bytes, mode);
  if (!offsets.ok()) return offsets.status();
  auto times = TimeIndex::Open(io, time_path, options_.base_offset, options_.index_bytes, mode);
  if (!times.ok()) return times.status();
  offset_index_ = std::move(*offsets);
  time_index_ = std::move(*times);
  return Status::Ok();
}

Status Segment::AdoptActiveEnd(int64_t file_size) {
  const LogEnd end = options_.end.value_or(LogEnd{FilePosition(file_size), RecordOffset(-1)});
  if (end.position.value < 0 || end.position.value > file_size) {
    return Status::Error(ErrorCode::kCorrupt, "the file is shorter than its published end", log_path_)
        .At(file_size, end.offset.value);
  }
  const RecordOffset end_offset =
      options_.end ? end.offset : RecordOffset(std::numeric_limits<int64_t>::max());
  SEGLOG_RETURN_IF_ERROR(offset_index_->TruncateTo(end_offset, end.position));
  SEGLOG_RETURN_IF_ERROR(time_index_->TruncateTo(end_offset));
  if (options_.end) {
    // The time index is written before the offset index: entries that the latter does not reach are found
    // again.
    SEGLOG_RETURN_IF_ERROR(time_index_->TruncateTo(offset_index_->last().offset + 1));
    if (offset_index_->entries() == 0) SEGLOG_RETURN_IF_ERROR(time_index_->Clear());
  }
  SEGLOG_RETURN_IF_ERROR(TakeOver(end.position, options_.end ? std::optional(end.offset) : std::nullopt));
  if (options_.end) next_offset_ = end.offset;
  if (options_.end) SEGLOG_RETURN_IF_ERROR(directory_->Failed(EraseBehind(end.position, file_size)));
  durable_ = DurableAtOpen();
  folder_synced_ = directory_->left_behind() == LeftBehind::kClean;
  return Status::Ok();
}

Status Segment::TakeOver(FilePosition end, std::optional<RecordOffset> end_offset) {
  // Below it: cut inside a gap.
  const auto leads_there = [&] { return !end_offset || next_offset_ <= *end_offset; };
  Status walked = WalkTo(end, false, true);
  const bool index_may_lie = walked.ok() ? !leads_there() : walked.code() == ErrorCode::kCorrupt;
  if (index_may_lie || index_suspect()) {
    index_suspect_.store(true, std::memory_order_relaxed);
    SEGLOG_RETURN_IF_ERROR(time_index_->Clear());
    SEGLOG_RETURN_IF_ERROR(offset_index_->Clear());
    walked = WalkTo(end, true, true);
  }
  SEGLOG_RETURN_IF_ERROR(walked);
  if (!leads_there()) {
    return Status::Error(ErrorCode::kCorrupt, "the batches do not lead to the published end", log_path_)
        .At(end_.value, next_offset_.value);
  }
  index_suspect_.store(false, std::memory_order_relaxed);
  return Status::Ok();
}

// What a clean close left is on disk. Otherwise the first flush covers everything that `.ends` does not vouch
// for.
LogEnd Segment::DurableAtOpen() const {
  const LogEnd nothing{FilePosition(0), options_.base_offset};
  const bool clean = directory_->left_behind() == LeftBehind::kClean;
  if (options_.slot == nullptr || !options_.slot->published())
    return clean ? LogEnd{end_, next_offset_} : nothing;
  const PartitionEnds ends = options_.slot->Snapshot();
  const bool inside = ends.durable_segment_base == options_.base_offset &&
                      ends.durable_offset <= next_offset_ && ends.durable_offset >= options_.base_offset &&
                      ends.durable_position <= end_;
  return inside ? LogEnd{ends.durable_position, ends.durable_offset} : nothing;
}

// A segment that is only read serves what is good of it. `damage_` keeps why it ends early.
Status Segment::AdoptClosedEnd(int64_t file_size) {
  const FilePosition end(file_size);
  const bool by_entry = offset_index_ != nullptr && offset_index_->entries() > 0;
  Status walked = WalkTo(end, !by_entry, false);
  if (walked.code() == ErrorCode::kCorrupt && by_entry && end_ <= offset_index_->last().position) {
    index_suspect_.store(true, std::memory_order_relaxed);
    walked = WalkTo(end, true, false);
  }
  durable_ = {end_, next_offset_};
  if (walked.code() != ErrorCode::kCorrupt) return walked;
  uint8_t head[kBatchOverhead];
  const auto size = static_cast<size_t>(std::min<int64_t>(kBatchOverhead, file_size - end_.value));
  auto read = file_->ReadAt(end_.value, head, size);
  if (!read.ok()) return read.status();
  const bool reserved_space = AllZero(head, *read);  // the writer is alive, or was killed
  if (!reserved_space) damage_ = walked;
  return Status::Ok();
}

Status Segment::WalkTo(FilePosition end, bool from_start, bool index) {
  ResetAppendState();
  const auto buffer = std::make_unique_for_overwrite<uint8_t[]>(kWalkBytes);
  const MutableByteSpan span(buffer.get(), kWalkBytes);
  if (end.value > 0) {
    auto first = HeaderWalk(*file_, FilePosition(0), end, span.first(kBatchOverhead), Wait::kYes).Next();
    if (!first.ok()) return first.status().At(0, options_.base_offset.value);
    first_timestamp_.store((*first)->header.max_timestamp.value, std::memory_order_relaxed);
  }
  std::optional<OffsetIndex::Entry> entry;
  if (!from_start && offset_index_->entries() > 0) entry = offset_index_->last();
  if (entry) {
    end_ = entry->position;
    next_offset_ = options_.base_offset;
    if (time_index_->entries() > 0) {
      max_timestamp_.store(time_index_->last().timestamp.value, std::memory_order_relaxed);
      max_timestamp_offset_.store(time_index_->last().offset.value, std::memory_order_relaxed);
    }
  }
  bool at_entry = entry.has_value();
  HeaderWalk walk(*file_, end_, end, span, Wait::kYes);
  for (;;) {
    auto batch = walk.Next();
    if (!batch.ok()) return batch.status().At(end_.value, next_offset_.value);
    if (!*batch) break;
    const BatchHeader& header = (*batch)->header;
    if (header.base_offset < next_offset_ || (at_entry && header.last_offset() != entry->offset) ||
        header.last_offset() - options_.base_offset > std::numeric_limits<int32_t>::max()) {
      return Status::Error(ErrorCode::kCorrupt, "offsets are out of order", log_path_)
          .At(end_.value, next_offset_.value);
    }
    // The batch of the last entry: its interval begins with it.
    if (at_entry || !index) bytes_since_entry_ = 0;
    at_entry = false;
    AccountBatch(header, nullptr);
  }
  return at_entry ? Status::Error(ErrorCode::kCorrupt, "the last index entry lies behind the end", log_path_)
                        .At(end_.value)
                  : Status::Ok();
}

Status Segment::EraseBehind(FilePosition end, int64_t file_size) {
  // Where writing needs space even over old bytes, there is no reservation to keep either.
  if (!directory_->overwrite_in_place()) {
    return file_size > end.value ? file_->Truncate(end.value) : Status::Ok();
  }
  // Appends store from the end on, headers first. If nothing stands right behind the end, nothing does
  // further on.
  uint8_t probe[kZeroProbeBytes];
  const auto probed = static_cast<size_t>(std::min<int64_t>(kZeroProbeBytes, file_size - end.value));
  auto read = file_->ReadAt(end.value, probe, probed);
  if (!read.ok()) return read.status();
  if (AllZero(probe, *read)) return Status::Ok();
  const auto found = std::make_unique_for_overwrite<uint8_t[]>(kZeroStepBytes);
  const auto zeros = std::make_unique<uint8_t[]>(kZeroStepBytes);
  // Backwards: the probe keeps finding something until all of it is gone.
  for (int64_t to = file_size; to > end.value;) {
    const int64_t from = std::max(end.value, to - static_cast<int64_t>(kZeroStepBytes));
    const auto size = static_cast<size_t>(to - from);
    auto got = file_->ReadAt(from, found.get(), size);
    if (!got.ok()) return got.status();
    if (!AllZero(found.get(), *got)) {
      const IoSlice slice{zeros.get(), size};
      SEGLOG_RETURN_IF_ERROR(file_->WriteAt(from, &slice, 1));
    }
    to = from;
  }
  return Status::Ok();
}

}  // namespace seglog
