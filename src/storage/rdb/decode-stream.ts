import type { Bytes } from '../../bytes/bytes.js'
import { type Int64, toInt64 } from '../../bytes/int64.js'
import type { ByteSource } from './byte-source.js'
import {
  STREAM_ENTRY_DELETED,
  STREAM_ENTRY_SAME_FIELDS,
  STREAM_ID_SIZE,
  TYPE_STREAM_LISTPACKS,
  TYPE_STREAM_LISTPACKS_3,
  TYPE_STREAM_LISTPACKS_4,
  TYPE_STREAM_LISTPACKS_5,
} from './format.js'
import { ListpackReader } from './listpack.js'
import { corrupt } from './rdb-error.js'
import type { PendingEntry, StreamConsumer, StreamEntry, StreamGroup, StreamId, StreamState } from './value.js'

/**
 * Streams in RDB.
 *
 *   nodes(length) (master id(string of 16) listpack(string))…
 *   entries(length) last id
 *   from the second form on: first id, greatest deleted id, entries added
 *   groups(length) group…
 *   from the fourth form on: the producers' idempotence table
 *
 * Ids are two lengths here, and 16 raw bytes in pending lists. Source: Redis rdb.c, rdbLoadObject.
 */

export const ZERO_ID: StreamId = { ms: 0, seq: 0 }
const UNKNOWN = -1
const READ_UNKNOWN = 2n ** 64n - 1n

/**
 * Reads one node.
 *
 *   master entry: live, deleted, number of fields, field…, 0
 *   entry: flags, ms and seq less the master's, [number of fields,] field and value…, number of parts
 *
 * An entry with the master's fields has values alone. Source: Redis t_stream.c, streamIteratorGetID.
 */
export function readStreamNode(source: ByteSource): StreamEntry[] {
  const key = source.string()
  if (key.length !== STREAM_ID_SIZE) throw corrupt('stream: wrong size of a node id')
  const master = { ms: readRaw(key, 0), seq: readRaw(key, 8) }
  const pack = new ListpackReader(source.string())
  const live = pack.integer()
  const deleted = pack.integer()
  const masterFields: Bytes[] = []
  for (let left = readSmall(pack); left > 0; left--) masterFields.push(pack.bytes())
  if (pack.integer() !== 0) throw corrupt('stream: master entry without its end')
  const entries: StreamEntry[] = []
  let dead = 0
  while (!pack.done) {
    const flags = readSmall(pack)
    const id = { ms: addDelta(master.ms, pack.integer()), seq: addDelta(master.seq, pack.integer()) }
    const fields = readFields(pack, flags, masterFields)
    if (flags & STREAM_ENTRY_DELETED) dead++
    else entries.push({ id, fields })
  }
  if (live !== entries.length || deleted !== dead) throw corrupt('stream: wrong count of a node')
  return entries
}

function readFields(pack: ListpackReader, flags: number, masterFields: readonly Bytes[]): Bytes[] {
  const fields: Bytes[] = []
  const same = (flags & STREAM_ENTRY_SAME_FIELDS) !== 0
  const count = same ? masterFields.length : readSmall(pack)
  for (let index = 0; index < count; index++) fields.push(same ? masterFields[index]! : pack.bytes(), pack.bytes())
  if (pack.integer() !== (same ? count + 3 : 2 * count + 4)) throw corrupt('stream: wrong size of an entry')
  return fields
}

function readSmall(pack: ListpackReader): number {
  const value = pack.integer()
  if (typeof value !== 'number' || value < 0) throw corrupt('stream: impossible number')
  return value
}

function readRaw(key: Bytes, at: number): Int64 {
  return toInt64(key.readBigUInt64BE(at))
}

/** Deltas wrap around at 2^64: a sequence number may be lower than the master's. */
function addDelta(base: Int64, delta: Int64): Int64 {
  if (typeof base === 'number' && typeof delta === 'number') {
    const sum = base + delta
    if (sum >= 0 && Number.isSafeInteger(sum)) return sum
  }
  return toInt64(BigInt.asUintN(64, BigInt(base) + BigInt(delta)))
}

