/** Latency events: what took longer than latency-monitor-threshold. Source: redis src/latency.c. */

import type { Latency, LatencyEvent, LatencySample } from '../commands/server-view.js'

/** Samples that are kept of each event. */
const SAMPLES_MAX = 160

interface Series {
  /** Oldest first; one a second, the largest. */
  readonly samples: LatencySample[]
  maxMs: number
}

export class LatencyMonitor implements Latency {
  readonly #series = new Map<string, Series>()
  readonly #thresholdMs: () => number
  readonly #now: () => number

  /** `now` gives Unix milliseconds. */
  constructor(thresholdMs: () => number, now: () => number) {
    this.#thresholdMs = thresholdMs
    this.#now = now
  }

  /** Notes that `event` took `ms`, if that is long enough. */
  record(event: string, ms: number): void {
    const thresholdMs = this.#thresholdMs()
    if (thresholdMs > 0 && ms >= thresholdMs) this.#add(event, Math.round(ms))
  }

  latest(): LatencyEvent[] {
    return [...this.#series].flatMap(([name, { samples, maxMs }]) => {
      const last = samples.at(-1)
      return last === undefined ? [] : [{ name, last, maxMs }]
    })
  }

  history(event: string): readonly LatencySample[] {
    return this.#series.get(event)?.samples ?? []
  }

  reset(events: readonly string[]): number {
    const names = events.length > 0 ? events : [...this.#series.keys()]
    return names.filter((name) => this.#series.delete(name)).length
  }

  #add(event: string, ms: number): void {
    let series = this.#series.get(event)
    if (series === undefined) {
      series = { samples: [], maxMs: 0 }
      this.#series.set(event, series)
    }
    const at = Math.floor(this.#now() / 1000)
    const last = series.samples.at(-1)
    series.maxMs = Math.max(series.maxMs, ms)
    if (last?.at === at) series.samples[series.samples.length - 1] = { at, ms: Math.max(last.ms, ms) }
    else series.samples.push({ at, ms })
    if (series.samples.length > SAMPLES_MAX) series.samples.shift()
  }
}
