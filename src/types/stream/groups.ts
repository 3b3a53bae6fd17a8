/** Consumer groups and their consumers. Source: kvrocks src/types/redis_stream.cc; redis src/t_stream.c. */

import { type Bytes, compare } from '../../bytes/bytes.js'
import { addInt64, type Int64, subInt64 } from '../../bytes/int64.js'
import { GROUP_EXISTS, GROUP_NEEDS_KEY, noGroup, noGroupOfKey } from '../../protocol/errors/stream.js'
import type { Database } from '../../storage/database.js'
import { TYPE_STREAM } from '../../storage/metadata.js'
import { ID_LAST, ID_ZERO, isZero, type StreamId } from './ids.js'
import {
  type Consumer,
  deleteConsumerRow,
  deleteGroupRow,
  deletePending,
  type Group,
  newStream,
  type OpenStream,
  openGroup,
  openStream,
  pendingUnder,
  readConsumer,
  rowsOfGroup,
  saveConsumer,
  saveGroup,
  saveStream,
  scanPending,
} from './rows.js'

/** Pending entries in excess of this are removed by one range record. */
const SINGLE_DELETES_MAX = 1024

/** How many entries a group has read cannot be told. */
export const UNKNOWN_READ = -1

/** Where a group begins. */
export interface GroupStart {
  /** Entries after this are new to the group; undefined: those that are yet to come. */
  readonly lastId: StreamId | undefined
  /** UNKNOWN_READ if not given. */
  readonly entriesRead: Int64
}

/** The group `name` of the stream at `key`. Throws NOGROUP with `where` at its end, and WRONG_TYPE as all do here. */
export function requireGroup(db: Database, key: Bytes, name: Bytes, where = ''): Group {
  const stream = openStream(db, key)
  const group = stream === undefined ? undefined : openGroup(stream, name)
  if (group === undefined) throw noGroup(key, name, where)
  return group
}

/** For XGROUP, which tells an absent key from an absent group. */
function requireGroupOfKey(db: Database, key: Bytes, name: Bytes): Group {
  const group = openGroup(requireStream(db, key), name)
  if (group === undefined) throw noGroupOfKey(key, name)
  return group
}

function requireStream(db: Database, key: Bytes): OpenStream {
  const stream = openStream(db, key)
  if (stream === undefined) throw GROUP_NEEDS_KEY
  return stream
}

/** Makes a group, and with `makesStream` the stream too. Throws GROUP_EXISTS, GROUP_NEEDS_KEY. */
export function create(db: Database, key: Bytes, name: Bytes, start: GroupStart, makesStream: boolean): void {
  const found = openStream(db, key)
  if (found === undefined && !makesStream) throw GROUP_NEEDS_KEY
  const stream = found ?? newStream(db, key)
  if (found !== undefined && openGroup(stream, name) !== undefined) throw GROUP_EXISTS
  db.logData(TYPE_STREAM)
  saveGroup({
    stream,
    name,
    consumers: 0,
    pending: 0,
    lastId: start.lastId ?? stream.lastId,
    entriesRead: start.entriesRead,
    lag: 0,
  })
  stream.groups++
  saveStream(stream)
}

/** Sets what a group has read. Throws NOGROUP, GROUP_NEEDS_KEY. */
export function setId(db: Database, key: Bytes, name: Bytes, start: GroupStart): void {
  const group = requireGroupOfKey(db, key, name)
  group.lastId = start.lastId ?? group.stream.lastId
  group.entriesRead = start.entriesRead
  db.logData(TYPE_STREAM)
  saveGroup(group)
}

/**
 * Removes a group with its consumers and pending entries. False if there was none. Throws GROUP_NEEDS_KEY.
 * Kvrocks deletes from a bound that lacks the rows' kind, which takes entries and other groups along: not copied.
 */
export function destroy(db: Database, key: Bytes, name: Bytes): boolean {
  const stream = requireStream(db, key)
  const group = openGroup(stream, name)
  if (group === undefined) return false
  const rows = (['consumers', 'pending'] as const).map((what) => {
    const bounds = rowsOfGroup(group, what)
    return { ...bounds, keys: keysUpTo(stream, bounds) }
  })
  db.logData(TYPE_STREAM)
  deleteGroupRow(group)
  for (const { from, to, keys } of rows) {
    if (keys === undefined) stream.rows.deleteRange(from, to)
    else for (const subKey of keys) stream.rows.delete(subKey)
  }
  stream.groups = Math.max(0, stream.groups - 1)
  saveStream(stream)
  return true
}

/** The sub-keys of a range; undefined if they are too many to delete one by one. */
function keysUpTo(stream: OpenStream, range: { from: Bytes; to: Bytes }): Bytes[] | undefined {
  const keys: Bytes[] = []
  using cursor = stream.rows.scan({ ...range, values: false })
  while (cursor.next()) {
    if (keys.length === SINGLE_DELETES_MAX) return undefined
    keys.push(Buffer.from(cursor.key))
  }
  return keys
}

