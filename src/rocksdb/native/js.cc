#include "js.h"

namespace js {

std::string Text(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return std::string();
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, &text[0], length + 1, &length);
  return text;
}

napi_value String(napi_env env, const std::string& text) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &result);
  return result;
}

napi_value CopiedBuffer(napi_env env, const char* data, size_t size) {
  napi_value result = nullptr;
  if (napi_create_buffer_copy(env, size, data, nullptr, &result) != napi_ok) return nullptr;
  return result;
}

void Set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

napi_value Object(napi_env env) {
  napi_value result = nullptr;
  napi_create_object(env, &result);
  return result;
}

napi_value Array(napi_env env, size_t length) {
  napi_value result = nullptr;
  napi_create_array_with_length(env, length, &result);
  return result;
}

napi_value Get(napi_env env, napi_value object, const char* name) {
  napi_value result = nullptr;
  if (napi_get_named_property(env, object, name, &result) != napi_ok) return Undefined(env);
  return result;
}

napi_value At(napi_env env, napi_value array, uint32_t index) {
  napi_value result = nullptr;
  if (napi_get_element(env, array, index, &result) != napi_ok) return Undefined(env);
  return result;
}

uint32_t Length(napi_env env, napi_value array) {
  uint32_t length = 0;
  napi_get_array_length(env, array, &length);
  return length;
}

napi_value ThrowType(napi_env env, const char* message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_VALUE", message);
  return nullptr;
}

}  // namespace js
