/** Streams as DUMP, RESTORE and RDB files see them. */

import { type Bytes, compare, EMPTY } from '../../bytes/bytes.js'
import { readUint64 } from '../../bytes/int64.js'
import { INVALID_STREAM_ID } from '../../protocol/errors/stream.js'
import type { Database } from '../../storage/database.js'
import { TYPE_STREAM } from '../../storage/metadata.js'
import { withKnownOwners } from '../../storage/rdb/stream-owners.js'
import type {
  StreamGroup,
  StreamState,
  StreamValue,
  StreamEntry as ValueEntry,
  StreamId as ValueId,
} from '../../storage/rdb/value.js'
import { type Entry, encodeFields, readFields, readRange } from './entries.js'
import { ENTRY_ID_MAX, ID_LAST, ID_ZERO, makeId, type StreamId } from './ids.js'
import { listPending } from './pending.js'
import {
  type Group,
  newStream,
  type OpenStream,
  openStream,
  readConsumers,
  readGroups,
  saveConsumer,
  saveGroup,
  savePending,
  saveStream,
} from './rows.js'

/** The stream at `key`, which exists, as a whole. */
export function toValue(db: Database, key: Bytes): StreamValue {
  const stream = openStream(db, key)
  if (stream === undefined) throw new RangeError('the stream exists')
  const entries = readRange(stream, { start: ID_ZERO, end: ENTRY_ID_MAX, reverse: false, count: 0 })
  return { type: 'stream', entries: entries.map(entryToValue), state: stateToValue(stream) }
}

/** An entry as an RDB file has it. */
export function entryToValue({ id, value }: Entry): ValueEntry {
  return { id: idToValue(id), fields: readFields(value) }
}

/** All of a stream but its entries. */
export function stateToValue(stream: OpenStream): StreamState {
  return {
    lastId: idToValue(stream.lastId),
    firstId: idToValue(stream.firstId),
    maxDeletedId: idToValue(stream.maxDeletedId),
    entriesAdded: stream.entriesAdded,
    groups: readGroups(stream).map(groupToValue),
  }
}

function idToValue(id: StreamId): ValueId {
  return { ms: readUint64(id, 0), seq: readUint64(id, 8) }
}

function groupToValue(group: Group): StreamGroup {
  const pending = listPending(group, { start: ID_ZERO, end: ID_LAST, count: 0, consumer: undefined, idleMs: 0 })
  const consumers = readConsumers(group).map(({ name, seenMs, activeMs }) => ({ name, seenMs, activeMs }))
  return {
    name: group.name,
    lastId: idToValue(group.lastId),
    entriesRead: group.entriesRead,
    pending: withKnownOwners(
      pending.map((entry) => ({ ...entry, id: idToValue(entry.id) })),
      consumers,
    ),
    consumers,
  }
}

/** Makes `value`, or a first part of it, a new stream in the place of whatever is at `key`. Throws INVALID_STREAM_ID. */
export function fromValue(db: Database, key: Bytes, value: StreamValue): void {
  addValue(newStream(db, key), value)
}

/** Adds a further part to the stream at `key`, which exists. Throws INVALID_STREAM_ID. */
export function appendValue(db: Database, key: Bytes, value: StreamValue): void {
  const stream = openStream(db, key)
  if (stream === undefined) throw new RangeError('the stream exists')
  addValue(stream, value)
}

function addValue(stream: OpenStream, { entries, state }: StreamValue): void {
  stream.db.logData(TYPE_STREAM)
  for (const entry of entries) addEntry(stream, entry)
  stream.lastId = stream.lastEntryId
  stream.entriesAdded = stream.metadata.size
  if (state !== undefined) addState(stream, state)
  saveStream(stream)
}

function addEntry(stream: OpenStream, entry: ValueEntry): void {
  const id = makeId(entry.id.ms, entry.id.seq)
  if (compare(id, ENTRY_ID_MAX) > 0) throw INVALID_STREAM_ID
  stream.rows.put(id, encodeFields(entry.fields))
  if (stream.metadata.size === 0) stream.firstId = id
  stream.lastEntryId = id
  stream.metadata.size++
}

function addState(stream: OpenStream, state: StreamState): void {
  stream.lastId = makeId(state.lastId.ms, state.lastId.seq)
  stream.maxDeletedId = makeId(state.maxDeletedId.ms, state.maxDeletedId.seq)
  stream.entriesAdded = state.entriesAdded
  stream.groups = state.groups.length
  for (const group of state.groups) addGroup(stream, group)
}

function addGroup(stream: OpenStream, { name, lastId, entriesRead, pending, consumers }: StreamGroup): void {
  const group: Group = {
    stream,
    name,
    consumers: consumers.length,
    pending: pending.length,
    lastId: makeId(lastId.ms, lastId.seq),
    entriesRead,
    lag: 0,
  }
  saveGroup(group)
  const counts = new Map<string, number>()
  for (const { consumer = EMPTY } of pending) {
    const owner = consumer.latin1Slice(0)
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  for (const consumer of consumers) {
    const seenMs = Number(consumer.seenMs)
    // Of a consumer that never got an entry the two times are the same here, as in Kvrocks.
    const activeMs = consumer.activeMs < 0 ? seenMs : Number(consumer.activeMs)
    saveConsumer(group, {
      name: consumer.name,
      pending: counts.get(consumer.name.latin1Slice(0)) ?? 0,
      seenMs,
      activeMs,
    })
  }
  // An entry without an owner has an owner without a name.
  for (const { id, consumer = EMPTY, deliveredMs, deliveries } of pending) {
    savePending(group, { id: makeId(id.ms, id.seq), consumer, deliveredMs: Number(deliveredMs), deliveries })
  }
}
