/** MEMORY and DISK: what is used. Source: kvrocks src/stats/disk_stats.cc; redis src/object.c, memoryCommand. */

import type { Args } from '../protocol/args.js'
import { err, SYNTAX } from '../protocol/errors.js'
import { CF_DEFAULT, CF_METADATA, CF_STREAM, CF_ZSET_SCORE } from '../storage/column-family.js'
import { storedBytes } from '../types/key-info.js'
import {
  type AnyCommand,
  container,
  noOptions,
  OK_LOADING,
  OK_STALE,
  READONLY,
  SECOND_KEY,
  serverCommand,
} from './command.js'
import type { ServerContext } from './context.js'
import { OptionReader } from './options.js'

function usageCommand(name: string, arity: number, syntax: string): AnyCommand {
  return serverCommand(
    {
      name: `${name}|usage`,
      arity,
      flags: READONLY,
      keys: SECOND_KEY,
      syntax,
      summary: 'Returns about how many bytes a key takes in files and memtables.',
      since: '4.0.0',
    },
    parseUsage,
    usage,
  )
}

function about(name: string, summary: string, execute: (context: ServerContext) => void): AnyCommand {
  const flags = READONLY | OK_LOADING | OK_STALE
  return serverCommand(
    { name: `memory|${name}`, arity: 2, flags, syntax: '', summary, since: '4.0.0' },
    noOptions,
    execute,
  )
}

export const memoryCommands: readonly AnyCommand[] = [
  {
    ...container(
      { name: 'disk', flags: READONLY, summary: 'A container for commands about disk usage.', since: '1.0.0' },
      [usageCommand('disk', 3, 'key')],
    ),
    unknownSubcommand: err('Unknown operation'),
  },
  container(
    { name: 'memory', flags: READONLY, summary: 'A container for memory diagnostics commands.', since: '4.0.0' },
    [
      usageCommand('memory', -3, 'key [SAMPLES count]'),
      about('stats', 'Returns details about memory usage.', stats),
      about('doctor', 'Outputs a memory problems report.', doctor),
      about('malloc-stats', 'Returns what the runtime tells of its memory.', ({ reply }) =>
        reply.verbatim('txt', Buffer.from(listed(Object.entries(process.memoryUsage())))),
      ),
      about(
        'purge',
        'Asks for memory to be given back: the block cache drops what is not in use.',
        ({ reply, store }) => {
          store.rocks.clearBlockCache()
          reply.ok()
        },
      ),
    ],
  ),
]

/** MEMORY USAGE takes SAMPLES; the estimate needs none. */
function parseUsage(args: Args): void {
  const options = new OptionReader(args, 3)
  while (options.hasMore) {
    if (!options.take('samples')) throw SYNTAX
    if (options.int64() < 0) options.refuse(SYNTAX)
  }
  options.end()
}

function usage({ db, reply, store }: ServerContext, args: Args): void {
  const bytes = storedBytes(db, store.rocks, args.at(2))
  if (bytes === undefined) reply.nil()
  else reply.integer(bytes)
}

/** Names and numbers of what takes memory. */
function memoryParts({ server, store }: ServerContext): [name: string, bytes: number][] {
  const memory = process.memoryUsage()
  const cache = store.rocks.blockCacheUsage()
  const memtables = [CF_DEFAULT, CF_METADATA, CF_ZSET_SCORE, CF_STREAM].reduce<number>(
    (sum, cf) => sum + (store.rocks.intProperty(cf, 'rocksdb.cur-size-all-mem-tables') ?? 0),
    0,
  )
  let clients = 0
  for (const client of server.clients.all()) clients += client.outputBytes + client.queryBytes
  return [
    ['total.allocated', memory.rss],
    ['clients.normal', clients],
    ['lua.caches', server.luaBytes],
    ['javascript.heap', memory.heapUsed],
    ['javascript.buffers', memory.arrayBuffers],
    ['rocksdb.memtables', memtables],
    ['rocksdb.block.cache', cache.used],
    ['rocksdb.block.cache.capacity', cache.capacity],
  ]
}

function stats(context: ServerContext): void {
  const { reply } = context
  const parts = memoryParts(context)
  reply.map(parts.length)
  for (const [name, bytes] of parts) {
    reply.bulkText(name)
    reply.integer(bytes)
  }
}

function doctor(context: ServerContext): void {
  context.reply.verbatim('txt', Buffer.from(`Bytes by use:\n\n${listed(memoryParts(context))}`))
}

function listed(parts: readonly (readonly [string, number])[]): string {
  return parts.map(([name, bytes]) => `${name}: ${bytes}\n`).join('')
}
