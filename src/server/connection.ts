/** One client's connection: its socket, its request parser, its replies, and what the server remembers of it. */

import type { Socket } from 'node:net'
import type { Bytes } from '../bytes/bytes.js'
import type { Client, ReplyMode } from '../commands/client.js'
import type { ReplySource } from '../commands/context.js'
import type { OutputLimits } from '../config/client-limits.js'
import type { Args } from '../protocol/args.js'
import { Reply } from '../protocol/reply.js'
import { type ParserLimits, RequestParser } from '../protocol/request-parser.js'
import { nothingAnnounced, type PeerLink } from '../replication/peer.js'
import { databaseNamespace } from '../storage/keys.js'
import type { Waiter } from './blocking.js'
import type { CommandContext } from './command-context.js'
import type { Tracker } from './tracking/tracker.js'
import type { Transaction, WatchedRow } from './transactions.js'

/** Requests of a client that waits are gathered up to this. */
const WAITING_QUERY_BYTES_MAX = 1 << 20
/** Replies kept for the end of the turn beyond this are sent early. */
const HELD_REPLY_BYTES_MAX = 1 << 20

export class Connection implements Client {
  readonly id: number
  readonly address: string
  readonly localAddress: string
  readonly connectedAtMs: number
  readonly parser: RequestParser
  readonly limits: ParserLimits
  readonly reply = new Reply(2)
  /** Made by the server as soon as the connection is. */
  context!: CommandContext

  lastCommandAtMs: number
  lastCommand = 'NULL'
  name = ''
  libraryName = ''
  libraryVersion = ''
  namespace: Bytes | undefined
  isAdmin = false
  database = 0
  replyMode: ReplyMode = 'on'
  noEvict = false
  noTouch = false
  readonly subscriptionCounts = { channels: 0, patterns: 0, shards: 0 }
  isMonitor = false
  isAsking = false
  isReadOnlyReplica = false

  /** What MULTI has queued; undefined outside of a transaction. */
  transaction: Transaction | undefined
  /** nsKeys, latin1, that WATCH named, with what is needed to notice their change. */
  watchedKeys: string[] = []
  /** Those of them that held something when WATCH came. */
  watchedRows: WatchedRow[] = []
  /** A watched key was changed. */
  watchBroken = false
  /** Undefined until the client first tracks keys. */
  tracker: Tracker | undefined
  /** What the client waits for. */
  waiter: Waiter | undefined
  /** A reply that is being sent piece by piece. */
  source: ReplySource | undefined
  /** True while work that will answer later is under way. */
  isDeferred = false
  /** What the suspended command will answer is not sent, as CLIENT REPLY says. */
  isAnswerSilent = false
  /** What the connection serves instead of running commands. */
  link: PeerLink | undefined
  readonly announced = nothingAnnounced()
  /** A request that CLIENT PAUSE holds back, or that waits for the disk. */
  heldRequest: Args | undefined
  /** How often the request under way has found rows that are not in memory. */
  coldAttempts = 0

  /** The epoch of the turn in which a reply was first held back for a write; see TurnLoop. */
  dirtyEpoch = -1
  /** Where in `reply` that epoch's unsure replies begin, and how many they are. */
  unsureFrom = 0
  unsureReplies = 0
  /** It has requests that were not yet looked at; see TurnLoop. */
  hasArrived = false
  /** True if the connection is among those that the turn's end sends to. */
  isInTurn = false
  /** A command of the connection is running: what is pushed meanwhile comes after its reply. */
  isExecuting = false
  /** No more requests are executed; closes when the replies are sent. */
  isClosing = false
  isClosed = false
  /** The client has closed its half of the connection. */
  hasInputEnded = false
  /** Pushes that must not break into a reply under way, and how many bytes they are. */
  #delayedPushes: Bytes[] = []
  #delayedPushBytes = 0

  readonly #socket: Socket
  #isReading = true
  /** Since when the output is over its soft limit, in Unix milliseconds; 0 = it is not. */
  #softLimitSinceMs = 0

