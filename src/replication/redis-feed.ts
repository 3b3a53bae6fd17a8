/**
 * What one Redis replica gets: an answer to its PSYNC or SYNC, an RDB file of its namespace, then commands.
 *
 *   +FULLRESYNC <id> <offset>  or  +CONTINUE <id>      not to SYNC
 *   $EOF:<40 bytes>\r\n file, the same 40 bytes        to those that say `capa eof`
 *   $<bytes>\r\n file                                  to others; newlines before it, while it is measured
 *   commands, PING now and then
 *
 * The file comes from a snapshot and the commands from the log, so nothing gathers in memory for a slow replica.
 * Source: redis src/replication.c.
 */

import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Bytes, latin1 } from '../bytes/bytes.js'
import type { Config } from '../config/config.js'
import { describeError, type Log } from '../log/log.js'
import { ProtocolError } from '../protocol/errors.js'
import { RequestParser } from '../protocol/request-parser.js'
import type { Snapshot } from '../rocksdb/snapshot.js'
import { holdLimits } from '../storage/open-store.js'
import type { Store } from '../storage/store.js'
import type { WalHold } from '../storage/wal-retention.js'
import { announcedAddress, type Peer, type PeerLink, REPLICA_REQUEST_BYTES_MAX } from './peer.js'
import { HistoryError, type RedisHistory } from './redis-history.js'
import { SendWatch } from './send-watch.js'
import { SnapshotRdb } from './snapshot-rdb.js'

/** What a replica has said of itself and asked for. */
export interface RedisRequest {
  /** PSYNC, whose replicas acknowledge; false for SYNC. */
  readonly isPartial: boolean
  /** It understands a file without a length. */
  readonly takesEof: boolean
  /** It wants the file alone. */
  readonly wantsFileOnly: boolean
  /** The RDB version that it reads. */
  readonly rdbVersion: number
}

export interface RedisFeedParts {
  readonly peer: Peer
  readonly store: Store
  readonly config: Config
  readonly log: Log
  /** Unix milliseconds. */
  readonly nowMs: () => number
  readonly request: RedisRequest
  readonly history: RedisHistory
  /** The snapshot to send; undefined: the replica goes on after `resumeFrom` bytes of its history. */
  readonly snapshot: Snapshot | undefined
  readonly resumeFrom: number
  /** Pieces of information about the writer, for the file. */
  readonly aux: Readonly<Record<string, string>>
  /** The history cannot be told on: nobody may go on in it. */
  readonly onBroken: (history: RedisHistory) => void
  readonly onClosed: (feed: RedisFeed) => void
}

/** `measure`, `file`: see above. `wait`: until the replica has loaded the file. */
type State = 'measure' | 'file' | 'wait' | 'stream' | 'closed'

const EOF_MARK_BYTES = 40
const PING_MS = 10_000
const TICK_MS = 1000
/** A replica of PSYNC that says nothing for so long is gone. Source: redis repl-timeout. */
const SILENCE_MS_MAX = 60_000
/** Readers of SYNC acknowledge nothing: what follows a file without a length waits until they have surely found its end. */
const UNACKNOWLEDGED_WAIT_MS = 1000
const SELECT_0 = [[latin1('SELECT'), latin1('0')]]
const PING = [[latin1('PING')]]
const NEWLINE = latin1('\n')

export class RedisFeed implements PeerLink {
  readonly flag = 'S'
  readonly peer: Peer
  readonly history: RedisHistory
  /** Unix milliseconds at which the replica was heard last. */
  heardAtMs: number
  readonly #parts: RedisFeedParts
  readonly #parser = new RequestParser({ bulkBytesMax: REPLICA_REQUEST_BYTES_MAX, authenticated: true })
  readonly #hold: WalHold
  /** What is sent before the log is read on: a file, or what a replica missed. */
  #pieces: Generator<Bytes, void> | undefined
  #rdb: SnapshotRdb | undefined
  #state: State
  /** The time of the snapshot: two runs over it must see the same keys as expired. */
  readonly #startMs: number
  #acknowledged = 0
  #isFull = false
  #isScheduled = false
  #timer: NodeJS.Timeout | undefined
  #sentAtMs: number
  #waitsSinceMs = 0
  readonly #watch: SendWatch
  readonly #told = new Set<string>()

