/**
 * Brings the keys that commands change to those who care: to clients that cache them after each command, to transactions
 * that watch them and to clients that wait for them after each command that stands alone.
 */

import type { Turn } from '../storage/turn.js'
import type { Blocking } from './blocking.js'
import type { Connection } from './connection.js'
import type { TrackingTable } from './tracking/tracking.js'
import type { TransactionTable } from './transactions.js'

export interface KeyObservers {
  readonly tracking: TrackingTable
  readonly transactions: TransactionTable
  readonly blocking: Blocking
}

export class ChangedKeys {
  readonly #turn: Turn
  readonly #observers: KeyObservers
  /** What trackers were told of, and the others not yet. */
  readonly #nsKeys = new Set<string>()
  readonly #prefixes: string[] = []

  constructor(turn: Turn, observers: KeyObservers) {
    this.#turn = turn
    this.#observers = observers
    turn.touched.concerns = (nsKey) => this.#concerns(nsKey)
  }

  /** True if somebody wants to know. */
  get areObserved(): boolean {
    const { tracking, transactions, blocking } = this.#observers
    return tracking.isActive || blocking.isWaitedForKeys || transactions.isWatching
  }

  #concerns(nsKey: string): boolean {
    const { tracking, transactions, blocking } = this.#observers
    return tracking.concerns(nsKey) || transactions.isWatched(nsKey) || blocking.isWaitedFor(nsKey)
  }

  /** A command of `author`, or a waiting client's new attempt, has ended, perhaps inside a transaction or a script. */
  tellTrackers(author: Connection | undefined): void {
    const { tracking } = this.#observers
    const { touched } = this.#turn
    if (!tracking.isActive || touched.isEmpty) return
    tracking.invalidate(touched.keys, author)
    for (const prefix of touched.prefixes) tracking.invalidateAll(prefix)
    this.#take()
  }

  /** A command of `author` has ended that stands alone: also wakes those who wait. */
  tellAll(author: Connection | undefined): void {
    const { transactions, blocking } = this.#observers
    for (;;) {
      this.tellTrackers(author)
      this.#take()
      if (this.#nsKeys.size === 0 && this.#prefixes.length === 0) return
      const nsKeys = [...this.#nsKeys]
      this.#nsKeys.clear()
      const prefixes = this.#prefixes.splice(0)
      for (const prefix of prefixes) transactions.touchAll(prefix)
      transactions.touch(nsKeys)
      for (const prefix of prefixes) blocking.wakePrefix(prefix)
      blocking.wake(nsKeys)
    }
  }

  /** Keeps what was touched for those who wait and watch, if there are any. */
  #take(): void {
    const { touched } = this.#turn
    if (touched.isEmpty) return
    const { transactions, blocking } = this.#observers
    if (blocking.isWaitedForKeys || transactions.isWatching) {
      for (const nsKey of touched.keys) this.#nsKeys.add(nsKey)
      this.#prefixes.push(...touched.prefixes)
    }
    touched.clear()
  }
}
