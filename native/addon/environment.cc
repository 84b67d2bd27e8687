#include "environment.h"

#include <utility>

#include "directory.h"
#include "segment.h"
#include "wire_loop.h"

namespace seglog::addon {

FaultIo& ProcessIo() {
  static FaultIo& io = *new FaultIo(SystemIo());  // never destroyed: files of any environment refer to it
  return io;
}

Environment::Environment(napi_env env, napi_value complete, napi_value make_error)
    : env_(env),
      completions_([this] { napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking); }),
      storage_("seglog-storage", kStorageThreads, &completions_),
      flusher_(kFlushThreads, &completions_) {
  napi_create_reference(env, complete, 1, &complete_);
  napi_create_reference(env, make_error, 1, &make_error_);
  napi_value name;
  napi_create_string_utf8(env, "seglog", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, OnWake, &wake_);
  napi_unref_threadsafe_function(env, wake_);
  // Hooks run last in, first out: ours, added after the function's own, still finds it alive.
  napi_add_env_cleanup_hook(env, Shutdown, this);
}

Environment::~Environment() = default;

void Environment::Shutdown(void* self) {
  auto& environment = *static_cast<Environment*>(self);
  environment.wires.reset();
  environment.storage_.Stop();
  environment.flusher_.Stop();
  environment.submissions_.clear();
  environment.flush_requests_.clear();
  environment.completions_.Take();
  for (auto& segment : environment.segments.Clear()) {
    if (segment) segment->CloseNow(environment);
  }
  for (auto& directory : environment.directories.Clear()) {
    if (directory) directory->CloseNow();
  }
  environment.slots.Clear();
  environment.completions_.Take();
  napi_release_threadsafe_function(environment.wake_, napi_tsfn_abort);
  napi_delete_reference(environment.env_, environment.complete_);
  napi_delete_reference(environment.env_, environment.make_error_);
}

double Environment::Begin() {
  if (pending_++ == 0) napi_ref_threadsafe_function(env_, wake_);
  return ++last_ticket_;
}

void Environment::Settled(size_t count) {
  pending_ -= count;
  if (count > 0 && pending_ == 0) napi_unref_threadsafe_function(env_, wake_);
}

void Environment::Queue(std::shared_ptr<Strand> strand, std::unique_ptr<LoopOperation> operation) {
  submissions_.push_back({std::move(strand), std::move(operation)});
}

napi_value Environment::Submit(std::shared_ptr<Strand> strand, std::unique_ptr<LoopOperation> operation) {
  const double ticket = operation->ticket = Begin();
  Queue(std::move(strand), std::move(operation));
  napi_value result;
  napi_create_double(env_, ticket, &result);
  return result;
}

napi_value Environment::Flush(std::shared_ptr<FlushQueue> queue, std::unique_ptr<LoopOperation> waiter) {
  const double ticket = waiter->ticket = Begin();
  flush_requests_.push_back({std::move(queue), std::move(waiter)});
  napi_value result;
  napi_create_double(env_, ticket, &result);
  return result;
}

void Environment::Kick() {
  if (!submissions_.empty()) storage_.Submit(std::exchange(submissions_, {}));
  if (!flush_requests_.empty()) flusher_.Request(std::exchange(flush_requests_, {}));
}

void Environment::Notify(double ticket, const Status& status) {
  auto event = MakeTask(nullptr, [] { return Status::Ok(); });
  event->ticket = ticket;
  event->pending = false;
  event->outcome = status;
  completions_.Push(std::move(event));
}

void Environment::OnWake(napi_env env, napi_value, void* self, void*) {
  if (env != nullptr) static_cast<Environment*>(self)->Deliver();
}

void Environment::Deliver() {
  const std::vector<std::unique_ptr<Operation>> finished = completions_.Take();
  if (finished.empty()) return;
  napi_value arrays[3];
  for (napi_value& array : arrays) napi_create_array_with_length(env_, finished.size(), &array);
  napi_value null;
  napi_value undefined;
  napi_get_null(env_, &null);
  napi_get_undefined(env_, &undefined);

  size_t settled = 0;
  for (uint32_t i = 0; i < finished.size(); ++i) {
    auto& operation = static_cast<LoopOperation&>(*finished[i]);
    if (operation.owner) operation.owner->Settled(*this, operation);
    if (operation.pending) ++settled;
    napi_handle_scope scope;
    napi_open_handle_scope(env_, &scope);
    napi_value ticket;
    napi_create_double(env_, operation.ticket, &ticket);
    napi_value error = null;
    napi_value value = nullptr;
    if (operation.outcome.ok()) {
      value = operation.Value(env_);
    } else {
      error = MakeError(operation.outcome);
    }
    napi_set_element(env_, arrays[0], i, ticket);
    napi_set_element(env_, arrays[1], i, error);
    napi_set_element(env_, arrays[2], i, value == nullptr ? undefined : value);
    napi_close_handle_scope(env_, scope);
  }
  Settled(settled);
  Kick();  // what settling queued, such as a close that waited for these

  napi_value complete;
  if (napi_get_reference_value(env_, complete_, &complete) != napi_ok) return;
  napi_call_function(env_, undefined, complete, 3, arrays, nullptr);
}

}  // namespace seglog::addon
