/** Tells how far a copy has come: a bar that is drawn over itself on a terminal, else a line now and then. */

import type { Writable } from 'node:stream'
import type { FeedPage } from '../../cdc-client/feed-reader.js'

const BAR_CHARS = 24
const TERMINAL_MS = 200
const LINE_MS = 1000

export interface ProgressOptions {
  readonly output: Writable
  readonly isTerminal: boolean
  /** Keys of the source when the copy began, if they are known. */
  readonly keys: number | undefined
  readonly now: () => number
}

export class Progress {
  readonly #options: ProgressOptions
  readonly #startMs: number
  #toldAtMs: number
  #copied = 0
  /** Keys that began in the snapshot so far. */
  #keys = 0
  #copiedThen = 0

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#startMs = options.now()
    this.#toldAtMs = this.#startMs
  }

  get copied(): number {
    return this.#copied
  }

  /** A page has arrived with so many changes. */
  add(page: FeedPage, changes: number): void {
    this.#copied += changes
    if (page.isSnapshot) for (const text of page.texts) if (text.includes('"fresh":true')) this.#keys++
    const { now, isTerminal } = this.#options
    const elapsedMs = now() - this.#toldAtMs
    if (elapsedMs < (isTerminal ? TERMINAL_MS : LINE_MS)) return
    this.#tell(this.#line(page, elapsedMs))
    this.#toldAtMs = now()
    this.#copiedThen = this.#copied
  }

  /** The last word. */
  end(): void {
    if (this.#options.isTerminal) this.#options.output.write('\r\x1b[K')
    this.#options.output.write(`${this.#copied} changes copied\n`)
  }

  #line(page: FeedPage, elapsedMs: number): string {
    const rate = Math.round(((this.#copied - this.#copiedThen) * 1000) / elapsedMs)
    const { sequence } = page.position
    if (page.isSnapshot) return `snapshot: ${this.#share()}${this.#copied} copied, ${rate}/s`
    const behind = Math.max(0, page.latest - sequence)
    const lag = behind === 0 ? 'none' : `${behind} sequences${rate > 0 ? `, ${duration(behind / rate)} to go` : ''}`
    return `changes: ${this.#copied} copied, ${rate}/s, at sequence ${sequence}, lag ${lag}`
  }

  /** How much of the keys has been read, and how long the rest takes. */
  #share(): string {
    const { keys, isTerminal, now } = this.#options
    if (keys === undefined || keys === 0) return ''
    const share = Math.min(1, this.#keys / keys)
    const restSeconds = share === 0 ? undefined : ((now() - this.#startMs) * (1 - share)) / share / 1000
    const filled = Math.round(share * BAR_CHARS)
    const bar = isTerminal ? `[${'#'.repeat(filled)}${'.'.repeat(BAR_CHARS - filled)}] ` : ''
    const rest = restSeconds === undefined ? '' : `, ${duration(restSeconds)} to go`
    return `${bar}${Math.floor(share * 100)} % of ${keys} keys${rest}, `
  }

  #tell(line: string): void {
    const { output, isTerminal } = this.#options
    output.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`)
  }
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
