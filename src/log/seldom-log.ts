/** Errors that may come again with every request or every tenth of a second: each is told once a minute. */

import type { Log } from './log.js'

const AGAIN_MS = 60_000

interface Told {
  readonly text: string
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
    const told = this.#told.get(source)
    const atMs = this.#nowMs()
    if (told?.text === text && atMs - told.atMs < AGAIN_MS) return
    this.#told.set(source, { text, atMs })
    this.#log.error(text)
  }
}
