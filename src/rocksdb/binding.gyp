{
  # The addon. Which RocksDB it links decides the environment variable KVROCKS_ROCKSDB_DIR, or the gyp variable
  # rocksdb_dir: a prefix with include/, lib/librocksdb.a and `libs` (one line of link flags). Empty means the system's.
  'variables': {
    'rocksdb_dir%': '<!(node -p "process.env.KVROCKS_ROCKSDB_DIR || \'\'")',
  },
  'targets': [
    {
      'target_name': 'rocksdb',
      'sources': ['<!@(node -p "require(\'fs\').readdirSync(\'native\').filter((f) => f.endsWith(\'.cc\')).sort().map((f) => \'native/\' + f).join(\' \')")'],
      'defines': ['NAPI_VERSION=8', 'NDEBUG'],
      # C++20 because the headers of RocksDB 10 and later need it.
      # RTTI is on because the subclassed interfaces (listeners, filters) carry it in every packaged librocksdb.
      'cflags_cc!': ['-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
      'cflags_cc': ['-std=c++20', '-frtti', '-fno-exceptions', '-O3', '-fvisibility=hidden', '-fvisibility-inlines-hidden', '-Wall', '-Wextra', '-Wno-unused-parameter'],
      'xcode_settings': {
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
        'GCC_ENABLE_CPP_RTTI': 'YES',
        'GCC_ENABLE_CPP_EXCEPTIONS': 'NO',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'MACOSX_DEPLOYMENT_TARGET': '11.0',
        'OTHER_CPLUSPLUSFLAGS': ['-O3'],
      },
      'conditions': [
        ['rocksdb_dir==""', {
          'defines': ['KVROCKS_LINKAGE="system"'],
          'cflags_cc': ['<!@(pkg-config --cflags rocksdb 2>/dev/null || true)'],
          'libraries': ['<!@(pkg-config --libs rocksdb 2>/dev/null || echo -lrocksdb)'],
          'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<!@(pkg-config --cflags rocksdb 2>/dev/null || true)']},
        }, {
          'defines': ['KVROCKS_LINKAGE="static"'],
          'include_dirs': ['<(rocksdb_dir)/include'],
          'libraries': ['<(rocksdb_dir)/lib/librocksdb.a', '<!@(cat "<(rocksdb_dir)/libs")'],
        }],
      ],
    },
  ],
}
