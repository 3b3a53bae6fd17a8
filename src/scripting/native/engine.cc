#include "engine.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "libraries.h"

namespace scripting {

namespace {

thread_local Engine* entered = nullptr;

// Instructions between two looks at the clock: about a tenth of a millisecond.
constexpr int hook_instructions = 10000;
// Bytes allocated between two such looks: as many take about as long, and an instruction may allocate all of them.
constexpr size_t hook_bytes = 256 << 10;
// Instructions once a block is so large that one of them takes long without allocating: what makes a string that is there
// already makes no new one.
constexpr int hook_instructions_large = 500;
constexpr size_t large_block_bytes = 1 << 20;

void on_count(lua_State* lua, lua_Debug*);

void* allocate(void* owner, void* block, size_t old_bytes, size_t new_bytes) {
  Engine& engine = *static_cast<Engine*>(owner);
  if (new_bytes == 0) {
    free(block);
    engine.used_bytes -= old_bytes;
    return nullptr;
  }
  size_t used = engine.used_bytes - old_bytes + new_bytes;
  if (new_bytes > old_bytes && engine.limit_bytes != 0 && used > engine.limit_bytes) return nullptr;
  void* moved = realloc(block, new_bytes);
  if (moved == nullptr) return nullptr;
  engine.used_bytes = used;
  engine.fresh_bytes += new_bytes;
  if (new_bytes >= large_block_bytes) engine.has_large_block = true;
  if (engine.thread != nullptr && engine.fresh_bytes >= hook_bytes) {
    lua_sethook(engine.thread, on_count, LUA_MASKCOUNT, 1);
  }
  return moved;
}

// Collects all garbage. The collector may allocate, and it has to be able to when there is nothing left.
void collect(Engine& engine) {
  size_t limit = engine.limit_bytes;
  engine.limit_bytes = 0;
  lua_gc(engine.lua, LUA_GCCOLLECT, 0);
  engine.limit_bytes = limit;
}

// Lua 5.1 does not collect when an allocation fails, so garbage must not come near the limit: beyond half of it, all is
// collected whenever a sixteenth has been added to what `kept_bytes` says is in use.
void collect_if_large(Engine& engine, size_t* kept_bytes) {
  size_t limit = engine.limit_bytes;
  if (limit == 0 || engine.used_bytes < limit / 2 || engine.used_bytes < *kept_bytes + limit / 16) return;
  collect(engine);
  *kept_bytes = engine.used_bytes;
}

void on_count(lua_State* lua, lua_Debug*) {
  Engine& engine = current();
  if (engine.abort != Abort::none) abort_script(lua, engine.abort);
  collect_if_large(engine, &engine.collected_at);
  engine.fresh_bytes = 0;
  int count = engine.has_large_block ? hook_instructions_large : hook_instructions;
  if (lua_gethookcount(lua) != count) lua_sethook(lua, on_count, LUA_MASKCOUNT, count);
  check_time(lua);
}

void put_abort_reason(Engine& engine) {
  char text[160];
  switch (engine.abort) {
    case Abort::time:
      snprintf(text, sizeof text, "ERR Script stopped: it ran longer than lua-time-limit, %llu milliseconds",
               static_cast<unsigned long long>(engine.limit_ms));
      return engine.error.append(text);
    case Abort::memory:
      return engine.error.append("ERR Script stopped: not enough memory");
    default:
      return engine.error.append("ERR Script stopped: the command failed");
  }
}

void put_error_value(lua_State* lua, Engine& engine, int index) {
  if (lua_istable(lua, index)) {
    lua_pushliteral(lua, "err");
    lua_rawget(lua, index);
    size_t size;
    const char* text = lua_tolstring(lua, -1, &size);
    if (text == nullptr) {
      engine.error.append("ERR unknown error");
    } else {
      engine.error.append(text, size);
    }
    lua_pop(lua, 1);
    return;
  }
  engine.error.append("ERR ");
  size_t size;
  if (lua_isstring(lua, index)) {
    const char* text = lua_tolstring(lua, index, &size);
    engine.error.append(text, size);
  } else if (lua_isboolean(lua, index)) {
    engine.error.append(lua_toboolean(lua, index) ? "true" : "false");
  } else {
    engine.error.append(luaL_typename(lua, index));
  }
}

// Runs where the error was raised, while the stack still shows the line.
int on_error(lua_State* lua) {
  Engine& engine = current();
  engine.error.clear();
  if (engine.abort != Abort::none) {
    put_abort_reason(engine);
  } else {
    put_error_value(lua, engine, 1);
  }
  lua_Debug where;
  int level = 1;
  if (lua_getstack(lua, level, &where) && lua_getinfo(lua, "S", &where) && strcmp(where.what, "C") == 0) level = 2;
  if (lua_getstack(lua, level, &where) && lua_getinfo(lua, "Sl", &where)) {
    snprintf(engine.error_source, sizeof engine.error_source, "%s", where.source);
    engine.error_line = where.currentline;
  }
  return 1;
}

// Between two scripts: leaves an empty stack, and room.
void settle(Engine& engine) {
  lua_settop(engine.lua, 0);
  collect_if_large(engine, &engine.idle_bytes);
}

void begin(Engine& engine) {
  engine.collected_at = engine.idle_bytes;
  engine.reply.clear();
  engine.error.clear();
  engine.error_line = -1;
  engine.abort = Abort::none;
  engine.script_protocol = 2;
  engine.resumes = 0;
  engine.deadline_ns = engine.limit_ms == 0 ? 0 : monotonic_ns() + engine.limit_ms * 1000000;
}

// setfenv(0, …) and setfenv(1, …) outlive the script that calls them unless they are undone here.
void restore_environment(lua_State* lua, Engine& engine, int function_index) {
  lua_rawgeti(lua, LUA_REGISTRYINDEX, engine.environment_ref);
  lua_pushvalue(lua, -1);
  lua_replace(lua, LUA_GLOBALSINDEX);
  lua_setfenv(lua, function_index);
}

const char* push_packed(lua_State* lua, const char* at, int count) {
  lua_createtable(lua, count, 0);
  for (int i = 1; i <= count; i++) {
    uint32_t size;
    memcpy(&size, at, sizeof size);
    lua_pushlstring(lua, at + sizeof size, size);
    lua_rawseti(lua, -2, i);
    at += sizeof size + size;
  }
  return at;
}

// Calls what is below `arguments` values on the stack with the limits in force and the error handler at 1.
bool call_limited(lua_State* lua, Engine& engine, int arguments, int results) {
  bool hooked = engine.deadline_ns != 0 || engine.limit_bytes != 0;
  engine.thread = hooked ? lua : nullptr;
  engine.fresh_bytes = 0;
  engine.has_large_block = false;
  if (hooked) lua_sethook(lua, on_count, LUA_MASKCOUNT, hook_instructions);
  int status = lua_pcall(lua, arguments, results, 1);
  engine.thread = nullptr;
  lua_sethook(lua, nullptr, 0, 0);
  if (status == 0) return true;
  if (status == LUA_ERRMEM) engine.idle_bytes = 0;  // for the collection when it has ended
  if (engine.abort != Abort::none && engine.error.size() == 0) put_abort_reason(engine);
  // Without memory, and with an error in the handler, Lua does not call the handler.
  if (status != LUA_ERRRUN || engine.error.size() == 0) {
    engine.error.clear();
    put_error_value(lua, engine, lua_gettop(lua));
  }
  return false;
}

int run_protected(lua_State* lua) {
  Engine& engine = current();
  const Run& request = *static_cast<const Run*>(lua_touserdata(lua, 1));
  lua_settop(lua, 0);
  lua_pushcfunction(lua, on_error);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, request.function_ref);
  int arguments = 0;
  if (request.is_function) {
    lua_pushnil(lua);
    set_global(engine, "KEYS");
    lua_pushnil(lua);
    set_global(engine, "ARGV");
    lua_rawgeti(lua, LUA_REGISTRYINDEX, engine.environment_ref);
    lua_replace(lua, LUA_GLOBALSINDEX);
    push_packed(lua, push_packed(lua, request.packed, request.keys_count), request.arguments_count);
    arguments = 2;
  } else {
    restore_environment(lua, engine, 2);
    const char* at = push_packed(lua, request.packed, request.keys_count);
    set_global(engine, "KEYS");
    push_packed(lua, at, request.arguments_count);
    set_global(engine, "ARGV");
  }
  bool done = call_limited(lua, engine, arguments, 1);
  if (done) append_reply(lua, engine);
  if (engine.reply.failed()) abort_script(lua, Abort::memory);
  lua_pushboolean(lua, done);
  return 1;
}

int load_protected(lua_State* lua) {
  Engine& engine = current();
  const char* code = static_cast<const char*>(lua_touserdata(lua, 1));
  size_t size = static_cast<size_t>(lua_tonumber(lua, 2));
  lua_settop(lua, 0);
  lua_pushcfunction(lua, on_error);
  lua_newtable(lua);
  lua_rawseti(lua, LUA_REGISTRYINDEX, engine.registered_ref);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, engine.environment_ref);
  lua_replace(lua, LUA_GLOBALSINDEX);
  lua_pushnil(lua);
  set_global(engine, "KEYS");
  lua_pushnil(lua);
  set_global(engine, "ARGV");
  lua_pushliteral(lua, "@user_function");  // keeps the chunk's name from being collected while it is compiled
  if (luaL_loadbuffer(lua, code, size, "@user_function") != 0) {
    engine.error.append("ERR Error compiling function: ");
    engine.error.append(lua_tostring(lua, -1));
    lua_pushboolean(lua, false);
    return 1;
  }
  bool done = call_limited(lua, engine, 0, 0);
  lua_pushboolean(lua, done);
  return 1;
}

