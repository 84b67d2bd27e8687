#include "journal_replay.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "commit_journal.h"
#include "journal_format.h"
#include "segment.h"

namespace seglog {

namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr char kMetadataName[] = "partition.metadata";
constexpr size_t kMetadataBytes = 256;

using Partition = std::pair<TopicId, int32_t>;
/// Which file: a partition's segment.
using SegmentKey = std::pair<Partition, RecordOffset>;

struct FoundFrame {
  FrameHead head;
  int64_t position;
};

/// A body in the journal and where it belongs in its segment.
struct Range {
  int64_t at;  // in the journal
  uint64_t sequence;
  JournalEntry entry;
};

std::optional<uint8_t> Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<uint8_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<uint8_t>(c - 'a' + 26);
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0' + 52);
  if (c == '-') return uint8_t{62};
  if (c == '_') return uint8_t{63};
  return std::nullopt;
}

/// Kafka's text form: 22 characters of base64url.
std::optional<TopicId> TopicIdOf(const std::string& text) {
  constexpr size_t kDigits = 22;
  if (text.size() < kDigits) return std::nullopt;
  TopicId id{};
  uint32_t bits = 0;
  uint32_t held = 0;
  size_t bytes = 0;
  for (size_t i = 0; i < kDigits; ++i) {
    const auto digit = Base64Digit(text[i]);
    if (!digit) return std::nullopt;
    bits = (bits << 6 | *digit) & 0xffff;
    held += 6;
    if (held >= 8 && bytes < id.size()) {
      held -= 8;
      id[bytes++] = static_cast<uint8_t>(bits >> held);
    }
  }
  return id;
}

std::optional<TopicId> ReadTopicId(Io& io, const std::string& path) {
  auto file = io.Open(path, OpenMode::kRead);
  if (!file.ok()) return std::nullopt;
  std::string text(kMetadataBytes, '\0');
  auto read = (*file)->ReadAt(0, reinterpret_cast<uint8_t*>(text.data()), text.size());
  if (!read.ok()) return std::nullopt;
  text.resize(*read);
  constexpr char kField[] = "topic_id: ";
  const size_t at = text.find(kField);
  return at == std::string::npos ? std::nullopt : TopicIdOf(text.substr(at + sizeof kField - 1));
}

/// The partition number at the end of a folder's name; nullopt for files and folders on their way out.
std::optional<int32_t> PartitionOf(const std::string& name) {
  const size_t dash = name.find_last_of('-');
  if (dash == std::string::npos || dash == 0) return std::nullopt;
  int32_t number = -1;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + dash + 1, end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < 0) return std::nullopt;
  return number;
}

class Journal {
 public:
  Journal(Io& io, std::string directory) : io_(io), directory_(std::move(directory)) {}

  Result<JournalReplay> Use(JournalUse use) {
    auto file = io_.Open(directory_ + "/" + kJournalName, OpenMode::kRead);
    if (file.status().code() == ErrorCode::kNotFound) return replay_;
    if (!file.ok()) return file.status();
    file_ = std::move(*file);
    auto info = file_->Info();
    if (!info.ok()) return info.status();
    size_ = info->size;
    uint8_t block[kJournalBlockBytes];
    auto read = file_->ReadAt(0, block, sizeof block);
    if (!read.ok()) return read.status();
    const auto header = journal_format::ParseHeader({block, *read});
    if (!header) return replay_;  // never made whole: nothing was acknowledged by it
    if (header->version != journal_format::kVersion) {
      return Status::Error(ErrorCode::kUnsupported,
                           "a newer version wrote this journal; open the directory with that version",
                           file_->path());
    }
    id_ = header->id;
    SEGLOG_RETURN_IF_ERROR(FindFrames());
    SEGLOG_RETURN_IF_ERROR(FindRanges());
    SEGLOG_RETURN_IF_ERROR(FindFolders());
    for (const auto& [key, ranges] : ranges_) SEGLOG_RETURN_IF_ERROR(UseSegment(key, ranges, use));
    return replay_;
  }

 private:
  /// Every intact head; the newest tail says which count.
  Status FindFrames() {
    std::vector<uint8_t> buffer(kReadBytes);
    int64_t from = 0;
    size_t held = 0;
    uint64_t tail = 0;
    for (int64_t at = kJournalBlockBytes; at + static_cast<int64_t>(kJournalBlockBytes) <= size_;) {
      if (at < from || at + static_cast<int64_t>(kJournalBlockBytes) > from + static_cast<int64_t>(held)) {
        auto read = file_->ReadAt(at, buffer.data(), buffer.size());
        if (!read.ok()) return read.status();
        from = at;
        held = *read;
        if (held < kJournalBlockBytes) break;
      }
      const ByteSpan block(buffer.data() + (at - from), kJournalBlockBytes);
      const auto head = journal_format::PeekFrame(block, id_);
      if (head && static_cast<int64_t>(head->frame_bytes) <= size_ - at) {
        auto table = ReadTable(at, *head);
        if (!table.ok()) return table.status();
        if (*table) {
          frames_.push_back({*head, at});
          tail = std::max(tail, head->tail);
          at += static_cast<int64_t>(head->frame_bytes);
          continue;
        }
      }
      at += kJournalBlockBytes;
    }
    std::erase_if(frames_, [tail](const FoundFrame& frame) { return frame.head.sequence < tail; });
    std::sort(frames_.begin(), frames_.end(),
              [](const FoundFrame& a, const FoundFrame& b) { return a.head.sequence < b.head.sequence; });
    return Status::Ok();
  }

