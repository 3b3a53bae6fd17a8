/** What the server counts. Rates are means over 16 samples of 100 ms. Source: kvrocks src/stats/stats.cc. */

import type { RateName, ServerStats } from '../commands/server-view.js'
import type { ReplyError } from '../protocol/errors.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'

const SAMPLES = 16
const ERROR_CODES_MAX = 128

const RATE_NAMES: readonly RateName[] = ['ops', 'inputBytes', 'outputBytes', 'puts', 'gets', 'seeks', 'nexts', 'prevs']

/** What RocksDB has done since it was opened. */
export type StorageTotals = Readonly<Record<Exclude<RateName, 'ops' | 'inputBytes' | 'outputBytes'>, number>>

export function storageTotals(rocks: RocksDB): StorageTotals {
  const ticker = (name: string): number => rocks.ticker(`rocksdb.${name}`) ?? 0
  return {
    puts: ticker('number.keys.written'),
    gets: ticker('number.keys.read') + ticker('number.multiget.keys.read'),
    seeks: ticker('number.db.seek'),
    nexts: ticker('number.db.next'),
    prevs: ticker('number.db.prev'),
  }
}

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
  fullSyncs = 0
  partialSyncs = 0
  partialSyncsRefused = 0
  readonly limitCloses = { query: 0, output: 0 }
  readonly keyspace = { hits: 0, misses: 0 }
  readonly instantaneous = { ops: 0, inputBytes: 0, outputBytes: 0, puts: 0, gets: 0, seeks: 0, nexts: 0, prevs: 0 }
  readonly errors = new Map<string, number>()
  readonly #rates: Readonly<Record<RateName, Rate>> = {
    ops: newRate(),
    inputBytes: newRate(),
    outputBytes: newRate(),
    puts: newRate(),
    gets: newRate(),
    seeks: newRate(),
    nexts: newRate(),
    prevs: newRate(),
  }
  #sampledAtMs = 0
  #at = 0

  countError(error: ReplyError): void {
    const space = error.text.indexOf(' ')
    const code = space === -1 ? error.text : error.text.slice(0, space)
    const count = this.errors.get(code)
    if (count !== undefined || this.errors.size < ERROR_CODES_MAX) this.errors.set(code, (count ?? 0) + 1)
  }

  /** Takes a sample; called every 100 ms. `storage` are RocksDB's totals. */
  sample(nowMs: number, storage: StorageTotals): void {
    const elapsedMs = nowMs - this.#sampledAtMs
    this.#sampledAtMs = nowMs
    if (elapsedMs <= 0) return
    const totals: Readonly<Record<RateName, number>> = {
      ...storage,
      ops: this.commandsProcessed,
      inputBytes: this.netInputBytes,
      outputBytes: this.netOutputBytes,
    }
    for (const name of RATE_NAMES) this.instantaneous[name] = this.#rate(this.#rates[name], totals[name], elapsedMs)
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
    this.fullSyncs = 0
    this.partialSyncs = 0
    this.partialSyncsRefused = 0
    this.limitCloses.query = 0
    this.limitCloses.output = 0
    for (const name of ['ops', 'inputBytes', 'outputBytes'] as const) this.#rates[name].last = 0
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
