/**
 * A turn of the event loop is one commit. Connections whose requests ran join the turn; at its end all writes go to
 * RocksDB at once, and only then do the replies leave. If RocksDB refuses, every reply that was given after the turn's
 * first write becomes an error, for it tells of data that is not there.
 */

import { writeRefused } from '../protocol/errors.js'
import type { Store } from '../storage/store.js'
import type { Connection } from './connection.js'

export interface TurnEvents {
  /** All is committed or refused, and nothing is sent yet. */
  ending(): void
  sent(connection: Connection, bytes: number): void
  refused(reason: string): void
  /** How long a commit took. */
  committed(ms: number): void
}

export class TurnLoop {
  readonly #store: Store
  readonly #events: TurnEvents
  readonly #joined: Connection[] = []
  #isScheduled = false
  readonly #end = (): void => {
    this.#isScheduled = false
    this.end()
  }

  constructor(store: Store, events: TurnEvents) {
    this.#store = store
    this.#events = events
  }

  /** The connection has, or will have in this turn, replies to send. */
  join(connection: Connection): void {
    if (connection.isInTurn) return
    connection.isInTurn = true
    this.#joined.push(connection)
    this.schedule()
  }

  /** The turn will end after the events that have already happened. */
  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#end)
  }

  /** Says whether somebody is interested in the keys that commands write. */
  observe(isWanted: boolean): void {
    const { turn } = this.#store
    if (turn.observing === isWanted) return
    turn.observing = isWanted
    turn.touched.clear()
    turn.touchedPrefixes.length = 0
  }

  /** Called after each command with the length of the reply before it: remembers replies that depend on the commit. */
  note(connection: Connection, replyStart: number): void {
    const { turn } = this.#store
    if (!turn.isDirty || connection.reply.length <= replyStart) return
    if (connection.dirtyEpoch !== turn.epoch) {
      connection.dirtyEpoch = turn.epoch
      connection.unsureFrom = replyStart
      connection.unsureReplies = 0
    }
    connection.unsureReplies++
  }

  /** Commits and sends; also called early, when a turn has gathered much. */
  end(): void {
    this.settle()
    this.#events.ending()
    const joined = this.#joined.splice(0)
    for (const connection of joined) {
      connection.isInTurn = false
      this.#events.sent(connection, connection.send())
    }
  }

  /** Commits what was written so far; its replies are held no longer. */
  settle(): void {
    if (!this.#store.turn.isDirty) return
    const startMs = performance.now()
    if (!this.#store.commit()) this.refuse()
    this.#events.committed(performance.now() - startMs)
  }

  /** A commit inside a command failed: the replies before it are refused like those of a failed turn. */
  refuse(): void {
    const reason = this.#store.writeFailure ?? 'unknown'
    const error = writeRefused(reason)
    for (const connection of this.#joined) {
      if (connection.dirtyEpoch !== this.#store.turn.epoch) continue
      connection.reply.truncate(connection.unsureFrom)
      for (let i = 0; i < connection.unsureReplies; i++) connection.reply.error(error)
    }
    this.#store.turn.epoch++
    this.#events.refused(reason)
  }
}
