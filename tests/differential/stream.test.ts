/** Random stream commands, and their replies compared byte by byte with those of a redis-server. */

import { test } from 'tap'
import { type Choose, type CommandMaker, compareWithRedis } from '../support/differential.js'
import { REDIS_MISSING } from '../support/redis-server.js'
import type { Word } from '../support/server.js'

const KEYS = ['s', 's', 's', 's', 'u', 'u', 'none', 'text']
const IDS = Array.from({ length: 30 }, (_, index) => `${index % 10}-${index}`)
const BOUNDS = ['-', '+', '(3-3', '(0-0', '5', '(5', ...IDS]
const GROUPS = ['g', 'g', 'g', 'group', 'none']
const CONSUMERS = ['c', 'c', 'd', 'consumer']

let last = 0

/** An id that is most often larger than those before. */
function newId(c: Choose): Word {
  return c([`${++last}-*`, `${last}-${last}`, `${last}`, `${last}-*`, c(IDS), 'x'])
}

function trim(c: Choose): Word[] {
  return c([
    ['maxlen', c([0, 1, 3, 10, -1, 'x'])],
    ['maxlen', '=', c([5, 8])],
    ['minid', `${Math.max(0, last - c([0, 3, 10]))}-1`],
    ['minid', '=', c(IDS)],
  ])
}

function ids(c: Choose): Word[] {
  return [recent(c), recent(c), c([recent(c), c(IDS)])]
}

function recent(c: Choose): Word {
  return `${Math.max(0, last - c([0, 1, 2, 3, 4, 5, 6, 7, 8]))}-${c([0, 0, 0, 1])}`
}

function optionalCount(c: Choose): Word[] {
  return c([[], [], ['count', c([1, 2, 5, 0, -1, 'x'])]])
}

/**
 * Times differ between the servers, so nothing that shows one is compared. Nor is XGROUP CREATECONSUMER: before Redis 7.2
 * reading and claiming made a consumer only when there was something for it.
 */
const COMMANDS: readonly CommandMaker[] = [
  (c) => ['xadd', c(KEYS), newId(c), 'f', c(['1', '', 'value'])],
  (c) => ['xadd', 's', newId(c), 'f', '1', 'g', '2'],
  (c) => ['xadd', 's', newId(c), 'f', '1'],
  (c) => ['xadd', c(KEYS), ...c([[], ['nomkstream'], trim(c)]), newId(c), 'f', 'v', ...c([[], ['g']])],
  (c) => ['xlen', c(KEYS)],
  (c) => ['xrange', c(KEYS), c(BOUNDS), c(BOUNDS), ...optionalCount(c)],
  (c) => ['xrevrange', c(KEYS), c(BOUNDS), c(BOUNDS), ...optionalCount(c)],
  (c) => ['xrange', 's', '-', '+', ...optionalCount(c)],
  (c) => ['xdel', c(KEYS), ...ids(c)],
  (c) => ['xtrim', c(KEYS), ...trim(c)],
  (c) => ['xread', ...optionalCount(c), 'streams', c(KEYS), c(KEYS), recent(c), c([recent(c), '$'])],
  (c) => [
    'xgroup',
    'create',
    c(KEYS),
    c(GROUPS),
    c(['$', '0', recent(c)]),
    ...c([[], ['mkstream'], ['entriesread', 3]]),
  ],
  (c) => ['xgroup', 'setid', c(KEYS), c(GROUPS), c(['$', '0', recent(c)])],
  (c) =>
    c([
      ['xgroup', 'destroy', c(KEYS), c(GROUPS)],
      ['xlen', 's'],
      ['xlen', 's'],
      ['xlen', 's'],
    ]),
  (c) => ['xgroup', 'delconsumer', c(KEYS), c(GROUPS), c(CONSUMERS)],
  (c) => [
    'xreadgroup',
    'group',
    c(GROUPS),
    c(CONSUMERS),
    ...optionalCount(c),
    ...c([[], [], ['noack']]),
    'streams',
    c(KEYS),
    c(['>', '>', '0', recent(c)]),
  ],
  (c) => ['xreadgroup', 'group', 'g', c(CONSUMERS), 'count', c([1, 2]), 'streams', 's', c(['>', '>', '0'])],
  (c) => ['xreadgroup', 'group', 'g', c(CONSUMERS), ...optionalCount(c), 'streams', 's', 's', '>', c(['>', '>', '0'])],
  (c) => ['xack', c(KEYS), c(GROUPS), ...ids(c)],
  (c) => ['xpending', c(KEYS), c(GROUPS)],
  (c) => [
    'xclaim',
    c(KEYS),
    c(GROUPS),
    c(CONSUMERS),
    0,
    ...ids(c),
    ...c([[], ['force'], ['justid'], ['lastid', recent(c)]]),
  ],
  (c) => [
    'xautoclaim',
    c(KEYS),
    c(GROUPS),
    c(CONSUMERS),
    0,
    c(['-', '0', recent(c)]),
    ...optionalCount(c),
    ...c([[], ['justid']]),
  ],
  (c) => ['exists', c(KEYS)],
]

/** Redis reads the key, and tells of it, before some of the arguments. */
const SEEN_FIRST = /^-(?:WRONGTYPE|NOGROUP|ERR The XGROUP subcommand requires|ERR Invalid stream ID|ERR value is not)/

function known(ours: string, redis: string): string {
  return ours.startsWith('-') && (SEEN_FIRST.test(redis) || redis === '*0\r\n' || redis === ':0\r\n') ? redis : ours
}

for (const protocol of [2, 3] as const) {
  test(`stream commands answer as Redis does, RESP${protocol}`, { skip: REDIS_MISSING }, async (t) => {
    const before = [
      ['set', 'text', 'v'],
      ['xgroup', 'create', 's', 'g', '0', 'mkstream'],
    ]
    t.same(await compareWithRedis({ protocol, runs: 4000, before, makers: COMMANDS, known }), undefined)
  })
}
