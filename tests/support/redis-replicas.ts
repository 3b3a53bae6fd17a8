/** Redis servers as replicas of this one, and what is compared. */

import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { eventually } from './eventually.js'
import { describeServer } from './random-writes.js'
import { type RedisServer, startRedisServer } from './redis-server.js'
import type { TestServer } from './server.js'

/** More elements than are read at once, of each collection. */
export async function fillLarge(s: TestServer): Promise<void> {
  const many = Array.from({ length: 5000 }, (_, index) => index)
  await s.run('hset', 'large:hash', ...many.flatMap((i) => [`f${i}`, `value ${i}`]))
  await s.run('rpush', 'large:list', ...many)
  await s.run('sadd', 'large:set', ...many)
  await s.run('zadd', 'large:zset', ...many.flatMap((i) => [i / 3, `m${i}`]))
  await s.run('pexpire', 'large:zset', 10_000_000)
  const client = await s.connect()
  for (const i of many) client.send('xadd', 'large:stream', `${i + 1}-1`, 'field', `value ${i}`)
  for (const _ of many) await client.nextReply()
  await client.run('xgroup', 'create', 'large:stream', 'g', '0')
  await client.run('xreadgroup', 'group', 'g', 'c', 'count', 1500, 'streams', 'large:stream', '>')
  client.close()
}

/** A redis-server that is a replica of `s` until the end of the test. */
export async function startReplica(t: Test, s: TestServer, ...options: string[]): Promise<RedisServer> {
  const replica = await startRedisServer('--replicaof', '127.0.0.1', String(s.port), ...options)
  t.teardown(replica.stop)
  return replica
}

/** A client of `s` until the end of the test. */
export function clientOf(t: Test, s: TestServer): Redis {
  const client = new Redis({ port: s.port, host: '127.0.0.1' })
  t.teardown(() => client.disconnect())
  return client
}

/** Waits until the replica has all that was written so far. */
export async function caughtUp(s: TestServer, replica: RedisServer): Promise<void> {
  const mark = `mark:${Math.random()}`
  await s.run('publish', 'x', 'y')
  await s.run('set', mark, 1)
  await eventually(async () => ((await replica.client.get(mark)) === '1' ? true : undefined))
  await s.run('del', mark)
  await eventually(async () => ((await replica.client.get(mark)) === null ? true : undefined))
}

/** Asserts that two servers hold the same. */
export async function sameContents(t: Test, source: Redis, replica: Redis, name: string): Promise<void> {
  const expected = await describeServer(source)
  const found = await describeServer(replica)
  t.same(Object.keys(found), Object.keys(expected), `${name}: the same keys`)
  for (const key of Object.keys(found)) t.same(found[key], expected[key], `${name}: ${key}`)
}
