/** Sorted set commands on ranges. Source: kvrocks src/commands/cmd_zset.cc; redis src/t_zset.c. */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import { parseDouble } from '../bytes/double.js'
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, SYNTAX } from '../protocol/errors.js'
import * as zsets from '../types/zset.js'
import type { MemberRange, RangeWindow, RankRange, ScoreRange, ZsetRange } from '../types/zset-range.js'
import * as ranges from '../types/zset-range.js'
import {
  type AnyCommand,
  command,
  FAST,
  FIRST_KEY,
  FIRST_TWO_KEYS,
  NO_SIZE_CHECK,
  READONLY,
  SLOW,
  WRITE,
} from './command.js'
import type { Context } from './context.js'
import { int64At, OptionReader } from './options.js'
import { replyRows, replyUncounted } from './streamed.js'
import { elementsPerMember, writeMember } from './zset.js'

// The texts are Redis's, with the words that Kvrocks's tests look for after them.
const SCORE_NOT_FLOAT = err('min or max is not a float: not a double')
const MIN_NOT_MEMBER = err('min or max not valid string range item: the min is illegal')
const MAX_NOT_MEMBER = err('min or max not valid string range item: the max is illegal')
const MIN_OVER_MAX = err('min > max')
const LIMIT_OF_RANKS = err('syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX')
const SCORES_OF_LEX = err('syntax error, WITHSCORES not supported in combination with BYLEX')

type RangeKind = ZsetRange['kind']

/** What a command's name says of its range; undefined: its options do. */
interface RangeForm {
  readonly kind: RangeKind | undefined
  readonly reverse: boolean | undefined
}

interface RangeOptions {
  readonly range: ZsetRange
  readonly window: RangeWindow
  readonly withScores: boolean
}

function readsRange(name: string, kind: RangeKind, reverse: boolean, since: string, syntax: string): AnyCommand {
  const order = reverse ? 'in reverse order' : 'in order'
  const what = { rank: 'indexes', score: 'scores', lex: 'members' }[kind]
  const summary = `Returns members in a sorted set within a range of ${what}, ${order}.`
  return command(
    { name, arity: -4, flags: READONLY | SLOW, keys: FIRST_KEY, syntax, summary, since },
    (args) => parseRange(args, 2, { kind, reverse }),
    range,
  )
}

function countsRange(name: string, kind: 'score' | 'lex', since: string, parse: (args: Args) => ZsetRange): AnyCommand {
  const summary = `Returns the number of members in a sorted set within a range of ${kind === 'lex' ? 'members' : 'scores'}.`
  return command(
    { name, arity: 4, flags: READONLY | FAST, keys: FIRST_KEY, syntax: 'key min max', summary, since },
    parse,
    ({ db, reply }, args, counted) => reply.integer(ranges.count(db, args.at(1), counted)),
  )
}

function removesRange(
  name: string,
  what: string,
  syntax: string,
  since: string,
  parse: (args: Args) => ZsetRange,
): AnyCommand {
  const summary = `Removes members in a sorted set within a range of ${what}. Deletes the sorted set if all were removed.`
  return command(
    { name, arity: 4, flags: WRITE | SLOW | NO_SIZE_CHECK, keys: FIRST_KEY, syntax, summary, since },
    parse,
    (context, args, removed) => removeRange(context, args, removed, name),
  )
}

export const zsetRangeCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'zrange',
      arity: -4,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]',
      summary: 'Returns members in a sorted set within a range of indexes, scores or members.',
      since: '1.2.0',
    },
    (args) => parseRange(args, 2, { kind: undefined, reverse: undefined }),
    range,
  ),
  command(
    {
      name: 'zrangestore',
      arity: -5,
      flags: WRITE | SLOW,
      keys: FIRST_TWO_KEYS,
      syntax: 'dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]',
      summary: 'Stores a range of members from a sorted set in a key.',
      since: '6.2.0',
    },
    (args) => parseRange(args, 3, { kind: undefined, reverse: undefined }, false),
    rangeStore,
  ),
  readsRange('zrevrange', 'rank', true, '1.2.0', 'key start stop [WITHSCORES]'),
  readsRange('zrangebyscore', 'score', false, '1.0.5', 'key min max [WITHSCORES] [LIMIT offset count]'),
  readsRange('zrevrangebyscore', 'score', true, '2.2.0', 'key max min [WITHSCORES] [LIMIT offset count]'),
  readsRange('zrangebylex', 'lex', false, '2.8.9', 'key min max [LIMIT offset count]'),
  readsRange('zrevrangebylex', 'lex', true, '2.8.9', 'key max min [LIMIT offset count]'),
  countsRange('zcount', 'score', '2.0.0', (args) => parseScores(args, 2, 3)),
  countsRange('zlexcount', 'lex', '2.8.9', parseCountedMembers),
  removesRange('zremrangebyrank', 'indexes', 'key start stop', '2.0.0', (args) => parseRanks(args, 2)),
  removesRange('zremrangebyscore', 'scores', 'key min max', '1.2.0', (args) => parseScores(args, 2, 3)),
  removesRange('zremrangebylex', 'members', 'key min max', '2.8.9', (args) => parseMembers(args, 2, 3)),
]

