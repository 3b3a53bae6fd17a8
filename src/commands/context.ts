/**
 * What commands see. A data command gets a Context: a database view with its clock, the reply, the configuration values
 * and the key events. Commands about the server get a ServerContext. Both are the same object, kept per connection; a
 * command takes what it names and keeps nothing after it returned.
 */

import type { Bytes } from '../bytes/bytes.js'
import type { Config } from '../config/config.js'
import type { ConfigValues } from '../config/options.js'
import type { Args } from '../protocol/args.js'
import type { Reply } from '../protocol/reply.js'
import type { Database } from '../storage/database.js'
import type { DataType } from '../storage/metadata.js'
import type { Store } from '../storage/store.js'
import type { Client } from './client.js'
import type { KeyEvents } from './key-events.js'
import type { ServerView } from './server-view.js'

export interface Context {
  readonly db: Database
  readonly reply: Reply
  /** Values of the configuration by option name. */
  readonly config: ConfigValues
  /** Keyspace notifications. */
  readonly events: KeyEvents
  /** Suspends the client until a key that it waits for is written; see BlockRequest. */
  block(request: BlockRequest): void
  /** Sends a reply of unbounded size piece by piece, as the client takes it. */
  stream(source: ReplySource): void
}

export interface ServerContext extends Context {
  readonly client: Client
  readonly server: ServerView
  readonly store: Store
  readonly settings: Config
  /** Inside a transaction or a script: nothing can be deferred. */
  readonly isNested: boolean
  /** Suspends the client until `work` ends, then writes what `answer` writes. A rejection is answered with its error. */
  defer<T>(work: Promise<T>, answer: (reply: Reply, value: T) => void): void
  /** Adds milliseconds to what the command is said to have taken, in the slow log and the statistics. */
  countTime(ms: number): void
}

/**
 * A command that found nothing to do now. After a change of one of `keys` the server calls `attempt` in the order in
 * which clients began to wait, until it returns true, having answered. Inside a transaction or a script nothing waits:
 * an answer is given at once.
 */
export interface BlockRequest {
  readonly keys: readonly Bytes[]
  /** What a changed key must be now for a new attempt; undefined = of any type, or deleted. */
  readonly wants?: DataType
  /** True to try again after each commit, whatever it wrote. */
  readonly afterCommit?: true
  /** True to try again in the rounds in which readers of the change feed are served. */
  readonly inRounds?: true
  /** True if there may be something to answer in the next round, whether or not more is committed. */
  isReady?(): boolean
  /** True if the answer shows what the keys hold and changes nothing: then the client has read them. */
  readonly reads?: true
  /** Milliseconds; 0 = for ever. */
  readonly timeoutMs: number
  /** Tries again, as the command would: true if it has answered. May throw a ReplyError. */
  attempt(context: Context): boolean
  /** Answers that the time is over. */
  expire(reply: Reply): void
  /** Answers where nothing waits, if that is not what `expire` answers. */
  decline?(reply: Reply): void
}

/** A reply that is produced piece by piece. */
export interface ReplySource {
  /** Writes the next piece, of some 16 KiB to 64 KiB. False after the last one. */
  write(reply: Reply): boolean
  /** Frees what the source holds; called once, also when the client has gone. */
  close(): void
}

/** Runs one command on behalf of a script: the words, and the reply that it is to write. */
export type CommandRunner = (args: Args, reply: Reply) => void
