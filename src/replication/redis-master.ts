/** The master's side for replicas that are Redis: who follows, and who may go on where it was. */

import { randomBytes } from 'node:crypto'
import type { Bytes } from '../bytes/bytes.js'
import type { Config } from '../config/config.js'
import type { Log } from '../log/log.js'
import type { Snapshot } from '../rocksdb/snapshot.js'
import type { Store } from '../storage/store.js'
import type { Peer } from './peer.js'
import { RedisFeed, type RedisRequest } from './redis-feed.js'
import { RedisHistory } from './redis-history.js'
import { saveHistories, takeHistories } from './redis-history-file.js'

export interface RedisMasterParts {
  readonly store: Store
  readonly config: Config
  readonly log: Log
  readonly counts: { fullSyncs: number; partialSyncs: number; partialSyncsRefused: number }
  /** Unix milliseconds. */
  readonly nowMs: () => number
  /** The version of Redis that the file says it comes from. */
  readonly redisVersion: string
}

/** Histories that are remembered, most recently used last. */
const HISTORIES_MAX = 64
/** A replica that was heard later than this is there: another one with its history begins anew. */
const ALIVE_MS = 5000

export class RedisMaster {
  readonly #parts: RedisMasterParts
  readonly #feeds = new Set<RedisFeed>()
  readonly #histories = new Map<string, RedisHistory>()

  constructor(parts: RedisMasterParts) {
    this.#parts = parts
  }

  /** In the order in which they came. */
  get feeds(): readonly RedisFeed[] {
    return [...this.#feeds]
  }

  /** SYNC, and `PSYNC ? -1`: a file of all keys of `namespace`, then its changes. The turn is committed before. */
  sync(peer: Peer, namespace: Bytes, request: RedisRequest): void {
    const { store, counts, log, nowMs, redisVersion } = this.#parts
    const snapshot = store.rocks.snapshot()
    const history = new RedisHistory(randomBytes(20).toString('hex'), store, Buffer.from(namespace), snapshot.sequence)
    if (request.isPartial) this.#remember(history)
    counts.fullSyncs++
    log.info(`[replication] full sync of Redis replica ${peer.address} at sequence ${snapshot.sequence}`)
    const aux = {
      'redis-ver': redisVersion,
      'redis-bits': '64',
      ctime: String(Math.floor(nowMs() / 1000)),
      'repl-stream-db': '0',
      'repl-id': history.id,
      'repl-offset': '0',
      'aof-base': '0',
    }
    this.#start(peer, request, history, aux, snapshot, 0)
  }

  /** `PSYNC <id> <offset>`: goes on after the first `offset` bytes of a history, or begins anew where that cannot be. */
  resume(peer: Peer, namespace: Bytes, request: RedisRequest, id: string, offset: number): void {
    const { counts, log } = this.#parts
    const history = this.#histories.get(id)
    const refusal = this.#refusal(history, peer, namespace, offset)
    if (history === undefined || refusal !== undefined) {
      counts.partialSyncsRefused++
      log.info(`[replication] Redis replica ${peer.address} needs a full sync: ${refusal}`)
      this.sync(peer, namespace, request)
      return
    }
    this.#remember(history)
    counts.partialSyncs++
    log.info(`[replication] Redis replica ${peer.address} goes on at offset ${offset} of ${history.offset}`)
    this.#start(peer, request, history, {}, undefined, offset)
  }

  /** Knows the histories again that `saveHistories` has kept. */
  restoreHistories(): void {
    const { config, store, log } = this.#parts
    for (const history of takeHistories(config, store, log)) this.#histories.set(history.id, history)
  }

  /** Ends all connections to replicas, which may go on where they are when this server begins again. */
  saveHistories(): void {
    const { config, log } = this.#parts
    for (const feed of this.feeds) feed.close()
    try {
      saveHistories(config, this.#histories.values())
    } catch (error) {
      log.warning(`[replication] the histories of Redis replicas are not kept: ${(error as Error).message}`)
    }
  }

  /** Drops replicas that are too slow; called by the clock. */
  check(): void {
    const nowMs = this.#parts.nowMs()
    for (const feed of this.feeds) feed.check(nowMs)
  }

  /** Ends all connections to replicas, whose histories are over: the database is replaced or closed. */
  disconnectAll(): void {
    for (const feed of this.feeds) feed.close()
    this.#histories.clear()
  }

  #start(
    peer: Peer,
    request: RedisRequest,
    history: RedisHistory,
    aux: Readonly<Record<string, string>>,
    snapshot: Snapshot | undefined,
    resumeFrom: number,
  ): void {
    const { store, config, log, nowMs } = this.#parts
    const onClosed = (closed: RedisFeed): void => {
      this.#feeds.delete(closed)
      log.info(`[replication] Redis replica ${peer.address} has gone`)
    }
    const feed = new RedisFeed({
      peer,
      store,
      config,
      log,
      nowMs,
      request,
      history,
      snapshot,
      resumeFrom,
      aux,
      onBroken: ({ id }) => this.#histories.delete(id),
      onClosed,
    })
    this.#feeds.add(feed)
    peer.takeOver(feed)
  }

  #refusal(history: RedisHistory | undefined, peer: Peer, namespace: Bytes, offset: number): string | undefined {
    if (history === undefined) return 'its history is not known'
    if (!history.namespace.equals(namespace)) return 'its history is of another namespace'
    if (!history.canResume(offset)) return `offset ${offset} is not kept, up to ${history.offset}`
    const holder = this.feeds.find((feed) => feed.history === history)
    if (holder !== undefined) {
      const isSame = holder.address.host === hostOf(peer) && holder.peer.announced.port === peer.announced.port
      if (!isSame && this.#parts.nowMs() - holder.heardAtMs < ALIVE_MS) return 'another replica follows its history'
      holder.close()
    }
    return this.#isInLog(history.neededFrom) ? undefined : `sequence ${history.neededFrom} has left the log`
  }

  #isInLog(sequence: number): boolean {
    const { store, nowMs } = this.#parts
    if (sequence > store.latestSequence()) return true
    const [first] = store.wal.read(sequence, 1, nowMs(), 1)
    return first?.sequence === sequence
  }

  #remember(history: RedisHistory): void {
    this.#histories.delete(history.id)
    this.#histories.set(history.id, history)
    if (this.#histories.size <= HISTORIES_MAX) return
    const [oldest] = this.#histories.keys()
    this.#histories.delete(oldest as string)
  }
}

function hostOf({ address, announced }: Peer): string {
  return announced.ip !== '' ? announced.ip : address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1')
}
