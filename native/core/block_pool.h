// Memory for large frames. What is received into a block and given back is soon received into again while the
// processor still has it in its caches, and touching fresh pages would cost more than the copy.
//
// A block begins with what one large batch of a producer takes and grows, without being copied, as its frame
// comes in: a length that was only announced reserves nothing.
//
// Thread rule: Take on one thread, everything else on any. A block may outlive the wires, not the pool.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace seglog {

class BlockPool;

/// Memory of one frame; goes back to its pool when destroyed.
class Block {
 public:
  Block(BlockPool& pool, uint8_t* data, size_t capacity) : pool_(pool), data_(data), capacity_(capacity) {}
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  uint8_t* data() const { return data_; }
  size_t capacity() const { return capacity_; }
  /// At least `capacity` bytes, the first ones kept; false where there is no memory.
  bool Grow(size_t capacity);

 private:
  BlockPool& pool_;
  uint8_t* data_;
  size_t capacity_;
};

class BlockPool {
 public:
  /// Fits the default message.max.bytes with what stands around it.
  static constexpr size_t kBlockBytes = (1 << 20) + (64 << 10);
  /// Free blocks that are kept.
  static constexpr size_t kKept = 16;

  BlockPool() = default;
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// A block of kBlockBytes; null where there is no memory.
  std::unique_ptr<Block> Take();
  /// Bytes of blocks that are taken.
  int64_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }

 private:
  friend class Block;
  void Give(uint8_t* data, size_t capacity);

  std::atomic<int64_t> used_bytes_{0};
  std::mutex mutex_;
  std::vector<uint8_t*> free_;  // guarded by mutex_
};

}  // namespace seglog