  constructor(id: number, socket: Socket, address: string, localAddress: string, limits: ParserLimits, nowMs: number) {
    this.id = id
    this.#socket = socket
    this.address = address
    this.localAddress = localAddress
    this.limits = limits
    this.connectedAtMs = nowMs
    this.lastCommandAtMs = nowMs
    this.parser = new RequestParser(limits)
  }

  get protocol(): 2 | 3 {
    return this.reply.protocol
  }

  set protocol(protocol: 2 | 3) {
    this.reply.protocol = protocol
  }

  get socket(): Socket {
    return this.#socket
  }

  /** True if the next request has to wait. */
  get isSuspended(): boolean {
    return (
      this.waiter !== undefined ||
      this.source !== undefined ||
      this.isDeferred ||
      this.heldRequest !== undefined ||
      this.link !== undefined ||
      this.isClosing
    )
  }

  get isBlocked(): boolean {
    return this.waiter !== undefined || this.isDeferred
  }

  get queuedCommands(): number {
    return this.transaction === undefined ? -1 : this.transaction.queue.length
  }

  get queryBytes(): number {
    return this.parser.pendingBytes
  }

  get awaitsCommit(): boolean {
    return this.reply.asideLength > 0 || this.dirtyEpoch === this.context.store.turn.epoch
  }

  get outputBytes(): number {
    return this.reply.length + this.reply.asideLength + this.#socket.writableLength + this.#delayedPushBytes
  }

  /** True if the client takes replies more slowly than it asks. */
  get isBackedUp(): boolean {
    return this.#socket.writableLength > HELD_REPLY_BYTES_MAX
  }

  get holdsMuchReply(): boolean {
    return this.reply.length > HELD_REPLY_BYTES_MAX
  }

  feedSubscriptions = 0
  feedSlot: string | undefined

  get subscriptions(): number {
    const { channels, patterns, shards } = this.subscriptionCounts
    return channels + patterns + shards + this.feedSubscriptions
  }

  get trackingRedirect(): number {
    return this.tracker?.isOn ? (this.tracker.mode.redirect ?? 0) : -1
  }

  get kind(): 'normal' | 'pubsub' | 'replica' | 'master' {
    if (this.link !== undefined) return 'replica'
    return this.subscriptions > 0 ? 'pubsub' : 'normal'
  }

  get flags(): string {
    const letters =
      (this.link?.flag ?? '') +
      (this.isClosing ? 'c' : '') +
      (this.isMonitor ? 'O' : '') +
      (this.isAsking ? 'A' : '') +
      (this.subscriptions > 0 ? 'P' : '') +
      (this.isBlocked ? 'b' : '') +
      (this.heldRequest === undefined ? '' : this.coldAttempts > 0 ? 'b' : 'z') +
      (this.transaction === undefined ? '' : 'x') +
      (this.tracker?.letters ?? '') +
      (this.watchBroken ? 'd' : '') +
      (this.isReadOnlyReplica ? 'r' : '') +
      (this.noEvict ? 'e' : '') +
      (this.noTouch ? 'T' : '')
    return letters === '' ? 'N' : letters
  }

  authenticate(namespace: Bytes, isAdmin: boolean): void {
    this.namespace = Buffer.from(namespace)
    this.isAdmin = isAdmin
    this.limits.authenticated = true
    this.context.enter(this.namespace)
  }

  selectDatabase(index: number): void {
    this.database = index
    this.authenticate(databaseNamespace(index), this.isAdmin)
  }

  keepDatabase<T>(act: () => T): T {
    const { namespace, database } = this
    try {
      return act()
    } finally {
      if (this.namespace !== namespace && namespace !== undefined) {
        this.database = database
        this.authenticate(namespace, this.isAdmin)
      }
    }
  }

  closeAfterReply(): void {
    this.isClosing = true
  }

  kill(): void {
    this.isClosing = true
    this.#socket.destroy()
  }

