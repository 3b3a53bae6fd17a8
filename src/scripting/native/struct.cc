// The `struct` table: packs Lua values into C's layouts. Source: the documented behaviour of Lua's struct library 0.2.
//
//   > < =    byte order       ![n]  alignment, a power of two
//   x        padding byte     b/B h/H l/L T  signed and unsigned integers of C's sizes
//   i[n]/I[n] integer of n bytes   f d  float and double
//   s        text up to a zero byte   c[n]  n bytes, c0: all of them, or as many as the number before says
#include <cctype>
#include <climits>
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

constexpr int integer_bytes_max = 32;
constexpr int natural_alignment = 8;

struct Layout {
  bool little = true;
  size_t align = 1;
};

size_t read_number(lua_State* lua, const char** format, size_t otherwise) {
  if (!isdigit(static_cast<unsigned char>(**format))) return otherwise;
  size_t number = 0;
  do {
    if (number > INT_MAX / 10 || number * 10 > static_cast<size_t>(INT_MAX - (**format - '0'))) {
      luaL_error(lua, "integral size overflow");
    }
    number = number * 10 + static_cast<size_t>(*(*format)++ - '0');
  } while (isdigit(static_cast<unsigned char>(**format)));
  return number;
}

size_t item_bytes(lua_State* lua, char option, const char** format) {
  switch (option) {
    case 'b':
    case 'B':
    case 'x':
      return 1;
    case 'h':
    case 'H':
      return sizeof(short);
    case 'l':
    case 'L':
      return sizeof(long);
    case 'T':
      return sizeof(size_t);
    case 'f':
      return sizeof(float);
    case 'd':
      return sizeof(double);
    case 'c':
      return read_number(lua, format, 1);
    case 'i':
    case 'I': {
      size_t bytes = read_number(lua, format, sizeof(int));
      if (bytes > integer_bytes_max) {
        luaL_error(lua, "integral size %d is larger than limit of %d", static_cast<int>(bytes), integer_bytes_max);
      }
      return bytes;
    }
    default:
      return 0;
  }
}

size_t padding(size_t position, const Layout& layout, char option, size_t bytes) {
  if (bytes == 0 || option == 'c') return 0;
  size_t align = bytes > layout.align ? layout.align : bytes;
  return (align - (position & (align - 1))) & (align - 1);
}

void control(lua_State* lua, char option, const char** format, Layout* layout) {
  switch (option) {
    case ' ':
      return;
    case '>':
      layout->little = false;
      return;
    case '<':
      layout->little = true;
      return;
    case '!': {
      size_t align = read_number(lua, format, natural_alignment);
      if (align == 0 || (align & (align - 1)) != 0) {
        luaL_error(lua, "alignment %d is not a power of 2", static_cast<int>(align));
      }
      layout->align = align;
      return;
    }
    default:
      luaL_argerror(lua, 1, lua_pushfstring(lua, "invalid format option '%c'", option));
  }
}

void append_ordered(Bytes& out, const void* image, size_t bytes, bool little) {
  const char* from = static_cast<const char*>(image);
  for (size_t i = 0; i < bytes; i++) out.push(from[little ? i : bytes - 1 - i]);
}

void append_whole(lua_State* lua, Bytes& out, int index, size_t bytes, bool little) {
  double number = luaL_checknumber(lua, index);
  uint64_t value;
  if (number < 0) {
    value = static_cast<uint64_t>(truncate_double(number));
  } else {
    value = number < 18446744073709551616.0 ? static_cast<uint64_t>(number) : 0;
  }
  char image[integer_bytes_max] = {};
  for (size_t i = 0; i < bytes && i < 8; i++) image[i] = static_cast<char>(value >> (8 * i));
  append_ordered(out, image, bytes, little);
}

bool is_whole(char option) { return option != '\0' && strchr("bBhHlLTiI", option) != nullptr; }

int pack(lua_State* lua) {
  const char* format = luaL_checkstring(lua, 1);
  Bytes& out = current().scratch;
  out.clear();
  lua_pushnil(lua);  // what a missing argument is said to be
  Layout layout;
  int next = 2;
  size_t position = 0;
  while (*format != '\0') {
    tick(lua);
    char option = *format++;
    size_t bytes = item_bytes(lua, option, &format);
    size_t zeros = padding(position, layout, option, bytes);
    position += zeros;
    while (zeros-- > 0) out.push('\0');
    if (is_whole(option)) {
      append_whole(lua, out, next++, bytes, layout.little);
    } else if (option == 'x') {
      out.push('\0');
    } else if (option == 'f') {
      float number = static_cast<float>(luaL_checknumber(lua, next++));
      append_ordered(out, &number, bytes, layout.little);
    } else if (option == 'd') {
      double number = luaL_checknumber(lua, next++);
      append_ordered(out, &number, bytes, layout.little);
    } else if (option == 'c' || option == 's') {
      size_t size;
      const char* text = luaL_checklstring(lua, next++, &size);
      if (bytes == 0) bytes = size;
      luaL_argcheck(lua, size >= bytes, next, "string too short");
      out.append(text, bytes);
      if (option == 's') out.push('\0'), bytes++;
    } else {
      control(lua, option, &format, &layout);
    }
    position += bytes;
  }
  check_buffer(lua, out);
  lua_pushlstring(lua, out.data() == nullptr ? "" : out.data(), out.size());
  return 1;
}

