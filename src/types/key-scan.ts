/**
 * Walking the keys of a namespace, in the order of their rows: byte order, with cluster slots slot by slot.
 * Source: kvrocks src/storage/redis_db.cc, Database::Scan, Keys, RandomKey.
 */

import { type Bytes, concat, copy } from '../bytes/bytes.js'
import { keySlot } from '../bytes/crc16.js'
import { globMatch, globPrefix, isLiteral } from '../bytes/glob.js'
import type { Database } from '../storage/database.js'
import { checkRow, type DataType, isExpired, MetadataFormatError, rowType } from '../storage/metadata.js'
import type { RowCursor } from '../storage/row-cursor.js'
import { readAnyRow } from '../storage/rows.js'

export interface KeyPattern {
  /** A glob; undefined = all keys. */
  readonly pattern?: Bytes | undefined
  /** Undefined = all types. */
  readonly type?: DataType | undefined
}

export interface KeyPage {
  /** Copies. */
  readonly keys: Bytes[]
  /** The key after which the next page begins, whether it exists or not; undefined = there is no next page. */
  readonly next: Bytes | undefined
}

const SLOT_BYTES = 2
/** So many rows are looked at for each key wanted, but not fewer than the minimum, before a page ends with less. */
const ROWS_PER_KEY_MAX = 10
const ROWS_MIN = 1000

/** A page of up to `count` keys that fit, from behind `after`, or from the first. */
export function scanKeys(db: Database, wanted: KeyPattern, count: number, after?: Bytes): KeyPage {
  if (isLone(wanted)) return { keys: after === undefined ? loneKey(db, wanted) : [], next: undefined }
  const keys: Bytes[] = []
  const rowsMax = Math.max(ROWS_MIN, count * ROWS_PER_KEY_MAX)
  using rows = openScan(db, wanted.pattern, after)
  let rowCount = 0
  let last: Bytes | undefined
  while (rows.next()) {
    if (after !== undefined && last === undefined && rows.key.equals(after)) continue
    if (keys.length >= count || rowCount >= rowsMax) return { keys, next: last }
    rowCount++
    last = copy(rows.key)
    if (fits(rows, wanted, db.nowMs)) keys.push(last)
  }
  return { keys, next: undefined }
}

/** Calls `visit` with each key that fits; the key is a view that lives until the next one. */
export function eachKey(db: Database, wanted: KeyPattern, visit: (key: Bytes) => void): void {
  if (isLone(wanted)) {
    loneKey(db, wanted).forEach(visit)
    return
  }
  using rows = openScan(db, wanted.pattern)
  while (rows.next()) if (fits(rows, wanted, db.nowMs)) visit(rows.key)
}

/** True if only one key can fit, so that it is looked up. */
function isLone({ pattern }: KeyPattern): boolean {
  return pattern !== undefined && isLiteral(pattern)
}

function loneKey(db: Database, { pattern, type }: KeyPattern): Bytes[] {
  const key = globPrefix(pattern as Bytes)
  const row = readAnyRow(db, key)
  return row !== undefined && (type === undefined || rowType(row) === type) ? [key] : []
}

function fits({ key, value }: KeyRows, { pattern, type }: KeyPattern, nowMs: number): boolean {
  if (!isAlive(value, nowMs)) return false
  if (type !== undefined && rowType(value) !== type) return false
  return pattern === undefined || globMatch(pattern, key)
}

function isAlive(row: Bytes, nowMs: number): boolean {
  try {
    checkRow(row)
  } catch (error) {
    // One damaged row must not make all others invisible.
    if (error instanceof MetadataFormatError) return false
    throw error
  }
  return !isExpired(row, nowMs)
}

/** A cursor over metadata rows that shows user keys. */
interface KeyRows {
  readonly key: Bytes
  readonly value: Bytes
  next(): boolean
  [Symbol.dispose](): void
}

/** Hides the slot in front of each key. */
class SlottedRows implements KeyRows {
  readonly #rows: RowCursor

  constructor(rows: RowCursor) {
    this.#rows = rows
  }

  get key(): Bytes {
    return this.#rows.key.subarray(SLOT_BYTES)
  }

  get value(): Bytes {
    return this.#rows.value
  }

