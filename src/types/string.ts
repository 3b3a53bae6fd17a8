/** Strings: one metadata row whose rest is the payload. Source: kvrocks src/types/redis_string.cc. */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import { addInt64, decimal, type Int64, parseInt64 } from '../bytes/int64.js'
import { addLongDouble, formatLongDouble, type LongDouble, parseLongDouble } from '../bytes/long-double.js'
import { NAN_OR_INFINITY, NOT_A_FLOAT, NOT_AN_INTEGER, OVERFLOW, WRONG_TYPE } from '../protocol/errors.js'
import type { Database } from '../storage/database.js'
import { checkRow, expireMsOf, freshHeader, headerSize, isExpired, rowType, TYPE_STRING } from '../storage/metadata.js'
import { checkTypedRow, readAnyRow, readRow } from '../storage/rows.js'
import { setExpireMs } from './key.js'

/** The value at `key`, or undefined. Throws WRONG_TYPE. */
export function read(db: Database, key: Bytes): Bytes | undefined {
  const row = readRow(db, key, TYPE_STRING)
  return row?.subarray(headerSize(row))
}

/** The values at `keys` in one read; those of keys of other types are what `ofOther` says. */
export function readMany(
  db: Database,
  keys: readonly Bytes[],
  ofOther: (key: Bytes) => Bytes | undefined,
): (Bytes | undefined)[] {
  return db.getMetadataOf(keys).map((row, index) => {
    if (row === undefined) {
      db.stats.misses++
      return undefined
    }
    checkRow(row)
    if (rowType(row) !== TYPE_STRING) return ofOther(keys[index] as Bytes)
    const alive = checkTypedRow(db, keys[index] as Bytes, row, TYPE_STRING)
    return alive?.subarray(headerSize(alive))
  })
}

/** Writes `value`, whatever was there, to expire at `expireMs` (Unix ms, 0 = never). */
export function write(db: Database, key: Bytes, value: Bytes, expireMs = 0): void {
  db.logData(TYPE_STRING)
  db.putMetadata(key, expireMs === 0 ? NEVER_EXPIRES : freshHeader(TYPE_STRING, expireMs), value)
}

/**
 * Writes many keys in one operation, to expire at `expireMs`, one moment for all or one for each; of a key that occurs
 * twice the last value stays. Calls `onWritten` after each, before the next comes to be.
 */
export function writeMany(
  db: Database,
  pairs: readonly (readonly [Bytes, Bytes])[],
  onWritten: (key: Bytes) => void,
  expireMs: number | readonly number[] = 0,
): void {
  db.logData(TYPE_STRING)
  pairs.forEach(([key, value], index) => {
    const ms = typeof expireMs === 'number' ? expireMs : (expireMs[index] as number)
    db.putMetadata(key, ms === 0 ? NEVER_EXPIRES : freshHeader(TYPE_STRING, ms), value)
    onWritten(key)
  })
}

/** What a conditional write finds at its key. */
export interface Current {
  /** The value, or undefined if the key is absent. */
  readonly value: Bytes | undefined
  /** When it expires, in Unix milliseconds; 0 = never, or absent. */
  readonly expireMs: number
  /** True if a key of another type is there. */
  readonly isOtherType: boolean
}

/** The string at `key` with its expiry, without an error for other types. */
export function inspect(db: Database, key: Bytes): Current {
  const row = readAnyRow(db, key)
  if (row === undefined) return { value: undefined, expireMs: 0, isOtherType: false }
  const isOtherType = rowType(row) !== TYPE_STRING
  return {
    value: isOtherType ? undefined : row.subarray(headerSize(row)),
    expireMs: expireMsOf(row),
    isOtherType,
  }
}

/** Deletes the string at `key`. The log says nothing of it, as in Kvrocks's GETDEL and CAD. */
export function remove(db: Database, key: Bytes): void {
  db.deleteMetadata(key)
}

/** Makes the string or bitmap at `key`, which exists, expire at `expireMs` (Unix ms, 0 = never). */
export function expire(db: Database, key: Bytes, expireMs: number): void {
  const row = readAnyRow(db, key)
  if (row === undefined || expireMsOf(row) === expireMs) return
  if (rowType(row) === TYPE_STRING) write(db, key, row.subarray(headerSize(row)), expireMs)
  else setExpireMs(db, key, expireMs)
}

/** Adds `delta` to the number at `key`, 0 if absent, and keeps its TTL. Returns the sum. Throws OVERFLOW. */
export function increment(db: Database, key: Bytes, delta: Int64): Int64 {
  const row = readRow(db, key, TYPE_STRING)
  const header = row === undefined ? NEVER_EXPIRES : row.subarray(0, headerSize(row))
  const sum = addInt64(row === undefined ? 0 : storedInt64(row.subarray(header.length)), delta)
  if (sum === undefined) throw OVERFLOW
  db.logData(TYPE_STRING)
  db.putMetadata(key, header, decimal(sum))
  return sum
}

