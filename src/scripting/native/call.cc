// redis.call, pcall, acl_check_cmd and log: the ways from a script to the host.
//
// The arguments cross as one block, each a 32-bit little-endian length and its bytes, in memory that JavaScript has
// bound once; a block that does not fit there crosses as a buffer of its own.
#include <cmath>
#include <cstdio>
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

// Text of a number argument: 17 significant digits, as Redis's %.17g.
size_t number_text(double number, char* text, size_t room) {
  if (std::fabs(number) < 1e15 && std::trunc(number) == number && (number != 0 || !std::signbit(number))) {
    long long value = static_cast<long long>(number);
    char digits[24];
    char* at = digits + sizeof digits;
    unsigned long long rest = static_cast<unsigned long long>(value < 0 ? -value : value);
    do {
      *--at = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (value < 0) *--at = '-';
    size_t size = static_cast<size_t>(digits + sizeof digits - at);
    memcpy(text, at, size);
    return size;
  }
  return static_cast<size_t>(snprintf(text, room, "%.17g", number));
}

struct Block {
  char* bound;
  size_t bound_bytes;
  size_t used;
  Bytes* spill;  // in use once the bound memory was too small

  void append(const void* bytes, size_t size) {
    if (spill->size() == 0 && used + size <= bound_bytes) {
      if (size != 0) memcpy(bound + used, bytes, size);
      used += size;
      return;
    }
    if (spill->size() == 0) spill->append(bound, used);
    spill->append(bytes, size);
  }
};

// Packs the arguments on the stack. False, with an error table on the stack, if one of them is none.
bool pack_arguments(lua_State* lua, Engine& engine, int count, Block* block) {
  if (count == 0) {
    static const char text[] = "Please specify at least one argument for this redis lib call";
    push_error(lua, text, sizeof text - 1);
    return false;
  }
  engine.arguments.clear();
  *block = {engine.argument_memory, engine.argument_bytes, 0, &engine.arguments};
  for (int i = 1; i <= count; i++) {
    char digits[40];
    size_t size;
    const char* text = digits;
    int type = lua_type(lua, i);
    if (type == LUA_TNUMBER) {
      size = number_text(lua_tonumber(lua, i), digits, sizeof digits);
    } else if (type == LUA_TSTRING) {
      text = lua_tolstring(lua, i, &size);
    } else {
      static const char error[] = "Lua redis lib command arguments must be strings or integers";
      push_error(lua, error, sizeof error - 1);
      return false;
    }
    uint32_t header = static_cast<uint32_t>(size);
    block->append(&header, sizeof header);
    block->append(text, size);
  }
  if (engine.arguments.failed()) abort_script(lua, Abort::memory);
  return true;
}

struct Answer {
  bool ok;
  const char* bytes;
  size_t size;
  int verdict;  // of isAllowed: 1, 0, or -1 for an unknown command
};

void keep_exception(Engine& engine) {
  napi_value exception;
  bool pending = false;
  napi_is_exception_pending(engine.env, &pending);
  if (!pending || napi_get_and_clear_last_exception(engine.env, &exception) != napi_ok) return;
  napi_valuetype type;
  napi_typeof(engine.env, exception, &type);
  if (type != napi_object && type != napi_function) {
    napi_value text;
    napi_create_string_utf8(engine.env, "a script's host threw a value that is no error", NAPI_AUTO_LENGTH, &text);
    napi_create_error(engine.env, nullptr, text, &exception);
  }
  if (engine.exception != nullptr) napi_delete_reference(engine.env, engine.exception);
  engine.exception = nullptr;
  napi_create_reference(engine.env, exception, 1, &engine.exception);
}

bool read_reply(napi_env env, napi_value value, Answer* answer) {
  bool is_buffer = false;
  void* bytes;
  return napi_is_buffer(env, value, &is_buffer) == napi_ok && is_buffer &&
         napi_get_buffer_info(env, value, &bytes, &answer->size) == napi_ok &&
         (answer->bytes = static_cast<const char*>(bytes), true);
}

bool read_verdict(napi_env env, napi_value value, Answer* answer) {
  bool verdict;
  answer->verdict = napi_get_value_bool(env, value, &verdict) == napi_ok ? verdict : -1;
  return true;
}

// Calls the host. The bytes of its reply stay where they are until JavaScript runs again, which is not before they are
// converted; the scope is closed first, because the conversion may leave by a longjmp.
Answer ask_host(Engine& engine, napi_ref callback, const Block& block, int count,
                bool (*read)(napi_env, napi_value, Answer*)) {
  napi_env env = engine.env;
  Answer answer = {false, nullptr, 0, 0};
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return answer;
  napi_value function, receiver, result, arguments[4];
  size_t given = 3;
  size_t bytes = block.spill->size() == 0 ? block.used : block.spill->size();
  bool ready = napi_get_reference_value(env, callback, &function) == napi_ok &&
               napi_get_undefined(env, &receiver) == napi_ok &&
               napi_create_uint32(env, static_cast<uint32_t>(count), &arguments[0]) == napi_ok &&
               napi_create_uint32(env, static_cast<uint32_t>(bytes), &arguments[1]) == napi_ok &&
               napi_create_uint32(env, static_cast<uint32_t>(engine.script_protocol), &arguments[2]) == napi_ok;
  if (ready && block.spill->size() != 0) {
    void* copy;
    ready = napi_create_buffer_copy(env, bytes, block.spill->data(), &copy, &arguments[3]) == napi_ok;
    given = 4;
  }
  if (ready && napi_call_function(env, receiver, function, given, arguments, &result) == napi_ok) {
    answer.ok = read(env, result, &answer);
  }
  if (!answer.ok) keep_exception(engine);
  napi_close_handle_scope(env, scope);
  return answer;
}

// {err = 'CODE user_script:1: text'}: what speaks of the script names the line, as errors that Lua itself raises do.
void add_place(lua_State* lua) {
  lua_getfield(lua, -1, "err");
  const char* text = lua_tostring(lua, -1);
  const char* space = strchr(text, ' ');
  if (space == nullptr) return lua_pop(lua, 1);
  lua_pushlstring(lua, text, static_cast<size_t>(space + 1 - text));
  luaL_where(lua, 1);
  lua_pushstring(lua, space + 1);
  lua_concat(lua, 3);
  lua_setfield(lua, -3, "err");
  lua_pop(lua, 1);
}

int call(lua_State* lua, bool raises) {
  Engine& engine = current();
  if (!engine.running) return raise(lua, "redis.call/pcall can only be called inside a script invocation");
  int count = lua_gettop(lua);
  luaL_checkstack(lua, 4, "redis.call");
  check_time(lua);
  Block block;
  if (!pack_arguments(lua, engine, count, &block)) return raises ? lua_error(lua) : 1;
  Answer answer = ask_host(engine, engine.on_call, block, count, read_reply);
  if (!answer.ok) abort_script(lua, Abort::host);
  lua_settop(lua, 0);
  if (push_reply(lua, answer.bytes, answer.bytes + answer.size) == nullptr) {
    return luaL_error(lua, "the reply of the command is malformed");
  }
  char type = answer.bytes[0];
  if (!raises || (type != '-' && type != '!')) return 1;
  if (type == '!') add_place(lua);
  return lua_error(lua);
}

}  // namespace

