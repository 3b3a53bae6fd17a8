/** Commands whose rows are on disk: their connections wait, the others go on, and no reply tells of it. */

import { test } from 'tap'
import { READ_TIER_BLOCK_CACHE } from '../../src/rocksdb/read-tier.js'
import { DatabaseSwap } from '../../src/server/database-swap.js'
import { eventually } from '../support/eventually.js'
import { startServer, type TestServer } from '../support/server.js'

/** Holds back what threads have fetched until it is opened. */
class Gate {
  readonly #held: (() => void)[] = []
  #isOpen = false

  constructor({ server }: TestServer) {
    const { rocks } = server.store
    const fetch = rocks.fetch.bind(rocks)
    const fetchRange = rocks.fetchRange.bind(rocks)
    rocks.fetch = (cf, keys, done) => fetch(cf, keys, () => this.#pass(done))
    rocks.fetchRange = (cf, range, done) => fetchRange(cf, range, () => this.#pass(done))
  }

  open(): void {
    this.#isOpen = true
    for (const done of this.#held.splice(0)) done()
  }

  #pass(done: () => void): void {
    if (this.#isOpen) done()
    else this.#held.push(done)
  }
}

/** Lets all rows be on disk alone. */
async function chill({ server }: TestServer): Promise<void> {
  const { rocks, turn } = server.store
  turn.commit()
  await rocks.flush()
  turn.cacheRows(0)
  turn.memoryTier = READ_TIER_BLOCK_CACHE
  rocks.clearBlockCache()
}

/** Between two keys, it keeps them in blocks of their own: to fetch one does not bring the other. */
const LONG = 'x'.repeat(100_000)

/** Until so many commands wait for the disk. */
function untilWaiting({ server }: TestServer, count: number): Promise<boolean> {
  return eventually(() => server.coldReads.waitingCount === count || undefined)
}

test('a pipeline with misses in its middle is answered in its order, and others meanwhile', async (t) => {
  await using s = await startServer()
  await s.run('mset', 'cold1', '1', 'cold2', '2')
  await s.run('hset', 'h', 'f', 'v')
  await chill(s)
  const gate = new Gate(s)
  const [waiting, other] = [await s.connect(), await s.connect()]
  waiting.write('SET a x\r\nGET cold1\r\nGET a\r\nMGET cold2 nothing cold1\r\nHGET h f\r\nPING\r\n')
  t.equal((await waiting.nextReply()).bytes, '+OK\r\n', 'what came before is answered')
  await untilWaiting(s, 1)
  t.equal(await other.run('get', 'a'), '$1\r\nx\r\n')
  t.match(await other.run('info', 'stats'), /\r\ncold_reads_waiting:1\r\ncold_reads:1\r\n/)
  gate.open()
  const replies: string[] = []
  for (let i = 0; i < 5; i++) replies.push((await waiting.nextReply()).bytes)
  t.equal(replies.join(''), '$1\r\n1\r\n$1\r\nx\r\n*3\r\n$1\r\n2\r\n$-1\r\n$1\r\n1\r\n$1\r\nv\r\n+PONG\r\n')
  const counted = /\r\nkeyspace_hits:6\r\nkeyspace_misses:2\r\ncold_reads_waiting:0\r\ncold_reads:2\r\n/
  t.match(await other.run('info', 'stats'), counted, 'each key is counted once')
})

test('a read that waits sees what is written meanwhile, and a write that waits adds to it', async (t) => {
  await using s = await startServer()
  await s.run('mset', 'k', 'old', 'l', LONG, 'n', '1')
  await chill(s)
  const gate = new Gate(s)
  const [reader, counter, writer] = [await s.connect(), await s.connect(), await s.connect()]
  reader.send('get', 'k')
  counter.send('incr', 'n')
  await untilWaiting(s, 2)
  t.equal(await writer.run('set', 'k', 'new'), '+OK\r\n')
  t.equal(await writer.run('set', 'n', '10'), '+OK\r\n')
  gate.open()
  t.equal((await reader.nextReply()).bytes, '$3\r\nnew\r\n')
  t.equal((await counter.nextReply()).bytes, ':11\r\n')
})

test('commands of all types find what is on disk, and do once what they do', async (t) => {
  await using s = await startServer()
  await s.run('config', 'set', 'notify-keyspace-events', 'KA')
  await s.run('hset', 'h', 'f1', 'v1', 'f2', '2')
  await s.run('rpush', 'l', 'a', 'b', 'c')
  await s.run('sadd', 's', 'm')
  await s.run('zadd', 'z', '1', 'one', '2', 'two')
  await s.run('xadd', 'x', '1-1', 'f', 'v')
  await s.run('setbit', 'b', '9', '1')
  const subscriber = await s.connect()
  await subscriber.run('psubscribe', '__keyspace*')
  const monitor = await s.connect()
  await monitor.run('monitor')
  for (const [command, reply] of [
    ['hget h f1', '$2\r\nv1\r\n'],
    ['hgetall h', '*4\r\n$2\r\nf1\r\n$2\r\nv1\r\n$2\r\nf2\r\n$1\r\n2\r\n'],
    ['hmget h f2 none', '*2\r\n$1\r\n2\r\n$-1\r\n'],
    ['lrange l 0 -1', '*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n'],
    ['sismember s m', ':1\r\n'],
    ['smembers s', '*1\r\n$1\r\nm\r\n'],
    ['zrange z 0 -1 rev', '*2\r\n$3\r\ntwo\r\n$3\r\none\r\n'],
    ['zrank z two', ':1\r\n'],
    ['xrange x - +', '*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n'],
    ['getbit b 9', ':1\r\n'],
    ['exists h l nothing', ':2\r\n'],
    ['hincrby h f2 5', ':7\r\n'],
    ['zincrby z 5 one', '$1\r\n6\r\n'],
    ['rpop l', '$1\r\nc\r\n'],
    ['del s x', ':2\r\n'],
  ] as const) {
    await chill(s)
    const before = s.server.coldReads.waits
    t.equal(await s.run(...command.split(' ')), reply, command)
    t.ok(s.server.coldReads.waits > before, `${command} had to wait`)
    t.match((await monitor.nextReply()).bytes, command.split(' ')[0])
  }
  const events: unknown[] = []
  for (let i = 0; i < 5; i++) events.push(((await subscriber.nextReply()).value as unknown[]).at(-1))
  t.same(events, ['hincrby', 'zincr', 'rpop', 'del', 'del'])
})

test('what cannot wait reads from the disk: transactions, scripts, and all commands without workers', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v')
  await chill(s)
  const client = await s.connect()
  client.write('MULTI\r\nGET k\r\nEXEC\r\n')
  for (const reply of ['+OK\r\n', '+QUEUED\r\n', '*1\r\n$1\r\nv\r\n']) t.equal((await client.nextReply()).bytes, reply)
  await chill(s)
  t.equal(await client.run('eval', "return redis.call('get', KEYS[1])", '1', 'k'), '$1\r\nv\r\n')
  t.equal(await client.run('config', 'set', 'workers', '0'), '+OK\r\n')
  await chill(s)
  t.equal(await client.run('get', 'k'), '$1\r\nv\r\n')
  t.equal(s.server.coldReads.waits, 0)
  t.equal(await client.run('config', 'set', 'workers', '2'), '+OK\r\n')
  await chill(s)
  t.equal(await client.run('get', 'k'), '$1\r\nv\r\n')
  t.equal(s.server.coldReads.waits, 1)
})

test('a command whose rows find no room in the cache reads from the disk in the end', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'f', 'v')
  await chill(s)
  const { rocks } = s.server.store
  const fetch = rocks.fetch.bind(rocks)
  rocks.fetch = (cf, keys, done) =>
    fetch(cf, keys, () => {
      rocks.clearBlockCache()
      done()
    })
  t.equal(await s.run('hget', 'h', 'f'), '$1\r\nv\r\n')
  // Fewer than that if the machine is so slow that trying takes long.
  t.ok(s.server.coldReads.waits >= 1 && s.server.coldReads.waits <= 4)
})

