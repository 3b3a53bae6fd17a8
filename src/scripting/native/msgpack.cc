// The `cmsgpack` table. Byte for byte what lua-cmsgpack 0.4.0 writes: integers in their smallest form, other numbers
// as float where that is exact, strings as str, tables as array when their keys are exactly 1..n and as map otherwise,
// tables nested deeper than 16 as nil. Source: the MessagePack specification and lua-cmsgpack's documentation.
#include <cmath>
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

constexpr int nesting_max = 16;

void put(Bytes& out, unsigned char tag, uint64_t value, int bytes) {
  char image[9] = {static_cast<char>(tag)};
  for (int i = 0; i < bytes; i++) image[1 + i] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
  out.append(image, static_cast<size_t>(bytes) + 1);
}

void put_integer(Bytes& out, int64_t value) {
  uint64_t image = static_cast<uint64_t>(value);
  if (value >= -32 && value <= 127) return out.push(static_cast<char>(value));
  if (value >= 0) {
    if (value <= 0xff) return put(out, 0xcc, image, 1);
    if (value <= 0xffff) return put(out, 0xcd, image, 2);
    if (value <= 0xffffffffLL) return put(out, 0xce, image, 4);
    return put(out, 0xcf, image, 8);
  }
  if (value >= INT8_MIN) return put(out, 0xd0, image, 1);
  if (value >= INT16_MIN) return put(out, 0xd1, image, 2);
  if (value >= INT32_MIN) return put(out, 0xd2, image, 4);
  put(out, 0xd3, image, 8);
}

void put_number(Bytes& out, double value) {
  if (value >= -9223372036854775808.0 && value < 9223372036854775808.0 && std::trunc(value) == value) {
    return put_integer(out, static_cast<int64_t>(value));
  }
  float narrow = static_cast<float>(value);
  if (static_cast<double>(narrow) == value) {
    uint32_t image;
    memcpy(&image, &narrow, sizeof image);
    return put(out, 0xca, image, 4);
  }
  uint64_t image;
  memcpy(&image, &value, sizeof image);
  put(out, 0xcb, image, 8);
}

void put_string(Bytes& out, const char* text, size_t size) {
  if (size < 32) {
    out.push(static_cast<char>(0xa0 | size));
  } else if (size <= 0xff) {
    put(out, 0xd9, size, 1);
  } else if (size <= 0xffff) {
    put(out, 0xda, size, 2);
  } else {
    put(out, 0xdb, size, 4);
  }
  out.append(text, size);
}

void put_count(Bytes& out, uint64_t count, unsigned char small, unsigned char medium) {
  if (count <= 15) return out.push(static_cast<char>(small | count));
  if (count <= 0xffff) return put(out, medium, count, 2);
  put(out, static_cast<unsigned char>(medium + 1), count, 4);
}

// The number of rows, and whether the keys are exactly 1..rows.
bool is_array(lua_State* lua, uint64_t* rows) {
  uint64_t count = 0;
  double largest = 0;
  bool whole = true;
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    tick(lua);
    lua_pop(lua, 1);
    count++;
    if (!whole) continue;
    double key = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : 0;
    whole = key > 0 && key <= INT32_MAX && std::floor(key) == key;
    if (key > largest) largest = key;
  }
  *rows = count;
  return whole && largest == static_cast<double>(count);
}

// Appends the value on top of the stack and pops it.
void put_value(lua_State* lua, Bytes& out, int level) {
  tick(lua);
  int type = lua_type(lua, -1);
  if (type == LUA_TNUMBER) {
    put_number(out, lua_tonumber(lua, -1));
  } else if (type == LUA_TSTRING) {
    size_t size;
    const char* text = lua_tolstring(lua, -1, &size);
    put_string(out, text, size);
    check_buffer(lua, out);
  } else if (type == LUA_TBOOLEAN) {
    out.push(static_cast<char>(lua_toboolean(lua, -1) ? 0xc3 : 0xc2));
  } else if (type == LUA_TTABLE && level < nesting_max) {
    check_buffer(lua, out);
    luaL_checkstack(lua, 4, "in cmsgpack.pack");
    uint64_t rows;
    if (is_array(lua, &rows)) {
      put_count(out, rows, 0x90, 0xdc);
      for (uint64_t i = 1; i <= rows; i++) {
        lua_rawgeti(lua, -1, static_cast<int>(i));
        put_value(lua, out, level + 1);
      }
    } else {
      put_count(out, rows, 0x80, 0xde);
      lua_pushnil(lua);
      while (lua_next(lua, -2) != 0) {
        lua_pushvalue(lua, -2);
        put_value(lua, out, level + 1);
        put_value(lua, out, level + 1);
      }
    }
  } else {
    out.push(static_cast<char>(0xc0));
  }
  lua_pop(lua, 1);
}

