import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { compressionPerLevel, DEFAULT_OPTIONS, type RocksDBOptions } from '../../src/rocksdb/open-options.js'
import { RocksDB } from '../../src/rocksdb/rocksdb.js'
import { eventually } from '../support/eventually.js'
import {
  DEFAULT,
  FAMILIES,
  METADATA,
  OPTIONS,
  openDatabase,
  put,
  readText,
  temporaryDirectory,
  writtenOptions,
} from './support.js'

/** What is written of an option in a section. */
function optionsIn(path: string): (section: string, name: string) => string | undefined {
  const options = writtenOptions(path)
  return (section, name) => options.get(`${section} ${name}`)
}

function openAndRead(directory: string, options: Partial<RocksDBOptions>): ReturnType<typeof optionsIn> {
  const path = join(directory, 'db')
  RocksDB.open(path, { ...OPTIONS, ...options }).close()
  return optionsIn(path)
}

const MIB = 1024 * 1024

test('an endless time to live of archived files is the longest that RocksDB knows', (t) => {
  const option = openAndRead(temporaryDirectory(t), { walTtlSeconds: Number.POSITIVE_INFINITY })
  t.equal(option('DBOptions', 'WAL_ttl_seconds'), String(2n ** 64n - 1n))
  t.end()
})

test("without any settings a database has Kvrocks's options", (t) => {
  const { blockCacheBytes: _, ...defaults } = DEFAULT_OPTIONS
  const option = openAndRead(temporaryDirectory(t), defaults)
  const db = (name: string) => option('DBOptions', name)
  t.equal(db('max_manifest_file_size'), String(64 * MIB))
  t.equal(db('max_log_file_size'), String(256 * MIB))
  t.equal(db('keep_log_file_num'), '12')
  t.equal(db('WAL_ttl_seconds'), '10800')
  t.equal(db('WAL_size_limit_MB'), '16384')
  t.equal(db('max_total_wal_size'), String(512 * MIB))
  t.equal(db('dump_malloc_stats'), 'true')
  t.equal(db('max_background_jobs'), '4')
  t.equal(db('avoid_unnecessary_blocking_io'), 'true')
  for (const { name, sharesBlockCache, memtableBloom } of FAMILIES) {
    const cf = (option_: string) => option(`CFOptions "${name}"`, option_)
    const table = (option_: string) => option(`TableOptions/BlockBasedTable "${name}"`, option_)
    t.equal(cf('write_buffer_size'), String(64 * MIB))
    t.equal(cf('min_write_buffer_number_to_merge'), '2')
    t.equal(cf('num_levels'), '7')
    const snappy = Array(5).fill('kSnappyCompression')
    t.equal(cf('compression_per_level'), ['kNoCompression', 'kNoCompression', ...snappy].join(':'))
    t.equal(cf('compaction_style'), 'kCompactionStyleLevel')
    t.equal(cf('blob_garbage_collection_age_cutoff'), '0.250000')
    t.equal(cf('memtable_whole_key_filtering'), String(memtableBloom ?? false))
    t.equal(cf('memtable_prefix_bloom_size_ratio'), memtableBloom ? '0.025000' : '0.000000')
    t.equal(table('format_version'), '5')
    t.equal(table('index_type'), 'kTwoLevelIndexSearch')
    t.equal(table('partition_filters'), 'true')
    t.equal(table('optimize_filters_for_memory'), 'true')
    t.equal(table('metadata_block_size'), '4096')
    t.equal(table('data_block_index_type'), 'kDataBlockBinaryAndHash')
    t.equal(table('data_block_hash_table_util_ratio'), '0.750000')
    t.equal(table('block_size'), '16384')
    t.match(table('filter_policy'), /bloomfilter:10:false/)
    t.equal(table('cache_index_and_filter_blocks'), String(sharesBlockCache))
    t.equal(table('pin_l0_filter_and_index_blocks_in_cache'), String(sharesBlockCache))
  }
  t.end()
})

