/** Commands about the server and all of its data. Source: redis src/server.c, db.c; kvrocks src/commands/cmd_server.cc. */

import { quoteBytes } from '../bytes/quoting.js'
import type { Args } from '../protocol/args.js'
import { BECAME_REPLICA } from '../protocol/errors/replication.js'
import { err, NO_SUCH_SHUTDOWN, SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { timeoutAt } from './blocking-options.js'
import {
  ADMIN,
  type AnyCommand,
  BLOCKING,
  FAST,
  NO_MULTI,
  NO_SCRIPT,
  NO_SIZE_CHECK,
  noOptions,
  OK_LOADING,
  OK_STALE,
  READONLY,
  serverCommand,
  WRITE,
} from './command.js'
import type { ServerContext } from './context.js'
import { integerAt } from './options.js'

export const serverCommands: readonly AnyCommand[] = [
  serverCommand(
    {
      name: 'time',
      arity: 1,
      flags: READONLY | FAST | OK_LOADING | OK_STALE,
      syntax: '',
      summary: 'Returns the server time.',
      since: '2.6.0',
    },
    noOptions,
    time,
  ),
  serverCommand(
    {
      name: 'flushdb',
      arity: -1,
      flags: WRITE | NO_SIZE_CHECK,
      syntax: '[ASYNC | SYNC]',
      summary: 'Removes all keys from the current database.',
      since: '1.0.0',
    },
    parseFlush,
    flushDatabase,
  ),
  serverCommand(
    {
      name: 'flushall',
      arity: -1,
      flags: WRITE | ADMIN | NO_SIZE_CHECK,
      syntax: '[ASYNC | SYNC]',
      summary: 'Removes all keys from all databases.',
      since: '1.0.0',
    },
    parseFlush,
    flushAll,
  ),
  serverCommand(
    {
      name: 'monitor',
      arity: 1,
      flags: READONLY | NO_SCRIPT | NO_MULTI | OK_LOADING | OK_STALE,
      syntax: '',
      summary: 'Listens for all requests received by the server in real-time.',
      since: '1.0.0',
    },
    noOptions,
    ({ client, reply, server }) => {
      reply.ok()
      server.clients.monitor(client)
    },
  ),
  serverCommand(
    {
      name: 'role',
      arity: 1,
      flags: READONLY | FAST | NO_SCRIPT | OK_LOADING | OK_STALE,
      syntax: '',
      summary: 'Returns the replication role.',
      since: '2.8.12',
    },
    noOptions,
    role,
  ),
  serverCommand(
    {
      name: 'wait',
      arity: 3,
      flags: READONLY | BLOCKING,
      syntax: 'numreplicas timeout',
      summary:
        'Blocks until the asynchronous replication of all preceding write commands sent by the connection is completed.',
      since: '3.0.0',
    },
    parseWait,
    wait,
  ),
  serverCommand(
    {
      name: 'shutdown',
      arity: -1,
      flags: READONLY | ADMIN | NO_SCRIPT | NO_MULTI | OK_LOADING | OK_STALE,
      syntax: '[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]',
      summary: 'Shuts down the server. All data is on disk at all times, so SAVE and NOSAVE are the same.',
      since: '1.0.0',
    },
    parseShutdown,
    shutdown,
  ),
]

function time({ reply, server }: ServerContext): void {
  const us = Math.floor(server.nowMs() * 1000)
  reply.array(2)
  reply.bulkText(String(Math.floor(us / 1e6)))
  reply.bulkText(String(us % 1e6))
}

/** One record deletes any number of keys, so ASYNC and SYNC are the same. */
function parseFlush(args: Args): void {
  if (args.count > 2 || (args.count === 2 && !args.is(1, 'async') && !args.is(1, 'sync'))) throw SYNTAX
}

function flushDatabase({ client, db, reply, server }: ServerContext): void {
  db.flush()
  server.log.warning(`DB keys in namespace: ${quoteBytes(db.namespace)} was flushed, addr: ${client.address}`)
  reply.ok()
}

function flushAll({ client, reply, server, store }: ServerContext): void {
  store.flushAll()
  server.log.warning(`All DB keys was flushed, addr: ${client.address}`)
  reply.ok()
}

function role({ reply, server, store }: ServerContext): void {
  const { master, replicas } = server.replication
  if (master !== undefined) {
    reply.array(5)
    reply.bulkText('slave')
    reply.bulkText(master.host)
    reply.integer(master.port)
    reply.bulkText(master.state)
    reply.integer(store.latestSequence())
    return
  }
  reply.array(3)
  reply.bulkText('master')
  reply.integer(store.latestSequence())
  reply.array(replicas.length)
  for (const replica of replicas) {
    reply.array(3)
    reply.bulkText(replica.host)
    reply.bulkText(String(replica.port))
    reply.bulkText(String(replica.offset))
  }
}

interface Wait {
  readonly replicas: number
  readonly timeoutMs: number
}

function parseWait(args: Args): Wait {
  const replicas = integerAt(args, 1)
  return { replicas, timeoutMs: timeoutAt(args, 2) }
}

const WAIT_ON_REPLICA = err(
  'WAIT cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.',
)

/**
 * Waits for replicas to confirm what was written before: they do, within a second or when asked, if they are of Kvrocks
 * 2.14 or of this server. Replicas of older versions confirm nothing and do not count.
 */
function wait(context: ServerContext, _args: Args, { replicas, timeoutMs }: Wait): void {
  const { reply, server, store } = context
  if (server.role === 'slave') throw WAIT_ON_REPLICA
  if (!store.turn.isHeld) store.turn.commit()
  const sequence = store.latestSequence()
  const { feeds } = server.replication
  const attempt = (answer: Reply): boolean => {
    if (server.role === 'slave') throw BECAME_REPLICA
    const count = feeds.confirmedBy(sequence)
    if (count < replicas) return false
    answer.integer(count)
    return true
  }
  if (attempt(reply)) return
  feeds.requestAcks(sequence)
  context.block({
    keys: [],
    afterCommit: true,
    timeoutMs,
    attempt: (later) => attempt(later.reply),
    expire: (answer) => answer.integer(feeds.confirmedBy(sequence)),
  })
}

function parseShutdown(args: Args): { readonly isAbort: boolean } {
  let isAbort = false
  let others = 0
  for (let at = 1; at < args.count; at++) {
    if (args.is(at, 'abort')) isAbort = true
    else if (['nosave', 'save', 'now', 'force'].some((word) => args.is(at, word))) others++
    else throw SYNTAX
  }
  if (isAbort && others > 0) throw SYNTAX
  return { isAbort }
}

function shutdown({ server }: ServerContext, _args: Args, { isAbort }: { readonly isAbort: boolean }): void {
  if (isAbort) throw NO_SUCH_SHUTDOWN
  server.log.info('bye bye')
  server.shutdown()
}
