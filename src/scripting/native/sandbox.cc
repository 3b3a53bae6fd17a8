// The environment of scripts.
//
// Scripts see the globals through an empty table whose metatable reads from the real one and refuses writes, and each
// library through such a table too. Lua 5.1 has no read-only tables of its own, so the functions that pass by a
// metatable (rawset, rawget, next, table.insert, …) are replaced by ones that know these tables.
//
// Gone: io, os but for os.clock, package, debug, print, dofile, loadfile, getfenv, setfenv, newproxy (its __gc runs where
// no hook can stop it), bytecode. Replaced because the originals crash, hang or let a stopped script go on: pcall, xpcall, load,
// loadstring, unpack, coroutine.resume and wrap, collectgarbage, table.insert, remove and sort, string.rep and the pattern
// functions.
#include <cstring>
#include <ctime>
#include <initializer_list>

#include "libraries.h"

namespace scripting {

namespace {

// The key, in a metatable, of the table that stands behind a read-only one.
char behind;

constexpr char read_only_text[] = "Attempt to modify a readonly table";

constexpr int nested_resumes_max = 100;

}  // namespace

bool is_read_only(lua_State* lua, int index) {
  if (lua_type(lua, index) != LUA_TTABLE || !lua_getmetatable(lua, index)) return false;
  lua_pushlightuserdata(lua, &behind);
  lua_rawget(lua, -2);
  bool found = lua_istable(lua, -1);
  lua_pop(lua, 2);
  return found;
}

int refuse_raw_write(lua_State* lua) {
  lua_pushstring(lua, read_only_text);
  return lua_error(lua);
}

namespace {

// Puts what stands behind a read-only table in the argument's place.
void see_through(lua_State* lua, int index) {
  if (lua_type(lua, index) != LUA_TTABLE || !lua_getmetatable(lua, index)) return;
  lua_pushlightuserdata(lua, &behind);
  lua_rawget(lua, -2);
  if (lua_istable(lua, -1)) {
    lua_replace(lua, index);
    lua_pop(lua, 1);
  } else {
    lua_pop(lua, 2);
  }
}

int refuse_write(lua_State* lua) { return luaL_error(lua, read_only_text); }

int refuse_global(lua_State* lua) {
  lua_pushlightuserdata(lua, &behind);
  lua_rawget(lua, lua_upvalueindex(1));
  lua_pushvalue(lua, 2);
  lua_rawget(lua, -2);
  if (!lua_isnil(lua, -1) || !lua_isstring(lua, 2)) return refuse_write(lua);
  return luaL_error(lua, "Script attempted to create global variable '%s'", lua_tostring(lua, 2));
}

int absent_global(lua_State* lua) {
  const char* name = lua_isstring(lua, 2) ? lua_tostring(lua, 2) : luaL_typename(lua, 2);
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'", name);
}

// Replaces the table on top of the stack by a read-only view of it.
void make_read_only(lua_State* lua) {
  lua_newtable(lua);
  lua_newtable(lua);
  lua_pushlightuserdata(lua, &behind);
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_write);
  lua_setfield(lua, -2, "__newindex");
  lua_setmetatable(lua, -2);
  lua_remove(lua, -2);
}

int rethrow_if_stopped(lua_State* lua) { return current().abort != Abort::none ? lua_error(lua) : 0; }

// As Redis's: a table with an error's text is given to the script as that text.
int script_pcall(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0) == 0) {
    luaL_checkstack(lua, 1, "pcall");
    lua_pushboolean(lua, true);
    lua_insert(lua, 1);
    return lua_gettop(lua);
  }
  rethrow_if_stopped(lua);
  if (lua_istable(lua, -1)) {
    lua_pushliteral(lua, "err");
    lua_rawget(lua, -2);
    if (lua_isstring(lua, -1)) {
      lua_replace(lua, -2);
    } else {
      lua_pop(lua, 1);
    }
  }
  lua_pushboolean(lua, false);
  lua_insert(lua, -2);
  return 2;
}

