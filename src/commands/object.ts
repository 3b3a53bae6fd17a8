/** What can be told of a key: OBJECT, KMETADATA, DISK and MEMORY. Source: kvrocks src/commands/cmd_key.cc, cmd_server.cc. */

import type { Args } from '../protocol/args.js'
import { err, NO_SUCH_KEY_FOUND, SYNTAX } from '../protocol/errors.js'
import { CF_METADATA, COLUMN_FAMILY_NAMES } from '../storage/column-family.js'
import * as keys from '../types/key.js'
import * as info from '../types/key-info.js'
import {
  type AnyCommand,
  command,
  container,
  FIRST_KEY,
  noOptions,
  READONLY,
  SECOND_KEY,
  SLOW,
  serverCommand,
} from './command.js'
import type { Context, ServerContext } from './context.js'
import { OptionReader } from './options.js'

const OF_KEY = { arity: 3, flags: READONLY | SLOW, keys: SECOND_KEY, syntax: 'key' }

export const objectCommands: readonly AnyCommand[] = [
  container(
    { name: 'object', flags: READONLY, summary: 'A container for object introspection commands.', since: '2.2.3' },
    [
      command(
        {
          ...OF_KEY,
          name: 'object|encoding',
          summary: 'Returns the encoding that Redis would choose for the value.',
          since: '2.2.3',
        },
        noOptions,
        ({ db, reply }, args) => {
          const encoding = info.redisEncoding(db, args.at(2))
          if (encoding === undefined) reply.nil()
          else reply.bulkText(encoding)
        },
      ),
      command(
        {
          ...OF_KEY,
          name: 'object|freq',
          summary: 'Frequencies of access are not kept, as in Redis without an LFU policy.',
          since: '4.0.0',
        },
        noOptions,
        ({ db, reply }, args) => {
          if (keys.exists(db, args.at(2))) throw NO_FREQUENCY
          reply.nil()
        },
      ),
      command(
        {
          ...OF_KEY,
          name: 'object|idletime',
          summary: 'Times of access are not kept, so a key that exists was idle for 0 seconds.',
          since: '2.2.3',
        },
        noOptions,
        ({ db, reply }, args) => countOfKey({ db, reply }, args, 0),
      ),
      command(
        {
          ...OF_KEY,
          name: 'object|refcount',
          summary: 'Returns the number of references to the value, which no other key shares.',
          since: '2.2.3',
        },
        noOptions,
        ({ db, reply }, args) => countOfKey({ db, reply }, args, 1),
      ),
      command(
        { ...OF_KEY, name: 'object|dump', summary: 'Returns the metadata of a key by field.', since: '2.0.0' },
        noOptions,
        dumpMetadata,
      ),
    ],
  ),
  command(
    {
      name: 'kmetadata',
      arity: 2,
      flags: READONLY,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns the metadata of a key as a map.',
      since: '2.12.0',
    },
    noOptions,
    mapMetadata,
  ),
  container({ name: 'disk', flags: READONLY, summary: 'A container for commands about disk space.', since: '2.2.0' }, [
    usageCommand('disk|usage', 'Estimates the bytes that a key takes.', '2.2.0'),
  ]),
  container(
    { name: 'memory', flags: READONLY, summary: 'A container for memory diagnostics commands.', since: '4.0.0' },
    [
      usageCommand('memory|usage', 'Estimates the bytes that a key takes, in memory and on disk.', '4.0.0'),
      serverCommand(
        {
          name: 'memory|doctor',
          arity: 2,
          flags: READONLY,
          syntax: '',
          summary: 'Says which part of the memory RocksDB holds.',
          since: '4.0.0',
        },
        noOptions,
        diagnose,
      ),
      serverCommand(
        {
          name: 'memory|stats',
          arity: 2,
          flags: READONLY,
          syntax: '',
          summary: 'Returns details about memory usage.',
          since: '4.0.0',
        },
        noOptions,
        memoryStats,
      ),
    ],
  ),
]

const NO_FREQUENCY = err(
  'An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
)

function countOfKey({ db, reply }: Pick<Context, 'db' | 'reply'>, args: Args, count: number): void {
  if (keys.exists(db, args.at(2))) reply.integer(count)
  else reply.nil()
}

