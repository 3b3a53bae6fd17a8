/** INFO rocksdb. Source: kvrocks src/server/server.cc, Server::GetRocksDBInfo. */

import type { RocksDB } from '../rocksdb/rocksdb.js'
import { COLUMN_FAMILY_NAMES } from '../storage/column-family.js'
import type { ServerContext } from './context.js'
import type { InfoField } from './info-sections.js'

/** Names of fields that have one value per column family, and where RocksDB keeps them. */
const FAMILY_STATS: readonly (readonly [field: string, key: string])[] = [
  ['level0_file_limit_slowdown', 'l0-file-count-limit-delays'],
  ['level0_file_limit_stop', 'l0-file-count-limit-stops'],
  ['pending_compaction_bytes_slowdown', 'pending-compaction-bytes-delays'],
  ['pending_compaction_bytes_stop', 'pending-compaction-bytes-stops'],
  ['level0_file_limit_stop_with_ongoing_compaction', 'cf-l0-file-count-limit-stops-with-ongoing-compaction'],
  ['level0_file_limit_slowdown_with_ongoing_compaction', 'cf-l0-file-count-limit-delays-with-ongoing-compaction'],
  ['memtable_count_limit_slowdown', 'memtable-limit-delays'],
  ['memtable_count_limit_stop', 'memtable-limit-stops'],
]

const CACHE_TICKERS: readonly (readonly [field: string, ticker: string])[] = [
  ['block_cache_data_hit', 'rocksdb.block.cache.data.hit'],
  ['block_cache_data_miss', 'rocksdb.block.cache.data.miss'],
  ['block_cache_filter_hit', 'rocksdb.block.cache.filter.hit'],
  ['block_cache_filter_miss', 'rocksdb.block.cache.filter.miss'],
  ['block_cache_hit', 'rocksdb.block.cache.hit'],
  ['block_cache_index_hit', 'rocksdb.block.cache.index.hit'],
  ['block_cache_index_miss', 'rocksdb.block.cache.index.miss'],
  ['block_cache_miss', 'rocksdb.block.cache.miss'],
]

export function rocksdbFields({ server, store }: ServerContext): InfoField[] {
  const { rocks } = store
  const cache = rocks.blockCacheUsage()
  const { instantaneous } = server.stats
  return [
    ['block_cache_usage', cache.used],
    ['block_cache_pinned_usage[default]', cache.pinned],
    ...COLUMN_FAMILY_NAMES.flatMap((_name, cf) => familyFields(rocks, cf)),
    ...CACHE_TICKERS.map(([field, ticker]) => [field, rocks.ticker(ticker) ?? 0] as const),
    ['all_mem_tables', total(rocks, 'rocksdb.size-all-mem-tables')],
    ['cur_mem_tables', total(rocks, 'rocksdb.cur-size-all-mem-tables')],
    ['snapshots', one(rocks, 'rocksdb.num-snapshots')],
    ['num_immutable_tables', total(rocks, 'rocksdb.num-immutable-mem-table')],
    ['num_running_flushes', one(rocks, 'rocksdb.num-running-flushes')],
    ['memtable_flush_pending', total(rocks, 'rocksdb.mem-table-flush-pending')],
    ['compaction_pending', total(rocks, 'rocksdb.compaction-pending')],
    ['num_running_compactions', one(rocks, 'rocksdb.num-running-compactions')],
    ['num_live_versions', total(rocks, 'rocksdb.num-live-versions')],
    ['num_super_version', total(rocks, 'rocksdb.current-super-version-number')],
    ['num_background_errors', total(rocks, 'rocksdb.background-errors')],
    ['flush_count', server.storageEvents.flushes],
    ['compaction_count', server.storageEvents.compactions],
    ['put_per_sec', instantaneous.puts],
    ['get_per_sec', instantaneous.gets],
    ['seek_per_sec', instantaneous.seeks],
    ['next_per_sec', instantaneous.nexts],
    ['prev_per_sec', instantaneous.prevs],
    ['is_bgsaving', server.maintenance.isSaving ? 'yes' : 'no'],
    ['is_compacting', server.maintenance.isCompacting ? 'yes' : 'no'],
  ]
}

function familyFields(rocks: RocksDB, cf: number): InfoField[] {
  const name = COLUMN_FAMILY_NAMES[cf]
  const stats = rocks.mapProperty(cf, 'rocksdb.cfstats') ?? {}
  return [
    [`estimate_keys[${name}]`, rocks.intProperty(cf, 'rocksdb.estimate-num-keys') ?? 0],
    [`index_and_filter_cache_usage[${name}]`, rocks.intProperty(cf, 'rocksdb.estimate-table-readers-mem') ?? 0],
    ...FAMILY_STATS.map(([field, key]) => [`${field}[${name}]`, Number(stats[key] ?? 0)] as const),
  ]
}

/** A property of the whole database. */
function one(rocks: RocksDB, property: string): number {
  return rocks.intProperty(0, property) ?? 0
}

/** The sum over the column families. */
function total(rocks: RocksDB, property: string): number {
  return COLUMN_FAMILY_NAMES.reduce((sum, _name, cf) => sum + (rocks.intProperty(cf, property) ?? 0), 0)
}
