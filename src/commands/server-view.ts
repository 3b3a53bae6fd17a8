/** What commands see of the server. The server implements it; commands do not know how. */

import type { Bytes } from '../bytes/bytes.js'
import type { SequenceTimes } from '../cdc/sequence-times.js'
import type { Slots } from '../cdc/slots.js'
import type { Snapshots } from '../cdc/snapshots.js'
import type { Subscriptions } from '../cdc/subscriptions.js'
import type { Log } from '../log/log.js'
import type { Args } from '../protocol/args.js'
import type { Reply } from '../protocol/reply.js'
import type { Channels } from '../pubsub/channels.js'
import type { Replication } from '../replication/replication.js'
import type { ScriptRules, Scripts } from '../scripting/scripts.js'
import type { Database } from '../storage/database.js'
import type { History } from '../storage/history.js'
import type { Client } from './client.js'
import type { CommandTable } from './command-table.js'
import type { WriteState } from './writable.js'

export type RateName = 'ops' | 'inputBytes' | 'outputBytes' | 'puts' | 'gets' | 'seeks' | 'nexts' | 'prevs'

/** What INFO stats shows; counted since the start or the last CONFIG RESETSTAT. */
export interface ServerStats {
  connectionsReceived: number
  rejectedConnections: number
  commandsProcessed: number
  netInputBytes: number
  netOutputBytes: number
  fullSyncs: number
  partialSyncs: number
  partialSyncsRefused: number
  /** Connections closed since they exceeded client-query-buffer-limit or client-output-buffer-limit. */
  readonly limitCloses: { query: number; output: number }
  readonly keyspace: { hits: number; misses: number }
  /** Per second, over the last samples. */
  readonly instantaneous: Readonly<Record<RateName, number>>
  /** Replies by error code, e.g. `WRONGTYPE`. */
  readonly errors: Map<string, number>
}

export interface Clients {
  /** In order of their ids. */
  all(): Iterable<Client>
  byId(id: number): Client | undefined
  readonly count: number
  readonly blockedCount: number
  /** Keys that clients wait for, and those of them whose end is also waited for. */
  readonly blockingKeys: { readonly all: number; readonly untilGone: number }
  readonly monitorCount: number
  /** Refuses to run commands (all, or those that write) until `untilMs`. */
  pause(untilMs: number, mode: 'all' | 'write'): void
  unpause(): void
  /** True if commands that write, or those that do not, have to wait now. */
  isPausedFor(writes: boolean): boolean
  /** Resolves when a pause ends, of whichever kind; another one may have begun by then. */
  pauseEnded(): Promise<void>
  /** Lets all clients wait; resolves after `ms`. */
  freeze(ms: number): Promise<void>
  /** Ends the wait of a blocked client, as by its timeout or by an error. False if it does not wait. */
  unblock(client: Client, how: 'timeout' | 'error'): boolean
  /** Shows all commands to `client` from now on. */
  monitor(client: Client): void
  /** The client's name, subscriptions, transaction, watches, modes: all as after connecting. */
  reset(client: Client): void
}

export interface Transactions {
  isOpen(client: Client): boolean
  begin(client: Client): void
  /** Forgets queue and watches. */
  discard(client: Client): void
  /** Runs the queue and writes its replies. Throws EXECABORT. */
  execute(client: Client, reply: Reply): void
  watch(client: Client, db: Database, keys: readonly Bytes[]): void
  unwatch(client: Client): void
}

/** How a client tracks keys. */
export interface TrackingMode {
  /** The id of the client that is told instead of it. */
  readonly redirect: number | undefined
  /** Told of all changes of keys with its prefixes, whatever it has read. */
  readonly isBroadcast: boolean
  /** Reads are remembered only after CLIENT CACHING YES. */
  readonly isOptIn: boolean
  /** Reads are not remembered after CLIENT CACHING NO. */
  readonly isOptOut: boolean
  /** Not told of its own changes. */
  readonly isNoLoop: boolean
}

export interface TrackingInfo {
  readonly flags: readonly string[]
  /** As CLIENT GETREDIR answers it: 0 = to the client itself, -1 = tracking is off. */
  readonly redirect: number
  /** One character a byte. */
  readonly prefixes: readonly string[]
}

/** Client side caching. */
export interface Tracking {
  /** Clients that track keys, keys that are remembered, their readers, and prefixes that are broadcast. */
  readonly clientCount: number
  readonly keyCount: number
  readonly itemCount: number
  readonly prefixCount: number
  /** Prefixes are those of broadcasting, one character a byte. Throws a ReplyError if they or the mode do not fit what is. */
  enable(client: Client, mode: TrackingMode, prefixes: readonly string[]): void
  disable(client: Client): void
  /** CLIENT CACHING: what is read by the next command or transaction is remembered, or is not. Throws a ReplyError. */
  allowCaching(client: Client, isAllowed: boolean): void
  describe(client: Client): TrackingInfo
}

/** What a password opens. */
export interface Access {
  readonly namespace: Bytes
  readonly isAdmin: boolean
}

export interface Namespaces {
  /** False while requirepass is empty: then everybody is the administrator. */
  readonly needsPassword: boolean
  /** Undefined if the password is nobody's. */
  authenticate(password: Bytes): Access | undefined
  /** All but the default namespace. */
  list(): readonly (readonly [namespace: string, token: string])[]
  token(namespace: Bytes): string | undefined
  /** Makes a namespace. Throws a ReplyError, also if it exists with another token. */
  add(name: Bytes, token: Bytes): void
  /** Makes a namespace or changes its token. Throws a ReplyError. */
  set(name: Bytes, token: Bytes): void
  /** Forgets the token; the keys stay. Throws a ReplyError. */
  delete(name: Bytes): void
}