int pack(lua_State* lua) {
  int count = lua_gettop(lua);
  if (count == 0) return luaL_argerror(lua, 0, "MessagePack pack needs input.");
  luaL_checkstack(lua, 2, "Too many arguments for MessagePack pack.");
  Bytes& out = current().scratch;
  out.clear();
  for (int i = 1; i <= count; i++) {
    lua_pushvalue(lua, i);
    put_value(lua, out, 0);
  }
  check_buffer(lua, out);
  lua_pushlstring(lua, out.data(), out.size());
  return 1;
}

struct Cursor {
  const unsigned char* at;
  const unsigned char* end;
};

void need(lua_State* lua, const Cursor& from, size_t bytes) {
  if (static_cast<size_t>(from.end - from.at) < bytes) luaL_error(lua, "Missing bytes in input.");
}

uint64_t take(lua_State* lua, Cursor& from, int bytes) {
  need(lua, from, static_cast<size_t>(bytes));
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value = value << 8 | from.at[i];
  from.at += bytes;
  return value;
}

void push_value(lua_State* lua, Cursor& from);

void push_string(lua_State* lua, Cursor& from, size_t size) {
  need(lua, from, size);
  lua_pushlstring(lua, reinterpret_cast<const char*>(from.at), size);
  from.at += size;
}

void push_array(lua_State* lua, Cursor& from, uint64_t count) {
  lua_newtable(lua);
  for (uint64_t i = 1; i <= count; i++) {
    push_value(lua, from);
    lua_rawseti(lua, -2, static_cast<int>(i));
  }
}

void push_map(lua_State* lua, Cursor& from, uint64_t count) {
  lua_newtable(lua);
  for (uint64_t i = 0; i < count; i++) {
    push_value(lua, from);
    push_value(lua, from);
    lua_settable(lua, -3);
  }
}

void push_float(lua_State* lua, Cursor& from) {
  uint32_t image = static_cast<uint32_t>(take(lua, from, 4));
  float value;
  memcpy(&value, &image, sizeof value);
  lua_pushnumber(lua, value);
}

void push_double(lua_State* lua, Cursor& from) {
  uint64_t image = take(lua, from, 8);
  double value;
  memcpy(&value, &image, sizeof value);
  lua_pushnumber(lua, value);
}

bool push_tagged(lua_State* lua, Cursor& from, unsigned char tag) {
  switch (tag) {
    case 0xc0:
      lua_pushnil(lua);
      return true;
    case 0xc2:
    case 0xc3:
      lua_pushboolean(lua, tag & 1);
      return true;
    case 0xca:
      push_float(lua, from);
      return true;
    case 0xcb:
      push_double(lua, from);
      return true;
    case 0xcc:
    case 0xcd:
    case 0xce:
      lua_pushnumber(lua, static_cast<double>(take(lua, from, 1 << (tag & 3))));
      return true;
    case 0xcf: {
      // A lua_Integer is signed, and so is what scripts have always seen for values from 2^63 on.
      lua_pushnumber(lua, static_cast<double>(static_cast<int64_t>(take(lua, from, 8))));
      return true;
    }
    case 0xd0:
      lua_pushnumber(lua, static_cast<int8_t>(take(lua, from, 1)));
      return true;
    case 0xd1:
      lua_pushnumber(lua, static_cast<int16_t>(take(lua, from, 2)));
      return true;
    case 0xd2:
      lua_pushnumber(lua, static_cast<int32_t>(take(lua, from, 4)));
      return true;
    case 0xd3:
      lua_pushnumber(lua, static_cast<double>(static_cast<int64_t>(take(lua, from, 8))));
      return true;
    case 0xd9:
      push_string(lua, from, take(lua, from, 1));
      return true;
    case 0xda:
      push_string(lua, from, take(lua, from, 2));
      return true;
    case 0xdb:
      push_string(lua, from, take(lua, from, 4));
      return true;
    case 0xdc:
      push_array(lua, from, take(lua, from, 2));
      return true;
    case 0xdd:
      push_array(lua, from, take(lua, from, 4));
      return true;
    case 0xde:
      push_map(lua, from, take(lua, from, 2));
      return true;
    case 0xdf:
      push_map(lua, from, take(lua, from, 4));
      return true;
    default:
      return false;
  }
}

