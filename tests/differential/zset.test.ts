/** Random commands on sorted sets, and their replies compared byte by byte with those of a redis-server. */

import { test } from 'tap'
import { type Choose, type CommandMaker, compareWithRedis } from '../support/differential.js'
import { REDIS_MISSING } from '../support/redis-server.js'
import type { Word } from '../support/server.js'

const KEYS = ['z1', 'z2', 'z3', 'set', 'text', 'none']
/** Ranges of members mean something where all scores are the same. */
const LEX_KEYS = ['lex', 'lex', 'lex', 'text', 'absent']
const SOURCES = ['z1', 'z2', 'z3', 'set', 'none', 'none2']
const MEMBERS = ['a', 'b', 'c', 'd', 'e', 'f', 'aa', 'ab', '', 'Z']
/** Redis 7.0 prints 17 digits, so these are such that the shortest form is the same. */
const SCORES: readonly Word[] = ['1', '2', '2', '3', '-1', '-2.5', '0.25', 'inf', '-inf', '1000000', '0']
const BOUNDS = ['1', '(1', '2', '(2', '-inf', '+inf', '(inf', '(-inf', '0', '(0', '-2.5', '2.5', 'x']
const LEX = ['-', '+', '[a', '(a', '[ab', '(c', '[', '(', '[Z', '(zz', 'x', '+x']
const RANKS = [0, 1, 2, -1, -2, -3, 5, 100, -100, 'x']

function pairs(choose: Choose, most: number): Word[] {
  const count = choose([1, 1, 1, 2, 3, most])
  return Array.from({ length: count }, () => [choose(SCORES), choose(MEMBERS)]).flat()
}

function options(choose: Choose, ...groups: readonly (readonly (readonly Word[])[])[]): Word[] {
  return groups.flatMap((group) => [...choose([[], ...group])])
}

function keys(choose: Choose, items = SOURCES): Word[] {
  const count = choose([1, 2, 2, 3])
  return [
    choose([count, count, count, count, count, count, 0, 9]),
    ...Array.from({ length: count }, () => choose(items)),
  ]
}

const LIMITS: readonly (readonly Word[])[] = [
  ['limit', 0, 2],
  ['limit', 1, 1],
  ['limit', 1, -1],
  ['limit', 0, 0],
  ['limit', -1, 2],
  ['limit', 'x', 2],
]
const WITH: readonly (readonly Word[])[] = [['withscores']]

