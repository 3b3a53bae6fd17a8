/** The open database: its column families, the turn that gathers writes, one Database view per namespace. */

import type { Bytes } from '../bytes/bytes.js'
import type { RocksDBError } from '../rocksdb/errors.js'
import type { RocksDBOptions } from '../rocksdb/open-options.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import type { Snapshot } from '../rocksdb/snapshot.js'
import { CF_METADATA } from './column-family.js'
import { CursorTable } from './cursor-table.js'
import { Database, type KeyspaceStats } from './database.js'
import { prefixEnd } from './keys.js'
import { CommitError, Turn } from './turn.js'
import { WalReader } from './wal-reader.js'
import type { WalRetention } from './wal-retention.js'

export interface StoreOptions {
  /** Keys carry their cluster slot. */
  readonly slotEncoded: boolean
  /** Flags of each write, as RocksDB.write takes them. */
  readonly writeFlags: number
  readonly stats: KeyspaceStats
  readonly retention: WalRetention
}

export class Store {
  readonly rocks: RocksDB
  readonly turn: Turn
  readonly wal: WalReader
  readonly retention: WalRetention
  readonly slotEncoded: boolean
  /** Why RocksDB refuses writes, since its last commit failed; undefined = it takes them. */
  writeFailure: string | undefined
  readonly #stats: KeyspaceStats
  readonly #cursors = new CursorTable()
  readonly #databases = new Map<string, Database>()
  #sequenceAtClose = 0

  constructor(rocks: RocksDB, options: StoreOptions) {
    this.rocks = rocks
    this.slotEncoded = options.slotEncoded
    this.turn = new Turn(rocks, options.writeFlags, options.slotEncoded)
    this.retention = options.retention
    this.wal = new WalReader(rocks, () => this.retention.logFiles())
    this.#stats = options.stats
  }

  /** The view of `namespace`. */
  database(namespace: Bytes): Database {
    const name = namespace.latin1Slice(0)
    let database = this.#databases.get(name)
    if (database === undefined) {
      database = new Database(this.turn, Buffer.from(namespace), this.slotEncoded, this.#stats, this.#cursors)
      this.#databases.set(name, database)
    }
    return database
  }

  /** The keys of `namespace` as they were at `snapshot`, at the time `nowMs`. Nothing may be written through it. */
  databaseAt(snapshot: Snapshot, namespace: Bytes, nowMs: number): Database {
    const turn = new Turn(this.rocks, 0, this.slotEncoded, snapshot.id)
    turn.nowMs = nowMs
    return new Database(turn, Buffer.from(namespace), this.slotEncoded, { hits: 0, misses: 0 }, this.#cursors)
  }

  /** The sequence number of the last record written; while the database is closed, what it was then. */
  latestSequence(): number {
    if (!this.rocks.isOpen) return this.#sequenceAtClose
    this.#finishFlight()
    return this.rocks.latestSequence()
  }

  /** Waits for a commit under way; if it fails, whoever ends the turn tells the clients. */
  #finishFlight(): void {
    try {
      this.turn.finish()
    } catch (error) {
      if (!(error instanceof CommitError)) throw error
    }
  }

  /** Deletes all keys of all namespaces, in a batch of its own; nothing is written if there are none. */
  flushAll(): void {
    this.turn.touched.notePrefix('')
    using cursor = this.turn.scan(CF_METADATA, { lower: Buffer.alloc(0), upper: undefined, values: false })
    if (!cursor.next()) return
    const begin = Buffer.from(cursor.key)
    using reverse = this.turn.scan(CF_METADATA, {
      lower: Buffer.alloc(0),
      upper: undefined,
      values: false,
      reverse: true,
    })
    reverse.next()
    const end = prefixEnd(reverse.key)
    if (end === undefined) throw new RangeError('a metadata key is not all 0xff')
    this.turn.deleteRange(CF_METADATA, begin, end)
  }

  /** Commits the turn. Returns false if RocksDB refused it: then nothing of it is stored, and `writeFailure` says why. */
  commit(): boolean {
    try {
      this.turn.commitAtEnd()
      return true
    } catch (error) {
      if (!(error instanceof CommitError)) throw error
      this.writeFailure = error.cause.message
      return false
    }
  }

  /** Asks RocksDB to take writes again after a failure that may have passed. True if it does. */
  async recover(): Promise<boolean> {
    if (this.writeFailure === undefined) return true
    try {
      await this.rocks.resume()
      this.writeFailure = undefined
      return true
    } catch (error) {
      const { code, message } = error as RocksDBError
      // While it recovers by itself it says no more than that it is busy.
      if (code !== 'Busy') this.writeFailure = message
      return false
    }
  }

  /** Closes the database when its work in the background has ended, which it hastens. */
  async close(): Promise<void> {
    this.wal.close()
    await this.retention.settled()
    this.#finishFlight()
    this.turn.discard()
    if (!this.rocks.isOpen) return
    this.#sequenceAtClose = this.rocks.latestSequence()
    this.rocks.setListener(undefined)
    await this.rocks.closeWhenIdle()
  }

  /** After close(): goes on with the database that stands at `path` now. Throws RocksDBError. */
  reopen(path: string, options: RocksDBOptions): void {
    this.rocks.reopen(path, options)
    this.retention.databaseReplaced()
    this.turn.discard()
    this.writeFailure = undefined
  }
}
