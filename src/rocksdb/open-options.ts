/**
 * What a database is opened with: RocksDB's option names and units, and the choices that Kvrocks makes for all of them.
 * Source: kvrocks src/storage/storage.cc, InitRocksDBOptions, InitTableOptions and Open.
 */
import type { NativeColumnFamily, NativeSettings, OptionPairs } from './native.js'

const MIB = 1024 * 1024
const UINT64_MAX = '18446744073709551615'
const LEVELS = 7
// A read's target has four bits for the family.
const COLUMN_FAMILIES_MAX = 16

/** Which keys compaction drops: see native/filters.h. */
export type CompactionFilterName = 'metadata' | 'subkey' | 'pubsub' | 'propagate' | 'search' | 'index'

export interface ColumnFamilySpec {
  readonly name: string
  readonly filter?: CompactionFilterName
  /** The name that the compact-on-expired collector works under; without it the family has no collector. */
  readonly collector?: 'default' | 'metadata'
  /** Uses the block cache and keeps index and filter blocks in it; otherwise RocksDB's default table cache. */
  readonly sharesBlockCache: boolean
  /** A bloom filter over whole keys in the memtable. */
  readonly memtableBloom?: boolean
}

export type Compression = 'no' | 'snappy' | 'zlib' | 'lz4' | 'zstd'

/** Everything that open() takes; what is left out has the value that DEFAULT_OPTIONS gives. Sizes are bytes. */
export interface RocksDBOptions {
  /** The families in the order of their ids; the first one is `default`. */
  readonly columnFamilies: readonly ColumnFamilySpec[]
  /** Keys carry a slot after the namespace (`cluster-enabled`). */
  readonly slotEncoded?: boolean
  /** See RocksDB.setReclaimBefore(). */
  readonly reclaimBeforeMs?: number
  readonly statistics?: boolean
  readonly createIfMissing?: boolean
  readonly compression?: Compression
  /** 32767 = the compressor's own default. */
  readonly compressionLevel?: number
  readonly compressionStartLevel?: number
  /** Dictionary of each table file; 0 = none. */
  readonly compressionDictBytesMax?: number
  /** Samples that zstd trains it from; 0 = the samples are the dictionary. */
  readonly compressionTrainBytesMax?: number
  readonly blockBytes?: number
  readonly maxOpenFiles?: number
  readonly writeBufferBytes?: number
  readonly maxWriteBufferNumber?: number
  readonly minWriteBufferNumberToMerge?: number
  readonly targetFileBytesBase?: number
  readonly maxBackgroundJobs?: number
  readonly maxBackgroundCompactions?: number
  readonly maxBackgroundFlushes?: number
  readonly maxSubcompactions?: number
  /** Bytes a second; 0 = chosen by RocksDB. */
  readonly delayedWriteRate?: number
  readonly walCompression?: 'no' | 'zstd'
  /** Infinity: archived files stay until somebody else removes them. */
  readonly walTtlSeconds?: number
  readonly walSizeLimitMb?: number
  readonly maxTotalWalBytes?: number
  readonly disableAutoCompactions?: boolean
  readonly enablePipelinedWrite?: boolean
  readonly statsDumpPeriodSec?: number
  readonly dumpMallocStats?: boolean
  readonly cacheIndexAndFilterBlocks?: boolean
  readonly partitionFilters?: boolean
  readonly blockCacheType?: 'lru' | 'hcc'
  readonly blockCacheBytes?: number
  /** Values of blob files enter the block cache. */
  readonly cachesBlobs?: boolean
  /** 0 = no row cache. */
  readonly rowCacheBytes?: number
  readonly compactionReadaheadBytes?: number
  readonly level0SlowdownWritesTrigger?: number
  readonly level0StopWritesTrigger?: number
  readonly level0FileNumCompactionTrigger?: number
  readonly enableBlobFiles?: boolean
  readonly minBlobBytes?: number
  readonly blobFileBytes?: number
  readonly enableBlobGarbageCollection?: boolean
  /** Percent. */
  readonly blobGarbageCollectionAgeCutoff?: number
  readonly maxBytesForLevelBase?: number
  readonly maxBytesForLevelMultiplier?: number
  readonly levelCompactionDynamicLevelBytes?: boolean
  readonly avoidUnnecessaryBlockingIo?: boolean
  /** Bytes a second that flushes and compactions may write; 0 = as good as unlimited. */
  readonly rateBytesPerSecond?: number
  readonly rateLimiterAutoTuned?: boolean
  /** Bytes a second of table files that are deleted; 0 = at once. */
  readonly deleteRateBytesPerSecond?: number
  /** Further options by RocksDB's names, after and above all others. */
  readonly extraDbOptions?: Readonly<Record<string, string>>
  readonly extraColumnFamilyOptions?: Readonly<Record<string, string>>
}

