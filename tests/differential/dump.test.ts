/** Values dumped here are restored by a redis-server, and what it dumps of them is restored here. */

import { test } from 'tap'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { startServer } from '../support/server.js'

const MANY = Array.from({ length: 3000 }, (_, index) => `m${index}`)

const WRITES: readonly (readonly string[])[] = [
  ['set', 'text', 'hello'],
  ['set', 'number', '-12'],
  ['set', 'long', 'x'.repeat(3000)],
  ['hset', 'hash', 'f', '1', 'g', ''],
  ['hset', 'large hash', ...MANY],
  ['rpush', 'list', 'a', '', '1'],
  ['rpush', 'large list', ...MANY],
  ['sadd', 'set', '1', '2'],
  ['sadd', 'large set', ...MANY],
  ['zadd', 'zset', '1.5', 'a', '-inf', 'b', '3', 'c'],
  ['xadd', 'stream', '1-1', 'f', 'v'],
  ['xadd', 'stream', '2-1', 'g', 'w'],
  ['xgroup', 'create', 'stream', 'group', '0'],
  ['setbit', 'bits', '100', '1'],
  ['pfadd', 'log', 'a', 'b', 'c'],
]

const READS: readonly (readonly [string, string, ...string[]])[] = [
  ['get', 'text'],
  ['get', 'number'],
  ['get', 'long'],
  ['hgetall', 'hash'],
  ['hlen', 'large hash'],
  ['lrange', 'list', '0', '-1'],
  ['lrange', 'large list', '0', '-1'],
  ['smembers', 'set'],
  ['scard', 'large set'],
  ['zrange', 'zset', '0', '-1', 'withscores'],
  ['xrange', 'stream', '-', '+'],
  ['get', 'bits'],
  ['pfcount', 'log'],
]

test('DUMP payloads go to redis-server and back', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer()
  t.teardown(() => redis.stop())
  await using s = await startServer({ usesRealClock: true })
  const ours = await s.connect()
  const theirs = await RawClient.connect(redis.port)
  t.teardown(() => theirs.close())
  for (const words of WRITES) await ours.run(...words)
  for (const [command, key, ...rest] of READS) {
    const read = await ours.run(command, key, ...rest)
    const payload = Buffer.from((await ours.value('dump', key)) as string, 'latin1')
    t.equal(await theirs.run('restore', key, '0', payload, 'replace'), '+OK\r\n', key)
    t.equal(await theirs.run(command, key, ...rest), read, key)
    const returned = Buffer.from((await theirs.value('dump', key)) as string, 'latin1')
    t.equal(await ours.run('restore', key, '0', returned, 'replace'), '+OK\r\n', key)
    t.equal(await ours.run(command, key, ...rest), read, key)
  }
  t.equal(await ours.run('xinfo', 'groups', 'stream'), await theirs.run('xinfo', 'groups', 'stream'))
  t.same(s.logged, [])
})
