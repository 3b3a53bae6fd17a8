/**
 * Removing entries of streams: first it is found out what is to be removed and what stays, then the rows are deleted, for
 * a scan may commit what was written before it.
 * Source: kvrocks src/types/redis_stream.cc; redis src/t_stream.c for what becomes of the entries' pending entries.
 */

import { type Bytes, compare } from '../../bytes/bytes.js'
import { ENTRY_ID_MAX, ID_BYTES, ID_ZERO, isZero, maxId, nextId, type StreamId, minId as smallerId } from './ids.js'
import { release } from './pending.js'
import { type Group, type OpenStream, readGroups, readPending, scanEntries } from './rows.js'

/** More entries than this are removed by one range record. */
const SINGLE_DELETES_MAX = 1024

/**
 * What groups hold of a removed entry: their pending entries stay, or are deleted with it; or the entry is removed only
 * if all groups were given it and have acknowledged it.
 */
export type References = 'keep' | 'delete' | 'acknowledged'

/** Up to which size or id a stream is trimmed. */
export interface Trim {
  /** Entries that stay; undefined: all from `minId` on. */
  readonly maxLength: number | undefined
  readonly minId: StreamId
  /** Entries that are removed at most; 0 = no limit. */
  readonly limit: number
  /** Entries in excess of `maxLength` that are let be, so that a scan serves many additions. */
  readonly slack: number
  readonly references: References
}

/** Entries to be removed. */
export interface Removal {
  readonly count: number
  /** Their ids, in order; undefined: all from the first to `lastRemoved`. */
  readonly ids: readonly StreamId[] | undefined
  /** The largest of them. */
  readonly lastRemoved: StreamId
  /** The first and the last entry that stay; ID_ZERO if none does. */
  readonly firstKept: StreamId
  readonly lastKept: StreamId
  /** The groups whose pending entries of them are deleted too. */
  readonly groups: readonly Group[]
}

/** True if a group is yet to be given the entry, or holds it pending; of the group `besides` pending does not count. */
export function isReferenced(groups: readonly Group[], id: StreamId, besides?: Bytes): boolean {
  return groups.some((group) => {
    if (compare(id, group.lastId) > 0) return true
    return besides?.equals(group.name) !== true && readPending(group, id) !== undefined
  })
}

/** Those of `ids` that entries have, each once, in their order. */
export function existingIds({ rows }: OpenStream, ids: readonly StreamId[]): Map<string, StreamId> {
  const entryIds = ids.filter((id) => compare(id, ENTRY_ID_MAX) <= 0)
  const values = rows.getMany(entryIds)
  const existing = new Map<string, StreamId>()
  entryIds.forEach((id, index) => {
    if (values[index] !== undefined) existing.set(id.latin1Slice(0), id)
  })
  return existing
}

/**
 * The removal of entries by id; undefined if there are none of them. Kvrocks may leave the id of a deleted entry as that
 * of the first or the last, so the two are looked at.
 */
export function planRemoval(stream: OpenStream, ids: readonly StreamId[]): Removal | undefined {
  const { firstId, lastEntryId } = stream
  const existing = existingIds(stream, [...ids, firstId, lastEntryId])
  const removed = new Map<string, StreamId>()
  for (const id of ids) {
    const text = id.latin1Slice(0)
    if (existing.has(text)) removed.set(text, id)
  }
  if (removed.size === 0) return undefined
  const isRemoved = (id: Bytes): boolean => removed.has(id.latin1Slice(0, ID_BYTES))
  const stays = (id: StreamId): boolean => existing.has(id.latin1Slice(0)) && !isRemoved(id)
  const lastKept = stays(lastEntryId) ? lastEntryId : nearestKept(stream, isRemoved, true)
  let firstKept = ID_ZERO
  if (!isZero(lastKept)) firstKept = stays(firstId) ? firstId : nearestKept(stream, isRemoved, false)
  const removedIds = [...removed.values()]
  const lastRemoved = removedIds.reduce(maxId)
  return { count: removed.size, ids: removedIds, lastRemoved, firstKept, lastKept, groups: [] }
}

function nearestKept(stream: OpenStream, isRemoved: (id: Bytes) => boolean, fromEnd: boolean): StreamId {
  using cursor = scanEntries(stream, stream.firstId, stream.lastEntryId, { reverse: fromEnd, values: false })
  while (cursor.next()) if (!isRemoved(cursor.key)) return Buffer.from(cursor.key)
  return ID_ZERO
}