void push_value(lua_State* lua, Cursor& from) {
  tick(lua);
  luaL_checkstack(lua, 3, "too many return values at once; use unpack_one or unpack_limit instead.");
  unsigned char tag = static_cast<unsigned char>(take(lua, from, 1));
  if (tag < 0x80) {
    lua_pushnumber(lua, tag);
  } else if (tag >= 0xe0) {
    lua_pushnumber(lua, static_cast<int8_t>(tag));
  } else if (tag < 0x90) {
    push_map(lua, from, tag & 15);
  } else if (tag < 0xa0) {
    push_array(lua, from, tag & 15);
  } else if (tag < 0xc0) {
    push_string(lua, from, tag & 31);
  } else if (!push_tagged(lua, from, tag)) {
    luaL_error(lua, "Bad data format in input.");
  }
}

// `limit` values from `offset` on, after the offset of what follows them; all values, and no offset, if both are 0.
int unpack_from(lua_State* lua, lua_Integer limit, lua_Integer offset) {
  size_t size;
  const char* text = luaL_checklstring(lua, 1, &size);
  if (offset < 0 || limit < 0) {
    return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.", static_cast<int>(offset),
                      static_cast<int>(size));
  }
  if (static_cast<size_t>(offset) > size) {
    return luaL_error(lua, "Start offset %d greater than input length %d.", static_cast<int>(offset),
                      static_cast<int>(size));
  }
  bool all = limit == 0 && offset == 0;
  Cursor from = {reinterpret_cast<const unsigned char*>(text) + offset, reinterpret_cast<const unsigned char*>(text) + size};
  int count = 0;
  for (; from.at < from.end && (all || count < limit); count++) push_value(lua, from);
  if (all) return count;
  luaL_checkstack(lua, 1, "in cmsgpack.unpack");
  if (from.at == from.end) {
    lua_pushinteger(lua, -1);
  } else {
    lua_pushinteger(lua, from.at - reinterpret_cast<const unsigned char*>(text));
  }
  lua_insert(lua, 2);
  return count + 1;
}

int unpack(lua_State* lua) { return unpack_from(lua, 0, 0); }

int unpack_one(lua_State* lua) {
  lua_Integer offset = luaL_optinteger(lua, 2, 0);
  lua_settop(lua, 1);
  return unpack_from(lua, 1, offset);
}

int unpack_limit(lua_State* lua) {
  lua_Integer limit = luaL_checkinteger(lua, 2);
  lua_Integer offset = luaL_optinteger(lua, 3, 0);
  lua_settop(lua, 1);
  return unpack_from(lua, limit, offset);
}

const luaL_Reg functions[] = {{"pack", pack},
                              {"unpack", unpack},
                              {"unpack_one", unpack_one},
                              {"unpack_limit", unpack_limit},
                              {nullptr, nullptr}};

}  // namespace

void push_msgpack(lua_State* lua) {
  lua_newtable(lua);
  luaL_register(lua, nullptr, functions);
  lua_pushliteral(lua, "cmsgpack");
  lua_setfield(lua, -2, "_NAME");
  lua_pushliteral(lua, "lua-cmsgpack 0.4.0");
  lua_setfield(lua, -2, "_VERSION");
  lua_pushliteral(lua, "MessagePack C implementation for Lua");
  lua_setfield(lua, -2, "_DESCRIPTION");
}

}  // namespace scripting
