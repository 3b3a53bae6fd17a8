// The class LuaState that src/scripting/native.ts describes. Arguments are positional; the three buffers are bound once.
#include <cstdio>
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

struct State {
  Engine engine;
  napi_ref in_view = nullptr;
  napi_ref out_view = nullptr;
  char* in = nullptr;
  char* out = nullptr;
  size_t out_bytes = 0;
};

napi_value fail(napi_env env, const char* text) {
  napi_throw_error(env, nullptr, text);
  return nullptr;
}

void release(napi_env env, napi_ref& ref) {
  if (ref != nullptr) napi_delete_reference(env, ref);
  ref = nullptr;
}

void destroy(napi_env env, void* data, void*) {
  State* state = static_cast<State*>(data);
  close_engine(state->engine);
  release(env, state->engine.on_call);
  release(env, state->engine.on_log);
  release(env, state->engine.on_allowed);
  release(env, state->engine.argument_view);
  release(env, state->engine.exception);
  release(env, state->in_view);
  release(env, state->out_view);
  delete state;
}

char* bind(napi_env env, napi_value value, napi_ref* ref, size_t* bytes) {
  void* data = nullptr;
  if (napi_get_buffer_info(env, value, &data, bytes) != napi_ok) return nullptr;
  napi_create_reference(env, value, 1, ref);
  return static_cast<char*>(data);
}

// new LuaState(onCall, onLog, onAllowed, callBuffer, inBuffer, outBuffer, memoryLimitBytes, version, versionNumber)
napi_value construct(napi_env env, napi_callback_info info) {
  size_t count = 9;
  napi_value given[9], self;
  napi_get_cb_info(env, info, &count, given, &self, nullptr);
  if (count != 9) return fail(env, "LuaState takes nine arguments");
  State* state = new State;
  Engine& engine = state->engine;
  engine.env = env;
  napi_create_reference(env, given[0], 1, &engine.on_call);
  napi_create_reference(env, given[1], 1, &engine.on_log);
  napi_create_reference(env, given[2], 1, &engine.on_allowed);
  size_t in_bytes;
  engine.argument_memory = bind(env, given[3], &engine.argument_view, &engine.argument_bytes);
  state->in = bind(env, given[4], &state->in_view, &in_bytes);
  state->out = bind(env, given[5], &state->out_view, &state->out_bytes);
  double limit = 0;
  uint32_t version_number = 0;
  char version[32] = "";
  size_t size;
  bool valid = engine.argument_memory != nullptr && state->in != nullptr && state->out != nullptr &&
               napi_get_value_double(env, given[6], &limit) == napi_ok &&
               napi_get_value_string_utf8(env, given[7], version, sizeof version, &size) == napi_ok &&
               napi_get_value_uint32(env, given[8], &version_number) == napi_ok;
  engine.limit_bytes = static_cast<size_t>(limit);
  if (!valid || !open_engine(engine, version, version_number)) {
    destroy(env, state, nullptr);
    return fail(env, valid ? "no memory for a Lua state" : "LuaState got an argument of a wrong type");
  }
  napi_wrap(env, self, state, destroy, nullptr, nullptr);
  return self;
}

// The object's state and the call's arguments. nullptr, with an exception pending, when there is none to use.
State* open_call(napi_env env, napi_callback_info info, size_t* count, napi_value* given) {
  napi_value self;
  void* data = nullptr;
  napi_get_cb_info(env, info, count, given, &self, nullptr);
  if (napi_unwrap(env, self, &data) != napi_ok) return fail(env, "not a LuaState"), nullptr;
  State* state = static_cast<State*>(data);
  if (state->engine.lua == nullptr) return fail(env, "the Lua state is closed"), nullptr;
  if (state->engine.running || state->engine.loading) return fail(env, "a script is running"), nullptr;
  return state;
}

napi_value text_value(napi_env env, const char* text, size_t size) {
  napi_value value;
  napi_create_string_utf8(env, text == nullptr ? "" : text, size, &value);
  return value;
}

// The bytes of an error, a character each: what a script says need not be text.
napi_value error_value(napi_env env, const Bytes& error) {
  napi_value value;
  napi_create_string_latin1(env, error.data(), error.size(), &value);
  return value;
}

