/** Unions, intersections and differences of sorted sets. Source: kvrocks src/commands/cmd_zset.cc; redis src/t_zset.c. */

import type { Bytes } from '../bytes/bytes.js'
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, LIMIT_NEGATIVE, SYNTAX } from '../protocol/errors.js'
import type { Database } from '../storage/database.js'
import type { ScoredMember } from '../types/zset.js'
import * as zsets from '../types/zset.js'
import { type Aggregate, type Combination, intersect, sortByScore, subtract, unite } from '../types/zset-combine.js'
import { type AnyCommand, command, countedKeys, READONLY, SLOW, WRITE } from './command.js'
import type { Context } from './context.js'
import { int64At, OptionReader } from './options.js'
import { replyMembers } from './zset.js'

// The texts are Redis's, with the words that Kvrocks's tests look for after them.
const WEIGHT_NOT_FLOAT = err('weight value is not a float: weight is not a double or out of range')
const UNKNOWN_AGGREGATE = err('syntax error, aggregate param error')

interface Operation {
  readonly name: string
  readonly noun: string
  readonly takesWeights: boolean
  /** The members in the order in which Kvrocks stores them. */
  apply(db: Database, combination: Combination): ScoredMember[]
}

const OPERATIONS: readonly Operation[] = [
  { name: 'zunion', noun: 'union', takesWeights: true, apply: unite },
  { name: 'zinter', noun: 'intersect', takesWeights: true, apply: intersect },
  { name: 'zdiff', noun: 'difference', takesWeights: false, apply: (db, { keys }) => subtract(db, keys) },
]

const WEIGHTS_SYNTAX = ' [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]'

export const zsetCombineCommands: readonly AnyCommand[] = [
  ...OPERATIONS.map(readsCombination),
  ...OPERATIONS.map(storesCombination),
  command(
    {
      name: 'zintercard',
      arity: -3,
      flags: READONLY | SLOW,
      keys: countedKeys(1),
      syntax: 'numkeys key [key ...] [LIMIT limit]',
      summary: 'Returns the number of members of the intersect of multiple sorted sets.',
      since: '7.0.0',
    },
    parseCount,
    countIntersection,
  ),
]

function readsCombination(operation: Operation): AnyCommand {
  const { name, noun, takesWeights } = operation
  return command(
    {
      name,
      arity: -3,
      flags: READONLY | SLOW,
      keys: countedKeys(1),
      syntax: `numkeys key [key ...]${takesWeights ? WEIGHTS_SYNTAX : ''} [WITHSCORES]`,
      summary: `Returns the ${noun} of multiple sorted sets.`,
      since: '6.2.0',
    },
    (args) => parseCombination(args, 1, operation, true),
    ({ db, reply }, _args, { combination, withScores }) =>
      replyMembers(reply, sortByScore(operation.apply(db, combination)), withScores),
  )
}

function storesCombination(operation: Operation): AnyCommand {
  const { name, noun, takesWeights } = operation
  return command(
    {
      name: `${name}store`,
      arity: -4,
      flags: WRITE | SLOW,
      keys: countedKeys(2, 1),
      syntax: `destination numkeys key [key ...]${takesWeights ? WEIGHTS_SYNTAX : ''}`,
      summary: `Stores the ${noun} of multiple sorted sets in a key.`,
      since: takesWeights ? '2.0.0' : '6.2.0',
    },
    (args) => parseCombination(args, 2, operation, false),
    (context, args, { combination }) => store(context, args, operation, combination),
  )
}

interface CombinationOptions {
  readonly combination: Combination
  readonly withScores: boolean
}

function parseCombination(args: Args, countAt: number, operation: Operation, reads: boolean): CombinationOptions {
  const keyCount = parseKeyCount(args, countAt, reads ? operation.name : `${operation.name}store`)
  const keys = keysAt(args, countAt + 1, keyCount)
  let weights = keys.map(() => 1)
  let aggregate: Aggregate = 'sum'
  let withScores = false
  const options = new OptionReader(args, countAt + 1 + keyCount)
  while (options.hasMore) {
    if (operation.takesWeights && options.left > keyCount && options.take('weights')) {
      weights = keys.map(() => options.double(WEIGHT_NOT_FLOAT))
    } else if (operation.takesWeights && options.left > 1 && options.take('aggregate')) {
      aggregate = takeAggregate(options)
    } else if (reads && options.take('withscores')) {
      withScores = true
    } else {
      throw SYNTAX
    }
  }
  options.end()
  return { combination: { keys, weights, aggregate }, withScores }
}

function parseKeyCount(args: Args, at: number, name: string): number {
  const count = Number(int64At(args, at))
  if (count < 1) throw err(`at least 1 input key is needed for '${name}' command`)
  if (count > args.count - at - 1) throw SYNTAX
  return count
}

function takeAggregate(options: OptionReader): Aggregate {
  const found = (['sum', 'min', 'max'] as const).find((word) => options.take(word))
  if (found === undefined) options.refuse(UNKNOWN_AGGREGATE)
  return found ?? 'sum'
}

function keysAt(args: Args, at: number, count: number): Bytes[] {
  return Array.from({ length: count }, (_, index) => args.at(at + index))
}

function store({ db, reply, events }: Context, args: Args, operation: Operation, combination: Combination): void {
  const destination = args.at(1)
  const wasThere = zsets.exists(db, destination)
  // All is read before anything is written: the destination may be one of the sources.
  const count = zsets.replace(db, destination, operation.apply(db, combination))
  if (count > 0) events.notify(NOTIFY_ZSET, `${operation.name}store`, destination)
  else if (wasThere) events.notify(NOTIFY_GENERIC, 'del', destination)
  reply.integer(count)
}

interface CountOptions {
  readonly keys: readonly Bytes[]
  /** 0 = none. */
  readonly limit: number
}

function parseCount(args: Args): CountOptions {
  const keyCount = parseKeyCount(args, 1, 'zintercard')
  const options = new OptionReader(args, 2 + keyCount)
  let limit = 0
  while (options.hasMore) {
    if (options.left < 2 || !options.take('limit')) throw SYNTAX
    limit = options.integer(0, Number.MAX_SAFE_INTEGER, LIMIT_NEGATIVE)
  }
  options.end()
  return { keys: keysAt(args, 2, keyCount), limit }
}

function countIntersection({ db, reply }: Context, _args: Args, { keys, limit }: CountOptions): void {
  reply.integer(intersect(db, { keys, weights: keys.map(() => 1), aggregate: 'sum' }, limit).length)
}
