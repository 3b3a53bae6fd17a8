/** Sorted set commands on single members. Source: kvrocks src/commands/cmd_zset.cc; redis src/t_zset.c. */

import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import type { ScoredMember } from '../types/zset.js'
import * as zsets from '../types/zset.js'
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
import { doubleAt } from './options.js'

const NX_AND_XX = err('XX and NX options at the same time are not compatible')
const GT_LT_NX = err('GT, LT, and/or NX options at the same time are not compatible')
const INCR_ONE_PAIR = err('INCR option supports a single increment-element pair')

export const zsetCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'zadd',
      arity: -4,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]',
      summary:
        'Adds one or more members to a sorted set, or updates their scores. Creates the key if it does not exist.',
      since: '1.2.0',
    },
    parseAdd,
    add,
  ),
  command(
    {
      name: 'zincrby',
      arity: 4,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key increment member',
      summary: 'Increments the score of a member in a sorted set.',
      since: '1.2.0',
    },
    (args) => doubleAt(args, 2),
    incrementBy,
  ),
  command(
    {
      name: 'zrem',
      arity: -3,
      flags: WRITE | FAST | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key member [member ...]',
      summary: 'Removes one or more members from a sorted set. Deletes the sorted set if all members were removed.',
      since: '1.2.0',
    },
    noOptions,
    remove,
  ),
  command(
    {
      name: 'zcard',
      arity: 2,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns the number of members in a sorted set.',
      since: '1.2.0',
    },
    noOptions,
    ({ db, reply }, args) => reply.integer(zsets.size(db, args.at(1))),
  ),
  command(
    {
      name: 'zscore',
      arity: 3,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key member',
      summary: 'Returns the score of a member in a sorted set.',
      since: '1.2.0',
    },
    noOptions,
    ({ db, reply }, args) => replyScore(reply, zsets.scores(db, args.at(1), [args.at(2)])[0]),
  ),
  command(
    {
      name: 'zmscore',
      arity: -3,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key member [member ...]',
      summary: 'Returns the score of one or more members in a sorted set.',
      since: '6.2.0',
    },
    noOptions,
    scores,
  ),
  command(
    {
      name: 'zrank',
      arity: -3,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key member [WITHSCORE]',
      summary: 'Returns the index of a member in a sorted set ordered by ascending scores.',
      since: '2.0.0',
    },
    parseRank,
    (context, args, withScore) => rank(context, args, withScore, false),
  ),
  command(
    {
      name: 'zrevrank',
      arity: -3,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key member [WITHSCORE]',
      summary: 'Returns the index of a member in a sorted set ordered by descending scores.',
      since: '2.0.0',
    },
    parseRank,
    (context, args, withScore) => rank(context, args, withScore, true),
  ),
  command(
    {
      name: 'zrandmember',
      arity: -2,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key [count [WITHSCORES]]',
      summary: 'Returns one or more random members from a sorted set.',
      since: '6.2.0',
    },
    (args) => parseRandom(args, 'withscores'),
    randomMembers,
  ),
]

/** The number of elements of an array of `count` members: RESP3 has a score as one pair with its member. */
export function elementsPerMember(reply: Reply, withScores: boolean): number {
  return withScores && reply.protocol === 2 ? 2 : 1
}

/** Writes one member of such an array. */
export function writeMember(reply: Reply, { member, score }: ScoredMember, withScores: boolean): void {
  if (withScores && reply.protocol === 3) reply.array(2)
  reply.bulk(member)
  if (withScores) reply.score(score)
}

export function replyMembers(reply: Reply, members: readonly ScoredMember[], withScores: boolean): void {
  reply.array(members.length * elementsPerMember(reply, withScores))
  for (const member of members) writeMember(reply, member, withScores)
}

function replyScore(reply: Reply, score: number | undefined): void {
  if (score === undefined) reply.nil()
  else reply.score(score)
}

interface AddOptions {
  readonly condition: zsets.AddCondition
  readonly pairs: readonly ScoredMember[]
  readonly isIncrement: boolean
  readonly countChanged: boolean
}

const ADD_OPTIONS = ['nx', 'xx', 'gt', 'lt', 'ch', 'incr'] as const
type AddOption = (typeof ADD_OPTIONS)[number]

