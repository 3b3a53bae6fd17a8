/** What can be told of a key: OBJECT and KMETADATA. Source: kvrocks src/commands/cmd_key.cc; redis src/object.c. */

import type { Args } from '../protocol/args.js'
import { err, NO_SUCH_KEY_FOUND } from '../protocol/errors.js'
import * as keys from '../types/key.js'
import * as info from '../types/key-info.js'
import { type AnyCommand, command, container, FIRST_KEY, noOptions, READONLY, SECOND_KEY, SLOW } from './command.js'
import type { Context } from './context.js'

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
