// Lua values to RESP, as Redis maps them:
//
//   string, number, boolean, nil    bulk string, integer (truncated), 1 or null, null; booleans after redis.setresp(3)
//   {err=} {ok=}                    error, status
//   {double=} {big_number=} {verbatim_string={format=,string=}} {map=} {set=}    RESP3's types, or their RESP2 forms
//   any other table                 array of its elements from 1 to the first nil
#include <cstring>

#include "libraries.h"

namespace scripting {

namespace {

void put_header(Bytes& out, char type, long long count) {
  out.push(type);
  out.append_integer(count);
  out.append("\r\n", 2);
}

void put_bulk(Bytes& out, const char* text, size_t size) {
  put_header(out, '$', static_cast<long long>(size));
  out.append(text, size);
  out.append("\r\n", 2);
}

void put_null(Bytes& out, int protocol) { out.append(protocol == 3 ? "_\r\n" : "$-1\r\n"); }

void put_boolean(Bytes& out, bool value, const Engine& engine) {
  if (engine.script_protocol == 2) {
    if (value) return out.append(":1\r\n", 4);
    return put_null(out, engine.protocol);
  }
  if (engine.protocol == 3) return out.append(value ? "#t\r\n" : "#f\r\n", 4);
  out.append(value ? ":1\r\n" : ":0\r\n", 4);
}

void put_double(Bytes& out, double value, int protocol) {
  char text[40];
  size_t size = format_double(value, text);
  if (protocol == 2) return put_bulk(out, text, size);
  out.push(',');
  out.append(text, size);
  out.append("\r\n", 2);
}

bool is_line_end(char byte) { return byte == '\r' || byte == '\n'; }

// A line cannot hold CR or LF: they show as spaces, and an error drops those at its end.
void put_line(Bytes& out, char type, const char* text, size_t size) {
  while (type == '-' && size > 0 && is_line_end(text[size - 1])) size--;
  out.push(type);
  for (size_t i = 0; i < size; i++) out.push(is_line_end(text[i]) ? ' ' : text[i]);
  out.append("\r\n", 2);
}

void put_verbatim(Bytes& out, const char* format, const char* text, size_t size, int protocol) {
  if (protocol == 2) return put_bulk(out, text, size);
  put_header(out, '=', static_cast<long long>(size) + 4);
  for (int i = 0; i < 3; i++) out.push(*format == '\0' ? ' ' : *format++);
  out.push(':');
  out.append(text, size);
  out.append("\r\n", 2);
}

// Pushes the raw field of the table on top of the stack; pops it again unless it has the type.
bool push_field(lua_State* lua, const char* name, int type) {
  lua_pushstring(lua, name);
  lua_rawget(lua, -2);
  if (lua_type(lua, -1) == type) return true;
  lua_pop(lua, 1);
  return false;
}

bool append_verbatim(lua_State* lua, Engine& engine) {
  int top = lua_gettop(lua);
  bool done = push_field(lua, "verbatim_string", LUA_TTABLE) && push_field(lua, "format", LUA_TSTRING);
  if (done) {
    const char* format = lua_tostring(lua, -1);
    lua_pushliteral(lua, "string");
    lua_rawget(lua, -3);
    done = lua_type(lua, -1) == LUA_TSTRING;
    size_t size;
    if (done) {
      const char* text = lua_tolstring(lua, -1, &size);
      put_verbatim(engine.reply, format, text, size, engine.protocol);
    }
  }
  lua_settop(lua, top);
  return done;
}

long long count_rows(lua_State* lua) {
  long long count = 0;
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    tick(lua);
    lua_pop(lua, 1);
    count++;
  }
  return count;
}

void append_rows(lua_State* lua, Engine& engine, bool is_map) {
  long long count = count_rows(lua);
  if (engine.protocol == 3) {
    put_header(engine.reply, is_map ? '%' : '~', count);
  } else {
    put_header(engine.reply, '*', is_map ? count * 2 : count);
  }
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    lua_pushvalue(lua, -2);
    append_reply(lua, engine);
    if (is_map) {
      append_reply(lua, engine);
    } else {
      lua_pop(lua, 1);
    }
  }
}

void append_array(lua_State* lua, Engine& engine) {
  int count = 0;
  while (true) {
    tick(lua);
    lua_rawgeti(lua, -1, count + 1);
    bool end = lua_isnil(lua, -1);
    lua_pop(lua, 1);
    if (end) break;
    count++;
  }
  put_header(engine.reply, '*', count);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(lua, -1, i);
    append_reply(lua, engine);
  }
}

void append_table(lua_State* lua, Engine& engine) {
  Bytes& out = engine.reply;
  int top = lua_gettop(lua);
  size_t size;
  if (push_field(lua, "err", LUA_TSTRING)) {
    const char* text = lua_tolstring(lua, -1, &size);
    put_line(out, '-', text, size);
  } else if (push_field(lua, "ok", LUA_TSTRING)) {
    const char* text = lua_tolstring(lua, -1, &size);
    put_line(out, '+', text, size);
  } else if (push_field(lua, "double", LUA_TNUMBER)) {
    put_double(out, lua_tonumber(lua, -1), engine.protocol);
  } else if (push_field(lua, "big_number", LUA_TSTRING)) {
    const char* text = lua_tolstring(lua, -1, &size);
    if (engine.protocol == 3) {
      put_line(out, '(', text, size);
    } else {
      put_bulk(out, text, size);
    }
  } else if (append_verbatim(lua, engine)) {
  } else if (push_field(lua, "map", LUA_TTABLE)) {
    append_rows(lua, engine, true);
  } else if (push_field(lua, "set", LUA_TTABLE)) {
    append_rows(lua, engine, false);
  } else {
    append_array(lua, engine);
  }
  lua_settop(lua, top);
}

}  // namespace

void append_reply(lua_State* lua, Engine& engine) {
  Bytes& out = engine.reply;
  tick(lua);
  if (out.failed()) abort_script(lua, Abort::memory);
  if (!lua_checkstack(lua, 6)) {
    out.append("-ERR reached lua stack limit\r\n");
    lua_pop(lua, 1);
    return;
  }
  size_t size;
  switch (lua_type(lua, -1)) {
    case LUA_TSTRING: {
      const char* text = lua_tolstring(lua, -1, &size);
      put_bulk(out, text, size);
      break;
    }
    case LUA_TBOOLEAN:
      put_boolean(out, lua_toboolean(lua, -1) != 0, engine);
      break;
    case LUA_TNUMBER:
      put_header(out, ':', truncate_double(lua_tonumber(lua, -1)));
      break;
    case LUA_TTABLE:
      append_table(lua, engine);
      break;
    default:
      put_null(out, engine.protocol);
  }
  lua_pop(lua, 1);
}

}  // namespace scripting
