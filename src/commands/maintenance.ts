/** Backups, compactions and caches. Source: kvrocks src/commands/cmd_server.cc. */

import { join } from 'node:path'
import { writeHeapSnapshot } from 'node:v8'
import { systemReason } from '../files/system-error.js'
import type { Args } from '../protocol/args.js'
import { err, type ReplyError, SYNTAX, utf8Err, wrongArity } from '../protocol/errors.js'
import { DEFAULT_NAMESPACE } from '../storage/keys.js'
import { ADMIN, type AnyCommand, NO_SCRIPT, noOptions, READONLY, serverCommand } from './command.js'
import type { ServerContext } from './context.js'

function maintenance(
  name: string,
  flags: number,
  summary: string,
  since: string,
  execute: (context: ServerContext, args: Args) => void,
): AnyCommand {
  return serverCommand({ name, arity: 1, flags: FLAGS | flags, syntax: '', summary, since }, noOptions, execute)
}

const FLAGS = READONLY | NO_SCRIPT

export const maintenanceCommands: readonly AnyCommand[] = [
  maintenance('bgsave', ADMIN, 'Begins to make a backup.', '1.0.0', ({ reply, server }) => {
    server.maintenance.save()
    server.log.info('BGSave was triggered by manual with executed success')
    reply.ok()
  }),
  serverCommand(
    {
      name: 'lastsave',
      arity: -1,
      flags: FLAGS | ADMIN,
      syntax: '[ISO8601]',
      summary: 'Returns the time of the last backup: in Unix seconds, or as a text.',
      since: '1.0.0',
    },
    (args) => optionalWord(args, 'iso8601', SYNTAX),
    ({ reply, server }, _args, isText) => {
      const atMs = server.maintenance.lastSaveAtMs
      if (isText) reply.bulkText(`${new Date(atMs).toISOString().slice(0, 19)}+0000`)
      else reply.integer(Math.floor(atMs / 1000))
    },
  ),
  maintenance('flushbackup', ADMIN, 'Begins to remove the backup.', '1.0.0', ({ reply, server }) => {
    server.maintenance.purgeBackups()
    server.log.info('flushbackup was triggered by manual with executed success')
    reply.ok()
  }),
  maintenance('compact', 0, 'Begins to compact the files of the namespace, or all of them.', '1.0.0', compact),
  serverCommand(
    {
      name: 'flushmemtable',
      arity: -1,
      flags: FLAGS | ADMIN,
      syntax: '[ASYNC]',
      summary: 'Writes what is in memory to files.',
      since: '2.13.0',
    },
    (args) => optionalWord(args, 'async', NOT_ASYNC),
    flushMemtable,
  ),
  maintenance(
    'flushblockcache',
    ADMIN,
    'Drops what is not in use from the block cache.',
    '2.13.0',
    ({ reply, store }) => {
      store.rocks.clearBlockCache()
      reply.ok()
    },
  ),
  maintenance('stats', 0, "Returns RocksDB's counters and histograms as JSON.", '2.0.0', ({ reply, store }) => {
    const histograms = Object.entries(store.rocks.histograms()).map(
      ([name, { median, p95, p99, max, count, sum }]) => [name, [median, p95, p99, max, count, sum]] as const,
    )
    const all = [...Object.entries(store.rocks.tickers()), ...histograms].sort(([a], [b]) => (a < b ? -1 : 1))
    reply.bulkText(JSON.stringify(Object.fromEntries(all)))
  }),
]

/** `KPROFILE MEMORY …`. Kvrocks's profiles are jemalloc's; here the dump is a snapshot of the JavaScript heap. */
export const profileCommands: readonly AnyCommand[] = [
  serverCommand(
    {
      name: 'kprofile',
      arity: -3,
      flags: READONLY | ADMIN | NO_SCRIPT,
      syntax: 'MEMORY <ENABLE | DISABLE | STATUS | DUMP directory>',
      summary: 'Dumps a profile of memory. It needs not be enabled.',
      since: '2.13.0',
    },
    parseProfile,
    profile,
  ),
]

const NOT_ASYNC = err("the only parameter must be 'ASYNC'")

/** True if the one optional argument is there; `otherwise` is thrown for another word. */
function optionalWord(args: Args, word: string, otherwise: ReplyError): boolean {
  if (args.count > 2) throw wrongArity(args.latin1(0).toLowerCase())
  if (args.count === 2 && !args.is(1, word)) throw otherwise
  return args.count === 2
}

function flushMemtable(context: ServerContext, _args: Args, isAsync: boolean): void {
  // What the turn has written is to be among it.
  context.db.turn.commit()
  const flush = context.store.rocks.flush()
  if (!isAsync) {
    context.defer(flush, (reply) => reply.ok())
    return
  }
  flush.catch((error: Error) => context.server.log.error(`FLUSHMEMTABLE ASYNC failed: ${error.message}`))
  context.reply.ok()
}

type ProfileAction = 'enable' | 'disable' | 'status' | 'dump'
const PROFILE_ACTIONS: readonly ProfileAction[] = ['enable', 'disable', 'status', 'dump']

function parseProfile(args: Args): ProfileAction {
  const action = PROFILE_ACTIONS.find((word) => args.is(2, word))
  if (!args.is(1, 'memory') || action === undefined) throw SYNTAX
  if (args.count !== (action === 'dump' ? 4 : 3)) throw wrongArity('kprofile')
  return action
}

const ALWAYS_ENABLED = err('memory profiling is always available here, and costs nothing until DUMP')

function profile({ reply, server }: ServerContext, args: Args, action: ProfileAction): void {
  if (action === 'disable') throw ALWAYS_ENABLED
  if (action === 'status') reply.status('enabled')
  else if (action === 'enable') reply.ok()
  else {
    const path = join(args.at(3).utf8Slice(0), `jeprof-${process.pid}-${server.nowMs()}.heapsnapshot`)
    try {
      writeHeapSnapshot(path)
    } catch (error) {
      throw utf8Err(`cannot write ${path}: ${systemReason(error)}`)
    }
    server.log.info(`wrote a snapshot of the heap to ${path}`)
    reply.ok()
  }
}

/** From the default namespace: all. */
function compact({ client, reply, server }: ServerContext): void {
  const namespace = client.namespace ?? DEFAULT_NAMESPACE
  server.maintenance.compact(namespace.equals(DEFAULT_NAMESPACE) ? undefined : namespace)
  server.log.info('Compact was triggered by manual with executed success')
  reply.ok()
}
