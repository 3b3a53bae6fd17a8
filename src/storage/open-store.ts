/** Opens the database as the configuration says. Source: kvrocks src/storage/storage.cc, Storage::Open. */

import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.js'
import { openingTexts, writeRate } from '../config/live-rocksdb.js'
import type { ConfigValues } from '../config/options.js'
import type { Log } from '../log/log.js'
import {
  WRITE_DISABLE_WAL,
  WRITE_LOW_PRI,
  WRITE_MEMTABLE_INSERT_HINT,
  WRITE_NO_SLOWDOWN,
  WRITE_SYNC,
} from '../rocksdb/native.js'
import type { ColumnFamilySpec, RocksDBOptions } from '../rocksdb/open-options.js'
import { RocksDB } from '../rocksdb/rocksdb.js'
import { keepDamagedLogs } from './damaged-logs.js'
import type { KeyspaceStats } from './database.js'
import { Store } from './store.js'
import { type HoldLimits, type RetentionPolicy, WalRetention } from './wal-retention.js'

const MIB = 1024 * 1024

/** In the order of the ids; see column-family.ts. */
export const COLUMN_FAMILIES: readonly ColumnFamilySpec[] = [
  { name: 'default', filter: 'subkey', collector: 'default', sharesBlockCache: true, memtableBloom: true },
  { name: 'metadata', filter: 'metadata', collector: 'metadata', sharesBlockCache: true, memtableBloom: true },
  { name: 'zset_score', filter: 'subkey', collector: 'default', sharesBlockCache: true },
  { name: 'pubsub', filter: 'pubsub', sharesBlockCache: false },
  { name: 'propagate', filter: 'propagate', sharesBlockCache: false },
  { name: 'stream', filter: 'subkey', collector: 'default', sharesBlockCache: true },
  { name: 'search', filter: 'search', sharesBlockCache: false },
]

/** Opens or creates the database in the working directory. Throws RocksDBError. */
export function openStore(config: Config, stats: KeyspaceStats, log: Log): Store {
  const { values } = config
  const databasePath = config.paths.db
  mkdirSync(databasePath, { recursive: true })
  refuseHeadless(databasePath)
  const rocks = RocksDB.open(databasePath, rocksdbOptions(values))
  keepDamagedLogs(databasePath, config.paths.damagedLogs, log)
  const policy = (): RetentionPolicy => retentionPolicy(config.values)
  const retention = new WalRetention({ rocks, databasePath, policy, log })
  const options = { slotEncoded: values['cluster-enabled'], writeFlags: writeFlags(values), stats, retention }
  const store = new Store(rocks, options)
  store.turn.cacheRows(values['row-cache-mb'] * MIB)
  return store
}

/** RocksDB would begin a database of its own there, at its second attempt, and remove the files of the old one. */
function refuseHeadless(databasePath: string): void {
  if (existsSync(join(databasePath, 'CURRENT'))) return
  const orphan = readdirSync(databasePath).find((name) => /\.(?:sst|log)$/.test(name))
  if (orphan === undefined) return
  throw new Error(`${databasePath} holds ${orphan} and no CURRENT, which names the MANIFEST of a database`)
}

/** How long the write-ahead log is kept. Source: rocksdb db/wal_manager.cc, PurgeObsoleteWALFiles, for the first two. */
function retentionPolicy(values: Readonly<ConfigValues>): RetentionPolicy {
  const ttlSeconds = values['rocksdb.wal_ttl_seconds']
  const sizeMb = values['rocksdb.wal_size_limit_mb']
  // Each of them is no limit where it is 0, but both together keep nothing.
  return {
    ttlMs: ttlSeconds > 0 ? ttlSeconds * 1000 : Number.POSITIVE_INFINITY,
    sizeBytesMax: sizeMb > 0 || ttlSeconds === 0 ? sizeMb * MIB : Number.POSITIVE_INFINITY,
    heldBytesMax: values['wal-retention-max-bytes'] || Number.POSITIVE_INFINITY,
    freeBytesMin: values['wal-retention-min-free-bytes'],
  }
}

