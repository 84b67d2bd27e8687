// From the poll set to one call of JavaScript per wake-up of the loop.
#include "wire_loop.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "environment.h"
#include "values.h"

namespace seglog::addon {

namespace {

/// An ArrayBuffer over the block, which goes back to its pool when JavaScript has let go of it.
napi_value BufferOf(napi_env env, std::unique_ptr<Block> block, size_t size) {
  napi_value buffer = nullptr;
  Block* const given = block.release();
  const napi_status status = napi_create_external_arraybuffer(
      env, given->data(), size, [](napi_env, void*, void* hint) { delete static_cast<Block*>(hint); }, given,
      &buffer);
  if (status == napi_ok) return buffer;
  // Where memory of others is not allowed.
  void* data = nullptr;
  if (napi_create_arraybuffer(env, size, &data, &buffer) == napi_ok) std::memcpy(data, given->data(), size);
  delete given;
  return buffer;
}

}  // namespace

BlockPool& WireLoop::Pool() {
  static BlockPool& pool = *new BlockPool;
  return pool;
}

WireLoop::WireLoop(Environment& environment, std::unique_ptr<Wires> wires)
    : environment_(environment), wires_(std::move(wires)) {}

std::unique_ptr<WireLoop> WireLoop::Start(Environment& environment, napi_value events, napi_value deliver) {
  const napi_env env = environment.env();
  auto wires = Wires::Open(Pool());
  if (!wires.ok()) {
    environment.Throw(wires.status());
    return nullptr;
  }
  std::unique_ptr<WireLoop> loop(new WireLoop(environment, std::move(*wires)));
  void* data = nullptr;
  napi_get_typedarray_info(env, events, nullptr, &loop->capacity_, &data, nullptr, nullptr);
  loop->events_ = static_cast<double*>(data);
  napi_create_reference(env, events, 1, &loop->events_reference_);
  napi_create_reference(env, deliver, 1, &loop->deliver_);
  napi_value name = Text(env, "seglog-wires");
  napi_async_init(env, nullptr, name, &loop->context_);

  uv_loop_t* uv = nullptr;
  napi_get_uv_event_loop(env, &uv);
  auto handle = std::make_unique<uv_poll_t>();
  const int failed = uv_poll_init(uv, handle.get(), loop->wires_->descriptor());
  if (failed != 0) {
    environment.Throw(Status::FromErrno(-failed, "the event loop cannot watch connections", ""));
    return nullptr;
  }
  loop->handle_ = handle.release();
  loop->handle_->data = loop.get();
  uv_poll_start(loop->handle_, UV_READABLE, OnReadable);
  uv_unref(reinterpret_cast<uv_handle_t*>(loop->handle_));
  napi_add_async_cleanup_hook(env, OnTeardown, loop.get(), &loop->hook_);
  return loop;
}

WireLoop::~WireLoop() {
  CloseHandle();
  const napi_env env = environment_.env();
  if (context_ != nullptr) napi_async_destroy(env, context_);
  if (deliver_ != nullptr) napi_delete_reference(env, deliver_);
  if (events_reference_ != nullptr) napi_delete_reference(env, events_reference_);
}

/// The loop goes down: it runs until the handle's memory is given back, which ends the hook.
void WireLoop::OnTeardown(napi_async_cleanup_hook_handle, void* self) {
  static_cast<WireLoop*>(self)->CloseHandle();
}

void WireLoop::CloseHandle() {
  if (handle_ == nullptr) return;
  uv_poll_t* const handle = std::exchange(handle_, nullptr);
  uv_poll_stop(handle);
  handle->data = std::exchange(hook_, nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) {
    auto* const hook = static_cast<napi_async_cleanup_hook_handle>(closed->data);
    delete reinterpret_cast<uv_poll_t*>(closed);
    if (hook != nullptr) napi_remove_async_cleanup_hook(hook);
  });
}

