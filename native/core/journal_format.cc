#include "journal_format.h"

#include <algorithm>
#include <cstring>

#include "crc32c.h"

namespace seglog {

namespace {

constexpr char kHeaderMagic[8] = {'S', 'E', 'G', 'L', 'J', 'R', 'N', 'L'};
constexpr uint32_t kFrameMagic = 0x464c4753;  // "SGLF"

struct HeaderBytes {
  char magic[8];
  uint32_t version;
  uint32_t block_bytes;
  uint8_t id[16];
  uint32_t crc;  // of everything before it
};

struct FrameBytes {
  uint32_t crc;
  uint32_t magic;
  uint8_t id[16];
  uint64_t sequence;
  uint64_t tail;
  uint32_t entries;
  uint32_t frame_bytes;
  uint32_t bodies_at;
  uint8_t zero[12];
};
static_assert(sizeof(FrameBytes) == kFrameHeadBytes);

struct EntryBytes {
  uint8_t topic_id[16];
  int32_t partition;
  uint32_t length;
  int64_t segment_base;
  int64_t position;
  uint32_t crc;
  uint32_t zero;
};
static_assert(sizeof(EntryBytes) == kJournalEntryBytes);

constexpr size_t BlocksUp(size_t bytes) {
  return (bytes + kJournalBlockBytes - 1) / kJournalBlockBytes * kJournalBlockBytes;
}

uint32_t BodyCrc(ByteSpan body, const JournalId& id, uint64_t sequence) {
  uint8_t seed[sizeof id + sizeof sequence];
  std::memcpy(seed, id.data(), sizeof id);
  std::memcpy(seed + sizeof id, &sequence, sizeof sequence);
  return Crc32c(body.data(), body.size(), Crc32c(seed, sizeof seed));
}

uint32_t HeadCrc(ByteSpan head) {
  return Crc32c(head.data() + sizeof(uint32_t), head.size() - sizeof(uint32_t));
}

}  // namespace

namespace journal_format {

void FillHeader(MutableByteSpan block, const JournalId& id) {
  std::fill(block.begin(), block.end(), uint8_t{0});
  HeaderBytes bytes{};
  std::memcpy(bytes.magic, kHeaderMagic, sizeof kHeaderMagic);
  bytes.version = kVersion;
  bytes.block_bytes = kJournalBlockBytes;
  std::memcpy(bytes.id, id.data(), id.size());
  bytes.crc = Crc32c(reinterpret_cast<const uint8_t*>(&bytes), offsetof(HeaderBytes, crc));
  std::memcpy(block.data(), &bytes, sizeof bytes);
}

std::optional<Header> ParseHeader(ByteSpan block) {
  HeaderBytes bytes;
  if (block.size() < sizeof bytes) return std::nullopt;
  std::memcpy(&bytes, block.data(), sizeof bytes);
  if (std::memcmp(bytes.magic, kHeaderMagic, sizeof kHeaderMagic) != 0 ||
      bytes.crc != Crc32c(reinterpret_cast<const uint8_t*>(&bytes), offsetof(HeaderBytes, crc))) {
    return std::nullopt;
  }
  Header header;
  std::memcpy(header.id.data(), bytes.id, sizeof bytes.id);
  header.version = bytes.version;
  return header;
}

std::optional<FrameHead> PeekFrame(ByteSpan bytes, const JournalId& id) {
  FrameBytes head;
  if (bytes.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.magic != kFrameMagic || std::memcmp(head.id, id.data(), id.size()) != 0) return std::nullopt;
  const uint64_t table_end = kFrameHeadBytes + uint64_t{head.entries} * kJournalEntryBytes;
  if (head.entries > kFrameMaxEntries || head.frame_bytes > kFrameMaxBytes || head.frame_bytes == 0 ||
      head.frame_bytes % kJournalBlockBytes != 0 || head.bodies_at < table_end ||
      head.bodies_at > head.frame_bytes || head.sequence == UINT64_MAX || head.tail > head.sequence + 1) {
    return std::nullopt;
  }
  return FrameHead{head.sequence, head.tail, head.entries, head.frame_bytes, head.bodies_at};
}

std::optional<std::vector<JournalEntry>> ParseTable(ByteSpan bytes, const FrameHead& head) {
  if (bytes.size() < head.bodies_at) return std::nullopt;
  uint32_t crc;
  std::memcpy(&crc, bytes.data(), sizeof crc);
  if (crc != HeadCrc(bytes.first(head.bodies_at))) return std::nullopt;
  std::vector<JournalEntry> entries;
  entries.reserve(head.entries);
  size_t body_at = head.bodies_at;
  for (size_t i = 0; i < head.entries; ++i) {
    EntryBytes from;
    std::memcpy(&from, bytes.data() + kFrameHeadBytes + i * kJournalEntryBytes, sizeof from);
    if (from.length > head.frame_bytes - body_at || from.partition < 0 || from.segment_base < 0 ||
        from.position < 0 || from.position > INT32_MAX - int64_t{from.length}) {
      return std::nullopt;
    }
    JournalEntry& entry = entries.emplace_back();
    std::memcpy(entry.topic_id.data(), from.topic_id, sizeof from.topic_id);
    entry.partition = from.partition;
    entry.segment_base = RecordOffset(from.segment_base);
    entry.position = FilePosition(from.position);
    entry.length = from.length;
    entry.crc = from.crc;
    entry.body_at = body_at;
    body_at += from.length;
  }
  return entries;
}

bool BodyIsIntact(ByteSpan body, const JournalEntry& entry, const JournalId& id, uint64_t sequence) {
  return body.size() == entry.length && BodyCrc(body, id, sequence) == entry.crc;
}

}  // namespace journal_format

void JournalFrame::Begin(size_t entries, size_t limit) {
  entries_.clear();
  max_entries_ = std::min(entries, kFrameMaxEntries);
  limit_ = std::min(limit, kFrameMaxBytes);
  end_ = kFrameHeadBytes + max_entries_ * kJournalEntryBytes;
  if (end_ > limit_) {
    max_entries_ = 0;
    end_ = kFrameHeadBytes;
  }
}

MutableByteSpan JournalFrame::Add(const TopicId& topic_id, int32_t partition, RecordOffset segment_base,
                                  FilePosition position, size_t length) {
  if (entries_.size() >= max_entries_ || length == 0 || length > limit_ - end_) return {};
  if (buffer_.size() < end_ + length) buffer_.resize(BlocksUp(end_ + length));
  JournalEntry& entry = entries_.emplace_back();
  entry.topic_id = topic_id;
  entry.partition = partition;
  entry.segment_base = segment_base;
  entry.position = position;
  entry.length = static_cast<uint32_t>(length);
  entry.body_at = end_;
  end_ += length;
  return {buffer_.data() + entry.body_at, length};
}

void JournalFrame::DropLast() {
  end_ = entries_.back().body_at;
  entries_.pop_back();
}

size_t JournalFrame::bytes() const { return BlocksUp(end_); }

ByteSpan JournalFrame::Finish(const JournalId& id, uint64_t sequence, uint64_t tail) {
  if (buffer_.size() < bytes()) buffer_.resize(bytes());
  const size_t bodies_at = kFrameHeadBytes + max_entries_ * kJournalEntryBytes;
  std::fill(buffer_.data(), buffer_.data() + bodies_at, uint8_t{0});
  std::fill(buffer_.data() + end_, buffer_.data() + bytes(), uint8_t{0});
  FrameBytes head{};
  head.magic = kFrameMagic;
  std::memcpy(head.id, id.data(), id.size());
  head.sequence = sequence;
  head.tail = tail;
  head.entries = static_cast<uint32_t>(entries_.size());
  head.frame_bytes = static_cast<uint32_t>(bytes());
  head.bodies_at = static_cast<uint32_t>(bodies_at);
  std::memcpy(buffer_.data(), &head, sizeof head);
  uint8_t* to = buffer_.data() + kFrameHeadBytes;
  for (const JournalEntry& entry : entries_) {
    EntryBytes bytes{};
    std::memcpy(bytes.topic_id, entry.topic_id.data(), sizeof bytes.topic_id);
    bytes.partition = entry.partition;
    bytes.length = entry.length;
    bytes.segment_base = entry.segment_base.value;
    bytes.position = entry.position.value;
    bytes.crc = BodyCrc({buffer_.data() + entry.body_at, entry.length}, id, sequence);
    std::memcpy(to, &bytes, sizeof bytes);
    to += sizeof bytes;
  }
  const uint32_t crc = HeadCrc({buffer_.data(), bodies_at});
  std::memcpy(buffer_.data(), &crc, sizeof crc);
  return {buffer_.data(), bytes()};
}

}  // namespace seglog
