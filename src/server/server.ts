/**
 * The server: the open database, the connections, and what commands and background work share. It owns the parts and
 * ties them together; what a part does stands in its own file.
 */

import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Bytes } from '../bytes/bytes.js'
import { SequenceTimes } from '../cdc/sequence-times.js'
import type { Slots } from '../cdc/slots.js'
import { Snapshots } from '../cdc/snapshots.js'
import { Subscriptions } from '../cdc/subscriptions.js'
import type { Client } from '../commands/client.js'
import { CommandTable } from '../commands/command-table.js'
import { COMMAND_GROUPS } from '../commands/commands.js'
import type { KeyEvents } from '../commands/key-events.js'
import type { ServerView } from '../commands/server-view.js'
import type { Config } from '../config/config.js'
import { parseRename } from '../config/derived.js'
import { followConfig } from '../config/live-rocksdb.js'
import { OptionError } from '../config/option.js'
import { TLS_OPTIONS } from '../config/options/tls.js'
import { systemReason } from '../files/system-error.js'
import type { Log } from '../log/log.js'
import type { Args } from '../protocol/args.js'
import * as errors from '../protocol/errors.js'
import { ProtocolError } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { Channels } from '../pubsub/channels.js'
import { Replication } from '../replication/replication.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import { type ScriptRules, Scripts } from '../scripting/scripts.js'
import { COLUMN_FAMILY_NAMES } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import { ExpirySweeper } from '../storage/expiry-sweeper.js'
import { History } from '../storage/history.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import { openStore } from '../storage/open-store.js'
import type { Store } from '../storage/store.js'
import type { ExpiryListener } from '../storage/turn-listeners.js'
import { Blocking } from './blocking.js'
import { ChangedKeys } from './changed-keys.js'
import { ClientTable } from './client-table.js'
import { ColdReads } from './cold-reads.js'
import { CommandContext } from './command-context.js'
import { CompactionChecker } from './compaction-checker.js'
import { Connection } from './connection.js'
import { Cron } from './cron.js'
import { finishSwap, openAfterSwap } from './database-swap.js'
import { Deferrals } from './deferrals.js'
import { Dispatcher } from './dispatcher.js'
import { feedJobs, feedRounds, openFeed } from './feed-jobs.js'
import { applyForeign } from './foreign-writes.js'
import { KeyCountTable } from './key-counts.js'
import { KeyNotifier, tellNewKeys } from './key-notifier.js'
import { LatencyMonitor } from './latency.js'
import { addressOf, Listener } from './listener.js'
import { MaintenanceWork } from './maintenance.js'
import { Monitors } from './monitors.js'
import { NamespaceTable } from './namespaces.js'
import { Perflog } from './perflog.js'
import { replicationHost } from './replication-host.js'
import { scheduledJobs } from './schedules.js'
import { Slowlog } from './slowlog.js'
import { Stats } from './stats.js'
import { StorageEvents } from './storage-events.js'
import { Streams } from './streams.js'
import { TrackingTable } from './tracking/tracking.js'
import { TransactionTable } from './transactions.js'
import { TurnLoop } from './turn-loop.js'
import { KVROCKS_VERSION, REDIS_VERSION, VERSION } from './version.js'
import { WriteRecovery } from './write-recovery.js'

export interface ServerOptions {
  readonly config: Config
  readonly log: Log
  /** Unix milliseconds; the machine's clock if not given. */
  readonly clock?: () => number
  /** What SHUTDOWN calls; the server closes itself if not given. */
  readonly onShutdown?: () => void
}

/** A turn that has gathered this much is ended at once. */
const TURN_BYTES_MAX = 1 << 20
const MIB = 1024 ** 2
const GIB = 1024 ** 3
const TLS_NAMES = Object.keys(TLS_OPTIONS) as (keyof typeof TLS_OPTIONS)[]

