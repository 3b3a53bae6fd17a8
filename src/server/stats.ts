/** What the server counts. Rates are means over 16 samples of 100 ms. Source: kvrocks src/stats/stats.cc. */

import type { ServerStats } from '../commands/server-view.js'
import type { ReplyError } from '../protocol/errors.js'

const SAMPLES = 16
const ERROR_CODES_MAX = 128

interface Rate {
  last: number
  readonly samples: number[]
}

export class Stats implements ServerStats {
  connectionsReceived = 0
  rejectedConnections = 0
  commandsProcessed = 0
  netInputBytes = 0
  netOutputBytes = 0
  readonly keyspace = { hits: 0, misses: 0 }
  readonly instantaneous = { ops: 0, inputBytes: 0, outputBytes: 0 }
  readonly errors = new Map<string, number>()
  readonly #rates = { ops: newRate(), inputBytes: newRate(), outputBytes: newRate() }
  #sampledAtMs = 0
  #at = 0

  countError(error: ReplyError): void {
    const space = error.text.indexOf(' ')
    const code = space === -1 ? error.text : error.text.slice(0, space)
    const count = this.errors.get(code)
    if (count !== undefined || this.errors.size < ERROR_CODES_MAX) this.errors.set(code, (count ?? 0) + 1)
  }

  /** Takes a sample; called every 100 ms. */
  sample(nowMs: number): void {
    const elapsedMs = nowMs - this.#sampledAtMs
    this.#sampledAtMs = nowMs
    if (elapsedMs <= 0) return
    this.instantaneous.ops = this.#rate(this.#rates.ops, this.commandsProcessed, elapsedMs)
    this.instantaneous.inputBytes = this.#rate(this.#rates.inputBytes, this.netInputBytes, elapsedMs)
    this.instantaneous.outputBytes = this.#rate(this.#rates.outputBytes, this.netOutputBytes, elapsedMs)
    this.#at = (this.#at + 1) % SAMPLES
  }

  /** For CONFIG RESETSTAT. */
  reset(): void {
    this.connectionsReceived = 0
    this.rejectedConnections = 0
    this.commandsProcessed = 0
    this.netInputBytes = 0
    this.netOutputBytes = 0
    this.keyspace.hits = 0
    this.keyspace.misses = 0
    this.errors.clear()
    for (const rate of Object.values(this.#rates)) rate.last = 0
  }

  #rate(rate: Rate, total: number, elapsedMs: number): number {
    rate.samples[this.#at] = ((total - rate.last) * 1000) / elapsedMs
    rate.last = total
    return Math.floor(rate.samples.reduce((sum, sample) => sum + sample, 0) / SAMPLES)
  }
}

function newRate(): Rate {
  return { last: 0, samples: new Array(SAMPLES).fill(0) }
}
