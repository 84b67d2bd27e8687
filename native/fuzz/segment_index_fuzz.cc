// Indexes of any bytes beside a good log: a segment opens, active or closed, and every batch is found all the
// same.
#include <cstdlib>
#include <vector>

#include "crc32c.h"
#include "memory_io.h"
#include "segment.h"
#include "segment_scan.h"

using namespace seglog;  // NOLINT: a program of one file

namespace {

constexpr int kBatches = 30;

void Check(bool holds) {
  if (!holds) std::abort();
}

void Store(Io& io, const std::string& path, ByteSpan bytes) {
  auto file = io.Open(path, OpenMode::kCreate);
  const IoSlice slice{bytes.data(), bytes.size()};
  if (!bytes.empty()) Check((*file)->WriteAt(0, &slice, 1).ok());
}

/// An empty-looking batch of one offset: what the indexes care about and no more.
std::vector<uint8_t> OneBatch(int64_t timestamp) {
  std::vector<uint8_t> batch(kBatchOverhead + 8, 0);
  batch[11] = static_cast<uint8_t>(batch.size() - kBatchLengthEnd);
  batch[16] = 2;
  PatchAppendTime(batch.data(), TimestampMs(timestamp));
  batch[60] = 1;
  PatchCrc(batch.data(), Crc32c(batch.data() + kCrcStart, batch.size() - kCrcStart));
  return batch;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  test::MemoryIo io;
  auto directory = DataDirectory::Open(io, "/d", {}).value();
  Check(directory->MakeDirectory("t-0").ok());
  std::vector<uint8_t> log;
  for (int i = 0; i < kBatches; ++i) {
    std::vector<uint8_t> batch = OneBatch(100 + i);
    PatchBaseOffset(batch.data(), RecordOffset(i));
    log.insert(log.end(), batch.begin(), batch.end());
  }
  Store(io, "/d/t-0/00000000000000000000.log", log);
  const bool active = data[0] & 1;
  const size_t split = std::min<size_t>(data[1], size - 2);
  Store(io, "/d/t-0/00000000000000000000.index", {data + 2, split});
  Store(io, "/d/t-0/00000000000000000000.timeindex", {data + 2 + split, size - 2 - split});

  SegmentOptions options;
  options.folder = "t-0";
  options.active = active;
  options.segment_bytes = 1 << 20;
  options.index_interval_bytes = 100;
  if (data[0] & 2)
    options.end = LogEnd{FilePosition(static_cast<int64_t>(log.size())), RecordOffset(kBatches)};
  auto segment = Segment::Open(directory, nullptr, options);
  Check(segment.ok());
  Check((*segment)->published().offset.value == kBatches);
  std::vector<uint8_t> target(100);
  for (const int64_t offset : {0, 1, 15, 29, 7, 22}) {
    auto read = (*segment)->Read(RecordOffset(offset), FilePosition(INT64_MAX), target);
    Check(read.ok() && read->bytes > 0);
    Check(ParseBatchHeader(target)->base_offset.value == offset);
  }
  (void)(*segment)->LocateTimestamp(TimestampMs(115));
  if (active) {
    Check((*segment)->TruncateTo(RecordOffset(20)).ok());
    Check((*segment)->Seal().ok());
  }
  ScanOptions scan;
  scan.folder = "/d/t-0";
  scan.verify_indexes = true;
  Check(!ScanSegment(io, scan).value().stopped);
  return 0;
}
