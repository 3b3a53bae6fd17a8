/**
 * Backups, compactions and what else is done to the files while clients are served. Each kind of work runs once at a
 * time. Source: kvrocks src/server/server.cc, AsyncBgSaveDB and AsyncCompactDB; src/storage/storage.cc, CreateBackup.
 */

import { existsSync } from 'node:fs'
import { rename, stat } from 'node:fs/promises'
import type { Bytes } from '../bytes/bytes.js'
import type { Maintenance } from '../commands/server-view.js'
import type { Config } from '../config/config.js'
import { describeError, type Log } from '../log/log.js'
import { err } from '../protocol/errors.js'
import { RocksDBError } from '../rocksdb/errors.js'
import { COLUMN_FAMILY_NAMES, type ColumnFamily } from '../storage/column-family.js'
import { namespacePrefix, prefixEnd } from '../storage/keys.js'
import type { Store } from '../storage/store.js'
import { removeCheckpoint } from './backup-files.js'

const HOUR_MS = 3_600_000
const MIB = 1024 * 1024

const SAVE_RUNNING = err('bgsave in-progress')
const COMPACTION_RUNNING = err('compact in-progress')

export interface MaintenanceParts {
  readonly config: Config
  readonly store: Store
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
}

export class MaintenanceWork implements Maintenance {
  isSaving = false
  isCompacting = false
  lastSaveAtMs: number
  lastSaveSucceeded = true
  lastSaveSeconds = -1
  readonly #config: Config
  readonly #store: Store
  readonly #log: Log
  readonly #now: () => number
  readonly #startedAtMs: number
  readonly #running = new Set<Promise<void>>()
  /** Steps on the backup directory, one after the other. */
  #backupQueue: Promise<void> = Promise.resolve()

  constructor({ config, store, log, now }: MaintenanceParts) {
    this.#config = config
    this.#store = store
    this.#log = log
    this.#now = now
    this.#startedAtMs = now()
    this.lastSaveAtMs = this.#startedAtMs
  }

  save(): void {
    if (this.isSaving) throw SAVE_RUNNING
    this.isSaving = true
    const startMs = this.#now()
    this.#start(
      this.#inBackupQueue(() => this.#backup()).then(
        () => this.#saved(startMs, true),
        (error: unknown) => {
          this.#log.error(`[storage] Failed to create a backup: ${describeError(error)}`)
          this.#saved(startMs, false)
        },
      ),
    )
  }

  compact(namespace: Bytes | undefined): void {
    if (this.isCompacting) throw COMPACTION_RUNNING
    this.isCompacting = true
    const begin = namespace === undefined ? undefined : namespacePrefix(namespace)
    const end = begin === undefined ? undefined : prefixEnd(begin)
    this.#start(
      this.#compactAll(begin, end)
        .catch((error: unknown) => this.#log.error(`compaction failed: ${describeError(error)}`))
        .finally(() => {
          this.isCompacting = false
        }),
    )
  }

  /** Compacts [begin, end] of one family. Resolves also where the server ends meanwhile. */
  async compactRange(cf: ColumnFamily, begin: Bytes | undefined, end: Bytes | undefined): Promise<void> {
    try {
      await this.#store.rocks.compactRange(cf, { begin, end, changeLevel: true, bottommost: 'forceOptimized' })
    } catch (error) {
      if (!(error instanceof RocksDBError) || error.code !== 'Incomplete') throw error
    }
  }

  purgeBackups(): void {
    this.#start(this.#inBackupQueue(() => this.#removeBackup()))
  }

  /** Removes the backup if it is too old or none is to be kept; called by the clock. */
  async expireBackups(): Promise<void> {
    const keepHours = this.#config.values['max-backup-keep-hours']
    const found = await stat(this.#config.values['backup-dir']).catch(() => undefined)
    if (found === undefined) return
    // Whoever starts a server days after it has failed may need what it had saved.
    const sinceMs = Math.max(found.mtimeMs, this.#startedAtMs)
    const isExpired = keepHours > 0 && sinceMs + keepHours * HOUR_MS < this.#now()
    if (this.#config.values['max-backup-to-keep'] > 0 && !isExpired && !this.#needsSpaceForSync()) return
    await this.#inBackupQueue(() => this.#removeBackup())
  }

  /** A copy of the data for replicas, or from the master, takes space that the backup is to make. */
  #needsSpaceForSync(): boolean {
    const { checkpoint, syncCheckpoint } = this.#config.paths
    if (!this.#config.values['purge-backup-on-fullsync']) return false
    return existsSync(checkpoint) || existsSync(syncCheckpoint)
  }

  /** Ends what runs, as soon as it lets itself be ended. */
  async finished(): Promise<void> {
    if (this.#store.rocks.isOpen) this.#store.rocks.cancelCompactions()
    await Promise.all(this.#running)
  }

  async #backup(): Promise<void> {
    const target = this.#config.values['backup-dir']
    const temporary = `${target}.tmp`
    this.#log.info('[storage] Start to create new backup')
    await removeCheckpoint(temporary)
    try {
      await this.#store.rocks.checkpoint(temporary, this.#config.values['rocksdb.write_buffer_size'] * MIB)
      await removeCheckpoint(target)
      await rename(temporary, target)
    } catch (error) {
      await removeCheckpoint(temporary)
      throw error
    }
    this.#log.info('[storage] Success to create new backup')
  }

  async #removeBackup(): Promise<void> {
    const target = this.#config.values['backup-dir']
    await removeCheckpoint(target)
    this.#log.info(`[storage] removed the backup in ${target}`)
  }

  #saved(startMs: number, hasSucceeded: boolean): void {
    this.isSaving = false
    this.lastSaveAtMs = startMs
    this.lastSaveSucceeded = hasSucceeded
    this.lastSaveSeconds = Math.floor((this.#now() - startMs) / 1000)
  }

  async #compactAll(begin: Bytes | undefined, end: Bytes | undefined): Promise<void> {
    for (let cf = 0; cf < COLUMN_FAMILY_NAMES.length; cf++) await this.compactRange(cf as ColumnFamily, begin, end)
  }

  #inBackupQueue(step: () => Promise<void>): Promise<void> {
    const done = this.#backupQueue.then(step)
    this.#backupQueue = done.catch(() => {})
    return done
  }

  #start(work: Promise<void>): void {
    const settled = work
      .catch((error: unknown) => this.#log.error(`maintenance failed: ${describeError(error)}`))
      .finally(() => this.#running.delete(settled))
    this.#running.add(settled)
  }
}
