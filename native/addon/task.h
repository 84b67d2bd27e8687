// Operations that an environment submits: they carry the ticket JavaScript waits on and make its value.
#pragma once

#include <node_api.h>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "../core/storage_threads.h"

namespace seglog::addon {

class Environment;
class LoopOperation;

/// Something operations belong to: it counts them, so that closing waits for them.
class Resource {
 public:
  virtual ~Resource() = default;
  /// On the loop thread, after one of its operations has finished and before JavaScript hears of it.
  virtual void Settled(Environment& environment, LoopOperation& operation) = 0;
};

/// An operation with a ticket: the only kind in an environment's completion queue. Made and destroyed on the
/// loop thread.
class LoopOperation : public Operation {
 public:
  /// On the loop thread, when the outcome is OK: what the promise resolves to. Null for undefined.
  virtual napi_value Value(napi_env) { return nullptr; }

  double ticket = 0;
  bool pending = true;  // false: an event, which keeps nothing alive
  bool leased = false;  // it holds its segment's append state
  std::shared_ptr<Resource> owner;
};

/// Runs a function that gives a Status: resolves to undefined.
template <typename Body>
class StatusTask final : public LoopOperation {
 public:
  explicit StatusTask(Body body) : body_(std::move(body)) {}
  void Run() override { outcome = body_(); }

 private:
  Body body_;
};

/// Runs a function that gives a Result<T>; `convert` (napi_env, T&) makes the value on the loop thread.
template <typename Body, typename Convert>
class ValueTask final : public LoopOperation {
  using Outcome = std::invoke_result_t<Body&>;
  using T = std::remove_cvref_t<decltype(std::declval<Outcome&>().value())>;

 public:
  ValueTask(Body body, Convert convert) : body_(std::move(body)), convert_(std::move(convert)) {}

  void Run() override {
    Outcome result = body_();
    outcome = result.status();
    if (result.ok()) value_.emplace(std::move(result).value());
  }
  napi_value Value(napi_env env) override { return convert_(env, *value_); }

 private:
  Body body_;
  Convert convert_;
  std::optional<T> value_;
};

template <typename Body>
std::unique_ptr<LoopOperation> MakeTask(std::shared_ptr<Resource> owner, Body body) {
  auto task = std::make_unique<StatusTask<Body>>(std::move(body));
  task->owner = std::move(owner);
  return task;
}

template <typename Body, typename Convert>
std::unique_ptr<LoopOperation> MakeTask(std::shared_ptr<Resource> owner, Body body, Convert convert) {
  auto task = std::make_unique<ValueTask<Body, Convert>>(std::move(body), std::move(convert));
  task->owner = std::move(owner);
  return task;
}

}  // namespace seglog::addon
