/**
 * Hashes: metadata, and one row a field in the default column family: sub-key = field, value = value, behind the field's
 * expiry if fields of the hash ever had one (hash-fields.ts).
 * Source: kvrocks src/types/redis_hash.cc.
 */

import type { Bytes } from '../bytes/bytes.js'
import { addInt64, decimal, type Int64, parseInt64 } from '../bytes/int64.js'
import { addLongDouble, formatLongDouble, type LongDouble, parseLongDouble } from '../bytes/long-double.js'
import { err, NAN_OR_INFINITY, OVERFLOW } from '../protocol/errors.js'
import type { Database } from '../storage/database.js'
import { TYPE_HASH } from '../storage/metadata.js'
import { readMetadata } from '../storage/rows.js'
import type { SubkeyScan } from '../storage/subkeys.js'
import { type FieldRows, HashFields, liveSize, liveValue, type OnExpired, openRows, rowsOf } from './hash-fields.js'
import { type DrawSource, drawRows } from './reservoir.js'
import type { SampledRow } from './sample.js'

const HASH_VALUE_NOT_INTEGER = err('hash value is not an integer')
const HASH_VALUE_NOT_FLOAT = err('hash value is not a float')

export type FieldValue = readonly [field: Bytes, value: Bytes]

/** Number of fields. Throws WRONG_TYPE, as all functions here do. Walks the fields only if some may have expired. */
export function size(db: Database, key: Bytes): number {
  const metadata = readMetadata(db, key, TYPE_HASH)
  return metadata === undefined ? 0 : liveSize(db, rowsOf(db, key, metadata), metadata)
}

export function get(db: Database, key: Bytes, field: Bytes): Bytes | undefined {
  const metadata = readMetadata(db, key, TYPE_HASH)
  if (metadata === undefined) return undefined
  return liveValue(rowsOf(db, key, metadata).get(field), metadata, db.nowMs)
}

/** The values in the order of `fields`. */
export function getMany(db: Database, key: Bytes, fields: readonly Bytes[]): (Bytes | undefined)[] {
  const metadata = readMetadata(db, key, TYPE_HASH)
  if (metadata === undefined) return fields.map(() => undefined)
  return rowsOf(db, key, metadata)
    .getMany(fields)
    .map((row) => liveValue(row, metadata, db.nowMs))
}

export interface SetOptions {
  /** Fields that exist are left alone. */
  readonly onlyNew?: boolean
  /** When the key shall expire, in Unix milliseconds; undefined = as before. */
  readonly expireMs?: number
  readonly onExpired?: OnExpired
}

/**
 * Sets fields, which then never expire; of one that occurs twice the last value stays. Returns the number of fields that
 * are new. Rows are written from the last pair to the first, as Kvrocks does.
 */
export function set(db: Database, key: Bytes, pairs: readonly FieldValue[], options: SetOptions = {}): number {
  const hash = HashFields.make(
    db,
    key,
    pairs.map(([field]) => field),
    options.onExpired,
  )
  if (options.expireMs !== undefined) hash.expireKey(options.expireMs)
  const seen = pairs.length > 1 ? new Set<string>() : undefined
  let added = 0
  for (let at = pairs.length - 1; at >= 0; at--) {
    const [field, value] = pairs[at] as FieldValue
    if (seen !== undefined) {
      const name = field.latin1Slice()
      if (seen.has(name)) continue
      seen.add(name)
    }
    const present = hash.find(field)
    if (present === undefined) added++
    else if (options.onlyNew === true || (present.expireMs === 0 && present.value.equals(value))) continue
    hash.put(field, value, 0, present)
  }
  hash.finish()
  return added
}

/** Removes fields. Returns how many there were. The last field takes the key with it. */
export function remove(
  db: Database,
  key: Bytes,
  names: readonly Bytes[],
  onExpired?: OnExpired,
): { removed: number; isEmpty: boolean } {
  const hash = HashFields.open(db, key, names, onExpired)
  if (hash === undefined) return { removed: 0, isEmpty: false }
  let removed = 0
  for (const name of names) {
    // A field named twice is not seen again: the overlay has it deleted.
    const present = hash.find(name)
    if (present === undefined) continue
    removed++
    hash.delete(name, present)
  }
  const isEmpty = hash.finish()
  return { removed, isEmpty: removed > 0 && isEmpty }
}

/** Adds `delta` to the number in a field, 0 if absent. Returns the sum. Throws OVERFLOW. The field's expiry stays. */
export function increment(db: Database, key: Bytes, field: Bytes, delta: Int64, onExpired?: OnExpired): Int64 {
  const hash = HashFields.make(db, key, [field], onExpired)
  const present = hash.find(field)
  const current = present === undefined ? 0 : parseInt64(present.value)
  if (current === undefined) throw HASH_VALUE_NOT_INTEGER
  const sum = addInt64(current, delta)
  if (sum === undefined) throw OVERFLOW
  hash.put(field, decimal(sum), present?.expireMs ?? 0, present)
  hash.finish()
  return sum
}

/** Adds `delta` to the number in a field, 0 if absent. Returns the sum as stored. The field's expiry stays. */
export function incrementFloat(
  db: Database,
  key: Bytes,
  field: Bytes,
  delta: LongDouble,
  onExpired?: OnExpired,
): Bytes {
  const hash = HashFields.make(db, key, [field], onExpired)
  const present = hash.find(field)
  const current = present === undefined ? ZERO : parseLongDouble(present.value)
  if (current === undefined) throw HASH_VALUE_NOT_FLOAT
  const sum = current === 'infinite' ? undefined : addLongDouble(current, delta)
  if (sum === undefined) throw NAN_OR_INFINITY
  const text = Buffer.from(formatLongDouble(sum), 'latin1')
  hash.put(field, text, present?.expireMs ?? 0, present)
  hash.finish()
  return text
}

/** A scan of the fields in byte order, and their number; undefined if the key is absent. */
export interface FieldScan {
  /** Counted when it is asked for. */
  readonly size: number
  open(range?: SubkeyScan): FieldRows
}

export function scan(db: Database, key: Bytes): FieldScan | undefined {
  const metadata = readMetadata(db, key, TYPE_HASH)
  if (metadata === undefined) return undefined
  const rows = rowsOf(db, Buffer.from(key), metadata)
  const { nowMs } = db
  return {
    get size() {
      return liveSize(db, rows, metadata)
    },
    open: (range) => openRows(rows, metadata, nowMs, range),
  }
}

/** Random fields: see `drawRows` for `count`. Without `values` those are not to be looked at. */
export function sample(db: Database, key: Bytes, count: number, values: boolean): SampledRow[] {
  const metadata = readMetadata(db, key, TYPE_HASH)
  if (metadata === undefined) return []
  const rows = rowsOf(db, key, metadata)
  const source: DrawSource = {
    rows,
    rowsMax: metadata.size,
    size: () => liveSize(db, rows, metadata),
    open: (withValues) => openRows(rows, metadata, db.nowMs, { values: withValues }),
    valueOf: (row) => liveValue(row, metadata, db.nowMs),
  }
  return drawRows(db, source, count, values)
}

const ZERO: LongDouble = { mantissa: 0n, exponent: 0 }
