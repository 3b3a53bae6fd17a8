/**
 * How long the write-ahead log is kept, decided here alone. Of the files that RocksDB needs no longer stay
 *
 *   - those that rocksdb.wal_ttl_seconds and rocksdb.wal_size_limit_mb keep, as in Kvrocks: the newest ones;
 *   - older ones that a holder (a slot of the change feed, a replica) has yet to read, until it goes past its own limits,
 *     or all together pass wal-retention-max-bytes, or the disk has less left than wal-retention-min-free-bytes.
 *
 * A holder that goes past its limits loses its place, is told so, and it is logged; others are unharmed. Under the common
 * limits those that are farthest behind lose first, and only where that frees a file.
 *
 * RocksDB is opened so that it removes none of these files itself. Kvrocks, opened on the same directory, applies its own
 * two settings and knows no holders.
 */

import { statfsSync } from 'node:fs'
import type { Log } from '../log/log.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import { type ArchivedWal, bytesAfter, type LoggedFile, WalArchive } from './wal-archive.js'

/** Of one holder. Infinity = no limit. */
export interface HoldLimits {
  /** Of archived files that it has not read to their end. */
  readonly bytesMax: number
  /** Since the last write to the oldest such file. */
  readonly ageMsMax: number
}

/** For all. Infinity = no limit. */
export interface RetentionPolicy {
  /** Files that were written to since are kept; 0 keeps none. */
  readonly ttlMs: number
  /** The newest files of so many bytes are kept; 0 keeps none. */
  readonly sizeBytesMax: number
  /** Of all archived files together, above which holders lose their place. */
  readonly heldBytesMax: number
  /** Free space on the disk, below which they do. */
  readonly freeBytesMin: number
}

export type LossReason = 'bytes' | 'age' | 'total' | 'disk' | 'missing'

/** Continues `…: `. */
export const LOSS_TEXTS: Readonly<Record<LossReason, string>> = {
  bytes: 'it held back more bytes of the log than it may',
  age: 'it held back older changes than it may',
  total: 'the log reached wal-retention-max-bytes',
  disk: 'the disk had less than wal-retention-min-free-bytes left',
  missing: 'its files of the log are gone',
}

export interface HoldLoss {
  readonly reason: LossReason
  /** The first sequence that it had not read. */
  readonly sequence: number
}

/** Somebody's place in the log. */
export interface WalHold {
  /** The last sequence that it has read. */
  readonly sequence: number
  /** Read at each look, so that it follows the configuration. */
  readonly limits: () => HoldLimits
  /** Once it is lost it holds nothing. */
  readonly loss: HoldLoss | undefined
  /** What it holds back alone or with others, and what it would be lost for: bytes of archived files. */
  readonly heldBytes: number
  /** Never goes back: a lower sequence does nothing. */
  advance(sequence: number): void
  /** Holds nothing any more; may be called again. */
  release(): void
}

export interface HoldOptions {
  /** For the log: `slot orders`, `replica 10.0.0.2:6666`. */
  readonly name: string
  /** The last sequence that the holder has; the next one must still be there. */
  readonly sequence: number
  readonly limits: () => HoldLimits
  /** Called once, from prune(). */
  readonly onLost?: (loss: HoldLoss) => void
}

interface RetentionParts {
  readonly rocks: RocksDB
  /** The directory of the database. */
  readonly databasePath: string
  readonly policy: () => RetentionPolicy
  readonly log: Log
}

export class WalRetention {
  readonly #rocks: RocksDB
  readonly #archive: WalArchive
  readonly #databasePath: string
  readonly #policy: () => RetentionPolicy
  readonly #log: Log
  readonly #holds = new Set<Hold>()
  /** Told the oldest sequence that may still be needed, after files were removed. */
  readonly pruneListeners = new Set<(oldestSequence: number) => void>()

  constructor({ rocks, databasePath, policy, log }: RetentionParts) {
    this.#rocks = rocks
    this.#archive = new WalArchive(rocks, databasePath)
    this.#databasePath = databasePath
    this.#policy = policy
    this.#log = log
  }

  /** Slots and replicas that hold the log at present. */
  get holderCount(): number {
    return this.#holds.size
  }

