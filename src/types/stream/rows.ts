/**
 * Streams: metadata, and rows in the stream column family.
 *
 *   metadata tail  lastId(16) recordedFirstId(16) maxDeletedId(16) firstId(16) lastEntryId(16) entriesAdded(8) groups(8)
 *   entry          id(16)                                                  = for each field and value: varint32 length, bytes
 *   group          ff*8 01 len(8) group                                    = consumers(8) pending(8) lastId(16) entriesRead(8) lag(8)
 *   consumer       ff*8 02 len(8) group len(8) consumer                    = pending(8) seenMs(8) activeMs(8)
 *   pending entry  ff*8 03 len(8) group id(16)                             = deliveredMs(8) deliveries(8) len(8) consumer
 *
 * Numbers are big-endian. Rows of groups follow those of entries, so no entry has an id that begins with ff*8. A tail
 * without `groups` was written by an old Kvrocks.
 * Source: kvrocks src/types/redis_stream.cc; StreamMetadata in src/storage/redis_metadata.cc.
 */

import { type Bytes, compare, put } from '../../bytes/bytes.js'
import { type Int64, readInt64, readUint64, writeUint64 } from '../../bytes/int64.js'
import { CF_STREAM } from '../../storage/column-family.js'
import type { Database } from '../../storage/database.js'
import { prefixEnd } from '../../storage/keys.js'
import {
  encodeMetadata,
  freshMetadata,
  type Metadata,
  MetadataFormatError,
  TYPE_STREAM,
} from '../../storage/metadata.js'
import type { RowCursor } from '../../storage/row-cursor.js'
import { readMetadata } from '../../storage/rows.js'
import type { SubkeyScan, Subkeys } from '../../storage/subkeys.js'
import { ENTRY_ID_MAX, ID_BYTES, ID_ZERO, minId, type StreamId } from './ids.js'

const LAST_ID_AT = 0
const RECORDED_FIRST_ID_AT = 16
const MAX_DELETED_ID_AT = 32
const FIRST_ID_AT = 48
const LAST_ENTRY_ID_AT = 64
const ENTRIES_ADDED_AT = 80
const GROUPS_AT = 88
const TAIL_BYTES = 96

/** A stream that is open for reading or changing. */
export interface OpenStream {
  readonly db: Database
  readonly key: Bytes
  readonly metadata: Metadata
  readonly rows: Subkeys
  /** The last id that was given to an entry, or set. */
  lastId: StreamId
  /** The largest id that was deleted. */
  maxDeletedId: StreamId
  /** Id of the first entry; ID_ZERO without entries. */
  firstId: StreamId
  /** Id of the last entry; ID_ZERO without entries. */
  lastEntryId: StreamId
  /** Entries that were ever added. */
  entriesAdded: Int64
  groups: number
}

/** The stream at `key`, which may have no entries; undefined if absent. Throws WRONG_TYPE. */
export function openStream(db: Database, key: Bytes): OpenStream | undefined {
  const found = readMetadata(db, key, TYPE_STREAM)
  if (found === undefined) return undefined
  // Copies: a scan may commit the turn, and with it go the views of what the turn wrote.
  const tail = Buffer.from(found.tail)
  const metadata = { ...found, version: Buffer.from(found.version), tail }
  if (tail.length < GROUPS_AT) throw new MetadataFormatError('stream metadata is too short')
  return {
    db,
    key,
    metadata,
    rows: db.subkeys(CF_STREAM, key, metadata.version),
    lastId: idAt(tail, LAST_ID_AT),
    maxDeletedId: idAt(tail, MAX_DELETED_ID_AT),
    firstId: idAt(tail, FIRST_ID_AT),
    lastEntryId: idAt(tail, LAST_ENTRY_ID_AT),
    entriesAdded: readUint64(tail, ENTRIES_ADDED_AT),
    groups: tail.length < TAIL_BYTES ? 0 : countAt(tail, GROUPS_AT),
  }
}

