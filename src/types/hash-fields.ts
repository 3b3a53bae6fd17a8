/**
 * The fields of one hash as rows. A hash begins with bare values; the first expiry that is given to a field puts an expiry
 * before all its values, and from then on the metadata counts those that never expire (metadata.ts, FieldExpiry).
 *
 * Fields that have expired are absent to all readers, which write nothing. They are deleted by the sweep, or by the next
 * write before it does anything else: of a small hash all of them, so that its metadata is exact and it vanishes with its
 * last field; of a larger one those that the write names.
 *
 * Source: kvrocks src/types/redis_hash.cc, HashFieldState; Kvrocks refuses an expiry where values are bare.
 */

import { type Bytes, equals } from '../bytes/bytes.js'
import { CF_DEFAULT } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import { FIELD_EXPIRY_LOG_DATA, FIELDS_EXPIRED_LOG_DATA } from '../storage/log-data.js'
import {
  encodeMetadata,
  type FieldExpiry,
  fieldExpireMs,
  fieldExpiryOf,
  fieldExpiryTail,
  fieldValue,
  type Metadata,
  storedField,
  TYPE_HASH,
} from '../storage/metadata.js'
import type { BulkSink, RowWalk } from '../storage/row-cursor.js'
import { isFresh, readMetadata, readOrFreshMetadata } from '../storage/rows.js'
import type { SubkeyScan, Subkeys } from '../storage/subkeys.js'

/** Called once if a write deleted fields that had expired. */
export type OnExpired = () => void

/** Live fields and their values. */
export interface FieldRows extends RowWalk {
  /** Unix milliseconds; undefined or 0 = never. */
  readonly expireMs?: number
}

export interface StoredField {
  readonly value: Bytes
  /** Unix milliseconds; 0 = never. */
  readonly expireMs: number
}

/** Hashes of up to so many rows are read whole before a write, if fields may expire. */
const EXACT_ROWS_MAX = 128

export function rowsOf(db: Database, key: Bytes, { version }: Metadata): Subkeys {
  return db.subkeys(CF_DEFAULT, key, version)
}

/** The value in a row; undefined if there is none or it has expired. */
export function liveValue(row: Bytes | undefined, metadata: Metadata, nowMs: number): Bytes | undefined {
  if (row === undefined || metadata.tail.length === 0 || fieldExpiryOf(metadata) === undefined) return row
  return hasExpired(fieldExpireMs(row), nowMs) ? undefined : fieldValue(row)
}

/** Number of fields that have not expired. */
export function liveSize(db: Database, rows: Subkeys, metadata: Metadata): number {
  const expiry = fieldExpiryOf(metadata)
  if (expiry === undefined || expiry.persistent === metadata.size || db.nowMs <= expiry.earliestMs) return metadata.size
  using walk = openRows(rows, metadata, db.nowMs)
  let count = 0
  while (walk.next()) count++
  return count
}

/** Walks the fields that are alive at `nowMs`. */
export function openRows(rows: Subkeys, metadata: Metadata, nowMs: number, range: SubkeyScan = {}): FieldRows {
  if (fieldExpiryOf(metadata) === undefined) return rows.scan(range)
  return new LiveRows(rows.scan({ ...range, values: true }), nowMs)
}

function hasExpired(expireMs: number, nowMs: number): boolean {
  return expireMs !== 0 && expireMs < nowMs
}

class LiveRows implements FieldRows {
  readonly #rows: RowWalk
  readonly #nowMs: number
  expireMs = 0

  constructor(rows: RowWalk, nowMs: number) {
    this.#rows = rows
    this.#nowMs = nowMs
  }

  get key(): Bytes {
    return this.#rows.key
  }

