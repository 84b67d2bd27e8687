#include "segment_scan.h"

#include <algorithm>
#include <limits>

#include "big_endian.h"
#include "index_check.h"
#include "offset_index.h"
#include "record_head.h"
#include "segment.h"
#include "time_index.h"

namespace seglog {

namespace {

constexpr size_t kBodyBlockBytes = 1 << 20;
constexpr size_t kHeaderBlockBytes = 64 << 10;

void StoreLittle(uint8_t* to, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) to[i] = static_cast<uint8_t>(value >> (8 * i));
}

template <typename Int>
void StoreLittle(uint8_t* to, Int value) {
  StoreLittle(to, static_cast<uint64_t>(static_cast<std::make_unsigned_t<Int>>(value)), sizeof value);
}

/// A file read forward in blocks, any range of which can be asked for.
class BlockReader {
 public:
  BlockReader(File& file, size_t block) : file_(file), block_(block) {}

  /// The bytes [position, position + size), fewer only at the end of the file. Valid until the next call.
  Result<ByteSpan> At(FilePosition position, size_t size) {
    const int64_t skip = position - from_;
    if (skip < 0 || skip + static_cast<int64_t>(size) > static_cast<int64_t>(bytes_)) {
      if (buffer_.size() < std::max(size, block_)) buffer_.resize(std::max(size, block_));
      bytes_ = 0;
      auto read = file_.ReadAt(position.value, buffer_.data(), buffer_.size());
      if (!read.ok()) return read.status();
      from_ = position;
      bytes_ = *read;
      return ByteSpan(buffer_.data(), std::min(size, bytes_));
    }
    return ByteSpan(buffer_.data() + skip, size);
  }

 private:
  File& file_;
  const size_t block_;
  std::vector<uint8_t> buffer_;
  FilePosition from_;
  size_t bytes_ = 0;
};

/// Index entries as an append would have made them.
class IndexRebuild {
 public:
  static Result<IndexRebuild> Begin(Io& io, const ScanOptions& options) {
    IndexRebuild rebuild;
    auto offsets = OffsetIndex::Open(io, SegmentFile(options.folder, options.base_offset, ".index"),
                                     options.base_offset, options.index_bytes, IndexMode::kEmpty);
    if (!offsets.ok()) return offsets.status();
    auto times = TimeIndex::Open(io, SegmentFile(options.folder, options.base_offset, ".timeindex"),
                                 options.base_offset, options.index_bytes, IndexMode::kEmpty);
    if (!times.ok()) return times.status();
    rebuild.offsets_ = std::move(*offsets);
    rebuild.times_ = std::move(*times);
    rebuild.interval_ = options.index_interval_bytes;
    return rebuild;
  }

  void Batch(const BatchAt& batch, TimestampMs max, RecordOffset max_offset) {
    if (since_entry_ > interval_) {
      // An index that is full stays short: it is a hint.
      if (offsets_->Append(batch.header.last_offset(), batch.position).ok())
        (void)times_->Append(max, max_offset);
      since_entry_ = 0;
    }
    since_entry_ += batch.header.size_bytes();
  }

  Status Finish(TimestampMs max, RecordOffset max_offset) {
    if (max.value >= 0) (void)times_->Append(max, max_offset, TimeIndex::Place::kFinal);
    SEGLOG_RETURN_IF_ERROR(times_->Sync());
    return offsets_->Sync();
  }

 private:
  std::unique_ptr<OffsetIndex> offsets_;
  std::unique_ptr<TimeIndex> times_;
  int64_t interval_ = 0;
  int64_t since_entry_ = 0;
};

class Scan {
 public:
  Scan(Io& io, const ScanOptions& options) : io_(io), options_(options) {}

  Result<ScanResult> Run() {
    SEGLOG_RETURN_IF_ERROR(Open());
    BlockReader reader(*file_, WholeBatches() ? kBodyBlockBytes : kHeaderBlockBytes);
    reader_ = &reader;
    while (at_ < end_ && !result_.stopped) SEGLOG_RETURN_IF_ERROR(OneBatch());
    result_.end_position = at_;
    result_.end_offset = next_;
    if (result_.stopped) SEGLOG_RETURN_IF_ERROR(LookForZeros());
    SEGLOG_RETURN_IF_ERROR(Finish());
    return std::move(result_);
  }

 private:
  bool WholeBatches() const { return options_.check_crc || options_.walk_records; }

  Status Open() {
    if (options_.rebuild_indexes && options_.from.value != 0) {
      return Status::Error(ErrorCode::kInvalidArgument,
                           "indexes are rebuilt from the beginning of a segment only");
    }
    const std::string path = SegmentFile(options_.folder, options_.base_offset, ".log");
    auto file = io_.Open(path, options_.truncate ? OpenMode::kReadWrite : OpenMode::kRead);
    if (!file.ok()) return file.status();
    file_ = std::move(*file);
    auto info = file_->Info();
    if (!info.ok()) return info.status();
    file_size_ = info->size;
    end_ = FilePosition(file_size_);
    if (options_.to) end_ = std::min(end_, *options_.to);
    at_ = options_.from;
    next_ = options_.from_offset.value_or(options_.base_offset);
    if (options_.verify_indexes) {
      auto check = IndexCheck::Load(io_, SegmentFile(options_.folder, options_.base_offset, ".index"),
                                    SegmentFile(options_.folder, options_.base_offset, ".timeindex"),
                                    options_.base_offset, options_.from);
      if (!check.ok()) return check.status();
      check_ = std::move(*check);
    }
    if (options_.rebuild_indexes) {
      auto rebuild = IndexRebuild::Begin(io_, options_);
      if (!rebuild.ok()) return rebuild.status();
      rebuild_ = std::move(*rebuild);
    }
    return Status::Ok();
  }

