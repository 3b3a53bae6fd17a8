/** Replication of one server, whichever side it is on: the link to its master if it has one, and its replicas. */

import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Bytes } from '../bytes/bytes.js'
import type { Config } from '../config/config.js'
import { describeError, type Log } from '../log/log.js'
import * as errors from '../protocol/errors/replication.js'
import type { ReplyError } from '../protocol/errors.js'
import type { Store } from '../storage/store.js'
import { Failover } from './failover.js'
import { discardFiles } from './full-sync.js'
import { Master, type SyncCounts } from './master.js'
import type { MasterTarget } from './master-socket.js'
import { LINK_DELAYS, type LinkDelays, type LinkState, Replica } from './replica.js'
import { beginHistory, currentId } from './replication-id.js'

/** What replication needs of the server. */
export interface ReplicationHost {
  readonly store: Store
  readonly config: Config
  readonly log: Log
  readonly counts: SyncCounts
  /** The version of Redis that this server stands for. */
  readonly redisVersion: string
  /** Unix milliseconds. */
  nowMs(): number
  /** The port that clients and replicas connect to. */
  listeningPort(): number
  /** TLS settings of a link to the master; undefined: plain TCP. */
  tls(): MasterTarget['tls']
  /** Writes a batch and does what follows from it. Throws a CommitError or a BatchFormatError. */
  apply(batch: Bytes, flags: number): void
  /** Replaces the database by the files of a directory, which vanishes. */
  load(directory: string): Promise<void>
  /** Drops the database until `load` or `reload`. */
  drop(): Promise<void>
  reload(): Promise<void>
  /** The role or the state of the link is another one now. */
  changed(): void
  /** A replica has confirmed more, or there are others than before. */
  acknowledged(): void
  /** Has clients wait: those that write, or all. Undefined: they go on. */
  pause(who: 'write' | 'all' | undefined): void
}

export interface ReplicaView {
  readonly host: string
  readonly port: number
  readonly offset: number
}

type Field = readonly [name: string, value: string | number | boolean]

const REPLICA_CHECK_MS = 1000
/** A server that ends gives its replicas so long to take what they have yet to get. */
const DRAIN_MS_MAX = 2000
const CHECKPOINT_CHECK_MS = 10_000

