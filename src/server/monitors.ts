/** Clients that see every command. A namespace's monitor sees its own; one of the default namespace sees all. */

import { quoteBytes } from '../bytes/quoting.js'
import type { Args } from '../protocol/args.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import type { Connection } from './connection.js'

export class Monitors {
  readonly #connections = new Set<Connection>()
  readonly #push: (connection: Connection, bytes: Buffer) => void

  /** `push` sends bytes that answer no request. */
  constructor(push: (connection: Connection, bytes: Buffer) => void) {
    this.#push = push
  }

  get isActive(): boolean {
    return this.#connections.size > 0
  }

  get count(): number {
    return this.#connections.size
  }

  add(connection: Connection): void {
    connection.isMonitor = true
    this.#connections.add(connection)
  }

  remove(connection: Connection): void {
    connection.isMonitor = false
    this.#connections.delete(connection)
  }

  /** Tells the monitors that `connection`, or a script of it, runs `args`. */
  show(connection: Connection, args: Args, isOfScript: boolean): void {
    const namespace = connection.namespace ?? DEFAULT_NAMESPACE
    const us = Math.floor((performance.timeOrigin + performance.now()) * 1000)
    const time = `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`
    const words = args.rest(0).map((word) => quoteBytes(word))
    const line = Buffer.from(
      `+${time} [${namespace.latin1Slice(0)} ${isOfScript ? 'lua' : connection.address}] ${words.join(' ')}\r\n`,
      'latin1',
    )
    for (const monitor of this.#connections) {
      if (monitor === connection) continue
      if (monitor.namespace?.equals(namespace) || monitor.namespace?.equals(DEFAULT_NAMESPACE)) {
        this.#push(monitor, line)
      }
    }
  }
}