double read_whole(const char* data, size_t bytes, bool little, bool is_signed) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes && i < 8; i++) {
    value |= static_cast<uint64_t>(static_cast<unsigned char>(data[little ? i : bytes - 1 - i])) << (8 * i);
  }
  if (!is_signed) return static_cast<double>(value);
  if (bytes > 0 && bytes < 8) {
    uint64_t sign = ~0ULL << (bytes * 8 - 1);
    if ((value & sign) != 0) value |= sign;
  }
  return static_cast<double>(static_cast<int64_t>(value));
}

template <typename Number>
double read_float(const char* data, bool little) {
  char image[sizeof(Number)];
  for (size_t i = 0; i < sizeof image; i++) image[i] = data[little ? i : sizeof image - 1 - i];
  Number number;
  memcpy(&number, image, sizeof number);
  return number;
}

int unpack(lua_State* lua) {
  const char* format = luaL_checkstring(lua, 1);
  size_t size;
  const char* data = luaL_checklstring(lua, 2, &size);
  lua_Integer start = luaL_optinteger(lua, 3, 1);
  luaL_argcheck(lua, start > 0, 3, "offset must be 1 or greater");
  size_t position = static_cast<size_t>(start - 1);
  Layout layout;
  int results = 0;
  while (*format != '\0') {
    tick(lua);
    char option = *format++;
    size_t bytes = item_bytes(lua, option, &format);
    position += padding(position, layout, option, bytes);
    luaL_argcheck(lua, bytes <= size && position <= size - bytes, 2, "data string too short");
    luaL_checkstack(lua, 2, "too many results");
    if (is_whole(option)) {
      bool is_signed = islower(static_cast<unsigned char>(option)) != 0;
      lua_pushnumber(lua, read_whole(data + position, bytes, layout.little, is_signed)), results++;
    } else if (option == 'f') {
      lua_pushnumber(lua, read_float<float>(data + position, layout.little)), results++;
    } else if (option == 'd') {
      lua_pushnumber(lua, read_float<double>(data + position, layout.little)), results++;
    } else if (option == 'c') {
      if (bytes == 0) {
        if (results == 0 || !lua_isnumber(lua, -1)) luaL_error(lua, "format 'c0' needs a previous size");
        double wanted = lua_tonumber(lua, -1);
        lua_pop(lua, 1), results--;
        luaL_argcheck(lua, wanted >= 0 && wanted <= static_cast<double>(size - position), 2, "data string too short");
        bytes = static_cast<size_t>(wanted);
      }
      lua_pushlstring(lua, data + position, bytes), results++;
    } else if (option == 's') {
      const char* end = static_cast<const char*>(memchr(data + position, '\0', size - position));
      if (end == nullptr) luaL_error(lua, "unfinished string in data");
      bytes = static_cast<size_t>(end - (data + position)) + 1;
      lua_pushlstring(lua, data + position, bytes - 1), results++;
    } else if (option != 'x') {
      control(lua, option, &format, &layout);
    }
    position += bytes;
  }
  lua_pushnumber(lua, static_cast<double>(position + 1));
  return results + 1;
}

int size_of(lua_State* lua) {
  const char* format = luaL_checkstring(lua, 1);
  Layout layout;
  size_t position = 0;
  while (*format != '\0') {
    char option = *format++;
    size_t bytes = item_bytes(lua, option, &format);
    position += padding(position, layout, option, bytes);
    if (option == 's') luaL_argerror(lua, 1, "option 's' has no fixed size");
    if (option == 'c' && bytes == 0) luaL_argerror(lua, 1, "option 'c0' has no fixed size");
    if (!isalnum(static_cast<unsigned char>(option))) control(lua, option, &format, &layout);
    position += bytes;
  }
  lua_pushnumber(lua, static_cast<double>(position));
  return 1;
}

const luaL_Reg functions[] = {{"pack", pack}, {"unpack", unpack}, {"size", size_of}, {nullptr, nullptr}};

}  // namespace

void push_struct(lua_State* lua) {
  lua_newtable(lua);
  luaL_register(lua, nullptr, functions);
}

}  // namespace scripting
