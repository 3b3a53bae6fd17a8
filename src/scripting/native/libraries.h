// What each part of the addon gives to the engine.
#pragma once

#include "engine.h"

namespace scripting {

// Each pushes one table of functions.
void push_bit(lua_State* lua);
void push_json(lua_State* lua);
void push_msgpack(lua_State* lua);
void push_struct(lua_State* lua);
void push_redis(lua_State* lua, const char* version, uint32_t version_number);
// What libraries see of it while they are loaded: little, or all of it.
void push_library_redis(lua_State* lua, const char* version, uint32_t version_number, bool is_whole);

// Each replaces functions in the table on top of the stack.
void replace_patterns(lua_State* lua);
void replace_table(lua_State* lua);
void replace_random(lua_State* lua);

// Whether the table at `index` is one that scripts may only read.
bool is_read_only(lua_State* lua, int index);
// Refuses to write to one from a library function, where Redis names no line.
int refuse_raw_write(lua_State* lua);

// Builds the environment that scripts see, from the state's bare globals.
void open_sandbox(Engine& engine, const char* version, uint32_t version_number);
// Sets or clears the global variables KEYS and ARGV: takes the value on top of the stack.
void set_global(Engine& engine, const char* name);

// redis.call and its kin.
int redis_call(lua_State* lua);
int redis_pcall(lua_State* lua);
int redis_acl_check_cmd(lua_State* lua);
int redis_log(lua_State* lua);
int redis_register_function(lua_State* lua);

// Pushes {err = 'CODE text'}. Text that starts with '-' brings its own code, other text gets ERR.
void push_error(lua_State* lua, const char* text, size_t size);
int raise(lua_State* lua, const char* text);

// Pushes the value of the RESP reply at `at` and returns what follows it, or nullptr if the reply is cut off.
const char* push_reply(lua_State* lua, const char* at, const char* end);

// Appends the value on top of the stack to engine.reply as RESP and pops it.
void append_reply(lua_State* lua, Engine& engine);

void sha1_hex(const char* bytes, size_t size, char* hex);
// The shortest decimal form that reads back as `value`, in Redis's layout. At most 32 bytes; returns the length.
size_t format_double(double value, char* text);
// As C's cast on x86, on every machine: out of range and NaN give the smallest integer.
long long truncate_double(double value);

}  // namespace scripting
