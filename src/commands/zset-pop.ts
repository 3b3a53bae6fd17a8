/**
 * Commands that take members out of sorted sets, waiting for them or not. Source: kvrocks src/commands/cmd_zset.cc;
 * redis src/t_zset.c.
 */

import type { Bytes } from '../bytes/bytes.js'
import { parseInt64 } from '../bytes/int64.js'
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, NOT_POSITIVE, NUMKEYS_NOT_POSITIVE, type ReplyError, SYNTAX, wrongArity } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { TYPE_ZSET } from '../storage/metadata.js'
import type { ScoredMember } from '../types/zset.js'
import * as zsets from '../types/zset.js'
import { timeoutMsAt } from './blocking-options.js'
import {
  ALL_KEYS_BUT_LAST,
  type AnyCommand,
  BLOCKING,
  command,
  countedKeys,
  FAST,
  FIRST_KEY,
  NO_SIZE_CHECK,
  SLOW,
  WRITE,
} from './command.js'
import type { Context } from './context.js'
import { integerAt, OptionReader } from './options.js'
import { replyMembers } from './zset.js'

type End = 'min' | 'max'

// The texts are Redis's, with the words that Kvrocks's tests look for after them.
const NUMKEYS_NOT_INTEGER = err('numkeys should be greater than 0: not started as an integer')
const COUNT_NOT_POSITIVE = err('count should be greater than 0')
const COUNT_NOT_INTEGER = err('count should be greater than 0: not started as an integer')
const TIMEOUT_NOT_NUMBER = err('timeout is not a float or out of range: not started as a number')

export const zsetPopCommands: readonly AnyCommand[] = [
  popsFromOne('zpopmin', 'min'),
  popsFromOne('zpopmax', 'max'),
  waitsForOne('bzpopmin', 'min'),
  waitsForOne('bzpopmax', 'max'),
  command(
    {
      name: 'zmpop',
      arity: -4,
      flags: WRITE | SLOW,
      keys: countedKeys(1),
      syntax: 'numkeys key [key ...] <MIN | MAX> [COUNT count]',
      summary: 'Returns the lowest- or highest-scoring members of one of several sorted sets after removing them.',
      since: '7.0.0',
    },
    (args) => parsePops(args, 1),
    popFromFirst,
  ),
  command(
    {
      name: 'bzmpop',
      arity: -5,
      flags: WRITE | SLOW | BLOCKING,
      keys: countedKeys(2),
      syntax: 'timeout numkeys key [key ...] <MIN | MAX> [COUNT count]',
      summary:
        'Removes and returns members of one of several sorted sets with the lowest or highest scores. Blocks until there is one.',
      since: '7.0.0',
    },
    (args) => ({ timeoutMs: timeoutMsAt(args, 1, TIMEOUT_NOT_NUMBER), pops: parsePops(args, 2) }),
    waitForFirst,
  ),
]

function popsFromOne(name: string, end: End): AnyCommand {
  const which = end === 'min' ? 'lowest' : 'highest'
  return command(
    {
      name,
      arity: -2,
      flags: WRITE | FAST | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key [count]',
      summary: `Returns the ${which}-scoring members from a sorted set after removing them.`,
      since: '5.0.0',
    },
    (args) => parsePopCount(args, name),
    (context, args, count) => popFromOne(context, args, end, count),
  )
}

function waitsForOne(name: string, end: End): AnyCommand {
  const which = end === 'min' ? 'lowest' : 'highest'
  return command(
    {
      name,
      arity: -3,
      flags: WRITE | FAST | BLOCKING,
      keys: ALL_KEYS_BUT_LAST,
      syntax: 'key [key ...] timeout',
      summary: `Removes and returns the member with the ${which} score from one of several sorted sets. Blocks until there is one.`,
      since: '5.0.0',
    },
    (args) => timeoutMsAt(args, args.count - 1),
    (context, args, timeoutMs) => {
      const keys = args.rest(1).slice(0, -1)
      waitFor(context, { keys, end, count: 1 }, timeoutMs, answerOne)
    },
  )
}

/** Undefined: one member. */
function parsePopCount(args: Args, name: string): number | undefined {
  if (args.count > 3) throw wrongArity(name)
  return args.count === 3 ? integerAt(args, 2, 0, Number.MAX_SAFE_INTEGER, NOT_POSITIVE) : undefined
}

