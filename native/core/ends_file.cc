#include "ends_file.h"

#include <algorithm>
#include <cstring>

#include "crc32c.h"
#include "ends_format.h"

namespace seglog {

namespace {

constexpr uint32_t kFirstGrowth = 64;
constexpr uint32_t kLargestGrowth = 4096;
constexpr size_t kWholeBytes = kEndsHeaderBytes + size_t{kEndsMaxSlots} * kEndsRecordBytes;

std::atomic_ref<uint32_t> Word(uint8_t* base, size_t position) {
  return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(base + position));
}

}  // namespace

Result<std::unique_ptr<EndsFile>> EndsFile::Open(Io& io, const std::string& path, EndsStart start,
                                                 const EndsContents& before, bool mapped) {
  std::unique_ptr<EndsFile> ends(new EndsFile(io, path));
  if (start == EndsStart::kBelieve) {
    SEGLOG_RETURN_IF_ERROR(ends->Adopt(mapped));
  } else {
    SEGLOG_RETURN_IF_ERROR(ends->Create(before, start, mapped));
  }
  return ends;
}

EndsFile::~EndsFile() = default;

// A new file under a temporary name: until the rename the old one, with its lower bounds, is what a crash
// finds.
Status EndsFile::Create(const EndsContents& before, EndsStart start, bool mapped) {
  const std::string temporary = path_ + ".tmp";
  SEGLOG_RETURN_IF_ERROR(OpenAt(temporary, mapped));
  SEGLOG_RETURN_IF_ERROR(file_->Truncate(0));
  const auto kept = start == EndsStart::kBounds ? static_cast<uint32_t>(before.partitions.size()) : 0;
  SEGLOG_RETURN_IF_ERROR(Grow(std::max(kept, kFirstGrowth)));
  SEGLOG_RETURN_IF_ERROR(WriteHeader());
  for (uint32_t i = 0; i < kept; ++i) {
    EndsSlot* slot = MakeSlot(i, 0, before.partitions[i], EndsSlot::kBounds);
    slot->Store();
  }
  for (uint32_t i = capacity_; i > kept; --i) free_.push_back(i - 1);
  SEGLOG_RETURN_IF_ERROR(Flush());
  SEGLOG_RETURN_IF_ERROR(file_->Sync());
  SEGLOG_RETURN_IF_ERROR(io_.Rename(temporary, path_));
  return io_.SyncDirectory(path_.substr(0, path_.find_last_of('/')));
}

// A killed run's file goes on in place: no call here waits for the disk.
Status EndsFile::Adopt(bool mapped) {
  SEGLOG_RETURN_IF_ERROR(OpenAt(path_, mapped));
  auto info = file_->Info();
  if (!info.ok()) return info.status();
  const auto size = static_cast<size_t>(std::max<int64_t>(info->size, 0));
  const size_t records = size < kEndsHeaderBytes ? 0 : (size - kEndsHeaderBytes) / kEndsRecordBytes;
  capacity_ = static_cast<uint32_t>(std::min<size_t>(records, kEndsMaxSlots));
  by_record_.resize(capacity_);
  const size_t bytes = kEndsHeaderBytes + size_t{capacity_} * kEndsRecordBytes;
  if (!mapping_) {
    auto read = file_->ReadAt(0, base_, bytes);
    if (!read.ok()) return read.status();
  }
  for (uint32_t i = capacity_; i > 0; --i) {
    const ends_format::Record record = ends_format::ParseRecord(Record(i - 1));
    if (record.state == EndsSlot::kBelieved) {
      MakeSlot(i - 1, record.sequence, record.ends, EndsSlot::kBelieved);
    } else {
      free_.push_back(i - 1);
    }
  }
  return Status::Ok();
}

