/**
 * A backup back to a database: the checkpoint, and the archived log up to a sequence or a time. Sequences come out as in
 * the original, for batches are applied whole and in order.
 */

import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bytes } from '../bytes/bytes.js'
import { readOperations } from '../cdc/operations.js'
import { RocksDB } from '../rocksdb/rocksdb.js'
import { BatchFormatError, batchSequence, readBatch, WriteBatch } from '../storage/write-batch.js'
import { type ArchivedBatch, type ArchiveEnd, readArchive } from './archive.js'
import {
  archiveOf,
  BackupError,
  type BackupInfo,
  copyCheckpoint,
  databaseOf,
  missingFiles,
  type Progress,
  quietOptions,
  readInfo,
  syncPath,
} from './backup-directory.js'

export interface RestoreOptions {
  readonly from: string
  /** A data directory, as the setting `dir` names it. */
  readonly to: string
  /** The last sequence to be restored, or the last time, in Unix milliseconds. Neither: all that is archived. */
  readonly sequence?: number
  readonly timeMs?: number
  readonly onCopied?: Progress
  /** Told now and then to which sequence the log is applied. */
  readonly onApplied?: (sequence: number) => void
}

export interface Restored {
  /** The latest sequence of the restored database. */
  readonly sequence: number
  /** Of the archived log that was applied. */
  readonly batches: number
  readonly bytes: number
  /** Says where the archive is cut, if it is: nothing of it was needed. */
  readonly cut: string | undefined
}

const TOLD_EVERY = 1000

/** Rejects with BackupError or ArchiveError, and then leaves nothing in the place of the database. */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { from, to } = options
  const info = await checkedInfo(options)
  const target = join(to, 'db')
  if ((await readdir(target).catch(() => [])).length > 0) {
    throw new BackupError(`${target} holds a database already: move it away first`)
  }
  const unfinished = join(to, 'db.restoring')
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(to, { recursive: true })
  try {
    await copyCheckpoint(databaseOf(from), unfinished, false, options.onCopied ?? (() => {}))
    const restored = await applyArchive(unfinished, info, options)
    await rm(target, { recursive: true, force: true })
    await rename(unfinished, target)
    await syncPath(to)
    return restored
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
}

async function checkedInfo({ from, sequence, timeMs }: RestoreOptions): Promise<BackupInfo> {
  const info = await readInfo(from)
  if (info === undefined) throw new BackupError(`${from} holds no backup`)
  const faults = await missingFiles(from, info)
  if (faults.length > 0) throw new BackupError(`the backup is damaged: ${faults.join('; ')}`)
  if (sequence !== undefined && sequence < info.sequence) {
    throw new BackupError(`the backup was made at sequence ${info.sequence}: ${sequence} needs an older one`)
  }
  if (timeMs !== undefined && timeMs < info.madeAtMs) {
    throw new BackupError(`the backup was made at ${info.madeAtMs} ms: ${timeMs} needs an older one`)
  }
  return info
}

async function applyArchive(path: string, info: BackupInfo, options: RestoreOptions): Promise<Restored> {
  const rocks = RocksDB.open(path, quietOptions(info.slotEncoded))
  try {
    // RocksDB drops what follows the first damaged record of its log, and says nothing.
    const found = rocks.latestSequence()
    if (found !== info.sequence) {
      throw new BackupError(`the checkpoint's log is damaged: it reaches sequence ${found} instead of ${info.sequence}`)
    }
    const applier = new Applier(rocks, options.sequence, options.timeMs)
    const end = await applier.run(archiveOf(options.from), options.onApplied ?? (() => {}))
    const reached = rocks.latestSequence()
    if (options.sequence !== undefined && reached < options.sequence) {
      const why = end?.cut === undefined ? '' : ` (${end.cut})`
      throw new BackupError(`the archive ends at sequence ${reached}${why}: ${options.sequence} is not in it`)
    }
    if (options.timeMs === undefined && options.sequence === undefined && end?.cut !== undefined) {
      return { sequence: reached, batches: applier.batches, bytes: applier.bytes, cut: end.cut }
    }
    return { sequence: reached, batches: applier.batches, bytes: applier.bytes, cut: undefined }
  } finally {
    await rocks.flush().catch(() => {})
    await rocks.closeWhenIdle()
  }
}

class Applier {
  batches = 0
  bytes = 0
  readonly #rocks: RocksDB
  readonly #sequence: number
  readonly #timeMs: number

  constructor(rocks: RocksDB, sequence = Number.POSITIVE_INFINITY, timeMs = Number.POSITIVE_INFINITY) {
    this.#rocks = rocks
    this.#sequence = sequence
    this.#timeMs = timeMs
  }

  /** How the archive ends; undefined if it was not read so far. */
  async run(archive: string, onApplied: (sequence: number) => void): Promise<ArchiveEnd | undefined> {
    let next = this.#rocks.latestSequence() + 1
    const batches = readArchive(archive, next)
    for (;;) {
      if (next > this.#sequence) return undefined
      const step = batches.next()
      if (step.done) return step.value
      const batch = step.value
      if (batch.timeMs > this.#timeMs) return undefined
      if (batch.sequence !== next) {
        throw new BackupError(`the archive begins at sequence ${batch.sequence}, and ${next} is missing`)
      }
      next = this.#apply(batch)
      if (this.batches % TOLD_EVERY !== 0) continue
      onApplied(next - 1)
      await nextTurn()
    }
  }

  /** Returns the sequence after what was applied. */
  #apply({ sequence, count, data }: ArchivedBatch): number {
    const wanted = Math.min(count, this.#sequence - sequence + 1)
    const batch = wanted === count ? data : cutBatch(data, wanted)
    if (count > 0) this.#rocks.write(batch, batch.length, 0)
    const latest = this.#rocks.latestSequence()
    if (latest !== sequence + wanted - 1) {
      throw new BackupError(`the database is at sequence ${latest} after a batch that ends at ${sequence + wanted - 1}`)
    }
    this.batches++
    this.bytes += batch.length
    return latest + 1
  }
}

/**
 * The first `count` records of a batch. Throws BackupError if they end inside of one operation: its key would be neither
 * as before it nor as after it.
 */
export function cutBatch(data: Bytes, count: number): Bytes {
  const last = batchSequence(data) + count - 1
  for (const { rows } of readOperations(data).operations) {
    const from = rows[0]?.sequence ?? 0
    const to = rows.at(-1)?.sequence ?? -1
    if (from <= last && last < to) {
      throw new BackupError(
        `sequence ${last} lies within one operation, ${from} to ${to}: restore to ${from - 1} or to ${to}`,
      )
    }
  }
  const cut = new WriteBatch()
  const isOpen = (): boolean => cut.count < count
  try {
    readBatch(data, {
      put: (cf, key, value) => void (isOpen() && cut.put(cf, key, key.length, value)),
      delete: (cf, key) => void (isOpen() && cut.delete(cf, key, key.length)),
      deleteRange: (cf, begin, end) => void (isOpen() && cut.deleteRange(cf, begin, end)),
      logData: (blob) => void (isOpen() && cut.logData(blob)),
    })
  } catch (error) {
    if (!(error instanceof BatchFormatError)) throw error
    throw new BackupError(error.message)
  }
  return Buffer.from(cut.serialize())
}
