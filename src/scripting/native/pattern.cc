// string.find, match, gmatch and gsub. The originals backtrack without ever calling a hook, so that one call can run for
// years; these count their steps and end with the script's time. Source: Lua 5.1 reference manual §5.4.1.
#include <cctype>
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

constexpr int captures_max = 32;
constexpr int depth_max = 200;
constexpr ptrdiff_t open_capture = -1;
constexpr ptrdiff_t position_capture = -2;

struct Capture {
  const char* start;
  ptrdiff_t size;
};

struct Matcher {
  lua_State* lua;
  const char* begin;
  const char* end;
  int captures_count;
  int depth;
  Capture captures[captures_max];
};

const char* match(Matcher& m, const char* s, const char* p);

int byte_at(const char* at) { return static_cast<unsigned char>(*at); }

bool in_class(int c, int name) {
  bool found;
  switch (tolower(name)) {
    case 'a':
      found = isalpha(c) != 0;
      break;
    case 'c':
      found = iscntrl(c) != 0;
      break;
    case 'd':
      found = isdigit(c) != 0;
      break;
    case 'l':
      found = islower(c) != 0;
      break;
    case 'p':
      found = ispunct(c) != 0;
      break;
    case 's':
      found = isspace(c) != 0;
      break;
    case 'u':
      found = isupper(c) != 0;
      break;
    case 'w':
      found = isalnum(c) != 0;
      break;
    case 'x':
      found = isxdigit(c) != 0;
      break;
    case 'z':
      found = c == 0;
      break;
    default:
      return name == c;
  }
  return isupper(name) ? !found : found;
}

// What follows the single-character class at p. A pattern ends at its first zero byte.
const char* class_end(Matcher& m, const char* p) {
  char first = *p++;
  if (first == '%') {
    if (*p == '\0') luaL_error(m.lua, "malformed pattern (ends with '%%')");
    return p + 1;
  }
  if (first != '[') return p;
  if (*p == '^') p++;
  do {
    if (*p == '\0') luaL_error(m.lua, "malformed pattern (missing ']')");
    if (*p++ == '%' && *p != '\0') p++;
  } while (*p != ']');
  return p + 1;
}

// Whether c is in the set from '[' at p to ']' at last.
bool in_set(int c, const char* p, const char* last) {
  bool inside = true;
  if (p[1] == '^') {
    inside = false;
    p++;
  }
  while (++p < last) {
    if (*p == '%') {
      if (in_class(c, byte_at(++p))) return inside;
    } else if (p[1] == '-' && p + 2 < last) {
      if (byte_at(p) <= c && c <= byte_at(p + 2)) return inside;
      p += 2;
    } else if (byte_at(p) == c) {
      return inside;
    }
  }
  return !inside;
}

bool single(int c, const char* p, const char* p_end) {
  switch (*p) {
    case '.':
      return true;
    case '%':
      return in_class(c, byte_at(p + 1));
    case '[':
      return in_set(c, p, p_end - 1);
    default:
      return byte_at(p) == c;
  }
}

const char* match_balanced(Matcher& m, const char* s, const char* p) {
  if (p[0] == '\0' || p[1] == '\0') luaL_error(m.lua, "unbalanced pattern");
  if (s >= m.end || *s != p[0]) return nullptr;
  int open = 1;
  for (s++; s < m.end; s++) {
    tick(m.lua);
    if (*s == p[1]) {
      if (--open == 0) return s + 1;
    } else if (*s == p[0]) {
      open++;
    }
  }
  return nullptr;
}

const char* match_longest(Matcher& m, const char* s, const char* p, const char* p_end) {
  ptrdiff_t count = 0;
  while (s + count < m.end && single(byte_at(s + count), p, p_end)) {
    tick(m.lua);
    count++;
  }
  for (; count >= 0; count--) {
    const char* found = match(m, s + count, p_end + 1);
    if (found != nullptr) return found;
  }
  return nullptr;
}