function popFromOne(context: Context, args: Args, end: End, count: number | undefined): void {
  const { reply } = context
  const popped = pop(context, args.at(1), end, count ?? 1)
  if (count !== undefined) {
    replyMembers(reply, popped, true)
    return
  }
  // One member that was not counted is no pair of its own, in RESP3 neither.
  reply.array(popped.length * 2)
  for (const { member, score } of popped) {
    reply.bulk(member)
    reply.score(score)
  }
}

interface Pops {
  readonly keys: readonly Bytes[]
  readonly end: End
  readonly count: number
}

function parsePops(args: Args, countAt: number): Pops {
  const keyCount = positiveAt(args, countAt, NUMKEYS_NOT_POSITIVE, NUMKEYS_NOT_INTEGER)
  const endAt = countAt + 1 + keyCount
  const end = args.is(endAt, 'min') ? 'min' : args.is(endAt, 'max') ? 'max' : undefined
  if (end === undefined) throw SYNTAX
  const options = new OptionReader(args, endAt + 1)
  let count: number | undefined
  while (options.hasMore) {
    if (count !== undefined || options.left < 2 || !options.take('count')) throw SYNTAX
    count = positiveAt(args, options.index, COUNT_NOT_POSITIVE, COUNT_NOT_INTEGER)
    options.word()
  }
  const keys = args.rest(countAt + 1).slice(0, keyCount)
  return { keys, end, count: count ?? 1 }
}

function positiveAt(args: Args, index: number, notPositive: ReplyError, notInteger: ReplyError): number {
  const value = parseInt64(args.at(index))
  if (value === undefined) throw notInteger
  if (value < 1) throw notPositive
  return Number(value)
}

function popFromFirst(context: Context, _args: Args, pops: Pops): void {
  const found = popFirst(context, pops)
  if (found === undefined) context.reply.nilArray()
  else answerSeveral(context.reply, found)
}

function waitForFirst(context: Context, _args: Args, options: { timeoutMs: number; pops: Pops }): void {
  waitFor(context, options.pops, options.timeoutMs, answerSeveral)
}

interface Popped {
  readonly key: Bytes
  readonly members: readonly ScoredMember[]
}

/** `key member score`, flat. */
function answerOne(reply: Reply, { key, members }: Popped): void {
  const { member, score } = members[0] as ScoredMember
  reply.array(3)
  reply.bulk(key)
  reply.bulk(member)
  reply.score(score)
}

/** The key, and an array of pairs, in RESP2 too. */
function answerSeveral(reply: Reply, { key, members }: Popped): void {
  reply.array(2)
  reply.bulk(key)
  reply.array(members.length)
  for (const { member, score } of members) {
    reply.array(2)
    reply.bulk(member)
    reply.score(score)
  }
}

function waitFor(
  context: Context,
  pops: Pops,
  timeoutMs: number,
  answer: (reply: Reply, popped: Popped) => void,
): void {
  const found = popFirst(context, pops)
  if (found !== undefined) {
    answer(context.reply, found)
    return
  }
  const waiting: Pops = { ...pops, keys: pops.keys.map((key) => Buffer.from(key)) }
  context.block({
    keys: waiting.keys,
    wants: TYPE_ZSET,
    timeoutMs,
    attempt(later) {
      const popped = popFirst(later, waiting)
      if (popped !== undefined) answer(later.reply, popped)
      return popped !== undefined
    },
    expire: (reply) => reply.nilArray(),
  })
}

/** Pops from the first key that has members. */
function popFirst(context: Context, { keys, end, count }: Pops): Popped | undefined {
  for (const key of keys) {
    const members = pop(context, key, end, count)
    if (members.length > 0) return { key, members }
  }
  return undefined
}

function pop({ db, events }: Context, key: Bytes, end: End, count: number): ScoredMember[] {
  const { popped, isEmpty } = zsets.pop(db, key, count, end)
  if (popped.length > 0) events.notify(NOTIFY_ZSET, end === 'min' ? 'zpopmin' : 'zpopmax', key)
  if (isEmpty) events.notify(NOTIFY_GENERIC, 'del', key)
  return popped
}
