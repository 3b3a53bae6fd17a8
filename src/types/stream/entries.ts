/** The entries of streams. Source: kvrocks src/types/redis_stream.cc; replies where they differ: redis src/t_stream.c. */

import { type Bytes, compare } from '../../bytes/bytes.js'
import { type Int64, readUint64, toInt64 } from '../../bytes/int64.js'
import { readVarint32, varint32Size, writeVarint32 } from '../../bytes/varint.js'
import {
  ADD_ID_TOO_SMALL,
  ENTRIES_ADDED_TOO_SMALL,
  INVALID_STREAM_ID,
  MAX_DELETED_ID_TOO_LARGE,
  SEQUENCE_EXHAUSTED,
  SET_ID_TOO_SMALL,
  STREAM_EXHAUSTED,
} from '../../protocol/errors/stream.js'
import { NO_SUCH_KEY } from '../../protocol/errors.js'
import type { Database } from '../../storage/database.js'
import { logData } from '../../storage/log-data.js'
import { MetadataFormatError, TYPE_STREAM } from '../../storage/metadata.js'
import type { RowCursor } from '../../storage/row-cursor.js'
import { ENTRY_ID_MAX, ID_BYTES, ID_ZERO, isZero, makeId, maxId, nextId, type StreamId, type WantedId } from './ids.js'
import { newStream, type OpenStream, openStream, saveStream, scanEntries } from './rows.js'

const SET_ID_LOG = logData(TYPE_STREAM, 'XSETID')
const SEQ_AT = 8
/** More entries than this are removed by one range record. */
const SINGLE_DELETES_MAX = 1024

/** Up to which size or id a stream is trimmed. */
export interface Trim {
  /** Entries that stay; undefined: all from `minId` on. */
  readonly maxLength: number | undefined
  readonly minId: StreamId
  /** Entries that are removed at most; 0 = no limit. */
  readonly limit: number
}

export interface Entry {
  readonly id: StreamId
  /** See `readFields`. */
  readonly value: Bytes
}

/** The fields and values of an entry in their stored form. */
export function encodeFields(words: readonly Bytes[]): Bytes {
  let length = 0
  for (const word of words) length += varint32Size(word.length) + word.length
  const value = Buffer.allocUnsafe(length)
  let at = 0
  for (const word of words) {
    at = writeVarint32(value, at, word.length)
    at += word.copy(value, at)
  }
  return value
}

/** The fields and values of an entry, in turn; views of `value`. Throws MetadataFormatError. */
export function readFields(value: Bytes): Bytes[] {
  const words: Bytes[] = []
  const cursor = { at: 0 }
  while (cursor.at < value.length) {
    const length = readVarint32(value, cursor)
    if (length === undefined || length > value.length - cursor.at) {
      throw new MetadataFormatError('a stream entry is cut off')
    }
    words.push(value.subarray(cursor.at, cursor.at + length))
    cursor.at += length
  }
  return words
}

export interface Added {
  readonly id: StreamId
  /** Entries that were removed by the trim, the new one among them if it is. */
  readonly trimmed: number
}

/**
 * Adds an entry, making the stream unless `onlyExisting`, and trims. Undefined if there is no stream to add to. Throws
 * WRONG_TYPE, as all functions here do, and the errors of XADD.
 */
export function add(
  db: Database,
  key: Bytes,
  wanted: WantedId,
  words: readonly Bytes[],
  trim?: Trim,
  onlyExisting = false,
): Added | undefined {
  const found = openStream(db, key)
  if (found === undefined && onlyExisting) return undefined
  const stream = found ?? newStream(db, key)
  const id = chooseId(stream.lastId, wanted, db.nowMs)
  // An entry is trimmed like the others, so of MAXLEN the new one needs a place.
  const room = trim?.maxLength === undefined ? trim : { ...trim, maxLength: Math.max(0, trim.maxLength - 1) }
  const plan = room === undefined ? undefined : planTrim(stream, room)
  db.logData(TYPE_STREAM)
  if (plan !== undefined) applyTrim(stream, plan)
  const { metadata } = stream
  let trimmed = plan?.count ?? 0
  if (trim !== undefined && metadata.size === 0 && removesNew(trim, id, trimmed)) {
    trimmed++
    stream.maxDeletedId = id
  } else {
    stream.rows.put(id, encodeFields(words))
    if (metadata.size === 0) stream.firstId = id
    stream.lastEntryId = id
    metadata.size++
  }
  stream.lastId = id
  stream.entriesAdded = increment(stream.entriesAdded)
  saveStream(stream)
  return { id, trimmed }
}

function removesNew({ maxLength, minId, limit }: Trim, id: StreamId, trimmed: number): boolean {
  if (limit > 0 && trimmed >= limit) return false
  return maxLength === undefined ? compare(id, minId) < 0 : maxLength === 0
}

/** `count + 1` modulo 2^64. */
function increment(count: Int64): Int64 {
  if (typeof count === 'number' && count < Number.MAX_SAFE_INTEGER) return count + 1
  return toInt64(BigInt.asUintN(64, BigInt(count) + 1n))
}

