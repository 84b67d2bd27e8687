// A Status becomes the library's error, made by a JavaScript function that was handed over at start.
#include "arguments.h"
#include "environment.h"

namespace seglog::addon {

// makeError(code, message, path, position, offset, errno)
napi_value Environment::MakeError(const Status& status) {
  const Status::Detail& detail = status.detail();
  napi_value arguments[6];
  napi_create_string_utf8(env_, ErrorCodeName(detail.code), NAPI_AUTO_LENGTH, &arguments[0]);
  napi_create_string_utf8(env_, detail.message.data(), detail.message.size(), &arguments[1]);
  napi_create_string_utf8(env_, detail.path.data(), detail.path.size(), &arguments[2]);
  napi_create_double(env_, static_cast<double>(detail.position), &arguments[3]);
  napi_create_double(env_, static_cast<double>(detail.offset), &arguments[4]);
  napi_create_int32(env_, detail.sys_errno, &arguments[5]);
  napi_value undefined;
  napi_value function;
  napi_value error;
  napi_get_undefined(env_, &undefined);
  napi_get_reference_value(env_, make_error_, &function);
  // Only an environment on its way down refuses the call; then nobody is left to read the answer.
  if (napi_call_function(env_, undefined, function, 6, arguments, &error) != napi_ok) return undefined;
  return error;
}

napi_value Environment::Throw(const Status& status) {
  napi_throw(env_, MakeError(status));
  return nullptr;
}

napi_value Environment::ThrowClosed(const char* what) {
  return Throw(Status::Error(ErrorCode::kClosed, std::string("the ") + what + " is closed"));
}

void ThrowInvalidArgument(Environment& environment, const char* name, const char* expected) {
  environment.Throw(Status::Error(ErrorCode::kInvalidArgument, std::string(name) + " must be " + expected));
}

}  // namespace seglog::addon