const char* match_shortest(Matcher& m, const char* s, const char* p, const char* p_end) {
  while (true) {
    const char* found = match(m, s, p_end + 1);
    if (found != nullptr) return found;
    if (s >= m.end || !single(byte_at(s), p, p_end)) return nullptr;
    s++;
  }
}

const char* open_at(Matcher& m, const char* s, const char* p, ptrdiff_t kind) {
  if (m.captures_count >= captures_max) luaL_error(m.lua, "too many captures");
  m.captures[m.captures_count] = {s, kind};
  m.captures_count++;
  const char* found = match(m, s, p);
  if (found == nullptr) m.captures_count--;
  return found;
}

const char* close_at(Matcher& m, const char* s, const char* p) {
  int index = m.captures_count - 1;
  while (index >= 0 && m.captures[index].size != open_capture) index--;
  if (index < 0) luaL_error(m.lua, "invalid pattern capture");
  m.captures[index].size = s - m.captures[index].start;
  const char* found = match(m, s, p);
  if (found == nullptr) m.captures[index].size = open_capture;
  return found;
}

const char* match_captured(Matcher& m, const char* s, int digit) {
  int index = digit - '1';
  if (index < 0 || index >= m.captures_count || m.captures[index].size == open_capture) {
    luaL_error(m.lua, "invalid capture index");
  }
  if (m.captures[index].size == position_capture) return nullptr;
  size_t size = static_cast<size_t>(m.captures[index].size);
  if (static_cast<size_t>(m.end - s) < size || memcmp(m.captures[index].start, s, size) != 0) return nullptr;
  return s + size;
}

// At %f. The end of the subject counts as a zero byte, and so does what stands before its start.
const char* match_frontier(Matcher& m, const char* s, const char** p) {
  *p += 2;
  if (**p != '[') luaL_error(m.lua, "missing '[' after '%%f' in pattern");
  const char* p_end = class_end(m, *p);
  int before = s == m.begin ? 0 : byte_at(s - 1);
  int after = s == m.end ? 0 : byte_at(s);
  if (in_set(before, *p, p_end - 1) || !in_set(after, *p, p_end - 1)) return nullptr;
  *p = p_end;
  return s;
}

// One item of the pattern that needs no recursion: moves s and p behind it and returns true, or sets *result.
bool step(Matcher& m, const char** s, const char** p, const char** result) {
  if (**p == '%' && (*p)[1] == 'b') {
    *s = match_balanced(m, *s, *p + 2);
    *p += 4;
  } else if (**p == '%' && (*p)[1] == 'f') {
    *s = match_frontier(m, *s, p);
  } else if (**p == '%' && isdigit(byte_at(*p + 1))) {
    *s = match_captured(m, *s, byte_at(*p + 1));
    *p += 2;
  } else {
    const char* p_end = class_end(m, *p);
    bool fits = *s < m.end && single(byte_at(*s), *p, p_end);
    switch (*p_end) {
      case '?':
        if (fits) {
          *result = match(m, *s + 1, p_end + 1);
          if (*result != nullptr) return false;
        }
        *p = p_end + 1;
        return true;
      case '*':
        *result = match_longest(m, *s, *p, p_end);
        return false;
      case '+':
        *result = fits ? match_longest(m, *s + 1, *p, p_end) : nullptr;
        return false;
      case '-':
        *result = match_shortest(m, *s, *p, p_end);
        return false;
      default:
        *s = fits ? *s + 1 : nullptr;
        *p = p_end;
    }
  }
  *result = nullptr;
  return *s != nullptr;
}