  deliver(message: Bytes): void {
    this.context.server.push(this, message)
  }

  takeOver(link: PeerLink): void {
    this.link = link
    const begin = (): void => {
      if (this.isClosed) return
      // Replies of commands before, and of the one that brought us here, leave first.
      if (this.isInTurn) {
        setImmediate(begin)
        return
      }
      if (this.reply.asideLength > 0) this.context.server.turns.land()
      link.begin()
    }
    setImmediate(begin)
  }

  transmit(bytes: Bytes): boolean {
    if (this.isClosed) return false
    this.context.server.stats.netOutputBytes += bytes.length
    return this.#socket.write(bytes)
  }

  /** Stops reading while the client waits or is behind; a waiting client is read on, to notice that it goes away. */
  pauseReading(): void {
    if (!this.#isReading) return
    if (!this.isBackedUp && this.source === undefined && this.queryBytes < WAITING_QUERY_BYTES_MAX) return
    this.#isReading = false
    this.#socket.pause()
  }

  resumeReading(): void {
    if (this.#isReading || this.isClosed) return
    this.#isReading = true
    this.#socket.resume()
  }

  /** Keeps `bytes` for the end of the reply under way. */
  delayPush(bytes: Bytes): void {
    this.#delayedPushes.push(bytes)
    this.#delayedPushBytes += bytes.length
  }

  /** Writes the pushes that had to wait. */
  flushPushes(): void {
    if (this.#delayedPushes.length === 0) return
    for (const push of this.#delayedPushes) this.reply.raw(push)
    this.#delayedPushes = []
    this.#delayedPushBytes = 0
  }

  /** True if the output not taken by the client exceeds the limit of its class; see client-output-buffer-limit. */
  overLimit(limits: OutputLimits, nowMs: number): boolean {
    const bytes = this.#socket.writableLength + this.#delayedPushBytes
    if (bytes === 0) {
      this.#softLimitSinceMs = 0
      return false
    }
    const { hardBytes, softBytes, softSeconds } = limits[this.outputClass]
    if (hardBytes > 0 && bytes > hardBytes) return true
    if (softBytes === 0 || bytes <= softBytes) {
      this.#softLimitSinceMs = 0
      return false
    }
    if (this.#softLimitSinceMs === 0) this.#softLimitSinceMs = nowMs
    return nowMs - this.#softLimitSinceMs > softSeconds * 1000
  }

  /** The class whose output limit holds for the connection. */
  get outputClass(): 'normal' | 'slave' | 'pubsub' {
    if (this.link !== undefined) return 'slave'
    return this.subscriptions > 0 || this.isMonitor ? 'pubsub' : 'normal'
  }

  /** The client sends no more: what it asked is still answered, but a wait is over. */
  endOfInput(): void {
    this.hasInputEnded = true
    if (this.waiter !== undefined || this.link !== undefined) this.kill()
  }

  /** Sends what is written and ends the connection. */
  finish(): void {
    this.isClosing = true
    this.send()
  }

  /** Hands to the socket what waited for a commit under way. Returns its number of bytes. */
  sendAside(): number {
    const { reply } = this
    const bytes = reply.asideLength
    if (bytes > 0 && !this.isClosed) this.#socket.write(reply.aside())
    reply.dropAside(this.#socket.writableLength > 0)
    return bytes
  }

  /** Hands the replies so far to the socket. Returns their number of bytes. */
  send(): number {
    if (this.reply.asideLength > 0) this.context.server.turns.land()
    const bytes = this.reply.length
    if (bytes > 0 && !this.isClosed) {
      this.#socket.write(this.reply.written())
      // The socket keeps the buffer only if the kernel did not take all of it at once.
      if (this.#socket.writableLength > 0) this.reply.take()
      else this.reply.clear()
    } else {
      this.reply.clear()
    }
    // Not only the half of it: a client that goes on writing has to learn that nobody reads.
    if (this.isClosing && this.source === undefined) this.#socket.destroySoon()
    return bytes
  }
}
