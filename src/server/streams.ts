/** Replies of unbounded size, produced piece by piece as their clients take them, in turns with all other work. */

import type { ReplySource } from '../commands/context.js'
import type { Log } from '../log/log.js'
import type { Connection } from './connection.js'

export class Streams {
  readonly #log: Log
  readonly #onSent: (connection: Connection, bytes: number) => void
  readonly #resume: (connection: Connection) => void

  constructor(
    log: Log,
    onSent: (connection: Connection, bytes: number) => void,
    resume: (connection: Connection) => void,
  ) {
    this.#log = log
    this.#onSent = onSent
    this.#resume = resume
  }

  /** The client's reply comes from `source`; until its end no other request of the client runs. */
  begin(connection: Connection, source: ReplySource): void {
    connection.source = source
    // After the end of the turn, whose replies come first.
    setImmediate(() => this.pump(connection))
  }

  /** Sends the next piece if the client can take it; called again when its socket has drained. */
  pump(connection: Connection): void {
    const { source } = connection
    if (source === undefined || connection.isClosed) return
    if (connection.isBackedUp || connection.isInTurn) {
      if (connection.isInTurn) setImmediate(() => this.pump(connection))
      return
    }
    let more = false
    try {
      const start = connection.reply.length
      more = source.write(connection.reply)
      if (connection.isAnswerSilent) connection.reply.truncate(start)
    } catch (error) {
      // Half of a reply has left: there is no honest way to go on with this connection.
      this.#log.error(`a reply of ${connection.address} broke off: ${(error as Error).stack ?? String(error)}`)
      this.abandon(connection)
      connection.kill()
      return
    }
    this.#onSent(connection, connection.send())
    if (more) setImmediate(() => this.pump(connection))
    else this.#finish(connection)
  }

  /** The client has gone. */
  abandon(connection: Connection): void {
    const { source } = connection
    connection.source = undefined
    source?.close()
  }

  #finish(connection: Connection): void {
    this.abandon(connection)
    connection.isAnswerSilent = false
    connection.flushPushes()
    this.#resume(connection)
  }
}
