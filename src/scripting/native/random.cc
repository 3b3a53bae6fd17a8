// math.random and math.randomseed over the drand48 generator, so that a seed gives the same numbers on every machine.
// Source: POSIX's description of lrand48; Redis uses the same generator.
#include <cmath>

#include "libraries.h"

namespace scripting {

namespace {

constexpr uint64_t multiplier = 0x5deece66dULL;
constexpr uint64_t mask48 = (1ULL << 48) - 1;

uint32_t next31() {
  uint64_t& state = current().random_state;
  state = (state * multiplier + 11) & mask48;
  return static_cast<uint32_t>(state >> 17);
}

int random(lua_State* lua) {
  if (!current().running) return luaL_error(lua, "math.random can only be called inside a script invocation");
  constexpr uint32_t maximum = 2147483647;
  double fraction = static_cast<double>(next31() % maximum) / static_cast<double>(maximum);
  switch (lua_gettop(lua)) {
    case 0:
      lua_pushnumber(lua, fraction);
      return 1;
    case 1: {
      int upper = static_cast<int>(luaL_checkinteger(lua, 1));
      luaL_argcheck(lua, upper >= 1, 1, "interval is empty");
      lua_pushnumber(lua, std::floor(fraction * upper) + 1);
      return 1;
    }
    case 2: {
      int lower = static_cast<int>(luaL_checkinteger(lua, 1));
      int upper = static_cast<int>(luaL_checkinteger(lua, 2));
      luaL_argcheck(lua, lower <= upper, 2, "interval is empty");
      lua_pushnumber(lua, std::floor(fraction * (static_cast<double>(upper) - lower + 1)) + lower);
      return 1;
    }
    default:
      return luaL_error(lua, "wrong number of arguments");
  }
}

int randomseed(lua_State* lua) {
  if (!current().running) return luaL_error(lua, "math.randomseed can only be called inside a script invocation");
  uint32_t seed = static_cast<uint32_t>(luaL_checkinteger(lua, 1));
  current().random_state = static_cast<uint64_t>(seed) << 16 | 0x330e;
  return 0;
}

}  // namespace

void replace_random(lua_State* lua) {
  lua_pushcfunction(lua, random);
  lua_setfield(lua, -2, "random");
  lua_pushcfunction(lua, randomseed);
  lua_setfield(lua, -2, "randomseed");
}

}  // namespace scripting
