/**
 * Finds files with many deleted rows and compacts their range of keys, when compaction-checker-cron says so. The counts
 * are those that the collectors of the binding put into each file. Source: kvrocks src/storage/compaction_checker.cc.
 */

import type { Bytes } from '../bytes/bytes.js'
import type { Config } from '../config/config.js'
import type { Log } from '../log/log.js'
import type { TableProperties } from '../rocksdb/files.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import { COLUMN_FAMILY_NAMES, type ColumnFamily } from '../storage/column-family.js'

/** Of so many files one may be compacted by force in a run. */
const FILES_PER_FORCED = 360
/** Younger files are left alone, in seconds. */
const YOUNG_SECONDS = 3600
const BEST_RATIO_MIN = 0.1

export type CompactRange = (cf: ColumnFamily, begin: Bytes, end: Bytes) => Promise<void>

interface Candidate {
  readonly file: string
  readonly ratio: number
  readonly createdAt: number
  readonly begin: Bytes
  readonly end: Bytes
}

export class CompactionChecker {
  readonly #config: Config
  readonly #rocks: RocksDB
  readonly #log: Log
  readonly #compact: CompactRange

  constructor(config: Config, rocks: RocksDB, log: Log, compact: CompactRange) {
    this.#config = config
    this.#rocks = rocks
    this.#log = log
    this.#compact = compact
  }

  async run(nowMs: number): Promise<void> {
    for (let cf = 0; cf < COLUMN_FAMILY_NAMES.length; cf++) {
      await this.#check(cf as ColumnFamily, Math.floor(nowMs / 1000))
    }
  }

  async #check(cf: ColumnFamily, now: number): Promise<void> {
    const files = await this.#rocks.tableProperties(cf)
    if (files.length <= 1) return
    const { values } = this.#config
    const forcedAge = Number(values['force-compact-file-age'])
    const forcedRatio = values['force-compact-file-min-deleted-percentage'] / 100
    let forcedLeft = Math.max(1, Math.floor(files.length / FILES_PER_FORCED))
    let best: Candidate | undefined
    for (const candidate of files.map(candidateOf)) {
      if (candidate === undefined) continue
      if (forcedLeft === 0) return
      if (candidate.createdAt < now - forcedAge && candidate.ratio >= forcedRatio) {
        await this.#compactFile(cf, candidate, 'force compact policy')
        forcedLeft--
      } else if (candidate.createdAt <= now - YOUNG_SECONDS && candidate.ratio > (best?.ratio ?? BEST_RATIO_MIN)) {
        best = candidate
      }
    }
    if (best !== undefined) await this.#compactFile(cf, best, `delete ratio: ${best.ratio}`)
  }

  async #compactFile(cf: ColumnFamily, { file, begin, end }: Candidate, reason: string): Promise<void> {
    this.#log.info(`[compaction checker] Going to compact the key in file (${reason}): ${file}`)
    await this.#compact(cf, begin, end)
    this.#log.info(`[compaction checker] Compact the key in file (${reason}): ${file} finished`)
  }
}

/** Undefined for a file without the collector's properties. */
function candidateOf({ file, user, fileCreationTime, creationTime }: TableProperties): Candidate | undefined {
  const begin = user['start_key']
  const end = user['stop_key']
  const total = Number(user['total_keys']?.latin1Slice(0))
  const deleted = Number(user['deleted_keys']?.latin1Slice(0))
  if (begin === undefined || end === undefined || begin.length === 0 || end.length === 0 || !(total > 0))
    return undefined
  return { file, ratio: deleted / total, createdAt: fileCreationTime || creationTime, begin, end }
}