type Defaulted = Required<Omit<RocksDBOptions, 'columnFamilies'>>

/** Kvrocks's defaults. Source: kvrocks src/config/config.cc. */
export const DEFAULT_OPTIONS: Defaulted = {
  slotEncoded: false,
  reclaimBeforeMs: Number.MAX_SAFE_INTEGER,
  statistics: true,
  createIfMissing: true,
  compression: 'snappy',
  compressionLevel: 32767,
  compressionStartLevel: 2,
  compressionDictBytesMax: 0,
  compressionTrainBytesMax: 0,
  blockBytes: 16384,
  maxOpenFiles: 8096,
  writeBufferBytes: 64 * MIB,
  maxWriteBufferNumber: 4,
  minWriteBufferNumberToMerge: 2,
  targetFileBytesBase: 128 * MIB,
  maxBackgroundJobs: 4,
  maxBackgroundCompactions: -1,
  maxBackgroundFlushes: -1,
  maxSubcompactions: 2,
  delayedWriteRate: 0,
  walCompression: 'no',
  walTtlSeconds: 10800,
  walSizeLimitMb: 16384,
  maxTotalWalBytes: 512 * MIB,
  disableAutoCompactions: false,
  enablePipelinedWrite: false,
  statsDumpPeriodSec: 0,
  dumpMallocStats: true,
  cacheIndexAndFilterBlocks: true,
  partitionFilters: true,
  blockCacheType: 'lru',
  blockCacheBytes: 4096 * MIB,
  cachesBlobs: false,
  rowCacheBytes: 0,
  compactionReadaheadBytes: 2 * MIB,
  level0SlowdownWritesTrigger: 20,
  level0StopWritesTrigger: 40,
  level0FileNumCompactionTrigger: 4,
  enableBlobFiles: false,
  minBlobBytes: 4096,
  blobFileBytes: 256 * MIB,
  enableBlobGarbageCollection: true,
  blobGarbageCollectionAgeCutoff: 25,
  maxBytesForLevelBase: 256 * MIB,
  maxBytesForLevelMultiplier: 10,
  levelCompactionDynamicLevelBytes: false,
  avoidUnnecessaryBlockingIo: true,
  rateBytesPerSecond: 0,
  rateLimiterAutoTuned: true,
  deleteRateBytesPerSecond: 0,
  extraDbOptions: {},
  extraColumnFamilyOptions: {},
}

/** What Kvrocks asks for when max-io-mb is 0: a limiter that exists, so that a limit can be set later. */
export const UNLIMITED_BYTES_PER_SECOND = 1_024_000 * MIB

const COMPRESSION_NAMES = {
  no: 'kNoCompression',
  snappy: 'kSnappyCompression',
  zlib: 'kZlibCompression',
  lz4: 'kLZ4Compression',
  zstd: 'kZSTD',
} as const satisfies Record<Compression, string>

/** RocksDB's name of a compression. */
export function compressionType(compression: Compression): string {
  return COMPRESSION_NAMES[compression]
}

/** RocksDB's spelling of one level's compression after another, for `compression_per_level`. */
export function compressionPerLevel(compression: Compression, startLevel: number): string {
  const levels = Array.from({ length: LEVELS }, (_, level) => (level < startLevel ? 'no' : compression) as Compression)
  return levels.map((name) => COMPRESSION_NAMES[name]).join(':')
}

