/**
 * Options that RocksDB gets. Sizes are in MiB where Kvrocks has them so, in bytes elsewhere.
 * Source: kvrocks src/config/config.cc.
 */
import { bool, INT64_MAX, int64, integer, oneOf, text, UINT64_MAX } from '../option.js'

/** RocksDB's "choose for me" for ages in seconds. Source: rocksdb include/rocksdb/advanced_options.h, ttl. */
export const ROCKSDB_CHOOSES = 0xffff_ffff_ffff_fffen

const MEMORY_OPTIONS = {
  'rocksdb.block_cache_size': integer({
    default: 0,
    shipped: '4096',
    unit: 'MiB',
    doc: 'Block cache of all column families; 0 = sum of the two sizes below.',
  }),
  'rocksdb.block_cache_type': oneOf(['lru', 'hcc'], {
    default: 'lru',
    doc: 'Block cache that evicts by age (lru), or the one for many threads (hcc).',
  }),
  'rocksdb.subkey_block_cache_size': integer({
    default: 2048,
    unit: 'MiB',
    doc: 'Part of the block cache when block_cache_size is 0.',
  }),
  'rocksdb.metadata_block_cache_size': integer({
    default: 2048,
    unit: 'MiB',
    doc: 'Other part of the block cache when block_cache_size is 0.',
  }),
  'rocksdb.share_metadata_and_subkey_block_cache': bool({
    default: true,
    doc: 'Accepted for compatibility: there is one block cache for all column families.',
  }),
  'rocksdb.row_cache_size': integer({ default: 0, unit: 'MiB', doc: "RocksDB's own row cache; 0 = off." }),
  'rocksdb.cache_index_and_filter_blocks': bool({
    default: true,
    doc: 'Whether indexes and filters live in the block cache, and so within its bound.',
  }),
  'rocksdb.partition_filters': bool({
    default: true,
    doc: 'Whether filters are split in blocks that are loaded one by one.',
  }),
  'rocksdb.block_size': integer({ default: 16_384, unit: 'bytes', doc: 'Size of a data block before compression.' }),
  'rocksdb.max_open_files': integer({
    default: 8096,
    min: -1,
    mutable: true,
    doc: 'Table files kept open; -1 = all.',
  }),
  'rocksdb.write_buffer_size': integer({
    default: 64,
    max: 4096,
    mutable: true,
    unit: 'MiB',
    doc: 'Size of a memtable of one column family.',
  }),
  'rocksdb.max_write_buffer_number': integer({
    default: 4,
    max: 256,
    mutable: true,
    doc: 'Memtables of one column family, the one in use included.',
  }),
  'rocksdb.min_write_buffer_number_to_merge': integer({
    default: 1,
    min: 1,
    max: 256,
    doc: 'Full memtables that are flushed into one file.',
  }),
  'rocksdb.dump_malloc_stats': bool({
    default: true,
    doc: 'Whether the statistics in the log of RocksDB include those of malloc.',
  }),
  'rocksdb.stats_dump_period_sec': integer({
    default: 0,
    mutable: true,
    unit: 's',
    doc: 'How often RocksDB logs its statistics; 0 = never.',
  }),
}

const COMPRESSION_OPTIONS = {
  'rocksdb.compression': oneOf(['no', 'snappy', 'zlib', 'lz4', 'zstd'], {
    default: 'no',
    shipped: 'snappy',
    mutable: true,
    doc: 'Compression of table files from compression_start_level on.',
  }),
  'rocksdb.compression_level': integer({
    default: 32_767,
    min: -(2 ** 31),
    doc: 'Level of the compressor; 32767 = its own default.',
  }),
  'rocksdb.compression_start_level': integer({
    default: 2,
    max: 6,
    mutable: true,
    doc: 'First level of the tree that is compressed.',
  }),
  'rocksdb.compression_max_dict_bytes': integer({
    default: 0,
    unit: 'bytes',
    doc: 'Size of the dictionary that each table file gets for compression; 0 = none.',
  }),
  'rocksdb.compression_zstd_max_train_bytes': integer({
    default: 0,
    unit: 'bytes',
    doc: 'Data from which zstd trains such a dictionary; 0 = taken as it comes.',
  }),
}

