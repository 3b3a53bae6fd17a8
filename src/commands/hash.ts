/** Hash commands. Source: kvrocks src/commands/cmd_hash.cc; redis src/t_hash.c. */

import type { Bytes } from '../bytes/bytes.js'
import type { Int64 } from '../bytes/int64.js'
import { type LongDouble, parseLongDouble } from '../bytes/long-double.js'
import { NOTIFY_GENERIC, NOTIFY_HASH } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, NOT_A_FLOAT, SYNTAX, VALUE_NAN_OR_INFINITY, wrongArity } from '../protocol/errors.js'
import * as hashes from '../types/hash.js'
import { type LexRange, lexBounds } from '../types/lex-range.js'
import {
  type AnyCommand,
  command,
  FAST,
  FIRST_KEY,
  NO_SIZE_CHECK,
  noOptions,
  READONLY,
  SLOW,
  WRITE,
} from './command.js'
import type { Context } from './context.js'
import { parseRandom, type RandomOptions, replyRandom } from './draws.js'
import type { KeyEvents } from './key-events.js'
import { int64At, OptionReader } from './options.js'
import { replyRows } from './streamed.js'

const READ_FAST = { flags: READONLY | FAST, keys: FIRST_KEY }
const READ_ALL = { flags: READONLY | SLOW, keys: FIRST_KEY }
const WRITE_FAST = { flags: WRITE | FAST, keys: FIRST_KEY }

export const hashCommands: readonly AnyCommand[] = [
  command(
    {
      ...READ_FAST,
      name: 'hget',
      arity: 3,
      syntax: 'key field',
      summary: 'Returns the value of a field in a hash.',
      since: '2.0.0',
    },
    noOptions,
    get,
  ),
  command(
    {
      ...WRITE_FAST,
      name: 'hset',
      arity: -4,
      syntax: 'key field value [field value ...]',
      summary: 'Creates or modifies the value of a field in a hash.',
      since: '2.0.0',
    },
    (args) => parsePairs(args, 'hset'),
    (context, args, pairs) => context.reply.integer(store(context, args, pairs)),
  ),
  command(
    {
      ...WRITE_FAST,
      name: 'hmset',
      arity: -4,
      syntax: 'key field value [field value ...]',
      summary: 'Sets the values of multiple fields.',
      since: '2.0.0',
    },
    (args) => parsePairs(args, 'hmset'),
    (context, args, pairs) => {
      store(context, args, pairs)
      context.reply.ok()
    },
  ),
  command(
    {
      ...WRITE_FAST,
      name: 'hsetnx',
      arity: -4,
      syntax: 'key field value [field value ...]',
      summary: "Sets the value of a field in a hash only when the field doesn't exist.",
      since: '2.0.0',
    },
    (args) => parsePairs(args, 'hsetnx'),
    setIfAbsent,
  ),
  command(
    {
      name: 'hdel',
      arity: -3,
      flags: WRITE | FAST | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key field [field ...]',
      summary: 'Deletes one or more fields and their values from a hash.',
      since: '2.0.0',
    },
    noOptions,
    remove,
  ),
  command(
    {
      ...READ_FAST,
      name: 'hmget',
      arity: -3,
      syntax: 'key field [field ...]',
      summary: 'Returns the values of all fields in a hash.',
      since: '2.0.0',
    },
    noOptions,
    getMany,
  ),
  command(
    {
      ...READ_FAST,
      name: 'hlen',
      arity: 2,
      syntax: 'key',
      summary: 'Returns the number of fields in a hash.',
      since: '2.0.0',
    },
    noOptions,
    ({ db, reply }, args) => reply.integer(hashes.size(db, args.at(1))),
  ),
  command(
    {
      ...READ_FAST,
      name: 'hstrlen',
      arity: 3,
      syntax: 'key field',
      summary: 'Returns the length of the value of a field.',
      since: '3.2.0',
    },
    noOptions,
    ({ db, reply }, args) => reply.integer(hashes.get(db, args.at(1), args.at(2))?.length ?? 0),
  ),
  command(
    {
      ...READ_FAST,
      name: 'hexists',
      arity: 3,
      syntax: 'key field',
      summary: 'Determines whether a field exists in a hash.',
      since: '2.0.0',
    },
    noOptions,
    ({ db, reply }, args) => reply.integer(hashes.get(db, args.at(1), args.at(2)) === undefined ? 0 : 1),
  ),
  command(
    {
      ...READ_ALL,
      name: 'hkeys',
      arity: 2,
      syntax: 'key',
      summary: 'Returns all fields in a hash.',
      since: '2.0.0',
    },
    noOptions,
    (context, args) => replyAll(context, args.at(1), 'fields'),
  ),
  command(
    {
      ...READ_ALL,
      name: 'hvals',
      arity: 2,
      syntax: 'key',
      summary: 'Returns all values in a hash.',
      since: '2.0.0',
    },
    noOptions,
    (context, args) => replyAll(context, args.at(1), 'values'),
  ),
  command(
    {
      ...READ_ALL,
      name: 'hgetall',
      arity: 2,
      syntax: 'key',
      summary: 'Returns all fields and values in a hash.',
      since: '2.0.0',
    },
    noOptions,
    (context, args) => replyAll(context, args.at(1), 'pairs'),
  ),
  command(
    {
      ...WRITE_FAST,
      name: 'hincrby',
      arity: 4,
      syntax: 'key field increment',
      summary: 'Increments the integer value of a field in a hash by a number.',
      since: '2.0.0',
    },
    (args) => int64At(args, 3),
    incrementBy,
  ),
  command(
    {
      ...WRITE_FAST,
      name: 'hincrbyfloat',
      arity: 4,
      syntax: 'key field increment',
      summary: 'Increments the floating point value of a field by a number.',
      since: '2.6.0',
    },
    parseFloatDelta,
    incrementByFloat,
  ),
  command(
    {
      ...READ_ALL,
      name: 'hrandfield',
      arity: -2,
      syntax: 'key [count [WITHVALUES]]',
      summary: 'Returns one or more random fields from a hash.',
      since: '6.2.0',
    },
    (args) => parseRandom(args, 'withvalues'),
    randomFields,
  ),
  command(
    {
      name: 'hrangebylex',
      arity: -4,
      flags: READONLY,
      keys: FIRST_KEY,
      syntax: 'key min max [REV] [LIMIT offset count]',
      summary: 'Returns fields and values whose fields lie in a lexicographical range.',
      since: '2.3.0',
    },
    parseRange,
    rangeByLex,
  ),
]

