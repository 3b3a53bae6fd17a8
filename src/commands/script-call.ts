/** What EVAL and FCALL have in common: how a script is called, and how it would be stopped. Source: redis src/script.c. */

import type { Bytes } from '../bytes/bytes.js'
import { parseInt64 } from '../bytes/int64.js'
import type { Args } from '../protocol/args.js'
import { NEGATIVE_KEYS, NOT_BUSY, TOO_MANY_KEYS } from '../protocol/errors/scripting.js'
import { NOT_AN_INTEGER, SYNTAX } from '../protocol/errors.js'
import type { ScriptCall, Scripts } from '../scripting/scripts.js'
import {
  type AnyCommand,
  countedKeys,
  FAST,
  MAY_WRITE,
  NO_SCRIPT,
  noOptions,
  OK_STALE,
  READONLY,
  SCRIPTING,
  SLOW,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'

const CALL_FLAGS = NO_SCRIPT | OK_STALE | SCRIPTING | SLOW
/** Before the keys: the command, the script or its name, the number of keys. */
const FIRST_KEY_INDEX = 3

/** Runs what the first argument of the command names. */
export type RunScript = (scripts: Scripts, args: Args, call: ScriptCall) => Bytes

/** A command that runs a script, and the one with _RO behind its name that lets it only read. */
export function callCommands(
  name: string,
  what: { readonly argument: string; readonly summary: string; readonly since: string },
  run: RunScript,
): readonly AnyCommand[] {
  const variant = (isReadOnly: boolean): AnyCommand =>
    serverCommand(
      {
        name: isReadOnly ? `${name}_ro` : name,
        arity: -3,
        flags: CALL_FLAGS | (isReadOnly ? READONLY : MAY_WRITE),
        keys: countedKeys(2),
        syntax: `${what.argument} numkeys [key ...] [arg ...]`,
        summary: `${what.summary}${isReadOnly ? ' that only reads' : ''}.`,
        since: isReadOnly ? '7.0.0' : what.since,
      },
      parseKeysCount,
      (context, args, keysCount) => {
        const { client, server, reply } = context
        const call = scriptCall(context, args, keysCount, isReadOnly)
        reply.raw(client.keepDatabase(() => run(server.scripts, args, call)))
      },
    )
  return [variant(false), variant(true)]
}

/** SCRIPT KILL and FUNCTION KILL. */
export function killCommand(name: string, what: string, since: string): AnyCommand {
  return serverCommand(
    {
      name,
      arity: 2,
      flags: NO_SCRIPT | READONLY | OK_STALE | FAST,
      syntax: '',
      summary: `Would stop a ${what}; there is none, for nobody is served while one runs.`,
      since,
    },
    noOptions,
    () => {
      throw NOT_BUSY
    },
  )
}

/** [ASYNC | SYNC] after the subcommand: accepted, and of no consequence. */
export function parseFlushMode(args: Args): void {
  if (args.count > 3 || (args.count === 3 && !args.is(2, 'async') && !args.is(2, 'sync'))) throw SYNTAX
}

/** The number of keys of EVAL and FCALL: argument 2. */
function parseKeysCount(args: Args): number {
  const count = parseInt64(args.at(2))
  if (count === undefined) throw NOT_AN_INTEGER
  if (count > args.count - FIRST_KEY_INDEX) throw TOO_MANY_KEYS
  if (count < 0) throw NEGATIVE_KEYS
  return Number(count)
}

/** What a script or a function of this command is given, and may do. */
function scriptCall(
  { client, server, config, reply }: ServerContext,
  args: Args,
  keysCount: number,
  readOnly: boolean,
): ScriptCall {
  const words = args.rest(FIRST_KEY_INDEX)
  return {
    keys: words.slice(0, keysCount),
    args: words.slice(keysCount),
    protocol: reply.protocol,
    readOnly,
    timeLimitMs: config['lua-time-limit'],
    resp3Allowed: config['resp3-enabled'],
    strictKeys: config['lua-strict-key-accessing'],
    isStale: server.isStale,
    batchBytesMax: config['rocksdb.write_options.write_batch_max_bytes'],
    run: (command, answer, rules) => server.run(client, command, answer, rules),
    isAllowed: (command) => server.commands.lookup(command) !== undefined || undefined,
  }
}
