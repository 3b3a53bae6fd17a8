/** How far a long work is: a bar that is drawn over again on a terminal, a line now and then elsewhere. */

export interface ProgressTarget {
  write(text: string): unknown
  readonly isTTY?: boolean
}

const DRAWN_EVERY_MS = 100
const LINE_EVERY_MS = 2000
const BAR_CELLS = 30
const ERASE = '\r\x1b[K'
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export class ProgressLine {
  readonly #target: ProgressTarget
  readonly #startMs = performance.now()
  #shownAtMs = Number.NEGATIVE_INFINITY
  #isDrawn = false

  constructor(target: ProgressTarget) {
    this.#target = target
  }

  /** Seconds since it began. */
  get seconds(): number {
    return Math.max(0.001, (performance.now() - this.#startMs) / 1000)
  }

  /** Shows `text`, and a bar where `share` says how much is done, 0 to 1. Most calls show nothing: it is cheap. */
  show(text: () => string, share?: number): void {
    const isTerminal = this.#target.isTTY === true
    const nowMs = performance.now()
    if (nowMs - this.#shownAtMs < (isTerminal ? DRAWN_EVERY_MS : LINE_EVERY_MS)) return
    this.#shownAtMs = nowMs
    if (!isTerminal) {
      this.#target.write(`${text()}${share === undefined ? '' : `, ${Math.floor(share * 100)} %`}\n`)
      return
    }
    this.#isDrawn = true
    this.#target.write(`${ERASE}${share === undefined ? '' : `${bar(share)} `}${text()}`)
  }

  /** Ends the bar, and writes a line that stays. */
  say(text: string): void {
    this.#target.write(`${this.#isDrawn ? ERASE : ''}${text}\n`)
    this.#isDrawn = false
  }
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR_CELLS)
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}]`
}

/** `12.3 MiB`. */
export function sizeText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`
}