  Result<std::optional<std::vector<JournalEntry>>> ReadTable(int64_t at, const FrameHead& head) {
    std::vector<uint8_t> bytes(head.bodies_at);
    auto read = file_->ReadAt(at, bytes.data(), bytes.size());
    if (!read.ok()) return read.status();
    return journal_format::ParseTable(ByteSpan(bytes).first(*read), head);
  }

  Status FindRanges() {
    for (const FoundFrame& frame : frames_) {
      auto table = ReadTable(frame.position, frame.head);
      if (!table.ok()) return table.status();
      if (!*table) continue;
      ++replay_.frames;
      for (const JournalEntry& entry : **table) {
        ranges_[{{entry.topic_id, entry.partition}, entry.segment_base}].push_back(
            {frame.position + static_cast<int64_t>(entry.body_at), frame.head.sequence, entry});
      }
    }
    return Status::Ok();
  }

  Status FindFolders() {
    if (ranges_.empty()) return Status::Ok();
    std::set<int32_t> wanted;
    for (const auto& [key, ranges] : ranges_) wanted.insert(key.first.second);
    auto names = io_.List(directory_);
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      const auto partition = PartitionOf(name);
      if (!partition || !wanted.contains(*partition)) continue;
      const std::string folder = directory_ + "/" + name;
      const auto id = ReadTopicId(io_, folder + "/" + kMetadataName);
      if (id) folders_[{*id, *partition}] = folder;
    }
    return Status::Ok();
  }

  Status UseSegment(const SegmentKey& key, const std::vector<Range>& ranges, JournalUse use) {
    const auto folder = folders_.find(key.first);
    if (folder == folders_.end()) return Skip(ranges);
    const std::string path = SegmentFile(folder->second, key.second, ".log");
    auto file = io_.Open(path, use == JournalUse::kCount ? OpenMode::kRead : OpenMode::kReadWrite);
    if (file.status().code() == ErrorCode::kNotFound) return Skip(ranges);
    if (!file.ok()) return file.status();
    std::vector<uint8_t> body;
    for (const Range& range : ranges) {
      body.resize(range.entry.length);
      auto read = file_->ReadAt(range.at, body.data(), body.size());
      if (!read.ok()) return read.status();
      if (!journal_format::BodyIsIntact(ByteSpan(body).first(*read), range.entry, id_, range.sequence)) {
        ++replay_.damaged;
        continue;
      }
      ++replay_.entries;
      replay_.bytes += range.entry.length;
      if (use != JournalUse::kReplay) continue;
      const IoSlice slice{body.data(), body.size()};
      SEGLOG_RETURN_IF_ERROR((*file)->WriteAt(range.entry.position.value, &slice, 1));
    }
    if (use == JournalUse::kReplay) return (*file)->Sync();
    return use == JournalUse::kFlush ? FlushRanges(**file, ranges) : Status::Ok();
  }

  /// Only the ranges: what else the page cache holds of the file may be gigabytes.
  Status FlushRanges(File& file, const std::vector<Range>& ranges) {
    auto info = file.Info();
    if (!info.ok()) return info.status();
    int64_t from = INT64_MAX;
    int64_t to = 0;
    for (const Range& range : ranges) {
      from = std::min(from, range.entry.position.value);
      to = std::max(to, range.entry.position.value + range.entry.length);
    }
    to = std::min(to, info->size);
    if (from >= to) return Status::Ok();
    auto mapping = file.Map(static_cast<size_t>(to), true);
    if (!mapping.ok()) return file.SyncData();
    return (*mapping)->Sync(static_cast<size_t>(from), static_cast<size_t>(to));
  }

  Status Skip(const std::vector<Range>& ranges) {
    replay_.skipped += static_cast<int64_t>(ranges.size());
    return Status::Ok();
  }

  Io& io_;
  const std::string directory_;
  std::unique_ptr<File> file_;
  int64_t size_ = 0;
  JournalId id_{};
  std::vector<FoundFrame> frames_;
  std::map<SegmentKey, std::vector<Range>> ranges_;
  std::map<Partition, std::string> folders_;
  JournalReplay replay_;
};

}  // namespace

Result<JournalReplay> UseJournal(Io& io, const std::string& directory, JournalUse use) {
  return Journal(io, directory).Use(use);
}

}  // namespace seglog
