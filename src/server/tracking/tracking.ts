/**
 * Client side caching: clients that track keys are told when these change. What a client reads is remembered with its
 * key, and the first change of the key tells it so; in broadcasting mode nothing is remembered, and the client hears of
 * all changes of keys with its prefixes. Messages leave after the commit of the turn that made the change, in its order.
 * Source: redis src/tracking.c.
 *
 * Unlike Redis's, the table knows when the keys in it expire, for expired keys are deleted late, and not by who meets them.
 */

import type { Bytes } from '../../bytes/bytes.js'
import type { Client } from '../../commands/client.js'
import { keyIndexes, PUBSUB, READONLY, SCRIPTING } from '../../commands/command.js'
import type { BoundCommand } from '../../commands/command-table.js'
import type { Tracking, TrackingInfo, TrackingMode } from '../../commands/server-view.js'
import type { Args } from '../../protocol/args.js'
import * as errors from '../../protocol/errors/tracking.js'
import { Reply } from '../../protocol/reply.js'
import type { Database } from '../../storage/database.js'
import { namespacePrefix, parseNsKeyText } from '../../storage/keys.js'
import {
  decodeMetadata,
  expireMsOf,
  fieldExpiryOf,
  isExpired,
  isReadable,
  rowType,
  TYPE_HASH,
} from '../../storage/metadata.js'
import type { Store } from '../../storage/store.js'
import type { Connection } from '../connection.js'
import { Broadcasts } from './broadcasts.js'
import { KeyTable } from './key-table.js'
import { Tracker } from './tracker.js'

const CHANNEL = '__redis__:invalidate'
/** Keys that the first command forgets at most that finds the table too large; the second, twice as many, and so on. */
const EVICTED_MAX = 100
const MESSAGE_BYTES = 128
/** How long a client may keep what it has read of a hash whose fields expire at times that are not known. */
const FIELDS_CHECK_MS = 1000

export interface TrackingHost {
  readonly store: Store
  readonly clients: { byId(id: number): Connection | undefined }
  /** Keys that the table may hold; 0 = any number. */
  readonly keysMax: () => number
  /** Sends bytes that answer no request. */
  readonly push: (connection: Connection, bytes: Buffer) => void
  /** Has the turn end, although no client may have anything to do with it. */
  readonly endTurnSoon: () => void
}

export class TrackingTable implements Tracking {
  /** True if some client tracks keys. */
  isActive = false
  readonly #host: TrackingHost
  readonly #keys = new KeyTable()
  readonly #broadcasts = new Broadcasts()
  readonly #trackers = new Set<Tracker>()
  /** How many times running the table was too large. */
  #evictions = 0