/** A new stream in the place of whatever is at `key`, not yet written. */
export function newStream(db: Database, key: Bytes): OpenStream {
  const metadata = freshMetadata(TYPE_STREAM, db.newVersion())
  return {
    db,
    key,
    metadata,
    rows: db.subkeys(CF_STREAM, key, metadata.version),
    lastId: ID_ZERO,
    maxDeletedId: ID_ZERO,
    firstId: ID_ZERO,
    lastEntryId: ID_ZERO,
    entriesAdded: 0,
    groups: 0,
  }
}

/** Writes the metadata, with size and tail as they are. */
export function saveStream(stream: OpenStream): void {
  const tail = Buffer.allocUnsafe(TAIL_BYTES)
  put(tail, LAST_ID_AT, stream.lastId)
  put(tail, RECORDED_FIRST_ID_AT, stream.firstId)
  put(tail, MAX_DELETED_ID_AT, stream.maxDeletedId)
  put(tail, FIRST_ID_AT, stream.firstId)
  put(tail, LAST_ENTRY_ID_AT, stream.lastEntryId)
  writeUint64(tail, ENTRIES_ADDED_AT, stream.entriesAdded)
  writeUint64(tail, GROUPS_AT, stream.groups)
  stream.metadata.tail = tail
  stream.db.putMetadata(stream.key, encodeMetadata(stream.metadata))
}

/** Walks the entries from `start` to `end`, both inclusive. The cursor's key is the id, its value an entry's fields. */
export function scanEntries(
  stream: OpenStream,
  start: StreamId,
  end: StreamId,
  scan: Pick<SubkeyScan, 'reverse' | 'values' | 'rowsExpected'> = {},
): RowCursor {
  const to = Buffer.alloc(ID_BYTES + 1)
  minId(end, ENTRY_ID_MAX).copy(to)
  return stream.rows.scan({ ...scan, from: minId(start, to), to })
}

/**
 * True if the stream has entries after `id`. Kvrocks may leave the id of a deleted entry as that of the last, so the
 * entry is looked at; otherwise clients that wait would be answered with nothing, again and again.
 */
export function hasEntriesAfter(stream: OpenStream, id: StreamId): boolean {
  if (stream.metadata.size === 0 || compare(stream.lastEntryId, id) <= 0) return false
  const last = findLastId(stream, id)
  return last !== undefined && compare(last, id) > 0
}

/** The id of the last entry from `start` on, whatever the metadata say; undefined if there is none. */
export function findLastId(stream: OpenStream, start: StreamId): StreamId | undefined {
  if (stream.rows.has(stream.lastEntryId)) return stream.lastEntryId
  using cursor = scanEntries(stream, start, ENTRY_ID_MAX, { reverse: true, values: false, rowsExpected: 1 })
  return cursor.next() ? Buffer.from(cursor.key) : undefined
}

function idAt(row: Bytes, at: number): StreamId {
  return row.subarray(at, at + ID_BYTES)
}

/** A number of things. One that was counted below zero, as Kvrocks may do, is none. */
function countAt(row: Bytes, at: number): number {
  return Math.max(0, Number(readInt64(row, at)))
}

const DELIMITER_BYTES = 8
const KIND_GROUP = 1
const KIND_CONSUMER = 2
const KIND_PENDING = 3
const LENGTH_BYTES = 8

/** ff*8, the kind of row, and each name after its length. */
function groupRowKey(kind: number, names: readonly Bytes[], more = 0): Buffer {
  let length = DELIMITER_BYTES + 1 + more
  for (const name of names) length += LENGTH_BYTES + name.length
  const key = Buffer.allocUnsafe(length)
  key.fill(0xff, 0, DELIMITER_BYTES)
  key[DELIMITER_BYTES] = kind
  let at = DELIMITER_BYTES + 1
  for (const name of names) {
    at = writeUint64(key, at, name.length)
    at += name.copy(key, at)
  }
  return key
}

