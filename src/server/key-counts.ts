/** DBSIZE SCAN: counts all keys in the background, in turns with all other work, and keeps what it found last. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bytes } from '../bytes/bytes.js'
import { EMPTY } from '../bytes/bytes.js'
import type { KeyCount, KeyCounts } from '../commands/server-view.js'
import { describeError, type Log } from '../log/log.js'
import { SCANNING } from '../protocol/errors.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import { namespacePrefix } from '../storage/keys.js'
import { KeyCounter } from '../types/key-count.js'

const STEP_MS = 2

export class KeyCountTable implements KeyCounts {
  readonly #rocks: RocksDB
  readonly #clock: () => number
  readonly #log: Log
  readonly #byNamespace = new Map<string, KeyCount>()
  readonly #running = new Map<string, Promise<void>>()
  /** One at a time, so that many namespaces take no more of a turn than one. */
  #last = Promise.resolve()
  #isStopped = false

  /** `clock` gives Unix milliseconds. */
  constructor(rocks: RocksDB, clock: () => number, log: Log) {
    this.#rocks = rocks
    this.#clock = clock
    this.#log = log
  }

  latest(namespace: Bytes | undefined): KeyCount | undefined {
    return this.#byNamespace.get(nameOf(namespace))
  }

  scan(namespace: Bytes | undefined): void {
    const name = nameOf(namespace)
    if (this.#running.has(name)) throw SCANNING
    const prefix = namespace === undefined ? EMPTY : namespacePrefix(namespace)
    const scan = this.#last
      .then(() => this.#scan(name, prefix))
      .catch((error: unknown) => this.#log.error(`DBSIZE SCAN failed: ${describeError(error)}`))
      .finally(() => this.#running.delete(name))
    this.#last = scan
    this.#running.set(name, scan)
  }

  /** Ends the scans under way, for a while; what they found is lost. */
  async settled(): Promise<void> {
    await this.stop()
    this.#isStopped = false
  }

  /** Ends the scans under way; what they found is lost. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#running.values())
  }

  async #scan(name: string, prefix: Bytes): Promise<void> {
    const counter = new KeyCounter(this.#rocks, prefix)
    do {
      // What was written before the command is committed by then.
      await nextTurn()
      if (this.#isStopped) return
    } while (!counter.step(this.#clock(), STEP_MS))
    const { keys, expires, expired, ttlMs } = counter
    const averageTtlSeconds = expires === 0 ? 0 : Math.floor(ttlMs / expires / 1000)
    this.#byNamespace.set(name, { keys, expires, expired, averageTtlSeconds, scannedAtMs: this.#clock() })
  }
}

function nameOf(namespace: Bytes | undefined): string {
  return namespace === undefined ? '' : namespace.latin1Slice(0)
}
