import { test } from 'tap'
import { createPayload, readPayload } from '../../src/storage/rdb/payload.js'
import type { RdbValue } from '../../src/storage/rdb/value.js'
import { REDIS_MAJOR, REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { GOLDEN } from './golden.js'
import { describeValue } from './support.js'

/**
 * A real redis-server makes a value in each of its encodings; what it dumps is read, written and restored there, and
 * DEBUG DIGEST-VALUE, TYPE and a second dump have to agree.
 */

const LONG = 'x'.repeat(300)
const REPETITIVE = 'abcabcabd'.repeat(2000)
const many = (count: number, prefix = '') => Array.from({ length: count }, (_, index) => `${prefix}${index}`)

/** Redis keeps a small list in one listpack since 7.2. */
const SMALL_LIST = REDIS_MAJOR < 8 ? 'quicklist' : 'listpack'

/** Up to which Redis the forms of values are known to the one at hand. */
const REDIS_FORMS = REDIS_MAJOR < 8 ? 7.0 : 8.0

type Case = { name: string; encoding: string; make: readonly (string | number)[][] }

const cases: Case[] = [
  ...['0', '-1', '127', '-129', '40000', '-2147483649', '9223372036854775807'].map((value) => ({
    name: `string ${value}`,
    encoding: 'int',
    make: [['set', 'k', value]],
  })),
  { name: 'short string', encoding: 'embstr', make: [['set', 'k', 'a\0\r\n\xff']] },
  { name: 'compressed string', encoding: 'raw', make: [['set', 'k', REPETITIVE]] },
  { name: 'small list', encoding: SMALL_LIST, make: [['rpush', 'k', 'a', '', '-5', '70000', '5000000000', LONG]] },
  { name: 'list of all integer widths', encoding: SMALL_LIST, make: [['rpush', 'k', ...integers()]] },
  { name: 'list of many nodes', encoding: 'quicklist', make: [['rpush', 'k', ...many(5000, LONG)]] },
  { name: 'list with a plain node', encoding: 'quicklist', make: [['rpush', 'k', 'a', 'y'.repeat(20_000), 'b']] },
  { name: 'intset of 2 bytes', encoding: 'intset', make: [['sadd', 'k', 1, -5, 300]] },
  { name: 'intset of 8 bytes', encoding: 'intset', make: [['sadd', 'k', 1, '9223372036854775807', -5]] },
  { name: 'set', encoding: 'hashtable', make: [['sadd', 'k', 'a', '', LONG, ...many(600)]] },
  { name: 'small hash', encoding: 'listpack', make: [['hset', 'k', 'f', 'v', '', '', 'n', '-70000']] },
  { name: 'hash', encoding: 'hashtable', make: [['hset', 'k', LONG, REPETITIVE, ...many(600)]] },
  { name: 'small zset', encoding: 'listpack', make: [['zadd', 'k', '-inf', 'a', '+inf', 'b', '1.5', 'c', 3, 'd']] },
  { name: 'zset', encoding: 'skiplist', make: [['zadd', 'k', '0.1', LONG, '-0', 'z', 'inf', 'i', ...many(600)]] },
  { name: 'stream', encoding: 'stream', make: streamCommands() },
  {
    name: 'emptied stream',
    encoding: 'stream',
    make: [
      ['xadd', 'k', '5-0', 'a', 'b'],
      ['xdel', 'k', '5-0'],
    ],
  },
  { name: 'stream of the largest ids', encoding: 'stream', make: largeIdCommands() },
]

function integers(): string[] {
  const edges = [0, 7, 12, 13, 15, 16, 20, 23, 31, 32, 47, 53].flatMap((bits) => [2 ** bits - 1, 2 ** bits])
  return [...edges.flatMap((edge) => [String(edge), String(-edge)]), '-9223372036854775808', '9223372036854775807']
}

function streamCommands(): (string | number)[][] {
  const adds = many(250).map((n) => ['xadd', 'k', `${Number(n) + 1}-${250 - Number(n)}`, 'same', n, 'fields', LONG])
  return [
    ...adds,
    ['xadd', 'k', '300-5', 'other', ''],
    ['xdel', 'k', '1-250', '100-151', '300-5'],
    ['xgroup', 'create', 'k', 'early', '0'],
    ['xgroup', 'create', 'k', 'late', '$'],
    ['xgroup', 'create', 'k', 'middle', '50-0'],
    ['xgroup', 'createconsumer', 'k', 'late', 'idle'],
    ['xreadgroup', 'group', 'early', 'alice', 'count', '10', 'streams', 'k', '>'],
    ['xreadgroup', 'group', 'early', 'bob', 'count', '3', 'streams', 'k', '>'],
    ['xack', 'k', 'early', '3-248'],
    ['xclaim', 'k', 'early', 'carol', 0, '4-247', '12-239'],
  ]
}

function largeIdCommands(): string[][] {
  const big = '18446744073709551615'
  return [
    ['xadd', 'k', `9007199254740993-${big}`, 'a', 'b'],
    ['xadd', 'k', `9007199254740994-0`, 'a', 'c'],
    ['xadd', 'k', `${big}-9007199254740993`, 'a', 'd'],
    ['xgroup', 'create', 'k', 'g', '0'],
    ['xreadgroup', 'group', 'g', 'c', 'streams', 'k', '>'],
  ]
}

/**
 * What a payload carries of the value. It has the form that Redis 7.0 reads too, without the time at which a consumer
 * was last active, which Redis 7.2 and later dump: a reader takes the time at which it was last seen.
 */
function carried(value: RdbValue): RdbValue {
  if (value.type !== 'stream' || value.state === undefined) return value
  const groups = value.state.groups.map((group) => ({
    ...group,
    consumers: group.consumers.map((consumer) => ({ ...consumer, activeMs: consumer.seenMs })),
  }))
  return { ...value, state: { ...value.state, groups } }
}

test('what redis-server dumps is read, and what is written it restores to the same value', {
  skip: REDIS_MISSING,
}, async (t) => {
  const redis = await startRedisServer('--enable-debug-command', 'yes')
  t.teardown(redis.stop)
  const { client } = redis
  for (const { name, encoding, make } of cases) {
    await client.flushall()
    for (const [command, ...args] of make) {
      await client.call(String(command), ...args.map((arg) => Buffer.from(String(arg), 'latin1')))
    }
    t.equal(await client.object('ENCODING', 'k'), encoding, `${name}: is ${encoding}`)
    const dumped = readPayload((await client.dumpBuffer('k'))!)
    t.equal(dumped.type, await client.type('k'), `${name}: type`)
    t.equal(await client.restore('copy', 0, createPayload(dumped)), 'OK', `${name}: restores`)
    const digests = await client.call('DEBUG', 'DIGEST-VALUE', 'k', 'copy')
    const [original, copy] = digests as [string, string]
    t.equal(copy, original, `${name}: same digest`)
    const again = readPayload((await client.dumpBuffer('copy'))!)
    t.same(describeValue(again), describeValue(carried(dumped)), `${name}: same dump`)
    t.same(describeValue(readPayload(createPayload(dumped))), describeValue(carried(dumped)), `${name}: reads its own`)
  }
})

test('hand-made payloads of every form that the redis-server knows mean the same to it', {
  skip: REDIS_MISSING,
}, async (t) => {
  const redis = await startRedisServer()
  t.teardown(redis.stop)
  for (const { name, payload, value, since } of GOLDEN) {
    if (since > REDIS_FORMS) continue
    t.equal(await redis.client.restore('k', 0, payload, 'REPLACE'), 'OK', name)
    t.same(describeValue(readPayload((await redis.client.dumpBuffer('k'))!)), value, name)
  }
})
