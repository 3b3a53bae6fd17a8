/**
 * What consumers were given and have not acknowledged. A first delivery is stored with its time and the count 1, and
 * the counts of groups and consumers are kept exact; Kvrocks stores 0 for both, and lets the counts drift.
 * Source: redis src/t_stream.c; kvrocks src/types/redis_stream.cc.
 */

import { type Bytes, EMPTY, latin1 } from '../../bytes/bytes.js'
import { addInt64, type Int64 } from '../../bytes/int64.js'
import type { Database } from '../../storage/database.js'
import { TYPE_STREAM } from '../../storage/metadata.js'
import { type Entry, readEntry, readRange } from './entries.js'
import { advance, findOrAddConsumer } from './groups.js'
import { ENTRY_ID_MAX, ID_BYTES, ID_LAST, ID_ZERO, maxId, nextId, type StreamId } from './ids.js'
import {
  type Consumer,
  copyPending,
  deletePending,
  type Group,
  hasEntriesAfter,
  openGroup,
  openStream,
  type PendingEntry,
  pendingAt,
  pendingUnder,
  readConsumer,
  readPendingOf,
  saveConsumer,
  saveGroup,
  savePending,
  scanPending,
} from './rows.js'

/** Consumers of a group that an operation changes, each read once. */
class Consumers {
  readonly #group: Group
  readonly #byName = new Map<string, Consumer>()

  constructor(group: Group, ...known: Consumer[]) {
    this.#group = group
    for (const consumer of known) this.#byName.set(consumer.name.latin1Slice(0), consumer)
  }

  /** Counts that `name` has one pending entry less; undefined if there is no such consumer. */
  release(name: Bytes): Consumer | undefined {
    const id = name.latin1Slice(0)
    const consumer = this.#byName.get(id) ?? readConsumer(this.#group, Buffer.from(name))
    if (consumer === undefined) return undefined
    this.#byName.set(id, consumer)
    consumer.pending = Math.max(0, consumer.pending - 1)
    return consumer
  }

