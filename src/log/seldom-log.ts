/** What may come again with every request or every tenth of a second is told once a minute. */

import type { Log } from './log.js'

const AGAIN_MS = 60_000

interface Told {
  readonly what: string
  readonly atMs: number
}

export class SeldomLog {
  readonly #log: Log
  readonly #nowMs: () => number
  readonly #told = new Map<string, Told>()

  constructor(log: Log, nowMs: () => number) {
    this.#log = log
    this.#nowMs = nowMs
  }

  /** Logs `text`, unless it was the last of `source` and less than a minute has passed since. */
  error(source: string, text: string): void {
    if (this.#isDue(source, text)) this.#log.error(text)
  }

  /** Logs `text`, unless `source` has warned less than a minute ago, whatever it said. */
  warning(source: string, text: string): void {
    if (this.#isDue(source, 'a warning')) this.#log.warning(text)
  }

  /** `source` is well again: what it says next is told. */
  forget(source: string): void {
    this.#told.delete(source)
  }

  #isDue(source: string, what: string): boolean {
    const told = this.#told.get(source)
    const atMs = this.#nowMs()
    if (told?.what === what && atMs - told.atMs < AGAIN_MS) return false
    this.#told.set(source, { what, atMs })
    return true
  }
}