// The script's own handler stands behind this one. An error that a hook raises is handled with hooks off, so a handler
// that is called for it could not be stopped any more.
int handle_error(lua_State* lua) {
  if (current().abort != Abort::none) return 1;
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, 1);
  return 1;
}

int script_xpcall(lua_State* lua) {
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  lua_pushcclosure(lua, handle_error, 1);
  lua_insert(lua, 1);
  int status = lua_pcall(lua, 0, LUA_MULTRET, 1);
  if (status != 0) rethrow_if_stopped(lua);
  luaL_checkstack(lua, 1, "xpcall");
  lua_pushboolean(lua, status == 0);
  lua_replace(lua, 1);
  return lua_gettop(lua);
}

int unpack(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_Integer from = luaL_optinteger(lua, 2, 1);
  lua_Integer to = lua_isnoneornil(lua, 3) ? static_cast<lua_Integer>(lua_objlen(lua, 1)) : luaL_checkinteger(lua, 3);
  from = static_cast<int>(from);
  to = static_cast<int>(to);
  if (from > to) return 0;
  lua_Integer count = to - from + 1;
  if (count >= 8000 || !lua_checkstack(lua, static_cast<int>(count))) {
    return luaL_error(lua, "too many results to unpack");
  }
  for (lua_Integer i = from; i <= to; i++) lua_rawgeti(lua, 1, static_cast<int>(i));
  return static_cast<int>(count);
}

int script_next(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  see_through(lua, 1);
  return lua_next(lua, 1) ? 2 : (lua_pushnil(lua), 1);
}

int script_pairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_pushvalue(lua, 1);
  lua_pushnil(lua);
  return 3;
}

int script_rawget(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  see_through(lua, 1);
  lua_rawget(lua, 1);
  return 1;
}

int script_rawset(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  luaL_checkany(lua, 3);
  lua_settop(lua, 3);
  if (is_read_only(lua, 1)) return refuse_raw_write(lua);
  lua_rawset(lua, 1);
  return 1;
}

// A read-only table shows the metatable that it is said to have, not the one that makes it read-only.
int script_getmetatable(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (luaL_getmetafield(lua, 1, "__metatable")) return 1;
  if (is_read_only(lua, 1) || !lua_getmetatable(lua, 1)) lua_pushnil(lua);
  return 1;
}