  get value(): Bytes {
    return fieldValue(this.#rows.value)
  }

  next(): boolean {
    while (this.#rows.next()) {
      this.expireMs = fieldExpireMs(this.#rows.value)
      if (!hasExpired(this.expireMs, this.#nowMs)) return true
    }
    return false
  }

  writeKey(to: BulkSink, skip = 0): void {
    this.#rows.writeKey(to, skip)
  }

  writeValue(to: BulkSink): void {
    const value = this.#rows.value
    to.bulkPart(value, value.length - this.value.length, value.length)
  }

  close(): void {
    this.#rows.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** A hash that is being changed: `find`, then `put` or `delete`, and `finish` at the end, which writes the metadata. */
export class HashFields {
  readonly #db: Database
  readonly #key: Bytes
  readonly #metadata: Metadata
  readonly #rows: Subkeys
  readonly #hasRows: boolean
  readonly #onExpired: OnExpired | undefined
  /** The metadata as they stand, so that they are only written if they change. */
  readonly #before: Readonly<Pick<Metadata, 'size' | 'expireMs' | 'tail'>>
  #expiry: FieldExpiry | undefined
  /** When each field expires, by its name in latin1; undefined if fields cannot expire or are many. */
  #times: Map<string, number> | undefined
  #expired = 0
  /** A field was put or deleted. */
  #hasWritten = false

  private constructor(db: Database, key: Bytes, metadata: Metadata, names: readonly Bytes[], onExpired?: OnExpired) {
    this.#db = db
    this.#key = key
    this.#metadata = metadata
    this.#rows = rowsOf(db, key, metadata)
    this.#hasRows = !isFresh(metadata)
    this.#onExpired = onExpired
    this.#before = { size: metadata.size, expireMs: metadata.expireMs, tail: metadata.tail }
    this.#expiry = fieldExpiryOf(metadata)
    if (this.#expiry !== undefined) this.#dropExpired(this.#readTimes() ?? names)
    db.logData(this.#expiry === undefined ? TYPE_HASH : FIELD_EXPIRY_LOG_DATA)
  }

  /** The hash at `key`, of which the fields `names` are going to be changed; undefined if absent. Throws WRONG_TYPE. */
  static open(db: Database, key: Bytes, names: readonly Bytes[], onExpired?: OnExpired): HashFields | undefined {
    const metadata = readMetadata(db, key, TYPE_HASH)
    return metadata === undefined ? undefined : new HashFields(db, key, metadata, names, onExpired)
  }

  /** The same, or a new one. */
  static make(db: Database, key: Bytes, names: readonly Bytes[], onExpired?: OnExpired): HashFields {
    return new HashFields(db, key, readOrFreshMetadata(db, key, TYPE_HASH), names, onExpired)
  }

  /** A field that was named when the hash was opened. */
  find(field: Bytes): StoredField | undefined {
    const row = this.#hasRows || this.#times !== undefined ? this.#rows.get(field) : undefined
    if (row === undefined) return undefined
    if (this.#expiry === undefined) return { value: row, expireMs: 0 }
    return { value: fieldValue(row), expireMs: fieldExpireMs(row) }
  }

  /** Makes values carry an expiry. All rows are written again where they were bare: call it before other writes. */
  allowExpiry(): void {
    if (this.#expiry !== undefined) return
    const isSmall = this.#metadata.size <= EXACT_ROWS_MAX
    using rows = this.#hasRows ? this.#rows.scan() : undefined
    this.#db.logData(FIELD_EXPIRY_LOG_DATA)
    this.#expiry = { persistent: this.#metadata.size, earliestMs: 0, latestMs: 0 }
    this.#times = isSmall ? new Map() : undefined
    if (this.#metadata.size > 0) this.#hasWritten = true
    while (rows?.next() === true) {
      this.#times?.set(rows.key.latin1Slice(0), 0)
      this.#rows.put(rows.key, storedField(rows.value, 0))
    }
  }

  /** Writes a field, of which `before` was found. `expireMs` in Unix milliseconds; other than 0 needs `allowExpiry`. */
  put(field: Bytes, value: Bytes, expireMs: number, before: StoredField | undefined): void {
    this.#rows.put(field, this.#expiry === undefined ? value : storedField(value, expireMs))
    this.#hasWritten = true
    this.#db.turn.expiries.noteField(expireMs)
    const expiring = this.#metadata.size - (this.#expiry?.persistent ?? 0)
    if (before === undefined) this.#metadata.size++
    if (this.#expiry === undefined) return
    this.#times?.set(field.latin1Slice(0), expireMs)
    if (before?.expireMs === 0) this.#expiry.persistent--
    if (expireMs === 0) this.#expiry.persistent++
    else widen(this.#expiry, expireMs, expiring === 0)
  }

  /** Deletes a field, of which `before` was found. */
  delete(field: Bytes, before: StoredField): void {
    this.#rows.delete(field)
    this.#hasWritten = true
    this.#metadata.size = Math.max(0, this.#metadata.size - 1)
    this.#times?.delete(field.latin1Slice(0))
    if (this.#expiry !== undefined && before.expireMs === 0) this.#expiry.persistent--
  }

  /** Makes the key itself expire at `expireMs`, Unix milliseconds. */
  expireKey(expireMs: number): void {
    this.#metadata.expireMs = expireMs
  }

  /** Writes the metadata if it has changed. Returns true if the hash had fields and has none left. */
  finish(): boolean {
    const metadata = this.#metadata
    if (this.#expiry !== undefined) {
      if (this.#times !== undefined) this.#count(this.#times, this.#expiry)
      this.#expiry.persistent = Math.max(0, Math.min(this.#expiry.persistent, metadata.size))
      if (this.#expiry.persistent === metadata.size) Object.assign(this.#expiry, { earliestMs: 0, latestMs: 0 })
      metadata.tail = fieldExpiryTail(this.#expiry)
    }
    if (this.#hasRows ? this.#isChanged() : metadata.size > 0) {
      // Without rows beside it, and with the expiry that the key had, it only tells what is left.
      if (!this.#hasWritten && metadata.expireMs === this.#before.expireMs) this.#db.logData(FIELDS_EXPIRED_LOG_DATA)
      this.#db.putMetadata(this.#key, encodeMetadata(metadata))
    }
    if (this.#expired > 0) this.#onExpired?.()
    return this.#hasRows && metadata.size === 0
  }

  #isChanged(): boolean {
    const { size, expireMs, tail } = this.#metadata
    return size !== this.#before.size || expireMs !== this.#before.expireMs || !equals(tail, this.#before.tail)
  }

  /** Deletes those of `names` that have expired, as an operation of its own. */
  #dropExpired(names: readonly Bytes[]): void {
    this.#db.turn.aside(FIELDS_EXPIRED_LOG_DATA, () => {
      for (const name of names) {
        const field = this.find(name)
        if (field === undefined || !hasExpired(field.expireMs, this.#db.nowMs)) continue
        this.#rows.delete(name)
        this.#metadata.size = Math.max(0, this.#metadata.size - 1)
        this.#expired++
      }
    })
  }

  /** Reads when the fields of a small hash expire. Returns the names of those that have; undefined of a larger one. */
  #readTimes(): Bytes[] | undefined {
    if (this.#metadata.size > EXACT_ROWS_MAX) return undefined
    this.#times = new Map()
    const expired: Bytes[] = []
    using rows = this.#rows.scan()
    while (rows.next()) {
      const expireMs = fieldExpireMs(rows.value)
      if (hasExpired(expireMs, this.#db.nowMs)) expired.push(Buffer.from(rows.key))
      else this.#times.set(rows.key.latin1Slice(0), expireMs)
    }
    return expired
  }

  #count(times: ReadonlyMap<string, number>, expiry: FieldExpiry): void {
    Object.assign(expiry, { persistent: 0, earliestMs: 0, latestMs: 0 })
    this.#metadata.size = times.size
    for (const expireMs of times.values()) {
      if (expireMs === 0) expiry.persistent++
      else widen(expiry, expireMs, expiry.latestMs === 0)
    }
  }
}

function widen(expiry: FieldExpiry, expireMs: number, isFirst: boolean): void {
  expiry.earliestMs = isFirst ? expireMs : Math.min(expiry.earliestMs, expireMs)
  expiry.latestMs = isFirst ? expireMs : Math.max(expiry.latestMs, expireMs)
}
