/** String commands. Source: kvrocks src/commands/cmd_string.cc; redis src/t_string.c. */

import type { Bytes } from '../bytes/bytes.js'
import { type Int64, negateInt64 } from '../bytes/int64.js'
import { type LongDouble, parseLongDouble } from '../bytes/long-double.js'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../config/keyspace-events.js'
import type { ConfigValues } from '../config/options.js'
import type { Args } from '../protocol/args.js'
import {
  err,
  NAN_OR_INFINITY,
  NOT_A_FLOAT,
  OFFSET_OUT_OF_RANGE,
  STRING_TOO_LONG,
  SYNTAX,
  wrongArity,
} from '../protocol/errors.js'
import * as strings from '../types/string.js'
import { changesString, readManyShown, readShown, readShownRange, shownLength } from './bitmap-string.js'
import {
  ALL_KEYS,
  type AnyCommand,
  command,
  FAST,
  FIRST_KEY,
  KEY_VALUE_PAIRS,
  NO_SIZE_CHECK,
  noOptions,
  READONLY,
  WRITE,
} from './command.js'
import type { Context } from './context.js'
import { EX, type Expiry, type ExpiryWords, PX, positiveExpiry, takeExpiryAgain, toUnixMs } from './expiry.js'
import { int64At, OptionReader } from './options.js'

export const stringCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'get',
      arity: 2,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns the string value of a key.',
      since: '1.0.0',
    },
    noOptions,
    get,
  ),
  command(
    {
      name: 'getex',
      arity: -2,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]',
      summary: 'Returns the string value of a key after setting its expiration time.',
      since: '6.2.0',
    },
    parseGetEx,
    getEx,
  ),
  command(
    {
      name: 'getset',
      arity: 3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key value',
      summary: 'Returns the previous string value of a key after setting it to a new value.',
      since: '1.0.0',
    },
    noOptions,
    getSet,
  ),
  command(
    {
      name: 'getdel',
      arity: 2,
      flags: WRITE | FAST | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns the string value of a key after deleting the key.',
      since: '6.2.0',
    },
    noOptions,
    getDel,
  ),
  command(
    {
      name: 'mget',
      arity: -2,
      flags: READONLY | FAST,
      keys: ALL_KEYS,
      syntax: 'key [key ...]',
      summary: 'Returns the string values of one or more keys.',
      since: '1.0.0',
    },
    noOptions,
    getMany,
  ),
  command(
    {
      name: 'strlen',
      arity: 2,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns the length of a string value.',
      since: '2.2.0',
    },
    noOptions,
    length,
  ),
  command(
    {
      name: 'getrange',
      arity: 4,
      flags: READONLY,
      keys: FIRST_KEY,
      syntax: 'key start end',
      summary: 'Returns a substring of the string stored at a key.',
      since: '2.4.0',
    },
    parseRange,
    getRange,
  ),
  command(
    {
      name: 'substr',
      arity: 4,
      flags: READONLY,
      keys: FIRST_KEY,
      syntax: 'key start end',
      summary: 'Returns a substring from a string value.',
      since: '1.0.0',
    },
    parseRange,
    getRange,
  ),
  command(
    {
      name: 'setex',
      arity: 4,
      flags: WRITE,
      keys: FIRST_KEY,
      syntax: 'key seconds value',
      summary: 'Sets the string value and expiration time of a key.',
      since: '2.0.0',
    },
    (args) => positiveExpiry(args.at(2), EX, 'setex'),
    setWithExpiry,
  ),
  command(
    {
      name: 'psetex',
      arity: 4,
      flags: WRITE,
      keys: FIRST_KEY,
      syntax: 'key milliseconds value',
      summary: 'Sets both string value and expiration time in milliseconds of a key.',
      since: '2.6.0',
    },
    (args) => positiveExpiry(args.at(2), PX, 'psetex'),
    setWithExpiry,
  ),
  command(
    {
      name: 'setnx',
      arity: 3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key value',
      summary: "Sets the string value of a key only when the key doesn't exist.",
      since: '1.0.0',
    },
    noOptions,
    setIfAbsent,
  ),
  command(
    {
      name: 'mset',
      arity: -3,
      flags: WRITE,
      keys: KEY_VALUE_PAIRS,
      syntax: 'key value [key value ...]',
      summary: 'Atomically creates or modifies the string values of one or more keys.',
      since: '1.0.1',
    },
    (args) => parsePairs(args, 'mset'),
    setMany,
  ),
  command(
    {
      name: 'msetnx',
      arity: -3,
      flags: WRITE,
      keys: KEY_VALUE_PAIRS,
      syntax: 'key value [key value ...]',
      summary: "Atomically modifies the string values of one or more keys only when all keys don't exist.",
      since: '1.0.1',
    },
    (args) => parsePairs(args, 'msetnx'),
    setManyIfAbsent,
  ),
  command(
    {
      name: 'append',
      arity: 3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key value',
      summary: 'Appends a string to the value of a key.',
      since: '2.0.0',
    },
    noOptions,
    changesString(append),
  ),
  command(
    {
      name: 'setrange',
      arity: 4,
      flags: WRITE,
      keys: FIRST_KEY,
      syntax: 'key offset value',
      summary: 'Overwrites a part of a string value with another by an offset.',
      since: '2.2.0',
    },
    (args) => {
      const offset = Number(int64At(args, 2))
      if (offset < 0) throw OFFSET_OUT_OF_RANGE
      return offset
    },
    changesString(setRange),
  ),
  command(
    {
      name: 'incr',
      arity: 2,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Increments the integer value of a key by one.',
      since: '1.0.0',
    },
    () => 1,
    changesString(incrementBy),
  ),
  command(
    {
      name: 'decr',
      arity: 2,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Decrements the integer value of a key by one.',
      since: '1.0.0',
    },
    () => -1,
    changesString(incrementBy),
  ),
  command(
    {
      name: 'incrby',
      arity: 3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key increment',
      summary: 'Increments the integer value of a key by a number.',
      since: '1.0.0',
    },
    (args) => int64At(args, 2),
    changesString(incrementBy),
  ),
  command(
    {
      name: 'decrby',
      arity: 3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key decrement',
      summary: 'Decrements a number from the integer value of a key.',
      since: '1.0.0',
    },
    (args) => {
      const delta = negateInt64(int64At(args, 2))
      if (delta === undefined) throw DECREMENT_OVERFLOW
      return delta
    },
    changesString(incrementBy),
  ),
  command(
    {
      name: 'incrbyfloat',
      arity: 3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key increment',
      summary: 'Increments the floating point value of a key by a number.',
      since: '2.6.0',
    },
    noOptions,
    changesString(incrementByFloat),
  ),
]

