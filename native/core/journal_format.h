// The bytes of `.journal` (commit_journal.h), little-endian. Pure functions over memory; every length is
// checked before it is used.
//
// The file is a header block of 4,096 bytes and behind it a ring of frames, each beginning at a multiple of
// 4,096. A frame is what one flush made durable:
//   0   CRC32C of what follows up to the end of the table      4   magic "SGLF"
//   8   id of the journal, as in the header (16)                24  sequence, higher than that before it (8)
//   32  tail: the oldest sequence still needed (8)              40  number of entries (4)
//   44  bytes of the whole frame, a multiple of 4,096 (4)       48  where the bodies begin (4), zeros
//   64  the table, 48 bytes an entry:
//         0 topic id (16)   16 partition (4)   20 length (4)   24 segment base (8)   32 position (8)
//         40 CRC32C of the id, the sequence and the body (4)   44 zero (4)
//       the bodies, one behind the other, and zeros.
// The id is random: bytes of records that happen to lie at a frame's place are never taken for one. The CRC
// of a body holds the sequence: a body that an older frame left in the same place is never taken for it.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "ends_file.h"
#include "types.h"

namespace seglog {

using JournalId = std::array<uint8_t, 16>;

inline constexpr size_t kJournalBlockBytes = 4096;
inline constexpr size_t kFrameHeadBytes = 64;
inline constexpr size_t kJournalEntryBytes = 48;
inline constexpr size_t kFrameMaxEntries = kEndsMaxSlots;
inline constexpr size_t kFrameMaxBytes = 8 << 20;

/// A range of one segment.
struct JournalEntry {
  TopicId topic_id{};
  int32_t partition = -1;
  RecordOffset segment_base;
  FilePosition position;
  uint32_t length = 0;
  uint32_t crc = 0;
  size_t body_at = 0;  // in the frame
};

struct FrameHead {
  uint64_t sequence = 0;
  uint64_t tail = 0;
  size_t entries = 0;
  size_t frame_bytes = 0;
  size_t bodies_at = 0;
};

namespace journal_format {

void FillHeader(MutableByteSpan block, const JournalId& id);

struct Header {
  JournalId id;
  uint32_t version = 0;
};
inline constexpr uint32_t kVersion = 1;
/// nullopt if this is no intact header. The version may be one that is not known here.
std::optional<Header> ParseHeader(ByteSpan block);

/// What a frame's first bytes say, within bounds; nullopt if they cannot begin a frame of this journal. Not
/// to be believed before ParseTable has seen the CRC.
std::optional<FrameHead> PeekFrame(ByteSpan bytes, const JournalId& id);
/// The entries of a frame, given its first `bodies_at` bytes; nullopt if the CRC or an entry is wrong. Ranges
/// lie within the 2 GiB that a segment may have.
std::optional<std::vector<JournalEntry>> ParseTable(ByteSpan bytes, const FrameHead& head);
bool BodyIsIntact(ByteSpan body, const JournalEntry& entry, const JournalId& id, uint64_t sequence);

}  // namespace journal_format

/// Builds one frame in a buffer of its own, which is kept for the next.
class JournalFrame {
 public:
  /// Forgets what was added. At most `entries` follow, and at most `limit` bytes (whole blocks) altogether.
  void Begin(size_t entries, size_t limit);
  /// Room for a body of `length` bytes, to be filled before the next call; empty if there is none.
  MutableByteSpan Add(const TopicId& topic_id, int32_t partition, RecordOffset segment_base,
                      FilePosition position, size_t length);
  /// Takes the last body back.
  void DropLast();
  size_t entries() const { return entries_.size(); }
  size_t bytes() const;
  /// Everything is in place: the frame's bytes, whole blocks. Valid until Begin.
  ByteSpan Finish(const JournalId& id, uint64_t sequence, uint64_t tail);

 private:
  std::vector<uint8_t> buffer_;
  std::vector<JournalEntry> entries_;
  size_t max_entries_ = 0;
  size_t limit_ = 0;
  size_t end_ = 0;  // of the bodies
};

}  // namespace seglog