function get({ db, reply }: Context, args: Args): void {
  reply.bulkOrNil(hashes.get(db, args.at(1), args.at(2)))
}

function parsePairs(args: Args, name: string): hashes.FieldValue[] {
  if (args.count % 2 !== 0) throw wrongArity(name)
  const pairs: hashes.FieldValue[] = []
  for (let index = 2; index < args.count; index += 2) pairs.push([args.at(index), args.at(index + 1)])
  return pairs
}

/** Tells of fields that a write found expired. */
function expired(events: KeyEvents, args: Args): () => void {
  return () => events.notify(NOTIFY_HASH, 'hexpired', args.at(1))
}

function store({ db, events }: Context, args: Args, pairs: readonly hashes.FieldValue[]): number {
  const key = args.at(1)
  const added = hashes.set(db, key, pairs, { onExpired: expired(events, args) })
  events.notify(NOTIFY_HASH, 'hset', key)
  return added
}

function setIfAbsent({ db, reply, events }: Context, args: Args, pairs: readonly hashes.FieldValue[]): void {
  const added = hashes.set(db, args.at(1), pairs, { onlyNew: true, onExpired: expired(events, args) })
  if (added > 0) events.notify(NOTIFY_HASH, 'hset', args.at(1))
  reply.integer(added)
}

function remove({ db, reply, events }: Context, args: Args): void {
  const { removed, isEmpty } = hashes.remove(db, args.at(1), args.rest(2), expired(events, args))
  if (removed > 0) events.notify(NOTIFY_HASH, 'hdel', args.at(1))
  if (isEmpty) events.notify(NOTIFY_GENERIC, 'del', args.at(1))
  reply.integer(removed)
}

function getMany({ db, reply }: Context, args: Args): void {
  const values = hashes.getMany(db, args.at(1), args.rest(2))
  reply.array(values.length)
  for (const value of values) reply.bulkOrNil(value)
}

