/** Redis as a replica of this server. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { eventually } from '../support/eventually.js'
import { type ServerProcess, startProcess } from '../support/process.js'
import { RandomWrites, runWrites } from '../support/random-writes.js'
import { RawClient } from '../support/raw-client.js'
import { caughtUp, clientOf, fillLarge, sameContents, startReplica } from '../support/redis-replicas.js'
import { REDIS_MISSING, type RedisServer, startRedisServer } from '../support/redis-server.js'
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

test('a replica goes on where it was after a restart of its master, and begins anew after a crash', SLOW, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'redis-replica-'))
  const node: { process: ServerProcess; client: RawClient } = await startMaster(dir)
  const { port } = node.process
  t.teardown(async () => {
    await node.process.end('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })
  const restart = async (signal: NodeJS.Signals): Promise<void> => {
    await node.process.end(signal)
    Object.assign(node, await startMaster(dir, port))
  }
  const writes = new RandomWrites(41)
  await runWrites(node.client, writes, 500)
  const replica = await startRedisServer('--replicaof', '127.0.0.1', String(port))
  t.teardown(replica.stop)
  const caughtUpWith = async (mark: string): Promise<void> => {
    await node.client.run('set', 'mark', mark)
    await eventually(async () => ((await replica.client.get('mark')) === mark ? true : undefined))
  }
  await caughtUpWith('first')
  const id = /master_replid:(\w+)/.exec(await replica.client.info('replication'))?.[1]
  for (let round = 1; round <= 2; round++) {
    await runWrites(node.client, writes, 300)
    await restart('SIGTERM')
    // It is read once.
    await eventually(() => (existsSync(join(dir, 'redis-histories.json')) ? undefined : true))
    await runWrites(node.client, writes, 300)
    await caughtUpWith(`round ${round}`)
    t.match(await node.client.run('info', 'stats'), /sync_full:0\r\nsync_partial_ok:1\r\nsync_partial_err:0/)
    await sameAs(t, replica, port)
    t.equal(/master_replid:(\w+)/.exec(await replica.client.info('replication'))?.[1], id)
  }
  await restart('SIGKILL')
  await caughtUpWith('after the crash')
  t.match(await node.client.run('info', 'stats'), /sync_full:1\r\nsync_partial_ok:0\r\nsync_partial_err:1/)
  await sameAs(t, replica, port)
})

async function startMaster(dir: string, port?: number): Promise<{ process: ServerProcess; client: RawClient }> {
  const process = await startProcess(dir, port === undefined ? {} : { port: String(port) })
  return { process, client: await RawClient.connect(process.port) }
}

async function sameAs(t: Test, replica: RedisServer, port: number): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1' })
  await sameContents(t, client, replica.client, 'the replica')
  client.disconnect()
}

test('histories of another database, or damaged, are not taken', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'redis-replica-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  for (const content of ['{"database":"another","histories":[]}', '{"datab']) {
    writeFileSync(join(dir, 'redis-histories.json'), content)
    await using s = await startServer({ dir })
    t.match(s.logged.join('\n'), /the histories of Redis replicas in .* are of no use: /)
    t.notOk(existsSync(join(dir, 'redis-histories.json')))
  }
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
