// Small makers of JavaScript values, for everything but the hot calls.
#pragma once

#include <node_api.h>

#include <string>
#include <string_view>

namespace seglog::addon {

inline napi_value Number(napi_env env, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  return value;
}

inline napi_value Boolean(napi_env env, bool flag) {
  napi_value value;
  napi_get_boolean(env, flag, &value);
  return value;
}

inline napi_value Text(napi_env env, std::string_view text) {
  napi_value value;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

inline napi_value Null(napi_env env) {
  napi_value value;
  napi_get_null(env, &value);
  return value;
}

/// An object under construction.
class ObjectMaker {
 public:
  explicit ObjectMaker(napi_env env) : env_(env) { napi_create_object(env, &object_); }
  ObjectMaker& Set(const char* name, napi_value value) {
    napi_set_named_property(env_, object_, name, value);
    return *this;
  }
  ObjectMaker& Set(const char* name, double number) { return Set(name, Number(env_, number)); }
  ObjectMaker& Set(const char* name, int64_t number) { return Set(name, static_cast<double>(number)); }
  ObjectMaker& Set(const char* name, bool flag) { return Set(name, Boolean(env_, flag)); }
  ObjectMaker& Set(const char* name, std::string_view text) { return Set(name, Text(env_, text)); }
  ObjectMaker& Set(const char* name, const char* text) { return Set(name, std::string_view(text)); }
  napi_value object() const { return object_; }

 private:
  const napi_env env_;
  napi_value object_;
};

/// An array of what `convert` (napi_env, element) makes of each element.
template <typename Range, typename Convert>
napi_value ArrayOf(napi_env env, const Range& range, Convert convert) {
  napi_value array;
  napi_create_array_with_length(env, range.size(), &array);
  uint32_t index = 0;
  for (const auto& element : range) {
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    napi_set_element(env, array, index++, convert(env, element));
    napi_close_handle_scope(env, scope);
  }
  return array;
}

}  // namespace seglog::addon
