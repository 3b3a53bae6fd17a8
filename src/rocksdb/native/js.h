// Thin helpers over node_api.h. A failing call leaves an exception pending or returns a default: callers check `JsPending`.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <string>

#include "rocksdb/slice.h"

namespace js {

/** A method's arguments and the native object that was bound to its function. */
template <size_t N>
struct Arguments {
  napi_value at[N];
  size_t count = N;
  void* data = nullptr;

  Arguments(napi_env env, napi_callback_info info) { napi_get_cb_info(env, info, &count, at, nullptr, &data); }
};

inline uint32_t Uint32(napi_env env, napi_value value) {
  uint32_t result = 0;
  napi_get_value_uint32(env, value, &result);
  return result;
}

inline int64_t Int64(napi_env env, napi_value value) {
  int64_t result = 0;
  napi_get_value_int64(env, value, &result);
  return result;
}

inline bool Bool(napi_env env, napi_value value) {
  bool result = false;
  napi_get_value_bool(env, value, &result);
  return result;
}

/** The bytes of a Buffer or Uint8Array, borrowed until the call returns. Not a buffer: data() is null. */
inline rocksdb::Slice Bytes(napi_env env, napi_value value) {
  void* data = nullptr;
  size_t size = 0;
  if (napi_get_buffer_info(env, value, &data, &size) != napi_ok) return rocksdb::Slice(nullptr, 0);
  return rocksdb::Slice(data ? static_cast<char*>(data) : "", size);
}

inline bool IsNullish(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type == napi_undefined || type == napi_null;
}

std::string Text(napi_env env, napi_value value);

inline napi_value Number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

inline napi_value Int32(napi_env env, int32_t value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}

inline napi_value Boolean(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

inline napi_value Undefined(napi_env env) {
  napi_value result = nullptr;
  napi_get_undefined(env, &result);
  return result;
}

/** A string of UTF-8 text: paths, names, messages. */
napi_value String(napi_env env, const std::string& text);

/** A fresh Buffer that owns a copy. */
napi_value CopiedBuffer(napi_env env, const char* data, size_t size);

/** Sets `object[name] = value`. */
void Set(napi_env env, napi_value object, const char* name, napi_value value);

napi_value Object(napi_env env);
napi_value Array(napi_env env, size_t length);

napi_value Get(napi_env env, napi_value object, const char* name);
napi_value At(napi_env env, napi_value array, uint32_t index);
uint32_t Length(napi_env env, napi_value array);

/** Throws a TypeError about a wrong argument; returns null for `return`. */
napi_value ThrowType(napi_env env, const char* message);

}  // namespace js
