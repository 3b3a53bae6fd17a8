/** Scripts: EVAL and SCRIPT. Source: redis src/eval.c; kvrocks src/commands/cmd_script.cc. */

import type { Bytes } from '../bytes/bytes.js'
import { parseInt64 } from '../bytes/int64.js'
import type { Args } from '../protocol/args.js'
import { NEGATIVE_KEYS, NO_DEBUGGER, NOT_BUSY, TOO_MANY_KEYS } from '../protocol/errors/scripting.js'
import { NOT_AN_INTEGER, SYNTAX } from '../protocol/errors.js'
import type { ScriptCall } from '../scripting/scripts.js'
import {
  type AnyCommand,
  container,
  countedKeys,
  FAST,
  NO_MONITOR,
  NO_SCRIPT,
  noOptions,
  OK_STALE,
  READONLY,
  SCRIPTING,
  SLOW,
  serverCommand,
  WRITE,
} from './command.js'
import type { ServerContext } from './context.js'

const EVAL_FLAGS = NO_SCRIPT | NO_MONITOR | OK_STALE | SCRIPTING | SLOW
/** Before the keys: the command, the script or its name, the number of keys. */
const FIRST_KEY_INDEX = 3

export const scriptingCommands: readonly AnyCommand[] = [
  serverCommand(
    {
      name: 'eval',
      arity: -3,
      flags: EVAL_FLAGS,
      keys: countedKeys(2),
      syntax: 'script numkeys [key ...] [arg ...]',
      summary: 'Executes a server-side Lua script.',
      since: '2.6.0',
    },
    parseKeysCount,
    evaluate(false),
  ),
  serverCommand(
    {
      name: 'eval_ro',
      arity: -3,
      flags: EVAL_FLAGS | READONLY,
      keys: countedKeys(2),
      syntax: 'script numkeys [key ...] [arg ...]',
      summary: 'Executes a server-side Lua script that only reads.',
      since: '7.0.0',
    },
    parseKeysCount,
    evaluate(true),
  ),
  serverCommand(
    {
      name: 'evalsha',
      arity: -3,
      flags: EVAL_FLAGS,
      keys: countedKeys(2),
      syntax: 'sha1 numkeys [key ...] [arg ...]',
      summary: 'Executes a server-side Lua script by its SHA-1.',
      since: '2.6.0',
    },
    parseKeysCount,
    evaluateSha(false),
  ),
  serverCommand(
    {
      name: 'evalsha_ro',
      arity: -3,
      flags: EVAL_FLAGS | READONLY,
      keys: countedKeys(2),
      syntax: 'sha1 numkeys [key ...] [arg ...]',
      summary: 'Executes a server-side Lua script that only reads, by its SHA-1.',
      since: '7.0.0',
    },
    parseKeysCount,
    evaluateSha(true),
  ),
  container({ name: 'script', flags: NO_SCRIPT, summary: 'Manages the scripts that are kept.', since: '2.6.0' }, [
    serverCommand(
      {
        name: 'script|load',
        arity: 3,
        flags: NO_SCRIPT | WRITE | OK_STALE,
        syntax: 'script',
        summary: 'Keeps a script, to be executed by its SHA-1.',
        since: '2.6.0',
      },
      noOptions,
      ({ server, reply }, args) => reply.bulkText(server.scripts.load(args.at(2))),
    ),
    serverCommand(
      {
        name: 'script|exists',
        arity: -3,
        flags: NO_SCRIPT | READONLY | OK_STALE,
        syntax: 'sha1 [sha1 ...]',
        summary: 'Says which of the scripts are kept.',
        since: '2.6.0',
      },
      noOptions,
      scriptExists,
    ),
    serverCommand(
      {
        name: 'script|flush',
        arity: -2,
        flags: NO_SCRIPT | WRITE | OK_STALE,
        syntax: '[ASYNC | SYNC]',
        summary: 'Forgets all scripts.',
        since: '2.6.0',
      },
      parseFlushMode,
      ({ server, reply }) => {
        server.scripts.flush()
        reply.ok()
      },
    ),
    serverCommand(
      {
        name: 'script|kill',
        arity: 2,
        flags: NO_SCRIPT | READONLY | OK_STALE | FAST,
        syntax: '',
        summary: 'Would stop a script; there is none, for nobody is served while one runs.',
        since: '2.6.0',
      },
      noOptions,
      () => {
        throw NOT_BUSY
      },
    ),
    serverCommand(
      {
        name: 'script|debug',
        arity: 3,
        flags: NO_SCRIPT | READONLY | FAST,
        syntax: '<YES | SYNC | NO>',
        summary: 'Sets the debugger of scripts, which does not exist: NO alone is accepted.',
        since: '3.2.0',
      },
      (args) => {
        if (args.is(2, 'yes') || args.is(2, 'sync')) throw NO_DEBUGGER
        if (!args.is(2, 'no')) throw SYNTAX
      },
      ({ reply }) => reply.ok(),
    ),
  ]),
]

/** The number of keys of EVAL and FCALL: argument 2. */
export function parseKeysCount(args: Args): number {
  const count = parseInt64(args.at(2))
  if (typeof count !== 'number') throw NOT_AN_INTEGER
  if (count > args.count - FIRST_KEY_INDEX) throw TOO_MANY_KEYS
  if (count < 0) throw NEGATIVE_KEYS
  return count
}

/** What a script or a function of this command is given, and may do. */
export function scriptCall(
  { client, server, config, reply }: ServerContext,
  args: Args,
  keysCount: number,
  readOnly: boolean,
): ScriptCall {
  const words: Bytes[] = args.rest(FIRST_KEY_INDEX)
  return {
    keys: words.slice(0, keysCount),
    args: words.slice(keysCount),
    protocol: reply.protocol,
    readOnly,
    timeLimitMs: config['lua-time-limit'],
    resp3Allowed: config['resp3-enabled'],
    strictKeys: config['lua-strict-key-accessing'],
    batchBytesMax: config['rocksdb.write_options.write_batch_max_bytes'],
    run: (command, answer, rules) => server.run(client, command, answer, rules),
    isAllowed: (command) => server.commands.lookup(command) !== undefined || undefined,
  }
}

/** [ASYNC | SYNC] after the subcommand: accepted, and of no consequence. */
export function parseFlushMode(args: Args): void {
  if (args.count > 3 || (args.count === 3 && !args.is(2, 'async') && !args.is(2, 'sync'))) throw SYNTAX
}

function evaluate(readOnly: boolean) {
  return (context: ServerContext, args: Args, keysCount: number): void => {
    const { server, reply } = context
    reply.raw(server.scripts.evaluate(args.at(1), scriptCall(context, args, keysCount, readOnly)))
  }
}

function evaluateSha(readOnly: boolean) {
  return (context: ServerContext, args: Args, keysCount: number): void => {
    const { server, reply } = context
    reply.raw(server.scripts.evaluateSha(args.latin1(1), scriptCall(context, args, keysCount, readOnly)))
  }
}

function scriptExists({ server, reply }: ServerContext, args: Args): void {
  const shas = args.rest(2).map((sha) => sha.latin1Slice(0))
  reply.array(shas.length)
  for (const exists of server.scripts.exist(shas)) reply.integer(exists ? 1 : 0)
}