export class Replication {
  /** The side that serves replicas. */
  readonly feeds: Master
  readonly failover: Failover
  /** Of links that begin from now on. */
  delays: LinkDelays = LINK_DELAYS
  readonly #host: ReplicationHost
  #replica: Replica | undefined
  /** Links that are being ended. */
  #stopping: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(host: ReplicationHost) {
    this.#host = host
    this.feeds = new Master({
      store: host.store,
      config: host.config,
      log: host.log,
      counts: host.counts,
      nowMs: () => host.nowMs(),
      redisVersion: host.redisVersion,
      onAcknowledged: () => {
        this.failover.acknowledged()
        host.acknowledged()
      },
    })
    this.failover = new Failover({
      feeds: this.feeds,
      store: host.store,
      log: host.log,
      targetOf: (address) => ({
        ...address,
        tls: host.tls(),
        connectTimeoutMs: host.config.values['replication-connect-timeout-ms'],
      }),
      password: () => host.config.values.masterauth,
      pause: (who) => host.pause(who),
      follow: (address, port) => this.follow(address, port),
    })
  }

  get role(): 'master' | 'slave' {
    return this.#replica === undefined ? 'master' : 'slave'
  }

  /** True on a replica whose data may be old, for it is not connected to its master. */
  get isLinkDown(): boolean {
    return this.#replica !== undefined && !this.#replica.isConnected
  }

  /** Where the master is, on a replica, and the state of the link: connecting, sync, connected. */
  get master(): { readonly host: string; readonly port: number; readonly state: string } | undefined {
    const replica = this.#replica
    if (replica === undefined) return undefined
    const state = replica.isConnected ? 'connected' : replica.isSyncing ? 'sync' : 'connecting'
    return { host: replica.host, port: replica.port, state }
  }

  get linkState(): LinkState | undefined {
    return this.#replica?.state
  }

  /** True on a master that has fewer good replicas than min-replicas-to-write. */
  get lacksReplicas(): boolean {
    const { values } = this.#host.config
    const wanted = values['min-replicas-to-write']
    if (wanted === 0 || this.role === 'slave') return false
    const sinceMs = this.#host.nowMs() - values['min-replicas-max-lag'] * 1000
    return this.feeds.feeds.filter(({ acknowledgedAtMs }) => acknowledgedAtMs >= sinceMs).length < wanted
  }

  get replicas(): readonly ReplicaView[] {
    const own = this.feeds.feeds.map((feed) => ({ ...feed.address, offset: feed.offset }))
    const redis = this.feeds.redis.feeds.map((feed) => ({ ...feed.address, offset: feed.sentSequence }))
    return [...own, ...redis]
  }

  /** What is to be done by the clock. */
  jobs(): readonly { readonly name: string; readonly everyMs: number; run(): void | Promise<void> }[] {
    return [
      {
        name: 'check replicas',
        everyMs: REPLICA_CHECK_MS,
        run: () => {
          this.feeds.check()
          this.#host.changed()
        },
      },
      {
        name: 'expire the checkpoint of replicas',
        everyMs: CHECKPOINT_CHECK_MS,
        run: () => this.feeds.checkpoint.expire(),
      },
    ]
  }

  /** Begins as the configuration says. Throws a CommitError. */
  start(): void {
    const { config, log } = this.#host
    this.feeds.redis.restoreHistories()
    this.feeds.checkpoint
      .remove()
      .catch((error: unknown) => log.error(`[replication] removing the old checkpoint: ${describeError(error)}`))
    const { master } = config
    if (master !== undefined) this.#link(master.host, master.port)
    else this.#beginHistory()
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#isClosed = true
    const replica = this.#replica
    this.failover.close()
    if (this.feeds.feeds.length > 0) {
      this.#host.pause('write')
      await this.feeds.drain(DRAIN_MS_MAX)
    }
    if (this.#host.store.rocks.isOpen) this.feeds.redis.saveHistories()
    this.feeds.disconnectAll()
    await replica?.stop()
    await this.#stopping
    await this.feeds.checkpoint.remove()
  }

  /** SLAVEOF: what is wrong with that master; undefined: nothing. Only an address is looked at, not a name. */
  refusalOf(address: string, port: number): ReplyError | undefined {
    if (isIP(address) === 0) return undefined
    if (port === this.#host.listeningPort() && isListeningAddress(address, this.#host.config.binds))
      return errors.ITSELF
    const isOwn = this.replicas.some((replica) => replica.host === address && replica.port === port)
    return isOwn ? errors.OWN_REPLICA : undefined
  }

  /** SLAVEOF host port: becomes a replica, unless it is that master's already. */
  follow(host: string, port: number): void {
    if (this.#replica?.host === host && this.#replica.port === port) return
    const { store, config } = this.#host
    if (!store.turn.isHeld) store.turn.commit()
    store.turn.mark.end()
    config.assign('slaveof', `${host} ${port}`)
    this.#unlink()
    this.#link(host, port)
  }

  /** SLAVEOF NO ONE: becomes a master, at the end of what it has. Throws a CommitError, and then it stays a replica. */
  promote(): void {
    if (this.#replica === undefined) return
    // A master whose batches bear no id would be taken for one of any history.
    this.#beginHistory()
    this.#unlink()
    this.#host.config.assign('slaveof', '')
    this.#host.changed()
  }

  /** Has the link to the master built again; false if there is none. */
  reconnect(): boolean {
    this.#replica?.reconnect()
    return this.#replica !== undefined
  }

  /** INFO replication between the role and the offset: on a replica first the master's, then the replicas of this one. */
  fields(): readonly Field[] {
    const { store } = this.#host
    const latest = store.latestSequence()
    const feeds = [
      ...this.feeds.feeds.map(({ address, offset }) => ({ address, offset, state: 'online' })),
      ...this.feeds.redis.feeds.map(({ address, sentSequence, state }) => ({ address, offset: sentSequence, state })),
    ].map(({ address: { host, port }, offset, state }, index): Field => {
      return [`slave${index}`, `ip=${host},port=${port},state=${state},offset=${offset},lag=${latest - offset}`]
    })
    const id = store.rocks.isOpen && this.#host.config.values['use-rsid-psync'] ? currentId(store) : undefined
    return [
      ...(this.#replica === undefined ? [] : this.#linkFields(this.#replica)),
      ['connected_slaves', feeds.length],
      ...feeds,
      ['master_failover_state', this.failover.state],
      ...(id === undefined ? [] : ([['master_replid', id]] as const)),
    ]
  }

  #linkFields(replica: Replica): readonly Field[] {
    const { store, config } = this.#host
    const nowMs = this.#host.nowMs()
    const secondsSince = (ms: number): number => Math.max(0, Math.floor((nowMs - ms) / 1000))
    const progress = replica.syncProgress
    return [
      ['master_host', replica.host],
      ['master_port', replica.port],
      ['master_link_status', replica.isConnected ? 'up' : 'down'],
      ['master_sync_unrecoverable_error', 'no'],
      ['master_sync_in_progress', replica.isSyncing],
      ['master_last_io_seconds_ago', replica.lastIoMs === 0 ? -1 : secondsSince(replica.lastIoMs)],
      ...(progress === undefined
        ? []
        : ([
            ['master_sync_files', progress.files],
            ['master_sync_total_files', progress.total],
            ['master_sync_read_bytes', progress.bytes],
          ] as const)),
      ...(replica.isConnected
        ? []
        : ([['master_link_down_since_seconds', secondsSince(replica.downSinceMs)]] as const)),
      ['last_sync_error', replica.lastError],
      ['slave_repl_offset', store.latestSequence()],
      ['slave_priority', config.values['slave-priority']],
      ['slave_read_only', config.values['slave-read-only']],
    ]
  }

  #link(host: string, port: number): void {
    const outer = this.#host
    const replica = new Replica({
      host,
      port,
      store: outer.store,
      config: outer.config,
      log: outer.log,
      delays: this.delays,
      nowMs: () => outer.nowMs(),
      listeningPort: () => outer.listeningPort(),
      tls: () => outer.tls(),
      apply: (batch, flags) => outer.apply(batch, flags),
      load: (directory) => outer.load(directory),
      drop: () => outer.drop(),
      reload: () => outer.reload(),
      onState: () => outer.changed(),
    })
    this.#replica = replica
    void this.#stopping.then(() => {
      if (this.#replica === replica && !this.#isClosed) replica.start()
    })
    outer.changed()
  }

  #unlink(): void {
    const replica = this.#replica
    this.#replica = undefined
    if (replica === undefined) return
    const { config, log } = this.#host
    this.#stopping = Promise.all([this.#stopping, replica.stop()])
      .then(() => discardFiles(config.paths.syncCheckpoint))
      .catch((error: unknown) => log.error(`[replication] removing fetched files: ${describeError(error)}`))
  }

  #beginHistory(): void {
    const { store, config, log } = this.#host
    if (!config.values['use-rsid-psync']) return
    log.info(`[replication] New replication id: ${beginHistory(store)}`)
  }
}

function isListeningAddress(address: string, binds: readonly string[]): boolean {
  if (binds.includes(address)) return true
  if (!binds.some((bind) => bind === '0.0.0.0' || bind === '::' || bind === '*')) return false
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some((own) => own.address === address))
}