const DECREMENT_OVERFLOW = err('decrement would overflow')

function get(context: Context, args: Args): void {
  context.reply.bulkOrNil(readShown(context, args.at(1)))
}

/** How the expiry changes. A time is looked at when the key was found, as Redis does. */
type ExpiryChange = 'persist' | ExpiryWords

function parseGetEx(args: Args): ExpiryChange | undefined {
  const options = new OptionReader(args, 2)
  let change: ExpiryChange | undefined
  while (options.hasMore) {
    const persists = options.take('persist')
    if (change !== undefined && persists !== (change === 'persist')) throw SYNTAX
    change = persists ? 'persist' : takeExpiryAgain(options, change === 'persist' ? undefined : change)
  }
  options.end()
  return change
}

function getEx(context: Context, args: Args, change: ExpiryChange | undefined): void {
  const { db, reply, events } = context
  const key = args.at(1)
  const value = readShown(context, key)
  if (value !== undefined && change !== undefined) {
    const expireMs = change === 'persist' ? 0 : toUnixMs(positiveExpiry(change.time, change.unit, 'getex'), db.nowMs)
    if (expireMs === 0 || expireMs > db.nowMs) strings.expire(db, key, expireMs)
    else strings.remove(db, key)
    const event = expireMs === 0 ? 'persist' : expireMs > db.nowMs ? 'expire' : 'del'
    events.notify(NOTIFY_GENERIC, event, key)
  }
  reply.bulkOrNil(value)
}

function getSet(context: Context, args: Args): void {
  const { db, reply, events } = context
  reply.bulkOrNil(readShown(context, args.at(1)))
  strings.write(db, args.at(1), args.at(2))
  events.notify(NOTIFY_STRING, 'set', args.at(1))
}

