// What JavaScript holds by number. A number is used instead of a wrapped object because looking it up costs a
// few ns, and because lifetime is explicit here anyway: everything open is closed by name or by the end of
// the environment, never by the garbage collector. A number that names nothing (0, or closed) answers CLOSED.
//
// Thread rule: the loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace seglog::addon {

template <typename T>
class HandleTable {
 public:
  uint32_t Add(std::shared_ptr<T> object) {
    if (free_.empty()) {
      slots_.push_back(std::move(object));
      return static_cast<uint32_t>(slots_.size() - 1);
    }
    const uint32_t handle = free_.back();
    free_.pop_back();
    slots_[handle] = std::move(object);
    return handle;
  }

  /// Null if the handle names nothing.
  T* Find(uint32_t handle) const { return handle < slots_.size() ? slots_[handle].get() : nullptr; }

  std::shared_ptr<T> Share(uint32_t handle) const {
    return handle < slots_.size() ? slots_[handle] : nullptr;
  }

  std::shared_ptr<T> Remove(uint32_t handle) {
    std::shared_ptr<T> object = std::move(slots_[handle]);
    slots_[handle] = nullptr;
    free_.push_back(handle);
    return object;
  }

  std::vector<std::shared_ptr<T>> Clear() {
    free_.clear();
    return std::exchange(slots_, std::vector<std::shared_ptr<T>>(1));
  }

 private:
  std::vector<std::shared_ptr<T>> slots_ = std::vector<std::shared_ptr<T>>(1);  // 0 is never given out
  std::vector<uint32_t> free_;
};

}  // namespace seglog::addon
