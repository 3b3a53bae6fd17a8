/** How far down a read may go. Source: rocksdb/options.h, ReadTier. */
export type ReadTier = typeof READ_TIER_ALL | typeof READ_TIER_BLOCK_CACHE | typeof READ_TIER_PAGE_CACHE
/** Memtables, block cache and disk. */
export const READ_TIER_ALL = 0
/** Memtables and block cache: what is only on disk is reported as not in memory. */
export const READ_TIER_BLOCK_CACHE = 1
/**
 * Those, and what the system's page cache has of the files. Not RocksDB's: only Linux can tell what is there; elsewhere it
 * is READ_TIER_ALL.
 */
export const READ_TIER_PAGE_CACHE = 2
