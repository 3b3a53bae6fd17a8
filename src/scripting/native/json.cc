// The `cjson` table: lua-cjson 2.1 as Redis sets it up. Source: lua-cjson's manual.
#include <strings.h>

#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

struct Options {
  int sparse_convert = 0;
  int sparse_ratio = 2;
  int sparse_safe = 10;
  int encode_depth = 1000;
  int decode_depth = 1000;
  int precision = 14;
  int keep_buffer = 1;
  int encode_invalid = 0;  // 0 refuse, 1 write them, 2 null
  int decode_invalid = 1;
};

Options& options_of(lua_State* lua) { return *static_cast<Options*>(lua_touserdata(lua, lua_upvalueindex(1))); }

void arguments(lua_State* lua, int count) {
  luaL_argcheck(lua, lua_gettop(lua) <= count, count + 1, "found too many arguments");
  lua_settop(lua, count);
}

void integer_option(lua_State* lua, int index, int* setting, int min, int max) {
  if (!lua_isnil(lua, index)) {
    lua_Integer value = luaL_checkinteger(lua, index);
    if (value < min || value > max) {
      luaL_argerror(lua, 1, lua_pushfstring(lua, "expected integer between %d and %d", min, max));
    }
    *setting = static_cast<int>(value);
  }
  lua_pushinteger(lua, *setting);
}

const char* const switch_names[] = {"off", "on", nullptr};
const char* const invalid_names[] = {"off", "on", "null", nullptr};

void named_option(lua_State* lua, int index, int* setting, const char* const* names) {
  if (lua_isboolean(lua, index)) {
    *setting = lua_toboolean(lua, index);
  } else if (!lua_isnil(lua, index)) {
    *setting = luaL_checkoption(lua, index, nullptr, names);
  }
  if (*setting <= 1) {
    lua_pushboolean(lua, *setting);
  } else {
    lua_pushstring(lua, names[*setting]);
  }
}

int encode_sparse_array(lua_State* lua) {
  arguments(lua, 3);
  Options& options = options_of(lua);
  named_option(lua, 1, &options.sparse_convert, switch_names);
  integer_option(lua, 2, &options.sparse_ratio, 0, INT_MAX);
  integer_option(lua, 3, &options.sparse_safe, 0, INT_MAX);
  return 3;
}

int encode_max_depth(lua_State* lua) {
  arguments(lua, 1);
  integer_option(lua, 1, &options_of(lua).encode_depth, 1, INT_MAX);
  return 1;
}

int decode_max_depth(lua_State* lua) {
  arguments(lua, 1);
  integer_option(lua, 1, &options_of(lua).decode_depth, 1, INT_MAX);
  return 1;
}

int encode_number_precision(lua_State* lua) {
  arguments(lua, 1);
  integer_option(lua, 1, &options_of(lua).precision, 1, 14);
  return 1;
}

// The buffer is the engine's, kept or not: the setting is remembered and changes nothing.
int encode_keep_buffer(lua_State* lua) {
  arguments(lua, 1);
  named_option(lua, 1, &options_of(lua).keep_buffer, switch_names);
  return 1;
}

int encode_invalid_numbers(lua_State* lua) {
  arguments(lua, 1);
  named_option(lua, 1, &options_of(lua).encode_invalid, invalid_names);
  return 1;
}

int decode_invalid_numbers(lua_State* lua) {
  arguments(lua, 1);
  named_option(lua, 1, &options_of(lua).decode_invalid, switch_names);
  return 1;
}

int refuse(lua_State* lua, int index, const char* reason) {
  return luaL_error(lua, "Cannot serialise %s: %s", luaL_typename(lua, index), reason);
}

void put_string(lua_State* lua, Bytes& out, int index) {
  size_t size;
  const char* text = lua_tolstring(lua, index, &size);
  out.push('"');
  size_t plain = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = static_cast<unsigned char>(text[i]);
    if (byte >= 32 && byte != '"' && byte != '\\' && byte != '/' && byte != 127) continue;
    out.append(text + plain, i - plain);
    plain = i + 1;
    static const char letters[] = "btn fr";
    if (byte == '"' || byte == '\\' || byte == '/') {
      char escape[] = {'\\', static_cast<char>(byte)};
      out.append(escape, 2);
    } else if (byte >= 8 && byte <= 13 && byte != 11) {
      char escape[] = {'\\', letters[byte - 8]};
      out.append(escape, 2);
    } else {
      static const char digits[] = "0123456789abcdef";
      char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
      out.append(escape, sizeof escape);
    }
  }
  out.append(text + plain, size - plain);
  out.push('"');
  check_buffer(lua, out);
}