// compile(code, chunkName): a reference to run, or the reason why not.
napi_value compile_code(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value given[2];
  State* state = open_call(env, info, &count, given);
  if (state == nullptr) return nullptr;
  void* code;
  size_t size, name_size;
  char name[64];
  if (napi_get_buffer_info(env, given[0], &code, &size) != napi_ok ||
      napi_get_value_string_utf8(env, given[1], name, sizeof name, &name_size) != napi_ok) {
    return fail(env, "compile takes a buffer and a name");
  }
  int ref = compile(state->engine, static_cast<const char*>(code), size, name);
  if (ref == LUA_NOREF) return error_value(env, state->engine.error);
  napi_value value;
  napi_create_int32(env, ref, &value);
  return value;
}

// release(reference)
napi_value release_code(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value given[1];
  State* state = open_call(env, info, &count, given);
  int32_t ref;
  if (state == nullptr || napi_get_value_int32(env, given[0], &ref) != napi_ok) return nullptr;
  release(state->engine, ref);
  return nullptr;
}

napi_value rethrow(napi_env env, Engine& engine) {
  napi_value exception;
  napi_get_reference_value(env, engine.exception, &exception);
  release(env, engine.exception);
  napi_throw(env, exception);
  return nullptr;
}

// run(reference, isFunction, keysCount, argumentsCount, packedBytes, protocol, limitMs, resp3Allowed, packed?):
// the length of the reply in the out buffer; a buffer if it does not fit there; -1 if the script failed, see failure().
napi_value run_code(napi_env env, napi_callback_info info) {
  size_t count = 9;
  napi_value given[9];
  State* state = open_call(env, info, &count, given);
  if (state == nullptr) return nullptr;
  Engine& engine = state->engine;
  Run request;
  int32_t keys, arguments, protocol;
  uint32_t bytes;
  double limit;
  bool valid = napi_get_value_int32(env, given[0], &request.function_ref) == napi_ok &&
               napi_get_value_bool(env, given[1], &request.is_function) == napi_ok &&
               napi_get_value_int32(env, given[2], &keys) == napi_ok &&
               napi_get_value_int32(env, given[3], &arguments) == napi_ok &&
               napi_get_value_uint32(env, given[4], &bytes) == napi_ok &&
               napi_get_value_int32(env, given[5], &protocol) == napi_ok &&
               napi_get_value_double(env, given[6], &limit) == napi_ok &&
               napi_get_value_bool(env, given[7], &engine.resp3_allowed) == napi_ok;
  if (!valid) return fail(env, "run got an argument of a wrong type");
  request.packed = state->in;
  request.packed_bytes = bytes;
  request.keys_count = keys;
  request.arguments_count = arguments;
  if (count == 9) {
    void* packed;
    size_t size;
    if (napi_get_buffer_info(env, given[8], &packed, &size) != napi_ok) return fail(env, "packed is no buffer");
    request.packed = static_cast<const char*>(packed);
  }
  engine.protocol = protocol;
  engine.limit_ms = static_cast<uint64_t>(limit);
  bool done = run(engine, request);
  if (engine.exception != nullptr) return rethrow(env, engine);
  napi_value value;
  if (!done) {
    napi_create_int32(env, -1, &value);
    return value;
  }
  if (engine.reply.size() > state->out_bytes) {
    void* copy;
    if (napi_create_buffer_copy(env, engine.reply.size(), engine.reply.data(), &copy, &value) != napi_ok) return nullptr;
    return value;
  }
  memcpy(state->out, engine.reply.data(), engine.reply.size());
  napi_create_uint32(env, static_cast<uint32_t>(engine.reply.size()), &value);
  return value;
}

void set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

// failure(): { text, source, line, stopped } of the last run or load.
napi_value last_failure(napi_env env, napi_callback_info info) {
  size_t count = 0;
  State* state = open_call(env, info, &count, nullptr);
  if (state == nullptr) return nullptr;
  Engine& engine = state->engine;
  napi_value object, line, stopped;
  napi_create_object(env, &object);
  napi_create_int32(env, engine.error_line, &line);
  napi_get_boolean(env, engine.abort != Abort::none, &stopped);
  set(env, object, "text", error_value(env, engine.error));
  set(env, object, "source", text_value(env, engine.error_source, strlen(engine.error_source)));
  set(env, object, "line", line);
  set(env, object, "stopped", stopped);
  return object;
}

// Pops a value: its text, or undefined if it is nil.
napi_value pop_text(napi_env env, lua_State* lua) {
  napi_value value;
  size_t size;
  const char* text = lua_tolstring(lua, -1, &size);
  if (text == nullptr) {
    napi_get_undefined(env, &value);
  } else {
    value = text_value(env, text, size);
  }
  lua_pop(lua, 1);
  return value;
}