// The end of the match of pattern p at s, or nullptr.
const char* match(Matcher& m, const char* s, const char* p) {
  if (++m.depth > depth_max) luaL_error(m.lua, "pattern too complex");
  const char* result = nullptr;
  while (true) {
    tick(m.lua);
    if (*p == '\0') {
      result = s;
    } else if (*p == '(') {
      result = p[1] == ')' ? open_at(m, s, p + 2, position_capture) : open_at(m, s, p + 1, open_capture);
    } else if (*p == ')') {
      result = close_at(m, s, p + 1);
    } else if (*p == '$' && p[1] == '\0') {
      result = s == m.end ? s : nullptr;
    } else if (step(m, &s, &p, &result)) {
      continue;
    }
    m.depth--;
    return result;
  }
}

const char* match_from(Matcher& m, const char* s, const char* p) {
  m.captures_count = 0;
  m.depth = 0;
  return match(m, s, p);
}

void push_capture(Matcher& m, int index, const char* s, const char* e) {
  if (index >= m.captures_count) {
    if (index != 0) luaL_error(m.lua, "invalid capture index");
    lua_pushlstring(m.lua, s, static_cast<size_t>(e - s));
    return;
  }
  Capture& capture = m.captures[index];
  if (capture.size == open_capture) luaL_error(m.lua, "unfinished capture");
  if (capture.size == position_capture) {
    lua_pushinteger(m.lua, capture.start - m.begin + 1);
  } else {
    lua_pushlstring(m.lua, capture.start, static_cast<size_t>(capture.size));
  }
}

int push_captures(Matcher& m, const char* s, const char* e) {
  int count = m.captures_count == 0 && s != nullptr ? 1 : m.captures_count;
  luaL_checkstack(m.lua, count, "too many captures");
  for (int i = 0; i < count; i++) push_capture(m, i, s, e);
  return count;
}

int find_plain(lua_State* lua, const char* text, size_t size, size_t from, const char* wanted, size_t wanted_size) {
  const char* at = text + from;
  const char* end = text + size;
  while (static_cast<size_t>(end - at) >= wanted_size) {
    const char* found = wanted_size == 0 ? at : static_cast<const char*>(memchr(at, wanted[0], static_cast<size_t>(end - at)));
    if (found == nullptr || static_cast<size_t>(end - found) < wanted_size) break;
    if (memcmp(found, wanted, wanted_size) == 0) {
      lua_pushinteger(lua, found - text + 1);
      lua_pushinteger(lua, found - text + static_cast<ptrdiff_t>(wanted_size));
      return 2;
    }
    at = found + 1;
    tick(lua);
  }
  lua_pushnil(lua);
  return 1;
}

int find_or_match(lua_State* lua, bool find) {
  size_t size, pattern_size;
  const char* text = luaL_checklstring(lua, 1, &size);
  const char* p = luaL_checklstring(lua, 2, &pattern_size);
  ptrdiff_t from = luaL_optinteger(lua, 3, 1);
  if (from < 0) from += static_cast<ptrdiff_t>(size) + 1;
  from = from < 1 ? 0 : from - 1;
  if (from > static_cast<ptrdiff_t>(size)) from = static_cast<ptrdiff_t>(size);
  if (find && (lua_toboolean(lua, 4) || strpbrk(p, "^$*+?.([%-") == nullptr)) {
    return find_plain(lua, text, size, static_cast<size_t>(from), p, pattern_size);
  }
  Matcher m;
  m.lua = lua;
  m.begin = text;
  m.end = text + size;
  bool anchored = *p == '^';
  if (anchored) p++;
  const char* s = text + from;
  do {
    const char* e = match_from(m, s, p);
    if (e == nullptr) continue;
    if (!find) return push_captures(m, s, e);
    lua_pushinteger(lua, s - text + 1);
    lua_pushinteger(lua, e - text);
    return push_captures(m, nullptr, nullptr) + 2;
  } while (s++ < m.end && !anchored);
  lua_pushnil(lua);
  return 1;
}

int string_find(lua_State* lua) { return find_or_match(lua, true); }

int string_match(lua_State* lua) { return find_or_match(lua, false); }

