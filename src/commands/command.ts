/**
 * A command is one record: everything that the server knows of it. COMMAND, COMMAND DOCS, arity, transactions, key
 * extraction, read-only checks, cluster routing and the README's table all read it; nothing keeps a second list.
 */

import type { Args } from '../protocol/args.js'
import type { ReplyError } from '../protocol/errors.js'
import type { Context, ServerContext } from './context.js'

/** Changes data; refused by replicas and when the database is full. */
export const WRITE = 1 << 0
/** Reads data and changes none; allowed to read-only scripts. */
export const READONLY = 1 << 1
/** Needs the administrator, the holder of requirepass. */
export const ADMIN = 1 << 2
/** Refused inside scripts. */
export const NO_SCRIPT = 1 << 3
/** Refused inside MULTI. */
export const NO_MULTI = 1 << 4
/** Executed at once inside MULTI instead of being queued. */
export const IN_MULTI = 1 << 5
/** Allowed while the database is being loaded. */
export const OK_LOADING = 1 << 6
/** Allowed on a replica that has lost its master and serves no stale data. */
export const OK_STALE = 1 << 7
/** Allowed before authentication. */
export const NO_AUTH_NEEDED = 1 << 8
/** Allowed when max-db-size is reached, for it frees space. */
export const NO_SIZE_CHECK = 1 << 9
/** May suspend the connection. */
export const BLOCKING = 1 << 10
/** About channels. */
export const PUBSUB = 1 << 11
/** O(1) or O(log n). */
export const FAST = 1 << 12
/** Proportional to the size of its data. */
export const SLOW = 1 << 13
/** Not shown to MONITOR, for its arguments are secrets. */
export const NO_MONITOR = 1 << 14
/** For the link between master and replica. */
export const REPLICATION = 1 << 15
/** Not a data command of its own: its keys are looked for by the function alone (EVAL …). */
export const SCRIPTING = 1 << 16

/** Allowed to a RESP2 client that has subscribed to something. */
export const OK_SUBSCRIBED = 1 << 17
/** Reaches replicas, or may, although it is no WRITE: CLIENT PAUSE WRITE holds it back. */
export const MAY_WRITE = 1 << 19
/** EXEC: what it runs is kept in the slow log in its place, and shown to MONITOR before it. */
export const RUNS_QUEUE = 1 << 20
/** Its reply is a push, which CLIENT REPLY does not silence. */
export const PUSHES = 1 << 18

/** Where the keys are: index of the first, index of the last (negative: counted from the end), and the step. */
export interface KeyRange {
  readonly first: number
  readonly last: number
  readonly step: number
}

/** Or a function that finds their indexes; empty if the arguments make no sense, for parse will say so. */
export type KeyFinder = (args: Args) => readonly number[]

export const FIRST_KEY: KeyRange = { first: 1, last: 1, step: 1 }
export const SECOND_KEY: KeyRange = { first: 2, last: 2, step: 1 }
export const FIRST_TWO_KEYS: KeyRange = { first: 1, last: 2, step: 1 }
export const ALL_KEYS: KeyRange = { first: 1, last: -1, step: 1 }
/** All but the last argument. */
export const ALL_KEYS_BUT_LAST: KeyRange = { first: 1, last: -2, step: 1 }
export const KEY_VALUE_PAIRS: KeyRange = { first: 1, last: -1, step: 2 }

/** The keys of commands like ZUNION: their number is argument `countIndex`, and they follow it. */
export function countedKeys(countIndex: number, ...others: readonly number[]): KeyFinder {
  return (args) => {
    const count = Number(args.count > countIndex ? args.latin1(countIndex) : Number.NaN)
    if (!Number.isInteger(count) || count < 1 || countIndex + count >= args.count) return []
    return [...others, ...Array.from({ length: count }, (_, index) => countIndex + 1 + index)]
  }
}

export interface CommandSpec {
  /** Lower case; a subcommand is `container|sub`. */
  readonly name: string
  /** Number of words with the name; negative: at least so many. */
  readonly arity: number
  readonly flags: number
  readonly keys?: KeyRange | KeyFinder
  /** Finds the words that neither MONITOR nor the slow log shows. */
  readonly secrets?: (args: Args) => readonly number[]
  /** The arguments after the name, in the notation of Redis's documentation: `key [EX seconds | PX milliseconds]`. */
  readonly syntax: string
  /** One sentence for COMMAND DOCS. */
  readonly summary: string
  /** Version of Redis, or of Kvrocks for what only it has, that brought the command. */
  readonly since: string
}