  /** Keeps what follows `sequence` from now on. */
  hold(options: HoldOptions): WalHold {
    const hold = new Hold(
      options,
      (sequence) => heldBytes(this.#archive.files(), sequence),
      () => this.#holds.delete(hold),
    )
    this.#holds.add(hold)
    return hold
  }

  /** Removes files that nobody keeps; called every second, and does nothing while a checkpoint is being made. */
  prune(nowMs: number): void {
    if (this.#rocks.isCheckpointing) return
    const files = this.#archive.files()
    if (files.length === 0) return
    const holds = [...this.#holds].map((hold) => ({ hold, sequence: hold.sequence, limits: hold.limits() }))
    const verdict = judge(files, holds, this.#policy(), nowMs, () => this.#freeBytes())
    for (const [{ hold }, reason] of verdict.lost) this.#lose(hold, reason)
    if (verdict.removed === 0) return
    this.#archive.removeOldest(verdict.removed)
    const oldest = (files[verdict.removed - 1] as ArchivedWal).endSequence + 1
    for (const listener of this.pruneListeners) listener(oldest)
  }

  /** All files of the log that hold anything, oldest first. */
  logFiles(): readonly LoggedFile[] {
    return this.#archive.allFiles()
  }

  /** Answers about how many bytes of the log come after a sequence, live files included. Reads the directory once. */
  lagMeter(): (sequence: number) => number {
    const files = this.logFiles()
    const latest = this.#rocks.latestSequence()
    return (sequence) => bytesAfter(files, sequence, latest)
  }

  /** Another database stands in the place of the one that was known. */
  databaseReplaced(): void {
    this.#archive.forget()
  }

  /** Resolves when the space of removed files is free. */
  settled(): Promise<void> {
    return this.#archive.settled()
  }

  #lose(hold: Hold, reason: LossReason): void {
    const { name, sequence } = hold
    this.#log.warning(`[wal] ${name} has lost its place at sequence ${sequence + 1}: ${LOSS_TEXTS[reason]}`)
    hold.lose({ reason, sequence: sequence + 1 })
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#databasePath)
    return bavail * bsize
  }
}

class Hold implements WalHold {
  readonly name: string
  readonly limits: () => HoldLimits
  loss: HoldLoss | undefined
  sequence: number
  readonly #measure: (sequence: number) => number
  readonly #forget: () => void
  readonly #onLost: ((loss: HoldLoss) => void) | undefined

  constructor(
    { name, sequence, limits, onLost }: HoldOptions,
    measure: (sequence: number) => number,
    forget: () => void,
  ) {
    this.name = name
    this.sequence = sequence
    this.limits = limits
    this.#measure = measure
    this.#forget = forget
    this.#onLost = onLost
  }

  get heldBytes(): number {
    return this.loss === undefined ? this.#measure(this.sequence) : 0
  }

  advance(sequence: number): void {
    this.sequence = Math.max(this.sequence, sequence)
  }

  release(): void {
    this.#forget()
  }

  lose(loss: HoldLoss): void {
    this.loss = loss
    this.#forget()
    this.#onLost?.(loss)
  }
}

/** What a holder wants. */
export interface Demand {
  readonly sequence: number
  readonly limits: HoldLimits
}

export interface Verdict<Holder extends Demand> {
  /** How many of the oldest files go. */
  readonly removed: number
  readonly lost: ReadonlyMap<Holder, LossReason>
}

/** Which files go, and who loses its place. `files`: oldest first. `freeBytes` is asked only if the answer matters. */
export function judge<Holder extends Demand>(
  files: readonly ArchivedWal[],
  holders: readonly Holder[],
  policy: RetentionPolicy,
  nowMs: number,
  freeBytes: () => number,
): Verdict<Holder> {
  const sizes = sizesFrom(files)
  const sizeFrom = (index: number): number => sizes[index] ?? 0
  const kept = keptByPolicy(files, sizeFrom, policy, nowMs)
  const lost = new Map<Holder, LossReason>()
  let places: { readonly holder: Holder; readonly index: number }[] = []
  for (const holder of holders) {
    const index = firstNeeded(files, holder.sequence + 1)
    const file = files[index]
    if (file === undefined) continue
    if (file.startSequence > holder.sequence + 1) lost.set(holder, 'missing')
    else if (sizeFrom(index) > holder.limits.bytesMax) lost.set(holder, 'bytes')
    else if (nowMs - file.writtenAtMs > holder.limits.ageMsMax) lost.set(holder, 'age')
    else places.push({ holder, index })
  }
  const first = (): number => places.reduce((least, { index }) => Math.min(least, index), kept)
  const dropFirst = (reason: LossReason): void => {
    const least = first()
    for (const { holder, index } of places) if (index === least) lost.set(holder, reason)
    places = places.filter(({ index }) => index !== least)
  }
  while (first() < kept && sizeFrom(first()) > policy.heldBytesMax) dropFirst('total')
  if (first() < kept && policy.freeBytesMin > 0) {
    const free = freeBytes()
    while (first() < kept && free + sizeFrom(0) - sizeFrom(first()) < policy.freeBytesMin) dropFirst('disk')
  }
  return { removed: first(), lost }
}

/** The index of the first file that the policy keeps without any holder. */
function keptByPolicy(
  files: readonly ArchivedWal[],
  sizeFrom: (index: number) => number,
  { ttlMs, sizeBytesMax }: RetentionPolicy,
  nowMs: number,
): number {
  let index = files.length
  for (; index > 0; index--) {
    const { writtenAtMs } = files[index - 1] as ArchivedWal
    if (nowMs - writtenAtMs > ttlMs || sizeFrom(index - 1) > sizeBytesMax) break
  }
  return index
}

/** The index of the file that holds `sequence`, or else of the first one after it; files.length if there is none. */
function firstNeeded(files: readonly ArchivedWal[], sequence: number): number {
  const index = files.findIndex(({ endSequence }) => endSequence >= sequence)
  return index === -1 ? files.length : index
}

function heldBytes(files: readonly ArchivedWal[], sequence: number): number {
  return sizesFrom(files)[firstNeeded(files, sequence + 1)] ?? 0
}

/** Bytes of each file and all newer ones. */
function sizesFrom(files: readonly ArchivedWal[]): number[] {
  const sizes = files.map(({ bytes }) => bytes)
  for (let i = sizes.length - 2; i >= 0; i--) sizes[i] = (sizes[i] as number) + (sizes[i + 1] as number)
  return sizes
}
