// The wires of an environment: the poll set hung into Node's event loop, and what JavaScript is told of it.
//
// Thread rule: the loop thread only.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>

#include "../core/wires.h"

namespace seglog::addon {

class Environment;

class WireLoop {
 public:
  /// Numbers of one event, and of one frame of it, in the array that JavaScript reads.
  static constexpr size_t kEventNumbers = 7;
  static constexpr size_t kFrameNumbers = 3;

  /// `events` is a Float64Array of `capacity` numbers, `deliver` the function that is called. Throws and
  /// gives null where the system has none to give.
  static std::unique_ptr<WireLoop> Start(Environment& environment, napi_value events, napi_value deliver);
  ~WireLoop();

  /// Blocks are still referred to while an environment goes down: their pool outlives every one.
  static BlockPool& Pool();

  Wires& wires() { return *wires_; }
  /// After a wire was taken or closed: the process lives as long as one is open.
  void Hold();

 private:
  WireLoop(Environment& environment, std::unique_ptr<Wires> wires);
  static void OnReadable(uv_poll_t* handle, int status, int events);
  static void OnTeardown(napi_async_cleanup_hook_handle hook, void* self);
  void CloseHandle();
  void Tell();
  napi_value Chunk();
  napi_value Blocks();
  void Call(size_t numbers, napi_value chunk, napi_value blocks);

  Environment& environment_;
  std::unique_ptr<Wires> wires_;
  Delivery delivery_;
  napi_ref events_reference_ = nullptr;
  double* events_ = nullptr;
  size_t capacity_ = 0;
  napi_ref deliver_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  uv_poll_t* handle_ = nullptr;  // its own memory: it outlives this until the loop has closed it
  bool held_ = false;
};

}  // namespace seglog::addon