void put_number(lua_State* lua, const Options& options, Bytes& out, int index) {
  double number = lua_tonumber(lua, index);
  if (std::isinf(number) || std::isnan(number)) {
    if (options.encode_invalid == 0) refuse(lua, index, "must not be NaN or Inf");
    if (options.encode_invalid == 2) return out.append("null");
    if (std::isnan(number)) return out.append("nan");
  }
  char text[32];
  out.append(text, static_cast<size_t>(snprintf(text, sizeof text, "%.*g", options.precision, number)));
}

// The length of the array on top of the stack, -1 if it has to be an object.
int array_length(lua_State* lua, const Options& options) {
  double largest = 0;
  double count = 0;
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    tick(lua);
    lua_pop(lua, 1);
    double key = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : 0;
    if (key < 1 || std::floor(key) != key || key > INT_MAX) {
      lua_pop(lua, 1);
      return -1;
    }
    if (key > largest) largest = key;
    count++;
  }
  if (options.sparse_ratio > 0 && largest > count * options.sparse_ratio && largest > options.sparse_safe) {
    if (options.sparse_convert == 0) refuse(lua, -1, "excessively sparse array");
    return -1;
  }
  return static_cast<int>(largest);
}

void put_value(lua_State* lua, const Options& options, Bytes& out, int depth);

void put_object(lua_State* lua, const Options& options, Bytes& out, int depth) {
  out.push('{');
  bool first = true;
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    if (!first) out.push(',');
    first = false;
    int type = lua_type(lua, -2);
    if (type == LUA_TNUMBER) {
      out.push('"');
      put_number(lua, options, out, -2);
      out.append("\":", 2);
    } else if (type == LUA_TSTRING) {
      put_string(lua, out, -2);
      out.push(':');
    } else {
      refuse(lua, -2, "table key must be a number or string");
    }
    put_value(lua, options, out, depth);
    lua_pop(lua, 1);
  }
  out.push('}');
}

void put_table(lua_State* lua, const Options& options, Bytes& out, int depth) {
  check_buffer(lua, out);
  if (depth > options.encode_depth || !lua_checkstack(lua, 4)) {
    luaL_error(lua, "Cannot serialise, excessive nesting (%d)", depth);
  }
  int length = array_length(lua, options);
  if (length <= 0) return put_object(lua, options, out, depth);
  out.push('[');
  for (int i = 1; i <= length; i++) {
    if (i > 1) out.push(',');
    lua_rawgeti(lua, -1, i);
    put_value(lua, options, out, depth);
    lua_pop(lua, 1);
  }
  out.push(']');
}

void put_value(lua_State* lua, const Options& options, Bytes& out, int depth) {
  tick(lua);
  switch (lua_type(lua, -1)) {
    case LUA_TSTRING:
      return put_string(lua, out, -1);
    case LUA_TNUMBER:
      return put_number(lua, options, out, -1);
    case LUA_TBOOLEAN:
      return out.append(lua_toboolean(lua, -1) ? "true" : "false");
    case LUA_TTABLE:
      return put_table(lua, options, out, depth + 1);
    case LUA_TNIL:
      return out.append("null");
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(lua, -1) == nullptr) return out.append("null");
      [[fallthrough]];
    default:
      refuse(lua, -1, "type not supported");
  }
}

int encode(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  Bytes& out = current().scratch;
  out.clear();
  put_value(lua, options_of(lua), out, 0);
  check_buffer(lua, out);
  lua_pushlstring(lua, out.data(), out.size());
  return 1;
}

// The first six in the order of the marks {}[]:,
enum class Kind { object, object_end, array, array_end, colon, comma, string, number, boolean, null, end, error };

const char* const kind_names[] = {"T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END", "T_COLON", "T_COMMA",
                                  "T_STRING",    "T_NUMBER",  "T_BOOLEAN",   "T_NULL",    "T_END",   "T_ERROR"};

struct Token {
  Kind kind;
  size_t offset;
  double number;
  bool boolean;
  const char* text;  // of a string (unescaped) or the reason of an error
  size_t size;
};

struct Parser {
  const Options& options;
  Bytes& unescaped;
  const char* start;
  const char* at;  // the text ends in a zero byte, as every Lua string does
  int depth;
};

bool fail(Parser& parser, Token& token, const char* reason) {
  token.kind = Kind::error;
  token.offset = static_cast<size_t>(parser.at - parser.start);
  token.text = reason;
  return false;
}