function chooseId(lastId: StreamId, { ms, seq }: WantedId, nowMs: number): StreamId {
  if (compare(lastId, ENTRY_ID_MAX) >= 0) throw STREAM_EXHAUSTED
  const next = nextId(lastId) as StreamId
  if (ms !== undefined && seq !== undefined) return checkId(lastId, makeId(ms, seq))
  if (ms === undefined && seq !== undefined) return checkId(lastId, makeId(nowMs, seq))
  const first = makeId(ms ?? nowMs, ms === 0 ? 1 : 0)
  const order = first.compare(lastId, 0, SEQ_AT, 0, SEQ_AT)
  if (order > 0) return checkId(lastId, first)
  if (ms === undefined) return next
  // Within the last millisecond the sequence goes on.
  if (order < 0) throw ADD_ID_TOO_SMALL
  if (next.compare(lastId, 0, SEQ_AT, 0, SEQ_AT) !== 0) throw SEQUENCE_EXHAUSTED
  return next
}

function checkId(lastId: StreamId, id: StreamId): StreamId {
  if (compare(id, lastId) <= 0) throw ADD_ID_TOO_SMALL
  if (compare(id, ENTRY_ID_MAX) > 0) throw INVALID_STREAM_ID
  return id
}

interface TrimPlan {
  /** Entries to remove. */
  readonly count: number
  /** Their ids, if they are few. */
  readonly ids: readonly StreamId[]
  /** The last of them. */
  readonly lastRemoved: StreamId
  /** The first entry that stays. */
  readonly firstKept: StreamId | undefined
}

function planTrim(stream: OpenStream, { maxLength, minId, limit }: Trim): TrimPlan | undefined {
  const { size } = stream.metadata
  const excess = maxLength === undefined ? size : size - maxLength
  if (excess <= 0 || (maxLength === undefined && compare(stream.firstId, minId) >= 0)) return undefined
  const countMax = limit === 0 ? excess : Math.min(limit, excess)
  const ids: StreamId[] = []
  let count = 0
  const lastRemoved = Buffer.alloc(ID_BYTES)
  let firstKept: StreamId | undefined
  using cursor = scanEntries(stream, stream.firstId, ENTRY_ID_MAX, { values: false })
  while (cursor.next()) {
    if (count === countMax || (maxLength === undefined && compare(cursor.key, minId) >= 0)) {
      firstKept = Buffer.from(cursor.key)
      break
    }
    if (count++ < SINGLE_DELETES_MAX) ids.push(Buffer.from(cursor.key))
    cursor.key.copy(lastRemoved)
  }
  return count === 0 ? undefined : { count, ids, lastRemoved, firstKept }
}

function applyTrim(stream: OpenStream, { count, ids, lastRemoved, firstKept }: TrimPlan): void {
  if (count > ids.length) stream.rows.deleteRange(ID_ZERO, nextId(lastRemoved) as StreamId)
  else for (const id of ids) stream.rows.delete(id)
  stream.maxDeletedId = maxId(stream.maxDeletedId, lastRemoved)
  afterRemoval(stream, count, firstKept ?? ID_ZERO, stream.lastEntryId)
}

function afterRemoval(stream: OpenStream, count: number, firstId: StreamId, lastEntryId: StreamId): void {
  const isEmpty = isZero(firstId)
  stream.metadata.size = isEmpty ? 0 : Math.max(1, stream.metadata.size - count)
  stream.firstId = firstId
  stream.lastEntryId = isEmpty ? ID_ZERO : lastEntryId
}

/** Removes the oldest entries. Returns how many. */
export function trim(db: Database, key: Bytes, how: Trim): number {
  const stream = openStream(db, key)
  const plan = stream === undefined ? undefined : planTrim(stream, how)
  if (stream === undefined || plan === undefined) return 0
  db.logData(TYPE_STREAM)
  applyTrim(stream, plan)
  saveStream(stream)
  return plan.count
}

/** Removes entries by id. Returns how many there were. */
export function remove(db: Database, key: Bytes, ids: readonly StreamId[]): number {
  const stream = openStream(db, key)
  return stream === undefined ? 0 : removeEntries(stream, ids)
}

/** Removes entries of an open stream by id. Returns how many there were. */
export function removeEntries(stream: OpenStream, ids: readonly StreamId[]): number {
  const existing = existingIds(stream, ids)
  if (existing.size === 0) return 0
  const removed = [...existing.values()]
  const isRemoved = (id: Bytes): boolean => existing.has(id.latin1Slice(0, ID_BYTES))
  const { firstId, lastEntryId } = stream
  const firstKept = isRemoved(firstId) ? nearestKept(stream, isRemoved, false) : firstId
  const lastKept = isRemoved(lastEntryId) ? nearestKept(stream, isRemoved, true) : lastEntryId
  stream.db.logData(TYPE_STREAM)
  for (const id of removed) {
    stream.rows.delete(id)
    stream.maxDeletedId = maxId(stream.maxDeletedId, id)
  }
  afterRemoval(stream, removed.length, firstKept, lastKept)
  saveStream(stream)
  return removed.length
}

