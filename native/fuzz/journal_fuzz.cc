// A `.journal` of any bytes behind a good header: replaying it ends, writes nowhere but into the segment that
// is there, and the second time changes nothing. The first byte chooses whether the CRCs of the first frame
// are made right, so that what stands behind them is reached.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "crc32c.h"
#include "journal_format.h"
#include "journal_replay.h"
#include "memory_io.h"

using namespace seglog;  // NOLINT: a program of one file

namespace {

constexpr JournalId kId{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr char kMetadata[] = "version: 0\ntopic_id: AQIDBAUGBwgJCgsMDQ4PEA";
constexpr char kLog[] = "/d/t-3/00000000000000000000.log";

void Check(bool holds) {
  if (!holds) std::abort();
}

void Store(Io& io, const char* path, ByteSpan bytes) {
  auto file = io.Open(path, OpenMode::kCreate);
  const IoSlice slice{bytes.data(), bytes.size()};
  if (!bytes.empty()) Check((*file)->WriteAt(0, &slice, 1).ok());
}

std::vector<uint8_t> Load(Io& io, const char* path) {
  auto file = io.Open(path, OpenMode::kRead);
  std::vector<uint8_t> bytes(static_cast<size_t>((*file)->Info()->size));
  Check((*file)->ReadAt(0, bytes.data(), bytes.size()).ok());
  return bytes;
}

/// Within what PeekFrame has bounded.
void MakeCrcsRight(std::vector<uint8_t>& frame) {
  if (frame.size() < kFrameHeadBytes) return;
  std::memcpy(frame.data() + 8, kId.data(), kId.size());
  const auto head = journal_format::PeekFrame(frame, kId);
  if (!head || head->bodies_at > frame.size()) return;
  uint8_t seed[24];
  std::memcpy(seed, kId.data(), kId.size());
  std::memcpy(seed + 16, &head->sequence, 8);
  size_t body_at = head->bodies_at;
  for (size_t i = 0; i < head->entries; ++i) {
    uint8_t* entry = frame.data() + kFrameHeadBytes + i * kJournalEntryBytes;
    uint32_t length;
    std::memcpy(&length, entry + 20, sizeof length);
    if (length > frame.size() - body_at) break;
    const uint32_t crc = Crc32c(frame.data() + body_at, length, Crc32c(seed, sizeof seed));
    std::memcpy(entry + 40, &crc, sizeof crc);
    body_at += length;
  }
  const uint32_t crc = Crc32c(frame.data() + 4, head->bodies_at - 4);
  std::memcpy(frame.data(), &crc, sizeof crc);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::vector<uint8_t> ring(data + 1, data + size);
  if (data[0] & 1) MakeCrcsRight(ring);
  test::MemoryIo io;
  Check(io.MakeDirectory("/d/t-3").ok());
  Store(io, "/d/t-3/partition.metadata", {reinterpret_cast<const uint8_t*>(kMetadata), sizeof kMetadata - 1});
  Store(io, kLog, std::vector<uint8_t>(100, 7));
  std::vector<uint8_t> journal(kJournalBlockBytes);
  journal_format::FillHeader(journal, kId);
  journal.insert(journal.end(), ring.begin(), ring.end());
  journal.resize((journal.size() + kJournalBlockBytes - 1) / kJournalBlockBytes * kJournalBlockBytes);
  Store(io, "/d/.journal", journal);

  const auto counted = UseJournal(io, "/d", JournalUse::kCount);
  Check(counted.ok());
  Check(Load(io, kLog) == std::vector<uint8_t>(100, 7));
  const auto replayed = UseJournal(io, "/d", JournalUse::kReplay);
  if (!replayed.ok()) return 0;  // beyond what a file here may hold
  Check(replayed.value().entries == counted.value().entries);
  Check(Load(io, "/d/.journal") == journal);
  const std::vector<uint8_t> once = Load(io, kLog);
  if (counted.value().entries == 0) Check(once == std::vector<uint8_t>(100, 7));
  Check(UseJournal(io, "/d", JournalUse::kReplay).ok());
  Check(Load(io, kLog) == once);
  Check(io.List("/d")->size() == 2);
  return 0;
}