/** How the addon is told. `mode` readOnly and secondary never create anything. */
export function toNativeSettings(
  given: RocksDBOptions,
  mode: NativeSettings['mode'] = 'readWrite',
  secondaryPath = '',
): NativeSettings {
  if (given.columnFamilies.length > COLUMN_FAMILIES_MAX) throw new RangeError('too many column families')
  const options = { ...DEFAULT_OPTIONS, ...given }
  return {
    mode,
    secondaryPath,
    slotEncoded: options.slotEncoded,
    reclaimBeforeMs: options.reclaimBeforeMs,
    db: toPairs({ ...dbOptions(options), ...MODE_OPTIONS[mode], ...options.extraDbOptions }),
    columnFamilies: given.columnFamilies.map((spec) => columnFamily(spec, options)),
    statistics: options.statistics,
    blockCacheType: options.blockCacheType,
    blockCacheBytes: options.blockCacheBytes,
    blockCacheHighPriRatio: 0.75,
    cachesBlobs: options.cachesBlobs,
    blockBytes: options.blockBytes,
    rowCacheBytes: options.rowCacheBytes,
    rateBytesPerSecond: options.rateBytesPerSecond || UNLIMITED_BYTES_PER_SECOND,
    rateAutoTuned: options.rateLimiterAutoTuned,
    deleteRateBytesPerSecond: options.deleteRateBytesPerSecond,
  }
}

export type OptionRecord = Readonly<Record<string, string | number | boolean>>

// A secondary reads files that the primary may delete: it has to keep them open.
// Neither deletes a file, and where RocksDB is built with assertions it aborts when one that only reads shall leave
// deleting to the background: DBImpl::SchedulePurge expects a database that was opened for writing.
const MODE_OPTIONS: Record<NativeSettings['mode'], OptionRecord> = {
  readWrite: {},
  readOnly: { avoid_unnecessary_blocking_io: false },
  secondary: { max_open_files: -1, avoid_unnecessary_blocking_io: false },
}

function dbOptions(options: Defaulted): OptionRecord {
  return {
    create_if_missing: options.createIfMissing,
    create_missing_column_families: options.createIfMissing,
    stats_dump_period_sec: options.statsDumpPeriodSec,
    max_open_files: options.maxOpenFiles,
    max_subcompactions: options.maxSubcompactions,
    max_background_flushes: options.maxBackgroundFlushes,
    max_background_compactions: options.maxBackgroundCompactions,
    max_background_jobs: options.maxBackgroundJobs,
    enable_pipelined_write: options.enablePipelinedWrite,
    max_manifest_file_size: 64 * MIB,
    max_log_file_size: 256 * MIB,
    keep_log_file_num: 12,
    WAL_ttl_seconds: options.walTtlSeconds === Number.POSITIVE_INFINITY ? UINT64_MAX : options.walTtlSeconds,
    WAL_size_limit_MB: options.walSizeLimitMb,
    max_total_wal_size: options.maxTotalWalBytes,
    wal_compression: options.walCompression === 'zstd' ? 'kZSTD' : 'kNoCompression',
    dump_malloc_stats: options.dumpMallocStats,
    delayed_write_rate: options.delayedWriteRate,
    compaction_readahead_size: options.compactionReadaheadBytes,
    avoid_unnecessary_blocking_io: options.avoidUnnecessaryBlockingIo,
  }
}

function columnFamily(spec: ColumnFamilySpec, options: Defaulted): NativeColumnFamily {
  return {
    name: spec.name,
    options: toPairs({ ...columnFamilyOptions(spec, options), ...options.extraColumnFamilyOptions }),
    table: toPairs(tableOptions(spec, options)),
    filter: spec.filter ?? '',
    collector: spec.collector ?? '',
    sharesBlockCache: spec.sharesBlockCache,
  }
}

