// Any bytes given to an append, by either lane: they are refused, or stored as whole batches that read back
// and scan clean.
#include <cstdlib>
#include <vector>

#include "coarse_clock.h"
#include "memory_io.h"
#include "segment.h"
#include "segment_scan.h"

using namespace seglog;  // NOLINT: a program of one file

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint8_t choice = data[0];
  const size_t cut = data[1];
  test::MemoryIo io;
  auto directory = DataDirectory::Open(io, "/d", {}).value();
  Check(directory->MakeDirectory("t-0").ok());
  SegmentOptions options;
  options.folder = "t-0";
  options.active = true;
  options.create = true;
  options.segment_bytes = 1 << 20;
  options.index_interval_bytes = 64;
  auto segment = Segment::Open(directory, nullptr, options).value();
  segment->Tend(CoarseNowMs(), Ahead::kProcessBytes);

  const std::vector<uint8_t> bytes(data + 2, data + size);
  const size_t first = std::min(cut, bytes.size());
  const ByteSpan parts[] = {{bytes.data(), first}, {bytes.data() + first, bytes.size() - first}};
  AppendOptions append;
  append.leader_epoch = choice & 1 ? 5 : -1;
  append.append_time = TimestampMs(choice & 2 ? 1000 : -1);
  append.crc = choice & 4 ? CrcMode::kVerify : CrcMode::kCompute;
  append.keep_offsets = choice & 8;
  for (int lane = 0; lane < 2; ++lane) {
    const LogEnd before = segment->published();
    Appended appended;
    Status error;
    bool done = false;
    if (lane == 0) {
      done = segment->AppendNow(parts, append, &appended, &error) == AppendOutcome::kDone;
    } else {
      done = segment->Append(parts, append).ok();
    }
    const LogEnd after = segment->published();
    Check(done ? after.position == before.position + static_cast<int64_t>(bytes.size()) : after == before);
  }
  const LogEnd end = segment->published();
  Check(segment->Seal().ok());
  ScanOptions scan;
  scan.folder = "/d/t-0";
  scan.verify_indexes = true;
  const ScanResult scanned = ScanSegment(io, scan).value();
  Check(!scanned.stopped && scanned.end_position == end.position && scanned.end_offset == end.offset);
  Check(scanned.index_faults.empty());
  return 0;
}
