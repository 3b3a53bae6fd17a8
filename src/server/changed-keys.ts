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
  }

  /** True if somebody wants to know. */
  get areObserved(): boolean {
    const { tracking, transactions, blocking } = this.#observers
    return tracking.isActive || blocking.isWaitedForKeys || transactions.isWatching
  }

  /** A command of `author`, or a waiting client's new attempt, has ended, perhaps inside a transaction or a script. */
  tellTrackers(author: Connection | undefined): void {
    const { tracking } = this.#observers
    const { touched, touchedPrefixes } = this.#turn
    if (!tracking.isActive || (touched.size === 0 && touchedPrefixes.length === 0)) return
    tracking.invalidate(touched, author)
    for (const prefix of touchedPrefixes) tracking.invalidateAll(prefix)
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
    const { touched, touchedPrefixes } = this.#turn
    if (touched.size === 0 && touchedPrefixes.length === 0) return
    const { transactions, blocking } = this.#observers
    if (blocking.isWaitedForKeys || transactions.isWatching) {
      for (const nsKey of touched) this.#nsKeys.add(nsKey)
      for (const prefix of touchedPrefixes) this.#prefixes.push(prefix)
    }
    touched.clear()
    touchedPrefixes.length = 0
  }
}
