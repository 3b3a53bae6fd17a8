{
  "variables": {
    # The first that pkg-config knows: Lua 5.1 itself (Debian, Arch, Fedora names), then LuaJIT with its compiler off.
    "lua": "<!(for name in lua5.1 lua-5.1 lua51 luajit; do pkg-config --exists $name && echo $name && break; done || true)"
  },
  "targets": [
    {
      "target_name": "lua",
      "sources": [
        "native/addon.cc",
        "native/bit.cc",
        "native/bytes.cc",
        "native/call.cc",
        "native/engine.cc",
        "native/json.cc",
        "native/library.cc",
        "native/msgpack.cc",
        "native/pattern.cc",
        "native/random.cc",
        "native/redis_api.cc",
        "native/reply_from_lua.cc",
        "native/reply_to_lua.cc",
        "native/sandbox.cc",
        "native/sha1.cc",
        "native/struct.cc",
        "native/text.cc"
      ],
      "cflags": ["<!@(pkg-config --cflags <(lua))", "-O2", "-Wall", "-Wextra", "-fvisibility=hidden"],
      "cflags_cc": ["-std=c++17"],
      "libraries": ["<!@(pkg-config --libs <(lua))"],
      "xcode_settings": {
        "OTHER_CFLAGS": ["<!@(pkg-config --cflags <(lua))", "-fvisibility=hidden"],
        "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
        "MACOSX_DEPLOYMENT_TARGET": "11.0"
      }
    }
  ]
}
