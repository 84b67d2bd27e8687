#include "status.h"

#include <cerrno>
#include <cstring>

namespace seglog {

namespace {

ErrorCode CodeFromErrno(int sys_errno) {
  switch (sys_errno) {
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case EMFILE:
    case ENFILE:
      return ErrorCode::kTooManyFiles;
    case ENOENT:
      return ErrorCode::kNotFound;
    case ENOTDIR:
      return ErrorCode::kNotDirectory;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kAccessDenied;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

const char* ErrorCodeName(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kOk:
      return "OK";
#define SEGLOG_ERROR(Name, code, retriable, advice) \
  case ErrorCode::k##Name:                          \
    return code;
#include "errors.def"
#undef SEGLOG_ERROR
  }
  return "UNKNOWN";
}

Status Status::Error(ErrorCode code, std::string message, std::string path, int sys_errno) {
  Status status;
  status.detail_ = std::make_shared<Detail>();
  status.detail_->code = code;
  status.detail_->sys_errno = sys_errno;
  status.detail_->message = std::move(message);
  status.detail_->path = std::move(path);
  return status;
}

Status Status::FromErrno(int sys_errno, std::string what, std::string path) {
  what += ": ";
  what += std::strerror(sys_errno);
  return Error(CodeFromErrno(sys_errno), std::move(what), std::move(path), sys_errno);
}

Status& Status::At(int64_t position, int64_t offset) {
  if (detail_ == nullptr) return *this;
  if (detail_.use_count() > 1) detail_ = std::make_shared<Detail>(*detail_);  // copies are values
  detail_->position = position;
  detail_->offset = offset;
  return *this;
}

std::string Status::ToString() const {
  if (ok()) return "OK";
  std::string text = std::string(ErrorCodeName(code())) + ": " + detail_->message;
  if (!detail_->path.empty()) text += " [" + detail_->path + "]";
  if (detail_->position >= 0) text += " at position " + std::to_string(detail_->position);
  if (detail_->offset >= 0) text += " at offset " + std::to_string(detail_->offset);
  return text;
}

}  // namespace seglog
