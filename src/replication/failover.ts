/**
 * FAILOVER: this master and one of its replicas change roles without the loss of a write that was acknowledged. Writes
 * wait; when the replica has confirmed all that there is, everything waits for the moment in which the replica becomes
 * master and this server its replica. Waiting clients are then told that this is a replica. From when the replica was told
 * to become master until it says what it is, this server is none: it may take no write.
 * Source: redis src/replication.c, failoverCommand, for options, texts and states; how the replica is told is our own.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../log/log.js'
import * as errors from '../protocol/errors/replication.js'
import type { Store } from '../storage/store.js'
import type { Master } from './master.js'
import { LinkError, MasterSocket, type MasterTarget } from './master-socket.js'
import type { ReplicaFeed } from './replica-feed.js'

interface Address {
  readonly host: string
  readonly port: number
}

export interface FailoverOptions {
  /** Undefined: whichever replica confirms first. */
  readonly target: Address | undefined
  /** Goes on when the time is over. */
  readonly isForced: boolean
  /** 0 = no bound. */
  readonly timeoutMs: number
}

export interface FailoverParts {
  readonly feeds: Master
  readonly store: Store
  readonly log: Log
  /** How to reach a server. */
  readonly targetOf: (address: Address) => MasterTarget
  /** Sent as AUTH; empty = not. */
  readonly password: () => string
  /** Has clients wait: those that write, or all. Undefined: they go on. */
  readonly pause: (who: 'write' | 'all' | undefined) => void
  readonly follow: (host: string, port: number) => void
}

export type FailoverState = 'no-failover' | 'waiting-for-sync' | 'failover-in-progress'

const ANSWER_MS_MAX = 5000
const CHECK_MS = 100
/** A replica that does not say what it is is asked again. */
const ROLE_MS = 1000
/** First lines of the answer to ROLE; a master of Kvrocks that has no replicas answers with two words. */
const MASTER_ROLES: readonly string[] = ['*3', '*2']
const REPLICA_ROLE = '*5'

export class Failover {
  readonly #parts: FailoverParts
  #state: FailoverState = 'no-failover'
  #options: FailoverOptions | undefined
  #timeout: NodeJS.Timeout | undefined
  #check: NodeJS.Timeout | undefined
  /** Ends the dialogue with the replica that is to become master. */
  #dialogue: AbortController | undefined

  constructor(parts: FailoverParts) {
    this.#parts = parts
  }

  get state(): FailoverState {
    return this.#state
  }

