/**
 * Commands whose rows are not in memory. The thread that runs commands does not wait for the disk: such a command is put
 * aside, other threads fetch the rows into the block cache, and then it runs again, from its beginning, and sees what is
 * there at that time. Meanwhile its connection waits, and all others go on. A connection has one such command at most.
 *
 * A command that finds its rows cold again and again, for they are many or find no room in the cache, reads from the disk.
 */

import type { Args } from '../protocol/args.js'
import type { ColdRead } from '../storage/cold-read.js'
import type { Store } from '../storage/store.js'
import type { Connection } from './connection.js'

/** So often a command may find something cold: a row of metadata, elements, and once more. */
const ATTEMPTS_MAX = 4
/** One that has worked for so long before it missed something is not made to do so again. */
const ATTEMPT_MS_MAX = 1
/** A scan for which too little was fetched gets so many times more. */
const ROWS_GROWTH = 4

export class ColdReads {
  /** Commands that had to wait for the disk since the start. */
  waits = 0
  readonly #store: Store
  readonly #resumeHeld: (connection: Connection) => void
  readonly #waiting = new Set<Connection>()
  #isEnabled = false

  /** `resumeHeld` runs the request that the connection has held back. */
  constructor(store: Store, threads: number, resumeHeld: (connection: Connection) => void) {
    this.#store = store
    this.#resumeHeld = resumeHeld
    this.setThreads(threads)
  }

  /** Commands that wait for the disk now. */
  get waitingCount(): number {
    return this.#waiting.size
  }

  /** How many threads fetch rows; 0 = none, and all commands read from the disk themselves. */
  setThreads(count: number): void {
    this.#isEnabled = count > 0
    if (count > 0) this.#store.rocks.setFetchThreads(count)
  }

  /** True if the next command of the connection may be put aside. */
  mayWait(connection: Connection): boolean {
    return this.#isEnabled && connection.coldAttempts < ATTEMPTS_MAX
  }

  /** Puts the command aside that has missed something after `ms`, and runs it again when that is in memory. */
  wait(connection: Connection, args: Args, { cf, wanted }: ColdRead, ms: number): void {
    this.waits++
    connection.heldRequest = args.copy()
    this.#waiting.add(connection)
    const { rocks } = this.#store
    const done = (): void => this.#end(connection)
    if ('rowsMax' in wanted) {
      rocks.fetchRange(cf, { ...wanted, rowsMax: wanted.rowsMax * ROWS_GROWTH ** connection.coldAttempts }, done)
    } else {
      rocks.fetch(cf, wanted, done)
    }
    connection.coldAttempts = ms > ATTEMPT_MS_MAX ? ATTEMPTS_MAX : connection.coldAttempts + 1
  }

  /** The connection is gone. */
  remove(connection: Connection): void {
    this.#waiting.delete(connection)
  }

  /** Nobody waits any longer: the database is about to be closed. */
  endAll(): void {
    for (const connection of this.#waiting) {
      connection.coldAttempts = ATTEMPTS_MAX
      this.#end(connection)
    }
  }

  #end(connection: Connection): void {
    if (this.#waiting.delete(connection)) this.#resumeHeld(connection)
  }
}
