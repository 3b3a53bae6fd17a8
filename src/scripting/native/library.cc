// redis.register_function, which exists only while a library is loaded. Source: Redis's Lua API reference.
#include <cctype>
#include <cstring>
#include <strings.h>

#include "libraries.h"

namespace scripting {

namespace {

// The indexes of what a registration collects on the stack.
enum { name_at = 1, callback_at, description_at, flags_at, record_at };

const char* const flag_names[] = {"no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"};

const char* known_flag(const char* text) {
  for (const char* name : flag_names) {
    if (strcasecmp(name, text) == 0) return name;
  }
  return nullptr;
}

bool is_name(const char* text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (!isalnum(static_cast<unsigned char>(text[i])) && text[i] != '_') return false;
  }
  return size > 0;
}

// Leaves a list of known flags in the place of the given table.
void check_flags(lua_State* lua, int given) {
  lua_newtable(lua);
  for (int i = 1;; i++) {
    lua_rawgeti(lua, given, i);
    if (lua_isnil(lua, -1)) break;
    const char* name = lua_isstring(lua, -1) ? known_flag(lua_tostring(lua, -1)) : nullptr;
    if (name == nullptr) raise(lua, "unknown flag given");
    lua_pop(lua, 1);
    lua_pushstring(lua, name);
    lua_rawseti(lua, -2, i);
  }
  lua_pop(lua, 1);
  lua_replace(lua, given);
}

void read_named(lua_State* lua) {
  if (!lua_istable(lua, 1)) {
    raise(lua, "calling redis.register_function with a single argument is only applicable to Lua table (representing "
               "named arguments).");
  }
  // The given table moves to the end, its fields to their places before it.
  for (int i = 0; i < flags_at; i++) {
    lua_pushnil(lua);
    lua_insert(lua, 1);
  }
  lua_pushnil(lua);
  while (lua_next(lua, record_at) != 0) {
    if (lua_type(lua, -2) != LUA_TSTRING) raise(lua, "named argument key given to redis.register_function is not a string");
    const char* key = lua_tostring(lua, -2);
    if (strcasecmp(key, "function_name") == 0) {
      if (!lua_isstring(lua, -1)) raise(lua, "function_name argument given to redis.register_function must be a string");
      lua_replace(lua, name_at);
    } else if (strcasecmp(key, "description") == 0) {
      if (!lua_isstring(lua, -1)) raise(lua, "description argument given to redis.register_function must be a string");
      lua_replace(lua, description_at);
    } else if (strcasecmp(key, "callback") == 0) {
      if (!lua_isfunction(lua, -1)) raise(lua, "callback argument given to redis.register_function must be a function");
      lua_replace(lua, callback_at);
    } else if (strcasecmp(key, "flags") == 0) {
      if (!lua_istable(lua, -1)) {
        raise(lua, "flags argument to redis.register_function must be a table representing function flags");
      }
      lua_replace(lua, flags_at);
    } else {
      raise(lua, "unknown argument given to redis.register_function");
    }
  }
  lua_settop(lua, flags_at);
  if (lua_isnil(lua, name_at)) raise(lua, "redis.register_function must get a function name argument");
  if (lua_isnil(lua, callback_at)) raise(lua, "redis.register_function must get a callback argument");
}

// Kvrocks takes the flags as a third argument.
void read_positional(lua_State* lua) {
  if (!lua_isstring(lua, name_at)) raise(lua, "first argument to redis.register_function must be a string");
  if (!lua_isfunction(lua, callback_at)) raise(lua, "second argument to redis.register_function must be a function");
  if (lua_gettop(lua) == 3) {
    if (!lua_istable(lua, 3)) raise(lua, "third argument to redis.register_function must be a table of flags");
    lua_pushnil(lua);
    lua_insert(lua, description_at);
  }
  lua_settop(lua, flags_at);
}

void set_field(lua_State* lua, int from, const char* name) {
  lua_pushvalue(lua, from);
  lua_setfield(lua, record_at, name);
}

}  // namespace

int redis_register_function(lua_State* lua) {
  Engine& engine = current();
  if (!engine.loading) return raise(lua, "redis.register_function can only be called on FUNCTION LOAD command");
  int count = lua_gettop(lua);
  if (count < 1 || count > 3) return raise(lua, "wrong number of arguments to redis.register_function");
  luaL_checkstack(lua, 10, "redis.register_function");
  if (count == 1) {
    read_named(lua);
  } else {
    read_positional(lua);
  }
  size_t size;
  const char* name = lua_tolstring(lua, name_at, &size);
  if (!engine.is_stored && !is_name(name, size)) {
    return raise(lua, "Library names can only contain letters, numbers, or underscores(_) and must be at least one "
                      "character long");
  }
  if (lua_istable(lua, flags_at)) check_flags(lua, flags_at);
  lua_createtable(lua, 0, 4);
  set_field(lua, name_at, "name");
  set_field(lua, callback_at, "callback");
  set_field(lua, description_at, "description");
  set_field(lua, flags_at, "flags");
  lua_rawgeti(lua, LUA_REGISTRYINDEX, engine.registered_ref);
  lua_pushvalue(lua, name_at);
  lua_rawget(lua, -2);
  if (!lua_isnil(lua, -1)) return raise(lua, "Function already exists in the library");
  lua_pop(lua, 1);
  // Once by name, for the check above, and once in order.
  lua_pushvalue(lua, name_at);
  lua_pushboolean(lua, true);
  lua_rawset(lua, -3);
  lua_pushvalue(lua, record_at);
  lua_rawseti(lua, -2, static_cast<int>(lua_objlen(lua, -2)) + 1);
  return 0;
}

}  // namespace scripting