  constructor(host: TrackingHost) {
    this.#host = host
    const { turn } = host.store
    turn.touched.expiredListener = (nsKey) => {
      if (this.#keys.hasExpired(nsKey, turn.nowMs)) this.invalidate([nsKey], undefined)
    }
  }

  get clientCount(): number {
    return this.#trackers.size
  }

  get keyCount(): number {
    return this.#keys.keyCount
  }

  get itemCount(): number {
    return this.#keys.readerCount
  }

  get prefixCount(): number {
    return this.#broadcasts.prefixCount
  }

  enable(client: Client, mode: TrackingMode, prefixes: readonly string[]): void {
    const connection = client as Connection
    const tracker = connection.tracker ?? new Tracker(connection)
    checkModes(tracker, mode)
    checkPrefixes(tracker, prefixes)
    connection.tracker = tracker
    tracker.isOn = true
    tracker.mode = mode
    tracker.isRedirectBroken = false
    this.#trackers.add(tracker)
    if (mode.isBroadcast)
      for (const prefix of prefixes.length === 0 ? [''] : prefixes) this.#broadcasts.join(tracker, prefix)
    this.isActive = true
    // The commands that follow in the same run are to be noticed.
    this.#host.store.turn.touched.isObserved = true
  }

  disable(client: Client): void {
    const { tracker } = client as Connection
    if (tracker === undefined || !tracker.isOn) return
    this.#broadcasts.leave(tracker)
    tracker.turnOff()
    this.#trackers.delete(tracker)
    if (this.#trackers.size > 0) return
    this.isActive = false
    // From now on nobody looks at what is changed.
    this.#keys.clear()
  }

  allowCaching(client: Client, isAllowed: boolean): void {
    const { tracker } = client as Connection
    if (tracker === undefined || !tracker.isOn) throw errors.CACHING_WITHOUT_TRACKING
    if (isAllowed && !tracker.mode.isOptIn) throw errors.CACHING_YES_WITHOUT_OPTIN
    if (!isAllowed && !tracker.mode.isOptOut) throw errors.CACHING_NO_WITHOUT_OPTOUT
    tracker.isCachingGiven = true
  }

  describe(client: Client): TrackingInfo {
    const { tracker } = client as Connection
    if (tracker === undefined || !tracker.isOn) return { flags: ['off'], redirect: -1, prefixes: [] }
    const { redirect = 0, isBroadcast, isOptIn, isOptOut, isNoLoop } = tracker.mode
    const caching = tracker.isCachingGiven
    const flags: readonly (readonly [boolean, string])[] = [
      [true, 'on'],
      [isBroadcast, 'bcast'],
      [isOptIn, 'optin'],
      [isOptIn && caching, 'caching-yes'],
      [isOptOut, 'optout'],
      [isOptOut && caching, 'caching-no'],
      [isNoLoop, 'noloop'],
      [tracker.isRedirectBroken, 'broken_redirect'],
    ]
    return {
      flags: flags.filter(([isSet]) => isSet).map(([, name]) => name),
      redirect,
      prefixes: [...tracker.prefixes].sort(),
    }
  }

  /** The connection is closed: it is told nothing any more. */
  forget(connection: Connection): void {
    this.disable(connection)
    if (connection.tracker !== undefined) connection.tracker.connection = undefined
  }

  /** After a command of `connection`, also one of a transaction or a script: remembers the keys that it read. */
  noteReads(connection: Connection, db: Database, command: BoundCommand, args: Args): void {
    const { tracker } = connection
    if ((command.flags & READONLY) !== 0 && (command.flags & (PUBSUB | SCRIPTING)) === 0 && tracker?.remembersReads) {
      for (const index of keyIndexes(command, args)) this.#remember(tracker, db, args.at(index))
    }
    this.#evict()
  }

  /** A client that waited has been shown `nsKeys`, one character a byte. */
  noteWaitedReads({ tracker, context }: Connection, nsKeys: readonly string[]): void {
    if (!tracker?.remembersReads) return
    const { db } = context
    for (const nsKey of nsKeys) this.#remember(tracker, db, db.userKey(Buffer.from(nsKey, 'latin1')))
  }

  /** True if a client is to be told of a change of `nsKey`, one character a byte. */
  concerns(nsKey: string): boolean {
    return this.#keys.has(nsKey) || this.#broadcasts.concerns(nsKey, this.#host.store.slotEncoded)
  }

  /** `author` has changed these keys, one character a byte; undefined if no client did. */
  invalidate(nsKeys: Iterable<string>, author: Connection | undefined): void {
    const broadcasts = this.#broadcasts.prefixCount > 0
    for (const nsKey of nsKeys) {
      const readers = this.#keys.take(nsKey)
      if (broadcasts) this.#noteBroadcast(nsKey, author)
      for (const reader of readers) {
        if (!reader.mode.isNoLoop || reader.connection !== author) this.#tellKey(reader, nsKey)
      }
    }
  }

  /** All keys that begin with `prefix`, one character a byte, were deleted: those of a namespace, or of all. */
  invalidateAll(prefix: string): void {
    const told = this.#keys.takeAll(prefix)
    for (const tracker of this.#trackers) {
      const namespace = tracker.connection?.namespace
      if (namespace !== undefined && namespacePrefix(namespace).latin1Slice(0).startsWith(prefix)) told.add(tracker)
    }
    for (const tracker of told) this.#tell(tracker, (reply) => reply.nil())
  }

  /** What was told may have been lost, or be about data that is not stored: clients are to forget all that they have. */
  invalidateEverything(): void {
    if (!this.isActive) return
    this.#broadcasts.forget()
    this.invalidateAll('')
  }

  /** A key of `namespace` was deleted, for its time or that of its last field was over. */
  keyExpired(namespace: Bytes, key: Bytes): void {
    this.invalidate([this.#host.store.database(namespace).nsKey(key).latin1Slice(0)], undefined)
  }

  /** Called regularly: invalidates remembered keys whose time is over, and those that are too many. */
  expire(nowMs: number): void {
    this.invalidate(this.#keys.expired(nowMs), undefined)
    this.#evict()
  }

  /** At the end of a turn: sends what is broadcast. */
  endTurn(): void {
    if (this.#broadcasts.prefixCount === 0) return
    this.#broadcasts.send((listener, keys) => this.#tell(listener, (reply) => writeKeys(reply, keys)))
  }

  #remember(tracker: Tracker, db: Database, key: Buffer): void {
    const row = db.getMetadata(key)
    const expireMs = row === undefined || !isReadable(row) ? 0 : changeMsOf(row, db.nowMs)
    this.#keys.add(db.nsKey(key).latin1Slice(0), tracker, expireMs)
  }

  #evict(): void {
    const keysMax = this.#host.keysMax()
    if (keysMax === 0 || this.#keys.keyCount <= keysMax) {
      this.#evictions = 0
      return
    }
    this.#evictions++
    for (let count = 0; count < EVICTED_MAX * this.#evictions && this.#keys.keyCount > keysMax; count++) {
      const nsKey = this.#keys.oldestKey()
      if (nsKey === undefined) return
      for (const reader of this.#keys.take(nsKey)) this.#tellKey(reader, nsKey)
    }
  }

  #noteBroadcast(nsKey: string, author: Connection | undefined): void {
    this.#host.endTurnSoon()
    const parsed = parseNsKeyText(nsKey, this.#host.store.slotEncoded)
    if (parsed !== undefined) this.#broadcasts.note(parsed.namespace, parsed.key, author)
  }

  #tellKey(reader: Tracker, nsKey: string): void {
    // One that has changed to broadcasting hears of the key by that.
    if (!reader.isOn || reader.mode.isBroadcast) return
    const parsed = parseNsKeyText(nsKey, this.#host.store.slotEncoded)
    if (parsed !== undefined) this.#tell(reader, (reply) => writeKeys(reply, [parsed.key]))
  }

  /** Sends an invalidation whose keys `write` writes, if the receiver can take one. */
  #tell(tracker: Tracker, write: (reply: Reply) => void): void {
    const { connection } = tracker
    if (connection === undefined || !tracker.isOn) return
    const { redirect } = tracker.mode
    const receiver = redirect === undefined ? connection : this.#host.clients.byId(redirect)
    if (redirect !== undefined && (receiver === undefined || receiver.isClosing)) {
      this.#tellBroken(tracker, connection, redirect)
      return
    }
    if (receiver === undefined) return
    const reply = new Reply(receiver.protocol, MESSAGE_BYTES)
    if (receiver.protocol === 3) {
      reply.push(2)
      reply.bulkText('invalidate')
    } else if (redirect !== undefined && receiver.subscriptions > 0) {
      reply.push(3)
      reply.bulkText('message')
      reply.bulkText(CHANNEL)
    } else {
      return
    }
    write(reply)
    this.#host.push(receiver, reply.take())
  }

  #tellBroken(tracker: Tracker, connection: Connection, redirect: number): void {
    tracker.isRedirectBroken = true
    if (connection.protocol !== 3) return
    const reply = new Reply(3, MESSAGE_BYTES)
    reply.push(2)
    reply.bulkText('tracking-redir-broken')
    reply.integer(redirect)
    this.#host.push(connection, reply.take())
  }
}

/** When what the key holds changes by itself, in Unix milliseconds; 0 = never. */
function changeMsOf(row: Bytes, nowMs: number): number {
  if (isExpired(row, nowMs)) return 0
  const expireMs = expireMsOf(row)
  const fields = rowType(row) === TYPE_HASH ? fieldExpiryOf(decodeMetadata(row)) : undefined
  if (fields === undefined || fields.latestMs < nowMs) return expireMs
  // Of a hash whose first field has expired it is not known when the next one will.
  const fieldMs = fields.earliestMs < nowMs ? nowMs + FIELDS_CHECK_MS : fields.earliestMs
  return expireMs === 0 ? fieldMs : Math.min(expireMs, fieldMs)
}

function writeKeys(reply: Reply, keys: readonly string[]): void {
  reply.array(keys.length)
  for (const key of keys) reply.bulk(Buffer.from(key, 'latin1'))
}

/** Throws a ReplyError if the client would have to turn tracking off first. */
function checkModes({ isOn, mode }: Tracker, { isBroadcast, isOptIn, isOptOut }: TrackingMode): void {
  if (!isOn) return
  if (mode.isBroadcast !== isBroadcast) throw errors.SWITCHED_BROADCAST
  if ((isOptIn && mode.isOptOut) || (isOptOut && mode.isOptIn)) throw errors.SWITCHED_OPTION
}

/** Throws a ReplyError if a key could begin with two of the client's prefixes. */
function checkPrefixes(tracker: Tracker, prefixes: readonly string[]): void {
  prefixes.forEach((prefix, index) => {
    for (const present of tracker.prefixes) {
      if (overlap(prefix, present)) throw errors.prefixOverlapsExisting(prefix, present)
    }
    for (const other of prefixes.slice(index + 1)) {
      if (overlap(prefix, other)) throw errors.prefixOverlapsOther(prefix, other)
    }
  })
}

function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a)
}
