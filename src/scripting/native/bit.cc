// The `bit` table: bitwise operations on the low 32 bits of numbers. Source: the documented behaviour of Lua BitOp 1.0.
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

// Adding 2^52 + 2^51 leaves the integer part, modulo 2^32, in the low word of the double.
uint32_t argument(lua_State* lua, int index) {
  double number = lua_tonumber(lua, index) + 6755399441055744.0;
  uint64_t image;
  memcpy(&image, &number, sizeof image);
  uint32_t word = static_cast<uint32_t>(image);
  if (word == 0 && !lua_isnumber(lua, index)) luaL_typerror(lua, index, "number");
  return word;
}

int result(lua_State* lua, uint32_t word) {
  lua_pushnumber(lua, static_cast<int32_t>(word));
  return 1;
}

int tobit(lua_State* lua) { return result(lua, argument(lua, 1)); }

int bnot(lua_State* lua) { return result(lua, ~argument(lua, 1)); }

template <typename Fold>
int fold(lua_State* lua, Fold combine) {
  uint32_t word = argument(lua, 1);
  for (int i = lua_gettop(lua); i > 1; i--) word = combine(word, argument(lua, i));
  return result(lua, word);
}

int band(lua_State* lua) {
  return fold(lua, [](uint32_t a, uint32_t b) { return a & b; });
}

int bor(lua_State* lua) {
  return fold(lua, [](uint32_t a, uint32_t b) { return a | b; });
}

int bxor(lua_State* lua) {
  return fold(lua, [](uint32_t a, uint32_t b) { return a ^ b; });
}

uint32_t rotated(uint32_t word, uint32_t count) { return count == 0 ? word : word << count | word >> (32 - count); }

int lshift(lua_State* lua) { return result(lua, argument(lua, 1) << (argument(lua, 2) & 31)); }

int rshift(lua_State* lua) { return result(lua, argument(lua, 1) >> (argument(lua, 2) & 31)); }

int arshift(lua_State* lua) {
  uint32_t word = argument(lua, 1);
  return result(lua, static_cast<uint32_t>(static_cast<int32_t>(word) >> (argument(lua, 2) & 31)));
}

int rol(lua_State* lua) {
  uint32_t word = argument(lua, 1);
  return result(lua, rotated(word, argument(lua, 2) & 31));
}

int ror(lua_State* lua) {
  uint32_t word = argument(lua, 1);
  return result(lua, rotated(word, (32 - (argument(lua, 2) & 31)) & 31));
}

int bswap(lua_State* lua) { return result(lua, __builtin_bswap32(argument(lua, 1))); }

int tohex(lua_State* lua) {
  uint32_t word = argument(lua, 1);
  int64_t digits = lua_isnone(lua, 2) ? 8 : static_cast<int32_t>(argument(lua, 2));
  const char* alphabet = "0123456789abcdef";
  if (digits < 0) {
    digits = -digits;
    alphabet = "0123456789ABCDEF";
  }
  if (digits > 8) digits = 8;
  char text[8];
  for (int64_t i = digits - 1; i >= 0; i--, word >>= 4) text[i] = alphabet[word & 15];
  lua_pushlstring(lua, text, static_cast<size_t>(digits));
  return 1;
}

const luaL_Reg functions[] = {{"tobit", tobit},   {"bnot", bnot},       {"band", band}, {"bor", bor},
                              {"bxor", bxor},     {"lshift", lshift},   {"rshift", rshift},
                              {"arshift", arshift}, {"rol", rol},       {"ror", ror},   {"bswap", bswap},
                              {"tohex", tohex},   {nullptr, nullptr}};

}  // namespace

void push_bit(lua_State* lua) {
  lua_newtable(lua);
  luaL_register(lua, nullptr, functions);
}

}  // namespace scripting
