/**
 * The replica's side: a link to the master that is built again whenever it breaks. It asks for the changes after the last
 * one that it has; where the master cannot give them without a gap, it copies the master's database and asks again.
 *
 *   AUTH, _db_name, REPLCONF, PSYNC -> changes          … refused: _fetch_meta, _fetch_file …, PSYNC
 *
 * Source: kvrocks src/cluster/replication.cc, ReplicationThread.
 */

import type { Bytes } from '../bytes/bytes.js'
import type { Config } from '../config/config.js'
import { describeError, type Log } from '../log/log.js'
import { SeldomLog } from '../log/seldom-log.js'
import * as errors from '../protocol/errors/replication.js'
import { LOADING } from '../protocol/errors.js'
import { WRITE_NO_SLOWDOWN, WRITE_SYNC } from '../rocksdb/native.js'
import { writeFlags } from '../storage/open-store.js'
import type { Store } from '../storage/store.js'
import { BatchFormatError, batchSequence } from '../storage/write-batch.js'
import { discardFiles, FullSync, LIST_MS_MAX } from './full-sync.js'
import { LinkError, MasterSocket, type MasterTarget } from './master-socket.js'
import { currentId } from './replication-id.js'

export type LinkState =
  | 'connecting'
  | 'authenticating'
  | 'checking-name'
  | 'announcing'
  | 'asking'
  | 'fetching-names'
  | 'fetching-files'
  | 'loading'
  | 'connected'

/** How long to wait, in milliseconds. */
export interface LinkDelays {
  /** After a connection has ended, or could not be made. */
  readonly reconnectMs: number
  /** After the master has refused something, or a change could not be applied. */
  readonly restartMs: number
  /** After one full sync in vain; doubled for each further one, up to `fullSyncMsMax`. */
  readonly fullSyncMs: number
  readonly fullSyncMsMax: number
  /** A link that holds for so long ends the doubling. */
  readonly steadyMs: number
}

export const LINK_DELAYS: LinkDelays = {
  reconnectMs: 1000,
  restartMs: 10_000,
  fullSyncMs: 5000,
  fullSyncMsMax: 600_000,
  steadyMs: 60_000,
}

export interface ReplicaParts {
  readonly host: string
  readonly port: number
  readonly store: Store
  readonly config: Config
  readonly log: Log
  readonly delays: LinkDelays
  /** Unix milliseconds. */
  readonly nowMs: () => number
  /** The port that this server is reached at. */
  readonly listeningPort: () => number
  /** TLS settings, read where tls-replication says so. */
  readonly tls: () => MasterTarget['tls']
  /** Writes a batch and does what follows from it. Throws a CommitError or a BatchFormatError. */
  readonly apply: (batch: Bytes, flags: number) => void
  /** Replaces the database by the files of a directory, which vanishes. Rejects if the old one is in use again. */
  readonly load: (directory: string) => Promise<void>
  /** Drops the database, to make room: nothing is served until `load`, or `reload` after a failure. */
  readonly drop: () => Promise<void>
  readonly reload: () => Promise<void>
  readonly onState: (state: LinkState) => void
}

/** The master's answer, or what it has sent, rules out going on with this connection. */
class RestartError extends Error {}

/** A master has something to send every two seconds, if only a ping. */
const SILENCE_MS_MAX = 60_000
const ACK_MS = 1000
const ACK_BYTES_MAX = 64 * 1024
/** Changes are applied for so long at a time, in turns with all other work. */
const APPLY_MS = 5
const PING = 'ping'
const ACK_REQUEST = '_getack'
const LOADING_LINE = `-${LOADING.text}`

export class Replica {
  readonly host: string
  readonly port: number
  readonly #parts: ReplicaParts
  #state: LinkState = 'connecting'
  #socket: MasterSocket | undefined
  #fullSync: FullSync | undefined
  readonly #abort = new AbortController()
  #wakeUp: (() => void) | undefined
  #ended: Promise<void> = Promise.resolve()
  #lastIoMs = 0
  #lastError = ''
  readonly #seldomLog: SeldomLog
  #downSinceMs: number
  /** Full syncs since the link was last steady. */
  #fullSyncs = 0
  #connectedAtMs = 0
  #announcesAddress = true
  #usesIds = true
  #acknowledgedAtMs = 0
  #waitsForSync = false