/**
 * 20 bits a row where a row takes 100 bytes. Kvrocks, which has such a filter for metadata alone, gives it four times as
 * much: 6.4 MiB a family, of which each write misses the cache.
 */
const MEMTABLE_BLOOM_RATIO = 0.025

const ARENA_BLOCKS = 8
const ARENA_BLOCK_BYTES_MAX = 8 * MIB

/**
 * A memtable's memory is taken in an eighth of it, as by RocksDB's default, but not in pieces of 1 MiB at most: those are
 * smaller than a huge page, which a skip list walked at random needs.
 */
export function arenaBlockBytes(writeBufferBytes: number): number {
  return Math.min(writeBufferBytes / ARENA_BLOCKS, ARENA_BLOCK_BYTES_MAX)
}

function compressionOptions(options: Defaulted): string {
  const { compressionLevel, compressionDictBytesMax, compressionTrainBytesMax } = options
  // RocksDB refuses to open with samples for a dictionary that there is not.
  const trainBytesMax = compressionDictBytesMax === 0 ? 0 : compressionTrainBytesMax
  return `{level=${compressionLevel};max_dict_bytes=${compressionDictBytesMax};zstd_max_train_bytes=${trainBytesMax}}`
}

function columnFamilyOptions(spec: ColumnFamilySpec, options: Defaulted): OptionRecord {
  return {
    compaction_style: 'kCompactionStyleLevel',
    num_levels: LEVELS,
    write_buffer_size: options.writeBufferBytes,
    arena_block_size: arenaBlockBytes(options.writeBufferBytes),
    max_write_buffer_number: options.maxWriteBufferNumber,
    min_write_buffer_number_to_merge: options.minWriteBufferNumberToMerge,
    compression_opts: compressionOptions(options),
    compression_per_level: compressionPerLevel(options.compression, options.compressionStartLevel),
    target_file_size_base: options.targetFileBytesBase,
    level0_slowdown_writes_trigger: options.level0SlowdownWritesTrigger,
    level0_stop_writes_trigger: options.level0StopWritesTrigger,
    level0_file_num_compaction_trigger: options.level0FileNumCompactionTrigger,
    max_bytes_for_level_base: options.maxBytesForLevelBase,
    max_bytes_for_level_multiplier: options.maxBytesForLevelMultiplier,
    level_compaction_dynamic_level_bytes: options.levelCompactionDynamicLevelBytes,
    disable_auto_compactions: options.disableAutoCompactions,
    enable_blob_files: options.enableBlobFiles,
    min_blob_size: options.minBlobBytes,
    blob_file_size: options.blobFileBytes,
    blob_compression_type: compressionType(options.compression),
    enable_blob_garbage_collection: options.enableBlobGarbageCollection,
    blob_garbage_collection_age_cutoff: options.blobGarbageCollectionAgeCutoff / 100,
    ...(spec.memtableBloom
      ? { memtable_whole_key_filtering: true, memtable_prefix_bloom_size_ratio: MEMTABLE_BLOOM_RATIO }
      : {}),
  }
}

function tableOptions(spec: ColumnFamilySpec, options: Defaulted): OptionRecord {
  const cached: OptionRecord = {
    pin_l0_filter_and_index_blocks_in_cache: true,
    cache_index_and_filter_blocks: options.cacheIndexAndFilterBlocks,
    cache_index_and_filter_blocks_with_high_priority: true,
  }
  return {
    format_version: 5,
    index_type: 'kTwoLevelIndexSearch',
    filter_policy: 'bloomfilter:10:false',
    partition_filters: options.partitionFilters,
    optimize_filters_for_memory: true,
    metadata_block_size: 4096,
    data_block_index_type: 'kDataBlockBinaryAndHash',
    data_block_hash_table_util_ratio: 0.75,
    block_size: options.blockBytes,
    ...(spec.sharesBlockCache ? cached : {}),
  }
}

/** RocksDB's option strings as the addon takes them. */
export function toPairs(record: OptionRecord): OptionPairs {
  return Object.entries(record).flatMap(([name, value]) => [name, String(value)])
}