/**
 * Adds `delta` to the number at `key`, 0 if absent, and keeps its TTL. Returns the sum as stored. `delta` is asked, and
 * may throw, when the present value was found good, as Redis does.
 */
export function incrementFloat(db: Database, key: Bytes, delta: () => LongDouble): Bytes {
  const row = readRow(db, key, TYPE_STRING)
  const header = row === undefined ? NEVER_EXPIRES : row.subarray(0, headerSize(row))
  const current = row === undefined ? ZERO : parseLongDouble(row.subarray(header.length))
  if (current === undefined) throw NOT_A_FLOAT
  const added = delta()
  const sum = current === 'infinite' ? undefined : addLongDouble(current, added)
  if (sum === undefined) throw NAN_OR_INFINITY
  const text = Buffer.from(formatLongDouble(sum), 'latin1')
  db.logData(TYPE_STRING)
  db.putMetadata(key, header, text)
  return text
}

/** Adds `tail` at the end of the value and keeps its TTL. Returns the new length in bytes. */
export function append(db: Database, key: Bytes, tail: Bytes, bytesMax: (bytes: number) => void): number {
  const row = readRow(db, key, TYPE_STRING)
  const header = row === undefined ? NEVER_EXPIRES : row.subarray(0, headerSize(row))
  const length = (row === undefined ? 0 : row.length - header.length) + tail.length
  bytesMax(length)
  db.logData(TYPE_STRING)
  db.putMetadata(key, row ?? NEVER_EXPIRES, tail)
  return length
}

/** Overwrites bytes from `offset` on, filling a gap with zeros, and keeps the TTL. Returns the new length in bytes. */
export function writeRange(
  db: Database,
  key: Bytes,
  offset: number,
  patch: Bytes,
  bytesMax: (bytes: number) => void,
): number {
  const row = readRow(db, key, TYPE_STRING)
  const header = row === undefined ? NEVER_EXPIRES : row.subarray(0, headerSize(row))
  const current = row === undefined ? EMPTY : row.subarray(header.length)
  if (patch.length === 0) return current.length
  bytesMax(offset + patch.length)
  const value = Buffer.alloc(Math.max(current.length, offset + patch.length))
  current.copy(value)
  patch.copy(value, offset)
  db.logData(TYPE_STRING)
  db.putMetadata(key, header, value)
  return value.length
}

/** The bytes from `start` to `stop`, both inclusive and counted from the end where negative. */
export function slice(value: Bytes, start: number, stop: number): Bytes {
  const { from, to } = sliceBounds(value.length, start, stop)
  return value.subarray(from, to)
}

/** Of `length` bytes those from `start` to `stop`, counted so: from `from` up to, not including, `to`. */
export function sliceBounds(length: number, start: number, stop: number): { from: number; to: number } {
  if (start < 0 && stop < 0 && start > stop) return { from: 0, to: 0 }
  const from = Math.max(0, start < 0 ? length + start : start)
  const last = Math.min(length - 1, Math.max(0, stop < 0 ? length + stop : stop))
  return from > last ? { from: 0, to: 0 } : { from, to: last + 1 }
}

export type Comparison = 'equal' | 'different' | 'absent'

/** Replaces the value by `next` if it equals `expected`. Throws WRONG_TYPE. */
export function compareAndSet(db: Database, key: Bytes, expected: Bytes, next: Bytes, expireMs: number): Comparison {
  const result = compareValue(db, key, expected)
  if (result === 'equal') write(db, key, next, expireMs)
  return result
}

/** Deletes the key if its value equals `expected`. Throws WRONG_TYPE. */
export function compareAndDelete(db: Database, key: Bytes, expected: Bytes): Comparison {
  const result = compareValue(db, key, expected)
  if (result === 'equal') remove(db, key)
  return result
}

function compareValue(db: Database, key: Bytes, expected: Bytes): Comparison {
  const value = read(db, key)
  if (value === undefined) return 'absent'
  return value.equals(expected) ? 'equal' : 'different'
}

/** True if any of `keys` exists, of whatever type. */
export function anyExists(db: Database, keys: readonly Bytes[]): boolean {
  return db.getMetadataOf(keys).some((row) => row !== undefined && !isExpired(row, db.nowMs))
}

const NEVER_EXPIRES = freshHeader(TYPE_STRING)
const ZERO: LongDouble = { mantissa: 0n, exponent: 0 }

function storedInt64(text: Bytes): Int64 {
  const value = parseInt64(text)
  if (value === undefined) throw NOT_AN_INTEGER
  return value
}

/** For commands that work on strings alone: throws WRONG_TYPE for a key of another type. */
export function checkType(current: Current): void {
  if (current.isOtherType) throw WRONG_TYPE
}