  constructor(parts: ReplicaParts) {
    this.#parts = parts
    this.host = parts.host
    this.port = parts.port
    this.#downSinceMs = parts.nowMs()
    this.#seldomLog = new SeldomLog(parts.log, () => parts.nowMs())
  }

  get #isStopped(): boolean {
    return this.#abort.signal.aborted
  }

  get state(): LinkState {
    return this.#state
  }

  get isConnected(): boolean {
    return this.#state === 'connected'
  }

  get isSyncing(): boolean {
    return this.#state === 'fetching-names' || this.#state === 'fetching-files' || this.#state === 'loading'
  }

  /** Unix milliseconds of the last sign of the master; 0 before the first. */
  get lastIoMs(): number {
    return this.#lastIoMs
  }

  /** Why the link broke last, or the sync failed; empty if nothing went wrong since it was made. */
  get lastError(): string {
    return this.#lastError
  }

  /** Unix milliseconds. */
  get downSinceMs(): number {
    return this.#downSinceMs
  }

  /** Of the full sync under way. */
  get syncProgress(): { files: number; total: number; bytes: number } | undefined {
    return this.#fullSync && { ...this.#fullSync.progress, bytes: this.#fullSync.bytes }
  }

  start(): void {
    this.#ended = this.#run()
  }

  /** Resolves when nothing of the link goes on. A database that is being loaded is loaded first. */
  async stop(): Promise<void> {
    this.#abort.abort()
    this.#wakeUp?.()
    await this.#ended
  }

  /** Breaks the link, which is then built again. */
  reconnect(): void {
    this.#socket?.close()
    this.#fullSync?.disconnect()
    this.#wakeUp?.()
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      let waitMs = this.#parts.delays.reconnectMs
      try {
        if (!(await this.#follow())) {
          await this.#copyAll()
          waitMs = 0
        }
      } catch (error) {
        waitMs = this.#failed(error)
      }
      this.#disconnect()
      if (!this.#isStopped) await this.#pause(waitMs)
    }
  }

  /** Returns how long to wait. */
  #failed(error: unknown): number {
    const { log, delays, nowMs } = this.#parts
    if (this.#connectedAtMs > 0 && nowMs() - this.#connectedAtMs >= delays.steadyMs) this.#fullSyncs = 0
    if (error instanceof LinkError) {
      this.#note(error.message)
      return delays.reconnectMs
    }
    if (error instanceof RestartError) this.#note(error.message)
    else {
      this.#lastError = (error as Error).message
      log.error(`[replication] CRITICAL - ${describeError(error)}`)
    }
    log.info(`[replication] Retry in ${delays.restartMs / 1000} seconds`)
    return delays.restartMs
  }

  /** Full syncs that lead to nothing come at ever longer intervals: each costs the master what a copy of all costs. */
  async #backOff(): Promise<void> {
    const { delays, log } = this.#parts
    if (this.#fullSyncs === 0) return
    const waitMs = Math.min(delays.fullSyncMs * 2 ** (this.#fullSyncs - 1), delays.fullSyncMsMax)
    log.warning(
      `[replication] ${this.#fullSyncs} full syncs were in vain, the next one begins in ${waitMs / 1000} seconds`,
    )
    await this.#pause(waitMs)
  }

  #note(reason: string): void {
    if (this.#isStopped) return
    this.#lastError = reason
    this.#seldomLog.error('link', `[replication] ${reason}, reconnect the master`)
  }

  #disconnect(): void {
    this.#socket?.close()
    this.#socket = undefined
    if (this.#state === 'connected') this.#downSinceMs = this.#parts.nowMs()
    this.#connectedAtMs = 0
    this.#enter('connecting')
  }

  async #pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wakeUp = resolve
      timer = setTimeout(resolve, ms)
    })
    clearTimeout(timer)
    this.#wakeUp = undefined
  }

  /** Follows the master until the connection ends, with a LinkError; false if the master cannot go on from here. */
  async #follow(): Promise<boolean> {
    const socket = await this.#connect()
    this.#socket = socket
    await this.#checkName(socket)
    await this.#announce(socket)
    if (!(await this.#ask(socket))) return false
    this.#lastError = ''
    this.#seldomLog.forget('link')
    this.#connectedAtMs = this.#parts.nowMs()
    this.#parts.log.info('[replication] PSync is ok, start increment batch loop')
    // What an earlier attempt at a full sync may have left is of no use any more.
    await discardFiles(this.#parts.config.paths.syncCheckpoint)
    this.#enter('connected')
    // The master learns at once that this replica confirms what it has.
    this.#acknowledge(socket, true)
    this.#acknowledgedAtMs = 0
    await this.#applyAll(socket)
    return true
  }

  /** A connection on which commands may be sent. */
  async #connect(): Promise<MasterSocket> {
    const { host, port, config, tls } = this.#parts
    const { values } = config
    const socket = await MasterSocket.connect({
      host,
      port: port + (values['master-use-repl-port'] ? 1 : 0),
      tls: tls(),
      connectTimeoutMs: values['replication-connect-timeout-ms'],
      signal: this.#abort.signal,
    })
    try {
      if (this.#isStopped) throw new LinkError('the link is being ended')
      if (values.masterauth !== '') await this.#authenticate(socket, values.masterauth)
      return socket
    } catch (error) {
      socket.close()
      throw error
    }
  }

  async #authenticate(socket: MasterSocket, password: string): Promise<void> {
    if (this.#state === 'connecting') this.#enter('authenticating')
    socket.send('AUTH', password)
    const line = await this.#line(socket)
    if (line !== '+OK') throw new RestartError(`Auth failed: ${line}`)
  }

  async #checkName(socket: MasterSocket): Promise<void> {
    this.#enter('checking-name')
    socket.send('_db_name')
    const line = await this.#line(socket)
    if (line === LOADING_LINE) throw new RestartError('The master was restoring the db, retry later')
    if (line.startsWith('-')) throw new RestartError(`Failed to get the db name, ${line}`)
    const local = this.#parts.config.values['db-name']
    if (Buffer.from(line, 'latin1').compare(Buffer.from(local)) !== 0) {
      throw new RestartError(`Mismatched the db name, local: ${local}, remote: ${line}`)
    }
  }

  async #announce(socket: MasterSocket): Promise<void> {
    this.#enter('announcing')
    const { config, listeningPort, log } = this.#parts
    for (;;) {
      const address = this.#announcesAddress ? config.values['replica-announce-ip'] : ''
      const port = config.values['replica-announce-port'] || listeningPort()
      const words = ['replconf', 'listening-port', String(port)]
      socket.send(...words, ...(address === '' ? [] : ['ip-address', address]))
      const line = await this.#line(socket)
      if (line === LOADING_LINE) throw new RestartError('The master was restoring the db, retry later')
      if (line === `-${errors.REPLCONF_OPTION.text}` && this.#announcesAddress) {
        this.#announcesAddress = false
        log.warning("The old version master, can't handle ip-address, try without it again")
        continue
      }
      if (line !== '+OK') log.warning(`[replication] Failed to replconf: ${line.slice(1)}`)
      return
    }
  }

  /** True if the master sends changes from now on. */
  async #ask(socket: MasterSocket): Promise<boolean> {
    this.#enter('asking')
    const { store, config, log } = this.#parts
    for (;;) {
      const next = store.latestSequence() + 1
      const id = config.values['use-rsid-psync'] && this.#usesIds ? currentId(store) : undefined
      log.info(`[replication] Try to use psync, next seq: ${next}, replication id: ${id ?? 'none'}`)
      if (id === undefined) socket.send('PSYNC', String(next))
      else socket.send('PSYNC', id, String(next))
      this.#usesIds = true
      const line = await this.#line(socket)
      if (line === '+OK') return true
      if (line === LOADING_LINE) throw new RestartError('The master was restoring the db, retry later')
      if (line === `-${errors.REPLCONF_ARITY.text}` && id !== undefined) {
        this.#usesIds = false
        log.warning("The old version master, can't handle new PSYNC, try old PSYNC again")
        continue
      }
      this.#lastError = `the master refuses to go on from sequence ${next}: ${line}`
      log.info(`[replication] Failed to psync, error: ${line}, switch to fullsync`)
      return false
    }
  }

  async #line(socket: MasterSocket): Promise<string> {
    const line = await socket.line(SILENCE_MS_MAX)
    this.#lastIoMs = this.#parts.nowMs()
    return line
  }

  /** Applies what comes until the connection ends. */
  async #applyAll(socket: MasterSocket): Promise<void> {
    const { nowMs } = this.#parts
    while (!this.#isStopped) {
      const untilMs = performance.now() + APPLY_MS
      let mustAcknowledge = false
      let hasNews = false
      for (let bulk = socket.takeBulk(); bulk !== undefined; bulk = socket.takeBulk()) {
        hasNews = true
        if (bulk.length === PING.length && bulk.latin1Slice(0) === PING) continue
        if (bulk.length === ACK_REQUEST.length && bulk.latin1Slice(0) === ACK_REQUEST) mustAcknowledge = true
        else this.#apply(bulk)
        if (performance.now() > untilMs) break
      }
      if (hasNews) {
        this.#lastIoMs = nowMs()
        this.#acknowledge(socket, mustAcknowledge)
        await nextTurn()
      } else {
        await socket.more(SILENCE_MS_MAX)
      }
    }
  }

  #apply(batch: Bytes): void {
    const { store, config, apply } = this.#parts
    const { values } = config
    const sequence = batch.length >= 8 ? batchSequence(batch) : 0
    const expected = store.latestSequence() + 1
    // A writable replica has numbers of its own. Batches that only fill a gap of numbers carry none.
    if (sequence !== 0 && sequence !== expected && values['slave-read-only']) {
      throw new RestartError(`the master has sent sequence ${sequence} where ${expected} was expected`)
    }
    let flags = writeFlags(values)
    if (values['replication-group-sync']) flags &= ~WRITE_SYNC
    if (!values['replication-no-slowdown']) flags &= ~WRITE_NO_SLOWDOWN
    try {
      apply(batch, flags)
    } catch (error) {
      if (!(error instanceof BatchFormatError)) throw error
      throw new RestartError(`the master has sent what is no write batch: ${error.message}`)
    }
  }

  /** Tells the master how far this replica is, at most once a second unless asked to. */
  #acknowledge(socket: MasterSocket, isAsked: boolean): void {
    const { store, config, nowMs } = this.#parts
    const now = nowMs()
    // A clock that was set back must not silence it.
    if (!isAsked && Math.abs(now - this.#acknowledgedAtMs) < ACK_MS) return
    // A master of an old version reads nothing of this.
    if (socket.outputBytes > ACK_BYTES_MAX) return
    this.#acknowledgedAtMs = now
    const sequence = store.latestSequence()
    const send = (): void => socket.send('replconf', 'ack', String(sequence))
    if (!config.values['replication-group-sync'] || (writeFlags(config.values) & WRITE_SYNC) === 0) {
      send()
      return
    }
    if (this.#waitsForSync && !isAsked) return
    this.#waitsForSync = true
    store.rocks
      .syncWal()
      .then(send, (error: unknown) => this.#parts.log.error(`[replication] Failed to sync WAL before ack: ${error}`))
      .finally(() => {
        this.#waitsForSync = false
      })
  }

  /** Replaces the database by a copy of the master's. */
  async #copyAll(): Promise<void> {
    const { config, log, store, host, port } = this.#parts
    const { values } = config
    this.#socket?.close()
    await this.#backOff()
    if (this.#isStopped) return
    this.#enter('fetching-names')
    log.info('[replication] Start syncing data with fullsync')
    const sync = new FullSync({
      directory: config.paths.syncCheckpoint,
      sendsBackups: values['master-use-repl-port'],
      source: `${host}:${port}`,
      log,
      connect: () => this.#connect(),
      listTimeoutMs: LIST_MS_MAX,
      receiveTimeoutMs: values['replication-recv-timeout-ms'],
      fileDelayMs: values['fullsync-recv-file-delay'] * 1000,
    })
    this.#fullSync = sync
    const isDropped = values['slave-empty-db-before-fullsync']
    try {
      const files = await sync.list()
      if (isDropped) await this.#parts.drop()
      this.#enter('fetching-files')
      await sync.fetch(files)
      if (this.#isStopped) throw new LinkError('the link is being ended')
      this.#fullSyncs++
    } catch (error) {
      if (isDropped && !store.rocks.isOpen) await this.#parts.reload()
      throw error
    } finally {
      this.#fullSync = undefined
    }
    await this.#load(sync)
  }

  async #load(sync: FullSync): Promise<void> {
    const { config, log, load } = this.#parts
    this.#enter('loading')
    log.info('[replication] Succeeded fetching files in parallel, restoring the backup')
    try {
      await load(config.paths.syncCheckpoint)
    } catch (error) {
      throw new RestartError(`Failed to restore backup while ${(error as Error).message}, restart fullsync`)
    } finally {
      await sync.discard()
    }
    log.info('[replication] Succeeded restoring the backup, fullsync was finish')
  }

  #enter(state: LinkState): void {
    if (this.#state === state) return
    this.#state = state
    this.#parts.onState(state)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