int script_setmetatable(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  int type = lua_type(lua, 2);
  luaL_argcheck(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
  if (is_read_only(lua, 1)) return refuse_raw_write(lua);
  if (luaL_getmetafield(lua, 1, "__metatable")) return luaL_error(lua, "cannot change a protected metatable");
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

int load_text(lua_State* lua, const char* code, size_t size, const char* name) {
  if (size > 0 && code[0] == LUA_SIGNATURE[0]) {
    lua_pushnil(lua);
    lua_pushliteral(lua, "bytecode is not allowed");
    return 2;
  }
  lua_pushstring(lua, name);  // keeps the chunk's name from being collected while it is compiled
  if (luaL_loadbuffer(lua, code, size, name) == 0) return 1;
  rethrow_if_stopped(lua);
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

int script_loadstring(lua_State* lua) {
  size_t size;
  const char* code = luaL_checklstring(lua, 1, &size);
  return load_text(lua, code, size, luaL_optstring(lua, 2, code));
}

int script_load(lua_State* lua) {
  const char* name = luaL_optstring(lua, 2, "=(load)");
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  lua_settop(lua, 3);
  luaL_Buffer code;
  luaL_buffinit(lua, &code);
  while (true) {
    tick(lua);
    lua_pushvalue(lua, 1);
    lua_call(lua, 0, 1);
    if (lua_isnil(lua, -1)) break;
    if (!lua_isstring(lua, -1)) return luaL_error(lua, "reader function must return a string");
    if (lua_objlen(lua, -1) == 0) break;
    luaL_addvalue(&code);
  }
  lua_pop(lua, 1);
  luaL_pushresult(&code);
  size_t size;
  const char* text = lua_tolstring(lua, -1, &size);
  return load_text(lua, text, size, name);
}

const char* state_of(lua_State* lua, lua_State* thread) {
  if (lua == thread) return "running";
  int status = lua_status(thread);
  if (status == LUA_YIELD) return nullptr;
  if (status != 0) return "dead";
  lua_Debug frame;
  if (lua_getstack(thread, 0, &frame)) return "normal";
  return lua_gettop(thread) == 0 ? "dead" : nullptr;
}

// Resumes with `count` arguments from the top of the stack. The results, or the error, end up there; -1 for an error.
int resume(lua_State* lua, lua_State* thread, int count) {
  Engine& engine = current();
  check_time(lua);  // a coroutine begins with a count of its own, which it may never reach
  const char* state = state_of(lua, thread);
  if (state != nullptr) {
    lua_pushfstring(lua, "cannot resume %s coroutine", state);
    return -1;
  }
  if (engine.resumes >= nested_resumes_max) {
    lua_pushliteral(lua, "C stack overflow");
    return -1;
  }
  if (!lua_checkstack(thread, count)) return luaL_error(lua, "too many arguments to resume");
  lua_xmove(lua, thread, count);
#ifndef LUAJIT_VERSION
  lua_setlevel(lua, thread);
#endif
  lua_sethook(thread, lua_gethook(lua), lua_gethookmask(lua), lua_gethookcount(lua));
  engine.resumes++;
  engine.thread = thread;
  int status = lua_resume(thread, count);
  engine.thread = lua;
  engine.resumes--;
  if (status != 0 && status != LUA_YIELD) {
    lua_xmove(thread, lua, 1);
    rethrow_if_stopped(lua);
    return -1;
  }
  int results = lua_gettop(thread);
  if (!lua_checkstack(lua, results + 1)) return luaL_error(lua, "too many results to resume");
  lua_xmove(thread, lua, results);
  return results;
}

int coroutine_resume(lua_State* lua) {
  lua_State* thread = lua_tothread(lua, 1);
  luaL_argcheck(lua, thread != nullptr, 1, "coroutine expected");
  int results = resume(lua, thread, lua_gettop(lua) - 1);
  lua_pushboolean(lua, results >= 0);
  if (results < 0) results = 1;
  lua_insert(lua, -(results + 1));
  return results + 1;
}

int resume_wrapped(lua_State* lua) {
  int results = resume(lua, lua_tothread(lua, lua_upvalueindex(1)), lua_gettop(lua));
  if (results >= 0) return results;
  if (lua_isstring(lua, -1)) {
    luaL_where(lua, 1);
    lua_insert(lua, -2);
    lua_concat(lua, 2);
  }
  return lua_error(lua);
}

int coroutine_wrap(lua_State* lua) {
  luaL_argcheck(lua, lua_isfunction(lua, 1) && !lua_iscfunction(lua, 1), 1, "Lua function expected");
  lua_State* thread = lua_newthread(lua);
  lua_pushvalue(lua, 1);
  lua_xmove(lua, thread, 1);
  lua_pushcclosure(lua, resume_wrapped, 1);
  return 1;
}

int collectgarbage(lua_State* lua) {
  static const char* const options[] = {"collect", "count", "step", "stop", "restart", "setpause", "setstepmul", nullptr};
  switch (luaL_checkoption(lua, 1, "collect", options)) {
    case 0:
      lua_gc(lua, LUA_GCCOLLECT, 0);
      break;
    case 1:
      lua_pushnumber(lua, static_cast<double>(current().used_bytes) / 1024);
      return 1;
    case 2:
      lua_pushboolean(lua, lua_gc(lua, LUA_GCSTEP, static_cast<int>(luaL_optinteger(lua, 2, 0))));
      return 1;
    default:  // the collector's settings outlive a script, so they are not a script's to change
      break;
  }
  lua_pushnumber(lua, 0);
  return 1;
}

int gcinfo(lua_State* lua) {
  lua_pushnumber(lua, static_cast<double>(current().used_bytes / 1024));
  return 1;
}

int string_rep(lua_State* lua) {
  size_t size;
  const char* text = luaL_checklstring(lua, 1, &size);
  lua_Integer count = luaL_checkinteger(lua, 2);
  if (count <= 0 || size == 0) {
    lua_pushliteral(lua, "");
    return 1;
  }
  constexpr size_t string_bytes_max = 512 << 20;
  if (static_cast<size_t>(count) > string_bytes_max / size) return luaL_error(lua, "resulting string too large");
  Bytes& out = current().scratch;
  out.clear();
  size_t total = size * static_cast<size_t>(count);
  constexpr size_t quick_bytes = 16 << 10;
  if (total > quick_bytes) check_time(lua);
  char* to = out.reserve(total);
  check_buffer(lua, out);
  memcpy(to, text, size);
  for (size_t done = size; done < total;) {
    size_t more = done < total - done ? done : total - done;
    memcpy(to + done, to, more);
    done += more;
  }
  lua_pushlstring(lua, to, total);
  out.clear();
  return 1;
}

int os_clock(lua_State* lua) {
  lua_pushnumber(lua, static_cast<double>(clock()) / CLOCKS_PER_SEC);
  return 1;
}

void open_library(lua_State* lua, lua_CFunction open, const char* name) {
  lua_pushcfunction(lua, open);
  lua_pushstring(lua, name);
  lua_call(lua, 1, 0);
}

void replace_base(lua_State* lua) {
  static const luaL_Reg functions[] = {{"pcall", script_pcall},
                                       {"xpcall", script_xpcall},
                                       {"unpack", unpack},
                                       {"next", script_next},
                                       {"rawget", script_rawget},
                                       {"rawset", script_rawset},
                                       {"getmetatable", script_getmetatable},
                                       {"setmetatable", script_setmetatable},
                                       {"load", script_load},
                                       {"loadstring", script_loadstring},
                                       {"collectgarbage", collectgarbage},
                                       {"gcinfo", gcinfo},
                                       {nullptr, nullptr}};
  static const char* const removed[] = {"dofile", "loadfile", "print", "newproxy", "module", "require", "getfenv", "setfenv"};
  lua_pushvalue(lua, LUA_GLOBALSINDEX);
  luaL_register(lua, nullptr, functions);
  lua_getfield(lua, -1, "next");
  lua_pushcclosure(lua, script_pairs, 1);
  lua_setfield(lua, -2, "pairs");
  for (const char* name : removed) {
    lua_pushnil(lua);
    lua_setfield(lua, -2, name);
  }
  lua_pop(lua, 1);
}

void replace_in_libraries(lua_State* lua) {
  lua_getglobal(lua, "coroutine");
  lua_pushcfunction(lua, coroutine_resume);
  lua_setfield(lua, -2, "resume");
  lua_pushcfunction(lua, coroutine_wrap);
  lua_setfield(lua, -2, "wrap");
  lua_getglobal(lua, "table");
  replace_table(lua);
  lua_getglobal(lua, "string");
  lua_pushcfunction(lua, string_rep);
  lua_setfield(lua, -2, "rep");
  replace_patterns(lua);
  lua_getglobal(lua, "math");
  replace_random(lua);
  lua_pop(lua, 4);
}

// getmetatable('') shows a read-only copy: the table itself leads to the writable string library.
void protect_string_metatable(lua_State* lua) {
  lua_pushliteral(lua, "");
  lua_getmetatable(lua, -1);
  lua_newtable(lua);
  lua_getglobal(lua, "string");
  lua_setfield(lua, -2, "__index");
  make_read_only(lua);
  lua_setfield(lua, -2, "__metatable");
  lua_pop(lua, 2);
}

// Pushes a view of the globals on top of the stack that refuses writes, and its metatable.
void push_environment(lua_State* lua) {
  lua_newtable(lua);
  lua_newtable(lua);
  lua_pushlightuserdata(lua, &behind);
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushvalue(lua, -1);
  lua_pushcclosure(lua, refuse_global, 1);
  lua_setfield(lua, -2, "__newindex");
  lua_newtable(lua);
  make_read_only(lua);
  lua_setfield(lua, -2, "__metatable");
  lua_pushvalue(lua, -1);
  lua_setmetatable(lua, -3);
}

void refuse_absent(lua_State* lua) {
  lua_newtable(lua);
  lua_pushcfunction(lua, absent_global);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
}

// The globals while a library is loaded: its own redis, and all others of the scripts.
int make_load_globals(lua_State* lua, const char* version, uint32_t version_number, bool is_stored) {
  static const char* const shared[] = {
      "assert",   "bit",        "cjson",    "cmsgpack", "collectgarbage", "coroutine", "error",  "gcinfo",
      "getmetatable", "ipairs", "load",     "loadstring",     "math",      "next",   "os",
      "pairs",    "pcall",      "rawequal", "rawget",   "rawset",         "select", "setmetatable",
      "string",   "struct",     "table",    "tonumber", "tostring",       "type",      "unpack", "xpcall",
      "_G",       "_VERSION"};
  lua_newtable(lua);
  for (const char* name : shared) {
    lua_getglobal(lua, name);
    lua_setfield(lua, -2, name);
  }
  push_library_redis(lua, version, version_number, is_stored);
  refuse_absent(lua);
  make_read_only(lua);
  lua_pushvalue(lua, -1);
  lua_setfield(lua, -3, "redis");
  lua_setfield(lua, -2, "server");
  refuse_absent(lua);
  return luaL_ref(lua, LUA_REGISTRYINDEX);
}

}  // namespace

void set_global(Engine& engine, const char* name) {
  lua_State* lua = engine.lua;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, engine.globals_ref);
  lua_pushstring(lua, name);
  lua_pushvalue(lua, -3);
  lua_rawset(lua, -3);
  lua_pop(lua, 2);
}

void open_sandbox(Engine& engine, const char* version, uint32_t version_number) {
  lua_State* lua = engine.lua;
  open_library(lua, luaopen_base, "");
  open_library(lua, luaopen_table, LUA_TABLIBNAME);
  open_library(lua, luaopen_string, LUA_STRLIBNAME);
  open_library(lua, luaopen_math, LUA_MATHLIBNAME);
  replace_base(lua);
  replace_in_libraries(lua);
  push_bit(lua);
  lua_setglobal(lua, "bit");
  push_json(lua);
  lua_setglobal(lua, "cjson");
  push_msgpack(lua);
  lua_setglobal(lua, "cmsgpack");
  push_struct(lua);
  lua_setglobal(lua, "struct");
  lua_newtable(lua);
  lua_pushcfunction(lua, os_clock);
  lua_setfield(lua, -2, "clock");
  lua_setglobal(lua, "os");
  push_redis(lua, version, version_number);
  lua_setglobal(lua, "redis");
  for (const char* name : {"bit", "cjson", "cmsgpack", "coroutine", "math", "os", "redis", "string", "struct", "table"}) {
    lua_getglobal(lua, name);
    make_read_only(lua);
    lua_setglobal(lua, name);
  }
  lua_getglobal(lua, "redis");
  lua_setglobal(lua, "server");
  protect_string_metatable(lua);

  lua_pushvalue(lua, LUA_GLOBALSINDEX);
  push_environment(lua);
  lua_pushvalue(lua, -2);
  lua_setfield(lua, -4, "_G");
  engine.load_globals_ref = make_load_globals(lua, version, version_number, false);
  engine.stored_globals_ref = make_load_globals(lua, version, version_number, true);
  engine.environment_meta_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
  engine.environment_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
  refuse_absent(lua);
  engine.globals_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
}

}  // namespace scripting