  /** Writes all but `except`, by name. */
  save(except?: Consumer): void {
    const names = [...this.#byName.keys()].sort()
    for (const name of names) {
      const consumer = this.#byName.get(name) as Consumer
      if (consumer !== except) saveConsumer(this.#group, consumer)
    }
  }
}

/** True if the group has not been given all entries. */
export function hasNew({ stream, lastId }: Group): boolean {
  return hasEntriesAfter(stream, lastId)
}

export interface Delivery<T> {
  readonly entries: readonly T[]
  /** True if the consumer is new. */
  readonly created: boolean
}

/**
 * Gives the consumer `name` the next `count` entries (0 = all) that the group was not given; with `noAck` they count as
 * acknowledged at once.
 */
export function deliver(group: Group, name: Bytes, count: number, noAck: boolean): Delivery<Entry> {
  const { stream } = group
  const { nowMs } = stream.db
  const start = nextId(group.lastId)
  const isAny = hasNew(group) && start !== undefined
  const entries = isAny ? readRange(stream, { start, end: ENTRY_ID_MAX, reverse: false, count }) : []
  // Entries that are pending already: the group was set back.
  const owned = noAck || entries.length === 0 ? new Map<string, Bytes>() : ownersOf(group, entries)
  const { consumer, created } = findOrAddConsumer(group, name)
  const consumers = new Consumers(group, consumer)
  consumer.seenMs = nowMs
  if (entries.length > 0 && !noAck) consumer.activeMs = nowMs
  stream.db.logData(TYPE_STREAM)
  for (const { id } of entries) {
    advance(group, id)
    if (noAck) continue
    const owner = owned.get(id.latin1Slice(0))
    if (owner === undefined) group.pending++
    else consumers.release(owner)
    consumer.pending++
    savePending(group, { id, consumer: name, deliveredMs: nowMs, deliveries: 1 })
  }
  saveGroup(group)
  saveConsumer(group, consumer)
  consumers.save(consumer)
  return { entries, created }
}

/** The owners of those of `entries` that are pending, by id. */
function ownersOf(group: Group, entries: readonly Entry[]): Map<string, Bytes> {
  const owners = new Map<string, Bytes>()
  const [first, last] = [entries[0] as Entry, entries[entries.length - 1] as Entry]
  using cursor = scanPending(group, first.id, last.id)
  while (cursor.next()) {
    const { id, consumer } = pendingAt(cursor)
    owners.set(id.latin1Slice(0), consumer)
  }
  return owners
}

/** An entry that a consumer was given before; without a value if it has been deleted since. */
export interface OldEntry {
  readonly id: StreamId
  readonly value: Bytes | undefined
}

/** Gives the consumer `name` again what it has not acknowledged after `after`, up to `count` entries (0 = all). */
export function deliverAgain(group: Group, name: Bytes, after: StreamId, count: number): Delivery<OldEntry> {
  const { stream } = group
  const pending = pendingOf(group, name, after, count)
  const values = stream.rows.getMany(pending.map(({ id }) => id))
  const { consumer, created } = findOrAddConsumer(group, name)
  consumer.seenMs = stream.db.nowMs
  stream.db.logData(TYPE_STREAM)
  pending.forEach((entry, index) => {
    if (values[index] !== undefined) {
      savePending(group, { ...entry, deliveredMs: stream.db.nowMs, deliveries: countUp(entry.deliveries) })
    }
  })
  saveGroup(group)
  saveConsumer(group, consumer)
  return { entries: pending.map(({ id }, index) => ({ id, value: values[index] })), created }
}

function pendingOf(group: Group, name: Bytes, after: StreamId, count: number): PendingEntry[] {
  const start = nextId(after)
  return start === undefined ? [] : listPending(group, { start, end: ID_LAST, count, consumer: name, idleMs: 0 })
}

function countUp(deliveries: Int64): Int64 {
  return addInt64(deliveries, 1) ?? deliveries
}

/** Forgets pending entries. Returns how many there were; none without the key or the group. */
export function acknowledge(db: Database, key: Bytes, name: Bytes, ids: readonly StreamId[]): number {
  const stream = openStream(db, key)
  const group = stream === undefined ? undefined : openGroup(stream, name)
  return group === undefined ? 0 : release(group, ids)
}

/** So many pending entries are read at once. */
const RELEASED_AT_ONCE = 1024

/** Forgets pending entries of an open group. Returns how many there were. */
export function release(group: Group, ids: readonly StreamId[]): number {
  const consumers = new Consumers(group)
  let released = 0
  for (let at = 0; at < ids.length; at += RELEASED_AT_ONCE) {
    for (const entry of pendingOnce(group, ids.slice(at, at + RELEASED_AT_ONCE))) {
      if (released++ === 0) group.stream.db.logData(TYPE_STREAM)
      deletePending(group, entry.id)
      consumers.release(entry.consumer)
    }
  }
  if (released === 0) return 0
  group.pending = Math.max(0, group.pending - released)
  saveGroup(group)
  consumers.save()
  return released
}

/** The pending entries that `ids` name, each once. */
function pendingOnce(group: Group, ids: readonly StreamId[]): Iterable<PendingEntry> {
  const found = new Map<string, PendingEntry>()
  for (const entry of readPendingOf(group, ids)) if (entry !== undefined) found.set(entry.id.latin1Slice(0), entry)
  return found.values()
}

export interface PendingFilter {
  /** Inclusive. */
  readonly start: StreamId
  /** Inclusive. */
  readonly end: StreamId
  /** Entries at most; 0 = all. */
  readonly count: number
  /** Only what it was given. */
  readonly consumer: Bytes | undefined
  /** Only what was delivered this long ago or longer. */
  readonly idleMs: number
}

/** Pending entries in order of id, in copies. */
export function listPending(group: Group, { start, end, count, consumer, idleMs }: PendingFilter): PendingEntry[] {
  const { nowMs } = group.stream.db
  const found: PendingEntry[] = []
  using cursor = scanPending(group, start, end)
  while ((count === 0 || found.length < count) && cursor.next()) {
    const entry = pendingUnder(cursor)
    if (consumer !== undefined && !entry.consumer.equals(consumer)) continue
    if (!isIdle(entry, nowMs, idleMs)) continue
    found.push(copyPending(entry))
  }
  return found
}

/** What each of `consumers` has pending, in copies: up to `count` entries of each (0 = all), in one walk. */
export function listPendingOfEach(group: Group, consumers: readonly Consumer[], count: number): PendingEntry[][] {
  const lists = consumers.map((): PendingEntry[] => [])
  const open = new Map(consumers.map(({ name }, index) => [name.latin1Slice(0), lists[index] as PendingEntry[]]))
  using cursor = scanPending(group, ID_ZERO, ID_LAST)
  while (open.size > 0 && cursor.next()) {
    const entry = pendingUnder(cursor)
    const owner = entry.consumer.latin1Slice(0)
    const list = open.get(owner)
    if (list?.push(copyPending(entry)) === count) open.delete(owner)
  }
  return lists
}

export interface PendingSummary {
  readonly count: number
  readonly first: StreamId
  readonly last: StreamId
  /** Those that have pending entries, by name. */
  readonly consumers: readonly { readonly name: Bytes; readonly count: number }[]
}

/** What is pending in a group by its rows, not by the counts, which Kvrocks lets drift; undefined if nothing is. */
export function summarizePending(group: Group): PendingSummary | undefined {
  const counts = new Map<string, number>()
  let count = 0
  let first = ID_ZERO
  const last = Buffer.alloc(ID_BYTES)
  using cursor = scanPending(group, ID_ZERO, ID_LAST)
  while (cursor.next()) {
    const { id, consumer } = pendingUnder(cursor)
    if (count++ === 0) first = Buffer.from(id)
    id.copy(last)
    const owner = consumer.latin1Slice(0)
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  if (count === 0) return undefined
  const owners = [...counts.keys()].sort()
  return { count, first, last, consumers: owners.map((name) => ({ name: latin1(name), count: counts.get(name) ?? 0 })) }
}

export interface Claim {
  /** Only what was delivered this long ago or longer. */
  readonly minIdleMs: number
  /** The time of delivery that is stored, Unix milliseconds; undefined = now. */
  readonly deliveredMs: number | undefined
  /** The count that is stored; undefined = one more. */
  readonly deliveries: Int64 | undefined
  /** Entries that are not pending are claimed too. */
  readonly force: boolean
  /** Only ids are wanted, and the count stays as it is. */
  readonly justId: boolean
  /** The group moves on to this if it is before it. */
  readonly lastId: StreamId
}

/** Makes the consumer `name` the owner of pending entries. Returns those that are; what was deleted is forgotten. */
export function claim(group: Group, name: Bytes, ids: readonly StreamId[], how: Claim): Delivery<Entry> {
  const { stream } = group
  const { nowMs } = stream.db
  const { consumer, created } = findOrAddConsumer(group, name)
  const taker = new Taker(group, consumer, how)
  group.lastId = maxId(group.lastId, how.lastId)
  const deliveredMs = how.deliveredMs === undefined || how.deliveredMs < 0 ? nowMs : Math.min(how.deliveredMs, nowMs)
  stream.db.logData(TYPE_STREAM)
  for (const id of ids) {
    // One by one: an id that is named twice is another's the first time alone.
    const [pending] = readPendingOf(group, [id])
    const value = readEntry(stream, id)
    if (value === undefined) {
      if (pending !== undefined) taker.forget(pending)
    } else if (pending !== undefined ? isIdle(pending, nowMs, how.minIdleMs) : how.force) {
      taker.take(id, pending, value, deliveredMs)
    }
  }
  saveConsumer(group, consumer)
  saveGroup(group)
  return { entries: taker.taken, created }
}

/** Without an idle time even what was delivered after `nowMs`: the clock was set back. */
function isIdle({ deliveredMs }: PendingEntry, nowMs: number, minIdleMs: number): boolean {
  return minIdleMs === 0 || nowMs - deliveredMs >= minIdleMs
}

/** Moves pending entries to a consumer, row by row as Kvrocks writes them: the former owner, then the entry. */
class Taker {
  readonly taken: Entry[] = []
  readonly #group: Group
  readonly #consumer: Consumer
  readonly #how: Pick<Claim, 'deliveries' | 'justId'>
  readonly #owners: Consumers

  constructor(group: Group, consumer: Consumer, how: Pick<Claim, 'deliveries' | 'justId'>) {
    this.#group = group
    this.#consumer = consumer
    this.#how = how
    this.#owners = new Consumers(group, consumer)
    consumer.seenMs = group.stream.db.nowMs
  }

  take(id: StreamId, pending: PendingEntry | undefined, value: Bytes, deliveredMs: number): void {
    const consumer = this.#consumer
    if (pending === undefined) {
      this.#group.pending++
      consumer.pending++
    } else if (!pending.consumer.equals(consumer.name)) {
      this.#saveOwner(pending)
      consumer.pending++
    }
    // Redis makes an entry for FORCE as if it had been delivered once.
    const former = pending?.deliveries ?? 1
    const deliveries = this.#how.deliveries ?? (this.#how.justId ? former : countUp(former))
    savePending(this.#group, { id, consumer: consumer.name, deliveredMs, deliveries })
    consumer.activeMs = this.#group.stream.db.nowMs
    this.taken.push({ id, value })
  }

  /** The entry is gone from the stream. */
  forget(pending: PendingEntry): void {
    deletePending(this.#group, pending.id)
    this.#group.pending = Math.max(0, this.#group.pending - 1)
    this.#saveOwner(pending)
  }

  #saveOwner({ consumer }: PendingEntry): void {
    const owner = this.#owners.release(consumer)
    if (owner !== undefined && owner !== this.#consumer) saveConsumer(this.#group, owner)
  }
}

export interface AutoClaim extends Delivery<Entry> {
  /** Where the next call goes on; ID_ZERO at the end. */
  readonly next: StreamId
  /** Ids that were pending and whose entries are gone. */
  readonly deleted: readonly StreamId[]
}

/** A call looks at this many pending entries for each that it may claim. */
const ATTEMPTS = 10

/**
 * Claims up to `count` pending entries from `start` on that were delivered `minIdleMs` ago or longer.
 * Unlike Kvrocks it counts out, for group and owner, the entries that it forgets.
 */
export function claimFrom(
  group: Group,
  name: Bytes,
  how: { minIdleMs: number; start: StreamId; count: number; justId: boolean },
): AutoClaim {
  const { stream } = group
  const { claimable, next } = findClaimable(group, how)
  const { consumer, created } = findOrAddConsumer(group, name)
  const taker = new Taker(group, consumer, { deliveries: undefined, justId: how.justId })
  const deleted: StreamId[] = []
  stream.db.logData(TYPE_STREAM)
  for (const { pending, value } of claimable) {
    if (value === undefined) {
      taker.forget(pending)
      deleted.push(pending.id)
    } else {
      taker.take(pending.id, pending, value, stream.db.nowMs)
    }
  }
  saveConsumer(group, consumer)
  if (deleted.length > 0) saveGroup(group)
  return { entries: taker.taken, created, deleted, next }
}

interface Claimable {
  readonly pending: PendingEntry
  /** Undefined: the entry is gone. Empty where only ids are wanted. */
  readonly value: Bytes | undefined
}

/**
 * Up to `count` pending entries that may be claimed or are gone, and the id after the last that was looked at; ID_ZERO
 * at the end. All are found before one is changed, for a scan may commit what was written before it.
 */
function findClaimable(
  group: Group,
  { minIdleMs, start, count, justId }: { minIdleMs: number; start: StreamId; count: number; justId: boolean },
): { claimable: Claimable[]; next: StreamId } {
  const { stream } = group
  const claimable: Claimable[] = []
  using cursor = scanPending(group, start, ID_LAST)
  for (let attempts = count * ATTEMPTS; cursor.next(); attempts--) {
    const pending = pendingAt(cursor)
    if (attempts === 0 || claimable.length === count) return { claimable, next: pending.id }
    const value = readEntry(stream, pending.id)
    if (value === undefined) claimable.push({ pending, value })
    else if (isIdle(pending, stream.db.nowMs, minIdleMs)) claimable.push({ pending, value: justId ? EMPTY : value })
  }
  return { claimable, next: ID_ZERO }
}
