/**
 * Replaces the database under the running server. Meanwhile the server is loading: clients keep their connections, and
 * commands that need data are refused. A crash at any point leaves a whole database behind, and nothing beside it that
 * tells of the other one.
 *
 *   db             the database
 *   db.tmp         the one before, until the new one has been opened and all that was known of the old one is given up;
 *                  empty where there was none
 *   db.discarded   one that is being deleted
 *
 * Source: kvrocks src/storage/storage.cc, RestoreFromCheckpoint.
 */

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { OptionError } from '../config/option.js'
import type { Log } from '../log/log.js'
import { LOADING } from '../protocol/errors.js'
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
    const hadOne = existsSync(db)
    rmSync(aside, { recursive: true, force: true })
    await this.#close()
    try {
      if (hadOne) renameSync(db, aside)
      else mkdirSync(aside)
      renameSync(directory, db)
      this.#open()
    } catch (error) {
      if (existsSync(aside)) bringBack(db)
      this.#open()
      if (!hadOne) this.#leaveOld()
      this.#serve()
      throw error
    }
    // The new database is open: whatever fails from here on, its files stay where they are.
    const isLeft = this.#leaveOld()
    this.#serve()
    if (isLeft) await forgetOld(this.#server)
  }

  /** Closes and deletes the database; `load` or `reload` has to follow. */
  async drop(): Promise<void> {
    const { db } = this.#server.config.paths
    await this.#close()
    giveUpPositions(this.#server)
    await this.#server.slots.save()
    await rm(discardedOf(db), { recursive: true, force: true })
    if (existsSync(db)) renameSync(db, discardedOf(db))
    await rm(discardedOf(db), { recursive: true, force: true })
  }

  /** Opens what there is, or an empty database. */
  async reload(): Promise<void> {
    mkdirSync(this.#server.config.paths.db, { recursive: true })
    this.#open()
    this.#leaveOld()
    this.#serve()
  }

  async #close(): Promise<void> {
    const server = this.#server
    if (!server.store.rocks.isOpen) return
    server.coldReads.endAll()
    server.isLoading = true
    server.turns.end()
    server.replication.feeds.disconnectAll()
    await server.replication.feeds.checkpoint.remove()
    // Half of a reply from one database cannot go on with another.
    for (const connection of server.clients.all()) if (connection.source !== undefined) connection.kill()
    server.snapshots.closeAll()
    // Who waits for what comes next would be told of another history, as if it went on.
    server.blocking.unblockFollowers(LOADING)
    server.subscriptions.endAll(LOADING)
    await server.keyCounts.settled()
    server.scripts.forget()
    await server.store.close()
  }

  #open(): void {
    const { store, config } = this.#server
    store.reopen(config.paths.db, rocksdbOptions(config.values))
  }

  /** The open database is another one. False if what is on the disk still tells of the one before: a start will end that. */
  #leaveOld(): boolean {
    try {
      giveUpPositions(this.#server)
      return true
    } catch (error) {
      this.#server.log.error(`[storage] positions in the database before are not given up: ${(error as Error).message}`)
      return false
    }
  }

  /** Goes on for clients with the database that is open. */
  #serve(): void {
    const server = this.#server
    const { store } = server
    store.rocks.setListener((event) => server.storageEvents.take(event))
    server.isLoading = false
    // What was known of the keys of the old one holds no longer.
    store.turn.nowMs = server.nowMs()
    server.transactions.touchEverything()
    server.tracking.invalidateEverything()
    this.#loadNamespaces()
    server.blocking.wakeAll()
    server.checkSize()
  }

  /** A database with namespaces that the configuration does not take is served without them. */
  #loadNamespaces(): void {
    const { namespaces, log } = this.#server
    try {
      namespaces.load()
    } catch (error) {
      if (!(error instanceof OptionError)) throw error
      log.error(`[replication] Failed to load namespaces: ${error.reply}`)
    }
  }
}

/**
 * Positions in the feed of the database before mean nothing in this one. Throws where that cannot be brought to the disk;
 * it is so in memory all the same.
 */
function giveUpPositions({ slots, history, sequenceTimes }: Server): void {
  slots.databaseReplaced()
  try {
    sequenceTimes.clear()
  } finally {
    history.replace()
  }
}

/** Deletes the database before, once nothing on the disk tells of it any more. */
async function forgetOld({ slots, config, log }: Server): Promise<void> {
  try {
    await slots.save()
    await rm(asideOf(config.paths.db), { recursive: true, force: true })
  } catch (error) {
    log.error(`[storage] the database before stays at ${asideOf(config.paths.db)}: ${(error as Error).message}`)
  }
}

function asideOf(db: string): string {
  return `${db}.tmp`
}

function discardedOf(db: string): string {
  return `${db}.discarded`
}

/** Puts the database before in its place again. */
function bringBack(db: string): void {
  rmSync(discardedOf(db), { recursive: true, force: true })
  if (existsSync(db)) renameSync(db, discardedOf(db))
  renameSync(asideOf(db), db)
  rmSync(discardedOf(db), { recursive: true, force: true })
}

/**
 * Opens the database at the start. If a swap was cut off that is the new one, with `isOther`, where it is in place and can
 * be opened, and else the old one.
 */
export function openAfterSwap<Opened>(
  db: string,
  log: Log,
  open: () => Opened,
): { readonly opened: Opened; readonly isOther: boolean } {
  rmSync(discardedOf(db), { recursive: true, force: true })
  const isCutOff = existsSync(asideOf(db))
  if (isCutOff && existsSync(join(db, 'CURRENT'))) {
    try {
      return { opened: open(), isOther: true }
    } catch (error) {
      log.warning(
        `[storage] the copy of a full sync cannot be opened, so the database before is: ${(error as Error).message}`,
      )
    }
  }
  if (isCutOff) bringBack(db)
  return { opened: open(), isOther: false }
}

/** Ends a swap that was cut off after the new database was in place. */
export function finishSwap(server: Server): void {
  giveUpPositions(server)
  void forgetOld(server)
}
