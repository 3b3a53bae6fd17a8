/**
 * Replaces the database under the running server. Meanwhile the server is loading: clients keep their connections, and
 * commands that need data are refused. A crash at any point leaves a whole database behind: the old one is set aside as
 * `db.tmp` until the new one has been opened. Source: kvrocks src/storage/storage.cc, RestoreFromCheckpoint.
 */

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { rocksdbOptions } from '../storage/open-store.js'
import type { Server } from './server.js'

export class DatabaseSwap {
  readonly #server: Server

  constructor(server: Server) {
    this.#server = server
  }

  /** Puts the files of `directory` in the place of the database. Rejects where they are none, with the old one open. */
  async load(directory: string): Promise<void> {
    const { db } = this.#server.config.paths
    const aside = asideOf(db)
    await this.#close()
    try {
      rmSync(aside, { recursive: true, force: true })
      if (existsSync(db)) renameSync(db, aside)
      renameSync(directory, db)
      this.#open()
    } catch (error) {
      const isKept = existsSync(aside)
      if (isKept) {
        rmSync(db, { recursive: true, force: true })
        renameSync(aside, db)
      }
      mkdirSync(db, { recursive: true })
      this.#open(!isKept)
      throw error
    }
    await rm(aside, { recursive: true, force: true })
  }

  /** Closes and deletes the database; `load` or `reload` has to follow. */
  async drop(): Promise<void> {
    await this.#close()
    await rm(this.#server.config.paths.db, { recursive: true, force: true })
  }

  /** Opens what there is, or an empty database. */
  async reload(): Promise<void> {
    mkdirSync(this.#server.config.paths.db, { recursive: true })
    this.#open()
  }

  async #close(): Promise<void> {
    const server = this.#server
    if (!server.store.rocks.isOpen) return
    server.isLoading = true
    server.turns.end()
    server.replication.feeds.disconnectAll()
    await server.replication.feeds.checkpoint.remove()
    // Half of a reply from one database cannot go on with another.
    for (const connection of server.clients.all()) if (connection.source !== undefined) connection.kill()
    server.snapshots.closeAll()
    server.subscriptions.removeAll()
    await server.keyCounts.settled()
    server.scripts.forget()
    server.store.rocks.setListener(undefined)
    await server.store.close()
  }

  #open(isOther = true): void {
    const server = this.#server
    const { store, config } = server
    store.reopen(config.paths.db, rocksdbOptions(config.values))
    store.rocks.setListener((event) => server.storageEvents.take(event))
    if (isOther) {
      server.slots.databaseReplaced()
      server.history.replace()
      server.sequenceTimes.clear()
    }
    server.isLoading = false
    // What was known of the keys of the old one holds no longer.
    store.turn.nowMs = server.nowMs()
    server.transactions.touchEverything()
    server.tracking.invalidateEverything()
    server.namespaces.load()
    server.blocking.wakeAll()
    server.checkSize()
  }
}

function asideOf(db: string): string {
  return `${db}.tmp`
}

/** Before the database is opened at the start: brings it back if a swap was cut off before the new one was in place. */
export function finishSwap(db: string): void {
  const aside = asideOf(db)
  if (!existsSync(aside)) return
  if (existsSync(`${db}/CURRENT`)) {
    rmSync(aside, { recursive: true, force: true })
    return
  }
  rmSync(db, { recursive: true, force: true })
  renameSync(aside, db)
}
