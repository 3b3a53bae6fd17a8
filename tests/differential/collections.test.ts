/** Hashes, lists, sets and bits: random commands against redis-server. */

import { type Test, test } from 'tap'
import { type Choose, type CommandMaker, compareWithRedis } from '../support/differential.js'
import { REDIS_MAJOR, REDIS_MISSING } from '../support/redis-server.js'
import type { Word } from '../support/server.js'

const RUNS = Number(process.env['RUNS'] ?? 1500)
const KEYS = ['k1', 'k2', 'k3'] as const
const MEMBERS = ['a', 'b', 'c', 'd', '', '1', '-2', '3.5', 'x y', '\u00e9'] as const
const NUMBERS = ['0', '1', '-1', '2', '-3', '7', '100', '-100', '9223372036854775807', 'x', '1.5', ''] as const
/** LSET in Redis 8 cuts an index of a short list to 32 bits, and so writes over another element. */
const SET_INDEXES = NUMBERS.filter((text) => REDIS_MAJOR < 8 || text.length < 10)
const SMALL = ['0', '1', '-1', '2', '-3', '7'] as const

function several<T>(choose: Choose, items: readonly T[]): T[] {
  return Array.from({ length: choose([1, 1, 2, 3]) }, () => choose(items))
}

function fixed(...words: readonly (string | readonly string[])[]): CommandMaker {
  return (choose) => words.map((word) => (typeof word === 'string' ? word : choose(word)))
}

const GENERIC: readonly CommandMaker[] = [
  fixed('del', KEYS),
  fixed('exists', KEYS),
  fixed('type', KEYS),
  fixed('set', KEYS, MEMBERS),
  fixed('rename', KEYS, KEYS),
  fixed('copy', KEYS, KEYS, 'replace'),
  fixed('pexpire', KEYS, ['100000', '-1']),
  fixed('persist', KEYS),
]

const HASHES: readonly CommandMaker[] = [
  (choose) => ['hset', choose(KEYS), ...several(choose, MEMBERS).flatMap((field): Word[] => [field, choose(MEMBERS)])],
  (choose) => ['hdel', choose(KEYS), ...several(choose, MEMBERS)],
  (choose) => ['hmget', choose(KEYS), ...several(choose, MEMBERS)],
  fixed('hsetnx', KEYS, MEMBERS, MEMBERS),
  fixed('hget', KEYS, MEMBERS),
  fixed('hexists', KEYS, MEMBERS),
  fixed('hstrlen', KEYS, MEMBERS),
  fixed('hlen', KEYS),
  fixed('hgetall', KEYS),
  fixed('hkeys', KEYS),
  fixed('hvals', KEYS),
  fixed('hincrby', KEYS, MEMBERS, NUMBERS),
  fixed('hincrbyfloat', KEYS, MEMBERS, NUMBERS),
  fixed('hset', KEYS, MEMBERS),
]

const LISTS: readonly CommandMaker[] = [
  (choose) => [choose(['lpush', 'rpush', 'lpushx', 'rpushx']), choose(KEYS), ...several(choose, MEMBERS)],
  fixed(['lpop', 'rpop'], KEYS),
  fixed(['lpop', 'rpop'], KEYS, NUMBERS),
  fixed('llen', KEYS),
  fixed('lindex', KEYS, NUMBERS),
  fixed('lset', KEYS, SET_INDEXES, MEMBERS),
  fixed(['lrange', 'ltrim'], KEYS, NUMBERS, NUMBERS),
  fixed('lrange', KEYS, '0', '-1'),
  fixed('lrem', KEYS, NUMBERS, MEMBERS),
  fixed('linsert', KEYS, ['before', 'after', 'x'], MEMBERS, MEMBERS),
  fixed('lpos', KEYS, MEMBERS),
  fixed('lpos', KEYS, MEMBERS, 'rank', NUMBERS, 'count', SMALL),
  fixed('lpos', KEYS, MEMBERS, 'maxlen', NUMBERS),
  fixed('lmove', KEYS, KEYS, ['left', 'right'], ['left', 'right', 'x']),
  fixed('rpoplpush', KEYS, KEYS),
  fixed('lmpop', ['1', '2', '0', 'x'], KEYS, KEYS, ['left', 'right'], 'count', NUMBERS),
]