struct Source {
  const char* code;
  size_t size;
  const char* name;
  int status;
};

int compile_protected(lua_State* lua) {
  Source& source = *static_cast<Source*>(lua_touserdata(lua, 1));
  lua_rawgeti(lua, LUA_REGISTRYINDEX, current().environment_ref);
  lua_replace(lua, LUA_GLOBALSINDEX);
  lua_pushstring(lua, source.name);
  source.status = luaL_loadbuffer(lua, source.code, source.size, source.name);
  if (source.status != 0) return lua_error(lua);
  lua_pushinteger(lua, luaL_ref(lua, LUA_REGISTRYINDEX));
  return 1;
}

// The status, with the result or the error on the stack.
int call_compile(Engine& engine, Source* source) {
  lua_State* lua = engine.lua;
  lua_settop(lua, 0);
  // lua_cpcall drops results, so the function is pushed by hand, outside any protection: it must not meet the limit.
  size_t limit = engine.limit_bytes;
  engine.limit_bytes = 0;
  lua_pushcfunction(lua, compile_protected);
  engine.limit_bytes = limit;
  lua_pushlightuserdata(lua, source);
  int status = lua_pcall(lua, 1, 1, 0);
  return source->status == LUA_ERRMEM ? LUA_ERRMEM : status;
}

