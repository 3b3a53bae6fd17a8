/** The master's side: who follows this server's changes, and what those get who must begin with a copy of all. */

import { setTimeout as delay } from 'node:timers/promises'
import type { Bytes } from '../bytes/bytes.js'
import type { Config } from '../config/config.js'
import type { Log } from '../log/log.js'
import * as errors from '../protocol/errors/replication.js'
import type { ReplyError } from '../protocol/errors.js'
import { RocksDBError } from '../rocksdb/errors.js'
import type { WalBatch } from '../rocksdb/wal-iterator.js'
import { holdLimits } from '../storage/open-store.js'
import type { Store } from '../storage/store.js'
import type { WalHold } from '../storage/wal-retention.js'
import { SharedCheckpoint } from './checkpoint.js'
import { FileSender } from './file-sender.js'
import { announcedAddress, type Peer, type PeerLink } from './peer.js'
import { RedisMaster } from './redis-master.js'
import { ReplicaFeed } from './replica-feed.js'
import { idInLog } from './replication-id.js'
import { SendPace } from './send-pace.js'
import { SendWatch } from './send-watch.js'

export interface SyncCounts {
  /** Commands of clients. */
  readonly commandsProcessed: number
  fullSyncs: number
  partialSyncs: number
  partialSyncsRefused: number
}

export interface MasterParts {
  readonly store: Store
  readonly config: Config
  readonly log: Log
  readonly counts: SyncCounts
  /** Unix milliseconds. */
  readonly nowMs: () => number
  /** The version of Redis that this server stands for. */
  readonly redisVersion: string
  /** A replica has confirmed more than before, or has come or gone. */
  readonly onAcknowledged: () => void
}

type Verdict =
  | { readonly error: undefined; readonly blanks: number }
  /** `reason`: for the log. */
  | { readonly error: ReplyError; readonly reason: string }

/** To whom files of the checkpoint are sent. */
interface Transfer {
  readonly peer: Peer
  readonly watch: SendWatch
}

const NO_BLANKS: Verdict = { error: undefined, blanks: 0 }

const DRAIN_CHECK_MS = 10
/** For so long the log is kept for a replica whose connection has ended. */
const LINGER_MS = 600_000

export class Master {
  readonly checkpoint: SharedCheckpoint
  /** The side that serves replicas which are Redis. */
  readonly redis: RedisMaster
  readonly #parts: MasterParts
  readonly #feeds = new Set<ReplicaFeed>()
  /** What is kept for replicas that have gone, by their address. */
  readonly #lingering = new Map<string, { readonly hold: WalHold; readonly untilMs: number }>()
  readonly #pace: SendPace
  readonly #transfers = new Map<PeerLink & { close(): void }, Transfer>()

  constructor(parts: MasterParts) {
    this.#parts = parts
    this.#pace = new SendPace(() => parts.counts.commandsProcessed)
    this.checkpoint = new SharedCheckpoint(parts)
    this.redis = new RedisMaster(parts)
  }

