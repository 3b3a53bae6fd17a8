/**
 * The checkpoint that replicas download, in `<dir>/checkpoint`: hard links to the files of one moment. Replicas that come
 * soon after each other share it, so that many of them cost one. Source: kvrocks src/storage/storage.cc,
 * ReplDataManager::GetFullReplDataInfo; src/server/server.cc, cron.
 */

import { readdir, rm } from 'node:fs/promises'
import type { Config } from '../config/config.js'
import type { Log } from '../log/log.js'
import { holdLimits } from '../storage/open-store.js'
import type { Store } from '../storage/store.js'
import type { HoldLimits, WalHold } from '../storage/wal-retention.js'

const MIB = 1024 * 1024
const SHARED_SECONDS_MIN = 600
const SHARED_SECONDS_MAX = 3600
const IDLE_MS_MAX = 30_000
const AGE_MS_MAX = 24 * 3_600_000

interface Checkpoint {
  readonly createdAtMs: number
  /** All up to this sequence is in it. */
  readonly sequence: number
  usedAtMs: number
  /** Keeps what those who download it will ask for next. */
  readonly hold: WalHold
}

export interface CheckpointParts {
  readonly store: Store
  readonly config: Config
  readonly log: Log
  /** Unix milliseconds. */
  readonly nowMs: () => number
}

export class SharedCheckpoint {
  readonly #parts: CheckpointParts
  #current: Checkpoint | undefined
  #readers = 0
  /** Steps on the directory, one after the other. */
  #queue: Promise<void> = Promise.resolve()

  constructor(parts: CheckpointParts) {
    this.#parts = parts
  }

  get directory(): string {
    return this.#parts.config.paths.checkpoint
  }

  /** Number of replicas that read it now. */
  get readers(): number {
    return this.#readers
  }

  get exists(): boolean {
    return this.#current !== undefined
  }

  /** Up to which sequence the log must reach back for the replicas that download it; undefined if there is none. */
  get sequence(): number | undefined {
    return this.#current?.sequence
  }

  /** The names of its files; it is made first if there is none that is recent enough. Rejects if that fails. */
  files(): Promise<string[]> {
    return this.#inQueue(async () => {
      if (!this.#isUsable() && this.#readers === 0) await this.#remove()
      if (this.#current === undefined) await this.#create()
      else if (!this.#isUsable()) throw new Error('the present checkpoint is too old, and replicas still read it')
      else this.#parts.log.info('[storage] Using current existing checkpoint')
      this.touch()
      return await readdir(this.directory)
    })
  }

  /** It is in use until the matching `release`. */
  acquire(): void {
    this.#readers++
    this.touch()
  }

  release(): void {
    this.#readers--
    this.touch()
  }

  touch(): void {
    if (this.#current !== undefined) this.#current.usedAtMs = this.#parts.nowMs()
  }

  /** Removes it when nobody has used it for a while; called by the clock. */
  async expire(): Promise<void> {
    const nowMs = this.#parts.nowMs()
    const { current, readers } = { current: this.#current, readers: this.#readers }
    if (current === undefined) return
    const isIdle = readers === 0 && nowMs - current.usedAtMs > IDLE_MS_MAX
    if (isIdle || nowMs - current.createdAtMs > AGE_MS_MAX) await this.remove()
  }

  /** Removes what is there, also what an earlier process has left. */
  remove(): Promise<void> {
    return this.#inQueue(() => this.#remove())
  }

  async #remove(): Promise<void> {
    this.#current?.hold.release()
    this.#current = undefined
    await rm(this.directory, { recursive: true, force: true })
  }

  async #create(): Promise<void> {
    const { store, config, log, nowMs } = this.#parts
    await this.#remove()
    const { sequence } = await store.rocks.checkpoint(this.directory, config.values['rocksdb.write_buffer_size'] * MIB)
    const limits = (): HoldLimits => holdLimits(config.values)
    const hold = store.retention.hold({ name: 'the checkpoint of replicas', sequence, limits })
    this.#current = { createdAtMs: nowMs(), sequence, usedAtMs: nowMs(), hold }
    log.info(`[storage] Create checkpoint successfully, sequence: ${sequence}`)
  }

  /** A replica that loads it must find the changes since in the log, or it would have to begin again. */
  #isUsable(): boolean {
    const { store, config, nowMs } = this.#parts
    const current = this.#current
    if (current === undefined) return false
    const half = config.values['rocksdb.wal_ttl_seconds'] / 2
    const sharedSeconds = Math.min(Math.max(half, SHARED_SECONDS_MIN), SHARED_SECONDS_MAX)
    if (nowMs() - current.createdAtMs > sharedSeconds * 1000) return false
    return current.sequence >= store.latestSequence() || current.sequence + 1 >= store.wal.range(nowMs()).oldest
  }

  #inQueue<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(step)
    this.#queue = done.then(
      () => {},
      () => {},
    )
    return done
  }
}