export class Server implements ServerView {
  readonly config: Config
  readonly log: Log
  readonly runId = randomBytes(20).toString('hex')
  readonly startedAtMs: number
  readonly versions = { own: VERSION, kvrocks: KVROCKS_VERSION, redis: REDIS_VERSION }
  readonly stats = new Stats()
  readonly namespaces: NamespaceTable
  readonly commands: CommandTable
  readonly store: Store
  readonly defaultDatabase: Database
  readonly clients: ClientTable
  readonly turns: TurnLoop
  readonly feedRounds = feedRounds(this)
  readonly blocking: Blocking
  readonly streams: Streams
  readonly deferrals: Deferrals
  readonly coldReads: ColdReads
  readonly transactions: TransactionTable
  readonly tracking: TrackingTable
  readonly changedKeys: ChangedKeys
  readonly channels = new Channels()
  readonly monitors: Monitors
  readonly slowlog: Slowlog
  readonly snapshots: Snapshots
  readonly slots: Slots
  readonly subscriptions: Subscriptions
  readonly sequenceTimes: SequenceTimes
  readonly history: History
  readonly latency: LatencyMonitor
  readonly perflog: Perflog
  readonly cron: Cron
  readonly maintenance: MaintenanceWork
  readonly storageEvents: StorageEvents
  readonly keyCounts: KeyCountTable
  readonly expiry: ExpirySweeper
  readonly replication: Replication
  isLoading = false
  /** Writes of clients are refused, for the data is another server's. */
  isReadOnlyReplica = false
  /** The data may be old, and slave-serve-stale-data says not to show it. */
  isStale = false
  /** Fewer replicas than min-replicas-to-write are good: writes of clients are refused. */
  lacksReplicas = false
  /** max-db-size is reached. */
  isDatabaseFull = false
  readonly scripts: Scripts
  readonly #dispatcher: Dispatcher
  readonly #listener: Listener
  readonly #clock: () => number
  readonly #onShutdown: (() => void) | undefined
  readonly #recovery: WriteRecovery
  /** The context of the script that ran last. */
  #scriptContext: CommandContext | undefined
  #closing: Promise<void> | undefined
  #wakesFollowers = false

