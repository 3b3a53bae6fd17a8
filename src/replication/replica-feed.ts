/**
 * What one replica gets: each write batch of the log as a bulk string, in order and without a gap, a `ping` when there is
 * nothing to send. The log is the only buffer: what the replica has not taken yet is read when it takes it.
 *
 *   $<bytes>\r\n<write batch>\r\n   …   $4\r\nping\r\n   …   $7\r\n_getack\r\n$4\r\nping\r\n
 *
 * Replicas of newer versions answer with `REPLCONF ACK <sequence>`: at most once a second by themselves, at once when they
 * find `_getack`. Older ones would take that for a batch, so it is sent only to those that have acknowledged before.
 * Source: kvrocks src/cluster/replication.cc, FeedSlaveThread.
 */

import type { Bytes } from '../bytes/bytes.js'
import type { Config } from '../config/config.js'
import type { Log } from '../log/log.js'
import { ProtocolError } from '../protocol/errors.js'
import { RequestParser } from '../protocol/request-parser.js'
import { RocksDBError } from '../rocksdb/errors.js'
import type { WalBatch, WalIterator } from '../rocksdb/wal-iterator.js'
import { CF_DEFAULT } from '../storage/column-family.js'
import type { Store } from '../storage/store.js'
import { LOSS_TEXTS, type WalHold } from '../storage/wal-retention.js'
import { WriteBatch } from '../storage/write-batch.js'
import { announcedAddress, type Peer, type PeerLink, REPLICA_REQUEST_BYTES_MAX } from './peer.js'
import { SendWatch } from './send-watch.js'

export interface FeedParts {
  readonly peer: Peer
  readonly store: Store
  readonly config: Config
  readonly log: Log
  /** Unix milliseconds. */
  readonly nowMs: () => number
  /** The first sequence to be sent. */
  readonly from: number
  /** Sequences from there on that the replica gets blank; mostly 0. */
  readonly blanks: number
  /** The replica has said how far it is. */
  readonly onAcknowledged: () => void
  /** Keeps what the replica has yet to read in the log. */
  readonly hold: WalHold
  readonly onClosed: (feed: ReplicaFeed) => void
}

const IDLE_CHECK_MS = 1000
/** A feed that sent nothing at so many checks sends a ping. */
const IDLE_CHECKS = 2
const BATCHES_MAX = 1024
/** Read and sent at a time, in turns with all other work. */
const CHUNK_BYTES = 256 * 1024
const CRLF = Buffer.from('\r\n')
const PING = bulk(Buffer.from('ping'))
/** What a blank sequence deletes: no row has this key. */
const BLANK_KEY = Buffer.from('__kvrocks_internal_padding_seq__')
const ACK_REQUEST = Buffer.concat([bulk(Buffer.from('_getack')), PING])

export class ReplicaFeed implements PeerLink {
  readonly flag = 'S'
  readonly peer: Peer
  readonly #parts: FeedParts
  readonly #parser = new RequestParser({ bulkBytesMax: REPLICA_REQUEST_BYTES_MAX, authenticated: true })
  #iterator: WalIterator | undefined
  /** The first sequence that was not sent. */
  #next: number
  /** The last sequence that the replica said it has; undefined before it said any. */
  #acknowledged: number | undefined
  #acknowledgedAtMs = 0
  /** The sequence somebody waits to see acknowledged, and the last one that was asked for. */
  #ackWanted = 0
  #ackAsked = 0
  #isRunning = false
  #isClosed = false
  #isScheduled = false
  #isFull = false
  #ping: NodeJS.Timeout | undefined
  #idleChecks = 0
  readonly #watch: SendWatch

  constructor(parts: FeedParts) {
    this.#parts = parts
    this.peer = parts.peer
    this.#next = parts.from
    this.#watch = new SendWatch(parts.peer, parts.config)
  }

  /** The last sequence that the replica has, as it says; of one that says nothing, the last that was sent. */
  get offset(): number {
    return this.#acknowledged ?? this.#next - 1
  }

  /** The last sequence that was sent. */
  get sent(): number {
    return this.#next - 1
  }

  /** The last sequence that the replica itself has confirmed; 0 if none. */
  get acknowledged(): number {
    return this.#acknowledged ?? 0
  }

  /** Unix milliseconds of the last confirmation; 0 if there was none. */
  get acknowledgedAtMs(): number {
    return this.#acknowledgedAtMs
  }

  get address(): { host: string; port: number } {
    return announcedAddress(this.peer)
  }