const COMPACTION_OPTIONS = {
  'rocksdb.target_file_size_base': integer({
    default: 128,
    min: 1,
    max: 1024,
    mutable: true,
    unit: 'MiB',
    doc: 'Size of a table file.',
  }),
  'rocksdb.max_background_jobs': integer({
    default: 4,
    max: 32,
    mutable: true,
    doc: 'Flushes and compactions at the same time.',
  }),
  'rocksdb.max_background_compactions': integer({
    default: 2,
    min: -1,
    max: 32,
    shipped: '-1',
    mutable: true,
    doc: 'Compactions at the same time; -1 = derived from max_background_jobs, which is the better way.',
  }),
  'rocksdb.max_background_flushes': integer({
    default: 2,
    min: -1,
    max: 32,
    shipped: '-1',
    doc: 'Flushes at the same time; -1 = derived from max_background_jobs, which is the better way.',
  }),
  'rocksdb.max_subcompactions': integer({
    default: 2,
    max: 16,
    mutable: true,
    doc: 'Threads that share one compaction.',
  }),
  'rocksdb.max_compaction_bytes': int64({
    default: 0n,
    mutable: true,
    unit: 'bytes',
    doc: 'Bound for one compaction; 0 = 25 times target_file_size_base.',
  }),
  'rocksdb.compaction_readahead_size': integer({
    default: 2 * 1024 ** 2,
    max: 64 * 1024 ** 2,
    mutable: true,
    unit: 'bytes',
    doc: 'Size of one read of a compaction; large ones suit spinning disks.',
  }),
  'rocksdb.disable_auto_compactions': bool({
    default: false,
    mutable: true,
    doc: 'Whether compactions run only when asked for.',
  }),
  'rocksdb.level0_file_num_compaction_trigger': integer({
    default: 4,
    min: 1,
    max: 1024,
    mutable: true,
    doc: 'Files in level 0 that start a compaction.',
  }),
  'rocksdb.level0_slowdown_writes_trigger': integer({
    default: 20,
    max: 1024,
    mutable: true,
    doc: 'Files in level 0 that slow writes down; 0 = not before level0_stop_writes_trigger.',
  }),
  'rocksdb.level0_stop_writes_trigger': integer({
    default: 40,
    min: 1,
    max: 1024,
    mutable: true,
    doc: 'Files in level 0 that stop writes.',
  }),
  'rocksdb.level_compaction_dynamic_level_bytes': bool({
    default: true,
    doc: 'Whether sizes of levels follow that of the last, which saves disk.',
  }),
  'rocksdb.max_bytes_for_level_base': int64({
    default: 268_435_456n,
    max: UINT64_MAX,
    mutable: true,
    unit: 'bytes',
    doc: 'Size of level 1.',
  }),
  'rocksdb.max_bytes_for_level_multiplier': integer({
    default: 10,
    min: 1,
    max: 100,
    mutable: true,
    doc: 'How many times larger each further level is.',
  }),
  'rocksdb.periodic_compaction_seconds': int64({
    default: ROCKSDB_CHOOSES,
    max: UINT64_MAX,
    mutable: true,
    unit: 's',
    doc: 'Age at which a file is compacted anyway; 0 = never, the default lets RocksDB choose.',
  }),
  'rocksdb.ttl': int64({
    default: ROCKSDB_CHOOSES,
    max: UINT64_MAX,
    mutable: true,
    unit: 's',
    doc: 'Age at which a file moves on towards the last level; 0 = never, the default lets RocksDB choose.',
  }),
  'rocksdb.daily_offpeak_time_utc': text({
    default: '',
    mutable: true,
    doc: 'Hours of little load, as 23:30-04:00 in UTC, preferred for periodic compactions; empty = none.',
  }),
  'rocksdb.rate_limiter_auto_tuned': bool({
    default: true,
    doc: 'Whether the rate of background writes adapts to the load, within max-io-mb.',
  }),
  'rocksdb.delayed_write_rate': int64({
    default: 0n,
    max: INT64_MAX,
    mutable: true,
    unit: 'bytes/s',
    doc: 'Rate of writes while they are slowed down; 0 = RocksDB chooses.',
  }),
  'rocksdb.sst_file_delete_rate_bytes_per_sec': int64({
    default: 0n,
    mutable: true,
    unit: 'bytes/s',
    doc: 'Bound for deleting table files, kind to SSDs; 0 = none.',
  }),
  'rocksdb.avoid_unnecessary_blocking_io': bool({
    default: true,
    doc: 'Whether obsolete files are deleted in the background.',
  }),
}

