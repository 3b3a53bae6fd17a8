import { test } from 'tap'
import { batchesAfter } from '../support/batches.js'
import { startServer, type TestServer } from '../support/server.js'

/** One step of the sweep, as the server's clockwork runs it, and the commit after it. */
async function sweep(s: TestServer): Promise<void> {
  s.server.expiry.isEnabled = true
  s.server.sweepExpired()
  s.server.expiry.isEnabled = false
  await new Promise((resolve) => setImmediate(resolve))
}

test('expired keys are deleted, others are not, and subscribers learn of it once', async (t) => {
  await using s = await startServer({ config: { 'notify-keyspace-events': 0 } })
  await s.run('config', 'set', 'notify-keyspace-events', 'Ex')
  const subscriber = await s.connect()
  await subscriber.run('subscribe', '__keyevent@0__:expired')
  await s.run('psetex', 'a', '10', 'v')
  await s.run('sadd', 's', 'm')
  await s.run('pexpire', 's', '10')
  await s.run('setex', 'later', '100', 'v')
  await s.run('set', 'never', 'v')
  s.advance(10)
  const sequence = s.server.store.latestSequence()
  await sweep(s)
  t.equal(s.server.store.latestSequence(), sequence, 'alive at the very millisecond')
  s.advance(1)
  await sweep(s)
  await sweep(s)
  t.same(batchesAfter(s, sequence), [
    ['log 0 8', 'delete metadata ~61', 'log 0', 'log 0 8', 'delete metadata ~73', 'log 0'],
  ])
  const message = (key: string): string => `*3\r\n$7\r\nmessage\r\n$22\r\n__keyevent@0__:expired\r\n$1\r\n${key}\r\n`
  t.equal((await subscriber.nextReply()).bytes, message('a'))
  t.equal((await subscriber.nextReply()).bytes, message('s'))
  t.match(await s.run('info', 'stats'), /expired_keys:2\r\n/)
  t.equal(await s.run('exists', 'later', 'never'), ':2\r\n')
})

test('a hash that dies with its last field is announced as such, and its readers learn of each expiry', async (t) => {
  await using s = await startServer()
  await s.run('config', 'set', 'notify-keyspace-events', 'KA')
  const subscriber = await s.connect()
  await subscriber.run('psubscribe', '__keyspace@0__:*')
  const event = async (): Promise<unknown> => ((await subscriber.nextReply()).value as unknown[])[3]
  await s.run('hset', 'h', 'a', '1', 'b', '2')
  await s.run('hpexpire', 'h', '10', 'FIELDS', '1', 'a')
  await s.run('hpexpire', 'h', '20', 'FIELDS', '1', 'b')
  t.same([await event(), await event(), await event()], ['hset', 'hexpire', 'hexpire'])
  const reader = await s.connect()
  await reader.run('hello', '3')
  await reader.run('client', 'tracking', 'on')
  t.equal(await reader.run('hlen', 'h'), ':2\r\n')
  s.advance(11)
  s.server.cron.run('invalidate expired keys')
  const invalidation = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nh\r\n'
  t.equal((await reader.nextReply()).bytes, invalidation)
  t.equal(await reader.run('hlen', 'h'), ':1\r\n')
  s.advance(10)
  await sweep(s)
  t.equal((await reader.nextReply()).bytes, invalidation)
  t.same([await event(), await event()], ['hexpired', 'del'])
  t.match(await s.run('info', 'stats'), /expired_keys:0\r\n/)
})

test('what the turn has written over an expired key stays', async (t) => {
  await using s = await startServer()
  await s.run('psetex', 'k', '10', 'old')
  s.advance(11)
  const client = await s.connect()
  client.write('SET k new\r\n')
  while (!s.server.store.turn.isDirty && (await s.run('get', 'k')) !== '$3\r\nnew\r\n');
  await sweep(s)
  t.equal(await s.run('get', 'k'), '$3\r\nnew\r\n')
})

test('DEBUG SET-ACTIVE-EXPIRE stops the sweep, and a replica never sweeps', async (t) => {
  await using s = await startServer({ sweepsExpired: true })
  t.equal(await s.run('debug', 'set-active-expire', '0'), '+OK\r\n')
  await s.run('psetex', 'k', '10', 'v')
  s.advance(11)
  const sequence = s.server.store.latestSequence()
  s.server.sweepExpired()
  t.notOk(s.server.store.turn.isDirty)
  await s.run('debug', 'set-active-expire', '1')
  t.equal(await s.run('replicaof', '127.0.0.1', '1'), '+OK\r\n')
  s.server.sweepExpired()
  t.notOk(s.server.store.turn.isDirty)
  t.equal(await s.run('replicaof', 'no', 'one'), '+OK\r\n')
  s.server.sweepExpired()
  await s.run('ping')
  t.equal(s.server.store.latestSequence(), sequence + 1)
})

test('many expired keys go in some steps', async (t) => {
  await using s = await startServer()
  for (let i = 0; i < 50; i++) {
    await s.run('msetex', '40', ...Array.from({ length: 40 }, (_, j) => [`k${i}:${j}`, 'v']).flat(), 'px', '5')
  }
  await s.run('set', 'stays', 'v')
  s.advance(6)
  for (let i = 0; i < 100 && s.server.expiry.expiredCount < 2000; i++) await sweep(s)
  t.equal(s.server.expiry.expiredCount, 2000)
  t.equal(await s.run('dbsize'), ':1\r\n')
})

test('a sweep that is behind takes more time, until it has caught up', async (t) => {
  await using s = await startServer()
  for (let i = 0; i < 30; i++) {
    await s.run('msetex', '1000', ...Array.from({ length: 1000 }, (_, j) => [`k${i}:${j}`, 'v']).flat(), 'px', '5')
  }
  s.advance(6)
  // A millisecond passes with each look at the clock.
  let ms = 0
  const clock = t.intercept(performance, 'now', { value: () => ms++ })
  const deleted: number[] = []
  while (s.server.expiry.expiredCount < 30_000) {
    const before = s.server.expiry.expiredCount
    s.server.expiry.isEnabled = true
    s.server.sweepExpired()
    s.server.expiry.isEnabled = false
    deleted.push((s.server.expiry.expiredCount - before) / 64)
  }
  clock.restore()
  t.same(deleted.slice(0, 20), Array(20).fill(10))
  t.same(deleted.slice(20, 22), [25, 25])
})
