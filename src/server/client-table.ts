/** The connections of the server, by id, and what is done to several of them at once. */

import type { Client } from '../commands/client.js'
import type { Clients } from '../commands/server-view.js'
import type { Connection } from './connection.js'
import type { Server } from './server.js'

/** The longest delay that a timer of Node takes. */
const TIMER_MS_MAX = 2 ** 31 - 1

export class ClientTable implements Clients {
  readonly #server: Server
  readonly #connections = new Map<number, Connection>()
  #nextId = 1
  #pausedUntilMs = 0
  #pauseMode: 'all' | 'write' = 'all'
  #pauseTimer: NodeJS.Timeout | undefined
  readonly #held = new Set<Connection>()
  /** Background work that waits for the end of a pause. */
  readonly #waiting: (() => void)[] = []
  #frozen = 0
  #failoverPause: 'write' | 'all' | undefined
  readonly #thaws = new Map<NodeJS.Timeout, () => void>()

  constructor(server: Server) {
    this.#server = server
  }

  newId(): number {
    return this.#nextId++
  }

  add(connection: Connection): void {
    this.#connections.set(connection.id, connection)
  }

  remove(connection: Connection): void {
    this.#connections.delete(connection.id)
    this.#held.delete(connection)
  }

  all(): Iterable<Connection> {
    return this.#connections.values()
  }

  byId(id: number): Connection | undefined {
    return this.#connections.get(id)
  }

  get count(): number {
    return this.#connections.size
  }

  get blockingKeys(): { all: number; untilGone: number } {
    return this.#server.blocking.countKeys()
  }

  get blockedCount(): number {
    return this.#server.blocking.count + this.#held.size
  }

  get monitorCount(): number {
    return this.#server.monitors.count
  }

  pause(untilMs: number, mode: 'all' | 'write'): void {
    // A longer or stricter pause in force is not weakened. Source: redis src/networking.c, pauseActions.
    const isActive = this.#pausedUntilMs > this.#server.nowMs()
    this.#pausedUntilMs = isActive ? Math.max(this.#pausedUntilMs, untilMs) : untilMs
    this.#pauseMode = isActive && this.#pauseMode === 'all' ? 'all' : mode
    clearTimeout(this.#pauseTimer)
    const leftMs = Math.min(Math.max(0, this.#pausedUntilMs - this.#server.nowMs()), TIMER_MS_MAX)
    this.#pauseTimer = setTimeout(() => this.unpause(), leftMs)
  }

  unpause(): void {
    this.#pausedUntilMs = 0
    clearTimeout(this.#pauseTimer)
    this.#resumeHeld()
  }

  freeze(ms: number): Promise<void> {
    this.#frozen++
    return new Promise((resolve) => {
      const thaw = (): void => {
        this.#thaws.delete(timer)
        this.#frozen--
        resolve()
        this.#resumeHeld()
      }
      const timer = setTimeout(thaw, Math.min(ms, TIMER_MS_MAX))
      this.#thaws.set(timer, thaw)
    })
  }

  /** Has clients wait while a failover is under way: those that write, or all. Undefined: they go on. */
  pauseForFailover(who: 'write' | 'all' | undefined): void {
    this.#failoverPause = who
    if (who !== 'all') this.#resumeHeld()
  }

  /** True if a command that writes, or does not, has to wait now; one that controls clients waits for no CLIENT PAUSE. */
  isPausedFor(writes: boolean, isControl = false): boolean {
    return (
      this.#frozen > 0 ||
      this.#failoverPause === 'all' ||
      (this.#failoverPause === 'write' && writes) ||
      (this.#pausedUntilMs !== 0 && !isControl && (writes || this.#pauseMode === 'all'))
    )
  }

  /** The connection's request waits for the end of the pause. */
  hold(connection: Connection): void {
    this.#held.add(connection)
  }

  pauseEnded(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  unblock(client: Client, how: 'timeout' | 'error'): boolean {
    return this.#server.blocking.unblock(client as Connection, how)
  }

  monitor(client: Client): void {
    this.#server.monitors.add(client as Connection)
  }

  reset(client: Client): void {
    const connection = client as Connection
    this.#server.transactions.discard(connection)
    this.#server.monitors.remove(connection)
    this.#server.leaveChannels(connection)
    this.#server.tracking.disable(connection)
    connection.name = ''
    connection.database = 0
    connection.replyMode = 'on'
    connection.protocol = 2
    connection.noEvict = false
    connection.noTouch = false
    connection.isAsking = false
    connection.isReadOnlyReplica = false
    this.#server.admit(connection)
  }

  /** Ends timers, and closes all connections at once. */
  close(): void {
    clearTimeout(this.#pauseTimer)
    for (const timer of this.#thaws.keys()) clearTimeout(timer)
    for (const connection of this.#connections.values()) connection.kill()
  }

  #resumeHeld(): void {
    const held = [...this.#held]
    this.#held.clear()
    for (const connection of held) this.#server.resumeHeld(connection)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
