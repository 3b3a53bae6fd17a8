/** String commands on several keys with options: MSETEX and LCS. Source: redis src/t_string.c. */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, ReplyError, SYNTAX } from '../protocol/errors.js'
import * as lcs from '../types/lcs.js'
import * as strings from '../types/string.js'
import { inspectShown } from './bitmap-string.js'
import { type AnyCommand, command, FIRST_TWO_KEYS, noOptions, READONLY, SLOW, WRITE } from './command.js'
import type { Context } from './context.js'
import { type Expiry, expiryOf, type TtlWords, takeTtl, toUnixMs } from './expiry.js'
import { integerAt, OptionReader } from './options.js'

export const multiStringCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'msetex',
      arity: -4,
      flags: WRITE,
      keys: pairIndexes,
      syntax:
        'numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]',
      summary: 'Sets several string values with one expiration time, if all or none of their keys exist.',
      since: '8.4.0',
    },
    parseMultiSet,
    setMany,
  ),
  command(
    {
      name: 'lcs',
      arity: -3,
      flags: READONLY | SLOW,
      keys: FIRST_TWO_KEYS,
      syntax: 'key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]',
      summary: 'Finds the longest common substring.',
      since: '7.0.0',
    },
    noOptions,
    findCommon,
  ),
]

const FIRST_PAIR = 2
const PAIRS_MAX = 2 ** 30
const BAD_NUMKEYS = err('invalid numkeys value')
const WRONG_PAIRS = err('wrong number of key-value pairs')

function pairIndexes(args: Args): readonly number[] {
  try {
    const count = pairCount(args)
    return Array.from({ length: count }, (_, index) => FIRST_PAIR + index * 2)
  } catch (error) {
    if (error instanceof ReplyError) return []
    throw error
  }
}

function pairCount(args: Args): number {
  const count = integerAt(args, 1, 1, PAIRS_MAX, BAD_NUMKEYS)
  if (FIRST_PAIR + count * 2 > args.count) throw WRONG_PAIRS
  return count
}

interface MultiSetOptions {
  readonly pairs: readonly (readonly [Bytes, Bytes])[]
  readonly condition: 'absent' | 'present' | undefined
  readonly expiry: Expiry | undefined
  readonly keepsTtl: boolean
}

function parseMultiSet(args: Args): MultiSetOptions {
  const indexes = Array.from({ length: pairCount(args) }, (_, index) => FIRST_PAIR + index * 2)
  const pairs = indexes.map((index) => [args.at(index), args.at(index + 1)] as const)
  const options = new OptionReader(args, FIRST_PAIR + pairs.length * 2)
  let condition: MultiSetOptions['condition']
  const ttl: TtlWords = { expiry: undefined, isKept: false }
  while (options.hasMore) {
    const taken = options.take('nx') ? 'absent' : options.take('xx') ? 'present' : undefined
    if (taken !== undefined) {
      if (condition !== undefined && condition !== taken) throw SYNTAX
      condition = taken
    } else {
      takeTtl(options, ttl)
    }
  }
  options.end()
  return { pairs, condition, expiry: expiryOf(ttl.expiry, 'msetex'), keepsTtl: ttl.isKept }
}

function setMany({ db, reply, events }: Context, _args: Args, options: MultiSetOptions): void {
  const { pairs, condition, expiry, keepsTtl } = options
  const former = condition === undefined && !keepsTtl ? [] : pairs.map(([key]) => strings.inspect(db, key))
  const isAllowed = former.every((current) => {
    const isPresent = current.value !== undefined || current.isOtherType
    return condition === undefined || isPresent === (condition === 'present')
  })
  if (!isAllowed) {
    reply.integer(0)
    return
  }
  const expireMs = expiry === undefined ? 0 : toUnixMs(expiry, db.nowMs)
  const tell = (key: Bytes): void => {
    events.notify(NOTIFY_STRING, 'set', key)
    if (expiry !== undefined) events.notify(NOTIFY_GENERIC, 'expire', key)
  }
  strings.writeMany(db, pairs, tell, keepsTtl ? former.map((current) => current.expireMs) : expireMs)
  reply.integer(1)
}

interface LcsOptions {
  readonly lengthOnly: boolean
  readonly withIndexes: boolean
  readonly withMatchLength: boolean
  readonly matchLengthMin: number
}

const LENGTH_AND_INDEXES = err('If you want both the length and indexes, please just use IDX.')
const TABLE_TOO_LARGE = err('Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len')
const NOT_STRINGS = err('The specified keys must contain string values')

function parseLcs(args: Args): LcsOptions {
  const options = new OptionReader(args, 3)
  let lengthOnly = false
  let withIndexes = false
  let withMatchLength = false
  let matchLengthMin = 0
  while (options.hasMore) {
    if (options.take('len')) lengthOnly = true
    else if (options.take('idx')) withIndexes = true
    else if (options.take('withmatchlen')) withMatchLength = true
    else if (options.take('minmatchlen')) matchLengthMin = Math.max(0, Number(options.int64()))
    else throw SYNTAX
  }
  options.end()
  if (lengthOnly && withIndexes) throw LENGTH_AND_INDEXES
  return { lengthOnly, withIndexes, withMatchLength, matchLengthMin }
}

function findCommon(context: Context, args: Args): void {
  const { reply, config } = context
  const first = inspectShown(context, args.at(1))
  const second = inspectShown(context, args.at(2))
  if (first.isOtherType || second.isOtherType) throw NOT_STRINGS
  // Redis looks at the keys first.
  const options = parseLcs(args)
  const a = first.value ?? EMPTY
  const b = second.value ?? EMPTY
  if (lcs.tableBytes(a, b) > config['proto-max-bulk-len']) throw TABLE_TOO_LARGE
  if (options.lengthOnly) {
    reply.integer(lcs.commonLength(a, b))
    return
  }
  const common = lcs.commonSubsequence(a, b)
  if (options.withIndexes) replyRuns(reply, common, options)
  else reply.bulk(common.value)
}

function replyRuns(reply: Context['reply'], { value, runs }: lcs.CommonSubsequence, options: LcsOptions): void {
  const shown = runs.filter((run) => run.aLast - run.aFirst + 1 >= options.matchLengthMin)
  reply.map(2)
  reply.bulkText('matches')
  reply.array(shown.length)
  for (const { aFirst, aLast, bFirst, bLast } of shown) {
    reply.array(options.withMatchLength ? 3 : 2)
    for (const [from, to] of [
      [aFirst, aLast],
      [bFirst, bLast],
    ] as const) {
      reply.array(2)
      reply.integer(from)
      reply.integer(to)
    }
    if (options.withMatchLength) reply.integer(aLast - aFirst + 1)
  }
  reply.bulkText('len')
  reply.integer(value.length)
}