/** One command of each kind, made by chance. */
const COMMANDS: readonly CommandMaker[] = [
  (c) => ['zadd', c(KEYS), ...options(c, [['nx'], ['xx']], [['gt'], ['lt']], [['ch']]), ...pairs(c, 6)],
  (c) => ['zadd', c(KEYS), ...options(c, [['nx'], ['xx']], [['gt'], ['lt']]), 'incr', ...pairs(c, 1)],
  (c) => ['zadd', c(KEYS), ...pairs(c, 8)],
  (c) => ['zadd', c(KEYS), ...pairs(c, 8)],
  (c) => ['zincrby', c(KEYS), c(SCORES), c(MEMBERS)],
  (c) => ['zrem', c(KEYS), c(MEMBERS), c(MEMBERS), c(MEMBERS)],
  (c) => ['zadd', 'lex', 0, c(MEMBERS), 0, c(MEMBERS), 0, c(MEMBERS)],
  (c) => ['zlexcount', c(LEX_KEYS), c(['-', '[a', '(a', '[ab', '[']), c(['+', '[ab', '(c', '(zz', 'x'])],
  (c) => ['zcard', c(KEYS)],
  (c) => ['zscore', c(KEYS), c(MEMBERS)],
  (c) => ['zmscore', c(KEYS), c(MEMBERS), c(MEMBERS), c(MEMBERS)],
  (c) => [c(['zrank', 'zrevrank']), c(KEYS), c(MEMBERS)],
  (c) => ['zcount', c(KEYS), c(BOUNDS), c(BOUNDS)],
  (c) => ['zrange', c(KEYS), c(RANKS), c(RANKS), ...options(c, [['rev']], WITH, [['limit', 0, 2]])],
  (c) => ['zrange', c(KEYS), c(BOUNDS), c(BOUNDS), 'byscore', ...options(c, [['rev']], LIMITS, WITH)],
  (c) => ['zrange', c(LEX_KEYS), c(LEX), c(LEX), 'bylex', ...options(c, [['rev']], LIMITS, WITH)],
  (c) => ['zrevrange', c(KEYS), c(RANKS), c(RANKS), ...options(c, WITH)],
  (c) => [c(['zrangebyscore', 'zrevrangebyscore']), c(KEYS), c(BOUNDS), c(BOUNDS), ...options(c, WITH, LIMITS)],
  (c) => [c(['zrangebylex', 'zrevrangebylex']), c(LEX_KEYS), c(LEX), c(LEX), ...options(c, LIMITS)],
  (c) => ['zrangestore', c(['dst', 'z3']), c(KEYS), c(RANKS), c(RANKS), ...options(c, [['rev']])],
  (c) => ['zrangestore', 'dst', c(KEYS), c(BOUNDS), c(BOUNDS), 'byscore', ...options(c, [['rev']], LIMITS)],
  (c) => ['zremrangebyrank', c(KEYS), c(RANKS), c(RANKS)],
  (c) => ['zremrangebyscore', c(KEYS), c(BOUNDS), c(BOUNDS)],
  (c) => ['zremrangebylex', c(LEX_KEYS), c(LEX), c(LEX)],
  (c) => [c(['zpopmin', 'zpopmax']), c(KEYS), ...options(c, [[1], [2], [0], [-1], ['x']])],
  (c) => ['zmpop', ...keys(c, KEYS), c(['min', 'max', 'mid']), ...options(c, [['count', 2], ['count', 0], ['count']])],
  (c) => ['bzmpop', '0.01', ...keys(c, KEYS), c(['min', 'max']), ...options(c, [['count', 2]])],
  (c) => [c(['bzpopmin', 'bzpopmax']), c(['z1', 'z2']), c(KEYS), '0.01'],
  (c) => [
    c(['zunion', 'zinter']),
    ...keys(c),
    ...options(
      c,
      [
        ['weights', 2, 0.5],
        // An infinite weight makes NaN of 0, and so the sum depends on the order of sets of equal size.
        ['weights', -2.5, 1, 1],
      ],
      [['aggregate', c(['sum', 'min', 'max'])]],
      WITH,
    ),
  ],
  (c) => ['zdiff', ...keys(c), ...options(c, WITH)],
  (c) => [
    c(['zunionstore', 'zinterstore']),
    c(['dst', 'z3']),
    ...keys(c),
    ...options(c, [['weights', 2, -1]], [['aggregate', c(['sum', 'min', 'max'])]], WITH),
  ],
  (c) => ['zdiffstore', c(['dst', 'z2']), ...keys(c)],
  (c) => ['zintercard', ...keys(c), ...options(c, [['limit', 1], ['limit', 0], ['limit', -1], ['limit']])],
  (c) => ['zrange', c(['dst', 'z1', 'z2', 'z3']), 0, -1, 'withscores'],
]

/** Texts in which Kvrocks's words follow those of Redis, and whole replies that differ by decision. */
function known(reply: string, redis: string): string {
  if (withoutZeroSigns(reply) === withoutZeroSigns(redis)) return redis
  return reply
    .replace(/^-ERR numkeys should be greater than 0: .*/, '-ERR numkeys should be greater than 0')
    .replace(/^(-ERR min or max[a-z ]*): .*/, '$1')
    .replace(/^(-ERR weight value is not a float): .*/, '$1')
    .replace(/^(-ERR count should be greater than 0): .*/, '$1')
}

/** Redis, 7.0 and 8, keeps whole scores of a small sorted set as integers, and these forget the sign of a zero. */
function withoutZeroSigns(reply: string): string {
  return reply.replace(/^\$2\r\n-0\r$/gm, '$1\r\n0\r').replace(/^,-0\r$/gm, ',0\r')
}

for (const protocol of [2, 3] as const) {
  test(`sorted sets answer as Redis does, RESP${protocol}`, { skip: REDIS_MISSING }, async (t) => {
    const before = [
      ['sadd', 'set', 'a', 'b', 'x'],
      ['set', 'text', 'v'],
    ]
    t.same(await compareWithRedis({ protocol, runs: 3000, before, makers: COMMANDS, known }), undefined)
  })
}
