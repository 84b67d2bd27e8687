#include "block_pool.h"

#include <sys/mman.h>

#include <cstring>

namespace seglog {

namespace {

uint8_t* Map(size_t size) {
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return data == MAP_FAILED ? nullptr : static_cast<uint8_t*>(data);
}

/// Moves the pages and copies nothing where the system can.
uint8_t* Remap(uint8_t* data, size_t from, size_t to) {
#if defined(__linux__)
  void* moved = mremap(data, from, to, MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? nullptr : static_cast<uint8_t*>(moved);
#else
  uint8_t* moved = Map(to);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, data, from);
  munmap(data, from);
  return moved;
#endif
}

}  // namespace

Block::~Block() { pool_.Give(data_, capacity_); }

bool Block::Grow(size_t capacity) {
  if (capacity <= capacity_) return true;
  uint8_t* const moved = Remap(data_, capacity_, capacity);
  if (moved == nullptr) return false;
  pool_.used_bytes_.fetch_add(static_cast<int64_t>(capacity - capacity_), std::memory_order_relaxed);
  data_ = moved;
  capacity_ = capacity;
  return true;
}

BlockPool::~BlockPool() {
  for (uint8_t* data : free_) munmap(data, kBlockBytes);
}

std::unique_ptr<Block> BlockPool::Take() {
  uint8_t* data = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      data = free_.back();
      free_.pop_back();
    }
  }
  if (data == nullptr) data = Map(kBlockBytes);
  if (data == nullptr) return nullptr;
  used_bytes_.fetch_add(kBlockBytes, std::memory_order_relaxed);
  return std::make_unique<Block>(*this, data, kBlockBytes);
}

void BlockPool::Give(uint8_t* data, size_t capacity) {
  used_bytes_.fetch_sub(static_cast<int64_t>(capacity), std::memory_order_relaxed);
  if (capacity == kBlockBytes) {
    std::lock_guard lock(mutex_);
    if (free_.size() < kKept) {
      free_.push_back(data);
      return;
    }
  }
  munmap(data, capacity);
}

}  // namespace seglog
