/**
 * What the optimised RocksDB is made of: its source, the compiler's flags, and where the result is cached.
 *
 *   <cache>/rocksdb-<version>-<hash of everything below>/
 *     include/          RocksDB's public headers
 *     lib/librocksdb.a
 *     libs              the linker flags that a user of the archive needs, on one line
 */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The npm tarball that carries the complete source tree of RocksDB 9.7.4, and its list of files as a .gyp. */
export const SOURCE = {
  version: '9.7.4',
  package: '@nxtedition/rocksdb@12.2.12',
  integrity: 'sha512-Y2FIp8O5F0F7MwFuAON9tAzhOIbPdZUj4O2sI/ddtxLlp9H9La/kaKGQRdEMl4oy3GFe5UmNZIQmI5dp9jWRqw==',
  tree: 'package/deps/rocksdb/rocksdb',
  list: 'package/deps/rocksdb/rocksdb.gyp',
  buildVersion: 'package/deps/rocksdb/build_version.cc',
}

/** Files of the list that are Windows's, RocksDB's own tests' and tools', or need a library that is not there (toku). */
export const LEFT_OUT =
  /^port\/win\/|(?:^|\/)(?:testutil|transaction_test_util|fault_injection_\w+|blob_dump_tool|range_tree_\w+)\.cc$/

/** A compression library: its RocksDB define, the header that shows that it is installed, and its packages. */
export const COMPRESSIONS = [
  { define: 'SNAPPY', header: 'snappy.h', library: 'snappy', debian: 'libsnappy-dev', brew: 'snappy' },
  { define: 'LZ4', header: 'lz4.h', library: 'lz4', debian: 'liblz4-dev', brew: 'lz4' },
  { define: 'ZSTD', header: 'zstd.h', library: 'zstd', debian: 'libzstd-dev', brew: 'zstd' },
  { define: 'ZLIB', header: 'zlib.h', library: 'z', debian: 'zlib1g-dev', brew: 'zlib' },
]

const LINUX_DEFINES = [
  'OS_LINUX',
  'ROCKSDB_FALLOCATE_PRESENT',
  'ROCKSDB_MALLOC_USABLE_SIZE',
  'ROCKSDB_PTHREAD_ADAPTIVE_MUTEX',
  'ROCKSDB_RANGESYNC_PRESENT',
  'ROCKSDB_SCHED_GETCPU_PRESENT',
  'ROCKSDB_AUXV_GETAUXVAL_PRESENT',
]

/**
 * The compiler's flags. Hidden visibility and initial-exec TLS make RocksDB's perf context, which every Get touches, an
 * offset from a register instead of a call through the PLT.
 *
 * @returns {string[]}
 */
export function compilerFlags() {
  const defines = [
    'NDEBUG',
    'ROCKSDB_PLATFORM_POSIX',
    'ROCKSDB_LIB_IO_POSIX',
    'HAVE_ALIGNED_NEW',
    'HAVE_UINT128_EXTENSION',
    ...(process.platform === 'darwin' ? ['OS_MACOSX'] : LINUX_DEFINES),
    ...COMPRESSIONS.map(({ define }) => define),
  ]
  return [
    '-std=c++17',
    '-O3',
    '-fPIC',
    '-fvisibility=hidden',
    ...(process.platform === 'linux' ? ['-ftls-model=initial-exec'] : []),
    ...machineFlags(),
    ...defines.map((define) => `-D${define}`),
  ]
}

/**
 * RocksDB 9.7 chooses CRC32C and its filters' vector code when it is compiled, not when it runs. So the level is this
 * machine's: x86-64-v3 (AVX2) where the CPU has it, else v2 (SSE4.2), both with carry-less multiplication for CRC32C.
 * KVROCKS_MARCH names another, for a build that is to run elsewhere.
 *
 * @returns {string[]}
 */
function machineFlags() {
  const wanted = process.env['KVROCKS_MARCH']
  if (wanted) return wanted.split(' ')
  if (process.platform !== 'linux') return []
  if (process.arch === 'arm64') return ['-march=armv8-a+crc+crypto']
  if (process.arch !== 'x64') return []
  const flags = cpuFlags()
  const has = (/** @type {string[]} */ ...names) => names.every((name) => flags.has(name))
  const multiply = has('pclmulqdq') ? ['-mpclmul'] : []
  if (has('avx2', 'bmi1', 'bmi2', 'fma', 'f16c', 'movbe', 'abm')) return ['-march=x86-64-v3', ...multiply]
  if (has('sse4_2', 'popcnt', 'ssse3')) return ['-march=x86-64-v2', ...multiply]
  return []
}

/** The first CPU's flags. One read of a page, since the kernel composes the file CPU by CPU. */
function cpuFlags() {
  const page = Buffer.alloc(4096)
  try {
    const file = openSync('/proc/cpuinfo', 'r')
    const size = readSync(file, page)
    closeSync(file)
    return new Set(
      /^flags\s*:(.*)$/m
        .exec(page.toString('latin1', 0, size))?.[1]
        ?.trim()
        .split(' '),
    )
  } catch {
    return new Set()
  }
}

/** The directory in which this machine's optimised RocksDB stands once it is built. */
export function cacheDirectory() {
  const base = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const hash = createHash('sha256')
    .update(JSON.stringify([SOURCE, String(LEFT_OUT), compilerFlags()]))
    .digest('hex')
  return join(base, 'kvrocks-ts', `rocksdb-${SOURCE.version}-${hash.slice(0, 12)}`)
}

/**
 * The prefix of the RocksDB to build with: KVROCKS_ROCKSDB_DIR as the user set it (empty: the system's), else the
 * cached build, else '' for the system's library.
 *
 * @returns {string}
 */
export function rocksdbPrefix() {
  const wanted = process.env['KVROCKS_ROCKSDB_DIR']
  if (wanted !== undefined) return wanted
  const cached = cacheDirectory()
  return existsSync(join(cached, 'lib', 'librocksdb.a')) ? cached : ''
}
