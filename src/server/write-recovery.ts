/** After a commit that RocksDB refused: asks it to take writes again, until it does. */

import { statfsSync } from 'node:fs'
import type { Log } from '../log/log.js'
import type { Store } from '../storage/store.js'

const LOOK_MS = 1000
/** An attempt writes out the memtables. Where no space was freed it fails as the one before, so it is made seldom. */
const SAME_SPACE_MS = 60_000

export class WriteRecovery {
  readonly #store: Store
  readonly #databasePath: string
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined
  #isAttempting = false
  #attemptedAtMs = Number.NEGATIVE_INFINITY
  /** What was left on the disk after the last attempt. */
  #freeBytes = 0

  constructor(store: Store, databasePath: string, log: Log) {
    this.#store = store
    this.#databasePath = databasePath
    this.#log = log
  }

  /** RocksDB has refused a commit. */
  begin(reason: string): void {
    if (this.#timer !== undefined) return
    this.#log.error(`RocksDB refused a commit, so writes are refused until it takes them again: ${reason}`)
    this.#freeBytes = this.#free()
    this.#attemptedAtMs = Number.NEGATIVE_INFINITY
    this.#timer = setInterval(() => void this.#look(), LOOK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #look(): Promise<void> {
    const isDue = performance.now() - this.#attemptedAtMs >= SAME_SPACE_MS
    if (this.#isAttempting || !(isDue || this.#free() > this.#freeBytes)) return
    this.#isAttempting = true
    const reasonBefore = this.#store.writeFailure
    const recovered = await this.#store.recover()
    this.#isAttempting = false
    this.#attemptedAtMs = performance.now()
    this.#freeBytes = this.#free()
    if (this.#timer === undefined) return
    if (recovered) {
      this.stop()
      this.#log.info('RocksDB takes writes again')
    } else if (this.#store.writeFailure !== reasonBefore) {
      this.#log.error(`RocksDB does not take writes yet: ${this.#store.writeFailure}`)
    }
  }

  /** 0 where that cannot be told, as while the disk is not there at all. */
  #free(): number {
    try {
      const { bavail, bsize } = statfsSync(this.#databasePath)
      return bavail * bsize
    } catch {
      return 0
    }
  }
}