/** Reads the range at word `at`, and the options after it. */
function parseRange(args: Args, at: number, form: RangeForm, mayHaveScores = true): RangeOptions {
  let { kind, reverse } = form
  let [offset, count] = [0, -1]
  let withScores = false
  const options = new OptionReader(args, at + 2)
  while (options.hasMore) {
    if (mayHaveScores && options.take('withscores')) {
      withScores = true
    } else if (options.left > 2 && options.take('limit')) {
      offset = Number(options.int64())
      count = Number(options.int64())
    } else if (form.reverse === undefined && options.take('rev')) {
      reverse = true
    } else if (kind === undefined && options.take('bylex')) {
      kind = 'lex'
    } else if (kind === undefined && options.take('byscore')) {
      kind = 'score'
    } else {
      throw SYNTAX
    }
  }
  options.end()
  if (count !== -1 && (kind ?? 'rank') === 'rank') throw LIMIT_OF_RANKS
  if (withScores && kind === 'lex') throw SCORES_OF_LEX
  const [minAt, maxAt] = reverse === true ? [at + 1, at] : [at, at + 1]
  const window = { reverse: reverse === true, offset, count }
  if (kind === 'score') return { range: parseScores(args, minAt, maxAt), window, withScores }
  if (kind === 'lex') return { range: parseMembers(args, minAt, maxAt), window, withScores }
  return { range: parseRanks(args, at), window, withScores }
}

function parseRanks(args: Args, at: number): RankRange {
  return { kind: 'rank', start: Number(int64At(args, at)), stop: Number(int64At(args, at + 1)) }
}

const OPENING = 0x28 // (
const BRACKET = 0x5b // [
const MINUS = 0x2d
const PLUS = 0x2b

function parseScores(args: Args, minAt: number, maxAt: number): ScoreRange {
  const min = parseScore(args.at(minAt))
  const max = parseScore(args.at(maxAt))
  return { kind: 'score', min: min.score, minExclusive: min.isExclusive, max: max.score, maxExclusive: max.isExclusive }
}

function parseScore(word: Bytes): { score: number; isExclusive: boolean } {
  const isExclusive = word[0] === OPENING
  const score = parseDouble(isExclusive ? word.subarray(1) : word)
  if (score === undefined) throw SCORE_NOT_FLOAT
  return { score, isExclusive }
}

function parseMembers(args: Args, minAt: number, maxAt: number): MemberRange {
  const [min, max] = [args.at(minAt), args.at(maxAt)]
  if (!isBound(min)) throw MIN_NOT_MEMBER
  if (!isBound(max)) throw MAX_NOT_MEMBER
  return {
    kind: 'lex',
    isEmpty: min[0] === PLUS || max[0] === MINUS,
    min: min[0] === MINUS ? EMPTY : min.subarray(1),
    minExclusive: min[0] === OPENING,
    max: max[0] === PLUS ? undefined : max.subarray(1),
    maxExclusive: max[0] === OPENING,
  }
}

/** `-` or `+` alone, `[member` or `(member`. */
function isBound(word: Bytes): boolean {
  return word[0] === OPENING || word[0] === BRACKET || (word.length === 1 && (word[0] === MINUS || word[0] === PLUS))
}

/** ZLEXCOUNT refuses what can hold nothing, as Kvrocks does; Redis answers 0. */
function parseCountedMembers(args: Args): MemberRange {
  const range = parseMembers(args, 2, 3)
  if (range.isEmpty) throw MIN_OVER_MAX
  return range
}

function range(context: Context, args: Args, { range: wanted, window, withScores }: RangeOptions): void {
  const { reply } = context
  const found = ranges.find(context.db, args.at(1), wanted, window)
  if (found === undefined) {
    reply.array(0)
    return
  }
  const perRow = elementsPerMember(reply, withScores)
  const rows = {
    open: () => found.open(withScores),
    write(to: typeof reply, cursor: ranges.MemberCursor) {
      if (withScores) writeMember(to, cursor, true)
      else cursor.writeMember(to)
    },
  }
  const { size } = found
  if (size !== undefined) replyRows(context, { ...rows, rows: size, begin: (to, count) => to.array(count * perRow) })
  else replyUncounted(context, { ...rows, perRow, count: () => ranges.countFound(found) })
}

function rangeStore({ db, reply, events }: Context, args: Args, { range: wanted, window }: RangeOptions): void {
  const destination = args.at(1)
  const wasThere = zsets.exists(db, destination)
  const count = zsets.replace(db, destination, ranges.collect(db, args.at(2), wanted, window))
  if (count > 0) events.notify(NOTIFY_ZSET, 'zrangestore', destination)
  else if (wasThere) events.notify(NOTIFY_GENERIC, 'del', destination)
  reply.integer(count)
}

function removeRange({ db, reply, events }: Context, args: Args, wanted: ZsetRange, name: string): void {
  const key = args.at(1)
  const { removed, isEmpty } = ranges.removeRange(db, key, wanted)
  if (removed > 0) events.notify(NOTIFY_ZSET, name, key)
  if (isEmpty) events.notify(NOTIFY_GENERIC, 'del', key)
  reply.integer(removed)
}