/** Groups of COMMAND DOCS. */
export type CommandGroup =
  | 'bitmap'
  | 'bloom'
  | 'cdc'
  | 'cluster'
  | 'connection'
  | 'generic'
  | 'geo'
  | 'hash'
  | 'hyperloglog'
  | 'json'
  | 'list'
  | 'pubsub'
  | 'replication'
  | 'scripting'
  | 'search'
  | 'server'
  | 'set'
  | 'sorted-set'
  | 'sortedint'
  | 'stream'
  | 'string'
  | 'tdigest'
  | 'timeseries'
  | 'transactions'

/** Counters of INFO commandstats. */
export interface CommandStats {
  calls: number
  /** Microseconds spent. */
  us: number
  /** Calls by duration: element n counts those of up to 2^n microseconds that are longer than 2^(n-1). */
  readonly byMagnitude: Uint32Array
  /** Calls by the bounds of histogram-bucket-boundaries, the last for those above all; empty without bounds or calls. */
  byBound: number[]
  /** Calls refused before they were executed. */
  rejected: number
  /** Calls that were executed and answered with an error. */
  failed: number
}

export interface AnyCommand extends CommandSpec {
  /** Called before execution, or before QUEUED: may throw a ReplyError, and touches nothing. */
  readonly parse: (args: Args) => unknown
  /** Called once. Throws a ReplyError for the client's mistakes, having written nothing or to be rolled back. */
  readonly execute: (context: ServerContext, args: Args, options: never) => void
  /** Of a container: its subcommands by the second word. */
  readonly subcommands?: ReadonlyMap<string, AnyCommand>
  /** Of a container: what an unknown second word is answered with, if not with what Redis says. */
  readonly unknownSubcommand?: ReplyError
}

export function noOptions(): undefined {
  return undefined
}

/** A data command: it sees a database, a reply, the configuration and the events, nothing else of the server. */
export function command<Options>(
  spec: CommandSpec,
  parse: (args: Args) => Options,
  execute: (context: Context, args: Args, options: Options) => void,
): AnyCommand {
  return { ...spec, parse, execute }
}

/** A command about the server or its own connection. */
export function serverCommand<Options>(
  spec: CommandSpec,
  parse: (args: Args) => Options,
  execute: (context: ServerContext, args: Args, options: Options) => void,
): AnyCommand {
  return { ...spec, parse, execute }
}

/**
 * A command whose second word chooses one of `subcommands`, which are named `container|sub`. HELP is added. `alone` runs
 * where there is no second word; without it that is a wrong number of arguments.
 */
export function container(
  spec: Omit<CommandSpec, 'arity' | 'syntax'>,
  subcommands: readonly AnyCommand[],
  alone?: (context: ServerContext) => void,
): AnyCommand {
  const help = serverCommand(
    {
      name: `${spec.name}|help`,
      arity: 2,
      flags: OK_LOADING | OK_STALE,
      syntax: '',
      summary: `Describes the subcommands of ${spec.name.toUpperCase()}.`,
      since: spec.since,
    },
    noOptions,
    ({ reply }) => {
      const lines = helpLines(spec.name, all)
      reply.array(lines.length)
      for (const line of lines) reply.status(line)
    },
  )
  const all = [...subcommands, help]
  const byWord = new Map(all.map((sub) => [sub.name.slice(spec.name.length + 1), sub]))
  const arity = alone === undefined ? -2 : -1
  return { ...spec, arity, syntax: '', parse: noOptions, execute: alone ?? (() => {}), subcommands: byWord }
}

function helpLines(name: string, subcommands: readonly AnyCommand[]): string[] {
  const lines = [`${name.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`]
  for (const sub of subcommands) {
    lines.push(`${sub.name.slice(name.length + 1).toUpperCase()} ${sub.syntax}`.trimEnd(), `    ${sub.summary}`)
  }
  return lines
}

export function hasFlag(command: CommandSpec, flag: number): boolean {
  return (command.flags & flag) !== 0
}

/** True if `count` words satisfy the command's arity. */
export function fitsArity(command: CommandSpec, count: number): boolean {
  return command.arity >= 0 ? count === command.arity : count >= -command.arity
}

/** Indexes of the keys among `args`. */
export function keyIndexes({ keys }: Pick<CommandSpec, 'keys'>, args: Args): readonly number[] {
  if (keys === undefined) return []
  if (typeof keys === 'function') return keys(args)
  const last = keys.last < 0 ? args.count + keys.last : keys.last
  const indexes: number[] = []
  for (let index = keys.first; index <= Math.min(last, args.count - 1); index += keys.step) indexes.push(index)
  return indexes
}