/** What a scan of all keys found. */
export interface KeyCount {
  /** Without the expired ones. */
  readonly keys: number
  /** Keys that will expire. */
  readonly expires: number
  /** Keys that have expired and are not compacted away. */
  readonly expired: number
  /** Mean time to live of those that will expire, in seconds. */
  readonly averageTtlSeconds: number
  /** Unix milliseconds. */
  readonly scannedAtMs: number
}

export interface KeyCounts {
  /** What the last scan of the namespace, or of all, found; undefined before the first. */
  latest(namespace: Bytes | undefined): KeyCount | undefined
  /** Begins to count the keys of the namespace, or of all. Throws SCANNING if that is under way. */
  scan(namespace: Bytes | undefined): void
}

/** Work on the files while clients are served. */
export interface Maintenance {
  readonly isSaving: boolean
  readonly isCompacting: boolean
  /** Unix milliseconds of the start of the last backup; of the server before the first. */
  readonly lastSaveAtMs: number
  readonly lastSaveSucceeded: boolean
  /** Duration of the last backup; -1 before the first. */
  readonly lastSaveSeconds: number
  /** Begins a backup. Throws a ReplyError if one is under way. */
  save(): void
  /** Begins to compact the namespace, or all. Throws a ReplyError if a compaction is under way. */
  compact(namespace: Bytes | undefined): void
  /** Begins to remove the backup. */
  purgeBackups(): void
}

/** Counted since the start. */
export interface StorageCounts {
  readonly flushes: number
  readonly compactions: number
}

export interface LatencySample {
  /** Unix seconds. */
  readonly at: number
  readonly ms: number
}

export interface LatencyEvent {
  readonly name: string
  readonly last: LatencySample
  readonly maxMs: number
}

export interface Latency {
  latest(): readonly LatencyEvent[]
  /** Oldest first; empty for an event that did not happen. */
  history(event: string): readonly LatencySample[]
  /** Forgets the named events, or all if none is named; how many there were. */
  reset(events: readonly string[]): number
}

export interface LogEntry {
  readonly id: number
  /** Unix seconds. */
  readonly at: number
  /** Microseconds. */
  readonly us: number
  /** The words, shortened. */
  readonly words: readonly Bytes[]
  readonly clientAddress: string
  readonly clientName: string
  readonly namespace: Bytes | undefined
}

/** The slow log, or the performance log. */
export interface CommandLog<Entry> {
  /** Oldest first. */
  readonly entries: readonly Entry[]
  /** Forgets the entries for which `isGone` is true. */
  remove(isGone: (entry: Entry) => boolean): void
}

export interface PerfEntry {
  readonly id: number
  /** Unix seconds. */
  readonly at: number
  readonly commandName: string
  /** Microseconds. */
  readonly us: number
  readonly perfContext: string
  readonly ioStats: string
}

/** The background deletion of expired keys. */
export interface Expiry {
  isEnabled: boolean
  /** Keys deleted since the start. */
  readonly expiredCount: number
}

export interface ServerView extends WriteState {
  readonly log: Log
  /** Of this program, and those of the servers that it follows. */
  readonly versions: { readonly own: string; readonly kvrocks: string; readonly redis: string }
  readonly namespaces: Namespaces
  readonly maintenance: Maintenance
  readonly storageEvents: StorageCounts
  readonly keyCounts: KeyCounts
  readonly expiry: Expiry
  /** Commands that wait for the disk now, and how many have had to. */
  readonly coldReads: { readonly waitingCount: number; readonly waits: number }
  readonly replication: Replication
  /** A replica without its master, which says so to all but what may see old data. */
  readonly isStale: boolean
  /** Memory of the script engine. */
  readonly luaBytes: number
  readonly commands: CommandTable
  readonly clients: Clients
  readonly transactions: Transactions
  readonly tracking: Tracking
  readonly channels: Channels
  readonly stats: ServerStats
  readonly latency: Latency
  readonly slowlog: CommandLog<LogEntry>
  /** Of the change feed. */
  readonly snapshots: Snapshots
  readonly slots: Slots
  readonly subscriptions: Subscriptions
  readonly sequenceTimes: SequenceTimes
  readonly history: History
  readonly perflog: CommandLog<PerfEntry>
  /** 40 hex digits, new at each start. */
  readonly runId: string
  /** Unix milliseconds. */
  readonly startedAtMs: number
  /** The TCP port that the server listens on; 0 if none. */
  readonly port: number
  readonly role: 'master' | 'slave'
  readonly isLoading: boolean
  /** Unix milliseconds, from the server's clock. */
  nowMs(): number
  /** Writes that take space are refused from now on, or are not, until the size is looked at again. */
  setDatabaseFull(isFull: boolean): void
  /** Forgets what was counted. */
  resetStats(): void
  /** Writes a batch of another server, and does what it means besides its rows. Throws a BatchFormatError, a CommitError. */
  applyForeign(batch: Bytes, writeFlags: number): void
  /** Has what background work wrote to the turn committed at its end, although no client waits for it. */
  commitSoon(): void
  /** Begins to end the server. */
  shutdown(): void
  readonly scripts: Scripts
  /** Runs one command for a script under `client`, writing its reply to `reply`. Throws a ReplyError where it is refused. */
  run(client: Client, args: Args, reply: Reply, rules: ScriptRules): void
}
