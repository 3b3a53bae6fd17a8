/** What a server tells of itself, its clients and its commands; and how clients are ended. */
import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { startServer, type Word } from '../support/server.js'

const FILLED: readonly (readonly Word[])[] = [
  ['set', 'v1'],
  ['lpush', 'v1', 'v2'],
  ['sadd', 'v2', 'v3'],
  ['hset', 'f1', 'v1', 'f2', 'v2'],
  ['zadd', 10, 'm1', 20, 'm2'],
  ['siadd', 1, 2, 3],
  ['setbit', 10_000, 1],
  ['xadd', '1-1', 'f', 'v'],
  ['pfadd', 'a'],
]

for (const command of ['del', 'unlink']) {
  test('DEL and UNLINK remove keys of every type', async (t) => {
    await using s = await startServer()
    const client = await s.connect()
    for (const [name = '', ...words] of FILLED) {
      for (const key of ['one', 'two', 'three']) await client.run(name, key, ...words)
      t.equal(await client.value(command, 'one'), 1, String(name))
      t.equal(await client.value(command, 'two', 'three', 'four'), 2)
      t.equal(await client.value('exists', 'one', 'two', 'three'), 0)
    }
  })
}

test('a client is listed with its name, and may change it', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const shape = (name: string) =>
    new RegExp(
      `^id=\\d+ addr=\\S+:\\d+ .*fd=\\S+ name=${name} age=\\d+ idle=\\d+ flags=N namespace=\\S+ .*qbuf=\\d+ .*obuf=\\d+ cmd=client`,
    )
  t.equal(await client.value('client', 'getname'), null)
  t.match(await client.value('client', 'list'), shape(''))
  t.match(await client.value('client', 'info'), shape(''))
  t.match(await client.run('client', 'setname', 'foo bar'), /^-ERR /)
  for (const name of ['myname', 'someothername']) {
    t.equal(await client.run('client', 'setname', name), '+OK\r\n')
    t.equal(await client.value('client', 'getname'), name)
    t.match(await client.value('client', 'list'), shape(name))
    t.match(await client.value('client', 'info'), shape(name))
  }
  const named = await s.connect()
  await named.run('client', 'setname', 'foobar')
  t.match(await client.value('client', 'list'), /name=foobar /)
  named.close()
  await eventually(async () => (/name=foobar /.test(String(await client.value('client', 'list'))) ? undefined : true))
})

test('CLIENT KILL ends clients by type, and the caller if SKIPME says so', async (t) => {
  await using s = await startServer()
  const [killer, normal, subscriber, pattern] = [
    await s.connect(),
    await s.connect(),
    await s.connect(),
    await s.connect(),
  ]
  await normal.run('client', 'setname', 'normal')
  await subscriber.run('subscribe', 'foo')
  await pattern.run('psubscribe', 'bar.*')
  t.equal(await killer.value('client', 'kill', 'type', 'pubsub'), 2)
  t.equal(await subscriber.untilClosed(), '')
  t.equal(await pattern.untilClosed(), '')
  t.match(await killer.value('client', 'list'), /name=normal /)
  t.equal(await killer.value('client', 'kill', 'skipme', 'yes', 'type', 'normal'), 1)
  t.equal(await normal.untilClosed(), '')
  killer.send('client', 'kill', 'skipme', 'no', 'type', 'normal')
  t.equal(await killer.untilClosed(), ':1\r\n')
})

test('MONITOR sees the commands of others', async (t) => {
  await using s = await startServer()
  const monitor = await s.connect()
  t.equal(await monitor.run('monitor'), '+OK\r\n')
  await s.run('set', 'foo', 'bar')
  await s.run('get', 'foo')
  t.match((await monitor.nextReply()).bytes, /^\+\d+\.\d{6} \[\S+ 127\.0\.0\.1:\d+\] "set" "foo" "bar"\r\n$/)
  t.match((await monitor.nextReply()).bytes, /"get" "foo"\r\n$/)
})

test('TIME is the seconds and microseconds of the clock', async (t) => {
  await using s = await startServer({ nowMs: 1_700_000_000_123 })
  t.equal(await s.run('time'), '*2\r\n$10\r\n1700000000\r\n$6\r\n123000\r\n')
})

test('MOVE says whether the key exists, for there is one database', async (t) => {
  await using s = await startServer()
  t.match(await s.run('move', 'key', 'dbid'), /^-ERR /)
  t.equal(await s.run('move', 'key', '0'), ':0\r\n')
  await s.run('set', 'key', 'value')
  t.equal(await s.run('move', 'key', '0'), ':1\r\n')
  t.equal(await s.run('exists', 'key'), ':1\r\n')
})