const GIVEN: Partial<RocksDBOptions> = {
  compression: 'zstd',
  compressionLevel: 3,
  compressionStartLevel: 0,
  blockBytes: 8192,
  maxOpenFiles: 100,
  writeBufferBytes: 8 * MIB,
  maxWriteBufferNumber: 6,
  targetFileBytesBase: 16 * MIB,
  maxBackgroundJobs: 3,
  maxSubcompactions: 1,
  delayedWriteRate: 1000,
  walCompression: 'zstd',
  walTtlSeconds: 60,
  walSizeLimitMb: 10,
  maxTotalWalBytes: MIB,
  disableAutoCompactions: true,
  enablePipelinedWrite: true,
  statsDumpPeriodSec: 5,
  cacheIndexAndFilterBlocks: false,
  blockCacheType: 'hcc',
  rowCacheBytes: MIB,
  compactionReadaheadBytes: 4 * MIB,
  level0SlowdownWritesTrigger: 21,
  level0StopWritesTrigger: 42,
  level0FileNumCompactionTrigger: 5,
  enableBlobFiles: true,
  minBlobBytes: 100,
  blobFileBytes: MIB,
  enableBlobGarbageCollection: false,
  blobGarbageCollectionAgeCutoff: 50,
  maxBytesForLevelBase: 2 * MIB,
  maxBytesForLevelMultiplier: 7,
  levelCompactionDynamicLevelBytes: true,
  avoidUnnecessaryBlockingIo: false,
  statistics: false,
  extraDbOptions: { info_log_level: 'WARN_LEVEL' },
  extraColumnFamilyOptions: { periodic_compaction_seconds: '77' },
}

const WANTED: Record<string, Record<string, string>> = {
  DBOptions: {
    max_open_files: '100',
    max_background_jobs: '3',
    max_subcompactions: '1',
    delayed_write_rate: '1000',
    wal_compression: 'kZSTD',
    WAL_ttl_seconds: '60',
    WAL_size_limit_MB: '10',
    max_total_wal_size: String(MIB),
    enable_pipelined_write: 'true',
    stats_dump_period_sec: '5',
    compaction_readahead_size: String(4 * MIB),
    avoid_unnecessary_blocking_io: 'false',
    info_log_level: 'WARN_LEVEL',
  },
  'CFOptions "stream"': {
    write_buffer_size: String(8 * MIB),
    max_write_buffer_number: '6',
    target_file_size_base: String(16 * MIB),
    compression_per_level: Array(7).fill('kZSTD').join(':'),
    disable_auto_compactions: 'true',
    level0_slowdown_writes_trigger: '21',
    level0_stop_writes_trigger: '42',
    level0_file_num_compaction_trigger: '5',
    enable_blob_files: 'true',
    min_blob_size: '100',
    blob_file_size: String(MIB),
    blob_compression_type: 'kZSTD',
    enable_blob_garbage_collection: 'false',
    blob_garbage_collection_age_cutoff: '0.500000',
    max_bytes_for_level_base: String(2 * MIB),
    max_bytes_for_level_multiplier: '7.000000',
    level_compaction_dynamic_level_bytes: 'true',
    periodic_compaction_seconds: '77',
  },
  'TableOptions/BlockBasedTable "stream"': { block_size: '8192', cache_index_and_filter_blocks: 'false' },
}

test('every setting reaches RocksDB', (t) => {
  const option = openAndRead(temporaryDirectory(t), GIVEN)
  for (const [section, values] of Object.entries(WANTED)) {
    for (const [name, value] of Object.entries(values)) t.equal(option(section, name), value, name)
  }
  t.match(option('CFOptions "stream"', 'compression_opts'), /level=3;/)
  t.end()
})

test('compression begins at its level', (t) => {
  const levels = compressionPerLevel('lz4', 6).split(':')
  t.strictSame(levels, [...Array(6).fill('kNoCompression'), 'kLZ4Compression'])
  t.end()
})

test('an option that RocksDB does not know is refused, and names itself', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  t.throws(() => RocksDB.open(path, { ...OPTIONS, extraDbOptions: { no_such_option: '1' } }), {
    code: 'InvalidArgument',
    message: /no_such_option/,
  })
  t.throws(() => RocksDB.open(path, { ...OPTIONS, columnFamilies: Array(17).fill(FAMILIES[0]) }), RangeError)
  t.end()
})

