/**
 * Hashes: metadata, and one row a field in the default column family: sub-key = field, value = value.
 * Source: kvrocks src/types/redis_hash.cc.
 */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import { addInt64, decimal, type Int64, parseInt64 } from '../bytes/int64.js'
import { addLongDouble, formatLongDouble, type LongDouble, parseLongDouble } from '../bytes/long-double.js'
import { err, NAN_OR_INFINITY, OVERFLOW } from '../protocol/errors.js'
import { CF_DEFAULT } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import { encodeMetadata, type Metadata, TYPE_HASH } from '../storage/metadata.js'
import type { RowCursor } from '../storage/row-cursor.js'
import { isFresh, readMetadata, readOrFreshMetadata } from '../storage/rows.js'
import type { SubkeyScan, Subkeys } from '../storage/subkeys.js'

const HASH_VALUE_NOT_INTEGER = err('hash value is not an integer')
const HASH_VALUE_NOT_FLOAT = err('hash value is not a float')

export type FieldValue = readonly [field: Bytes, value: Bytes]

/** Number of fields. Throws WRONG_TYPE, as all functions here do. */
export function size(db: Database, key: Bytes): number {
  return readMetadata(db, key, TYPE_HASH)?.size ?? 0
}

export function get(db: Database, key: Bytes, field: Bytes): Bytes | undefined {
  const metadata = readMetadata(db, key, TYPE_HASH)
  return metadata === undefined ? undefined : fieldsOf(db, key, metadata).get(field)
}

/** The values in the order of `fields`. */
export function getMany(db: Database, key: Bytes, fields: readonly Bytes[]): (Bytes | undefined)[] {
  const metadata = readMetadata(db, key, TYPE_HASH)
  if (metadata === undefined) return fields.map(() => undefined)
  return fieldsOf(db, key, metadata).getMany(fields)
}

/**
 * Sets fields; of one that occurs twice the last value stays. With `onlyNew`, fields that exist are left alone.
 * Returns the number of fields that are new. Rows are written from the last pair to the first, as Kvrocks does.
 */
export function set(db: Database, key: Bytes, pairs: readonly FieldValue[], onlyNew = false): number {
  const metadata = readOrFreshMetadata(db, key, TYPE_HASH)
  const fields = fieldsOf(db, key, metadata)
  const hasRows = !isFresh(metadata)
  const seen = pairs.length > 1 ? new Set<string>() : undefined
  let added = 0
  db.logData(TYPE_HASH)
  for (let at = pairs.length - 1; at >= 0; at--) {
    const [field, value] = pairs[at] as FieldValue
    if (seen !== undefined) {
      const name = field.latin1Slice()
      if (seen.has(name)) continue
      seen.add(name)
    }
    const present = hasRows ? fields.get(field) : undefined
    if (present !== undefined && (onlyNew || present.equals(value))) continue
    if (present === undefined) added++
    fields.put(field, value)
  }
  if (added > 0) resize(db, key, metadata, added)
  return added
}

/** Removes fields. Returns how many there were. The last field takes the key with it. */
export function remove(db: Database, key: Bytes, names: readonly Bytes[]): { removed: number; isEmpty: boolean } {
  const metadata = readMetadata(db, key, TYPE_HASH)
  if (metadata === undefined) return { removed: 0, isEmpty: false }
  const fields = fieldsOf(db, key, metadata)
  let removed = 0
  db.logData(TYPE_HASH)
  for (const name of names) {
    // A field named twice is not seen again: the overlay has it deleted.
    if (!fields.has(name)) continue
    fields.delete(name)
    removed++
  }
  if (removed > 0) resize(db, key, metadata, -removed)
  return { removed, isEmpty: removed > 0 && metadata.size === 0 }
}

/** Adds `delta` to the number in a field, 0 if absent. Returns the sum. Throws OVERFLOW. */
export function increment(db: Database, key: Bytes, field: Bytes, delta: Int64): Int64 {
  const { fields, metadata, present } = readForUpdate(db, key, field)
  const current = present === undefined ? 0 : parseInt64(present)
  if (current === undefined) throw HASH_VALUE_NOT_INTEGER
  const sum = addInt64(current, delta)
  if (sum === undefined) throw OVERFLOW
  db.logData(TYPE_HASH)
  fields.put(field, decimal(sum))
  if (present === undefined) resize(db, key, metadata, 1)
  return sum
}

/** Adds `delta` to the number in a field, 0 if absent. Returns the sum as stored. */
export function incrementFloat(db: Database, key: Bytes, field: Bytes, delta: LongDouble): Bytes {
  const { fields, metadata, present } = readForUpdate(db, key, field)
  const current = present === undefined ? ZERO : parseLongDouble(present)
  if (current === undefined) throw HASH_VALUE_NOT_FLOAT
  const sum = current === 'infinite' ? undefined : addLongDouble(current, delta)
  if (sum === undefined) throw NAN_OR_INFINITY
  const text = Buffer.from(formatLongDouble(sum), 'latin1')
  db.logData(TYPE_HASH)
  fields.put(field, text)
  if (present === undefined) resize(db, key, metadata, 1)
  return text
}

/** A scan of the fields in byte order, and their number; undefined if the key is absent. */
export interface FieldScan {
  readonly size: number
  open(range?: SubkeyScan): RowCursor
}

export function scan(db: Database, key: Bytes): FieldScan | undefined {
  const metadata = readMetadata(db, key, TYPE_HASH)
  if (metadata === undefined) return undefined
  const fields = fieldsOf(db, Buffer.from(key), metadata)
  return { size: metadata.size, open: (range) => fields.scan(range) }
}

interface ForUpdate {
  readonly metadata: Metadata
  readonly fields: Subkeys
  readonly present: Bytes | undefined
}

function readForUpdate(db: Database, key: Bytes, field: Bytes): ForUpdate {
  const metadata = readOrFreshMetadata(db, key, TYPE_HASH)
  const fields = fieldsOf(db, key, metadata)
  return { metadata, fields, present: isFresh(metadata) ? undefined : fields.get(field) }
}

function fieldsOf(db: Database, key: Bytes, metadata: Metadata): Subkeys {
  return db.subkeys(CF_DEFAULT, key, metadata.version)
}

function resize(db: Database, key: Bytes, metadata: Metadata, change: number): void {
  metadata.size += change
  db.putMetadata(key, encodeMetadata(metadata))
}

const ZERO: LongDouble = { mantissa: 0n, exponent: 0 }

/** Where a range of fields begins and ends; undefined bounds are open. */
export interface LexRange {
  readonly min: Bytes | undefined
  readonly minExclusive: boolean
  readonly max: Bytes | undefined
  readonly maxExclusive: boolean
}

/** The range as first sub-key, inclusive, and end, exclusive. */
export function lexBounds({ min, minExclusive, max, maxExclusive }: LexRange): SubkeyScan {
  const after = (bytes: Bytes): Bytes => Buffer.concat([bytes, Buffer.of(0)])
  const from = min === undefined ? EMPTY : minExclusive ? after(min) : Buffer.from(min)
  if (max === undefined) return { from }
  return { from, to: maxExclusive ? Buffer.from(max) : after(max) }
}