Status EndsFile::OpenAt(const std::string& path, bool mapped) {
  auto file = io_.Open(path, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  file_ = std::move(*file);
  if (mapped) {
    auto mapping = file_->Map(kWholeBytes, true);
    if (!mapping.ok()) return mapping.status();
    mapping_ = std::move(*mapping);
    base_ = mapping_->data();
    return Status::Ok();
  }
  // Zero pages are not resident until a record in them is used.
  memory_.reset(static_cast<uint8_t*>(std::calloc(1, kWholeBytes)));
  if (memory_ == nullptr) return Status::Error(ErrorCode::kIo, "no memory for the ends of partitions", path);
  base_ = memory_.get();
  return Status::Ok();
}

Status EndsFile::WriteHeader() {
  auto info = file_->Info();
  if (!info.ok()) return info.status();
  uint8_t header[kEndsHeaderBytes];
  ends_format::FillHeader(header, {io_.BootId(), info->device, info->inode});
  if (mapping_) {
    std::memcpy(base_, header, kEndsHeaderBytes);
    return mapping_->Sync(0, kEndsHeaderBytes);
  }
  std::memcpy(base_, header, kEndsHeaderBytes);
  const IoSlice slice{header, kEndsHeaderBytes};
  return file_->WriteAt(0, &slice, 1);
}

// mutex_ is held, or nobody else knows this object yet.
Status EndsFile::Grow(uint32_t records) {
  const uint32_t target = std::min(records, kEndsMaxSlots);
  const auto old_bytes = static_cast<int64_t>(kEndsHeaderBytes + size_t{capacity_} * kEndsRecordBytes);
  const auto new_bytes = static_cast<int64_t>(kEndsHeaderBytes + size_t{target} * kEndsRecordBytes);
  const int64_t from = capacity_ == 0 ? 0 : old_bytes;
  if (mapping_) {
    SEGLOG_RETURN_IF_ERROR(file_->Reserve(from, new_bytes - from));
    // Only to be fast: a store into reserved space cannot fail.
    (void)mapping_->Populate(static_cast<size_t>(from), static_cast<size_t>(new_bytes));
  }
  capacity_ = target;
  by_record_.resize(capacity_);
  return Status::Ok();
}

EndsSlot* EndsFile::MakeSlot(uint32_t index, uint64_t sequence, const PartitionEnds& ends,
                             EndsSlot::State state) {
  EndsSlot& slot = slots_.emplace_back(*this, index, sequence);
  slot.ends_ = ends;
  slot.state_ = state;
  by_record_[index] = &slot;
  by_partition_[{ends.topic_id, ends.partition}] = &slot;
  return &slot;
}

Result<EndsSlot*> EndsFile::Slot(const TopicId& topic_id, int32_t partition) {
  std::lock_guard lock(mutex_);
  const auto found = by_partition_.find({topic_id, partition});
  if (found != by_partition_.end()) return found->second;
  if (free_.empty()) {
    const uint32_t before = capacity_;
    if (before >= kEndsMaxSlots) {
      return Status::Error(ErrorCode::kInvalidArgument, "a data directory holds at most 65536 partitions",
                           path_);
    }
    SEGLOG_RETURN_IF_ERROR(Grow(before + std::clamp(before, kFirstGrowth, kLargestGrowth)));
    for (uint32_t i = capacity_; i > before; --i) free_.push_back(i - 1);
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  PartitionEnds ends;
  ends.topic_id = topic_id;
  ends.partition = partition;
  ends.high_watermark = ends.last_stable_offset = ends.log_start_offset = RecordOffset(-1);
  EndsSlot* slot = MakeSlot(index, ends_format::ParseRecord(Record(index)).sequence, ends, EndsSlot::kFresh);
  slot->Store();
  return slot;
}

void EndsFile::Release(EndsSlot* slot) {
  std::lock_guard lock(mutex_);
  by_partition_.erase({slot->ends_.topic_id, slot->ends_.partition});
  by_record_[slot->index_] = nullptr;
  free_.push_back(slot->index_);
}

void EndsFile::RaiseTopicsGeneration() noexcept {
  std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(base_ + ends_format::kTopicsGenerationAt))
      .fetch_add(1);
  RaiseChangeCounter();
  if (!mapping_) (void)WriteRecords(ends_format::kVolatileAt, kEndsHeaderBytes);
}

void EndsFile::Poison() noexcept { SetStanding(ends_format::kPoisoned); }

void EndsFile::Retire() noexcept { SetStanding(ends_format::kRetired); }

void EndsFile::SetStanding(uint32_t standing) noexcept {
  Word(base_, ends_format::kStandingAt).store(standing);
  if (mapping_) {
    (void)mapping_->Sync(0, kEndsHeaderBytes);
  } else {
    (void)WriteRecords(ends_format::kVolatileAt, kEndsHeaderBytes);
  }
}

uint32_t EndsFile::change_counter() const noexcept {
  return Word(base_, ends_format::kChangeCounterAt).load();
}

void EndsFile::RaiseChangeCounter() noexcept {
  Word(base_, ends_format::kChangeCounterAt).fetch_add(1, std::memory_order_relaxed);
}

void EndsFile::Touched(uint32_t index) noexcept {
  uint32_t from = changed_from_.load(std::memory_order_relaxed);
  while (index < from && !changed_from_.compare_exchange_weak(from, index, std::memory_order_relaxed)) {}
  uint32_t to = changed_to_.load(std::memory_order_relaxed);
  while (index >= to && !changed_to_.compare_exchange_weak(to, index + 1, std::memory_order_relaxed)) {}
}

bool EndsFile::TakeChanged(size_t* from, size_t* to) noexcept {
  const uint32_t first = changed_from_.exchange(kEndsMaxSlots);
  const uint32_t last = changed_to_.exchange(0);
  if (first >= last) return false;
  *from = kEndsHeaderBytes + first * kEndsRecordBytes;
  *to = kEndsHeaderBytes + last * kEndsRecordBytes;
  return true;
}

// Whoever tries again writes them again.
void EndsFile::PutBackChanged(size_t from, size_t to) noexcept {
  Touched(static_cast<uint32_t>((from - kEndsHeaderBytes) / kEndsRecordBytes));
  Touched(static_cast<uint32_t>((to - kEndsHeaderBytes) / kEndsRecordBytes) - 1);
}

Status EndsFile::Flush() {
  std::lock_guard lock(write_mutex_);
  size_t from = 0;
  size_t to = 0;
  if (!TakeChanged(&from, &to)) return Status::Ok();
  if (mapping_) return mapping_->Sync(from, to);
  Status written = WriteRecords(from, to);
  if (written.ok()) written = file_->SyncData();
  if (!written.ok()) PutBackChanged(from, to);
  return written;
}

void EndsFile::StartWriteback() noexcept {
  if (!mapping_) return;
  const uint32_t first = changed_from_.load(std::memory_order_relaxed);
  const uint32_t last = changed_to_.load(std::memory_order_relaxed);
  if (first >= last) return;
  file_->StartWriteback(static_cast<int64_t>(kEndsHeaderBytes + first * kEndsRecordBytes),
                        static_cast<int64_t>((last - first) * kEndsRecordBytes));
}

Status EndsFile::WriteOut() {
  if (mapping_) return Status::Ok();
  std::lock_guard lock(write_mutex_);
  size_t from = 0;
  size_t to = 0;
  if (!TakeChanged(&from, &to)) return Status::Ok();
  const Status written = WriteRecords(from, to);
  if (!written.ok()) PutBackChanged(from, to);
  return written;
}

// Unmapped only. Each record is copied under its slot's lock, so that no half-made copy is written.
Status EndsFile::WriteRecords(size_t from, size_t to) {
  std::vector<uint8_t> bytes(to - from);
  if (from < kEndsHeaderBytes) {
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      const uint32_t word = Word(base_, from + i).load(std::memory_order_relaxed);
      std::memcpy(bytes.data() + i, &word, sizeof word);
    }
  } else {
    std::lock_guard lock(mutex_);
    for (size_t at = from; at < to; at += kEndsRecordBytes) {
      const auto index = static_cast<uint32_t>((at - kEndsHeaderBytes) / kEndsRecordBytes);
      const EndsSlot* slot = by_record_[index];
      if (slot != nullptr)
        while (slot->busy_.test_and_set(std::memory_order_acquire)) {}
      std::memcpy(bytes.data() + (at - from), base_ + at, kEndsRecordBytes);
      if (slot != nullptr) slot->busy_.clear(std::memory_order_release);
    }
  }
  const IoSlice slice{bytes.data(), bytes.size()};
  return file_->WriteAt(static_cast<int64_t>(from), &slice, 1);
}