test('a connection that goes away while it waits is forgotten, also one that a client kills', async (t) => {
  await using s = await startServer()
  await s.run('mset', 'k', 'v', 'l', LONG, 'n', 'v')
  await chill(s)
  const gate = new Gate(s)
  const [gone, killed, other] = [await s.connect(), await s.connect(), await s.connect()]
  const id = Number((await killed.run('client', 'id')).slice(1))
  gone.send('get', 'k')
  killed.send('get', 'n')
  await untilWaiting(s, 2)
  gone.close()
  t.equal(await other.run('client', 'kill', 'id', id), ':1\r\n')
  // Of the one that only ended its side, the server learns more when it answers.
  await untilWaiting(s, 1)
  gate.open()
  await eventually(() => s.server.clients.count === 2 || undefined)
  t.equal(s.server.coldReads.waitingCount, 0)
  t.equal(await other.run('get', 'k'), '$1\r\nv\r\n')
  t.same(s.logged, [])
})

test('who waits at a shutdown is answered before', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v')
  await chill(s)
  new Gate(s)
  const client = await s.connect()
  client.send('get', 'k')
  await untilWaiting(s, 1)
  await s.server.close()
  t.equal((await client.nextReply()).bytes, '$1\r\nv\r\n')
  t.same(s.logged, [])
})

test('who waits while the database is replaced is answered from the old one, and then from the new one', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'old')
  await chill(s)
  const gate = new Gate(s)
  const client = await s.connect()
  client.write('GET k\r\nGET k\r\n')
  await untilWaiting(s, 1)
  const swap = new DatabaseSwap(s.server)
  await swap.drop()
  t.equal((await client.nextReply()).bytes, '$3\r\nold\r\n')
  t.match((await client.nextReply()).bytes, /^-LOADING /)
  await swap.reload()
  gate.open()
  t.equal(await client.run('get', 'k'), '$-1\r\n')
  await s.run('set', 'k', 'new')
  await chill(s)
  t.equal(await client.run('get', 'k'), '$3\r\nnew\r\n', 'threads fetch from the new database')
  t.equal(s.server.coldReads.waits, 2)
  t.same(s.logged, [])
})

test('a request that waits is held by a pause that begins meanwhile, and CLIENT REPLY SKIP silences it', async (t) => {
  await using s = await startServer()
  await s.run('mset', 'k', 'v', 'n', '1')
  await chill(s)
  const gate = new Gate(s)
  const [client, other] = [await s.connect(), await s.connect()]
  client.write('CLIENT REPLY SKIP\r\nINCR n\r\nINCR n\r\n')
  await untilWaiting(s, 1)
  t.equal(await other.run('client', 'pause', '100000', 'write'), '+OK\r\n')
  gate.open()
  await eventually(() => (s.server.clients.blockedCount === 1 ? true : undefined))
  t.equal(await other.run('client', 'unpause'), '+OK\r\n')
  t.equal((await client.nextReply()).bytes, ':3\r\n')
})