  Status Stop(std::string reason) {
    result_.stopped = ScanStop{at_, next_, std::move(reason), false};
    return Status::Ok();
  }

  Status OneBatch() {
    auto head = reader_->At(at_, kBatchOverhead);
    if (!head.ok()) return head.status();
    auto header =
        ParseBatchHeader(head->first(std::min<size_t>(head->size(), static_cast<size_t>(end_ - at_))));
    if (!header.ok()) return Stop(header.status().detail().message);
    if (header->size_bytes() > end_ - at_) return Stop("the batch passes the end of the file");
    if (header->base_offset < next_)
      return Stop("offset " + std::to_string(header->base_offset.value) + " lies before the expected " +
                  std::to_string(next_.value));
    if (header->last_offset() - options_.base_offset > std::numeric_limits<int32_t>::max()) {
      return Stop("its offsets do not belong to this segment");
    }
    ByteSpan whole;
    if (WholeBatches() || header->is_control()) {
      auto bytes = reader_->At(at_, static_cast<size_t>(header->size_bytes()));
      if (!bytes.ok()) return bytes.status();
      whole = *bytes;
      if (static_cast<int64_t>(whole.size()) < header->size_bytes()) return Stop("the file became shorter");
      if (options_.check_crc && !BatchCrcMatches(whole, *header)) return Stop("the CRC does not match");
      if (options_.walk_records && header->codec() == 0) {
        auto walked = WalkRecords(whole, *header, false);
        if (!walked.ok()) return Stop(walked.status().detail().message);
      }
    }
    Take({*header, at_}, whole);
    return Status::Ok();
  }

  void Take(const BatchAt& batch, ByteSpan whole) {
    const BatchHeader& header = batch.header;
    if (header.max_timestamp > result_.max_timestamp) {
      result_.max_timestamp = header.max_timestamp;
      result_.max_timestamp_offset = header.last_offset();
    }
    const int32_t epoch = result_.epochs.empty() ? -1 : result_.epochs.back().epoch;
    if (header.leader_epoch > epoch) result_.epochs.push_back({header.leader_epoch, header.base_offset});
    if (header.producer_id >= 0) TakeProducer(batch, whole);
    if (check_) check_->Batch(batch, result_.max_timestamp);
    if (rebuild_) rebuild_->Batch(batch, result_.max_timestamp, result_.max_timestamp_offset);
    ++result_.batches;
    at_ = batch.end();
    next_ = header.last_offset() + 1;
  }

  void TakeProducer(const BatchAt& batch, ByteSpan whole) {
    const BatchHeader& header = batch.header;
    int16_t control_type = -1;
    int32_t coordinator_epoch = -1;
    if (header.is_control() && header.codec() == 0 && whole.size() > kBatchOverhead) {
      const uint8_t* at = whole.data() + kBatchOverhead;
      RecordHead record;
      if (ReadRecordHead(&at, whole.data() + whole.size(), &record) && record.key.size() >= 4) {
        control_type = LoadBig16(record.key.data() + 2);
        if (record.value.size() >= 6) coordinator_epoch = LoadBig32(record.value.data() + 2);
      }
    }
    const size_t begin = result_.producers.size();
    result_.producers.resize(begin + kScanProducerBytes);
    uint8_t* to = result_.producers.data() + begin;
    StoreLittle(to, header.producer_id);
    StoreLittle(to + 8, header.base_offset.value);
    StoreLittle(to + 16, header.last_offset().value);
    StoreLittle(to + 24, header.max_timestamp.value);
    StoreLittle(to + 32, batch.position.value);
    StoreLittle(to + 40, header.base_sequence);
    StoreLittle(to + 44, header.last_offset_delta);
    StoreLittle(to + 48, header.record_count);
    StoreLittle(to + 52, coordinator_epoch);
    StoreLittle(to + 56, header.producer_epoch);
    StoreLittle(to + 58, header.attributes);
    StoreLittle(to + 60, control_type);
  }

  /// Reserved space behind the last batch is no damage, but only if nothing stands in it.
  Status LookForZeros() {
    for (FilePosition at = at_; at < end_;) {
      const auto size = static_cast<size_t>(std::min<int64_t>(end_ - at, kHeaderBlockBytes));
      auto bytes = reader_->At(at, size);
      if (!bytes.ok()) return bytes.status();
      if (bytes->empty()) break;
      if (std::any_of(bytes->begin(), bytes->end(), [](uint8_t byte) { return byte != 0; }))
        return Status::Ok();
      at += static_cast<int64_t>(bytes->size());
    }
    result_.stopped->zeros = true;
    result_.stopped->reason = "nothing but zeros to the end: reserved space";
    return Status::Ok();
  }

  Status Finish() {
    if (check_) {
      check_->End(at_, next_);
      result_.index_faults = check_->TakeFaults();
    }
    if (rebuild_)
      SEGLOG_RETURN_IF_ERROR(rebuild_->Finish(result_.max_timestamp, result_.max_timestamp_offset));
    if (!options_.truncate || !result_.stopped || at_.value >= file_size_) return Status::Ok();
    SEGLOG_RETURN_IF_ERROR(file_->Truncate(at_.value));
    return file_->Sync();
  }

  Io& io_;
  const ScanOptions& options_;
  std::unique_ptr<File> file_;
  BlockReader* reader_ = nullptr;
  int64_t file_size_ = 0;
  FilePosition at_;
  FilePosition end_;
  RecordOffset next_;
  std::optional<IndexCheck> check_;
  std::optional<IndexRebuild> rebuild_;
  ScanResult result_;
};

}  // namespace

Result<ScanResult> ScanSegment(Io& io, const ScanOptions& options) { return Scan(io, options).Run(); }

}  // namespace seglog
