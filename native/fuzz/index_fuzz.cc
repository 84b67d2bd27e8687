// Index files of any bytes: the first byte chooses offset or time index and a cut, the rest is the file.
// Whatever it holds, an index that opens answers alike active and closed, and its answers are entries in
// order.
#include <cstdlib>
#include <limits>

#include "memory_io.h"
#include "offset_index.h"
#include "time_index.h"

namespace {

using namespace seglog;

constexpr int64_t kIndexBytes = 1 << 20;
constexpr const char* kPath = "/index";
const RecordOffset kBase(1'000'000);

void Check(bool holds) {
  if (!holds) std::abort();
}

void Store(test::MemoryIo& io, const uint8_t* data, size_t size) {
  auto file = io.Open(kPath, OpenMode::kCreate);
  const IoSlice slice{data, size};
  Check(file.ok() && (*file)->WriteAt(0, &slice, 1).ok());
}

int64_t KeyOf(const OffsetIndex::Entry& entry) { return entry.offset.value; }
int64_t KeyOf(const TimeIndex::Entry& entry) { return entry.timestamp.value; }
int64_t SecondOf(const OffsetIndex::Entry& entry) { return entry.position.value; }
int64_t SecondOf(const TimeIndex::Entry& entry) { return entry.offset.value; }

Status Cut(OffsetIndex& index, int64_t end) { return index.TruncateTo(kBase + end, FilePosition(end)); }
Status Cut(TimeIndex& index, int64_t end) { return index.TruncateTo(kBase + end); }

template <typename Index, typename Key>
void Compare(Index& active, Index& closed, Key target) {
  const auto expected = active.Lookup(target);
  const auto found = closed.Lookup(target);
  Check(expected.ok() && found.ok());
  Check(KeyOf(expected.value()) == KeyOf(found.value()));
  Check(SecondOf(expected.value()) == SecondOf(found.value()));
  const bool none = expected.value().offset == kBase;  // the base stands for no entry
  Check(none || KeyOf(expected.value()) <= target.value);
}

template <typename Index, typename Key>
void Run(test::MemoryIo& io, int64_t cut) {
  auto active = Index::Open(io, kPath, kBase, kIndexBytes, IndexMode::kActive);
  auto closed = Index::Open(io, kPath, kBase, kIndexBytes, IndexMode::kClosed);
  if (!active.ok()) {
    Check(active.status().code() == ErrorCode::kCorrupt);
    if (closed.ok()) {
      const auto found = (*closed)->Lookup(Key(std::numeric_limits<int64_t>::max() / 2));
      Check(!found.ok() && found.status().code() == ErrorCode::kCorrupt);
    }
    return;
  }
  Check(closed.ok() && (*active)->entries() == (*closed)->entries());
  const int64_t last = KeyOf((*active)->last());
  Check(last == KeyOf((*closed)->last()));
  for (const int64_t target : {int64_t{0}, kBase.value + cut, last / 2, last - 1, last}) {
    Compare(**active, **closed, Key(target));
  }
  Check(Cut(**active, cut).ok() && (*active)->entries() <= (*closed)->entries());
  Check((*active)->Seal().ok());
  auto reopened = Index::Open(io, kPath, kBase, kIndexBytes, IndexMode::kActive);
  Check(reopened.ok() && (*reopened)->entries() == (*active)->entries());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  seglog::test::MemoryIo io;
  Store(io, data + 1, size - 1);
  const int64_t cut = data[0] / 2;
  if (data[0] % 2 == 0) {
    Run<OffsetIndex, RecordOffset>(io, cut);
  } else {
    Run<TimeIndex, TimestampMs>(io, cut);
  }
  return 0;
}
