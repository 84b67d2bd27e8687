// Reading the arguments of one call from JavaScript. Every kind is checked here, so that no wrong type
// reaches the core; the first wrong one throws INVALID_ARGUMENT and the rest are skipped. The hot calls use
// it too: reading is inline, refusing is not.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "../core/types.h"

namespace seglog::addon {

class Environment;

inline constexpr int64_t kMaxSafeInteger = (int64_t{1} << 53) - 1;

/// The bytes of a Uint8Array; false for anything else. They stay where they are while JavaScript holds the
/// array.
inline bool BytesOf(napi_env env, napi_value value, MutableByteSpan* out) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
  if (type != napi_uint8_array) return false;
  *out = MutableByteSpan(static_cast<uint8_t*>(data), length);
  return true;
}

/// Throws INVALID_ARGUMENT: `name` must be `expected`.
void ThrowInvalidArgument(Environment& environment, const char* name, const char* expected);

template <size_t kCount>
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = kCount;
    void* data;
    napi_get_cb_info(env, info, &count, values_, nullptr, &data);
    environment_ = static_cast<Environment*>(data);
  }

  Environment& environment() const { return *environment_; }
  napi_value operator[](size_t index) const { return values_[index]; }
  /// True once an argument was refused: an exception is pending, return at once.
  bool failed() const { return failed_; }

  int64_t Integer(size_t index, const char* name, int64_t min = 0, int64_t max = kMaxSafeInteger) {
    double number;
    if (napi_get_value_double(env_, values_[index], &number) == napi_ok &&
        number >= static_cast<double>(min) && number <= static_cast<double>(max)) {
      const auto integer = static_cast<int64_t>(number);
      if (static_cast<double>(integer) == number) return integer;
    }
    Refuse(name, "an integer in range");
    return min;
  }

  int32_t Int32(size_t index, const char* name, int32_t min) {
    return static_cast<int32_t>(Integer(index, name, min, std::numeric_limits<int32_t>::max()));
  }

  uint32_t Bits(size_t index, const char* name) {
    return static_cast<uint32_t>(Integer(index, name, 0, std::numeric_limits<uint32_t>::max()));
  }

  bool Flag(size_t index, const char* name) {
    bool flag = false;
    if (napi_get_value_bool(env_, values_[index], &flag) != napi_ok) Refuse(name, "true or false");
    return flag;
  }

  std::string Text(size_t index, const char* name) {
    size_t length;
    if (napi_get_value_string_utf8(env_, values_[index], nullptr, 0, &length) != napi_ok) {
      Refuse(name, "a string");
      return {};
    }
    std::string text(length, '\0');
    napi_get_value_string_utf8(env_, values_[index], text.data(), length + 1, &length);
    return text;
  }

  MutableByteSpan Bytes(size_t index, const char* name) {
    MutableByteSpan bytes;
    if (!BytesOf(env_, values_[index], &bytes)) Refuse(name, "a Uint8Array");
    return bytes;
  }

  /// An array of Uint8Array.
  std::vector<ByteSpan> Parts(size_t index, const char* name) {
    std::vector<ByteSpan> parts;
    uint32_t count = 0;
    if (napi_get_array_length(env_, values_[index], &count) != napi_ok)
      Refuse(name, "an array of Uint8Array");
    for (uint32_t i = 0; i < count && !failed_; ++i) {
      napi_value element;
      MutableByteSpan bytes;
      if (napi_get_element(env_, values_[index], i, &element) != napi_ok || !BytesOf(env_, element, &bytes)) {
        Refuse(name, "an array of Uint8Array");
      }
      parts.push_back(bytes);
    }
    return parts;
  }

  void Refuse(const char* name, const char* expected) {
    if (!failed_) ThrowInvalidArgument(*environment_, name, expected);
    failed_ = true;
  }

 private:
  const napi_env env_;
  Environment* environment_;
  bool failed_ = false;
  napi_value values_[kCount + 1];  // never empty
};

}  // namespace seglog::addon
