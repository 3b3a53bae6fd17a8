/** Counting keys. Source: kvrocks src/storage/redis_db.cc, GetKeyNumStats. */

import { type Bytes, copy } from '../bytes/bytes.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import { CF_METADATA } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import { prefixEnd } from '../storage/keys.js'
import { checkRow, expireMsOf, isExpired, MetadataFormatError } from '../storage/metadata.js'

const CLOCK_ROWS = 64

/** Counts the committed keys whose rows begin with `prefix`, some at a time; an empty prefix is that of all namespaces. */
export class KeyCounter {
  keys = 0
  /** Keys that will expire. */
  expires = 0
  /** Keys that have expired and are still stored. */
  expired = 0
  /** Sum of the times to live of those that will expire, in milliseconds. */
  ttlMs = 0
  readonly #rocks: RocksDB
  readonly #upper: Buffer | undefined
  #lower: Bytes

  constructor(rocks: RocksDB, prefix: Bytes) {
    this.#rocks = rocks
    this.#lower = prefix
    this.#upper = prefix.length === 0 ? undefined : prefixEnd(prefix)
  }

  /** Counts on for about `budgetMs`. True after the last key. */
  step(nowMs: number, budgetMs: number): boolean {
    const endMs = performance.now() + budgetMs
    const upper = this.#upper
    using rows = this.#rocks.iterator({
      cf: CF_METADATA,
      lower: this.#lower,
      ...(upper && { upper }),
      fillCache: false,
    })
    for (let row = 1; rows.next(); row++) {
      this.#count(rows.value, nowMs)
      if (row % CLOCK_ROWS !== 0 || performance.now() < endMs) continue
      // The next key after this one.
      this.#lower = Buffer.concat([copy(rows.key), Buffer.alloc(1)])
      return false
    }
    return true
  }

  #count(row: Bytes, nowMs: number): void {
    try {
      checkRow(row)
    } catch (error) {
      if (error instanceof MetadataFormatError) return
      throw error
    }
    if (isExpired(row, nowMs)) {
      this.expired++
      return
    }
    this.keys++
    const expireMs = expireMsOf(row)
    if (expireMs === 0) return
    this.expires++
    this.ttlMs += expireMs - nowMs
  }
}

const NOW_BUDGET_MS = 4

/**
 * The number of keys, if they can be counted within some 4 ms; undefined if they are too many. What the turn has
 * written is committed first, or, inside a transaction, not counted.
 */
export function countKeysNow(db: Database, rocks: RocksDB, prefix: Bytes): number | undefined {
  if (!db.turn.isHeld) db.turn.commit()
  const counter = new KeyCounter(rocks, prefix)
  return counter.step(db.nowMs, NOW_BUDGET_MS) ? counter.keys : undefined
}
