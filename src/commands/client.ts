/** What commands see of a connection. */

import type { Bytes } from '../bytes/bytes.js'
import type { Protocol } from '../protocol/reply.js'
import type { Subscriber, SubscriptionKind } from '../pubsub/channels.js'
import type { Peer } from '../replication/peer.js'

/** `skip-next`: the reply of the command after this one is skipped; `skip`: that of this one. */
export type ReplyMode = 'on' | 'off' | 'skip-next' | 'skip'

export interface Client extends Subscriber, Peer {
  readonly id: number
  /** `ip:port`, or `path:0` of a unix socket. */
  readonly address: string
  /** The server's end of the connection, in the same form. */
  readonly localAddress: string
  /** Unix milliseconds. */
  readonly connectedAtMs: number
  /** Unix milliseconds. */
  lastCommandAtMs: number
  /** Name of the last command, lower case, for CLIENT LIST. */
  lastCommand: string
  name: string
  libraryName: string
  libraryVersion: string
  /** Undefined until the client has authenticated, where that is needed. */
  readonly namespace: Bytes | undefined
  /** Holds requirepass, or none is set. */
  readonly isAdmin: boolean
  /** The number that SELECT chose; 0 unless redis-databases is used. */
  database: number
  protocol: Protocol
  replyMode: ReplyMode
  noEvict: boolean
  noTouch: boolean
  /** Bytes of requests that have arrived and are not executed. */
  readonly queryBytes: number
  /** Bytes of replies that the client has not taken. */
  readonly outputBytes: number
  /** Letters of CLIENT LIST. */
  readonly flags: string
  /** Number of channels, patterns and shard channels subscribed to. */
  readonly subscriptionCounts: Record<SubscriptionKind, number>
  /** 1 while CDC SUBSCRIBE is in force. */
  feedSubscriptions: number
  /** The slot of that subscription. */
  feedSlot: string | undefined
  /** The client that is told of keys that this one tracks: an id, 0 = itself; -1 = it tracks none. */
  readonly trackingRedirect: number
  /** It has answers whose writes are not committed yet. */
  readonly awaitsCommit: boolean
  /** Commands queued by MULTI; -1 outside. */
  readonly queuedCommands: number
  readonly isBlocked: boolean
  /** Class for CLIENT KILL TYPE and the output limits. */
  readonly kind: 'normal' | 'pubsub' | 'replica' | 'master'
  /** Becomes a user of `namespace`. */
  authenticate(namespace: Bytes, isAdmin: boolean): void
  /** Goes to the namespace of database `index`, keeping its rights. */
  selectDatabase(index: number): void
  /** Runs `act`, and then selects again what was selected before. */
  keepDatabase<T>(act: () => T): T
  /** Closes the connection after the replies that are already written. */
  closeAfterReply(): void
  /** Closes it as soon as the running command has ended. */
  kill(): void
}
