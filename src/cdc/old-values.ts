/**
 * What a row held before a change. The log does not say it, so for a reader that has come to its end a snapshot of RocksDB
 * is kept until it asks for more: what was written since is compared with that, and with what the log itself told before.
 * A reader that is far behind, or that comes back late, learns no more than its own page tells.
 */

import type { Bytes } from '../bytes/bytes.js'
import { formatDouble, readSortableDouble } from '../bytes/double.js'
import type { Snapshot } from '../rocksdb/snapshot.js'
import type { ColumnFamily } from '../storage/column-family.js'
import { hasFieldExpiry } from '../storage/log-data.js'
import { headerSize, isExpired, rowType, TYPE_STRING } from '../storage/metadata.js'
import type { Store } from '../storage/store.js'
import type { Change } from './change.js'
import { readOperations } from './operations.js'

/** Before a change: a value, undefined for nothing, `unknown` where it cannot be read any more or has no plain form. */
export type OldValue = Bytes | undefined | 'unknown'

const PLACES_MAX = 16
const IDLE_MS_MAX = 60_000

interface Place {
  readonly snapshot: Snapshot
  readonly keptAtMs: number
}

export class OldValues {
  readonly #store: Store
  /** By the sequence at which they stand, the oldest first. */
  readonly #places = new Map<number, Place>()

  constructor(store: Store) {
    this.#store = store
  }

  /** What a reader that has everything up to `after` may learn of the changes that follow. */
  reader(after: number): OldValueReader {
    return new OldValueReader(this.#store, this.#places.get(after)?.snapshot)
  }

  /** A reader has come to `position`: keeps what is there now, if nothing follows yet. */
  keep(position: number, nowMs: number): void {
    const { rocks, turn } = this.#store
    if (position !== rocks.latestSequence() || turn.isDirty || this.#places.has(position)) return
    const [oldest] = this.#places.keys()
    if (this.#places.size >= PLACES_MAX && oldest !== undefined) this.#drop(oldest)
    this.#places.set(position, { snapshot: rocks.snapshot(), keptAtMs: nowMs })
  }

  closeIdle(nowMs: number): void {
    for (const [position, { keptAtMs }] of this.#places) if (nowMs - keptAtMs >= IDLE_MS_MAX) this.#drop(position)
  }

  closeAll(): void {
    for (const position of [...this.#places.keys()]) this.#drop(position)
  }

  #drop(position: number): void {
    this.#places.get(position)?.snapshot.release()
    this.#places.delete(position)
  }
}

/** Reads the batches of one page, in their order. */
export class OldValueReader {
  readonly #store: Store
  #snapshot: Snapshot | undefined
  /** Rows that were written since the page began; null = deleted. */
  readonly #seen = new Map<string, Bytes | null>()

  constructor(store: Store, snapshot: Snapshot | undefined) {
    this.#store = store
    this.#snapshot = snapshot
  }

  /** The old values of changes of a batch, by their sequences. */
  ofBatch(batch: Bytes, changes: readonly Change[]): Map<number, OldValue> {
    const wanted = new Map(changes.map((change) => [change.sequence, change]))
    const found = new Map<number, OldValue>()
    for (const { rows, log } of readOperations(batch).operations) {
      // Their values begin with their expiry, or did not before this operation.
      const hasExpiringFields = log !== undefined && hasFieldExpiry(log)
      for (const { kind, cf, key, value, sequence } of rows) {
        const change = wanted.get(sequence)
        if (kind === 'range') {
          // What lay in it can no longer be told from what did not.
          this.#seen.clear()
          this.#snapshot = undefined
          if (change !== undefined) found.set(sequence, 'unknown')
          continue
        }
        const id = `${cf}:${key.latin1Slice(0)}`
        if (change !== undefined) {
          found.set(sequence, hasExpiringFields ? 'unknown' : this.#valueOf(change, this.#rowAt(id, cf, key)))
        }
        this.#seen.set(id, kind === 'put' ? value : null)
      }
    }
    return found
  }

  #rowAt(id: string, cf: ColumnFamily, key: Bytes): Bytes | null | 'unknown' {
    const seen = this.#seen.get(id)
    if (seen !== undefined) return seen
    if (this.#snapshot === undefined) return 'unknown'
    return this.#store.rocks.get(cf, key, { snapshot: this.#snapshot.id }) ?? null
  }

  #valueOf({ type, command, op }: Change, row: Bytes | null | 'unknown'): OldValue {
    if (row === 'unknown') return 'unknown'
    const name = command?.[0]?.latin1Slice(0)
    if (type === 'string' || type === 'none' || op === 'ttl') {
      if (row === null || isExpired(row, this.#store.turn.nowMs)) return undefined
      return rowType(row) === TYPE_STRING ? row.subarray(headerSize(row)) : 'unknown'
    }
    if (name === 'HSET' || name === 'HDEL') return row ?? undefined
    if (name === 'ZADD' || name === 'ZREM') {
      return row === null ? undefined : Buffer.from(formatDouble(readSortableDouble(row, 0)))
    }
    return 'unknown'
  }
}