// Makes the library that is being loaded, or not, what the environment shows.
void show_globals(Engine& engine, int ref) {
  lua_State* lua = engine.lua;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, engine.environment_meta_ref);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, ref);
  lua_setfield(lua, -2, "__index");  // the field exists, so this needs no memory
  lua_pop(lua, 1);
}

// Calls the function on the stack with its arguments; what it could not handle itself becomes engine.error.
bool call_protected(Engine& engine, int arguments) {
  lua_State* lua = engine.lua;
  if (lua_pcall(lua, arguments, 1, 0) == 0) return lua_toboolean(lua, -1) != 0;
  if (engine.error.size() == 0) {
    if (engine.abort != Abort::none) {
      put_abort_reason(engine);
    } else {
      put_error_value(lua, engine, lua_gettop(lua));
    }
  }
  return false;
}

struct Opening {
  Engine* engine;
  const char* version;
  uint32_t version_number;
};

int open_protected(lua_State* lua) {
  const Opening& opening = *static_cast<const Opening*>(lua_touserdata(lua, 1));
  Engine& engine = *opening.engine;
  open_sandbox(engine, opening.version, opening.version_number);
  lua_pushcfunction(lua, run_protected);
  engine.run_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
  lua_pushcfunction(lua, load_protected);
  engine.load_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
  lua_newtable(lua);
  engine.registered_ref = luaL_ref(lua, LUA_REGISTRYINDEX);
  return 0;
}

}  // namespace

Engine& current() { return *entered; }

Entry::Entry(Engine& engine) : previous_(entered) { entered = &engine; }

Entry::~Entry() { entered = previous_; }

