{
  # The addon. `lua` is the first that pkg-config knows: Lua 5.1 under its names in Debian, Arch and Fedora, else LuaJIT,
  # whose compiler is then off.
  'variables': {
    'lua': '<!(for name in lua5.1 lua-5.1 lua51 luajit; do pkg-config --exists $name 2>/dev/null && echo $name && exit; done; echo lua5.1)',
  },
  'targets': [
    {
      'target_name': 'lua',
      'sources': ['<!@(node -p "require(\'fs\').readdirSync(\'native\').filter((f) => f.endsWith(\'.cc\')).sort().map((f) => \'native/\' + f).join(\' \')")'],
      'defines': ['NAPI_VERSION=8', 'NODE_GYP_MODULE_NAME=lua'],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
      'cflags_cc': ['-std=c++17', '-fno-exceptions', '-O2', '-fvisibility=hidden', '-Wall', '-Wextra', '<!@(pkg-config --cflags <(lua) 2>/dev/null || echo -I/usr/include/lua5.1)'],
      'libraries': ['<!@(pkg-config --libs <(lua) 2>/dev/null || echo -llua5.1)'],
      'xcode_settings': {
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
        'GCC_ENABLE_CPP_EXCEPTIONS': 'NO',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'MACOSX_DEPLOYMENT_TARGET': '11.0',
        'OTHER_CPLUSPLUSFLAGS': ['-O2', '<!@(pkg-config --cflags <(lua) 2>/dev/null || true)'],
      },
    },
  ],
}
