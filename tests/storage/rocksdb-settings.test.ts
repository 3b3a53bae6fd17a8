/**
 * Every setting of the RocksDB group reaches RocksDB: by the file and, where CONFIG SET takes it, while the database is
 * open. What is compared is what RocksDB says of its options, in the OPTIONS file of the database's directory.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Config } from '../../src/config/config.js'
import { loadConfig } from '../../src/config/load.js'
import type { ROCKSDB_OPTIONS } from '../../src/config/options/rocksdb.js'
import { anyOption, type OptionName } from '../../src/config/options.js'
import type { NativeSettings } from '../../src/rocksdb/native.js'
import { toNativeSettings } from '../../src/rocksdb/open-options.js'
import { RocksDB, rocksdbVersion } from '../../src/rocksdb/rocksdb.js'
import { rocksdbOptions, writeFlags } from '../../src/storage/open-store.js'
import { type TestContext, temporaryDirectory, writtenOptions } from '../rocksdb/support.js'
import { startServer } from '../support/server.js'

type Setting = keyof typeof ROCKSDB_OPTIONS

interface Reach {
  /** What the file says, not the default. */
  readonly set: string
  /** Section of the OPTIONS file, with its option's name: the value it shall have. */
  readonly written?: Readonly<Record<string, string | RegExp>>
  /** What has no spelling as an option string. */
  readonly native?: Partial<NativeSettings>
  /** Flags of each write. */
  readonly writeFlags?: number
  /** The file that acts upon the setting, where RocksDB does not. */
  readonly actsIn?: string
  /** Accepted for compatibility alone; its comment in kvrocks.conf says so. */
  readonly isInert?: true
}

const MIB = 1024 * 1024
const DB = 'DBOptions'
const CF = 'CFOptions "pubsub"'
const TABLE = 'TableOptions/BlockBasedTable "metadata"'

const db = (set: string, name: string, value = set): Reach => ({ set, written: { [`${DB} ${name}`]: value } })
const cf = (set: string, name: string, value: string | RegExp = set): Reach => ({
  set,
  written: { [`${CF} ${name}`]: value },
})
const table = (set: string, name: string, value = set): Reach => ({ set, written: { [`${TABLE} ${name}`]: value } })
const native = (set: string, settings: Partial<NativeSettings>): Reach => ({ set, native: settings })
const flag = (writeFlags: number): Reach => ({ set: 'yes', writeFlags })

const levels = (compression: string, start: number): string =>
  Array.from({ length: 7 }, (_, level) => (level < start ? 'kNoCompression' : compression)).join(':')