int redis_call(lua_State* lua) { return call(lua, true); }

int redis_pcall(lua_State* lua) { return call(lua, false); }

int redis_acl_check_cmd(lua_State* lua) {
  Engine& engine = current();
  if (!engine.running) return raise(lua, "redis.acl_check_cmd can only be called inside a script invocation");
  Block block;
  int count = lua_gettop(lua);
  luaL_checkstack(lua, 4, "redis.acl_check_cmd");
  check_time(lua);
  if (!pack_arguments(lua, engine, count, &block)) return lua_error(lua);
  Answer answer = ask_host(engine, engine.on_allowed, block, count, read_verdict);
  if (!answer.ok) abort_script(lua, Abort::host);
  if (answer.verdict < 0) return raise(lua, "Invalid command passed to redis.acl_check_cmd()");
  lua_pushboolean(lua, answer.verdict);
  return 1;
}

int redis_log(lua_State* lua) {
  Engine& engine = current();
  int count = lua_gettop(lua);
  if (count < 2) return raise(lua, "redis.log() requires two arguments or more.");
  if (!lua_isnumber(lua, 1)) return raise(lua, "First argument must be a number (log level).");
  int level = static_cast<int>(lua_tonumber(lua, 1));
  if (level < 0 || level > 3) return raise(lua, "Invalid log level.");
  check_time(lua);
  Bytes& text = engine.scratch;
  text.clear();
  for (int i = 2; i <= count; i++) {
    size_t size;
    const char* part = lua_tolstring(lua, i, &size);
    if (part == nullptr) continue;
    if (i > 2) text.push(' ');
    text.append(part, size);
  }
  check_buffer(lua, text);
  napi_env env = engine.env;
  napi_handle_scope scope;
  napi_value function, receiver, arguments[2];
  void* copy;
  napi_open_handle_scope(env, &scope);
  bool ok = napi_get_reference_value(env, engine.on_log, &function) == napi_ok &&
            napi_get_undefined(env, &receiver) == napi_ok &&
            napi_create_uint32(env, static_cast<uint32_t>(level), &arguments[0]) == napi_ok &&
            napi_create_buffer_copy(env, text.size(), text.data(), &copy, &arguments[1]) == napi_ok &&
            napi_call_function(env, receiver, function, 2, arguments, nullptr) == napi_ok;
  if (!ok) keep_exception(engine);
  napi_close_handle_scope(env, scope);
  if (!ok) abort_script(lua, Abort::host);
  return 0;
}

}  // namespace scripting