class EndsSlot::Guard {
 public:
  explicit Guard(const EndsSlot& slot) : busy_(slot.busy_) {
    while (busy_.test_and_set(std::memory_order_acquire)) {}
  }
  ~Guard() { busy_.clear(std::memory_order_release); }

 private:
  std::atomic_flag& busy_;
};

void EndsSlot::Store() noexcept {
  ++sequence_;
  uint8_t* copy = file_.Record(index_) + (sequence_ & 1) * kEndsCopyBytes;
  ends_format::FillCopy(copy, {state_, sequence_, ends_});
  file_.Touched(index_);
  file_.RaiseChangeCounter();
}

void EndsSlot::PublishEnd(FilePosition position, RecordOffset offset) noexcept {
  Guard guard(*this);
  if (state_ == kFree) return;
  ends_.end_position = position;
  ends_.end_offset = offset;
  Store();
}

void EndsSlot::SetSegment(RecordOffset base, FilePosition position, RecordOffset offset) noexcept {
  Guard guard(*this);
  if (state_ == kFree) return;
  ends_.segment_base = base;
  ends_.end_position = position;
  ends_.end_offset = offset;
  const bool unknown = state_ == kFresh;
  state_ = kBelieved;
  if (unknown) {
    ends_.durable_segment_base = ends_.durable_offset = base;
    ends_.durable_position = FilePosition(0);
  } else if (ends_.durable_offset > offset) {
    ends_.durable_segment_base = base;
    ends_.durable_position = position;
    ends_.durable_offset = offset;
    // Into both copies: if a crash tears the next update, the one before it must not claim what was cut.
    Store();
  }
  Store();
}

