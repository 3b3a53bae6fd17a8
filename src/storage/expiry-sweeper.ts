/**
 * Deletes keys that have expired, a few at a time, round and round through all namespaces. Readers never see them anyway;
 * the sweep is what frees their space before a compaction does, tells followers of the log, and notifies `expired`.
 * Kvrocks leaves this to compactions.
 */

import { type Bytes, copy, EMPTY } from '../bytes/bytes.js'
import { CF_METADATA } from './column-family.js'
import { parseNsKey } from './keys.js'
import { checkRow, expiredPart, isExpired, MetadataFormatError } from './metadata.js'
import type { Store } from './store.js'
import type { ExpiryListener } from './turn-listeners.js'

/** A step ends after this time … */
const BUDGET_MS = 1
/** … unless at least every fourth row of it was expired: then there is much to do. */
const BUSY_BUDGET_MS = 10
const BUSY_SHARE = 1 / 4
/** Rows between two looks at the clock. */
const CHUNK_ROWS = 64

export class ExpirySweeper {
  /** DEBUG SET-ACTIVE-EXPIRE. */
  isEnabled = true
  /** Keys deleted so far. */
  expiredCount = 0
  readonly #store: Store
  readonly #onExpired: ExpiryListener
  /** The row at which the next step begins; empty: the first. */
  #next: Bytes = EMPTY

  constructor(store: Store, onExpired: ExpiryListener) {
    this.#store = store
    this.#onExpired = onExpired
  }

  /**
   * Looks at the next rows and deletes those that are expired at `nowMs`. What it deletes belongs to the turn, which the
   * caller has committed. True if it came to the last row.
   */
  step(nowMs: number): boolean {
    const startMs = performance.now()
    let seen = 0
    let deleted = 0
    for (;;) {
      const { isLast, rowCount, expired } = this.#readChunk(nowMs)
      seen += rowCount
      for (const nsKey of expired) if (this.#delete(nsKey, nowMs)) deleted++
      const budgetMs = deleted >= seen * BUSY_SHARE ? BUSY_BUDGET_MS : BUDGET_MS
      if (isLast || performance.now() - startMs >= budgetMs) return isLast
    }
  }

  #readChunk(nowMs: number): { isLast: boolean; rowCount: number; expired: Bytes[] } {
    using rows = this.#store.rocks.iterator({ cf: CF_METADATA, lower: this.#next, fillCache: false })
    const expired: Bytes[] = []
    let rowCount = 0
    for (; rows.next(); rowCount++) {
      if (rowCount === CHUNK_ROWS) {
        this.#next = copy(rows.key)
        return { isLast: false, rowCount, expired }
      }
      if (isOver(rows.value, nowMs)) expired.push(copy(rows.key))
    }
    this.#next = EMPTY
    return { isLast: true, rowCount, expired }
  }

  /** The iterator shows what is committed; the turn may have changed the row since. */
  #delete(nsKey: Bytes, nowMs: number): boolean {
    const { turn, slotEncoded } = this.#store
    const row = turn.read(CF_METADATA, turn.compose(EMPTY, nsKey))
    if (row === undefined || !isOver(row, nowMs)) return false
    const length = turn.compose(EMPTY, nsKey)
    const part = expiredPart(row, nowMs)
    if (part === undefined) {
      turn.delete(CF_METADATA, length)
      return true
    }
    turn.deleteExpired(length)
    if (part === 'key') this.expiredCount++
    const parsed = parseNsKey(nsKey, slotEncoded)
    if (parsed !== undefined) this.#onExpired(parsed.namespace, parsed.key, part)
    return true
  }
}

function isOver(row: Bytes, nowMs: number): boolean {
  try {
    checkRow(row)
  } catch (error) {
    // What cannot be read is not ours to delete.
    if (error instanceof MetadataFormatError) return false
    throw error
  }
  return isExpired(row, nowMs)
}