function parseAdd(args: Args): AddOptions {
  let given: Set<AddOption> | undefined
  let at = 2
  for (; at < args.count; at++) {
    const option = ADD_OPTIONS.find((word) => args.is(at, word))
    if (option === undefined) break
    given ??= new Set()
    given.add(option)
  }
  const words = args.count - at
  if (words === 0 || words % 2 === 1) throw SYNTAX
  if (given === undefined) {
    return { condition: zsets.UNCONDITIONAL, pairs: pairsAt(args, at), isIncrement: false, countChanged: false }
  }
  const [nx, xx, gt, lt] = [given.has('nx'), given.has('xx'), given.has('gt'), given.has('lt')]
  const isIncrement = given.has('incr')
  if (nx && xx) throw NX_AND_XX
  if ((gt && lt) || (nx && (gt || lt))) throw GT_LT_NX
  if (isIncrement && words > 2) throw INCR_ONE_PAIR
  const condition: zsets.AddCondition = {
    presence: nx ? 'absent' : xx ? 'present' : 'any',
    change: gt ? 'higher' : lt ? 'lower' : 'any',
  }
  return { condition, pairs: pairsAt(args, at), isIncrement, countChanged: given.has('ch') }
}

function pairsAt(args: Args, first: number): ScoredMember[] {
  const pairs: ScoredMember[] = []
  for (let at = first; at < args.count; at += 2) pairs.push({ score: doubleAt(args, at), member: args.at(at + 1) })
  return pairs
}

function add(context: Context, args: Args, { condition, pairs, isIncrement, countChanged }: AddOptions): void {
  const { db, reply, events } = context
  const key = args.at(1)
  if (isIncrement) {
    const score = zsets.increment(db, key, pairs[0] as ScoredMember, condition)
    if (score !== undefined) events.notify(NOTIFY_ZSET, 'zincr', key)
    replyScore(reply, score)
    return
  }
  const { added, changed } = zsets.add(db, key, pairs, condition)
  if (added + changed > 0) events.notify(NOTIFY_ZSET, 'zadd', key)
  reply.integer(countChanged ? added + changed : added)
}

function incrementBy({ db, reply, events }: Context, args: Args, delta: number): void {
  const key = args.at(1)
  const score = zsets.increment(db, key, { member: args.at(3), score: delta })
  events.notify(NOTIFY_ZSET, 'zincr', key)
  replyScore(reply, score)
}

function remove({ db, reply, events }: Context, args: Args): void {
  const key = args.at(1)
  const { removed, isEmpty } = zsets.remove(db, key, args.rest(2))
  if (removed > 0) events.notify(NOTIFY_ZSET, 'zrem', key)
  if (isEmpty) events.notify(NOTIFY_GENERIC, 'del', key)
  reply.integer(removed)
}

function scores({ db, reply }: Context, args: Args): void {
  const found = zsets.scores(db, args.at(1), args.rest(2))
  reply.array(found.length)
  for (const score of found) replyScore(reply, score)
}

function parseRank(args: Args): boolean {
  if (args.count > 4 || (args.count === 4 && !args.is(3, 'withscore'))) throw SYNTAX
  return args.count === 4
}

function rank({ db, reply }: Context, args: Args, withScore: boolean, reverse: boolean): void {
  const found = zsets.rank(db, args.at(1), args.at(2), reverse)
  if (!withScore) {
    if (found === undefined) reply.nil()
    else reply.integer(found.rank)
    return
  }
  if (found === undefined) {
    reply.nilArray()
    return
  }
  reply.array(2)
  reply.integer(found.rank)
  reply.score(found.score)
}

function randomMembers(context: Context, args: Args, { count, withValues }: RandomOptions): void {
  const { db, reply } = context
  const draw = (wanted: number): ScoredMember[] => zsets.sample(db, args.at(1), wanted)
  if (count === undefined) reply.bulkOrNil(draw(1)[0]?.member)
  else {
    replyRandom(
      context,
      count,
      draw,
      (to, total) => to.array(total * elementsPerMember(to, withValues)),
      (to, member) => writeMember(to, member, withValues),
    )
  }
}
