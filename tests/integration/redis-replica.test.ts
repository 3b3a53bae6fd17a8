/** Redis as a replica of this server, and the tools that speak as one. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { eventually } from '../support/eventually.js'
import { describeServer, RandomWrites, runWrites } from '../support/random-writes.js'
import { REDIS_MISSING, type RedisServer, startRedisServer } from '../support/redis-server.js'
import { startServer, type TestServer } from '../support/server.js'

const run = promisify(execFile)
const SLOW = { skip: REDIS_MISSING, timeout: 120_000 }

/** More elements than are read at once, of each collection. */
async function fillLarge(s: TestServer): Promise<void> {
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

/** What Redis has nothing like, and what is rare. */
async function fillForeign(s: TestServer): Promise<void> {
  await s.run('xadd', 'empty', '5-5', 'f', 'v')
  await s.run('xdel', 'empty', '5-5')
  await s.run('hset', 'hash:expiring', 'a', 1, 'b', 2)
  await s.run('siadd', 'ints', 1, 2)
}

async function startReplica(t: Test, s: TestServer, ...options: string[]): Promise<RedisServer> {
  const replica = await startRedisServer('--replicaof', '127.0.0.1', String(s.port), ...options)
  t.teardown(replica.stop)
  return replica
}

function clientOf(t: Test, s: TestServer): Redis {
  const client = new Redis({ port: s.port, host: '127.0.0.1' })
  t.teardown(() => client.disconnect())
  return client
}

/** Waits until the replica has all that was written so far. */
async function caughtUp(s: TestServer, replica: RedisServer): Promise<void> {
  const mark = `mark:${Math.random()}`
  await s.run('publish', 'x', 'y')
  await s.run('set', mark, 1)
  await eventually(async () => ((await replica.client.get(mark)) === '1' ? true : undefined))
  await s.run('del', mark)
  await eventually(async () => ((await replica.client.get(mark)) === null ? true : undefined))
}

async function sameContents(t: Test, source: Redis, replica: Redis, name: string): Promise<void> {
  const expected = await describeServer(source)
  const found = await describeServer(replica)
  t.same(Object.keys(found), Object.keys(expected), `${name}: the same keys`)
  for (const key of Object.keys(found)) t.same(found[key], expected[key], `${name}: ${key}`)
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

test('a replica of a replica follows', SLOW, async (t) => {
  await using s = await startServer({ usesRealClock: true })
  const client = await s.connect()
  const writes = new RandomWrites(13)
  await runWrites(client, writes, 500)
  const replica = await startReplica(t, s, '--repl-diskless-sync-delay', '0')
  await caughtUp(s, replica)
  const second = await startRedisServer('--replicaof', '127.0.0.1', String(replica.port))
  t.teardown(second.stop)
  await runWrites(client, writes, 500)
  await caughtUp(s, second)
  await sameContents(t, clientOf(t, s), second.client, 'the second')
})

test('redis-cli --rdb writes a file that redis-server loads', SLOW, async (t) => {
  await using s = await startServer({ usesRealClock: true })
  await runWrites(await s.connect(), new RandomWrites(17), 800)
  await fillLarge(s)
  const target = await startRedisServer()
  t.teardown(target.stop)
  const file = join(target.directory, 'copy.rdb')
  await run('redis-cli', ['-p', String(s.port), '--rdb', file], { timeout: 20_000 })
  const loaded = await startRedisServer('--dir', target.directory, '--dbfilename', 'copy.rdb')
  t.teardown(() => loaded.stop().catch(() => {}))
  await sameContents(t, clientOf(t, s), loaded.client, 'the file')
})

test('redis-cli --replica shows the commands', SLOW, async (t) => {
  await using s = await startServer({ usesRealClock: true })
  await s.run('set', 'before', 1)
  const cli = spawn('redis-cli', ['-p', String(s.port), '--replica'])
  t.teardown(() => cli.kill())
  let shown = ''
  cli.stdout.on('data', (data) => {
    shown += data
  })
  await eventually(() =>
    s.server.replication.feeds.redis.feeds.some(({ state }) => state === 'online') ? true : undefined,
  )
  await s.run('set', 'k', 'v')
  await eventually(() => (shown.includes('\n') ? true : undefined))
  t.match(shown, /"SET","k","v"\n$/)
  cli.kill()
  await once(cli, 'close')
})

test('a reader without EOF is told the length of the file', async (t) => {
  await using s = await startServer({ usesRealClock: true })
  await s.run('set', 'k', 'v')
  const client = await s.connect()
  client.write('PSYNC ? -1\r\n')
  const received = await eventually(() =>
    client.pending.includes('select') || client.pending.includes('SELECT') ? client.pending : undefined,
  )
  const parts = /^\+FULLRESYNC [0-9a-f]{40} 0\r\n\n*\$(\d+)\r\n(REDIS.*)$/s.exec(received)
  t.ok(parts)
  const rest = parts?.[2] ?? ''
  t.equal(rest.slice(Number(parts?.[1])), '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n')
  await s.run('set', 'k', 'w')
  await eventually(() => (client.pending.endsWith('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nw\r\n') ? true : undefined))
})

test('a replica sees the keys of its own namespace alone', SLOW, async (t) => {
  await using s = await startServer({
    usesRealClock: true,
    config: { requirepass: 'root', 'repl-namespace-enabled': true },
  })
  const client = await s.connect()
  await client.run('auth', 'root')
  await client.run('namespace', 'add', 'ns', 'token')
  await client.run('set', 'other', 1)
  await client.run('auth', 'token')
  await client.run('set', 'mine', 1)
  const replica = await startReplica(t, s, '--masterauth', 'token')
  await eventually(async () => ((await replica.client.get('mine')) === '1' ? true : undefined))
  await client.run('set', 'mine', 2)
  await eventually(async () => ((await replica.client.get('mine')) === '2' ? true : undefined))
  await client.run('auth', 'root')
  await client.run('set', 'other', 2)
  await client.run('auth', 'token')
  await client.run('set', 'mine', 3)
  await eventually(async () => ((await replica.client.get('mine')) === '3' ? true : undefined))
  t.same(await replica.client.keys('*'), ['mine'])
})
