/** RocksDB's counters of sampled commands. Source: kvrocks src/server/redis_connection.cc, recordProfilingSampleIfNeed. */

import type { BoundCommand } from '../commands/command-table.js'
import type { PerfEntry } from '../commands/server-view.js'
import type { Config } from '../config/config.js'
import { sampledCommands } from '../config/derived.js'
import { PERF_DISABLE, PERF_ENABLE_TIME_EXCEPT_FOR_MUTEX } from '../rocksdb/perf-level.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import { BoundedLog } from './command-log.js'

export class Perflog extends BoundedLog<PerfEntry> {
  readonly #config: Config
  readonly #rocks: RocksDB
  readonly #now: () => number
  #sampled: ReadonlySet<string> | 'all'
  /** profiling-sample-ratio, percent: asked at every command. */
  #ratio: number

  /** `now` gives Unix milliseconds. */
  constructor(config: Config, rocks: RocksDB, now: () => number) {
    super(() => config.values['profiling-sample-record-max-len'])
    this.#config = config
    this.#rocks = rocks
    this.#now = now
    this.#sampled = sampledCommands(config.values)
    this.#ratio = config.values['profiling-sample-ratio']
    config.onChange('profiling-sample-ratio', (values) => {
      this.#ratio = values['profiling-sample-ratio']
    })
    config.onChange('profiling-sample-commands', (values) => {
      this.#sampled = sampledCommands(values)
    })
  }

  /** Decides whether this call is sampled, and then begins to measure. */
  begin(command: BoundCommand): boolean {
    const ratio = this.#ratio
    if (ratio === 0 || (this.#sampled !== 'all' && !this.#sampled.has(command.name))) return false
    if (ratio < 100 && Math.random() * 100 >= ratio) return false
    this.#rocks.setPerfLevel(PERF_ENABLE_TIME_EXCEPT_FOR_MUTEX)
    return true
  }

  /** Measures no longer: the call has done nothing, and will come again. */
  abandon(): void {
    this.#rocks.setPerfLevel(PERF_DISABLE)
  }

  /** Notes the call if it took long enough. What RocksDB did is empty for writes that wait for the turn's commit. */
  end(command: BoundCommand, us: number): void {
    const perfContext = this.#rocks.perfContext()
    const ioStats = this.#rocks.ioStats()
    this.#rocks.setPerfLevel(PERF_DISABLE)
    const thresholdMs = this.#config.values['profiling-sample-record-threshold-ms']
    if (us / 1000 < thresholdMs) return
    const at = Math.floor(this.#now() / 1000)
    this.add((id) => ({ id, at, commandName: command.name, us: Math.round(us), perfContext, ioStats }))
  }
}
