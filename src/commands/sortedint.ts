/** Commands of sorted integers, which only Kvrocks has. Source: kvrocks src/commands/cmd_sortedint.cc. */

import type { Bytes } from '../bytes/bytes.js'
import { type Int64, parseUint64, UINT64_MAX } from '../bytes/int64.js'
import type { Args } from '../protocol/args.js'
import { err, NOT_AN_INTEGER } from '../protocol/errors.js'
import * as sortedints from '../types/sortedint.js'
import {
  type AnyCommand,
  type CommandSpec,
  command,
  FAST,
  FIRST_KEY,
  NO_SIZE_CHECK,
  noOptions,
  READONLY,
  WRITE,
} from './command.js'
import type { Context } from './context.js'
import { OptionReader } from './options.js'

const SINCE = '1.3.0'
const MIN_NOT_INTEGER = err("the min isn't integer")
const MAX_NOT_INTEGER = err("the max isn't integer")
const MIN_OVER_MAX = err('min > max')

export const sortedintCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'siadd',
      arity: -3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key id [id ...]',
      summary: 'Adds one or more ids to a set of sorted integers.',
      since: SINCE,
    },
    parseIds,
    ({ db, reply }, args, ids) => reply.integer(sortedints.add(db, args.at(1), ids)),
  ),
  command(
    {
      name: 'sirem',
      arity: -3,
      flags: WRITE | FAST | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key id [id ...]',
      summary: 'Removes one or more ids from a set of sorted integers.',
      since: SINCE,
    },
    parseIds,
    ({ db, reply }, args, ids) => reply.integer(sortedints.remove(db, args.at(1), ids)),
  ),
  command(
    {
      name: 'sicard',
      arity: 2,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns the number of ids in a set of sorted integers.',
      since: SINCE,
    },
    noOptions,
    ({ db, reply }, args) => reply.integer(sortedints.size(db, args.at(1))),
  ),
  command(
    {
      name: 'siexists',
      arity: -3,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key id [id ...]',
      summary: 'Determines whether ids belong to a set of sorted integers.',
      since: SINCE,
    },
    parseIds,
    exist,
  ),
  ranges('sirange', false, 'Returns ids in ascending order, from an offset or after an id.'),
  ranges('sirevrange', true, 'Returns ids in descending order, from an offset or before an id.'),
  valueRanges('sirangebyvalue', false, 'Returns the ids between two values in ascending order.'),
  valueRanges('sirevrangebyvalue', true, 'Returns the ids between two values in descending order.'),
]

function parseIds(args: Args): Int64[] {
  return args.rest(2).map((word) => parseId(word))
}

function parseId(word: Bytes): Int64 {
  const id = parseUint64(word)
  if (id === undefined) throw NOT_AN_INTEGER
  return id
}

function exist({ db, reply }: Context, args: Args, ids: readonly Int64[]): void {
  const flags = sortedints.contains(db, args.at(1), ids)
  reply.array(flags.length)
  for (const flag of flags) reply.integer(flag ? 1 : 0)
}

function ranges(name: string, reverse: boolean, summary: string): AnyCommand {
  const syntax = 'key offset limit [CURSOR id]'
  return command(readRange(name, syntax, summary), (args) => parseRange(args, reverse), replyRange)
}

function valueRanges(name: string, reverse: boolean, summary: string): AnyCommand {
  const syntax = `key ${reverse ? 'max min' : 'min max'} [LIMIT offset count]`
  return command(readRange(name, syntax, summary), (args) => parseValueRange(args, reverse), replyRange)
}

function readRange(name: string, syntax: string, summary: string): CommandSpec {
  return { name, arity: -4, flags: READONLY, keys: FIRST_KEY, syntax, summary, since: SINCE }
}

/** Undefined: the range is empty whatever the key holds. */
type RangeOptions = sortedints.IdRange | undefined

function parseRange(args: Args, reverse: boolean): RangeOptions {
  const options = new OptionReader(args, 2)
  const offset = options.integer(0, Number.MAX_SAFE_INTEGER)
  const limit = options.integer(0, Number.MAX_SAFE_INTEGER)
  const cursor = options.take('cursor') ? parseId(options.word()) : 0
  options.end()
  const range = { reverse, offset, count: limit === 0 ? -1 : limit }
  // The ids after the cursor, in the direction of the range; a cursor of 0 is none, as in Kvrocks.
  if (cursor === 0) return range
  if (reverse) return { ...range, max: BigInt(cursor) - 1n }
  return BigInt(cursor) === UINT64_MAX ? undefined : { ...range, min: BigInt(cursor) + 1n }
}

function parseValueRange(args: Args, reverse: boolean): RangeOptions {
  const options = new OptionReader(args, 4)
  let offset = 0
  let count = -1
  if (options.take('limit')) {
    offset = options.integer(0, Number.MAX_SAFE_INTEGER)
    count = options.integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
  }
  options.end()
  const [minAt, maxAt] = reverse ? [3, 2] : [2, 3]
  const min = parseBound(args.at(minAt), '-inf')
  const max = parseBound(args.at(maxAt), '+inf')
  if (min === undefined) throw MIN_NOT_INTEGER
  if (max === undefined) throw MAX_NOT_INTEGER
  const least = min.isExclusive ? min.value + 1n : min.value
  const greatest = max.isExclusive ? max.value - 1n : max.value
  if (min.value > max.value) throw MIN_OVER_MAX
  return least > greatest ? undefined : { min: least, max: greatest, reverse, offset, count }
}

function parseBound(word: Bytes, infinite: string): { value: bigint; isExclusive: boolean } | undefined {
  if (word.latin1Slice(0).toLowerCase() === infinite) {
    return { value: infinite === '-inf' ? 0n : UINT64_MAX, isExclusive: false }
  }
  const isExclusive = word[0] === 0x28
  const value = parseUint64(isExclusive ? word.subarray(1) : word)
  return value === undefined ? undefined : { value: BigInt(value), isExclusive }
}

function replyRange({ db, reply }: Context, args: Args, range: RangeOptions): void {
  const ids = range === undefined ? [] : sortedints.range(db, args.at(1), range)
  reply.array(ids.length)
  for (const id of ids) reply.bulkText(String(id))
}
