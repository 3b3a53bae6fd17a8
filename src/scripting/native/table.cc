// What replaces functions of the table library: the originals write to read-only tables, and run for as long as there are
// elements without ever calling a hook.
#include <initializer_list>

#include "libraries.h"

namespace scripting {

namespace {

// A function of the table library that writes without looking at metatables.
int guarded(lua_State* lua) {
  if (is_read_only(lua, 1)) return refuse_raw_write(lua);
  return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

// A function that takes longer the more elements there are: ten thousand calls, with no look at the clock, are too many.
int timed(lua_State* lua) {
  check_time(lua);
  return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

void wrap(lua_State* lua, const char* name, lua_CFunction wrapper) {
  lua_getfield(lua, -1, name);
  if (lua_isnil(lua, -1)) return lua_pop(lua, 1);
  lua_pushcclosure(lua, wrapper, 1);
  lua_setfield(lua, -2, name);
}

// Moves the elements from `from` on by one place, towards `to`.
void shift(lua_State* lua, int from, int to) {
  int step = from < to ? 1 : -1;
  for (int i = from; i != to; i += step) {
    if ((i & 63) == 0) tick(lua);
    lua_rawgeti(lua, 1, i + step);
    lua_rawseti(lua, 1, i);
  }
}

// The place may be far from all elements: what lies between is moved, too, as Lua does it.
int table_insert(lua_State* lua) {
  if (is_read_only(lua, 1)) return refuse_raw_write(lua);
  luaL_checktype(lua, 1, LUA_TTABLE);
  int end = static_cast<int>(lua_objlen(lua, 1)) + 1;
  int place = end;
  if (lua_gettop(lua) == 3) {
    place = static_cast<int>(luaL_checkinteger(lua, 2));
    if (place < end) shift(lua, end, place);
  } else if (lua_gettop(lua) != 2) {
    return luaL_error(lua, "wrong number of arguments to 'insert'");
  }
  lua_rawseti(lua, 1, place);
  return 0;
}

int table_remove(lua_State* lua) {
  if (is_read_only(lua, 1)) return refuse_raw_write(lua);
  luaL_checktype(lua, 1, LUA_TTABLE);
  int end = static_cast<int>(lua_objlen(lua, 1));
  int place = static_cast<int>(luaL_optinteger(lua, 2, end));
  if (place < 1 || place > end) return 0;
  lua_rawgeti(lua, 1, place);
  shift(lua, place, end);
  lua_pushnil(lua);
  lua_rawseti(lua, 1, end);
  return 1;
}

int compare_ticking(lua_State* lua) {
  tick(lua);
  lua_pushboolean(lua, lua_lessthan(lua, 1, 2));
  return 1;
}

int call_ticking(lua_State* lua) {
  tick(lua);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, 1);
  return 1;
}

// A comparison in C runs no instruction that the hook could count, and sorting may take the square of the elements.
int table_sort(lua_State* lua) {
  constexpr size_t quick_elements = 4000;
  check_time(lua);
  if (is_read_only(lua, 1)) return refuse_raw_write(lua);
  if (lua_istable(lua, 1) && lua_objlen(lua, 1) > quick_elements) {
    if (lua_isnoneornil(lua, 2)) {
      lua_settop(lua, 1);
      lua_pushcfunction(lua, compare_ticking);
    } else if (lua_iscfunction(lua, 2)) {
      lua_settop(lua, 2);
      lua_pushcclosure(lua, call_ticking, 1);
    }
  }
  return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

}  // namespace

void replace_table(lua_State* lua) {
  for (const char* name : {"concat", "foreach", "foreachi", "maxn"}) wrap(lua, name, timed);
  wrap(lua, "setn", guarded);
  wrap(lua, "sort", table_sort);
  lua_pushcfunction(lua, table_insert);
  lua_setfield(lua, -2, "insert");
  lua_pushcfunction(lua, table_remove);
  lua_setfield(lua, -2, "remove");
}

}  // namespace scripting