test('MOVEX takes a key to the namespace of a token, if nothing stands in its way there', async (t) => {
  await using s = await startServer({ config: { requirepass: 'secret', 'repl-namespace-enabled': true } })
  const client = await s.connect()
  await client.run('auth', 'secret')
  await client.run('namespace', 'add', 'ns1', 'token1')
  await client.run('namespace', 'add', 'ns2', 'token2')
  await client.run('set', 'key', 'value', 'ex', 100)
  await client.run('hset', 'h', 'f', 'v')
  t.match(await client.run('movex', 'key', 'wrong'), /^-/)
  t.equal(await client.value('movex', 'none', 'token1'), 0)
  t.equal(await client.value('movex', 'key', 'token1'), 1)
  t.equal(await client.value('movex', 'h', 'token1'), 1)
  t.equal(await client.value('exists', 'key', 'h'), 0)
  await client.run('auth', 'token1')
  t.equal(await client.value('get', 'key'), 'value')
  t.equal(await client.value('ttl', 'key'), 100)
  t.same(await client.value('hgetall', 'h'), ['f', 'v'])
  await client.run('auth', 'token2')
  await client.run('set', 'key', 'other')
  await client.run('auth', 'token1')
  t.equal(await client.value('movex', 'key', 'token2'), 0)
  t.equal(await client.value('get', 'key'), 'value')
  t.equal(await client.value('movex', 'h', 'token2'), 1)
  t.equal(await client.value('movex', 'key', 'secret'), 1)
  await client.run('auth', 'secret')
  t.equal(await client.value('get', 'key'), 'value')
})

test('hits and misses are counted', async (t) => {
  await using s = await startServer()
  const counts = async () => {
    const info = await s.run('info', 'stats')
    return ['keyspace_hits', 'keyspace_misses'].map((name) => Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1]))
  }
  t.same(await counts(), [0, 0])
  await s.run('set', 'foo', 'bar')
  await s.run('get', 'foo')
  t.same(await counts(), [1, 0])
  await s.run('get', 'none')
  t.same(await counts(), [1, 1])
  await s.run('hset', 'hash', 'f1', 'v1')
  await s.run('hget', 'hash', 'f1')
  t.equal((await counts())[0], 2)
  await s.run('hget', 'none', 'f1')
  t.equal((await counts())[0], 2)
})

test('INFO tells of the last backup, and whether this is a cluster', async (t) => {
  await using s = await startServer({ usesRealClock: true })
  const field = async (section: string, name: string) =>
    new RegExp(`\\b${name}:(\\S*)`).exec(await s.run('info', section))?.[1]
  t.equal(await field('cluster', 'cluster_enabled'), '0')
  t.equal(await field('persistence', 'bgsave_in_progress'), '0')
  t.equal(await field('persistence', 'last_bgsave_status'), 'ok')
  t.equal(await field('persistence', 'last_bgsave_time_sec'), '-1')
  t.equal(await s.run('bgsave'), '+OK\r\n')
  await eventually(async () => ((await field('persistence', 'bgsave_in_progress')) === '0' ? true : undefined))
  t.ok(Number(await field('persistence', 'last_bgsave_time')) > 1_640_507_660)
  t.equal(await field('persistence', 'last_bgsave_status'), 'ok')
  const seconds = Number(await field('persistence', 'last_bgsave_time_sec'))
  t.ok(seconds >= 0 && seconds < 10)
})

test('INFO rocksdb tells how often the database is asked', async (t) => {
  await using s = await startServer({ usesRealClock: true })
  const rates = ['put_per_sec', 'get_per_sec', 'seek_per_sec', 'next_per_sec']
  let asked = 0
  const isCounted = await eventually(async () => {
    await s.run('lpush', 'list', ...Array.from({ length: 100 }, (_, index) => index))
    for (let count = 0; count < 20; count++) await s.run('get', `absent${asked++}`)
    await s.run('lrange', 'list', 0, 10)
    const info = await s.run('info', 'rocksdb')
    return rates.every((rate) => Number(new RegExp(`\\b${rate}:(\\d+)`).exec(info)?.[1]) > 0) ? true : undefined
  })
  t.ok(isCounted)
})

test('a batch larger than rocksdb.write_options.write_batch_max_bytes is refused', async (t) => {
  await using s = await startServer()
  const add = ['zadd', 'z', 1, 'one', 2, 'two', 3, 'three'] as const
  t.equal(await s.run(...add), ':3\r\n')
  await s.run('del', 'z')
  t.equal(await s.run('config', 'set', 'rocksdb.write_options.write_batch_max_bytes', '10'), '+OK\r\n')
  t.match(await s.run(...add), /^-ERR .*Memory limit reached/)
  t.equal(await s.run('config', 'set', 'rocksdb.write_options.write_batch_max_bytes', '1073741824'), '+OK\r\n')
  t.equal(await s.run(...add), ':3\r\n')
  t.equal(await s.run('config', 'set', 'rocksdb.write_options.write_batch_max_bytes', '0'), '+OK\r\n')
  t.equal(await s.run('zcard', 'z'), ':3\r\n')
})