void EndsSlot::SetDurable(RecordOffset segment_base, FilePosition position, RecordOffset offset) noexcept {
  Guard guard(*this);
  if (state_ == kFree || offset < ends_.durable_offset) return;
  if (segment_base == ends_.durable_segment_base && position <= ends_.durable_position) return;
  ends_.durable_segment_base = segment_base;
  ends_.durable_position = position;
  ends_.durable_offset = offset;
  Store();
}

void EndsSlot::SetMarks(std::optional<RecordOffset> high_watermark,
                        std::optional<RecordOffset> last_stable_offset,
                        std::optional<RecordOffset> log_start_offset) noexcept {
  Guard guard(*this);
  if (state_ == kFree) return;
  ends_.high_watermark = high_watermark.value_or(ends_.high_watermark);
  ends_.last_stable_offset = last_stable_offset.value_or(ends_.last_stable_offset);
  ends_.log_start_offset = log_start_offset.value_or(ends_.log_start_offset);
  Store();
}

void EndsSlot::RaiseGeneration() noexcept {
  Guard guard(*this);
  if (state_ == kFree) return;
  ++ends_.generation;
  Store();
}

void EndsSlot::Free() noexcept {
  {
    Guard guard(*this);
    if (state_ == kFree) return;
    state_ = kFree;
    Store();
  }
  file_.Release(this);
}

bool EndsSlot::published() const noexcept {
  Guard guard(*this);
  return state_ == kBelieved;
}

PartitionEnds EndsSlot::Snapshot() const noexcept {
  Guard guard(*this);
  return ends_;
}

}  // namespace seglog