int next_match(lua_State* lua) {
  size_t size;
  const char* text = lua_tolstring(lua, lua_upvalueindex(1), &size);
  const char* p = lua_tostring(lua, lua_upvalueindex(2));
  Matcher m;
  m.lua = lua;
  m.begin = text;
  m.end = text + size;
  for (const char* s = text + lua_tointeger(lua, lua_upvalueindex(3)); s <= m.end; s++) {
    const char* e = match_from(m, s, p);
    if (e == nullptr) continue;
    lua_pushinteger(lua, e - text + (e == s ? 1 : 0));
    lua_replace(lua, lua_upvalueindex(3));
    return push_captures(m, s, e);
  }
  return 0;
}

int string_gmatch(lua_State* lua) {
  luaL_checkstring(lua, 1);
  luaL_checkstring(lua, 2);
  lua_settop(lua, 2);
  lua_pushinteger(lua, 0);
  lua_pushcclosure(lua, next_match, 3);
  return 1;
}

void add_replacement(Matcher& m, luaL_Buffer* out, const char* s, const char* e) {
  size_t size;
  const char* text = lua_tolstring(m.lua, 3, &size);
  for (size_t i = 0; i < size; i++) {
    if (text[i] != '%') {
      luaL_addchar(out, text[i]);
    } else if (!isdigit(byte_at(text + ++i))) {
      luaL_addchar(out, text[i]);
    } else if (text[i] == '0') {
      luaL_addlstring(out, s, static_cast<size_t>(e - s));
    } else {
      push_capture(m, text[i] - '1', s, e);
      luaL_addvalue(out);
    }
  }
}

void add_value(Matcher& m, luaL_Buffer* out, const char* s, const char* e) {
  lua_State* lua = m.lua;
  int type = lua_type(lua, 3);
  if (type == LUA_TNUMBER || type == LUA_TSTRING) return add_replacement(m, out, s, e);
  if (type == LUA_TFUNCTION) {
    lua_pushvalue(lua, 3);
    lua_call(lua, push_captures(m, s, e), 1);
  } else {
    push_capture(m, 0, s, e);
    lua_gettable(lua, 3);
  }
  if (!lua_toboolean(lua, -1)) {
    lua_pop(lua, 1);
    lua_pushlstring(lua, s, static_cast<size_t>(e - s));
  } else if (!lua_isstring(lua, -1)) {
    luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
  }
  luaL_addvalue(out);
}

int string_gsub(lua_State* lua) {
  size_t size;
  const char* s = luaL_checklstring(lua, 1, &size);
  const char* p = luaL_checkstring(lua, 2);
  int type = lua_type(lua, 3);
  lua_Integer count_max = luaL_optinteger(lua, 4, static_cast<lua_Integer>(size) + 1);
  luaL_argcheck(lua, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                "string/function/table expected");
  bool anchored = *p == '^';
  if (anchored) p++;
  Matcher m;
  m.lua = lua;
  m.begin = s;
  m.end = s + size;
  lua_Integer count = 0;
  luaL_Buffer out;
  luaL_buffinit(lua, &out);
  while (count < count_max) {
    const char* e = match_from(m, s, p);
    if (e != nullptr) {
      count++;
      add_value(m, &out, s, e);
    }
    if (e != nullptr && e > s) {
      s = e;
    } else if (s < m.end) {
      luaL_addchar(&out, *s++);
    } else {
      break;
    }
    if (anchored) break;
  }
  luaL_addlstring(&out, s, static_cast<size_t>(m.end - s));
  luaL_pushresult(&out);
  lua_pushinteger(lua, count);
  return 2;
}

}  // namespace

void replace_patterns(lua_State* lua) {
  static const luaL_Reg functions[] = {{"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch},
                                       {"gfind", string_gmatch}, {"gsub", string_gsub}, {nullptr, nullptr}};
  luaL_register(lua, nullptr, functions);
}

}  // namespace scripting
