/** Redis as a replica of this server. */

import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { RandomWrites, runWrites } from '../support/random-writes.js'
import { caughtUp, clientOf, fillLarge, sameContents, startReplica } from '../support/redis-replicas.js'
import { REDIS_MISSING } from '../support/redis-server.js'
import { startServer, type TestServer } from '../support/server.js'

const SLOW = { skip: REDIS_MISSING, timeout: 600_000 }

/** What Redis has nothing like, and what is rare. */
async function fillForeign(s: TestServer): Promise<void> {
  await s.run('xadd', 'empty', '5-5', 'f', 'v')
  await s.run('xdel', 'empty', '5-5')
  await s.run('hset', 'hash:expiring', 'a', 1, 'b', 2)
  await s.run('siadd', 'ints', 1, 2)
}

for (const [name, options] of [
  ['loading from the socket', ['--repl-diskless-load', 'swapdb']],
  ['loading from a file', ['--repl-diskless-load', 'disabled']],
] as const) {
  test(`redis-server as a replica, ${name}, has all data and follows`, SLOW, async (t) => {
    await using s = await startServer({ usesRealClock: true, sweepsExpired: true })
    const client = await s.connect()
    const writes = new RandomWrites(7)
    await runWrites(client, writes, 800)
    await fillLarge(s)
    await fillForeign(s)
    await s.run('set', 'brief', 1, 'px', 1)
    const replica = await startReplica(t, s, ...options)
    // Written while the file is under way, and after it.
    await runWrites(client, writes, 800)
    await caughtUp(s, replica)
    await sameContents(t, clientOf(t, s), replica.client, 'after the file')
    await runWrites(client, writes, 1500)
    await s.run('set', 'gone soon', 1, 'px', 50)
    await caughtUp(s, replica)
    await eventually(async () => ((await replica.client.exists('gone soon')) === 0 ? true : undefined))
    await sameContents(t, clientOf(t, s), replica.client, 'after more writes')
    await s.run('flushall')
    await s.run('set', 'last', 1)
    await caughtUp(s, replica)
    t.same(await replica.client.keys('*'), ['last'])
    t.equal(s.server.stats.fullSyncs, 1)
    t.match(await replica.client.info('replication'), /master_link_status:up/)
    t.same(s.logged, [])
  })
}

test('a replica whose link was cut goes on where it was', SLOW, async (t) => {
  await using s = await startServer({ usesRealClock: true })
  const client = await s.connect()
  const writes = new RandomWrites(11)
  await runWrites(client, writes, 1000)
  const replica = await startReplica(t, s)
  await caughtUp(s, replica)
  for (let cut = 1; cut <= 5; cut++) {
    await runWrites(client, writes, 300)
    for (const feed of s.server.replication.feeds.redis.feeds) feed.close()
    await runWrites(client, writes, 700)
    await caughtUp(s, replica)
    t.equal(s.server.stats.partialSyncs, cut)
  }
  await sameContents(t, clientOf(t, s), replica.client, 'after the cuts')
  t.equal(s.server.stats.fullSyncs, 1)
})

test('a replica that takes nothing costs no memory, and goes on', SLOW, async (t) => {
  await using s = await startServer({ usesRealClock: true })
  const replica = await startReplica(t, s)
  await caughtUp(s, replica)
  const pid = Number(/process_id:(\d+)/.exec(await replica.client.info('server'))?.[1])
  process.kill(pid, 'SIGSTOP')
  const client = await s.connect()
  const value = 'x'.repeat(100_000)
  for (let i = 0; i < 400; i++) await client.run('set', `k${i}`, value)
  const [feed] = s.server.replication.feeds.redis.feeds
  t.ok(
    feed !== undefined && feed.peer.outputBytes > 0 && feed.peer.outputBytes < 4_000_000,
    `${feed?.peer.outputBytes}`,
  )
  process.kill(pid, 'SIGCONT')
  await caughtUp(s, replica)
  t.equal(await replica.client.dbsize(), 400)
  t.equal(s.server.stats.fullSyncs, 1)
})

test('a replica that takes nothing for too long is dropped', SLOW, async (t) => {
  await using s = await startServer({ config: { 'replication-send-timeout-ms': 5000 } })
  const replica = await startReplica(t, s)
  await eventually(async () => (/status:up/.test(await replica.client.info('replication')) ? true : undefined))
  const pid = Number(/process_id:(\d+)/.exec(await replica.client.info('server'))?.[1])
  process.kill(pid, 'SIGSTOP')
  const client = await s.connect()
  const value = 'x'.repeat(100_000)
  for (let i = 0; i < 200; i++) await client.run('set', `k${i}`, value)
  const { redis } = s.server.replication.feeds
  redis.check()
  s.advance(4999)
  redis.check()
  t.equal(redis.feeds.length, 1)
  s.advance(1)
  redis.check()
  t.equal(redis.feeds.length, 0)
  process.kill(pid, 'SIGCONT')
  await eventually(async () => ((await replica.client.dbsize()) === 200 ? true : undefined))
  t.match(await client.run('info', 'replication'), /slave0:ip=127.0.0.1,port=\d+,state=online/)
})