int hex4(const char* text) {
  int value = 0;
  for (int i = 0; i < 4; i++) {
    char c = text[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

void put_utf8(Bytes& out, int code) {
  if (code < 0x80) return out.push(static_cast<char>(code));
  if (code < 0x800) {
    out.push(static_cast<char>(0xc0 | code >> 6));
  } else {
    if (code < 0x10000) {
      out.push(static_cast<char>(0xe0 | code >> 12));
    } else {
      out.push(static_cast<char>(0xf0 | code >> 18));
      out.push(static_cast<char>(0x80 | (code >> 12 & 63)));
    }
    out.push(static_cast<char>(0x80 | (code >> 6 & 63)));
  }
  out.push(static_cast<char>(0x80 | (code & 63)));
}

// At the backslash of \uXXXX. A high surrogate needs its low one.
bool read_unicode(Parser& parser) {
  int code = hex4(parser.at + 2);
  if (code < 0) return false;
  int consumed = 6;
  if ((code & 0xf800) == 0xd800) {
    if ((code & 0x400) != 0 || parser.at[6] != '\\' || parser.at[7] != 'u') return false;
    int low = hex4(parser.at + 8);
    if (low < 0 || (low & 0xfc00) != 0xdc00) return false;
    code = ((code & 0x3ff) << 10 | (low & 0x3ff)) + 0x10000;
    consumed = 12;
  }
  put_utf8(parser.unescaped, code);
  parser.at += consumed;
  return true;
}

bool read_string(Parser& parser, Token& token) {
  Bytes& out = parser.unescaped;
  out.clear();
  parser.at++;
  while (true) {
    size_t plain = 0;
    while (parser.at[plain] != '"' && parser.at[plain] != '\\' && parser.at[plain] != '\0') plain++;
    out.append(parser.at, plain);
    parser.at += plain;
    if (*parser.at == '"') break;
    if (*parser.at == '\0') return fail(parser, token, "unexpected end of string");
    static const char names[] = "\"\\/btnfr";
    static const char values[] = "\"\\/\b\t\n\f\r";
    char name = parser.at[1];
    const char* found = name == '\0' ? nullptr : strchr(names, name);
    if (name == 'u') {
      if (!read_unicode(parser)) return fail(parser, token, "invalid unicode escape code");
    } else if (found == nullptr) {
      return fail(parser, token, "invalid escape code");
    } else {
      out.push(values[found - names]);
      parser.at += 2;
    }
  }
  parser.at++;
  token.kind = Kind::string;
  token.text = out.data() == nullptr ? "" : out.data();
  token.size = out.size();
  return true;
}

// Whether strtod would take a number here that JSON does not have: +1, hexadecimal, leading zeros, inf, nan.
bool is_not_json(const char* at) {
  if (*at == '+') return true;
  if (*at == '-') at++;
  if (*at == '0') return (at[1] | 32) == 'x' || (at[1] >= '0' && at[1] <= '9');
  if (*at <= '9') return false;
  return strncasecmp(at, "inf", 3) == 0 || strncasecmp(at, "nan", 3) == 0;
}

bool read_number(Parser& parser, Token& token) {
  char* end;
  token.kind = Kind::number;
  token.number = strtod(parser.at, &end);
  if (end == parser.at) return fail(parser, token, "invalid number");
  parser.at = end;
  return true;
}

bool read_word(Parser& parser, Token& token) {
  if (strncmp(parser.at, "true", 4) == 0) {
    token.kind = Kind::boolean;
    token.boolean = true;
    parser.at += 4;
  } else if (strncmp(parser.at, "false", 5) == 0) {
    token.kind = Kind::boolean;
    token.boolean = false;
    parser.at += 5;
  } else if (strncmp(parser.at, "null", 4) == 0) {
    token.kind = Kind::null;
    parser.at += 4;
  } else if (parser.options.decode_invalid != 0 && is_not_json(parser.at)) {
    return read_number(parser, token);
  } else {
    return fail(parser, token, "invalid token");
  }
  return true;
}

bool read_token(Parser& parser, Token& token) {
  while (*parser.at == ' ' || *parser.at == '\t' || *parser.at == '\n' || *parser.at == '\r') parser.at++;
  token.offset = static_cast<size_t>(parser.at - parser.start);
  char byte = *parser.at;
  static const char marks[] = "{}[]:,";
  if (byte == '\0') {
    token.kind = Kind::end;
    return true;
  }
  if (const char* mark = strchr(marks, byte)) {
    token.kind = static_cast<Kind>(mark - marks);
    parser.at++;
    return true;
  }
  if (byte == '"') return read_string(parser, token);
  if (byte == '-' || (byte >= '0' && byte <= '9')) {
    if (parser.options.decode_invalid == 0 && is_not_json(parser.at)) return fail(parser, token, "invalid number");
    return read_number(parser, token);
  }
  if (strchr("fiInNt+", byte) != nullptr) return read_word(parser, token);
  return fail(parser, token, "invalid token");
}

void unexpected(lua_State* lua, const char* wanted, const Token& token) {
  const char* found = token.kind == Kind::error ? token.text : kind_names[static_cast<int>(token.kind)];
  luaL_error(lua, "Expected %s but found %s at character %d", wanted, found, static_cast<int>(token.offset) + 1);
}

void descend(lua_State* lua, Parser& parser) {
  if (++parser.depth <= parser.options.decode_depth && lua_checkstack(lua, 4)) return;
  luaL_error(lua, "Found too many nested data structures (%d) at character %d", parser.depth,
             static_cast<int>(parser.at - parser.start));
}

void push_value(lua_State* lua, Parser& parser, Token& token);

void push_object(lua_State* lua, Parser& parser) {
  descend(lua, parser);
  lua_newtable(lua);
  Token token;
  read_token(parser, token);
  if (token.kind != Kind::object_end) {
    while (true) {
      if (token.kind != Kind::string) unexpected(lua, "object key string", token);
      lua_pushlstring(lua, token.text, token.size);
      read_token(parser, token);
      if (token.kind != Kind::colon) unexpected(lua, "colon", token);
      read_token(parser, token);
      push_value(lua, parser, token);
      lua_rawset(lua, -3);
      read_token(parser, token);
      if (token.kind == Kind::object_end) break;
      if (token.kind != Kind::comma) unexpected(lua, "comma or object end", token);
      read_token(parser, token);
    }
  }
  parser.depth--;
}

void push_array(lua_State* lua, Parser& parser) {
  descend(lua, parser);
  lua_newtable(lua);
  Token token;
  read_token(parser, token);
  if (token.kind != Kind::array_end) {
    for (int i = 1;; i++) {
      push_value(lua, parser, token);
      lua_rawseti(lua, -2, i);
      read_token(parser, token);
      if (token.kind == Kind::array_end) break;
      if (token.kind != Kind::comma) unexpected(lua, "comma or array end", token);
      read_token(parser, token);
    }
  }
  parser.depth--;
}

void push_value(lua_State* lua, Parser& parser, Token& token) {
  tick(lua);
  switch (token.kind) {
    case Kind::string:
      lua_pushlstring(lua, token.text, token.size);
      return;
    case Kind::number:
      lua_pushnumber(lua, token.number);
      return;
    case Kind::boolean:
      lua_pushboolean(lua, token.boolean);
      return;
    case Kind::null:
      lua_pushlightuserdata(lua, nullptr);
      return;
    case Kind::object:
      return push_object(lua, parser);
    case Kind::array:
      return push_array(lua, parser);
    default:
      unexpected(lua, "value", token);
  }
}

int decode(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  size_t size;
  const char* text = luaL_checklstring(lua, 1, &size);
  if (size >= 2 && (text[0] == '\0' || text[1] == '\0')) {
    luaL_error(lua, "JSON parser does not support UTF-16 or UTF-32");
  }
  Parser parser = {options_of(lua), current().scratch, text, text, 0};
  Token token;
  read_token(parser, token);
  push_value(lua, parser, token);
  read_token(parser, token);
  if (token.kind != Kind::end) unexpected(lua, "the end", token);
  return 1;
}

int create(lua_State* lua) {
  push_json(lua);
  return 1;
}

const luaL_Reg functions[] = {{"encode", encode},
                              {"decode", decode},
                              {"encode_sparse_array", encode_sparse_array},
                              {"encode_max_depth", encode_max_depth},
                              {"decode_max_depth", decode_max_depth},
                              {"encode_number_precision", encode_number_precision},
                              {"encode_keep_buffer", encode_keep_buffer},
                              {"encode_invalid_numbers", encode_invalid_numbers},
                              {"decode_invalid_numbers", decode_invalid_numbers},
                              {"new", create},
                              {nullptr, nullptr}};

}  // namespace

void push_json(lua_State* lua) {
  lua_newtable(lua);
  *static_cast<Options*>(lua_newuserdata(lua, sizeof(Options))) = Options();
  for (const luaL_Reg* entry = functions; entry->name != nullptr; entry++) {
    lua_pushvalue(lua, -1);
    lua_pushcclosure(lua, entry->func, 1);
    lua_setfield(lua, -3, entry->name);
  }
  lua_pop(lua, 1);
  lua_pushlightuserdata(lua, nullptr);
  lua_setfield(lua, -2, "null");
  lua_pushliteral(lua, "cjson");
  lua_setfield(lua, -2, "_NAME");
  lua_pushliteral(lua, "2.1.0");
  lua_setfield(lua, -2, "_VERSION");
}

}  // namespace scripting