for (const blockCacheType of ['lru', 'hcc'] as const) {
  test(`a database with an ${blockCacheType} block cache reads, and the cache can be resized and cleared`, async (t) => {
    const db = openDatabase(t, { blockCacheType, blockCacheBytes: 16 * MIB, rowCacheBytes: MIB })
    put(db, DEFAULT, ...Array.from({ length: 1000 }, (_, i) => [`k${i}`, 'v'.repeat(100)] as const))
    await db.flush()
    for (let i = 0; i < 1000; i++) t.ok(readText(db, DEFAULT, `k${i}`) === 'v'.repeat(100) || i)
    t.equal(db.blockCacheUsage().capacity, 16 * MIB)
    t.ok(db.blockCacheUsage().used > 0)
    const { used } = db.blockCacheUsage()
    db.clearBlockCache()
    t.ok(db.blockCacheUsage().used < used)
    if (blockCacheType === 'lru') {
      db.setBlockCacheBytes(32 * MIB)
      t.equal(db.blockCacheUsage().capacity, 32 * MIB)
    }
  })
}

test('options change while the database runs', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  db.setOptions(METADATA, { disable_auto_compactions: true, write_buffer_size: 3 * MIB })
  db.setDBOptions({ max_background_jobs: 7 })
  db.setRateBytesPerSecond(123 * MIB)
  const option = optionsIn(path)
  t.equal(option('CFOptions "metadata"', 'disable_auto_compactions'), 'true')
  t.equal(option('CFOptions "metadata"', 'write_buffer_size'), String(3 * MIB))
  t.equal(option('CFOptions "default"', 'disable_auto_compactions'), 'false')
  t.equal(option('DBOptions', 'max_background_jobs'), '7')
  t.throws(() => db.setOptions(DEFAULT, { num_levels: 3 }), { code: 'InvalidArgument' })
  t.throws(() => db.setDBOptions({ wal_dir: '/tmp' }), { name: 'RocksDBError', message: /wal_dir/ })
  const disorder = { code: 'InvalidArgument', message: /level0_slowdown_writes_trigger <= level0_stop_writes_trigger/ }
  t.throws(() => db.setOptions(DEFAULT, { level0_slowdown_writes_trigger: 41 }), disorder)
  t.throws(() => db.setOptions(DEFAULT, { level0_file_num_compaction_trigger: 21 }), disorder)
  db.setOptions(DEFAULT, { level0_slowdown_writes_trigger: 50, level0_stop_writes_trigger: 60 })
  t.throws(() => db.setOptions(99, {}), { code: 'InvalidArgument', message: /No such column family/ })
  db.close()
  t.end()
})

test('table files are deleted by the rate that is set, at open or later', async (t) => {
  for (const deleteRateBytesPerSecond of [1, 0]) {
    const path = join(temporaryDirectory(t), 'db')
    const db = RocksDB.open(path, { ...OPTIONS, disableAutoCompactions: true, deleteRateBytesPerSecond })
    t.teardown(() => db.close({ force: true }))
    // What is to be deleted waits only while it is less than a quarter of all.
    put(db, DEFAULT, ['bulk', randomBytes(1 << 18)])
    await db.flush()
    const files = (ending: string) => readdirSync(path).filter((name) => name.endsWith(ending))
    /** Writes over what is there, so that the compaction leaves files behind that nobody needs. */
    const rewrite = async (): Promise<void> => {
      for (const value of ['1', '2']) {
        put(db, METADATA, ['k', value])
        await db.flush()
      }
      await db.compactRange(METADATA, { bottommost: 'force' })
    }
    await rewrite()
    if (deleteRateBytesPerSecond === 0) {
      await eventually(() => files('.sst').length <= 2 || undefined)
      t.strictSame(files('.trash'), [])
      db.setDeleteRateBytesPerSecond(1)
      await rewrite()
    }
    t.ok(await eventually(() => files('.trash').length > 0 || undefined))
  }
})

test('values of blob files are cached if that is asked for', async (t) => {
  for (const cachesBlobs of [true, false]) {
    const db = openDatabase(t, { enableBlobFiles: true, minBlobBytes: 1, cachesBlobs })
    put(db, DEFAULT, ['k', 'value'])
    await db.flush()
    for (let i = 0; i < 3; i++) t.equal(readText(db, DEFAULT, 'k'), 'value')
    t.equal(db.ticker('rocksdb.blobdb.cache.hit'), cachesBlobs ? 2 : 0)
  }
})