void WireLoop::Hold() {
  const bool hold = wires_->size() > 0;
  if (hold == held_ || handle_ == nullptr) return;
  held_ = hold;
  auto* const handle = reinterpret_cast<uv_handle_t*>(handle_);
  if (hold) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void WireLoop::OnReadable(uv_poll_t* handle, int, int) {
  auto& self = *static_cast<WireLoop*>(handle->data);
  if (self.wires_->Poll(&self.delivery_)) self.Tell();
}

/// One call where the array has room for all of it, as it mostly has.
void WireLoop::Tell() {
  const napi_env env = environment_.env();
  napi_handle_scope scope;
  napi_open_handle_scope(env, &scope);
  const napi_value chunk = Chunk();
  const napi_value blocks = Blocks();
  size_t used = 0;
  for (const WireEvent& event : delivery_.events) {
    size_t frame = 0;
    do {
      if (capacity_ - used < kEventNumbers + kFrameNumbers) {
        Call(used, chunk, blocks);
        used = 0;
      }
      const size_t room = (capacity_ - used - kEventNumbers) / kFrameNumbers;
      const size_t frames = std::min(room, event.frames - frame);
      const bool is_last = frame + frames == event.frames;
      double* to = events_ + used;
      *to++ = event.wire;
      *to++ = is_last ? event.flags : 0;
      *to++ = frame == 0 ? static_cast<double>(event.received) : 0;
      *to++ = event.detail;
      *to++ = static_cast<double>(event.head_start);
      *to++ = static_cast<double>(event.head_size);
      *to++ = static_cast<double>(frames);
      for (size_t i = 0; i < frames; ++i) {
        const DeliveredFrame& one = delivery_.frames[event.first_frame + frame + i];
        *to++ = one.block;
        *to++ = static_cast<double>(one.start);
        *to++ = static_cast<double>(one.size);
      }
      used += kEventNumbers + kFrameNumbers * frames;
      frame += frames;
    } while (frame < event.frames);
  }
  Call(used, chunk, blocks);
  napi_close_handle_scope(env, scope);
}

/// What came in small frames, in memory of JavaScript's own.
napi_value WireLoop::Chunk() {
  const napi_env env = environment_.env();
  size_t end = 0;
  bool any = false;  // an empty frame lies in the chunk too
  for (const DeliveredFrame& frame : delivery_.frames) {
    if (frame.block >= 0) continue;
    any = true;
    end = std::max(end, frame.start + frame.size);
  }
  for (const WireEvent& event : delivery_.events) {
    any = any || event.head_size > 0;
    end = std::max(end, event.head_start + event.head_size);
  }
  napi_value chunk = nullptr;
  if (!any || napi_create_buffer_copy(env, end, delivery_.chunk.data(), nullptr, &chunk) != napi_ok) {
    napi_get_null(env, &chunk);
  }
  return chunk;
}

napi_value WireLoop::Blocks() {
  std::vector<size_t> sizes(delivery_.blocks.size());
  for (const DeliveredFrame& frame : delivery_.frames) {
    if (frame.block >= 0) sizes[static_cast<size_t>(frame.block)] = frame.size;
  }
  napi_value blocks;
  napi_create_array_with_length(environment_.env(), sizes.size(), &blocks);
  for (size_t i = 0; i < sizes.size(); ++i) {
    const napi_value buffer = BufferOf(environment_.env(), std::move(delivery_.blocks[i]), sizes[i]);
    napi_set_element(environment_.env(), blocks, static_cast<uint32_t>(i), buffer);
  }
  return blocks;
}

void WireLoop::Call(size_t numbers, napi_value chunk, napi_value blocks) {
  const napi_env env = environment_.env();
  napi_value deliver;
  napi_value global;
  if (napi_get_reference_value(env, deliver_, &deliver) != napi_ok) return;
  napi_get_global(env, &global);
  const napi_value arguments[] = {Number(env, static_cast<double>(numbers)), chunk, blocks};
  if (napi_make_callback(env, context_, global, deliver, 3, arguments, nullptr) == napi_ok) return;
  bool is_pending = false;
  napi_value error;
  napi_is_exception_pending(env, &is_pending);
  if (is_pending && napi_get_and_clear_last_exception(env, &error) == napi_ok)
    napi_fatal_exception(env, error);
}

}  // namespace seglog::addon
