/** Opens the database as the configuration says. Source: kvrocks src/storage/storage.cc, Storage::Open. */

import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.js'
import type { ConfigValues } from '../config/options.js'
import type { Log } from '../log/log.js'
import {
  WRITE_DISABLE_WAL,
  WRITE_LOW_PRI,
  WRITE_MEMTABLE_INSERT_HINT,
  WRITE_NO_SLOWDOWN,
  WRITE_SYNC,
} from '../rocksdb/native.js'
import type { ColumnFamilySpec, Compression, RocksDBOptions } from '../rocksdb/open-options.js'
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

/** The rocksdb.* settings in RocksDB's units. */
export function rocksdbOptions(values: Readonly<ConfigValues>): RocksDBOptions {
  return {
    ...memoryOptions(values),
    ...compactionOptions(values),
    ...logOptions(values),
    columnFamilies: COLUMN_FAMILIES,
    slotEncoded: values['cluster-enabled'],
    // Until the server says who tells of what has expired.
    reclaimBeforeMs: 0,
    compression: values['rocksdb.compression'] as Compression,
    compressionLevel: values['rocksdb.compression_level'],
    compressionStartLevel: values['rocksdb.compression_start_level'],
    statsDumpPeriodSec: values['rocksdb.stats_dump_period_sec'],
    avoidUnnecessaryBlockingIo: values['rocksdb.avoid_unnecessary_blocking_io'],
    rateBytesPerSecond: values['max-io-mb'] * MIB,
    rateLimiterAutoTuned: values['rocksdb.rate_limiter_auto_tuned'],
    enableBlobFiles: values['rocksdb.enable_blob_files'],
    minBlobBytes: values['rocksdb.min_blob_size'],
    blobFileBytes: values['rocksdb.blob_file_size'],
    enableBlobGarbageCollection: values['rocksdb.enable_blob_garbage_collection'],
    blobGarbageCollectionAgeCutoff: values['rocksdb.blob_garbage_collection_age_cutoff'],
  }
}

function memoryOptions(values: Readonly<ConfigValues>): Partial<RocksDBOptions> {
  const parts = values['rocksdb.metadata_block_cache_size'] + values['rocksdb.subkey_block_cache_size']
  return {
    blockBytes: values['rocksdb.block_size'],
    blockCacheType: values['rocksdb.block_cache_type'],
    blockCacheBytes: (values['rocksdb.block_cache_size'] || parts) * MIB,
    rowCacheBytes: values['rocksdb.row_cache_size'] * MIB,
    cacheIndexAndFilterBlocks: values['rocksdb.cache_index_and_filter_blocks'],
    maxOpenFiles: values['rocksdb.max_open_files'],
    writeBufferBytes: values['rocksdb.write_buffer_size'] * MIB,
    maxWriteBufferNumber: values['rocksdb.max_write_buffer_number'],
    minWriteBufferNumberToMerge: values['rocksdb.min_write_buffer_number_to_merge'],
  }
}

function compactionOptions(values: Readonly<ConfigValues>): Partial<RocksDBOptions> {
  return {
    targetFileBytesBase: values['rocksdb.target_file_size_base'] * MIB,
    maxBackgroundJobs: values['rocksdb.max_background_jobs'],
    maxBackgroundCompactions: values['rocksdb.max_background_compactions'],
    maxBackgroundFlushes: values['rocksdb.max_background_flushes'],
    maxSubcompactions: values['rocksdb.max_subcompactions'],
    delayedWriteRate: Number(values['rocksdb.delayed_write_rate']),
    disableAutoCompactions: values['rocksdb.disable_auto_compactions'],
    compactionReadaheadBytes: values['rocksdb.compaction_readahead_size'],
    level0SlowdownWritesTrigger: values['rocksdb.level0_slowdown_writes_trigger'],
    level0StopWritesTrigger: values['rocksdb.level0_stop_writes_trigger'],
    level0FileNumCompactionTrigger: values['rocksdb.level0_file_num_compaction_trigger'],
    maxBytesForLevelBase: Number(values['rocksdb.max_bytes_for_level_base']),
    maxBytesForLevelMultiplier: values['rocksdb.max_bytes_for_level_multiplier'],
    levelCompactionDynamicLevelBytes: values['rocksdb.level_compaction_dynamic_level_bytes'],
  }
}

function logOptions(values: Readonly<ConfigValues>): Partial<RocksDBOptions> {
  return {
    walCompression: values['rocksdb.wal_compression'],
    // What these two settings say is done by WalRetention.
    walTtlSeconds: Number.POSITIVE_INFINITY,
    walSizeLimitMb: 0,
    maxTotalWalBytes: values['rocksdb.max_total_wal_size'] * MIB,
    enablePipelinedWrite: values['rocksdb.enable_pipelined_write'],
  }
}
