// Reading `.ends` as a stranger: recovery at open, and readers in other processes. By pread only.
#include <algorithm>
#include <cstring>

#include "ends_file.h"
#include "ends_format.h"

namespace seglog {

Result<EndsContents> EndsFile::Read(Io& io, const std::string& path) {
  EndsContents contents;
  auto file = io.Open(path, OpenMode::kRead);
  if (file.status().code() == ErrorCode::kNotFound) return contents;
  if (!file.ok()) return file.status();
  auto info = (*file)->Info();
  if (!info.ok()) return info.status();
  const auto limit = static_cast<int64_t>(kEndsHeaderBytes + size_t{kEndsMaxSlots} * kEndsRecordBytes);
  std::vector<uint8_t> bytes(static_cast<size_t>(std::clamp<int64_t>(info->size, 0, limit)));
  auto read = (*file)->ReadAt(0, bytes.data(), bytes.size());
  if (!read.ok()) return read.status();
  bytes.resize(*read);
  const auto identity = ends_format::ParseHeader(bytes);
  if (!identity) return contents;

  contents.found = true;
  uint32_t standing = 0;
  uint64_t topics_generation = 0;
  std::memcpy(&standing, bytes.data() + ends_format::kStandingAt, sizeof standing);
  std::memcpy(&contents.change_counter, bytes.data() + ends_format::kChangeCounterAt,
              sizeof contents.change_counter);
  std::memcpy(&topics_generation, bytes.data() + ends_format::kTopicsGenerationAt, sizeof topics_generation);
  contents.topics_generation = static_cast<int64_t>(topics_generation);
  contents.retired = standing == ends_format::kRetired;
  contents.poisoned = standing != 0 && !contents.retired;
  const std::string boot_id = io.BootId();
  if (contents.retired) return contents;
  // A copy, made beside a writer perhaps, and perhaps after the logs it speaks of: its bounds may lie above
  // their ends. The device number does not tell: another boot may give the same disk another one.
  if (identity->inode != info->inode) return contents;
  contents.believable = !contents.poisoned && !boot_id.empty() &&
                        *identity == ends_format::Identity{boot_id, info->device, info->inode};

  for (size_t at = kEndsHeaderBytes; at + kEndsRecordBytes <= bytes.size(); at += kEndsRecordBytes) {
    const ends_format::Record record = ends_format::ParseRecord(bytes.data() + at);
    if (record.damaged) contents.believable = false;
    if (record.state != EndsSlot::kBelieved && record.state != EndsSlot::kBounds) continue;
    if (record.state == EndsSlot::kBounds) contents.believable = false;
    contents.partitions.push_back(record.ends);
  }
  return contents;
}

}  // namespace seglog
