#include "index_check.h"

#include "big_endian.h"

namespace seglog {

namespace {

constexpr size_t kMaxFaults = 1000;
constexpr size_t kOffsetEntryBytes = 8;
constexpr size_t kTimeEntryBytes = 12;

Result<std::vector<uint8_t>> ReadAll(Io& io, const std::string& path, std::vector<std::string>* faults) {
  auto file = io.Open(path, OpenMode::kRead);
  if (file.status().code() == ErrorCode::kNotFound) {
    faults->push_back(path + ": missing");
    return std::vector<uint8_t>();
  }
  if (!file.ok()) return file.status();
  auto info = (*file)->Info();
  if (!info.ok()) return info.status();
  std::vector<uint8_t> bytes(static_cast<size_t>(info->size));
  auto read = (*file)->ReadAt(0, bytes.data(), bytes.size());
  if (!read.ok()) return read.status();
  bytes.resize(*read);
  return bytes;
}

}  // namespace

Result<IndexCheck> IndexCheck::Load(Io& io, const std::string& offset_path, const std::string& time_path,
                                    RecordOffset base_offset, FilePosition from) {
  IndexCheck check;
  auto offsets = ReadAll(io, offset_path, &check.faults_);
  if (!offsets.ok()) return offsets.status();
  auto times = ReadAll(io, time_path, &check.faults_);
  if (!times.ok()) return times.status();
  check.LoadOffsets(*offsets, base_offset);
  check.LoadTimes(*times, base_offset);
  while (check.next_offset_ < check.offsets_.size() && check.offsets_[check.next_offset_].position < from) {
    ++check.next_offset_;
  }
  return check;
}

void IndexCheck::Fault(const char* index, size_t entry, std::string what) {
  if (faults_.size() < kMaxFaults) {
    faults_.push_back(std::string(index) + " entry " + std::to_string(entry) + ": " + std::move(what));
  }
}

void IndexCheck::LoadOffsets(const std::vector<uint8_t>& bytes, RecordOffset base_offset) {
  if (bytes.size() % kOffsetEntryBytes != 0) faults_.push_back("offset index: its size is no multiple of 8");
  for (size_t at = 0; at + kOffsetEntryBytes <= bytes.size(); at += kOffsetEntryBytes) {
    const OffsetEntry entry{base_offset + LoadBig32(bytes.data() + at),
                            FilePosition(LoadBig32(bytes.data() + at + 4))};
    const bool behind = offsets_.empty() ||
                        (entry.offset > offsets_.back().offset && entry.position > offsets_.back().position);
    if (!behind) Fault("offset index", offsets_.size(), "does not lie behind the one before it");
    offsets_.push_back(entry);
  }
}

void IndexCheck::LoadTimes(const std::vector<uint8_t>& bytes, RecordOffset base_offset) {
  if (bytes.size() % kTimeEntryBytes != 0) faults_.push_back("time index: its size is no multiple of 12");
  for (size_t at = 0; at + kTimeEntryBytes <= bytes.size(); at += kTimeEntryBytes) {
    const TimeEntry entry{TimestampMs(LoadBig64(bytes.data() + at)),
                          base_offset + LoadBig32(bytes.data() + at + 8)};
    const bool behind =
        times_.empty() || (entry.timestamp > times_.back().timestamp && entry.offset >= times_.back().offset);
    if (!behind) Fault("time index", times_.size(), "does not lie behind the one before it");
    times_.push_back(entry);
  }
}

void IndexCheck::Batch(const BatchAt& batch, TimestampMs max_so_far) {
  for (; next_offset_ < offsets_.size() && offsets_[next_offset_].position < batch.end(); ++next_offset_) {
    const OffsetEntry& entry = offsets_[next_offset_];
    if (entry.position != batch.position) {
      Fault("offset index", next_offset_,
            "position " + std::to_string(entry.position.value) + " begins no batch");
    } else if (entry.offset != batch.header.last_offset()) {
      Fault("offset index", next_offset_,
            "says offset " + std::to_string(entry.offset.value) + ", the batch there ends with " +
                std::to_string(batch.header.last_offset().value));
    }
  }
  for (; next_time_ < times_.size() && times_[next_time_].offset <= batch.header.last_offset();
       ++next_time_) {
    const TimeEntry& entry = times_[next_time_];
    if (entry.offset < batch.header.base_offset) continue;  // before the first batch looked at
    if (entry.timestamp != batch.header.max_timestamp || entry.timestamp != max_so_far) {
      Fault("time index", next_time_,
            "says timestamp " + std::to_string(entry.timestamp.value) + ", the batch with offset " +
                std::to_string(entry.offset.value) + " has " +
                std::to_string(batch.header.max_timestamp.value) + " and the log up to it " +
                std::to_string(max_so_far.value));
    }
  }
}

void IndexCheck::End(FilePosition end, RecordOffset end_offset) {
  for (; next_offset_ < offsets_.size(); ++next_offset_) {
    Fault("offset index", next_offset_, "lies behind the end of the log at " + std::to_string(end.value));
  }
  for (; next_time_ < times_.size(); ++next_time_) {
    Fault("time index", next_time_,
          "lies behind the end of the log at offset " + std::to_string(end_offset.value));
  }
}

}  // namespace seglog