const REACHES: Readonly<Record<Setting, Reach>> = {
  'rocksdb.block_cache_size': native('7', { blockCacheBytes: 7 * MIB }),
  'rocksdb.block_cache_type': native('hcc', { blockCacheType: 'hcc' }),
  'rocksdb.subkey_block_cache_size': native('5', { blockCacheBytes: 2053 * MIB }),
  'rocksdb.metadata_block_cache_size': native('6', { blockCacheBytes: 2054 * MIB }),
  'rocksdb.share_metadata_and_subkey_block_cache': { set: 'no', isInert: true },
  'rocksdb.row_cache_size': native('3', { rowCacheBytes: 3 * MIB }),
  'rocksdb.cache_index_and_filter_blocks': table('no', 'cache_index_and_filter_blocks', 'false'),
  'rocksdb.partition_filters': table('no', 'partition_filters', 'false'),
  'rocksdb.block_size': table('8192', 'block_size'),
  'rocksdb.max_open_files': db('4000', 'max_open_files'),
  'rocksdb.write_buffer_size': {
    set: '8',
    written: { [`${CF} write_buffer_size`]: String(8 * MIB), [`${CF} arena_block_size`]: String(MIB) },
  },
  'rocksdb.max_write_buffer_number': cf('5', 'max_write_buffer_number'),
  'rocksdb.min_write_buffer_number_to_merge': cf('2', 'min_write_buffer_number_to_merge'),
  'rocksdb.dump_malloc_stats': db('no', 'dump_malloc_stats', 'false'),
  'rocksdb.stats_dump_period_sec': db('77', 'stats_dump_period_sec'),
  'rocksdb.compression': {
    set: 'zstd',
    written: { [`${CF} compression_per_level`]: levels('kZSTD', 2), [`${CF} blob_compression_type`]: 'kZSTD' },
  },
  'rocksdb.compression_level': cf('3', 'compression_opts', /[{;]level=3;/),
  'rocksdb.compression_start_level': cf('3', 'compression_per_level', levels('kSnappyCompression', 3)),
  'rocksdb.compression_max_dict_bytes': cf('16384', 'compression_opts', /[{;]max_dict_bytes=16384;/),
  'rocksdb.compression_zstd_max_train_bytes': cf('65536', 'compression_opts', /[{;]zstd_max_train_bytes=65536;/),
  'rocksdb.target_file_size_base': {
    set: '16',
    written: {
      [`${CF} target_file_size_base`]: String(16 * MIB),
      [`${CF} max_compaction_bytes`]: String(25 * 16 * MIB),
    },
  },
  'rocksdb.max_background_jobs': db('3', 'max_background_jobs'),
  'rocksdb.max_background_compactions': db('1', 'max_background_compactions'),
  'rocksdb.max_background_flushes': db('1', 'max_background_flushes'),
  'rocksdb.max_subcompactions': db('3', 'max_subcompactions'),
  'rocksdb.max_compaction_bytes': cf('1000000000', 'max_compaction_bytes'),
  'rocksdb.compaction_readahead_size': db('4194304', 'compaction_readahead_size'),
  'rocksdb.disable_auto_compactions': cf('yes', 'disable_auto_compactions', 'true'),
  'rocksdb.level0_file_num_compaction_trigger': cf('5', 'level0_file_num_compaction_trigger'),
  'rocksdb.level0_slowdown_writes_trigger': cf('0', 'level0_slowdown_writes_trigger', '40'),
  'rocksdb.level0_stop_writes_trigger': cf('44', 'level0_stop_writes_trigger'),
  'rocksdb.level_compaction_dynamic_level_bytes': cf('no', 'level_compaction_dynamic_level_bytes', 'false'),
  'rocksdb.max_bytes_for_level_base': cf('100000000', 'max_bytes_for_level_base'),
  'rocksdb.max_bytes_for_level_multiplier': cf('7', 'max_bytes_for_level_multiplier', '7.000000'),
  'rocksdb.periodic_compaction_seconds': cf('777600', 'periodic_compaction_seconds'),
  'rocksdb.ttl': cf('86400', 'ttl'),
  'rocksdb.daily_offpeak_time_utc': db('23:30-04:00', 'daily_offpeak_time_utc', '23\\:30-04\\:00'),
  'rocksdb.rate_limiter_auto_tuned': native('no', { rateAutoTuned: false }),
  'rocksdb.delayed_write_rate': db('1000000', 'delayed_write_rate'),
  'rocksdb.sst_file_delete_rate_bytes_per_sec': native('5000000', { deleteRateBytesPerSecond: 5_000_000 }),
  'rocksdb.avoid_unnecessary_blocking_io': db('no', 'avoid_unnecessary_blocking_io', 'false'),
  'rocksdb.max_total_wal_size': db('300', 'max_total_wal_size', String(300 * MIB)),
  'rocksdb.wal_ttl_seconds': { set: '60', actsIn: 'src/storage/open-store.ts' },
  'rocksdb.wal_size_limit_mb': { set: '10', actsIn: 'src/storage/open-store.ts' },
  'rocksdb.wal_compression': db('zstd', 'wal_compression', 'kZSTD'),
  'rocksdb.enable_pipelined_write': db('yes', 'enable_pipelined_write', 'true'),
  'rocksdb.enable_blob_files': cf('yes', 'enable_blob_files', 'true'),
  'enable-blob-cache': native('yes', { cachesBlobs: true }),
  'rocksdb.min_blob_size': cf('100', 'min_blob_size'),
  'rocksdb.blob_file_size': cf('1000000', 'blob_file_size'),
  'rocksdb.enable_blob_garbage_collection': cf('no', 'enable_blob_garbage_collection', 'false'),
  'rocksdb.blob_garbage_collection_age_cutoff': cf('50', 'blob_garbage_collection_age_cutoff', '0.500000'),
  'rocksdb.write_options.sync': flag(1),
  'rocksdb.write_options.disable_wal': flag(2),
  'rocksdb.write_options.no_slowdown': flag(4),
  'rocksdb.write_options.low_pri': flag(8),
  'rocksdb.write_options.memtable_insert_hint_per_batch': flag(16),
  'rocksdb.write_options.write_batch_max_bytes': { set: '1000', actsIn: 'src/server/dispatcher.ts' },
  'rocksdb.read_options.async_io': { set: 'no', isInert: true },
  'skip-block-cache-deallocation-on-close': { set: 'yes', isInert: true },
}

/** What a RocksDB that is older than 8.9 refuses. */
const knowsOffpeak = Number(rocksdbVersion.split('.')[0]) >= 9
const SETTINGS = (Object.keys(REACHES) as Setting[]).filter(
  (name) => knowsOffpeak || name !== 'rocksdb.daily_offpeak_time_utc',
)

/** What a setting has an effect with. */
const COMPANIONS: Partial<Record<Setting, readonly [name: OptionName, value: string]>> = {
  'rocksdb.compression_start_level': ['rocksdb.compression', 'snappy'],
  'rocksdb.compression_zstd_max_train_bytes': ['rocksdb.compression_max_dict_bytes', '16384'],
  'rocksdb.min_blob_size': ['rocksdb.enable_blob_files', 'yes'],
  'rocksdb.blob_file_size': ['rocksdb.enable_blob_files', 'yes'],
  'rocksdb.enable_blob_garbage_collection': ['rocksdb.enable_blob_files', 'yes'],
  'rocksdb.blob_garbage_collection_age_cutoff': ['rocksdb.enable_blob_files', 'yes'],
}

type Pairs = readonly (readonly [name: string, value: string])[]

function companionOf(name: Setting): Pairs {
  const companion = COMPANIONS[name]
  return companion === undefined ? [] : [companion]
}

function configOf(pairs: Pairs): Config {
  return loadConfig({ text: ['dir /tmp', ...pairs.map((pair) => pair.join(' '))].join('\n') })
}

/** The options of a database that was opened with such a file. */
function openedWith(t: TestContext, pairs: Pairs): ReadonlyMap<string, string> {
  const path = join(temporaryDirectory(t), 'db')
  RocksDB.open(path, rocksdbOptions(configOf(pairs).values)).close()
  return writtenOptions(path)
}

test('every setting of RocksDB in the file is in force when the database is opened', (t) => {
  const unset = openedWith(t, [])
  for (const name of SETTINGS) {
    const { set, written } = REACHES[name]
    if (written === undefined) continue
    const options = openedWith(t, [...companionOf(name), [name, set]])
    for (const [option, wanted] of Object.entries(written)) {
      if (wanted instanceof RegExp) t.match(options.get(option), wanted, `${name}: ${option}`)
      else t.equal(options.get(option), wanted, `${name}: ${option}`)
      t.not(options.get(option), unset.get(option), `${name} is not what it is without`)
    }
  }
  t.end()
})

test('samples for a dictionary that there is not are not asked for', (t) => {
  const options = openedWith(t, [['rocksdb.compression_zstd_max_train_bytes', '65536']])
  t.match(options.get(`${CF} compression_opts`), /[{;]zstd_max_train_bytes=0;/)
  t.end()
})

test('settings that RocksDB has no words for are told to it by value', (t) => {
  const settingsOf = (pairs: Pairs): NativeSettings => toNativeSettings(rocksdbOptions(configOf(pairs).values))
  const unset = settingsOf([])
  for (const name of SETTINGS) {
    const { set, native: wanted = {}, writeFlags: flags } = REACHES[name]
    for (const [field, value] of Object.entries(wanted)) {
      t.equal(settingsOf([[name, set]])[field as keyof NativeSettings], value, name)
      t.not(unset[field as keyof NativeSettings], value, name)
    }
    if (flags !== undefined) t.equal(writeFlags(configOf([[name, set]]).values), flags, name)
  }
  t.end()
})

test('a setting without effect says so in kvrocks.conf, and others are read by somebody', (t) => {
  for (const name of SETTINGS) {
    const { actsIn, isInert } = REACHES[name]
    t.equal(anyOption(name).doc.startsWith('Accepted for compatibility'), isInert ?? false, name)
    if (actsIn === undefined) continue
    const source = readFileSync(new URL(`../../../${actsIn}`, import.meta.url), 'utf8')
    t.ok(source.includes(`'${name}'`), `${name} in ${actsIn}`)
  }
  t.end()
})

test('CONFIG SET leads to the options that the file leads to, and back again', async (t) => {
  await using s = await startServer()
  const unset = writtenOptions(s.server.config.paths.db)
  for (const name of SETTINGS) {
    const { set, written } = REACHES[name]
    if (written === undefined || !anyOption(name).mutable) continue
    const pairs = [...companionOf(name), [name, set] as const]
    const before = pairs.map(([option]) => [option, s.server.config.text(option as OptionName)] as const)
    t.equal(await s.run('config', 'set', ...pairs.flat()), '+OK\r\n', name)
    t.strictSame(writtenOptions(s.server.config.paths.db), openedWith(t, pairs), name)
    // One after the other in reverse, for some can be set only while their companion is.
    for (const [option, value] of before.toReversed()) {
      t.equal(await s.run('config', 'set', option, value), '+OK\r\n', `${name} back`)
    }
    t.strictSame(writtenOptions(s.server.config.paths.db), unset, `${name} back`)
  }
})