/** Reads what follows the nodes. `firstEntryId` and `entryCount` serve the first form, which does not store them. */
export function readStreamState(source: ByteSource, type: number, seen: StreamBounds): StreamState {
  const length = source.length()
  if (length !== 0 && seen.count === 0) throw corrupt('stream: no entries where some are promised')
  const lastId = readId(source)
  const old = type === TYPE_STREAM_LISTPACKS
  const firstId = old ? seen.firstId : readId(source)
  const maxDeletedId = old ? ZERO_ID : readId(source)
  const entriesAdded = old ? length : source.length()
  const groups: StreamGroup[] = []
  for (let left = source.count(); left > 0; left--) {
    groups.push(readGroup(source, type, { lastId, firstId, entriesAdded }))
  }
  if (type >= TYPE_STREAM_LISTPACKS_4) skipIdempotence(source)
  return { lastId, firstId, maxDeletedId, entriesAdded, groups }
}

/** What the nodes have shown. */
export type StreamBounds = { count: number; firstId: StreamId }

function readId(source: ByteSource): StreamId {
  return { ms: source.length(), seq: source.length() }
}

function readRawId(source: ByteSource): StreamId {
  return { ms: source.uint64(), seq: source.uint64() }
}

type Known = { lastId: StreamId; firstId: StreamId; entriesAdded: Int64 }

function readGroup(source: ByteSource, type: number, stream: Known): StreamGroup {
  const name = source.string()
  const lastId = readId(source)
  const entriesRead = type === TYPE_STREAM_LISTPACKS ? guessEntriesRead(lastId, stream) : signed(source.length())
  const pending = new Map<string, { -readonly [K in keyof PendingEntry]: PendingEntry[K] }>()
  for (let left = source.count(); left > 0; left--) {
    const id = readRawId(source)
    const key = idKey(id)
    if (pending.has(key)) throw corrupt('stream: entry pending twice')
    pending.set(key, { id, consumer: undefined, deliveredMs: source.int64(), deliveries: source.length() })
  }
  const consumers: StreamConsumer[] = []
  const names = new Set<string>()
  let owned = 0
  for (let left = source.count(); left > 0; left--) {
    const consumer = source.string()
    const text = consumer.toString('latin1')
    if (names.has(text)) throw corrupt('stream: consumer given twice')
    names.add(text)
    const seenMs = source.int64()
    const activeMs = type >= TYPE_STREAM_LISTPACKS_3 ? source.int64() : seenMs
    consumers.push({ name: consumer, seenMs, activeMs })
    for (let entries = source.count(); entries > 0; entries--, owned++) {
      const entry = pending.get(idKey(readRawId(source)))
      if (entry === undefined || entry.consumer !== undefined) throw corrupt('stream: pending entry without a group')
      entry.consumer = consumer
    }
  }
  if (type >= TYPE_STREAM_LISTPACKS_5) owned += skipHandedBack(source)
  if (owned !== pending.size) throw corrupt('stream: pending entry without a consumer')
  return { name, lastId, entriesRead, pending: [...pending.values()], consumers }
}

function idKey(id: StreamId): string {
  return `${id.ms}-${id.seq}`
}

/** Entries that their consumers handed back are listed by id behind the consumers; returns how many. */
function skipHandedBack(source: ByteSource): number {
  const count = source.count()
  source.bytes(count * STREAM_ID_SIZE)
  return count
}

/**
 * The idempotence table of producers has no counterpart here.
 *
 *   duration, limit, producers(length) (producer entries(length) (name id)…)…, added, duplicates
 */
function skipIdempotence(source: ByteSource): void {
  source.length()
  source.length()
  for (let producers = source.count(); producers > 0; producers--) {
    source.string()
    for (let entries = source.count(); entries > 0; entries--) {
      source.string()
      readId(source)
    }
  }
  source.length()
  source.length()
}

function signed(value: Int64): Int64 {
  return value === READ_UNKNOWN ? UNKNOWN : value
}

/** The first form does not store how far a group has read; known only at the two ends of the stream. */
function guessEntriesRead(groupId: StreamId, stream: Known): Int64 {
  if (stream.entriesAdded === 0 || isBefore(groupId, stream.firstId)) return 0
  return isBefore(groupId, stream.lastId) ? UNKNOWN : stream.entriesAdded
}

function isBefore(a: StreamId, b: StreamId): boolean {
  return a.ms < b.ms || (a.ms === b.ms && a.seq < b.seq)
}
