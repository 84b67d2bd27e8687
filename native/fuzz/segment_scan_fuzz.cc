// A segment's `.log` from any bytes: the scan ends, its good prefix is really good, truncating to it makes a
// clean log, and a segment opens on what is left, reads every batch of it once and takes an append.
#include <cstdlib>
#include <vector>

#include "memory_io.h"
#include "segment.h"
#include "segment_scan.h"

using namespace seglog;  // NOLINT: a program of one file

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

void Store(Io& io, const char* path, const std::vector<uint8_t>& bytes) {
  auto file = io.Open(path, OpenMode::kCreate);
  const IoSlice slice{bytes.data(), bytes.size()};
  if (!bytes.empty()) Check((*file)->WriteAt(0, &slice, 1).ok());
}

int64_t CountByReading(Segment& segment) {
  std::vector<uint8_t> target(1 << 16);
  int64_t batches = 0;
  for (RecordOffset offset = segment.base_offset(); offset < segment.published().offset;) {
    auto read = segment.Read(offset, FilePosition(INT64_MAX), target);
    Check(read.ok());
    if (read->first_needs > target.size()) {
      target.resize(read->first_needs);
      continue;
    }
    Check(read->bytes > 0);
    for (size_t at = 0; at < read->bytes; ++batches) {
      auto header = ParseBatchHeader({target.data() + at, read->bytes - at});
      Check(header.ok());
      offset = header->last_offset() + 1;
      at += static_cast<size_t>(header->size_bytes());
    }
  }
  return batches;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t choice = data[0];
  test::MemoryIo io;
  auto directory = DataDirectory::Open(io, "/d", {}).value();
  Check(directory->MakeDirectory("t-0").ok());
  Store(io, "/d/t-0/00000000000000000000.log", {data + 1, data + size});
  ScanOptions options;
  options.folder = "/d/t-0";
  options.index_interval_bytes = 100;
  options.check_crc = choice & 1;
  options.walk_records = choice & 2;
  options.rebuild_indexes = true;
  options.truncate = true;
  const ScanResult first = ScanSegment(io, options).value();
  Check(first.end_position.value <= static_cast<int64_t>(size) - 1);
  Check(first.producers.size() % kScanProducerBytes == 0);
  options.rebuild_indexes = options.truncate = false;
  options.verify_indexes = true;
  const ScanResult second = ScanSegment(io, options).value();
  Check(!second.stopped && second.batches == first.batches && second.end_offset == first.end_offset);
  Check(second.index_faults.empty());

  SegmentOptions segment_options;
  segment_options.folder = "t-0";
  segment_options.active = true;
  segment_options.segment_bytes = 1 << 24;
  segment_options.index_interval_bytes = 100;
  auto segment = Segment::Open(directory, nullptr, segment_options);
  Check(segment.ok());
  Check((*segment)->published().offset == first.end_offset);
  Check(CountByReading(**segment) == first.batches);
  (void)(*segment)->LocateTimestamp(first.max_timestamp);
  (void)(*segment)->TruncateTo(RecordOffset(first.end_offset.value / 2));
  Check((*segment)->Seal().ok());
  return 0;
}
