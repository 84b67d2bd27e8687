#include "ends_format.h"

#include <algorithm>
#include <cstring>

#include "crc32c.h"

namespace seglog::ends_format {

namespace {

constexpr char kMagic[8] = {'S', 'E', 'G', 'L', 'E', 'N', 'D', 'S'};
constexpr uint32_t kVersion = 1;

struct HeaderBytes {
  char magic[8];
  uint32_t version;
  uint32_t record_bytes;
  uint64_t device;
  uint64_t inode;
  char boot_id[64];
  uint32_t crc;  // of everything before it
};
static_assert(sizeof(HeaderBytes) <= kVolatileAt);

struct CopyBytes {
  uint32_t crc;  // of everything behind it
  uint32_t state;
  uint64_t sequence;
  uint8_t topic_id[16];
  int32_t partition;
  uint32_t zero;
  int64_t segment_base;
  int64_t end_position;
  int64_t end_offset;
  int64_t durable_segment_base;
  int64_t durable_position;
  int64_t durable_offset;
  int64_t high_watermark;
  int64_t last_stable_offset;
  int64_t log_start_offset;
  int64_t generation;
  uint64_t spare;
};
static_assert(sizeof(CopyBytes) == kEndsCopyBytes);

uint32_t CopyCrc(const CopyBytes& copy) {
  return Crc32c(reinterpret_cast<const uint8_t*>(&copy) + sizeof copy.crc, sizeof copy - sizeof copy.crc);
}

bool ParseCopy(const uint8_t* from, Record* record) {
  CopyBytes copy;
  std::memcpy(&copy, from, sizeof copy);
  if (copy.crc != CopyCrc(copy) || copy.sequence == 0) return false;
  record->state = copy.state;
  record->sequence = copy.sequence;
  PartitionEnds& ends = record->ends;
  std::memcpy(ends.topic_id.data(), copy.topic_id, sizeof copy.topic_id);
  ends.partition = copy.partition;
  ends.segment_base = RecordOffset(copy.segment_base);
  ends.end_position = FilePosition(copy.end_position);
  ends.end_offset = RecordOffset(copy.end_offset);
  ends.durable_segment_base = RecordOffset(copy.durable_segment_base);
  ends.durable_position = FilePosition(copy.durable_position);
  ends.durable_offset = RecordOffset(copy.durable_offset);
  ends.high_watermark = RecordOffset(copy.high_watermark);
  ends.last_stable_offset = RecordOffset(copy.last_stable_offset);
  ends.log_start_offset = RecordOffset(copy.log_start_offset);
  ends.generation = copy.generation;
  return true;
}

}  // namespace

void FillHeader(uint8_t* header, const Identity& identity) {
  std::memset(header, 0, kEndsHeaderBytes);
  HeaderBytes bytes{};
  std::memcpy(bytes.magic, kMagic, sizeof kMagic);
  bytes.version = kVersion;
  bytes.record_bytes = kEndsRecordBytes;
  bytes.device = identity.device;
  bytes.inode = identity.inode;
  std::memcpy(bytes.boot_id, identity.boot_id.data(),
              std::min(identity.boot_id.size(), sizeof bytes.boot_id - 1));
  bytes.crc = Crc32c(reinterpret_cast<const uint8_t*>(&bytes), offsetof(HeaderBytes, crc));
  std::memcpy(header, &bytes, sizeof bytes);
}

std::optional<Identity> ParseHeader(ByteSpan header) {
  if (header.size() < kEndsHeaderBytes) return std::nullopt;
  HeaderBytes bytes;
  std::memcpy(&bytes, header.data(), sizeof bytes);
  if (std::memcmp(bytes.magic, kMagic, sizeof kMagic) != 0 || bytes.version != kVersion ||
      bytes.record_bytes != kEndsRecordBytes || bytes.boot_id[sizeof bytes.boot_id - 1] != 0 ||
      bytes.crc != Crc32c(reinterpret_cast<const uint8_t*>(&bytes), offsetof(HeaderBytes, crc))) {
    return std::nullopt;
  }
  return Identity{bytes.boot_id, bytes.device, bytes.inode};
}

void FillCopy(uint8_t* to, const Record& record) noexcept {
  const PartitionEnds& ends = record.ends;
  CopyBytes copy{};
  copy.state = record.state;
  copy.sequence = record.sequence;
  std::memcpy(copy.topic_id, ends.topic_id.data(), sizeof copy.topic_id);
  copy.partition = ends.partition;
  copy.segment_base = ends.segment_base.value;
  copy.end_position = ends.end_position.value;
  copy.end_offset = ends.end_offset.value;
  copy.durable_segment_base = ends.durable_segment_base.value;
  copy.durable_position = ends.durable_position.value;
  copy.durable_offset = ends.durable_offset.value;
  copy.high_watermark = ends.high_watermark.value;
  copy.last_stable_offset = ends.last_stable_offset.value;
  copy.log_start_offset = ends.log_start_offset.value;
  copy.generation = ends.generation;
  copy.crc = CopyCrc(copy);
  std::memcpy(to, &copy, sizeof copy);
}

Record ParseRecord(const uint8_t* record) noexcept {
  Record first;
  Record second;
  const bool first_intact = ParseCopy(record, &first);
  const bool second_intact = ParseCopy(record + kEndsCopyBytes, &second);
  if (first_intact && (!second_intact || first.sequence > second.sequence)) return first;
  if (second_intact) return second;
  Record neither;
  neither.damaged = std::any_of(record, record + kEndsRecordBytes, [](uint8_t byte) { return byte != 0; });
  return neither;
}

}  // namespace seglog::ends_format