/** What one slot or replica may hold back of the log at most. */
export function holdLimits(values: Readonly<ConfigValues>): HoldLimits {
  return {
    bytesMax: values['cdc-slot-max-bytes'] || Number.POSITIVE_INFINITY,
    ageMsMax: values['cdc-slot-max-age'] * 1000 || Number.POSITIVE_INFINITY,
  }
}

/** The rocksdb.write_options.* settings as flags of RocksDB.write. */
export function writeFlags(values: Readonly<ConfigValues>): number {
  return (
    (values['rocksdb.write_options.sync'] ? WRITE_SYNC : 0) |
    (values['rocksdb.write_options.disable_wal'] ? WRITE_DISABLE_WAL : 0) |
    (values['rocksdb.write_options.no_slowdown'] ? WRITE_NO_SLOWDOWN : 0) |
    (values['rocksdb.write_options.low_pri'] ? WRITE_LOW_PRI : 0) |
    (values['rocksdb.write_options.memtable_insert_hint_per_batch'] ? WRITE_MEMTABLE_INSERT_HINT : 0)
  )
}

/** The rocksdb.* settings in RocksDB's units: those that CONFIG SET changes by their table, and the others. */
export function rocksdbOptions(values: Readonly<ConfigValues>): RocksDBOptions {
  const { database, families } = openingTexts(values)
  return {
    ...memoryOptions(values),
    ...fileOptions(values),
    columnFamilies: COLUMN_FAMILIES,
    slotEncoded: values['cluster-enabled'],
    // Until the server says who tells of what has expired.
    reclaimBeforeMs: 0,
    dumpMallocStats: values['rocksdb.dump_malloc_stats'],
    avoidUnnecessaryBlockingIo: values['rocksdb.avoid_unnecessary_blocking_io'],
    maxBackgroundFlushes: values['rocksdb.max_background_flushes'],
    rateBytesPerSecond: writeRate(values),
    rateLimiterAutoTuned: values['rocksdb.rate_limiter_auto_tuned'],
    deleteRateBytesPerSecond: Number(values['rocksdb.sst_file_delete_rate_bytes_per_sec']),
    extraDbOptions: database,
    extraColumnFamilyOptions: families,
  }
}

function memoryOptions(values: Readonly<ConfigValues>): Partial<RocksDBOptions> {
  const parts = values['rocksdb.metadata_block_cache_size'] + values['rocksdb.subkey_block_cache_size']
  return {
    blockCacheType: values['rocksdb.block_cache_type'],
    blockCacheBytes: (values['rocksdb.block_cache_size'] || parts) * MIB,
    cachesBlobs: values['enable-blob-cache'],
    rowCacheBytes: values['rocksdb.row_cache_size'] * MIB,
    cacheIndexAndFilterBlocks: values['rocksdb.cache_index_and_filter_blocks'],
    minWriteBufferNumberToMerge: values['rocksdb.min_write_buffer_number_to_merge'],
  }
}

function fileOptions(values: Readonly<ConfigValues>): Partial<RocksDBOptions> {
  return {
    blockBytes: values['rocksdb.block_size'],
    partitionFilters: values['rocksdb.partition_filters'],
    compressionLevel: values['rocksdb.compression_level'],
    compressionDictBytesMax: values['rocksdb.compression_max_dict_bytes'],
    compressionTrainBytesMax: values['rocksdb.compression_zstd_max_train_bytes'],
    levelCompactionDynamicLevelBytes: values['rocksdb.level_compaction_dynamic_level_bytes'],
    walCompression: values['rocksdb.wal_compression'],
    // What rocksdb.wal_ttl_seconds and rocksdb.wal_size_limit_mb say is done by WalRetention.
    walTtlSeconds: Number.POSITIVE_INFINITY,
    walSizeLimitMb: 0,
    enablePipelinedWrite: values['rocksdb.enable_pipelined_write'],
  }
}