function getDel(context: Context, args: Args): void {
  const { db, reply, events } = context
  const value = readShown(context, args.at(1))
  if (value !== undefined) {
    strings.remove(db, args.at(1))
    events.notify(NOTIFY_GENERIC, 'del', args.at(1))
  }
  reply.bulkOrNil(value)
}

function getMany(context: Context, args: Args): void {
  const { reply } = context
  const values = readManyShown(context, args.rest(1))
  reply.array(values.length)
  for (const value of values) reply.bulkOrNil(value)
}

function length(context: Context, args: Args): void {
  context.reply.integer(shownLength(context, args.at(1)))
}

interface Range {
  readonly start: number
  readonly stop: number
}

function parseRange(args: Args): Range {
  return { start: Number(int64At(args, 2)), stop: Number(int64At(args, 3)) }
}

function getRange(context: Context, args: Args, { start, stop }: Range): void {
  context.reply.bulk(readShownRange(context, args.at(1), start, stop))
}

function setWithExpiry({ db, reply, events }: Context, args: Args, expiry: Expiry): void {
  const key = args.at(1)
  strings.write(db, key, args.at(3), toUnixMs(expiry, db.nowMs))
  events.notify(NOTIFY_STRING, 'set', key)
  events.notify(NOTIFY_GENERIC, 'expire', key)
  reply.ok()
}

function setIfAbsent({ db, reply, events }: Context, args: Args): void {
  const key = args.at(1)
  if (strings.anyExists(db, [key])) {
    reply.integer(0)
    return
  }
  strings.write(db, key, args.at(2))
  events.notify(NOTIFY_STRING, 'set', key)
  reply.integer(1)
}

function parsePairs(args: Args, name: string): [Bytes, Bytes][] {
  if (args.count % 2 === 0) throw wrongArity(name)
  const pairs: [Bytes, Bytes][] = []
  for (let index = 1; index < args.count; index += 2) pairs.push([args.at(index), args.at(index + 1)])
  return pairs
}

function setMany({ db, reply, events }: Context, _args: Args, pairs: [Bytes, Bytes][]): void {
  strings.writeMany(db, pairs, (key) => events.notify(NOTIFY_STRING, 'set', key))
  reply.ok()
}

function setManyIfAbsent(context: Context, args: Args, pairs: [Bytes, Bytes][]): void {
  const { db, reply } = context
  const keys = pairs.map(([key]) => key)
  if (strings.anyExists(db, keys)) {
    reply.integer(0)
    return
  }
  const start = reply.length
  setMany(context, args, pairs)
  reply.truncate(start)
  reply.integer(1)
}

function append({ db, reply, config, events }: Context, args: Args): void {
  const length = strings.append(db, args.at(1), args.at(2), (bytes) => checkLength(config, bytes))
  events.notify(NOTIFY_STRING, 'append', args.at(1))
  reply.integer(length)
}

function setRange({ db, reply, config, events }: Context, args: Args, offset: number): void {
  const patch = args.at(3)
  const length = strings.writeRange(db, args.at(1), offset, patch, (bytes) => checkLength(config, bytes))
  if (patch.length > 0) events.notify(NOTIFY_STRING, 'setrange', args.at(1))
  reply.integer(length)
}

function checkLength(config: Readonly<ConfigValues>, bytes: number): void {
  if (bytes > config['proto-max-bulk-len']) throw STRING_TOO_LONG
}

function incrementBy({ db, reply, events }: Context, args: Args, delta: Int64): void {
  reply.integer(strings.increment(db, args.at(1), delta))
  events.notify(NOTIFY_STRING, 'incrby', args.at(1))
}

function parseFloatDelta(text: Bytes): LongDouble {
  const delta = parseLongDouble(text)
  if (delta === undefined) throw NOT_A_FLOAT
  if (delta === 'infinite') throw NAN_OR_INFINITY
  return delta
}

function incrementByFloat({ db, reply, events }: Context, args: Args): void {
  const key = args.at(1)
  reply.bulk(strings.incrementFloat(db, key, () => parseFloatDelta(args.at(2))))
  events.notify(NOTIFY_STRING, 'incrbyfloat', key)
}
