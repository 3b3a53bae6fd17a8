/** Adding, removing and trimming the entries of streams. Source: kvrocks src/types/redis_stream.cc; redis src/t_stream.c. */

import { type Bytes, compare } from '../../bytes/bytes.js'
import { type Int64, toInt64 } from '../../bytes/int64.js'
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
import { TYPE_STREAM } from '../../storage/metadata.js'
import { encodeFields } from './entries.js'
import { ENTRY_ID_MAX, isZero, makeId, nextId, type StreamId, type WantedId } from './ids.js'
import { release } from './pending.js'
import {
  applyRemoval,
  existingIds,
  isReferenced,
  planRemoval,
  planTrim,
  type References,
  type Removal,
  type Trim,
} from './removal.js'
import { newStream, type OpenStream, openGroup, openStream, readGroups, readPendingOf, saveStream } from './rows.js'

const SET_ID_LOG = logData(TYPE_STREAM, 'XSETID')
const SEQ_AT = 8

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
  if (plan !== undefined) applyRemoval(stream, plan)
  const { metadata } = stream
  let trimmed = plan?.count ?? 0
  if (trim !== undefined && removesNew(stream, trim, id, trimmed)) {
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

/** True if the trim takes the new entry too: it does so last, and never one that a group is yet to be given. */
function removesNew(
  stream: OpenStream,
  { maxLength, minId, limit, slack, references }: Trim,
  id: StreamId,
  trimmed: number,
) {
  if (stream.metadata.size > 0 || (limit > 0 && trimmed >= limit)) return false
  if (references === 'acknowledged' && stream.groups > 0) return false
  return maxLength === undefined ? compare(id, minId) < 0 : maxLength === 0 && slack === 0
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

/** Removes the oldest entries. Returns how many. */
export function trim(db: Database, key: Bytes, how: Trim): number {
  return removePlanned(db, key, (stream) => planTrim(stream, how))
}

/** Removes entries by id. Returns how many there were. */
export function remove(db: Database, key: Bytes, ids: readonly StreamId[]): number {
  return removePlanned(db, key, (stream) => planRemoval(stream, ids))
}

function removePlanned(db: Database, key: Bytes, planOf: (stream: OpenStream) => Removal | undefined): number {
  const stream = openStream(db, key)
  const plan = stream === undefined ? undefined : planOf(stream)
  if (stream === undefined || plan === undefined) return 0
  db.logData(TYPE_STREAM)
  applyRemoval(stream, plan)
  saveStream(stream)
  return plan.count
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

/** What became of an entry that was to be removed, as Redis answers it. */
export const ABSENT = -1
export const REMOVED = 1
export const KEPT = 2

/** Removes entries by id, as `references` says. Returns for each id ABSENT, REMOVED, or KEPT for a group's sake. */
export function removeUnless(db: Database, key: Bytes, ids: readonly StreamId[], references: References): number[] {
  const stream = openStream(db, key)
  if (stream === undefined) return ids.map(() => ABSENT)
  const groups = references === 'keep' ? [] : readGroups(stream)
  const existing = existingIds(stream, ids)
  const kept = new Set<string>()
  if (references === 'acknowledged') {
    for (const [text, id] of existing) if (isReferenced(groups, id)) kept.add(text)
  }
  removeFrom(
    stream,
    [...existing.entries()].filter(([text]) => !kept.has(text)).map(([, id]) => id),
  )
  if (references === 'delete') for (const group of groups) release(group, ids)
  return outcomes(ids, existing, kept)
}

/**
 * Acknowledges entries and removes those that were pending, as `references` says. Returns for each id ABSENT if it was
 * not pending, REMOVED, or KEPT for another group's sake.
 */
export function acknowledgeAndRemove(
  db: Database,
  key: Bytes,
  name: Bytes,
  ids: readonly StreamId[],
  references: References,
): number[] {
  const stream = openStream(db, key)
  const group = stream === undefined ? undefined : openGroup(stream, name)
  if (stream === undefined || group === undefined) return ids.map(() => ABSENT)
  const groups = references === 'keep' ? [] : readGroups(stream)
  const pending = new Map<string, StreamId>()
  for (const entry of readPendingOf(group, ids)) if (entry !== undefined) pending.set(entry.id.latin1Slice(0), entry.id)
  const kept = new Set<string>()
  if (references === 'acknowledged') {
    for (const [text, id] of pending) if (isReferenced(groups, id, name)) kept.add(text)
  }
  removeFrom(
    stream,
    [...pending.entries()].filter(([text]) => !kept.has(text)).map(([, id]) => id),
  )
  const acknowledged = [...pending.values()]
  release(group, acknowledged)
  if (references === 'delete') {
    for (const other of groups) if (!other.name.equals(name)) release(other, acknowledged)
  }
  return outcomes(ids, pending, kept)
}

function removeFrom(stream: OpenStream, ids: readonly StreamId[]): void {
  const plan = planRemoval(stream, ids)
  if (plan === undefined) return
  stream.db.logData(TYPE_STREAM)
  applyRemoval(stream, plan)
  saveStream(stream)
}

/** An id that is named again is absent by then, unless it was kept. */
function outcomes(ids: readonly StreamId[], found: Map<string, StreamId>, kept: ReadonlySet<string>): number[] {
  return ids.map((id) => {
    const text = id.latin1Slice(0)
    if (kept.has(text)) return KEPT
    return found.delete(text) ? REMOVED : ABSENT
  })
}