  begin(): void {
    if (this.#isClosed) return
    this.#isRunning = true
    this.#ping = setInterval(() => this.#pingIfIdle(), IDLE_CHECK_MS)
    this.#ping.unref()
    this.#parts.store.turn.commitListeners.add(this.#schedule)
    if (this.#parts.blanks > 0) this.#sendBlanks(this.#parts.blanks)
    this.#schedule()
  }

  received(chunk: Bytes): void {
    this.#parser.feed(chunk)
    let isNews = false
    try {
      while (this.#parser.next()) isNews = this.#take() || isNews
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#drop(`it sent what is no request: ${error.text}`)
      return
    }
    if (this.#parser.pendingBytes > REPLICA_REQUEST_BYTES_MAX) this.#drop('it sent what is too long for a request')
    if (isNews) this.#parts.onAcknowledged()
  }

  drained(): void {
    this.#isFull = false
    this.#watch.drained()
    this.#schedule()
  }

  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#ping)
    this.#parts.store.turn.commitListeners.delete(this.#schedule)
    this.#iterator?.close()
    this.#parts.onClosed(this)
  }

  /** Ends the feed, as for a database that is about to be replaced. */
  close(): void {
    this.closed()
    this.peer.kill()
  }

  /** Has the replica say how far it is as soon as it has `sequence`. */
  requestAck(sequence: number): void {
    this.#ackWanted = Math.max(this.#ackWanted, sequence)
    if (this.#isRunning && !this.#isFull && this.#mustAsk()) this.#send([])
  }

  /** Drops a replica that lags too far behind, or takes nothing. */
  check(nowMs: number): void {
    const { config, store, hold } = this.#parts
    hold.advance(Math.min(this.#next - 1, this.offset))
    if (hold.loss !== undefined) {
      this.#drop(LOSS_TEXTS[hold.loss.reason])
      return
    }
    const lag = store.latestSequence() - (this.#next - 1)
    const lagMax = config.values['max-replication-lag']
    if (lagMax > 0 && lag > lagMax) {
      this.#drop(`it lags ${lag} sequences, more than max-replication-lag ${lagMax}`)
      return
    }
    const complaint = this.#watch.complaint(nowMs)
    if (complaint !== undefined) this.#drop(complaint)
  }

  readonly #schedule = (): void => {
    if (this.#isScheduled || this.#isFull || !this.#isRunning) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#isClosed || this.#isFull) return
    const batches = this.#read()
    if (batches === undefined || batches.length === 0) return
    this.#sendInPieces(batches)
    this.#schedule()
  }

  /** Each piece ends with the batch that fills it. */
  #sendInPieces(batches: readonly WalBatch[]): void {
    const { values } = this.#parts.config
    let piece: WalBatch[] = []
    let bytes = 0
    let updates = 0
    for (const batch of batches) {
      if (batch.sequence !== this.#next) {
        this.#drop(`the log has a gap: sequence ${this.#next} was expected, ${batch.sequence} found`)
        return
      }
      this.#next += batch.count
      piece.push(batch)
      bytes += batch.data.length
      updates += batch.count
      if (bytes < values['replication-delay-bytes'] && updates < values['replication-delay-updates']) continue
      this.#send(piece)
      piece = []
      bytes = 0
      updates = 0
    }
    if (piece.length > 0) this.#send(piece)
  }

  /** One batch that changes nothing and takes `count` sequences. Source: kvrocks replication.cc, FeedSlaveThread::loop. */
  #sendBlanks(count: number): void {
    const blank = new WriteBatch()
    for (let i = 0; i < count; i++) blank.delete(CF_DEFAULT, BLANK_KEY, BLANK_KEY.length)
    this.#transmit(bulk(blank.serialize()))
    this.#next += count
    this.#parts.log.warning(
      `[replication] ${this.peer.address} was sent ${count} blank sequences up to ${this.#next - 1}`,
    )
  }

  /** The next batches; none at the end of the log, undefined where it cannot be read. */
  #read(): WalBatch[] | undefined {
    const { store } = this.#parts
    if (store.latestSequence() < this.#next) return []
    try {
      this.#iterator ??= store.rocks.updatesSince(this.#next)
      return this.#iterator.next(BATCHES_MAX, CHUNK_BYTES)
    } catch (error) {
      if (!(error instanceof RocksDBError)) throw error
      this.#drop(`the log cannot be read from sequence ${this.#next} on: ${error.message}`)
      return undefined
    }
  }

  #send(batches: readonly WalBatch[]): void {
    const parts = batches.flatMap(({ data }) => [Buffer.from(`$${data.length}\r\n`), data, CRLF])
    if (this.#mustAsk()) {
      this.#ackAsked = this.#ackWanted
      parts.push(ACK_REQUEST)
    }
    this.#transmit(Buffer.concat(parts))
  }

  #mustAsk(): boolean {
    const { store } = this.#parts
    const isSent = this.#next > Math.min(this.#ackWanted, store.latestSequence())
    return this.#acknowledged !== undefined && this.#ackWanted > this.#ackAsked && isSent
  }

  #transmit(bytes: Bytes): void {
    this.#idleChecks = 0
    if (!this.peer.transmit(bytes)) this.#isFull = true
  }

  #pingIfIdle(): void {
    this.#idleChecks++
    if (!this.#isFull && this.#idleChecks >= IDLE_CHECKS) this.#transmit(PING)
  }

  /** Takes one request of the replica; true if it says that it has got on. */
  #take(): boolean {
    const { args } = this.#parser
    if (args.count !== 3 || !args.is(0, 'replconf') || !args.is(1, 'ack')) {
      this.#parts.log.warning(`[replication] replica ${this.peer.address} sent what is no acknowledgement`)
      return false
    }
    const sequence = Number(args.latin1(2))
    if (!Number.isSafeInteger(sequence)) return false
    this.#acknowledgedAtMs = this.#parts.nowMs()
    const isNews = sequence > (this.#acknowledged ?? -1)
    if (isNews) this.#acknowledged = sequence
    return isNews
  }

  #drop(reason: string): void {
    this.#parts.log.warning(`[replication] dropping replica ${this.peer.address}: ${reason}`)
    this.close()
  }
}

function bulk(bytes: Bytes): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF])
}