function pendingKey(group: Bytes, id: StreamId): Buffer {
  const key = groupRowKey(KIND_PENDING, [group], ID_BYTES)
  id.copy(key, key.length - ID_BYTES)
  return key
}

/** A consumer group of a stream. */
export interface Group {
  readonly stream: OpenStream
  readonly name: Bytes
  consumers: number
  /** Entries that were delivered and not acknowledged. */
  pending: number
  /** Id of the last delivered entry, or what was set. */
  lastId: StreamId
  /** Entries read by the group as if it had begun with the first ever; -1 = unknown. */
  entriesRead: Int64
  /** Kept as it was stored: the lag that clients see is computed. */
  readonly lag: Int64
}

export interface Consumer {
  readonly name: Bytes
  pending: number
  /** When it last tried to get entries, Unix milliseconds. */
  seenMs: number
  /** When it last got some, Unix milliseconds. */
  activeMs: number
}

export interface PendingEntry {
  readonly id: StreamId
  readonly consumer: Bytes
  readonly deliveredMs: number
  readonly deliveries: Int64
}

const GROUP_BYTES = 48
const CONSUMER_BYTES = 24
const PENDING_HEADER_BYTES = 24

export function openGroup(stream: OpenStream, name: Bytes): Group | undefined {
  const row = stream.rows.get(groupRowKey(KIND_GROUP, [name]))
  return row === undefined ? undefined : decodeGroup(stream, name, row)
}

function decodeGroup(stream: OpenStream, name: Bytes, row: Bytes): Group {
  checkLength(row, GROUP_BYTES)
  return {
    stream,
    name,
    consumers: countAt(row, 0),
    pending: countAt(row, 8),
    lastId: Buffer.from(idAt(row, 16)),
    entriesRead: readInt64(row, 32),
    lag: readUint64(row, 40),
  }
}

function checkLength(row: Bytes, bytes: number): void {
  if (row.length < bytes) throw new MetadataFormatError('a row of a consumer group is too short')
}

export function saveGroup(group: Group): void {
  const row = Buffer.allocUnsafe(GROUP_BYTES)
  writeUint64(row, 0, group.consumers)
  writeUint64(row, 8, group.pending)
  group.lastId.copy(row, 16)
  writeUint64(row, 32, group.entriesRead)
  writeUint64(row, 40, group.lag)
  group.stream.rows.put(groupRowKey(KIND_GROUP, [group.name]), row)
}

export function deleteGroupRow({ stream, name }: Group): void {
  stream.rows.delete(groupRowKey(KIND_GROUP, [name]))
}

/** All groups, by name. */
export function readGroups(stream: OpenStream): Group[] {
  const from = groupRowKey(KIND_GROUP, [])
  const groups: Group[] = []
  using cursor = stream.rows.scan({ from, to: prefixEnd(from) as Buffer })
  while (cursor.next()) {
    const name = Buffer.from(cursor.key.subarray(from.length + LENGTH_BYTES))
    groups.push(decodeGroup(stream, name, Buffer.from(cursor.value)))
  }
  return groups.sort(byName)
}

function byName(a: { readonly name: Bytes }, b: { readonly name: Bytes }): number {
  return a.name.compare(b.name)
}

export function readConsumer({ stream, name: group }: Group, name: Bytes): Consumer | undefined {
  const row = stream.rows.get(groupRowKey(KIND_CONSUMER, [group, name]))
  return row === undefined ? undefined : decodeConsumer(name, row)
}

function decodeConsumer(name: Bytes, row: Bytes): Consumer {
  checkLength(row, CONSUMER_BYTES)
  return {
    name,
    pending: countAt(row, 0),
    seenMs: Number(readInt64(row, 8)),
    activeMs: Number(readInt64(row, 16)),
  }
}