  /** In the order in which they came. */
  get feeds(): readonly ReplicaFeed[] {
    return [...this.#feeds]
  }

  /** How many replicas have confirmed that they have all up to `sequence`. */
  confirmedBy(sequence: number): number {
    let count = 0
    for (const feed of this.#feeds) if (feed.acknowledged >= sequence) count++
    return count
  }

  /** Has replicas confirm as soon as they have `sequence`. */
  requestAcks(sequence: number): void {
    for (const feed of this.#feeds) feed.requestAck(sequence)
  }

  /**
   * PSYNC: sends `peer` all changes from `sequence` on. Throws a ReplyError where that cannot be done without a gap.
   * `id`: the history that the replica belongs to.
   */
  follow(peer: Peer, sequence: number, id: string | undefined): void {
    const { store, config, log, counts, nowMs, onAcknowledged } = this.#parts
    log.info(
      `Slave ${peer.address}, listening port: ${peer.announced.port}, announce ip: ${peer.announced.ip} asks for ` +
        `synchronization with next sequence: ${sequence}, replication id: ${id ?? 'not supported'}, and local ` +
        `sequence: ${store.latestSequence()}`,
    )
    const verdict = this.#verdictOn(sequence, config.values['use-rsid-psync'] ? id : undefined)
    if (verdict.error !== undefined) {
      counts.partialSyncsRefused++
      log.warning(`[replication] ${peer.address} needs a full sync: ${verdict.reason}`)
      throw verdict.error
    }
    counts.partialSyncs++
    const hold = this.#holdFor(peer, sequence - 1)
    const feed = new ReplicaFeed({
      hold,
      peer,
      store,
      config,
      log,
      nowMs,
      from: sequence,
      blanks: verdict.blanks,
      onAcknowledged,
      onClosed: (closed) => {
        this.#feeds.delete(closed)
        this.#linger(closed, hold)
        onAcknowledged()
      },
    })
    this.#feeds.add(feed)
    peer.takeOver(feed)
    log.info(`New replica: ${peer.address} was added, start incremental syncing`)
  }

  /** _fetch_meta: answers with the names of the checkpoint's files. */
  sendFileNames(peer: Peer): void {
    this.#parts.counts.fullSyncs++
    const send = (bytes: Bytes): void => {
      peer.transmit(bytes)
      peer.finish()
    }
    let isClosed = false
    const transfer = {
      flag: '' as const,
      begin: () => {
        // A checkpoint that is asked for now might be of the database that is being replaced, and outlive it.
        if (isClosed) return
        this.checkpoint.files().then(
          (names) => send(Buffer.from(`${names.join(',')}\r\n`)),
          (error: unknown) => {
            this.#parts.log.warning(`[replication] Failed to get full data file info: ${(error as Error).message}`)
            send(Buffer.from(`-${errors.NO_CHECKPOINT.text}\r\n`))
          },
        )
      },
      received() {},
      drained() {},
      closed: () => this.#transfers.delete(transfer),
      // The socket tells that it is closed later than this.
      close: () => {
        isClosed = true
        peer.kill()
      },
    }
    this.#transfers.set(transfer, { peer, watch: new SendWatch(peer, this.#parts.config) })
    peer.takeOver(transfer)
  }

  /** _fetch_file: answers with the contents of files of the checkpoint. */
  sendFiles(peer: Peer, names: readonly string[]): void {
    const { config, log } = this.#parts
    const watch = new SendWatch(peer, config)
    const sender = new FileSender(
      {
        peer,
        watch,
        checkpoint: this.checkpoint,
        pace: this.#pace,
        config,
        log,
        onClosed: () => this.#transfers.delete(sender),
      },
      names,
    )
    this.#transfers.set(sender, { peer, watch })
    peer.takeOver(sender)
  }

  /** Drops replicas that are too slow; called by the clock. */
  check(): void {
    const nowMs = this.#parts.nowMs()
    for (const feed of this.feeds) feed.check(nowMs)
    this.redis.check()
    for (const [transfer, { peer, watch }] of this.#transfers) {
      const complaint = watch.complaint(nowMs)
      if (complaint === undefined) continue
      this.#parts.log.warning(`[replication] ending the full sync of ${peer.address}: ${complaint}`)
      transfer.close()
    }
    for (const [name, { hold, untilMs }] of this.#lingering) {
      if (nowMs < untilMs && hold.loss === undefined) continue
      hold.release()
      this.#lingering.delete(name)
    }
  }

  /** Resolves when all replicas have been sent what there is, or after `ms`. */
  async drain(ms: number): Promise<void> {
    const sequence = this.#parts.store.latestSequence()
    const untilMs = performance.now() + ms
    const isBehind = (feed: ReplicaFeed): boolean => feed.sent < sequence || feed.peer.outputBytes > 0
    while (this.feeds.some(isBehind) && performance.now() < untilMs) await delay(DRAIN_CHECK_MS)
  }

  /** Ends all connections to replicas. */
  disconnectAll(): void {
    for (const feed of this.feeds) feed.close()
    this.redis.disconnectAll()
    for (const transfer of [...this.#transfers.keys()]) transfer.close()
    for (const { hold } of this.#lingering.values()) hold.release()
    this.#lingering.clear()
  }

  /** Keeps in the log what comes after `sequence`, for as long as one replica may ask for it. */
  #holdFor(peer: Peer, sequence: number): WalHold {
    const { store, config } = this.#parts
    const name = nameOf(peer)
    this.#lingering.get(name)?.hold.release()
    this.#lingering.delete(name)
    return store.retention.hold({ name: `replica ${name}`, sequence, limits: () => holdLimits(config.values) })
  }

  /** A replica that has gone is expected back for a while. */
  #linger({ peer, offset }: ReplicaFeed, hold: WalHold): void {
    hold.advance(offset)
    const name = nameOf(peer)
    this.#lingering.get(name)?.hold.release()
    this.#lingering.set(name, { hold, untilMs: this.#parts.nowMs() + LINGER_MS })
  }

  /** Whether a replica can go on from `sequence`, and how many sequences of it are to be blank. */
  #verdictOn(sequence: number, id: string | undefined): Verdict {
    const { store, nowMs, config } = this.#parts
    const latest = store.latestSequence()
    const ownId = id === undefined ? undefined : idInLog(store, sequence - 1)
    if (ownId !== undefined && ownId !== id) {
      return {
        reason: `its sequence ${sequence - 1} belongs to history ${id}, here to ${ownId}`,
        error: errors.OTHER_HISTORY,
      }
    }
    if (sequence === latest + 1) return NO_BLANKS
    const error = errors.SEQUENCE_OUT_OF_RANGE
    if (sequence > latest) return { reason: `it has sequence ${sequence - 1}, here the latest is ${latest}`, error }
    const found = this.#batchAt(sequence)
    if (found?.sequence === sequence) return NO_BLANKS
    const { oldest } = store.wal.range(nowMs())
    if (found === undefined || found.sequence > sequence) {
      return { reason: `sequence ${sequence} has left the log, whose oldest is ${oldest}`, error }
    }
    const blanks = found.sequence + found.count - sequence
    if (config.values['replication-enable-sequence-padding'] && blanks > 0) return { error: undefined, blanks }
    return {
      reason: `it ends at sequence ${sequence - 1}, within the batch of ${found.sequence}: the histories differ`,
      error,
    }
  }

  /** The log's batch that holds `sequence`, or the next one that there is. */
  #batchAt(sequence: number): WalBatch | undefined {
    try {
      using iterator = this.#parts.store.rocks.updatesSince(sequence)
      return iterator.next(1, 1)[0]
    } catch (error) {
      if (error instanceof RocksDBError) return undefined
      throw error
    }
  }
}

function nameOf(peer: Peer): string {
  const { host, port } = announcedAddress(peer)
  return `${host}:${port}`
}
