// Numbers and errors in the forms that Redis gives them.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "libraries.h"

namespace scripting {

long long truncate_double(double value) {
  if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) return INT64_MIN;
  return static_cast<long long>(value);
}

namespace {

// The fewest significant digits that read back as `value` (finite, not 0), and the decimal exponent of the last one.
int shortest_digits(double value, char* digits, int* last_exponent) {
  char text[40];
  for (int precision = 14; precision <= 16; precision++) {
    snprintf(text, sizeof text, "%.*e", precision, value);
    if (precision == 16 || strtod(text, nullptr) == value) break;
  }
  int count = 0;
  const char* at = text;
  for (; *at != 'e'; at++) {
    if (*at != '.') digits[count++] = *at;
  }
  int exponent = atoi(at + 1);
  while (count > 1 && digits[count - 1] == '0') count--;
  *last_exponent = exponent - (count - 1);
  return count;
}

}  // namespace

size_t format_double(double value, char* text) {
  char* at = text;
  if (std::isnan(value)) return memcpy(text, "nan", 3), 3;
  if (std::signbit(value)) {
    *at++ = '-';
    value = -value;
  }
  if (std::isinf(value)) return memcpy(at, "inf", 3), static_cast<size_t>(at + 3 - text);
  if (value == 0) {
    *at++ = '0';
    return static_cast<size_t>(at - text);
  }
  char digits[24];
  int last;
  int count = shortest_digits(value, digits, &last);
  int exponent = std::abs(last + count - 1);
  int zeros_max = at == text ? 7 : 6;
  if (last >= 0 && exponent < count + zeros_max) {
    memcpy(at, digits, count);
    memset(at + count, '0', last);
    return static_cast<size_t>(at + count + last - text);
  }
  if (last < 0 && (last > -7 || exponent < 4)) {
    int before = count + last;
    if (before > 0) {
      memcpy(at, digits, before);
      at[before] = '.';
      memcpy(at + before + 1, digits + before, count - before);
      return static_cast<size_t>(at + count + 1 - text);
    }
    *at++ = '0';
    *at++ = '.';
    memset(at, '0', -before);
    memcpy(at - before, digits, count);
    return static_cast<size_t>(at - before + count - text);
  }
  *at++ = digits[0];
  if (count > 1) {
    *at++ = '.';
    memcpy(at, digits + 1, count - 1);
    at += count - 1;
  }
  at += snprintf(at, 8, "e%c%d", last + count - 1 < 0 ? '-' : '+', exponent);
  return static_cast<size_t>(at - text);
}

void push_error(lua_State* lua, const char* text, size_t size) {
  luaL_checkstack(lua, 4, "error");
  while (size > 0 && (text[size - 1] == '\r' || text[size - 1] == '\n')) size--;
  bool has_code = size > 0 && text[0] == '-' && memchr(text, ' ', size) != nullptr;
  if (size > 0 && text[0] == '-') text++, size--;
  lua_createtable(lua, 0, 1);
  if (has_code) {
    lua_pushlstring(lua, text, size);
  } else {
    lua_pushliteral(lua, "ERR ");
    lua_pushlstring(lua, text, size);
    lua_concat(lua, 2);
  }
  lua_setfield(lua, -2, "err");
}

int raise(lua_State* lua, const char* text) {
  push_error(lua, text, strlen(text));
  return lua_error(lua);
}

}  // namespace scripting
