/** The context that commands of one connection get; one object a connection, so that running a command allocates none. */

import type { Bytes } from '../bytes/bytes.js'
import type { BlockRequest, ReplySource, ServerContext } from '../commands/context.js'
import type { KeyEvents } from '../commands/key-events.js'
import type { Config } from '../config/config.js'
import type { ConfigValues } from '../config/options.js'
import { err } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import type { Database } from '../storage/database.js'
import type { Store } from '../storage/store.js'
import type { Connection } from './connection.js'
import type { Server } from './server.js'

const NOT_WHOLE = err('the command answers later, so it cannot run inside a transaction or a script')

export class CommandContext implements ServerContext {
  readonly client: Connection
  readonly server: Server
  readonly store: Store
  readonly settings: Config
  readonly config: ConfigValues
  readonly events: KeyEvents
  readonly reply: Reply
  db: Database
  /** Inside a transaction or a script nothing waits, and replies are written whole. */
  isNested = false
  /** Milliseconds that count as the command's although it has returned. */
  addedMs = 0

  constructor(server: Server, client: Connection, reply: Reply) {
    this.server = server
    this.client = client
    this.reply = reply
    this.store = server.store
    this.settings = server.config
    this.config = server.config.values
    this.events = server.keyEvents(client)
    this.db = server.defaultDatabase
  }

  /** From now on commands see the keys of `namespace`. */
  enter(namespace: Bytes): void {
    this.db = this.store.database(namespace)
  }

  block(request: BlockRequest): void {
    if (this.isNested) {
      if (request.decline === undefined) request.expire(this.reply)
      else request.decline(this.reply)
    } else {
      this.server.blocking.add(this.client, request)
      if (request.isReady?.()) this.server.feedRounds.want(this.store.wal.latest)
      // The commands that follow in the same run are to wake it.
      this.store.turn.touched.isObserved = true
    }
  }

  stream(source: ReplySource): void {
    if (!this.isNested) {
      this.server.streams.begin(this.client, source)
      return
    }
    try {
      while (source.write(this.reply)) {}
    } finally {
      source.close()
    }
  }

  defer<T>(work: Promise<T>, answer: (reply: Reply, value: T) => void): void {
    if (this.isNested) {
      work.catch(() => {})
      throw NOT_WHOLE
    }
    this.server.deferrals.begin(this.client, work, answer)
  }

  countTime(ms: number): void {
    this.addedMs += ms
  }
}
