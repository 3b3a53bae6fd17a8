/**
 * What a row held before a change. The log does not say it, so for a reader that has come to its end a snapshot of RocksDB
 * is kept until it asks for more: what was written since is compared with that, and with what the log itself told before.
 * A reader that is far behind, or that comes back late, learns no more than its own page tells.
 */

import { type Bytes, EMPTY, latin1 } from '../bytes/bytes.js'
import type { Snapshot } from '../rocksdb/snapshot.js'
import { CF_DEFAULT, CF_METADATA, CF_STREAM, type ColumnFamily } from '../storage/column-family.js'
import { parseInternalKey } from '../storage/keys.js'
import { hasFieldExpiry } from '../storage/log-data.js'
import { decodeMetadata, fieldExpiryOf, isReadable, rowType, TYPE_HASH } from '../storage/metadata.js'
import type { Store } from '../storage/store.js'
import type { Change, OldValue } from './change.js'
import { type ChangedRow, oldValueOf, type RowBefore, type RowsBefore } from './old-value-of.js'
import { nsKeyOf, type Operation, type Row, readOperations } from './operations.js'

const PLACES_MAX = 16
const IDLE_MS_MAX = 60_000

interface Place {
  readonly snapshot: Snapshot
  keptAtMs: number
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

  /** A reader has come to `position`, or is still there: keeps what is there now, if nothing follows yet. */
  keep(position: number, nowMs: number): void {
    const { rocks } = this.#store
    const place = this.#places.get(position)
    if (place !== undefined) place.keptAtMs = nowMs
    if (place !== undefined || position !== rocks.latestSequence()) return
    const snapshot = rocks.snapshot()
    if (snapshot.sequence !== position) {
      // The thread that commits was faster.
      snapshot.release()
      return
    }
    const [oldest] = this.#places.keys()
    if (this.#places.size >= PLACES_MAX && oldest !== undefined) this.#drop(oldest)
    this.#places.set(position, { snapshot, keptAtMs: nowMs })
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

/** A row that was written since the page began. */
interface SeenRow {
  /** Null = deleted. */
  readonly value: Bytes | null
  /** Of a hash: the value begins with its expiry. */
  readonly hasExpiry: boolean
}

/** Reads the batches of one page, in their order. */
export class OldValueReader implements RowsBefore {
  readonly #store: Store
  #snapshot: Snapshot | undefined
  readonly #seen = new Map<string, SeenRow>()
  /** What `#seen` said of metadata rows before the operation that is read wrote them. */
  readonly #metadataBefore = new Map<string, SeenRow | undefined>()

  constructor(store: Store, snapshot: Snapshot | undefined) {
    this.#store = store
    this.#snapshot = snapshot
  }

  /** The old values of changes of a batch, by their sequences. */
  ofBatch(batch: Bytes, changes: readonly Change[]): Map<number, OldValue> {
    const wanted = new Map(changes.map((change) => [change.sequence, change]))
    const found = new Map<number, OldValue>()
    for (const operation of readOperations(batch).operations) this.#ofOperation(operation, wanted, found)
    return found
  }

  #ofOperation(operation: Operation, wanted: ReadonlyMap<number, Change>, found: Map<number, OldValue>): void {
    const hasExpiry = hasFieldExpiry(operation.log)
    this.#metadataBefore.clear()
    for (const row of operation.rows) {
      const change = wanted.get(row.sequence)
      if (row.kind === 'range') {
        // What lay in it can no longer be told from what did not.
        this.#seen.clear()
        this.#snapshot = undefined
        if (change !== undefined) found.set(row.sequence, 'unknown')
        continue
      }
      if (change !== undefined) found.set(row.sequence, oldValueOf(change, this.#changed(row, operation)))
      const id = idOf(row.cf, row.key)
      if (row.cf === CF_METADATA && !this.#metadataBefore.has(id)) this.#metadataBefore.set(id, this.#seen.get(id))
      this.#seen.set(id, { value: row.kind === 'put' ? row.value : null, hasExpiry })
    }
  }

  #changed(row: Row, operation: Operation): ChangedRow {
    const isElement = row.cf === CF_DEFAULT || row.cf === CF_STREAM
    const subKey = isElement ? parseInternalKey(row.key, this.#store.slotEncoded)?.subKey : undefined
    return { row, operation, subKey: subKey ?? EMPTY, before: this }
  }

  /** What a row held before the operation, or before its last change by the operation. */
  row(cf: ColumnFamily, key: Bytes): RowBefore {
    const seen = this.#seen.get(idOf(cf, key))
    return seen === undefined ? this.#read(cf, key) : seen.value
  }

  /** The metadata row of the key that an element belongs to, before the operation. */
  metadata(internalKey: Bytes): RowBefore {
    const nsKey = nsKeyOf(internalKey, this.#store.slotEncoded)
    if (nsKey === undefined) return 'unknown'
    const id = `${CF_METADATA}:${nsKey}`
    const seen = this.#metadataBefore.has(id) ? this.#metadataBefore.get(id) : this.#seen.get(id)
    return seen === undefined ? this.#read(CF_METADATA, latin1(nsKey)) : seen.value
  }

  /** True if the value of a field begins with its expiry before the operation; `unknown` where that is not known. */
  fieldHasExpiry({ cf, key }: Row): boolean | 'unknown' {
    const seen = this.#seen.get(idOf(cf, key))
    if (seen !== undefined) return seen.hasExpiry
    const nsKey = nsKeyOf(key, this.#store.slotEncoded)
    const stored = nsKey === undefined ? 'unknown' : this.#read(CF_METADATA, latin1(nsKey))
    if (stored === 'unknown' || stored === null || !isReadable(stored)) return 'unknown'
    const version = parseInternalKey(key, this.#store.slotEncoded)?.version
    if (rowType(stored) !== TYPE_HASH || version === undefined) return 'unknown'
    const metadata = decodeMetadata(stored)
    return metadata.version.equals(version) ? fieldExpiryOf(metadata) !== undefined : 'unknown'
  }

  #read(cf: ColumnFamily, key: Bytes): RowBefore {
    if (this.#snapshot === undefined) return 'unknown'
    return this.#store.rocks.get(cf, key, { snapshot: this.#snapshot.id }) ?? null
  }
}

function idOf(cf: ColumnFamily, key: Bytes): string {
  return `${cf}:${key.latin1Slice(0)}`
}
