// The engine of one Node environment: a main thread or a worker thread. Everything the addon knows hangs from
// here; there are no statics but the process-wide I/O.
//
// Asynchronous calls give JavaScript a ticket and are queued until Kick(), which JavaScript calls once per
// turn: one lock and one wake-up for all of them. What is finished comes back through one wake-up of the loop
// per batch, as one call `complete(tickets, errors, values)`. The loop is kept alive only while something is
// pending.
//
// Bytes that JavaScript hands over stay referenced by the ticket's entry on its side until the call has
// settled.
//
// Thread rule: the loop thread, except where said. An environment shuts down in its cleanup hook, before Node
// tears anything down: storage threads are joined, what is open is closed as by a kill. It is freed after
// that.
#pragma once

#include <node_api.h>

#include <memory>
#include <vector>

#include "../core/ahead.h"
#include "../core/fault_io.h"
#include "../core/flusher.h"
#include "../core/storage_threads.h"
#include "handles.h"
#include "task.h"

namespace seglog::addon {

class DirectoryHandle;
class SegmentHandle;
class SlotHandle;
class WireLoop;

/// The process's I/O: the system's, behind the seam that tests make fail.
FaultIo& ProcessIo();

class Environment {
 public:
  static constexpr size_t kStorageThreads = 4;
  static constexpr size_t kFlushThreads = 16;

  /// `complete` and `make_error` are JavaScript functions, held until shutdown.
  Environment(napi_env env, napi_value complete, napi_value make_error);
  ~Environment();

  napi_env env() const { return env_; }

  // -- asynchronous calls: each gives the operation's ticket, as a number for JavaScript

  /// On the storage threads, in the order of `strand` (null: none).
  napi_value Submit(std::shared_ptr<Strand> strand, std::unique_ptr<LoopOperation> operation);
  /// With the next flush round of `queue`.
  napi_value Flush(std::shared_ptr<FlushQueue> queue, std::unique_ptr<LoopOperation> waiter);
  /// Sends what was queued on its way.
  void Kick();

  /// A ticket for something that may happen any number of times, later: see Notify.
  double EventTicket() { return ++last_ticket_; }
  /// Any thread: settles `ticket` with a failure, without an operation.
  void Notify(double ticket, const Status& status);

  /// Counts an operation that is begun now but queued later.
  double Begin();
  /// Queues what was begun.
  void Queue(std::shared_ptr<Strand> strand, std::unique_ptr<LoopOperation> operation);

  // -- errors

  /// Throws `status` as the library's error; returns null, for `return`.
  napi_value Throw(const Status& status);
  napi_value ThrowClosed(const char* what);
  napi_value MakeError(const Status& status);

  Ahead& ahead() { return ahead_; }

  HandleTable<DirectoryHandle> directories;
  HandleTable<SegmentHandle> segments;
  HandleTable<SlotHandle> slots;
  /// Null until the first wire.
  std::unique_ptr<WireLoop> wires;

 private:
  static void Shutdown(void* self);
  static void OnWake(napi_env env, napi_value, void* self, void*);
  void Deliver();
  void Settled(size_t count);

  const napi_env env_;
  napi_ref complete_ = nullptr;
  napi_ref make_error_ = nullptr;
  napi_threadsafe_function wake_ = nullptr;
  double last_ticket_ = 0;
  size_t pending_ = 0;
  std::vector<Submission> submissions_;       // until Kick
  std::vector<FlushRequest> flush_requests_;  // until Kick

  // In order of need: the threads stop first, then what they worked on goes.
  Ahead ahead_;
  CompletionQueue completions_;
  StorageThreads storage_;
  Flusher flusher_;
};

}  // namespace seglog::addon