function replyAll(context: Context, key: Bytes, part: 'fields' | 'values' | 'pairs'): void {
  const found = hashes.scan(context.db, key)
  if (found === undefined) {
    if (part === 'pairs') context.reply.map(0)
    else context.reply.array(0)
    return
  }
  const { size } = found
  replyRows(context, {
    rows: size,
    begin: (reply, rows) => (part === 'pairs' ? reply.map(rows) : reply.array(rows)),
    open: () => found.open({ values: part !== 'fields', rowsExpected: size }),
    write(reply, cursor) {
      if (part !== 'values') cursor.writeKey(reply)
      if (part !== 'fields') cursor.writeValue(reply)
    },
  })
}

function incrementBy({ db, reply, events }: Context, args: Args, delta: Int64): void {
  reply.integer(hashes.increment(db, args.at(1), args.at(2), delta, expired(events, args)))
  events.notify(NOTIFY_HASH, 'hincrby', args.at(1))
}

function parseFloatDelta(args: Args): LongDouble {
  const delta = parseLongDouble(args.at(3))
  if (delta === undefined) throw NOT_A_FLOAT
  if (delta === 'infinite') throw VALUE_NAN_OR_INFINITY
  return delta
}

function incrementByFloat({ db, reply, events }: Context, args: Args, delta: LongDouble): void {
  reply.bulk(hashes.incrementFloat(db, args.at(1), args.at(2), delta, expired(events, args)))
  events.notify(NOTIFY_HASH, 'hincrbyfloat', args.at(1))
}

function randomFields(context: Context, args: Args, { count, withValues }: RandomOptions): void {
  const { db, reply } = context
  if (count === undefined) {
    reply.bulkOrNil(hashes.sample(db, args.at(1), 1, false)[0]?.key)
    return
  }
  replyRandom(
    context,
    count,
    (wanted) => hashes.sample(db, args.at(1), wanted, withValues),
    (to, total) => to.array(withValues && to.protocol === 2 ? total * 2 : total),
    (to, { key, value }) => {
      if (withValues && to.protocol === 3) to.array(2)
      to.bulk(key)
      if (withValues) to.bulk(value)
    },
  )
}

interface RangeOptions {
  readonly range: LexRange
  readonly reverse: boolean
  readonly offset: number
  /** Negative: all. */
  readonly count: number
}

const ILLEGAL_MIN = err('the min is illegal')
const ILLEGAL_MAX = err('the max is illegal')

function parseRange(args: Args): RangeOptions {
  const options = new OptionReader(args, 4)
  let reverse = false
  let offset = 0
  let count = -1
  while (options.hasMore) {
    if (options.take('rev')) {
      reverse = true
    } else if (options.take('limit')) {
      offset = options.integer(0, Number.MAX_SAFE_INTEGER)
      count = options.integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    } else {
      throw SYNTAX
    }
  }
  options.end()
  const [minAt, maxAt] = reverse ? [3, 2] : [2, 3]
  const min = parseBound(args.at(minAt), '-')
  const max = parseBound(args.at(maxAt), '+')
  if (min === undefined) throw ILLEGAL_MIN
  if (max === undefined) throw ILLEGAL_MAX
  const range = { min: min.at, minExclusive: min.isExclusive, max: max.at, maxExclusive: max.isExclusive }
  return { range, reverse, offset, count }
}

interface Bound {
  readonly at: Bytes | undefined
  readonly isExclusive: boolean
}

/** `[x`, `(x`, or `open`; undefined if it is none of them. */
function parseBound(text: Bytes, open: string): Bound | undefined {
  const first = String.fromCharCode(text[0] ?? 0)
  if (first === open && text.length === 1) return { at: undefined, isExclusive: false }
  if (first !== '[' && first !== '(') return undefined
  return { at: text.subarray(1), isExclusive: first === '(' }
}

function rangeByLex({ db, reply }: Context, args: Args, options: RangeOptions): void {
  const found = hashes.scan(db, args.at(1))
  if (found === undefined || options.count === 0) {
    reply.array(0)
    return
  }
  reply.counted('array', () => {
    using cursor = found.open({ ...lexBounds(options.range), reverse: options.reverse })
    for (let skipped = 0; skipped < options.offset; skipped++) if (!cursor.next()) return 0
    let written = 0
    while ((options.count < 0 || written < options.count) && cursor.next()) {
      reply.bulk(cursor.key)
      reply.bulk(cursor.value)
      written++
    }
    return written * 2
  })
}