/** Kvrocks: pairs in one flat array, all values as text; none for a key that does not exist. */
function dumpMetadata({ db, reply }: Context, args: Args): void {
  const facts = info.factsOf(db, args.at(2))
  if (facts === undefined) {
    reply.array(0)
    return
  }
  const { type, version, expireMs, size, isWide, ends } = facts
  const fields: info.KeyFact[] = [
    ['namespace', db.namespace.latin1Slice(0)],
    ['type', type],
    ['version', version],
    ['expire', storedSeconds(expireMs)],
    ['pexpire', expireMs],
    ['size', size],
    ['is_64bit_common_field', isWide ? 1 : 0],
    ['created_at', localTime(info.createdAtUs(version))],
  ]
  if (ends !== undefined) fields.push(['head', ends.head], ['tail', ends.tail])
  reply.array(fields.length * 2)
  for (const [name, value] of fields) {
    reply.bulkText(name)
    reply.bulkText(String(value))
  }
}

/** Seconds as the 32-bit form of a row has them. Source: kvrocks Metadata::ExpireMsToS. */
function storedSeconds(ms: number): number {
  if (ms === 0) return 0
  return ms < 1000 ? 1 : Math.floor((ms + 499) / 1000)
}

function localTime(us: number): string {
  const date = new Date(us / 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${us % 1_000_000}`
}

function mapMetadata({ db, reply }: Context, args: Args): void {
  const facts = info.factsOf(db, args.at(1))
  if (facts === undefined) throw NO_SUCH_KEY_FOUND
  const { type, isSingleRow, size, expireMs, flags, version, ends } = facts
  const fields: info.KeyFact[] = [['type', type]]
  if (!isSingleRow) fields.push(['size', size])
  fields.push(['expire', expireMs], ['flags', flags])
  if (!isSingleRow) fields.push(['version', version])
  if (ends !== undefined) fields.push(['head', ends.head], ['tail', ends.tail])
  reply.map(fields.length)
  for (const [name, value] of fields) {
    reply.bulkText(name)
    if (typeof value === 'string') reply.bulkText(value)
    else reply.integer(value)
  }
}

function usageCommand(name: string, summary: string, since: string): AnyCommand {
  return serverCommand(
    { name, arity: -3, flags: READONLY, keys: SECOND_KEY, syntax: 'key [SAMPLES count]', summary, since },
    (args) => {
      const options = new OptionReader(args, 3)
      while (options.hasMore) {
        if (!options.take('samples')) throw SYNTAX
        if (options.int64() < 0) options.refuse(SYNTAX)
      }
      options.end()
    },
    ({ db, store, reply }, args) => {
      const bytes = info.storedBytes(db, store.rocks, args.at(2))
      if (bytes === undefined) reply.nil()
      else reply.integer(bytes)
    },
  )
}

/** Where the process's memory is, in bytes. */
function memoryParts({ store }: ServerContext): readonly (readonly [name: string, bytes: number])[] {
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
  const families = [...COLUMN_FAMILY_NAMES.keys()]
  const sum = (property: string): number =>
    families.reduce((total, cf) => total + (store.rocks.intProperty(cf, property) ?? 0), 0)
  return [
    ['total.allocated', rss],
    ['javascript.heap', heapTotal],
    ['javascript.used', heapUsed],
    ['javascript.external', external],
    // The cache is shared, so each column family reports all of it.
    ['rocksdb.block-cache', store.rocks.intProperty(CF_METADATA, 'rocksdb.block-cache-usage') ?? 0],
    ['rocksdb.memtables', sum('rocksdb.cur-size-all-mem-tables')],
    ['rocksdb.table-readers', sum('rocksdb.estimate-table-readers-mem')],
  ]
}

function memoryStats(context: ServerContext): void {
  const { reply } = context
  const parts = memoryParts(context)
  reply.map(parts.length)
  for (const [name, bytes] of parts) {
    reply.bulkText(name)
    reply.integer(bytes)
  }
}

const MIB = 1024 * 1024

function diagnose(context: ServerContext): void {
  const parts = new Map(memoryParts(context))
  const mib = (name: string): string => `${((parts.get(name) ?? 0) / MIB).toFixed(1)} MiB`
  const text =
    `The process takes ${mib('total.allocated')}: JavaScript ${mib('javascript.heap')}, RocksDB's block cache ` +
    `${mib('rocksdb.block-cache')}, its memtables ${mib('rocksdb.memtables')} and table readers ` +
    `${mib('rocksdb.table-readers')}. Data is on disk: see rocksdb.block_cache_size and rocksdb.write_buffer_size.`
  context.reply.verbatim('txt', Buffer.from(text))
}