const WAL_OPTIONS = {
  'rocksdb.max_total_wal_size': integer({
    default: 512,
    mutable: true,
    unit: 'MiB',
    doc: 'Live WAL from which column families are flushed.',
  }),
  'rocksdb.wal_ttl_seconds': integer({
    default: 3 * 3600,
    mutable: true,
    unit: 's',
    doc: 'Age at which archived WAL is removed; partial syncs and the change feed reach that far back.',
  }),
  'rocksdb.wal_size_limit_mb': integer({
    default: 16_384,
    mutable: true,
    unit: 'MiB',
    doc: 'Size of archived WAL from which the oldest is removed; 0 = no bound.',
  }),
  'rocksdb.wal_compression': oneOf(['no', 'zstd'], { default: 'no', doc: 'Compression of WAL records.' }),
  'rocksdb.enable_pipelined_write': bool({
    default: false,
    doc: 'Whether WAL and memtable are written in two stages.',
  }),
}

const BLOB_OPTIONS = {
  'rocksdb.enable_blob_files': bool({
    default: false,
    mutable: true,
    doc: 'Whether large values go to files of their own, away from their keys.',
  }),
  'enable-blob-cache': bool({ default: false, doc: 'Whether such values may enter the block cache.' }),
  'rocksdb.min_blob_size': integer({
    default: 4096,
    mutable: true,
    unit: 'bytes',
    doc: 'Size from which a value counts as large.',
  }),
  'rocksdb.blob_file_size': integer({
    default: 268_435_456,
    mutable: true,
    unit: 'bytes',
    doc: 'Size of a blob file.',
  }),
  'rocksdb.enable_blob_garbage_collection': bool({
    default: true,
    mutable: true,
    doc: 'Whether compactions move live values out of old blob files.',
  }),
  'rocksdb.blob_garbage_collection_age_cutoff': integer({
    default: 25,
    max: 100,
    mutable: true,
    unit: '%',
    doc: 'Share of the blob files that counts as old.',
  }),
}

const IO_OPTIONS = {
  'rocksdb.write_options.sync': bool({ default: false, doc: 'Whether each commit waits for the disk.' }),
  'rocksdb.write_options.disable_wal': bool({
    default: false,
    doc: 'Write no WAL: no replication, no change feed, and a crash loses what was not flushed.',
  }),
  'rocksdb.write_options.no_slowdown': bool({
    default: false,
    doc: 'Whether writes fail at once, rather than wait, while RocksDB stalls writes.',
  }),
  'rocksdb.write_options.low_pri': bool({
    default: false,
    doc: 'Whether writes give way to compactions that lag.',
  }),
  'rocksdb.write_options.memtable_insert_hint_per_batch': bool({
    default: false,
    doc: 'Whether a batch remembers where it inserted last, good for keys in order.',
  }),
  'rocksdb.write_options.write_batch_max_bytes': integer({
    default: 0,
    mutable: true,
    unit: 'bytes',
    doc: 'Largest batch that a command may write; 0 = no bound.',
  }),
  'rocksdb.read_options.async_io': bool({
    default: true,
    mutable: true,
    doc: 'Accepted for compatibility, without effect: the threads of workers read what is not in memory.',
  }),
  'skip-block-cache-deallocation-on-close': bool({
    default: false,
    mutable: true,
    doc: 'Accepted for compatibility, without effect.',
  }),
}

export const ROCKSDB_OPTIONS = {
  ...MEMORY_OPTIONS,
  ...COMPRESSION_OPTIONS,
  ...COMPACTION_OPTIONS,
  ...WAL_OPTIONS,
  ...BLOB_OPTIONS,
  ...IO_OPTIONS,
}