  next(): boolean {
    return this.#rows.next()
  }

  [Symbol.dispose](): void {
    this.#rows.close()
  }
}

/** Rows from `from` on, inclusive; with a pattern, those that begin as all its matches do, as far as they lie together. */
function openScan(db: Database, pattern: Bytes | undefined, from?: Bytes): KeyRows {
  const prefix = pattern === undefined ? undefined : globPrefix(pattern)
  if (!db.slotEncoded) {
    return db.scanMetadata({ ...(prefix && { prefix }), ...(from && { from }) })
  }
  const slot = prefix === undefined ? -1 : slotOfPrefix(prefix)
  if (prefix !== undefined && slot >= 0) return db.scanMetadata({ prefix, ...(from && { from }) }, slot)
  return new SlottedRows(db.scanMetadata(from === undefined ? {} : { from: concat(slotBytes(from), from) }))
}

function slotBytes(key: Bytes): Bytes {
  const slot = keySlot(key)
  return Buffer.from([slot >> 8, slot & 0xff])
}

const OPEN = 0x7b
const CLOSE = 0x7d

/** The slot of all keys that begin with `prefix`, if a whole hash tag stands in it; else -1. */
function slotOfPrefix(prefix: Bytes): number {
  const open = prefix.indexOf(OPEN)
  const close = prefix.indexOf(CLOSE, open + 1)
  return open >= 0 && close > open + 1 ? keySlot(prefix) : -1
}

/** Of so many keys one is chosen. */
const WINDOW_KEYS = 64
const RANDOM_BYTES = 8

/**
 * A key chosen at random, or undefined if there is none: one of a window of keys behind a random point between the first
 * and the last. Small databases are windows as a whole.
 */
export function randomKey(db: Database): Bytes | undefined {
  const first = scanKeys(db, {}, WINDOW_KEYS)
  if (first.next === undefined) return choose(first.keys)
  const keys = windowFrom(db, randomPoint(db, first.keys[0] ?? first.next))
  if (keys.length < WINDOW_KEYS) keys.push(...first.keys.slice(0, WINDOW_KEYS - keys.length))
  if (keys.length > 0) return choose(keys)
  // The window holds expired keys alone, so the next one alive has to do.
  for (let next: Bytes | undefined = first.next; next !== undefined; ) {
    const page: KeyPage = scanKeys(db, {}, 1, next)
    if (page.keys.length > 0) return page.keys[0]
    next = page.next
  }
  return undefined
}

function choose(keys: readonly Bytes[]): Bytes | undefined {
  return keys[Math.floor(Math.random() * keys.length)]
}

/** Row keys: with slots, the slot stands in front. */
function windowFrom(db: Database, from: Bytes): Bytes[] {
  using rows = db.scanMetadata({ from })
  const keys: Bytes[] = []
  const skip = db.slotEncoded ? SLOT_BYTES : 0
  for (let i = 0; i < ROWS_MIN && keys.length < WINDOW_KEYS && rows.next(); i++) {
    if (isAlive(rows.value, db.nowMs)) keys.push(copy(rows.key.subarray(skip)))
  }
  return keys
}

/** A row key between the first and the last: what they begin with, and then random bytes between the two. */
function randomPoint(db: Database, firstKey: Bytes): Bytes {
  using reversed = db.scanMetadataReverse()
  if (!reversed.next()) return firstKey
  const last = copy(reversed.key)
  const first = db.slotEncoded ? concat(slotBytes(firstKey), firstKey) : firstKey
  let shared = 0
  while (shared < first.length && first[shared] === last[shared]) shared++
  const low = fraction(first, shared)
  const high = fraction(last, shared)
  const point = Buffer.alloc(RANDOM_BYTES)
  point.writeBigUInt64BE(low + BigInt(Math.floor(Math.random() * Number(high - low))))
  return concat(last.subarray(0, shared), point)
}

/** The eight bytes from `at` on as a number; missing ones are 0. */
function fraction(key: Bytes, at: number): bigint {
  const bytes = Buffer.alloc(RANDOM_BYTES)
  key.copy(bytes, 0, at, at + RANDOM_BYTES)
  return bytes.readBigUInt64BE()
}