export function saveConsumer({ stream, name: group }: Group, consumer: Consumer): void {
  const row = Buffer.allocUnsafe(CONSUMER_BYTES)
  writeUint64(row, 0, consumer.pending)
  writeUint64(row, 8, consumer.seenMs)
  writeUint64(row, 16, consumer.activeMs)
  stream.rows.put(groupRowKey(KIND_CONSUMER, [group, consumer.name]), row)
}

export function deleteConsumerRow({ stream, name: group }: Group, name: Bytes): void {
  stream.rows.delete(groupRowKey(KIND_CONSUMER, [group, name]))
}

/** All consumers of a group, by name. */
export function readConsumers({ stream, name: group }: Group): Consumer[] {
  const from = groupRowKey(KIND_CONSUMER, [group])
  const consumers: Consumer[] = []
  using cursor = stream.rows.scan({ from, to: prefixEnd(from) as Buffer })
  while (cursor.next()) {
    const name = Buffer.from(cursor.key.subarray(from.length + LENGTH_BYTES))
    consumers.push(decodeConsumer(name, cursor.value))
  }
  return consumers.sort(byName)
}

/** The pending entry `id` of a group. */
export function readPending({ stream, name: group }: Group, id: StreamId): PendingEntry | undefined {
  const row = stream.rows.get(pendingKey(group, id))
  return row === undefined ? undefined : decodePending(id, row)
}

/** The pending entries `ids`, in one read. */
export function readPendingOf({ stream, name }: Group, ids: readonly StreamId[]): (PendingEntry | undefined)[] {
  const rows = stream.rows.getMany(ids.map((id) => pendingKey(name, id)))
  return rows.map((row, index) => (row === undefined ? undefined : decodePending(ids[index] as StreamId, row)))
}

function decodePending(id: StreamId, row: Bytes): PendingEntry {
  checkLength(row, PENDING_HEADER_BYTES)
  return {
    id,
    deliveredMs: Number(readInt64(row, 0)),
    deliveries: readUint64(row, 8),
    consumer: row.subarray(PENDING_HEADER_BYTES),
  }
}

export function savePending({ stream, name }: Group, entry: PendingEntry): void {
  const row = Buffer.allocUnsafe(PENDING_HEADER_BYTES + entry.consumer.length)
  writeUint64(row, 0, entry.deliveredMs)
  writeUint64(row, 8, entry.deliveries)
  writeUint64(row, 16, entry.consumer.length)
  entry.consumer.copy(row, PENDING_HEADER_BYTES)
  stream.rows.put(pendingKey(name, entry.id), row)
}

export function deletePending({ stream, name }: Group, id: StreamId): void {
  stream.rows.delete(pendingKey(name, id))
}

/** Walks the pending entries of a group from `start` to `end`, both inclusive. */
export function scanPending({ stream, name }: Group, start: StreamId, end: StreamId, reverse = false): RowCursor {
  const from = pendingKey(name, start)
  const to = Buffer.concat([pendingKey(name, end), Buffer.alloc(1)])
  return stream.rows.scan({ from, to: from.compare(to) > 0 ? from : to, reverse })
}

/** The pending entry under a cursor of `scanPending`, in views that are valid until it moves. */
export function pendingUnder(cursor: RowCursor): PendingEntry {
  const { key } = cursor
  return decodePending(key.subarray(key.length - ID_BYTES), cursor.value)
}

export function copyPending(entry: PendingEntry): PendingEntry {
  return { ...entry, id: Buffer.from(entry.id), consumer: Buffer.from(entry.consumer) }
}

/** The pending entry under a cursor of `scanPending`, in copies. */
export function pendingAt(cursor: RowCursor): PendingEntry {
  return copyPending(pendingUnder(cursor))
}

/** The first and, exclusive, last row key of what a group has: its consumers, or its pending entries. */
export function rowsOfGroup({ name }: Group, what: 'consumers' | 'pending'): { from: Bytes; to: Bytes } {
  const from = groupRowKey(what === 'consumers' ? KIND_CONSUMER : KIND_PENDING, [name])
  return { from, to: prefixEnd(from) as Buffer }
}