uint64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

bool open_engine(Engine& engine, const char* version, uint32_t version_number) {
  Entry entry(engine);
  size_t limit = engine.limit_bytes;
  engine.limit_bytes = 0;
  engine.lua = lua_newstate(allocate, &engine);
  // LuaJIT may insist on its own allocator. Its memory is then not bounded.
  if (engine.lua == nullptr) engine.lua = luaL_newstate();
  if (engine.lua == nullptr) return false;
#ifdef LUAJIT_VERSION
  luaJIT_setmode(engine.lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);  // compiled loops call no hooks
#endif
  Opening opening = {&engine, version, version_number};
  if (lua_cpcall(engine.lua, open_protected, &opening) != 0) return false;
  lua_settop(engine.lua, 0);
  engine.limit_bytes = limit;
  engine.reply.set_limit(limit);
  engine.arguments.set_limit(limit);
  engine.scratch.set_limit(limit);
  return true;
}

void close_engine(Engine& engine) {
  if (engine.lua == nullptr) return;
  Entry entry(engine);
  lua_close(engine.lua);
  engine.lua = nullptr;
}

int compile(Engine& engine, const char* code, size_t size, const char* chunk_name) {
  Entry entry(engine);
  engine.error.clear();
  if (size > 0 && code[0] == LUA_SIGNATURE[0]) {
    engine.error.append("bytecode is not allowed");
    return LUA_NOREF;
  }
  Source source = {code, size, chunk_name, 0};
  lua_State* lua = engine.lua;
  int ref = LUA_NOREF;
  int status = call_compile(engine, &source);
  if (status == LUA_ERRMEM) {
    collect(engine);
    status = call_compile(engine, &source);
  }
  if (status == 0) {
    ref = static_cast<int>(lua_tointeger(lua, -1));
  } else {
    const char* text = lua_tostring(lua, -1);
    engine.error.append(text == nullptr ? "unknown error" : text);
  }
  settle(engine);
  return ref;
}

void release(Engine& engine, int ref) {
  // The registry may have to grow for its list of free references, outside any protection: it must not meet the limit.
  size_t limit = engine.limit_bytes;
  engine.limit_bytes = 0;
  luaL_unref(engine.lua, LUA_REGISTRYINDEX, ref);
  engine.limit_bytes = limit;
  // What it held is garbage now, of unknown size.
  size_t share = limit / 1024;
  engine.idle_bytes -= share < engine.idle_bytes ? share : engine.idle_bytes;
}

bool run(Engine& engine, const Run& request) {
  Entry entry(engine);
  begin(engine);
  engine.running = true;
  lua_State* lua = engine.lua;
  lua_settop(lua, 0);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, engine.run_ref);
  lua_pushlightuserdata(lua, const_cast<Run*>(&request));
  bool done = call_protected(engine, 1);
  settle(engine);
  engine.running = false;
  return done;
}

bool load_library(Engine& engine, const char* code, size_t size, bool is_stored) {
  Entry entry(engine);
  begin(engine);
  if (size > 0 && code[0] == LUA_SIGNATURE[0]) {
    engine.error.append("ERR Error compiling function: bytecode is not allowed");
    return false;
  }
  engine.loading = true;
  engine.is_stored = is_stored;
  lua_State* lua = engine.lua;
  lua_settop(lua, 0);
  show_globals(engine, is_stored ? engine.stored_globals_ref : engine.load_globals_ref);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, engine.load_ref);
  lua_pushlightuserdata(lua, const_cast<char*>(code));
  lua_pushnumber(lua, static_cast<double>(size));
  bool done = call_protected(engine, 2);
  settle(engine);
  show_globals(engine, engine.globals_ref);
  engine.loading = false;
  return done;
}

void abort_script(lua_State* lua, Abort reason) {
  current().abort = reason;
  lua_pushliteral(lua, "script stopped");
  lua_error(lua);
  abort();
}

void check_time(lua_State* lua) {
  Engine& engine = current();
  if (engine.deadline_ns != 0 && monotonic_ns() > engine.deadline_ns) abort_script(lua, Abort::time);
}

void check_buffer(lua_State* lua, const Bytes& bytes) {
  if (bytes.failed()) luaL_error(lua, "not enough memory");
}

}  // namespace scripting
