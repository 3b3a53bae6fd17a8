// One Lua state with its limits, and what the parts of the addon share of it.
//
// Rule for every function that Lua calls: lua_error is a longjmp, so no object with a destructor lives across a call
// that may raise. Buffers belong to the engine, and temporary memory to Lua (userdata, strings).
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "bytes.h"

extern "C" {
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#if __has_include(<luajit.h>)
#include <luajit.h>
#endif
}

namespace scripting {

enum class Abort { none, time, memory, host };

struct Engine {
  lua_State* lua = nullptr;

  // Memory that Lua holds, and its bound (0: none). `collected_at` is what the last full collection left, `idle_bytes` what
  // the last one between two scripts did.
  size_t used_bytes = 0;
  size_t limit_bytes = 0;
  size_t collected_at = 0;
  size_t idle_bytes = 0;

  // Where the limits are in force: the thread that runs, what has been allocated since the hook was called, and whether a
  // large block has been since the run began.
  lua_State* thread = nullptr;
  size_t fresh_bytes = 0;
  bool has_large_block = false;

  // The run under way. `protocol` is the caller's, `script_protocol` what redis.setresp chose for redis.call.
  bool running = false;
  bool loading = false;
  bool is_stored = false;  // what is loaded comes from the database, where Kvrocks may have put it by its looser rules
  int protocol = 2;
  int script_protocol = 2;
  bool resp3_allowed = true;
  uint64_t deadline_ns = 0;
  uint64_t limit_ms = 0;
  Abort abort = Abort::none;
  int resumes = 0;
  uint32_t steps = 0;
  uint64_t random_state = 0x1234abcd330eULL;

  // What the last run or load left behind.
  Bytes reply;
  Bytes error;
  char error_source[64] = "";
  int error_line = -1;

  Bytes arguments;
  Bytes scratch;

  // References into the registry.
  int run_ref = LUA_NOREF;
  int load_ref = LUA_NOREF;
  int environment_ref = LUA_NOREF;
  int environment_meta_ref = LUA_NOREF;
  int globals_ref = LUA_NOREF;
  int load_globals_ref = LUA_NOREF;
  int stored_globals_ref = LUA_NOREF;
  int registered_ref = LUA_NOREF;

  // The host.
  napi_env env = nullptr;
  napi_ref on_call = nullptr;
  napi_ref on_log = nullptr;
  napi_ref on_allowed = nullptr;
  napi_ref argument_view = nullptr;
  char* argument_memory = nullptr;
  size_t argument_bytes = 0;
  napi_ref exception = nullptr;
};

// The engine whose Lua runs on this thread.
Engine& current();

// Makes an engine current while it lives.
class Entry {
 public:
  explicit Entry(Engine& engine);
  ~Entry();
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  Engine* previous_;
};

// Creates the state and its libraries. False when there was no memory for it.
bool open_engine(Engine& engine, const char* version, uint32_t version_number);
void close_engine(Engine& engine);

// Compiles `code`, returns its reference or LUA_NOREF with the reason in engine.error.
int compile(Engine& engine, const char* code, size_t size, const char* chunk_name);

// Forgets what compile or a library's load has returned.
void release(Engine& engine, int ref);

// Arguments of a run: `keys` then `arguments`, each a 32-bit little-endian length and its bytes.
struct Run {
  int function_ref;
  bool is_function;  // a library's function, which gets its keys and arguments as parameters and not as globals
  int keys_count;
  int arguments_count;
  const char* packed;
  size_t packed_bytes;
};

// Runs a function. True: the reply is in engine.reply. False: the error is in engine.error, without '-' and CRLF.
bool run(Engine& engine, const Run& run);

// Runs a library's code, leaving what it registered in the table at engine.registered_ref. False: see engine.error.
bool load_library(Engine& engine, const char* code, size_t size, bool is_stored);

// Ends the script in a way that its pcall cannot stop.
[[noreturn]] void abort_script(lua_State* lua, Abort reason);

// Ends the script when its time is over. Loops in C++ call tick for each element; it looks at the clock now and then.
void check_time(lua_State* lua);
inline void tick(lua_State* lua) {
  if ((++current().steps & 1023) == 0) check_time(lua);
}

// Raises what a buffer outside Lua could not take.
void check_buffer(lua_State* lua, const Bytes& bytes);

uint64_t monotonic_ns();

}  // namespace scripting
