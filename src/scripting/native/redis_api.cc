// The `redis` table, but for redis.call and redis.pcall. Source: Redis's Lua API reference.
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

int sha1hex(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise(lua, "wrong number of arguments");
  check_time(lua);
  size_t size = 0;
  const char* text = lua_tolstring(lua, 1, &size);
  char hex[40];
  sha1_hex(text, size, hex);
  lua_pushlstring(lua, hex, sizeof hex);
  return 1;
}

bool takes_one_string(lua_State* lua) {
  if (lua_gettop(lua) == 1 && lua_type(lua, 1) == LUA_TSTRING) return true;
  static const char text[] = "wrong number or type of arguments";
  push_error(lua, text, sizeof text - 1);
  return false;
}

int error_reply(lua_State* lua) {
  if (!takes_one_string(lua)) return 1;
  size_t size;
  const char* text = lua_tolstring(lua, 1, &size);
  if (size == 0 || text[0] != '-') {
    lua_pushliteral(lua, "-");
    lua_pushvalue(lua, 1);
    lua_concat(lua, 2);
    text = lua_tolstring(lua, -1, &size);
  }
  push_error(lua, text, size);
  return 1;
}

int status_reply(lua_State* lua) {
  if (!takes_one_string(lua)) return 1;
  lua_createtable(lua, 0, 1);
  lua_pushvalue(lua, 1);
  lua_setfield(lua, -2, "ok");
  return 1;
}

int setresp(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise(lua, "redis.setresp() requires one argument.");
  double version = lua_tonumber(lua, 1);
  if (version != 2 && version != 3) return raise(lua, "RESP version must be 2 or 3.");
  Engine& engine = current();
  if (version == 3 && !engine.resp3_allowed) return raise(lua, "You need set resp3-enabled to yes to enable RESP3.");
  engine.script_protocol = static_cast<int>(version);
  return 0;
}

// A script's effects are always replicated, as they have to be for its atomic batch: the choice is checked and ignored.
int set_repl(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise(lua, "redis.set_repl() requires one argument.");
  int flags = static_cast<int>(lua_tonumber(lua, 1));
  if ((flags & ~3) != 0) {
    return raise(lua, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  }
  return 0;
}

int replicate_commands(lua_State* lua) {
  lua_pushboolean(lua, true);
  return 1;
}

int breakpoint(lua_State* lua) {
  lua_pushboolean(lua, false);
  return 1;
}

int debug(lua_State*) { return 0; }

const luaL_Reg script_functions[] = {{"call", redis_call},
                                     {"pcall", redis_pcall},
                                     {"log", redis_log},
                                     {"sha1hex", sha1hex},
                                     {"error_reply", error_reply},
                                     {"status_reply", status_reply},
                                     {"setresp", setresp},
                                     {"set_repl", set_repl},
                                     {"replicate_commands", replicate_commands},
                                     {"breakpoint", breakpoint},
                                     {"debug", debug},
                                     {"acl_check_cmd", redis_acl_check_cmd},
                                     {nullptr, nullptr}};

const luaL_Reg library_functions[] = {
    {"log", redis_log}, {"register_function", redis_register_function}, {nullptr, nullptr}};

void set_number(lua_State* lua, const char* name, double value) {
  lua_pushnumber(lua, value);
  lua_setfield(lua, -2, name);
}

void set_constants(lua_State* lua, const char* version, uint32_t version_number) {
  set_number(lua, "LOG_DEBUG", 0);
  set_number(lua, "LOG_VERBOSE", 1);
  set_number(lua, "LOG_NOTICE", 2);
  set_number(lua, "LOG_WARNING", 3);
  set_number(lua, "REDIS_VERSION_NUM", version_number);
  lua_pushstring(lua, version);
  lua_setfield(lua, -2, "REDIS_VERSION");
}

}  // namespace

void push_redis(lua_State* lua, const char* version, uint32_t version_number) {
  lua_newtable(lua);
  luaL_register(lua, nullptr, script_functions);
  set_constants(lua, version, version_number);
  set_number(lua, "REPL_NONE", 0);
  set_number(lua, "REPL_AOF", 1);
  set_number(lua, "REPL_SLAVE", 2);
  set_number(lua, "REPL_REPLICA", 2);
  set_number(lua, "REPL_ALL", 3);
}

void push_library_redis(lua_State* lua, const char* version, uint32_t version_number, bool is_whole) {
  if (is_whole) {
    push_redis(lua, version, version_number);
  } else {
    lua_newtable(lua);
    set_constants(lua, version, version_number);
  }
  luaL_register(lua, nullptr, library_functions);
}

}  // namespace scripting