/** Those of `ids` that entries have, each once, in their order. */
function existingIds({ rows }: OpenStream, ids: readonly StreamId[]): Map<string, StreamId> {
  const entryIds = ids.filter((id) => compare(id, ENTRY_ID_MAX) <= 0)
  const values = rows.getMany(entryIds)
  const existing = new Map<string, StreamId>()
  entryIds.forEach((id, index) => {
    if (values[index] !== undefined) existing.set(id.latin1Slice(0), id)
  })
  return existing
}

function nearestKept(stream: OpenStream, isRemoved: (id: Bytes) => boolean, fromEnd: boolean): StreamId {
  using cursor = scanEntries(stream, stream.firstId, stream.lastEntryId, { reverse: fromEnd, values: false })
  while (cursor.next()) if (!isRemoved(cursor.key)) return Buffer.from(cursor.key)
  return ID_ZERO
}

/** Number of entries. */
export function size(db: Database, key: Bytes): number {
  return openStream(db, key)?.metadata.size ?? 0
}

/** Number of entries before or after `id`, without it. */
export function sizeBeside(db: Database, key: Bytes, id: StreamId, before: boolean): number {
  const stream = openStream(db, key)
  if (stream === undefined) return 0
  const next = nextId(id)
  if (!before && next === undefined) return 0
  using cursor = before
    ? scanEntries(stream, ID_ZERO, ENTRY_ID_MAX, { values: false })
    : scanEntries(stream, next as StreamId, ENTRY_ID_MAX, { values: false })
  let count = 0
  while (cursor.next() && !(before && compare(cursor.key, id) >= 0)) count++
  return count
}

/** The entry `id`. */
export function readEntry({ rows }: OpenStream, id: StreamId): Bytes | undefined {
  return compare(id, ENTRY_ID_MAX) <= 0 ? rows.get(id) : undefined
}

export interface Range {
  /** Inclusive. */
  readonly start: StreamId
  /** Inclusive. */
  readonly end: StreamId
  /** From the end to the start. */
  readonly reverse: boolean
  /** Entries at most; 0 = all. */
  readonly count: number
}

/** How many entries `range` has, and the id of the last of them: for replies that tell their length first. */
export function measure(stream: OpenStream, range: Range): { rows: number; last: StreamId } {
  const last = Buffer.alloc(ID_BYTES)
  let rows = 0
  using cursor = openRange(stream, range, false)
  while ((range.count === 0 || rows < range.count) && cursor.next()) {
    cursor.key.copy(last)
    rows++
  }
  return { rows, last }
}

/** Walks `range`, whose `count` is not looked at. */
export function openRange(stream: OpenStream, { start, end, reverse }: Range, values = true): RowCursor {
  return scanEntries(stream, start, end, { reverse, values })
}

/** The entries of `range`, in copies. */
export function readRange(stream: OpenStream, range: Range): Entry[] {
  const entries: Entry[] = []
  using cursor = openRange(stream, range)
  while ((range.count === 0 || entries.length < range.count) && cursor.next()) {
    entries.push({ id: Buffer.from(cursor.key), value: Buffer.from(cursor.value) })
  }
  return entries
}

export interface NewState {
  readonly lastId: StreamId
  readonly entriesAdded: Int64 | undefined
  /** ID_ZERO: stays as it is. */
  readonly maxDeletedId: StreamId
}

/**
 * Sets what a stream knows of its past. A stream that is absent is made if all is said, as Kvrocks does.
 * Throws NO_SUCH_KEY and the errors of XSETID.
 */
export function setId(db: Database, key: Bytes, { lastId, entriesAdded, maxDeletedId }: NewState): void {
  const found = openStream(db, key)
  if (found === undefined && (isZero(maxDeletedId) || entriesAdded === undefined || entriesAdded === 0)) {
    throw NO_SUCH_KEY
  }
  const stream = found ?? newStream(db, key)
  const { size: length } = stream.metadata
  if (length > 0) {
    if (compare(lastId, stream.lastEntryId) < 0) throw SET_ID_TOO_SMALL
    // Of an empty stream Redis refuses it too, but there a trim leaves no deleted id behind: here, as in Kvrocks, it does.
    if (compare(lastId, stream.maxDeletedId) < 0) throw MAX_DELETED_ID_TOO_LARGE
    if (entriesAdded !== undefined && entriesAdded < length) throw ENTRIES_ADDED_TOO_SMALL
  }
  stream.lastId = lastId
  if (entriesAdded !== undefined) stream.entriesAdded = entriesAdded
  if (!isZero(maxDeletedId)) stream.maxDeletedId = maxDeletedId
  db.logData(SET_ID_LOG)
  saveStream(stream)
}

/** The milliseconds of an id. */
export function msOf(id: StreamId): Int64 {
  return readUint64(id, 0)
}