/** The removal of the oldest entries; undefined if all may stay. A size that was wrong is put right by it. */
export function planTrim(stream: OpenStream, how: Trim): Removal | undefined {
  const plan = planOldest(stream, how)
  if (plan !== MISCOUNTED) return plan
  recount(stream)
  const none = { count: 0, ids: [], lastRemoved: ID_ZERO, groups: [] }
  const { firstId, lastEntryId } = stream
  return (planOldest(stream, how) as Removal | undefined) ?? { ...none, firstKept: firstId, lastKept: lastEntryId }
}

/** The rows of a stream show that its metadata are wrong: Kvrocks may take the rows of entries and leave the size. */
const MISCOUNTED = 'miscounted'

function planOldest(stream: OpenStream, how: Trim): Removal | undefined | typeof MISCOUNTED {
  const { maxLength, minId, limit, slack, references } = how
  const { size } = stream.metadata
  const excess = maxLength === undefined ? size : size - maxLength
  if (maxLength !== undefined && excess <= slack) return undefined
  if (excess <= 0 || (maxLength === undefined && compare(stream.firstId, minId) >= 0)) return undefined
  const countMax = limit === 0 ? excess : Math.min(limit, excess)
  const groups = references === 'keep' ? [] : readGroups(stream)
  const keepers = references === 'acknowledged' ? groups : []
  // What a group is yet to be given stays, and so does all after it.
  const lastFree = keepers.reduce((id, { lastId }) => smallerId(id, lastId), ENTRY_ID_MAX)
  const plan = new OldestEntries(groups.length > 0 ? Number.POSITIVE_INFINITY : SINGLE_DELETES_MAX)
  const rowsExpected = maxLength === undefined ? 1 : countMax + 1
  using cursor = scanEntries(stream, stream.firstId, ENTRY_ID_MAX, { values: false, rowsExpected })
  let isOver = !cursor.next()
  if (isOver || compare(cursor.key, stream.firstId) !== 0) return MISCOUNTED
  for (; !isOver; isOver = !cursor.next()) {
    if (plan.count === countMax || (maxLength === undefined && compare(cursor.key, minId) >= 0)) break
    if (compare(cursor.key, lastFree) > 0) break
    if (isReferenced(keepers, cursor.key)) plan.keep(cursor.key)
    else plan.remove(cursor.key)
  }
  if (isOver && plan.count + plan.kept !== size) return MISCOUNTED
  if (plan.count === 0) return undefined
  const lastKept = isOver ? plan.lastKept : stream.lastEntryId
  const firstKept = isOver || plan.kept > 0 ? plan.firstKept : Buffer.from(cursor.key)
  const { count, ids, lastRemoved } = plan
  return { count, ids, lastRemoved, firstKept, lastKept, groups: references === 'delete' ? groups : [] }
}

/** What a walk from the first entry on has found. */
class OldestEntries {
  count = 0
  kept = 0
  firstKept = ID_ZERO
  readonly lastRemoved = Buffer.alloc(ID_BYTES)
  readonly #lastKept = Buffer.alloc(ID_BYTES)
  readonly #ids: StreamId[] = []
  readonly #idsMax: number

  constructor(idsMax: number) {
    this.#idsMax = idsMax
  }

  get ids(): readonly StreamId[] | undefined {
    return this.count > this.#ids.length ? undefined : this.#ids
  }

  /** ID_ZERO if none is kept. */
  get lastKept(): StreamId {
    return this.#lastKept
  }

  remove(id: Bytes): void {
    if (this.count++ < this.#idsMax) this.#ids.push(Buffer.from(id))
    id.copy(this.lastRemoved)
  }

  keep(id: Bytes): void {
    if (this.kept++ === 0) this.firstKept = Buffer.from(id)
    id.copy(this.#lastKept)
  }
}

/** Puts right the size of an open stream, and its first and last entry. */
function recount(stream: OpenStream): void {
  const entries = new OldestEntries(0)
  using cursor = scanEntries(stream, ID_ZERO, ENTRY_ID_MAX, { values: false })
  while (cursor.next()) entries.keep(cursor.key)
  stream.metadata.size = entries.kept
  stream.firstId = entries.firstKept
  stream.lastEntryId = entries.lastKept
}

/** Deletes the rows; the metadata is the caller's to save, and the log data to say. */
export function applyRemoval(stream: OpenStream, removal: Removal): void {
  const { count, ids, lastRemoved, firstKept, lastKept, groups } = removal
  if (ids === undefined) stream.rows.deleteRange(ID_ZERO, nextId(lastRemoved) as StreamId)
  else for (const id of ids) stream.rows.delete(id)
  stream.maxDeletedId = maxId(stream.maxDeletedId, lastRemoved)
  stream.metadata.size = isZero(firstKept) ? 0 : Math.max(1, stream.metadata.size - count)
  stream.firstId = firstKept
  stream.lastEntryId = lastKept
  if (ids !== undefined) for (const group of groups) release(group, ids)
}