napi_value flags_value(napi_env env, lua_State* lua) {
  napi_value flags;
  napi_create_array(env, &flags);
  lua_getfield(lua, -1, "flags");
  for (uint32_t i = 0; lua_istable(lua, -1) && i < lua_objlen(lua, -1); i++) {
    lua_rawgeti(lua, -1, static_cast<int>(i) + 1);
    napi_set_element(env, flags, i, pop_text(env, lua));
  }
  lua_pop(lua, 1);
  return flags;
}

struct Collection {
  napi_env env;
  napi_value list;
};

// Turns the registered functions into objects { name, description, flags, reference }.
int collect_functions(lua_State* lua) {
  Collection& collection = *static_cast<Collection*>(lua_touserdata(lua, 1));
  napi_env env = collection.env;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, current().registered_ref);
  uint32_t functions_count = static_cast<uint32_t>(lua_objlen(lua, -1));
  for (uint32_t i = 0; i < functions_count; i++) {
    lua_rawgeti(lua, -1, static_cast<int>(i) + 1);
    lua_getfield(lua, -1, "callback");
    int ref = luaL_ref(lua, LUA_REGISTRYINDEX);
    napi_value object, reference;
    napi_create_object(env, &object);
    napi_create_int32(env, ref, &reference);
    set(env, object, "reference", reference);
    set(env, object, "flags", flags_value(env, lua));
    lua_getfield(lua, -1, "name");
    set(env, object, "name", pop_text(env, lua));
    lua_getfield(lua, -1, "description");
    set(env, object, "description", pop_text(env, lua));
    napi_set_element(env, collection.list, i, object);
    lua_pop(lua, 1);
  }
  return 0;
}

// loadLibrary(code, limitMs, isStored): the functions that it registered, or undefined if it failed, see failure().
napi_value load_code(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value given[3];
  State* state = open_call(env, info, &count, given);
  if (state == nullptr) return nullptr;
  void* code;
  size_t size;
  double limit;
  bool is_stored;
  if (napi_get_buffer_info(env, given[0], &code, &size) != napi_ok ||
      napi_get_value_double(env, given[1], &limit) != napi_ok ||
      napi_get_value_bool(env, given[2], &is_stored) != napi_ok) {
    return fail(env, "loadLibrary takes a buffer, a time and a boolean");
  }
  Engine& engine = state->engine;
  engine.limit_ms = static_cast<uint64_t>(limit);
  bool done = load_library(engine, static_cast<const char*>(code), size, is_stored);
  if (engine.exception != nullptr) return rethrow(env, engine);
  if (!done) return nullptr;
  Entry entry(engine);
  Collection collection = {env, nullptr};
  napi_create_array(env, &collection.list);
  int status = lua_cpcall(engine.lua, collect_functions, &collection);
  lua_settop(engine.lua, 0);
  if (status != 0) return fail(env, "not enough memory for the library's functions");
  return collection.list;
}

// memory(): the bytes that Lua holds.
napi_value memory(napi_env env, napi_callback_info info) {
  size_t count = 0;
  napi_value self, value;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, nullptr, &self, nullptr);
  if (napi_unwrap(env, self, &data) != napi_ok) return fail(env, "not a LuaState");
  napi_create_double(env, static_cast<double>(static_cast<State*>(data)->engine.used_bytes), &value);
  return value;
}

// close(): frees the Lua state. Any other method throws afterwards.
napi_value close(napi_env env, napi_callback_info info) {
  size_t count = 0;
  State* state = open_call(env, info, &count, nullptr);
  if (state != nullptr) close_engine(state->engine);
  return nullptr;
}

napi_value init(napi_env env, napi_value exports) {
  auto method = [](const char* name, napi_callback callback) {
    return napi_property_descriptor{name,    nullptr, callback, nullptr, nullptr, nullptr, napi_default_method, nullptr};
  };
  napi_property_descriptor methods[] = {method("compile", compile_code), method("release", release_code),
                                        method("run", run_code),         method("failure", last_failure),
                                        method("loadLibrary", load_code), method("memory", memory),
                                        method("close", close)};
  napi_value constructor;
  napi_define_class(env, "LuaState", NAPI_AUTO_LENGTH, construct, nullptr, sizeof methods / sizeof methods[0], methods,
                    &constructor);
  set(env, exports, "LuaState", constructor);
#ifdef LUAJIT_VERSION
  const char* version = "LuaJIT";
#else
  const char* version = LUA_RELEASE;
#endif
  set(env, exports, "version", text_value(env, version, strlen(version)));
  return exports;
}

}  // namespace

}  // namespace scripting

NAPI_MODULE_INIT() { return scripting::init(env, exports); }
