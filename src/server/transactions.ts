/** MULTI, EXEC and WATCH. Source: redis src/multi.c. */

import type { Bytes } from '../bytes/bytes.js'
import type { Client } from '../commands/client.js'
import type { BoundCommand } from '../commands/command-table.js'
import type { Transactions } from '../commands/server-view.js'
import type { Args } from '../protocol/args.js'
import { EXEC_ABORTED } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import type { Database } from '../storage/database.js'
import { exists } from '../types/key.js'
import type { Connection } from './connection.js'

export interface QueuedCommand {
  readonly command: BoundCommand
  readonly args: Args
  readonly options: unknown
}

export interface Transaction {
  readonly queue: QueuedCommand[]
  /** A command was refused while queueing: EXEC will refuse all. */
  isFailed: boolean
}

/** A key that held something when it was watched: if it expires, EXEC does nothing. */
export interface WatchedRow {
  readonly db: Database
  readonly key: Bytes
  readonly nsKey: string
}

/** Runs a queued command as one of `connection`, writing its reply. */
export type RunQueued = (connection: Connection, queued: QueuedCommand) => void

export class TransactionTable implements Transactions {
  readonly #watchers = new Map<string, Set<Connection>>()
  readonly #run: RunQueued

  constructor(run: RunQueued) {
    this.#run = run
  }

  /** True if some client watches some key. */
  get isWatching(): boolean {
    return this.#watchers.size > 0
  }

  isWatched(nsKey: string): boolean {
    return this.#watchers.has(nsKey)
  }

  isOpen(client: Client): boolean {
    return (client as Connection).transaction !== undefined
  }

  begin(client: Client): void {
    ;(client as Connection).transaction = { queue: [], isFailed: false }
  }

  discard(client: Client): void {
    ;(client as Connection).transaction = undefined
    this.unwatch(client)
  }

  execute(client: Client, reply: Reply): void {
    const connection = client as Connection
    const { transaction } = connection
    const watchBroken = connection.watchBroken || connection.watchedRows.some(({ db, key }) => !exists(db, key))
    this.discard(client)
    if (transaction === undefined || transaction.isFailed) throw EXEC_ABORTED
    if (watchBroken) {
      reply.nilArray()
      return
    }
    const { context } = connection
    const { turn } = context.store
    reply.array(transaction.queue.length)
    context.isNested = true
    turn.hold()
    try {
      for (const queued of transaction.queue) this.#run(connection, queued)
    } finally {
      context.isNested = false
      turn.release()
    }
  }

  watch(client: Client, db: Database, keys: readonly Bytes[]): void {
    const connection = client as Connection
    // The commands that follow in the same run are to be noticed.
    db.turn.touched.isObserved = true
    for (const key of keys) {
      const nsKey = db.nsKey(key).latin1Slice(0)
      if (connection.watchedKeys.includes(nsKey)) continue
      connection.watchedKeys.push(nsKey)
      if (exists(db, key)) connection.watchedRows.push({ db, key: Buffer.from(key), nsKey })
      const watchers = this.#watchers.get(nsKey)
      if (watchers === undefined) this.#watchers.set(nsKey, new Set([connection]))
      else watchers.add(connection)
    }
  }

  unwatch(client: Client): void {
    const connection = client as Connection
    for (const nsKey of connection.watchedKeys) {
      const watchers = this.#watchers.get(nsKey)
      watchers?.delete(connection)
      if (watchers?.size === 0) this.#watchers.delete(nsKey)
    }
    connection.watchedKeys = []
    connection.watchedRows = []
    connection.watchBroken = false
  }

  /** Breaks the transactions of those who watch the changed keys. */
  touch(nsKeys: Iterable<string>): void {
    for (const nsKey of nsKeys) {
      for (const connection of this.#watchers.get(nsKey) ?? []) connection.watchBroken = true
    }
  }

  /** Breaks those of all who watch something: the database is another. */
  touchEverything(): void {
    this.touch([...this.#watchers.keys()])
  }

  /**
   * Breaks those of all who watch keys that begin with `prefix`, one character a byte, and held something: all of them
   * were deleted.
   */
  touchAll(prefix: string): void {
    for (const [nsKey, watchers] of this.#watchers) {
      if (!nsKey.startsWith(prefix)) continue
      for (const connection of watchers) {
        if (connection.watchedRows.some((row) => row.nsKey === nsKey)) connection.watchBroken = true
      }
    }
  }
}
