/** Commands that answer when asynchronous work has ended; meanwhile their client waits and the others go on. */

import type { Log } from '../log/log.js'
import { INTERNAL, ReplyError, utf8Err } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { RocksDBError } from '../rocksdb/errors.js'
import type { Connection } from './connection.js'

export class Deferrals {
  readonly #log: Log
  readonly #resume: (connection: Connection) => void

  constructor(log: Log, resume: (connection: Connection) => void) {
    this.#log = log
    this.#resume = resume
  }

  begin<T>(connection: Connection, work: Promise<T>, answer: (reply: Reply, value: T) => void): void {
    connection.isDeferred = true
    const settle = (write: () => void): void => {
      if (connection.isClosed) return
      connection.isDeferred = false
      const start = connection.reply.length
      write()
      if (connection.isAnswerSilent) connection.reply.truncate(start)
      connection.isAnswerSilent = false
      this.#resume(connection)
    }
    work.then(
      (value) => settle(() => answer(connection.reply, value)),
      (error: unknown) => settle(() => connection.reply.error(this.#toReply(error))),
    )
  }

  #toReply(error: unknown): ReplyError {
    if (error instanceof ReplyError) return error
    if (error instanceof RocksDBError) return utf8Err(error.message)
    this.#log.error(`deferred work failed: ${(error as Error).stack ?? String(error)}`)
    return INTERNAL
  }
}