/** Makes a consumer. False if there is one of that name. Throws NOGROUP, GROUP_NEEDS_KEY. */
export function createConsumer(db: Database, key: Bytes, name: Bytes, consumer: Bytes): boolean {
  const group = requireGroupOfKey(db, key, name)
  if (readConsumer(group, consumer) !== undefined) return false
  addConsumer(group, consumer)
  return true
}

function addConsumer(group: Group, name: Bytes): Consumer {
  const { db } = group.stream
  const consumer = { name, pending: 0, seenMs: db.nowMs, activeMs: db.nowMs }
  db.logData(TYPE_STREAM)
  saveConsumer(group, consumer)
  group.consumers++
  saveGroup(group)
  return consumer
}

/** The consumer `name` of a group, which is made if need be: an operation of its own, as in Kvrocks. */
export function findOrAddConsumer(group: Group, name: Bytes): { consumer: Consumer; created: boolean } {
  const found = readConsumer(group, name)
  return found === undefined
    ? { consumer: addConsumer(group, name), created: true }
    : { consumer: found, created: false }
}

/**
 * Removes a consumer and what it has not acknowledged. Returns the number of those entries, undefined without such a
 * consumer. Throws NOGROUP, GROUP_NEEDS_KEY.
 */
export function removeConsumer(db: Database, key: Bytes, name: Bytes, consumer: Bytes): number | undefined {
  const group = requireGroupOfKey(db, key, name)
  if (readConsumer(group, consumer) === undefined) return undefined
  const ids: StreamId[] = []
  {
    using cursor = scanPending(group, ID_ZERO, ID_LAST)
    while (cursor.next()) {
      const pending = pendingUnder(cursor)
      if (pending.consumer.equals(consumer)) ids.push(Buffer.from(pending.id))
    }
  }
  db.logData(TYPE_STREAM)
  for (const id of ids) deletePending(group, id)
  deleteConsumerRow(group, consumer)
  group.consumers = Math.max(0, group.consumers - 1)
  group.pending = Math.max(0, group.pending - ids.length)
  saveGroup(group)
  return ids.length
}

/** How many entries a group has not been given; undefined if that cannot be told. */
export function lagOf({ stream, lastId, entriesRead }: Group): Int64 | undefined {
  const { entriesAdded, metadata, firstId } = stream
  if (entriesAdded === 0 || metadata.size === 0) return 0
  if (compare(lastId, firstId) < 0 && !hasHoles(stream)) return metadata.size
  if (entriesRead !== UNKNOWN_READ && !hasHolesAfter(stream, lastId)) return subInt64(entriesAdded, entriesRead)
  const read = entriesReadAt(stream, lastId)
  return read === UNKNOWN_READ ? undefined : subInt64(entriesAdded, read)
}

/** True if entries between the first and the last may have been deleted. */
function hasHoles({ maxDeletedId, firstId }: OpenStream): boolean {
  return !isZero(maxDeletedId) && compare(maxDeletedId, firstId) >= 0
}

function hasHolesAfter(stream: OpenStream, id: StreamId): boolean {
  return stream.metadata.size > 0 && hasHoles(stream) && compare(id, stream.maxDeletedId) <= 0
}

/** Moves a group on to `id`, the entry that it is given. */
export function advance(group: Group, id: StreamId): void {
  const { stream } = group
  if (compare(id, group.lastId) <= 0) return
  const knows =
    group.entriesRead !== UNKNOWN_READ &&
    compare(group.lastId, stream.firstId) >= 0 &&
    !hasHolesAfter(stream, group.lastId)
  if (knows) group.entriesRead = addInt64(group.entriesRead, 1) ?? UNKNOWN_READ
  else if (stream.entriesAdded !== 0) group.entriesRead = entriesReadAt(stream, id)
  group.lastId = id
}

/** How many entries were added up to `id`; UNKNOWN_READ if that cannot be told. */
function entriesReadAt(stream: OpenStream, id: StreamId): Int64 {
  const { entriesAdded, metadata, lastId, firstId } = stream
  if (entriesAdded === 0) return 0
  const fromLast = compare(id, lastId)
  if (metadata.size === 0 && fromLast <= 0) return entriesAdded
  if (fromLast === 0) return entriesAdded
  if (fromLast > 0 || hasHoles(stream)) return UNKNOWN_READ
  const fromFirst = compare(id, firstId)
  if (fromFirst > 0) return UNKNOWN_READ
  const before = subInt64(entriesAdded, metadata.size) ?? UNKNOWN_READ
  return fromFirst === 0 ? (addInt64(before, 1) ?? UNKNOWN_READ) : before
}
