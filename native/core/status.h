// Status and Result: how the core reports failure. Nothing in native/core throws across its border.
//
// An OK Status is one null pointer. A failed one owns its detail: code, errno, the path at fault and,
// where it applies, the file position and the record offset. Both are values: movable, copyable, and
// usable from any thread as long as one object is not shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace seglog {

enum class ErrorCode : uint8_t {
  kOk = 0,
#define SEGLOG_ERROR(Name, code, retriable, advice) k##Name,
#include "errors.def"
#undef SEGLOG_ERROR
};

/// The stable string of a code, as in errors.def ("OK" for kOk).
const char* ErrorCodeName(ErrorCode code) noexcept;

class [[nodiscard]] Status {
 public:
  struct Detail {
    ErrorCode code;
    int sys_errno = 0;
    std::string message;
    std::string path;
    int64_t position = -1;
    int64_t offset = -1;
  };

  Status() = default;
  static Status Ok() { return Status(); }
  static Status Error(ErrorCode code, std::string message, std::string path = {}, int sys_errno = 0);
  /// Maps errno to a code: ENOSPC/EDQUOT NoSpace, EMFILE/ENFILE TooManyFiles, ENOENT NotFound,
  /// ENOTDIR NotDirectory, EACCES/EPERM/EROFS AccessDenied, else Io.
  static Status FromErrno(int sys_errno, std::string what, std::string path);

  bool ok() const { return detail_ == nullptr; }
  ErrorCode code() const { return detail_ ? detail_->code : ErrorCode::kOk; }
  const Detail& detail() const { return *detail_; }  // only when !ok()
  Status& At(int64_t position, int64_t offset = -1);
  std::string ToString() const;

 private:
  std::shared_ptr<Detail> detail_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}         // NOLINT: implicit by intent
  Result(Status status) : state_(std::move(status)) {}  // NOLINT: implicit by intent
  bool ok() const { return std::holds_alternative<T>(state_); }
  Status status() const { return ok() ? Status::Ok() : std::get<Status>(state_); }
  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  T* operator->() { return &value(); }
  T& operator*() & { return value(); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace seglog

#define SEGLOG_RETURN_IF_ERROR(expr)                 \
  do {                                               \
    ::seglog::Status seglog_status_ = (expr);        \
    if (!seglog_status_.ok()) return seglog_status_; \
  } while (0)