  /** Opens the database; throws if that fails. */
  constructor({ config, log, clock = Date.now, onShutdown }: ServerOptions) {
    this.config = config
    this.log = log
    this.#clock = clock
    this.#onShutdown = onShutdown
    this.startedAtMs = clock()
    this.commands = new CommandTable(COMMAND_GROUPS, config.values['rename-command'].map(parseRename))
    const { opened, isOther } = openAfterSwap(config.paths.db, log, () => openStore(config, this.stats.keyspace, log))
    this.store = opened
    this.defaultDatabase = this.store.database(DEFAULT_NAMESPACE)
    this.replication = new Replication(replicationHost(this))
    this.namespaces = new NamespaceTable(config, this.store, log)
    this.namespaces.start()
    this.keyCounts = new KeyCountTable(this.store.rocks, clock, log)
    const onExpired: ExpiryListener = (namespace, key, part) => {
      new KeyNotifier(config.values, this.channels, () => namespace).notifyExpired(key, part)
      if (this.tracking.isActive) this.tracking.keyExpired(namespace, key)
    }
    tellNewKeys(config, this.channels, this.store.turn.touched)
    this.expiry = new ExpirySweeper(this.store, onExpired)
    this.store.turn.expiryListener = (namespace, key, part) => {
      if (part === 'key') this.expiry.expiredCount++
      onExpired(namespace, key, part)
    }
    this.#recovery = new WriteRecovery(this.store, config.paths.db, log)
    this.clients = new ClientTable(this)
    const resume = (connection: Connection): void => this.resume(connection)
    const sent = (connection: Connection, bytes: number): void => this.#sent(connection, bytes)
    this.turns = new TurnLoop(this.store, {
      run: (connections) => this.#runArrived(connections),
      ending: () => this.tracking.endTurn(),
      sent,
      refused: (reason) => this.#writesRefused(reason),
      committed: (ms) => this.latency.record('commit', ms),
    })
    this.#dispatcher = new Dispatcher(this)
    this.blocking = new Blocking(this.#dispatcher, resume)
    this.store.turn.commitListeners.add((sequence) => this.#committed(sequence))
    this.streams = new Streams(log, sent, resume)
    this.deferrals = new Deferrals(log, resume)
    this.coldReads = new ColdReads(this.store, config.values.workers, (connection) => this.resumeHeld(connection))
    this.transactions = new TransactionTable((connection, queued) => this.#dispatcher.runQueued(connection, queued))
    const push = (connection: Connection, bytes: Buffer): void => this.push(connection, bytes)
    this.monitors = new Monitors(push)
    const keysMax = (): number => config.values['tracking-table-max-keys']
    const endTurnSoon = (): void => this.turns.schedule()
    this.tracking = new TrackingTable({ store: this.store, clients: this.clients, keysMax, push, endTurnSoon })
    this.changedKeys = new ChangedKeys(this.store.turn, this)
    this.snapshots = new Snapshots(this.store)
    this.sequenceTimes = new SequenceTimes(config.paths.sequenceTimes)
    this.history = new History(config.paths.history, this.store.latestSequence(), this.sequenceTimes.lastSequence)
    this.slots = openFeed(this, clock)
    if (isOther) finishSwap(this)
    this.subscriptions = new Subscriptions(this.store, this.snapshots.oldValues, clock)
    this.slowlog = new Slowlog(config, log)
    this.latency = new LatencyMonitor(() => config.values['latency-monitor-threshold'], clock)
    this.perflog = new Perflog(config, this.store.rocks, clock)
    this.scripts = new Scripts(this.store, {
      memoryLimitBytes: config.values['lua-memory-limit-mb'] * MIB,
      redisVersion: REDIS_VERSION,
      log,
    })
    this.#listener = new Listener(config, (socket) => this.#accept(socket))
    this.cron = new Cron(this)
    this.storageEvents = new StorageEvents(log, () => this.checkSize())
    this.store.rocks.setListener((event) => this.storageEvents.take(event))
    this.maintenance = new MaintenanceWork({ config, store: this.store, log, now: clock })
    const checker = new CompactionChecker(config, this.store.rocks, log, (cf, begin, end) =>
      this.maintenance.compactRange(cf, begin, end),
    )
    const { maintenance, namespaces, keyCounts } = this
    const isLoading = (): boolean => this.isLoading
    const jobs = scheduledJobs({ config, maintenance, checker, namespaces, keyCounts, now: clock, isLoading })
    this.#followConfig()
    for (const job of [...jobs, ...this.replication.jobs(), ...feedJobs(this)]) this.cron.add(job)
  }

  get luaBytes(): number {
    return this.scripts.memoryBytes
  }

  get port(): number {
    return this.#listener.port
  }

  get tlsPort(): number {
    return this.#listener.tlsPort
  }

  nowMs(): number {
    return this.#clock()
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  get role(): 'master' | 'slave' {
    return this.replication.role
  }

  /** Accepts clients. Throws if an address cannot be listened on. */
  async listen(): Promise<void> {
    this.namespaces.moveToDatabase()
    await this.#listener.open()
    this.cron.start()
    this.replication.start()
  }

  /** Answers what has arrived, closes the connections and the database. Calling it again waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Deletes some of the keys that have expired; on a replica its master does so. */
  sweepExpired(): void {
    const { turn, writeFailure } = this.store
    const nowMs = this.#clock()
    const isTelling = this.role === 'master' && this.expiry.isEnabled
    this.expiry.limitReclaim(isTelling, nowMs)
    const mayWrite = isTelling && !this.isLoading && writeFailure === undefined
    if (!mayWrite || turn.isHeld || this.clients.isPausedFor(true)) return
    turn.nowMs = nowMs
    this.expiry.step(turn.nowMs)
    this.turns.schedule()
  }

  commitSoon(): void {
    this.turns.schedule()
  }

  shutdown(): void {
    if (this.#onShutdown !== undefined) this.#onShutdown()
    else void this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  keyEvents(client: Connection): KeyEvents {
    return new KeyNotifier(this.config.values, this.channels, () => client.namespace ?? DEFAULT_NAMESPACE)
  }

  /** Gives a new or reset client the rights that it has before any AUTH. */
  admit(connection: Connection): void {
    if (this.config.values.requirepass === '') {
      connection.authenticate(DEFAULT_NAMESPACE, true)
    } else {
      connection.namespace = undefined
      connection.isAdmin = false
      connection.limits.authenticated = false
    }
  }

  leaveChannels(connection: Connection): void {
    this.channels.leave(connection)
    this.subscriptions.remove(connection)
  }

  /** Runs the requests of a connection that have arrived, until one has to wait. */
  runRequests(connection: Connection): void {
    this.#beginRun()
    this.#runRequests(connection)
  }

  #beginRun(): void {
    this.store.turn.nowMs = this.#clock()
    this.#dispatcher.start()
  }

  #runRequests(connection: Connection): void {
    connection.hasArrived = false
    connection.lastCommandAtMs = this.store.turn.nowMs
    this.turns.join(connection)
    const { parser } = connection
    try {
      while (!connection.isSuspended && !connection.isBackedUp && parser.next()) {
        this.#dispatcher.dispatch(connection, parser.args)
        if (this.store.turn.batchBytes > TURN_BYTES_MAX || connection.holdsMuchReply) this.#endTurnEarly(connection)
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      connection.reply.errorLine(error.text)
      connection.closeAfterReply()
    }
    // The loop above ended for want of requests, and there will be no more.
    if (connection.hasInputEnded && !connection.isSuspended && !connection.isBackedUp) connection.closeAfterReply()
    this.turns.observe(this.changedKeys.areObserved)
    this.turns.fly()
  }

  /** The client may go on with its next request. */
  resume(connection: Connection): void {
    if (connection.isClosed) return
    this.turns.join(connection)
    // Not from within the command that let it go on.
    setImmediate(() => {
      if (!connection.isClosed && !connection.isSuspended) this.runRequests(connection)
    })
  }

  /** Runs the request that was held back, then goes on. */
  resumeHeld(connection: Connection): void {
    const held = connection.heldRequest
    if (held === undefined || connection.isClosed) return
    connection.heldRequest = undefined
    this.turns.join(connection)
    this.store.turn.nowMs = this.#clock()
    this.#dispatcher.start()
    this.#dispatcher.dispatch(connection, held)
    if (connection.heldRequest === undefined) connection.coldAttempts = 0
    this.resume(connection)
  }

  /** Sends bytes that answer no request, after the reply that may be under way. */
  push(connection: Connection, bytes: Bytes): void {
    if (connection.isClosed) return
    if (connection.source !== undefined || connection.isExecuting) {
      connection.delayPush(bytes)
      this.#checkOutput(connection)
      return
    }
    connection.reply.raw(bytes)
    this.turns.join(connection)
  }

  /** CONFIG RESETSTAT. */
  resetStats(): void {
    this.stats.reset()
    this.commands.resetStats()
  }

  run(client: Client, args: Args, reply: Reply, rules: ScriptRules): void {
    const connection = client as Connection
    let context = this.#scriptContext
    if (context?.client !== connection || context.reply !== reply) {
      context = new CommandContext(this, connection, reply)
      context.isNested = true
      this.#scriptContext = context
    }
    context.db = connection.context.db
    this.#dispatcher.runNested(context, args, rules)
  }

  applyForeign(batch: Bytes, writeFlags: number): void {
    applyForeign(this, batch, writeFlags)
  }

  setDatabaseFull(isFull: boolean): void {
    this.isDatabaseFull = isFull
  }

  /** Brings into force what CONFIG SET changes and is not read where it is used. */
  #followConfig(): void {
    const { config, store } = this
    // While the database is closed nothing has to be told: it is opened with what is set then.
    const whileOpen = (apply: (rocks: RocksDB) => void): void => {
      if (store.rocks.isOpen) apply(store.rocks)
    }
    followConfig(config, {
      setDbOptions: (options) => whileOpen((rocks) => rocks.setDBOptions(options)),
      setColumnFamilyOptions: (options) =>
        whileOpen((rocks) => {
          for (const cf of COLUMN_FAMILY_NAMES.keys()) rocks.setOptions(cf, options)
        }),
      setWriteRate: (bytes) => whileOpen((rocks) => rocks.setRateBytesPerSecond(bytes)),
      setDeleteRate: (bytes) => whileOpen((rocks) => rocks.setDeleteRateBytesPerSecond(bytes)),
    })
    config.onChange('row-cache-mb', (values) => this.store.turn.cacheRows(values['row-cache-mb'] * MIB))
    config.onChange('workers', (values) => this.coldReads.setThreads(values.workers))
    config.onChange('max-db-size', () => this.checkSize())
    config.onChange('slowlog-max-len', () => this.slowlog.trim())
    config.onChange('profiling-sample-record-max-len', () => this.perflog.trim())
    config.onChange('proto-max-bulk-len', (values) => {
      for (const connection of this.clients.all()) connection.limits.bulkBytesMax = values['proto-max-bulk-len']
    })
    config.onChange(TLS_NAMES, () => {
      try {
        this.#listener.reloadTls()
      } catch (error) {
        throw new OptionError(`Unable to update TLS configuration: ${systemReason(error)}`)
      }
    })
  }

  /** Says whether max-db-size is reached. Source: kvrocks src/storage/storage.cc, CheckDBSizeLimit. */
  checkSize(): void {
    if (!this.store.rocks.isOpen) return
    const gibMax = this.config.values['max-db-size']
    const isFull = gibMax > 0 && this.store.rocks.liveFiles().reduce((sum, { bytes }) => sum + bytes, 0) >= gibMax * GIB
    if (isFull === this.isDatabaseFull) return
    this.isDatabaseFull = isFull
    if (isFull) this.log.warning(`[storage] ENABLE db_size limit ${gibMax} GB. Switch kvrocks to read-only mode.`)
    else this.log.warning('[storage] DISABLE db_size limit. Switch kvrocks to read-write mode.')
  }

  /** Those who follow the log try again once the turn that wrote has ended. */
  #committed(sequence: number): void {
    this.feedRounds.committed(sequence)
    if (this.#wakesFollowers || !this.blocking.isFollowed) return
    this.#wakesFollowers = true
    setImmediate(() => {
      this.#wakesFollowers = false
      if (this.#closing === undefined) this.blocking.wakeFollowers()
    })
  }

  #endTurnEarly(connection: Connection): void {
    this.turns.end()
    this.turns.join(connection)
  }

  #accept(socket: Socket): void {
    this.stats.connectionsReceived++
    const { values } = this.config
    if (this.clients.count >= values.maxclients) {
      this.stats.rejectedConnections++
      socket.on('error', () => {})
      socket.end(`-${errors.TOO_MANY_CLIENTS.text}\r\n`)
      return
    }
    socket.setNoDelay(true)
    if (values['tcp-keepalive'] > 0) socket.setKeepAlive(true, values['tcp-keepalive'] * 1000)
    const limits = { bulkBytesMax: values['proto-max-bulk-len'], authenticated: false }
    const connection = new Connection(
      this.clients.newId(),
      socket,
      addressOf(socket.remoteAddress, socket.remotePort, values.unixsocket),
      addressOf(socket.localAddress, socket.localPort, values.unixsocket),
      limits,
      this.#clock(),
    )
    connection.context = new CommandContext(this, connection, connection.reply)
    this.admit(connection)
    this.clients.add(connection)
    socket.on('data', (chunk: Buffer) => this.#received(connection, chunk))
    socket.on('end', () => this.#inputEnded(connection))
    socket.on('drain', () => this.#drained(connection))
    socket.on('error', () => {})
    socket.on('close', () => this.#closed(connection))
  }

  #received(connection: Connection, chunk: Buffer): void {
    this.stats.netInputBytes += chunk.length
    // What came before may change what these bytes are, and makes room for them.
    if (connection.hasArrived) this.turns.runArrived()
    if (connection.link !== undefined) {
      connection.link.received(chunk)
      return
    }
    if (connection.isClosing) return
    connection.parser.feed(chunk)
    const bytesMax = this.config.values['client-query-buffer-limit']
    if (connection.parser.pendingBytes > bytesMax) {
      this.log.warning(`closing ${connection.address}: its requests exceed client-query-buffer-limit`)
      this.stats.limitCloses.query++
      connection.kill()
      return
    }
    if (connection.isSuspended || connection.isBackedUp) connection.pauseReading()
    else this.turns.arrive(connection)
  }

  /** Runs the requests of one connection after those of the other, where it has not ended and need not wait. */
  #runArrived(connections: readonly Connection[]): void {
    this.#beginRun()
    for (const connection of connections) {
      if (!connection.hasArrived || connection.isClosed) continue
      if (!connection.isSuspended) this.#runRequests(connection)
      if (connection.isSuspended || connection.isBackedUp) connection.pauseReading()
    }
  }

  #inputEnded(connection: Connection): void {
    connection.endOfInput()
    if (!connection.isSuspended) this.runRequests(connection)
  }

  #drained(connection: Connection): void {
    if (connection.link !== undefined) connection.link.drained()
    else if (connection.source !== undefined) this.streams.pump(connection)
    else if (!connection.isSuspended) this.runRequests(connection)
  }

  #sent(connection: Connection, bytes: number): void {
    this.stats.netOutputBytes += bytes
    if (this.#checkOutput(connection) && !connection.isSuspended && !connection.isBackedUp) connection.resumeReading()
  }

  /** Called every second: a client that takes nothing gives no other occasion to look at its soft limit. */
  checkOutputs(): void {
    for (const connection of this.clients.all()) this.#checkOutput(connection)
  }

  /** Closes the connection if it takes its output too slowly; true if it stays. */
  #checkOutput(connection: Connection): boolean {
    if (connection.socket.destroyed) return false
    if (!connection.overLimit(this.config.values['client-output-buffer-limit'], this.#clock())) return true
    this.log.warning(`closing ${connection.address}: it exceeds client-output-buffer-limit ${connection.outputClass}`)
    this.stats.limitCloses.output++
    connection.kill()
    return false
  }

  #closed(connection: Connection): void {
    connection.isClosed = true
    connection.link?.closed()
    this.clients.remove(connection)
    this.blocking.remove(connection)
    this.coldReads.remove(connection)
    this.streams.abandon(connection)
    this.transactions.discard(connection)
    if (this.#scriptContext?.client === connection) this.#scriptContext = undefined
    this.monitors.remove(connection)
    this.leaveChannels(connection)
    this.tracking.forget(connection)
  }

  #writesRefused(reason: string): void {
    this.#recovery.begin(reason)
    this.tracking.invalidateEverything()
  }

  async #close(): Promise<void> {
    this.#recovery.stop()
    this.cron.stop()
    await this.#listener.close()
    this.coldReads.endAll()
    this.turns.runArrived()
    this.turns.end()
    await this.replication.close()
    this.turns.end()
    for (const connection of this.clients.all()) connection.finish()
    await new Promise((done) => setImmediate(done))
    this.turns.end()
    this.clients.close()
    await this.keyCounts.stop()
    await this.maintenance.finished()
    await this.cron.finished()
    this.scripts.close()
    this.snapshots.closeAll()
    await this.slots.close()
    this.sequenceTimes.close()
    await this.store.close()
    this.history.leave(this.store.latestSequence())
  }
}
