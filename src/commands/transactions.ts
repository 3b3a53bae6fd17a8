/** MULTI, EXEC and WATCH. Source: redis src/multi.c; kvrocks src/commands/cmd_txn.cc. */

import type { Args } from '../protocol/args.js'
import { DISCARD_WITHOUT_MULTI, EXEC_WITHOUT_MULTI, NESTED_MULTI, WATCH_IN_MULTI } from '../protocol/errors.js'
import {
  ALL_KEYS,
  type AnyCommand,
  FAST,
  IN_MULTI,
  NO_SCRIPT,
  noOptions,
  OK_LOADING,
  OK_STALE,
  RUNS_QUEUE,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'

const FLAGS = IN_MULTI | NO_SCRIPT | OK_LOADING | OK_STALE

export const transactionCommands: readonly AnyCommand[] = [
  serverCommand(
    { name: 'multi', arity: 1, flags: FLAGS | FAST, syntax: '', summary: 'Starts a transaction.', since: '1.2.0' },
    noOptions,
    multi,
  ),
  serverCommand(
    {
      name: 'exec',
      arity: 1,
      flags: FLAGS | RUNS_QUEUE,
      syntax: '',
      summary: 'Executes all commands of a transaction.',
      since: '1.2.0',
    },
    noOptions,
    exec,
  ),
  serverCommand(
    { name: 'discard', arity: 1, flags: FLAGS | FAST, syntax: '', summary: 'Discards a transaction.', since: '2.0.0' },
    noOptions,
    discard,
  ),
  serverCommand(
    {
      name: 'watch',
      arity: -2,
      flags: FLAGS | FAST,
      keys: ALL_KEYS,
      syntax: 'key [key ...]',
      summary: 'Monitors changes to keys to determine the execution of a transaction.',
      since: '2.2.0',
    },
    noOptions,
    watch,
  ),
  serverCommand(
    {
      name: 'unwatch',
      arity: 1,
      flags: NO_SCRIPT | OK_LOADING | OK_STALE | FAST,
      syntax: '',
      summary: 'Forgets about watched keys of a transaction.',
      since: '2.2.0',
    },
    noOptions,
    ({ client, reply, server }) => {
      server.transactions.unwatch(client)
      reply.ok()
    },
  ),
]

function multi({ client, reply, server }: ServerContext): void {
  if (server.transactions.isOpen(client)) throw NESTED_MULTI
  server.transactions.begin(client)
  reply.ok()
}

function exec({ client, reply, server }: ServerContext): void {
  if (!server.transactions.isOpen(client)) throw EXEC_WITHOUT_MULTI
  server.transactions.execute(client, reply)
}

function discard({ client, reply, server }: ServerContext): void {
  if (!server.transactions.isOpen(client)) throw DISCARD_WITHOUT_MULTI
  server.transactions.discard(client)
  reply.ok()
}

function watch({ client, db, reply, server }: ServerContext, args: Args): void {
  if (server.transactions.isOpen(client)) throw WATCH_IN_MULTI
  server.transactions.watch(client, db, args.rest(1))
  reply.ok()
}
