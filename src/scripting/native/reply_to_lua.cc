// RESP to Lua values, as Redis maps them:
//
//   :1 (n ,x #t _   number {big_number=} {double=} boolean nil     $-1 *-1   false
//   +OK -ERR        {ok=} {err=}                                   =txt:     {verbatim_string={format=,string=}}
//   *  %  ~         table, {map=table}, {set={[member]=true}}      |         dropped
//
// A blob error (!) speaks of the script and not of a command; it becomes {err=} too.
#include <cstdlib>
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

const char* end_of_line(const char* at, const char* end) {
  const char* found = static_cast<const char*>(memchr(at, '\r', static_cast<size_t>(end - at)));
  return found != nullptr && found + 1 < end ? found : nullptr;
}

long long read_integer(const char* at, const char* end) {
  bool negative = at < end && *at == '-';
  if (negative) at++;
  unsigned long long value = 0;
  for (; at < end; at++) value = value * 10 + static_cast<unsigned long long>(*at - '0');
  return static_cast<long long>(negative ? 0 - value : value);
}

void push_field(lua_State* lua, const char* name, const char* text, size_t size) {
  lua_createtable(lua, 0, 1);
  lua_pushlstring(lua, text, size);
  lua_setfield(lua, -2, name);
}

void push_double(lua_State* lua, const char* at, const char* end) {
  char text[64];
  size_t size = static_cast<size_t>(end - at);
  if (size > sizeof text - 1) size = sizeof text - 1;
  memcpy(text, at, size);
  text[size] = '\0';
  lua_createtable(lua, 0, 1);
  lua_pushnumber(lua, strtod(text, nullptr));
  lua_setfield(lua, -2, "double");
}

void push_verbatim(lua_State* lua, const char* text, size_t size) {
  size_t prefix = size < 4 ? size : 4;
  lua_createtable(lua, 0, 1);
  lua_createtable(lua, 0, 2);
  lua_pushlstring(lua, text, prefix == 4 ? 3 : prefix);
  lua_setfield(lua, -2, "format");
  lua_pushlstring(lua, text + prefix, size - prefix);
  lua_setfield(lua, -2, "string");
  lua_setfield(lua, -2, "verbatim_string");
}

// A length and that many bytes: $ ! =
const char* push_blob(lua_State* lua, char type, const char* at, const char* line_end, const char* end) {
  long long size = read_integer(at, line_end);
  const char* text = line_end + 2;
  if (size < 0) {
    lua_pushboolean(lua, false);
    return text;
  }
  if (size + 2 > end - text) return nullptr;
  if (type == '$') {
    lua_pushlstring(lua, text, static_cast<size_t>(size));
  } else if (type == '=') {
    push_verbatim(lua, text, static_cast<size_t>(size));
  } else {
    push_field(lua, "err", text, static_cast<size_t>(size));
  }
  return text + size + 2;
}

const char* push_array(lua_State* lua, long long count, const char* at, const char* end) {
  lua_createtable(lua, static_cast<int>(count), 0);
  for (long long i = 1; i <= count && at != nullptr; i++) {
    at = push_reply(lua, at, end);
    if (at != nullptr) lua_rawseti(lua, -2, static_cast<int>(i));
  }
  return at;
}

const char* push_pairs(lua_State* lua, bool is_map, long long count, const char* at, const char* end) {
  lua_createtable(lua, 0, 1);
  lua_createtable(lua, 0, static_cast<int>(count));
  for (long long i = 0; i < count; i++) {
    at = push_reply(lua, at, end);
    if (at == nullptr) return nullptr;
    if (is_map) {
      at = push_reply(lua, at, end);
      if (at == nullptr) return nullptr;
    } else {
      lua_pushboolean(lua, true);
    }
    if (lua_isnil(lua, -2)) {
      lua_pop(lua, 2);
    } else {
      lua_rawset(lua, -3);
    }
  }
  lua_setfield(lua, -2, is_map ? "map" : "set");
  return at;
}

const char* push_aggregate(lua_State* lua, char type, const char* at, const char* line_end, const char* end) {
  long long count = read_integer(at, line_end);
  at = line_end + 2;
  if (count < 0) {
    lua_pushboolean(lua, false);
    return at;
  }
  // Each element has at least three bytes, so a count beyond the reply's size is a cut-off reply and not a huge table.
  if (count > end - at) return nullptr;
  switch (type) {
    case '%':
      return push_pairs(lua, true, count, at, end);
    case '~':
      return push_pairs(lua, false, count, at, end);
    case '|':
      at = push_pairs(lua, true, count, at, end);
      if (at == nullptr) return nullptr;
      lua_pop(lua, 1);
      return push_reply(lua, at, end);
    default:
      return push_array(lua, count, at, end);
  }
}

}  // namespace

const char* push_reply(lua_State* lua, const char* at, const char* end) {
  luaL_checkstack(lua, 6, "reply is nested too deeply");
  const char* line_end = at < end ? end_of_line(at, end) : nullptr;
  if (line_end == nullptr) return nullptr;
  char type = *at++;
  size_t size = static_cast<size_t>(line_end - at);
  switch (type) {
    case ':':
      lua_pushnumber(lua, static_cast<double>(read_integer(at, line_end)));
      return line_end + 2;
    case '+':
      push_field(lua, "ok", at, size);
      return line_end + 2;
    case '-':
      push_error(lua, at - 1, size + 1);
      return line_end + 2;
    case '_':
      lua_pushnil(lua);
      return line_end + 2;
    case '#':
      lua_pushboolean(lua, *at == 't');
      return line_end + 2;
    case ',':
      push_double(lua, at, line_end);
      return line_end + 2;
    case '(':
      push_field(lua, "big_number", at, size);
      return line_end + 2;
    case '$':
    case '=':
    case '!':
      return push_blob(lua, type, at, line_end, end);
    case '*':
    case '>':
    case '%':
    case '~':
    case '|':
      return push_aggregate(lua, type, at, line_end, end);
    default:
      return nullptr;
  }
}

}  // namespace scripting