  constructor(parts: RedisFeedParts) {
    this.#parts = parts
    this.peer = parts.peer
    this.#watch = new SendWatch(parts.peer, parts.config)
    this.history = parts.history
    this.heardAtMs = parts.nowMs()
    this.#sentAtMs = this.heardAtMs
    this.#startMs = this.heardAtMs
    this.#acknowledged = parts.resumeFrom
    if (parts.snapshot === undefined) this.#state = 'stream'
    else this.#state = parts.request.takesEof ? 'file' : 'measure'
    this.#hold = parts.store.retention.hold({
      name: `replica ${parts.peer.address}`,
      sequence: parts.snapshot === undefined ? parts.history.neededFrom - 1 : parts.snapshot.sequence,
      limits: () => holdLimits(parts.config.values),
      onLost: () => this.#drop('it has lost its place in the log'),
    })
  }

  /** As INFO names it. */
  get state(): 'online' | 'send_bulk' {
    return this.#state === 'stream' ? 'online' : 'send_bulk'
  }

  get address(): { host: string; port: number } {
    return announcedAddress(this.peer)
  }

  /** The last sequence that was sent. */
  get sentSequence(): number {
    return this.history.next - 1
  }

  /** Bytes of the stream that the replica says it has. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  begin(): void {
    if (this.#state === 'closed') return
    const { request, history, store } = this.#parts
    const answer =
      this.#parts.snapshot === undefined ? `+CONTINUE ${history.id}` : `+FULLRESYNC ${history.id} ${history.offset}`
    if (request.isPartial) this.#transmit(latin1(`${answer}\r\n`))
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#timer.unref()
    store.turn.commitListeners.add(this.#schedule)
    if (this.#state === 'measure') this.#measure().catch((error: unknown) => this.#fail(error))
    else if (this.#state === 'file') this.#pieces = this.#fileWithMark()
    else this.#pieces = history.replay(this.#parts.resumeFrom)
    this.#schedule()
  }

  received(chunk: Bytes): void {
    this.heardAtMs = this.#parts.nowMs()
    this.#parser.feed(chunk)
    try {
      while (this.#parser.next()) this.#take()
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#drop(`it sent what is no request: ${error.text}`)
      return
    }
    if (this.#parser.pendingBytes > REPLICA_REQUEST_BYTES_MAX) this.#drop('it sent what is too long for a request')
  }

  drained(): void {
    this.#isFull = false
    this.#watch.drained()
    this.#schedule()
  }

  closed(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    clearInterval(this.#timer)
    this.#parts.store.turn.commitListeners.delete(this.#schedule)
    this.#pieces?.return()
    this.#parts.snapshot?.release()
    this.history.rest()
    this.#hold.release()
    this.#parts.onClosed(this)
  }

  close(): void {
    this.closed()
    this.peer.kill()
  }

  /** Drops a replica that lags too far behind, or takes nothing, or says nothing. */
  check(nowMs: number): void {
    const { config, store, request } = this.#parts
    const lag = store.latestSequence() - this.sentSequence
    const lagMax = config.values['max-replication-lag']
    if (this.#state === 'stream' && lagMax > 0 && lag > lagMax) {
      this.#drop(`it lags ${lag} sequences, more than max-replication-lag ${lagMax}`)
      return
    }
    const complaint = this.#watch.complaint(nowMs)
    if (complaint !== undefined) {
      this.#drop(complaint)
      return
    }
    // One that writes the file to its disk says nothing meanwhile.
    const aliveAtMs = this.#state === 'stream' ? this.heardAtMs : Math.max(this.heardAtMs, this.#sentAtMs)
    if (request.isPartial && this.peer.outputBytes === 0 && nowMs - aliveAtMs > SILENCE_MS_MAX) {
      this.#drop(`it has said nothing for ${nowMs - aliveAtMs} ms`)
    }
  }

  readonly #schedule = (): void => {
    if (this.#isScheduled || this.#isFull || this.#state === 'closed' || this.#state === 'measure') return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#isFull || this.#state === 'closed' || this.#state === 'measure') return
    let bytes: Bytes | undefined
    try {
      bytes = this.#nextPiece()
    } catch (error) {
      this.#fail(error)
      return
    }
    if (bytes === undefined) return
    if (bytes.length > 0) this.#transmit(bytes)
    this.#schedule()
  }

  /** Undefined: nothing to send now. */
  #nextPiece(): Bytes | undefined {
    if (this.#pieces !== undefined) {
      const step = this.#pieces.next()
      if (step.done !== true) return step.value
      this.#pieces = undefined
      if (this.#state === 'file') return this.#endFile()
    }
    if (this.#state !== 'stream') return undefined
    const bytes = this.history.read()
    // One that asked by SYNC cannot come back, and may never acknowledge anything.
    if (!this.#parts.request.isPartial) this.#hold.advance(this.sentSequence)
    this.#tellLeftOut(this.history.translator.leftOut, 'changes')
    return bytes
  }

  #endFile(): Bytes | undefined {
    const { request, snapshot, log } = this.#parts
    snapshot?.release()
    const { leftOut, keys } = this.#rdb as SnapshotRdb
    log.info(`[replication] sent ${keys} keys to ${this.peer.address}, up to sequence ${snapshot?.sequence}`)
    this.#tellLeftOut(leftOut, 'keys')
    if (request.wantsFileOnly) {
      this.peer.finish()
      this.#state = 'wait'
      return undefined
    }
    this.#waitsSinceMs = this.#parts.nowMs()
    // A reader finds the mark only where nothing follows it.
    this.#state = request.takesEof ? 'wait' : 'stream'
    return this.#state === 'stream' ? this.#beginStream() : undefined
  }

  #beginStream(): Bytes {
    this.#state = 'stream'
    const late = this.#rdb?.lateCommands.splice(0) ?? []
    return this.history.add([...SELECT_0, ...late])
  }

  *#fileWithMark(): Generator<Bytes, void> {
    const mark = latin1(randomBytes(EOF_MARK_BYTES / 2).toString('hex'))
    yield Buffer.concat([latin1('$EOF:'), mark, latin1('\r\n')])
    this.#rdb = this.#newFile()
    yield* this.#rdb.pieces()
    yield mark
  }

  #newFile(): SnapshotRdb {
    const { store, history, snapshot, request, aux } = this.#parts
    const db = store.databaseAt(snapshot as Snapshot, history.namespace, this.#startMs)
    return new SnapshotRdb(db, { version: request.rdbVersion, aux })
  }

  /** Makes the file once to know its length, and once again to send it: that takes time, but neither memory nor disk. */
  async #measure(): Promise<void> {
    let length = 0
    const pieces = this.#newFile().pieces()
    // For whoever closes the feed: the pieces hold iterators open.
    this.#pieces = pieces
    for (let step = pieces.next(); step.done !== true; step = pieces.next()) {
      length += step.value.length
      await nextTurn()
      if (this.#state === 'closed') return
    }
    this.#state = 'file'
    this.#rdb = this.#newFile()
    this.#pieces = this.#rdb.pieces()
    this.#transmit(latin1(`$${length}\r\n`))
    this.#schedule()
  }

  #tick(): void {
    const nowMs = this.#parts.nowMs()
    if (this.#state === 'measure') this.#transmit(NEWLINE)
    const { isPartial } = this.#parts.request
    if (
      this.#state === 'wait' &&
      !isPartial &&
      this.peer.outputBytes === 0 &&
      nowMs - this.#waitsSinceMs >= UNACKNOWLEDGED_WAIT_MS
    ) {
      this.#begun()
    }
    if (this.#state === 'stream' && this.#pieces === undefined && !this.#isFull && nowMs - this.#sentAtMs >= PING_MS) {
      this.#transmit(this.history.add(PING))
    }
  }

  #begun(): void {
    if (this.#parts.request.wantsFileOnly) return
    this.#transmit(this.#beginStream())
    this.#schedule()
  }

  #transmit(bytes: Bytes): void {
    this.#sentAtMs = this.#parts.nowMs()
    if (!this.peer.transmit(bytes)) this.#isFull = true
  }

  #take(): void {
    const { args } = this.#parser
    if (args.count < 3 || !args.is(0, 'replconf') || !args.is(1, 'ack')) return
    const offset = Number(args.latin1(2))
    if (!Number.isSafeInteger(offset)) return
    if (this.#state === 'wait') this.#begun()
    if (this.#state !== 'stream' || offset <= this.#acknowledged) return
    this.#acknowledged = offset
    this.history.acknowledge(offset)
    this.#hold.advance(this.history.neededFrom - 1)
  }

  /** Once each type. */
  #tellLeftOut(leftOut: ReadonlyMap<string, number>, what: string): void {
    for (const [type, count] of leftOut) {
      if (this.#told.has(type)) continue
      this.#told.add(type)
      this.#parts.log.warning(
        `[replication] ${count} ${what} of type ${type} not sent to ${this.peer.address}: Redis has no such type`,
      )
    }
  }

  /** Nothing honest can follow what was sent. */
  #fail(error: unknown): void {
    this.#parts.onBroken(this.history)
    if (error instanceof HistoryError) {
      this.#drop(error.message)
      return
    }
    this.#parts.log.error(`[replication] the feed of ${this.peer.address} failed: ${describeError(error)}`)
    this.close()
  }

  #drop(reason: string): void {
    this.#parts.log.warning(`[replication] dropping replica ${this.peer.address}: ${reason}`)
    this.close()
  }
}