const SETS: readonly CommandMaker[] = [
  (choose) => [choose(['sadd', 'srem', 'smismember']), choose(KEYS), ...several(choose, MEMBERS)],
  (choose) => [choose(['sinter', 'sunion', 'sdiff']), ...several(choose, KEYS)],
  (choose) => [choose(['sinterstore', 'sunionstore', 'sdiffstore']), choose(KEYS), ...several(choose, KEYS)],
  fixed('sismember', KEYS, MEMBERS),
  fixed('scard', KEYS),
  fixed('smembers', KEYS),
  fixed('smove', KEYS, KEYS, MEMBERS),
  fixed('sintercard', ['1', '2', '3', '0', 'x'], KEYS, KEYS),
  fixed('sintercard', '2', KEYS, KEYS, 'limit', NUMBERS),
]

const BITS: readonly CommandMaker[] = [
  fixed('setbit', KEYS, ['0', '7', '100', '8191', '8192', '-1', 'x'], ['0', '1', '2']),
  fixed('getbit', KEYS, ['0', '7', '100', '8191', '8192', '-1', 'x']),
  fixed('bitcount', KEYS),
  fixed('bitcount', KEYS, NUMBERS, NUMBERS, ['byte', 'bit', 'x']),
  fixed('bitpos', KEYS, ['0', '1', '2'], NUMBERS),
  fixed('bitpos', KEYS, ['0', '1'], NUMBERS, NUMBERS, ['byte', 'bit']),
  fixed('bitop', ['and', 'or', 'xor'], KEYS, KEYS, KEYS),
  fixed('bitop', 'not', KEYS, KEYS),
  fixed('bitfield', KEYS, ['get', 'set'], ['u8', 'i16', 'u64'], ['0', '#1', '13'], ['1', '-1', '300']),
  fixed('bitfield', KEYS, 'overflow', ['sat', 'wrap'], 'incrby', ['u2', 'i5', 'i64'], ['0', '3'], NUMBERS),
]

const ARGUMENT_ERROR =
  /^-ERR (value is|syntax error|bit |.*must be|The bit argument|Invalid bitfield|RANK|COUNT|MAXLEN|LIMIT)/

const UNORDERED = /^(smembers|sinter|sunion|sdiff|hgetall|hkeys|hvals)$/

/** What differs by decision, and why. */
const KNOWN: readonly { readonly reason: string; equal(ours: string, redis: string, name: string): boolean }[] = [
  {
    reason: 'members and fields come in the order of their bytes, Redis has none',
    equal: (ours, redis, name) => UNORDERED.test(name) && sorted(ours) === sorted(redis),
  },
  {
    reason: 'COPY of a key to itself with REPLACE succeeds, as the tests of Kvrocks demand',
    equal: (ours, redis) => ours.startsWith(':') && redis === '-ERR source and destination objects are the same\r\n',
  },
  {
    reason: 'arguments are checked before the key is looked up, as in Kvrocks, so that MULTI can refuse them',
    equal: (ours, redis) => ARGUMENT_ERROR.test(ours) && !ARGUMENT_ERROR.test(redis),
  },
  {
    reason: 'bits that SETBIT and BITOP made are a bitmap to TYPE, as in Kvrocks',
    equal: (ours, redis) => ours === '+bitmap\r\n' && redis === '+string\r\n',
  },
]

function sorted(reply: string): string {
  const lines = reply.split('\r\n')
  const pairs: string[] = []
  for (let at = 1; at + 1 < lines.length; at += 2) pairs.push(`${lines[at]}\r\n${lines[at + 1]}`)
  return `${lines[0]} ${pairs.sort().join(' ')}`
}

function known(ours: string, redis: string, [name]: readonly Word[]): string {
  return KNOWN.some((difference) => difference.equal(ours, redis, String(name))) ? redis : ours
}

async function compare(t: Test, makers: readonly CommandMaker[]): Promise<void> {
  for (const protocol of [2, 3] as const) {
    const all = [...GENERIC, ...makers, ...makers]
    t.same(await compareWithRedis({ protocol, runs: RUNS, before: [], makers: all, known }), undefined)
  }
}

test('hashes answer as redis-server does', { skip: REDIS_MISSING }, (t) => compare(t, HASHES))
test('lists answer as redis-server does', { skip: REDIS_MISSING }, (t) => compare(t, LISTS))
test('sets answer as redis-server does', { skip: REDIS_MISSING }, (t) => compare(t, SETS))
test('bits answer as redis-server does', { skip: REDIS_MISSING }, (t) => compare(t, BITS))
test('one key may be of every type in turn', { skip: REDIS_MISSING }, (t) => compare(t, [...HASHES, ...LISTS, ...SETS]))
