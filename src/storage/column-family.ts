/**
 * The column families, in the order in which Kvrocks creates them. RocksDB numbers them by that order, and write batches
 * carry the numbers, so the order is part of the wire protocol. Source: kvrocks src/storage/storage.cc, Storage::Open.
 */

/** Sub-keys of every collection but streams. */
export const CF_DEFAULT = 0
/** One row per user key; whole values for strings and JSON. */
export const CF_METADATA = 1
/** Members of sorted sets in order of score. */
export const CF_ZSET_SCORE = 2
/** Published messages, as their carrier to replicas. */
export const CF_PUBSUB = 3
/** Scripts, functions, namespaces and the replication id. */
export const CF_PROPAGATE = 4
/** Entries and groups of streams. */
export const CF_STREAM = 5
/** Search indexes. */
export const CF_SEARCH = 6

export type ColumnFamily = 0 | 1 | 2 | 3 | 4 | 5 | 6

export const COLUMN_FAMILY_NAMES = [
  'default',
  'metadata',
  'zset_score',
  'pubsub',
  'propagate',
  'stream',
  'search',
] as const
