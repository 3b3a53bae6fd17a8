/** Scripts: EVAL and SCRIPT. Source: redis src/eval.c; kvrocks src/commands/cmd_script.cc. */

import type { Args } from '../protocol/args.js'
import { NO_DEBUGGER } from '../protocol/errors/scripting.js'
import { SYNTAX } from '../protocol/errors.js'
import {
  type AnyCommand,
  container,
  FAST,
  NO_SCRIPT,
  noOptions,
  OK_STALE,
  READONLY,
  serverCommand,
  WRITE,
} from './command.js'
import type { ServerContext } from './context.js'
import { callCommands, killCommand, parseFlushMode } from './script-call.js'

export const scriptingCommands: readonly AnyCommand[] = [
  ...callCommands(
    'eval',
    { argument: 'script', summary: 'Executes a server-side Lua script', since: '2.6.0' },
    (scripts, args, call) => scripts.evaluate(args.at(1), call),
  ),
  ...callCommands(
    'evalsha',
    { argument: 'sha1', summary: 'Executes by its SHA-1 a server-side Lua script', since: '2.6.0' },
    (scripts, args, call) => scripts.evaluateSha(args.latin1(1), call),
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
    killCommand('script|kill', 'script', '2.6.0'),
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

function scriptExists({ server, reply }: ServerContext, args: Args): void {
  const shas = args.rest(2).map((sha) => sha.latin1Slice(0))
  reply.array(shas.length)
  for (const exists of server.scripts.exist(shas)) reply.integer(exists ? 1 : 0)
}