  /** Begins; the rest happens in the background. Throws a ReplyError. */
  start(options: FailoverOptions): void {
    const { feeds, log } = this.#parts
    if (this.#state !== 'no-failover') throw errors.FAILOVER_RUNNING
    if (feeds.feeds.length === 0) throw errors.FAILOVER_NO_REPLICAS
    if (options.target !== undefined && this.#candidates(options).length === 0) throw errors.FAILOVER_NOT_A_REPLICA
    log.info('[replication] FAILOVER requested')
    this.#options = options
    this.#state = 'waiting-for-sync'
    this.#parts.pause('write')
    if (options.timeoutMs > 0) this.#timeout = setTimeout(() => this.#timedOut(), options.timeoutMs)
    this.#check = setInterval(() => this.acknowledged(), CHECK_MS)
    this.acknowledged()
  }

  /** Throws a ReplyError if there is nothing to be stopped. */
  abort(): void {
    if (this.#state === 'no-failover') throw errors.NO_FAILOVER
    this.#end('it was aborted')
  }

  /** The server ends. */
  close(): void {
    if (this.#state !== 'no-failover') this.#end('the server ends')
  }

  /** A replica has confirmed more, or there are others than before: looks whether one has all. */
  acknowledged(): void {
    const { store, feeds } = this.#parts
    if (this.#state !== 'waiting-for-sync' || this.#options === undefined) return
    const candidates = this.#candidates(this.#options)
    if (candidates.length === 0) {
      this.#end('the replica has gone')
      return
    }
    if (store.turn.isDirty && !store.turn.isHeld) store.turn.commit()
    const sequence = store.latestSequence()
    const ready = candidates.find((feed) => feed.acknowledged >= sequence)
    if (ready === undefined) feeds.requestAcks(sequence)
    else this.#switch(ready.address)
  }

  #candidates({ target }: FailoverOptions): readonly ReplicaFeed[] {
    const { feeds } = this.#parts.feeds
    if (target === undefined) return feeds
    return feeds.filter(({ address }) => address.host === target.host && address.port === target.port)
  }

  #timedOut(): void {
    if (this.#state !== 'waiting-for-sync') return
    const target = this.#options?.target
    if (this.#options?.isForced && target !== undefined) this.#switch(target)
    else this.#end('no replica has confirmed all in time')
  }

  #switch(address: Address): void {
    const { log, pause } = this.#parts
    this.#state = 'failover-in-progress'
    pause('all')
    log.info(`[replication] FAILOVER: ${address.host}:${address.port} has all, and is to become master`)
    const dialogue = new AbortController()
    this.#dialogue = dialogue
    let failed = 'the replica did not become master'
    this.#promote(address, dialogue.signal)
      .then(() => {
        if (dialogue.signal.aborted) return
        failed = 'the replica is master, and this server does not follow it'
        this.#parts.follow(address.host, address.port)
        this.#end(undefined)
      })
      .catch((error: unknown) => {
        if (!dialogue.signal.aborted) this.#end(`${failed}: ${(error as Error).message}`)
      })
  }

  /** Makes the replica a master. Rejects only where it is none for sure, or where `signal` ends the dialogue. */
  async #promote(address: Address, signal: AbortSignal): Promise<void> {
    const socket = await this.#connect(address, signal)
    socket.send('SLAVEOF', 'NO', 'ONE')
    // The replica may read that at any time, as long as the connection lasts.
    const timer = setTimeout(() => this.#waitForAnswer(address, `none in ${ANSWER_MS_MAX} ms`), ANSWER_MS_MAX)
    try {
      const answer = await socket.line().finally(() => clearTimeout(timer))
      if (answer !== '+OK' && (await this.#isMaster(address, signal)) !== true) throw new Error(answer)
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      signal.throwIfAborted()
      this.#waitForAnswer(address, error.message)
      await this.#confirm(address, signal)
    } finally {
      socket.close()
    }
  }

  /** What the replica is, is not known: reads may go on. */
  #waitForAnswer({ host, port }: Address, reason: string): void {
    this.#parts.log.warning(
      `[replication] FAILOVER: ${host}:${port} was told to become master, and no answer came (${reason}): ` +
        'writes wait until it says what it is, or for FAILOVER ABORT',
    )
    this.#parts.pause('write')
  }

  /** Asks the replica what it is until it says so. Rejects if it is no master. */
  async #confirm(address: Address, signal: AbortSignal): Promise<void> {
    for (;;) {
      const isMaster = await this.#isMaster(address, signal)
      if (isMaster === true) return
      if (isMaster === false) throw new Error('it says that it is a replica')
      await delay(ROLE_MS, undefined, { signal })
    }
  }

  /** Undefined: it does not say. */
  async #isMaster(address: Address, signal: AbortSignal): Promise<boolean | undefined> {
    let role: string
    try {
      const socket = await this.#connect(address, signal)
      try {
        socket.send('ROLE')
        role = await socket.line(ANSWER_MS_MAX)
      } finally {
        socket.close()
      }
    } catch (error) {
      if (!(error instanceof LinkError)) throw error
      return undefined
    }
    if (MASTER_ROLES.includes(role)) return true
    return role === REPLICA_ROLE ? false : undefined
  }

  /** Rejects with a LinkError, also if the password is refused. */
  async #connect(address: Address, signal: AbortSignal): Promise<MasterSocket> {
    const socket = await MasterSocket.connect({ ...this.#parts.targetOf(address), signal })
    try {
      const password = this.#parts.password()
      if (password !== '') {
        socket.send('AUTH', password)
        const line = await socket.line(ANSWER_MS_MAX)
        if (line !== '+OK') throw new LinkError(line)
      }
    } catch (error) {
      socket.close()
      throw error
    }
    return socket
  }

  #end(failure: string | undefined): void {
    const { log, pause } = this.#parts
    clearTimeout(this.#timeout)
    clearInterval(this.#check)
    this.#dialogue?.abort()
    this.#dialogue = undefined
    this.#state = 'no-failover'
    this.#options = undefined
    if (failure === undefined) log.info('[replication] FAILOVER has succeeded')
    else log.warning(`[replication] FAILOVER has failed: ${failure}`)
    pause(undefined)
  }
}
