#include "index_file.h"

#include <algorithm>
#include <bit>

#include "big_endian.h"

namespace seglog {

namespace {

constexpr size_t kBlockBytes = 4096;
constexpr size_t kReadBytes = 16 * kBlockBytes;
constexpr IndexFile::Entry kBeforeFirst{-1, -1};

// Chunk c holds kFirstChunk << c entries, so that entry i is found without a table that would have to move.
struct ChunkPlace {
  size_t chunk;
  size_t slot;
};

ChunkPlace PlaceOf(size_t index, size_t first_chunk) {
  const size_t shifted = index + first_chunk;
  const auto chunk = static_cast<size_t>(std::bit_width(shifted) - std::bit_width(first_chunk));
  return {chunk, shifted - (first_chunk << chunk)};
}

}  // namespace

Result<std::unique_ptr<IndexFile>> IndexFile::Open(Io& io, std::string path, IndexLayout layout,
                                                   IndexMode mode) {
  std::unique_ptr<IndexFile> index(new IndexFile(io, std::move(path), layout));
  SEGLOG_RETURN_IF_ERROR(index->Load(mode));
  return index;
}

IndexFile::IndexFile(Io& io, std::string path, IndexLayout layout)
    : io_(io), path_(std::move(path)), layout_(layout) {}

IndexFile::~IndexFile() = default;

Status IndexFile::Append(int64_t key, int32_t second) {
  const size_t index = count_.load(std::memory_order_relaxed);
  const Entry entry{key, second};
  if (!active() || !Increases(index == 0 ? kBeforeFirst : last_, entry)) {
    return Status::Error(ErrorCode::kInvalidArgument,
                         "an index entry must lie behind the last one, in an active index", path_);
  }
  MakeRoom(index);
  uint8_t* slot = Slot(index);
  if (layout_.key_bytes == 8) {
    StoreBig64(slot, key);
  } else {
    StoreBig32(slot, static_cast<int32_t>(key));
  }
  StoreBig32(slot + layout_.key_bytes, second);
  last_ = entry;
  count_.store(index + 1, std::memory_order_release);
  return Status::Ok();
}

Result<bool> IndexFile::Find(int64_t target, IndexWait wait, Entry* found) {
  for (;;) {
    {
      std::shared_lock lock(shape_);
      if (active()) return FindInMemory(target, found);
      if (entries() == 0) return false;
      if (file_ != nullptr && !samples_.empty()) return FindInBlock(target, wait, found);
    }
    if (wait == IndexWait::kNoWait) return Status::Error(ErrorCode::kCold, "the index is not loaded", path_);
    SEGLOG_RETURN_IF_ERROR(LoadSamples());
  }
}

bool IndexFile::Last(Entry* last) const {
  if (entries() == 0) return false;
  *last = last_;
  return true;
}

Status IndexFile::TruncateTo(int64_t key_end, int64_t second_end) {
  std::lock_guard file_lock(file_mutex_);
  if (!active()) SEGLOG_RETURN_IF_ERROR(Activate());
  size_t kept = entries();
  const auto beyond = [&](const Entry& entry) { return entry.key >= key_end || entry.second >= second_end; };
  while (kept > 0 && beyond(Decode(Slot(kept - 1)))) --kept;
  {
    std::unique_lock lock(shape_);
    count_.store(kept, std::memory_order_release);
    if (kept > 0) last_ = Decode(Slot(kept - 1));
  }
  if (written_ <= kept) return Status::Ok();
  SEGLOG_RETURN_IF_ERROR(file_->Truncate(static_cast<int64_t>(kept * layout_.entry_bytes)));
  written_ = kept;
  return Status::Ok();
}

Status IndexFile::WritePending() {
  std::lock_guard lock(file_mutex_);
  return WritePendingLocked();
}

Status IndexFile::Sync() {
  std::lock_guard lock(file_mutex_);
  SEGLOG_RETURN_IF_ERROR(WritePendingLocked());
  return file_ == nullptr ? Status::Ok() : file_->SyncData();
}

Status IndexFile::Seal() {
  std::lock_guard file_lock(file_mutex_);
  if (!active()) return Status::Ok();
  SEGLOG_RETURN_IF_ERROR(WritePendingLocked());
  std::vector<int64_t> samples;
  samples.reserve(entries() / entries_per_block() + 1);
  for (size_t i = 0; i < entries(); i += entries_per_block()) samples.push_back(Decode(Slot(i)).key);
  Chunks released;
  std::unique_lock lock(shape_);
  samples_.swap(samples);
  chunks_.swap(released);
  active_.store(false, std::memory_order_release);
  return Status::Ok();
}

void IndexFile::ReleaseFile() {
  std::lock_guard file_lock(file_mutex_);
  if (active()) return;
  std::unique_ptr<File> released;
  std::unique_lock lock(shape_);
  file_.swap(released);
}

size_t IndexFile::memory_bytes() const {
  std::shared_lock lock(shape_);
  size_t bytes = sizeof(*this) + samples_.capacity() * sizeof(samples_[0]);
  if (!active() || entries() == 0) return bytes;
  for (size_t begin = 0, size = kFirstChunk; begin < entries(); begin += size, size *= 2) {
    bytes += size * layout_.entry_bytes;
  }
  return bytes;
}

uint8_t* IndexFile::Slot(size_t index) const {
  const ChunkPlace place = PlaceOf(index, kFirstChunk);
  return chunks_[place.chunk].get() + place.slot * layout_.entry_bytes;
}

void IndexFile::MakeRoom(size_t index) {
  const size_t chunk = PlaceOf(index, kFirstChunk).chunk;
  if (chunks_[chunk] == nullptr) {
    chunks_[chunk] = std::make_unique_for_overwrite<uint8_t[]>((kFirstChunk << chunk) * layout_.entry_bytes);
  }
}

IndexFile::Entry IndexFile::Decode(const uint8_t* raw) const {
  const int64_t key = layout_.key_bytes == 8 ? LoadBig64(raw) : LoadBig32(raw);
  return {key, LoadBig32(raw + layout_.key_bytes)};
}

bool IndexFile::Increases(const Entry& before, const Entry& after) const {
  return after.key > before.key && after.second >= 0 &&
         (layout_.second_may_repeat ? after.second >= before.second : after.second > before.second);
}

size_t IndexFile::entries_per_block() const { return kBlockBytes / layout_.entry_bytes; }

Status IndexFile::Corrupt(size_t index) const {
  return Status::Error(ErrorCode::kCorrupt,
                       "index entry " + std::to_string(index) + " does not lie behind the one before it",
                       path_)
      .At(static_cast<int64_t>(index * layout_.entry_bytes));
}

Status IndexFile::Load(IndexMode mode) {
  std::lock_guard lock(file_mutex_);
  const OpenMode open_mode = mode == IndexMode::kEmpty    ? OpenMode::kCreate
                             : mode == IndexMode::kActive ? OpenMode::kReadWrite
                                                          : OpenMode::kRead;
  auto file = io_.Open(path_, open_mode);
  if (!file.ok()) return file.status();
  file_ = std::move(*file);
  active_.store(mode != IndexMode::kClosed, std::memory_order_release);
  if (mode == IndexMode::kEmpty) {
    auto info = file_->Info();
    if (!info.ok()) return info.status();
    return info->size == 0 ? Status::Ok() : file_->Truncate(0);
  }
  SEGLOG_RETURN_IF_ERROR(CountEntries());
  return mode == IndexMode::kActive ? LoadAll() : LoadLast();
}

Status IndexFile::CountEntries() {
  auto info = file_->Info();
  if (!info.ok()) return info.status();
  const auto bytes = static_cast<size_t>(info->size);
  if (bytes % layout_.entry_bytes != 0) {
    return Status::Error(ErrorCode::kCorrupt,
                         "the index has " + std::to_string(bytes) + " bytes, no multiple of " +
                             std::to_string(layout_.entry_bytes),
                         path_)
        .At(info->size);
  }
  count_.store(bytes / layout_.entry_bytes, std::memory_order_release);
  return Status::Ok();
}

/// Reads the file front to back and calls visit(index, raw) for each entry, checking that they increase.
template <typename Visit>
Status IndexFile::ReadEntries(Visit visit) {
  const size_t step = kReadBytes / layout_.entry_bytes;
  const auto buffer =
      std::make_unique_for_overwrite<uint8_t[]>(std::min(step, entries()) * layout_.entry_bytes);
  Entry before = kBeforeFirst;
  for (size_t first = 0; first < entries(); first += step) {
    const size_t bytes = std::min(step, entries() - first) * layout_.entry_bytes;
    auto read = file_->ReadAt(static_cast<int64_t>(first * layout_.entry_bytes), buffer.get(), bytes);
    if (!read.ok()) return read.status();
    if (*read != bytes) return Corrupt(first + *read / layout_.entry_bytes);
    for (size_t i = 0; i * layout_.entry_bytes < bytes; ++i) {
      const uint8_t* raw = buffer.get() + i * layout_.entry_bytes;
      const Entry entry = Decode(raw);
      if (!Increases(before, entry)) return Corrupt(first + i);
      visit(first + i, raw);
      before = entry;
    }
  }
  return Status::Ok();
}

Status IndexFile::LoadAll() {
  SEGLOG_RETURN_IF_ERROR(ReadEntries([this](size_t index, const uint8_t* raw) {
    MakeRoom(index);
    std::memcpy(Slot(index), raw, layout_.entry_bytes);
  }));
  written_ = entries();
  if (written_ > 0) last_ = Decode(Slot(written_ - 1));
  return Status::Ok();
}

Status IndexFile::LoadLast() {
  written_ = entries();
  if (entries() == 0) return Status::Ok();
  uint8_t raw[16];
  const size_t index = entries() - 1;
  auto read = file_->ReadAt(static_cast<int64_t>(index * layout_.entry_bytes), raw, layout_.entry_bytes);
  if (!read.ok()) return read.status();
  if (*read != layout_.entry_bytes) return Corrupt(index);
  last_ = Decode(raw);
  return Increases(kBeforeFirst, last_) ? Status::Ok() : Corrupt(index);
}

/// Opens the file of a closed index and reads its samples, whichever is missing.
Status IndexFile::LoadSamples() {
  std::lock_guard file_lock(file_mutex_);
  if (active()) return Status::Ok();
  if (file_ == nullptr) {
    auto file = io_.Open(path_, OpenMode::kRead);
    if (!file.ok()) return file.status();
    std::unique_lock lock(shape_);
    file_ = std::move(*file);
  }
  if (!samples_.empty()) return Status::Ok();
  std::vector<int64_t> samples;
  SEGLOG_RETURN_IF_ERROR(ReadEntries([&](size_t index, const uint8_t* raw) {
    if (index % entries_per_block() == 0) samples.push_back(Decode(raw).key);
  }));
  std::unique_lock lock(shape_);
  samples_.swap(samples);
  return Status::Ok();
}

/// Makes a closed index active: opened for writing, every entry loaded. file_mutex_ is held.
Status IndexFile::Activate() {
  auto file = io_.Open(path_, OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  {
    std::unique_lock lock(shape_);
    file_ = std::move(*file);
  }
  SEGLOG_RETURN_IF_ERROR(LoadAll());  // look-ups do not touch chunks_ yet and go on meanwhile
  std::vector<int64_t> released;
  std::unique_lock lock(shape_);
  samples_.swap(released);
  active_.store(true, std::memory_order_release);
  return Status::Ok();
}

Status IndexFile::WritePendingLocked() {
  const size_t end = entries();
  if (written_ == end) return Status::Ok();
  std::array<IoSlice, kMaxChunks> slices;
  size_t count = 0;
  for (size_t next = written_; next < end;) {
    const ChunkPlace place = PlaceOf(next, kFirstChunk);
    const size_t taken = std::min((kFirstChunk << place.chunk) - place.slot, end - next);
    slices[count++] = {Slot(next), taken * layout_.entry_bytes};
    next += taken;
  }
  SEGLOG_RETURN_IF_ERROR(
      file_->WriteAt(static_cast<int64_t>(written_ * layout_.entry_bytes), slices.data(), count));
  written_ = end;
  return Status::Ok();
}

bool IndexFile::FindInMemory(int64_t target, Entry* found) const {
  size_t low = 0;
  size_t high = entries();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (Decode(Slot(middle)).key <= target) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return false;
  *found = Decode(Slot(low - 1));
  return true;
}

Result<bool> IndexFile::FindInBlock(int64_t target, IndexWait wait, Entry* found) const {
  const auto after = std::upper_bound(samples_.begin(), samples_.end(), target);
  if (after == samples_.begin()) return false;
  const size_t first = static_cast<size_t>(after - samples_.begin() - 1) * entries_per_block();
  const size_t bytes = std::min(entries_per_block(), entries() - first) * layout_.entry_bytes;
  uint8_t block[kBlockBytes];
  const auto position = static_cast<int64_t>(first * layout_.entry_bytes);
  auto read = wait == IndexWait::kNoWait ? file_->ReadAtNoWait(position, block, bytes)
                                         : file_->ReadAt(position, block, bytes);
  if (!read.ok()) return read.status();
  if (*read != bytes) return Corrupt(first + *read / layout_.entry_bytes);
  size_t low = 0;
  size_t high = bytes / layout_.entry_bytes;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    (Decode(block + middle * layout_.entry_bytes).key <= target ? low : high) = middle;
  }
  *found = Decode(block + low * layout_.entry_bytes);
  return true;
}

}  // namespace seglog
