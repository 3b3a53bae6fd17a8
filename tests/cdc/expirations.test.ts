/** Keys whose time is over, in the feed: told once, when the server notices it. */
import { test } from 'tap'
import { batchesAfter } from '../support/batches.js'
import { ReplyFailure, type ReplyValue } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'

/** `op COMMAND` of each change after `sequence`. */
async function opsAfter(s: TestServer, sequence: number): Promise<string[]> {
  const client = await s.connect()
  const reply = (await client.value('pollupdates', sequence, 'strict', 'max', 1000, 'format', 'json')) as ReplyValue[]
  if (reply instanceof ReplyFailure) throw new Error(reply.message)
  return (reply[5] as string[]).map((text) => {
    const { op, command } = JSON.parse(text) as { op: string; command: string[] }
    return `${op} ${command.join(' ')}`
  })
}

async function sweep(s: TestServer): Promise<void> {
  s.server.expiry.isEnabled = true
  s.server.sweepExpired()
  s.server.expiry.isEnabled = false
  await new Promise((resolve) => setImmediate(resolve))
}

test('the sweep tells once of each key whose time is over', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', '1', 'px', '10')
  await s.run('rpush', 'l', 'x')
  await s.run('pexpire', 'l', '10')
  await s.run('set', 'b', '1', 'px', '100')
  s.advance(11)
  const before = s.server.store.latestSequence()
  await sweep(s)
  await sweep(s)
  t.same(await opsAfter(s, before), ['expire DEL a', 'expire DEL l'])
})

test('a write that finds an expired key tells of it before its own change', async (t) => {
  await using s = await startServer()
  await s.run('rpush', 'l', 'old')
  await s.run('pexpire', 'l', '10')
  s.advance(11)
  const before = s.server.store.latestSequence()
  await s.run('rpush', 'l', 'new')
  await sweep(s)
  t.same(await opsAfter(s, before), ['expire DEL l', 'put RPUSH l new'])
  t.match(await s.run('info', 'stats'), /expired_keys:1\r\n/)
})

test('what one command deletes beside an expired key is a deletion', async (t) => {
  await using s = await startServer()
  await s.run('set', 'gone', '1', 'px', '10')
  await s.run('set', 'here', '1')
  s.advance(11)
  const before = s.server.store.latestSequence()
  t.equal(await s.run('del', 'gone', 'here'), ':1\r\n')
  t.same(await opsAfter(s, before), ['expire DEL gone', 'delete DEL here'])
  t.same(batchesAfter(s, before), [
    ['log 0 8', 'delete metadata ~676f6e65', 'log 0', 'log 0', 'delete metadata ~68657265'],
  ])
})

test('a read deletes nothing, and what fails tells of nothing', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', '1', 'px', '10')
  await s.run('set', 'text', 'x')
  s.advance(11)
  const before = s.server.store.latestSequence()
  t.equal(await s.run('get', 'a'), '$-1\r\n')
  t.match(await s.run('smove', 'a', 'text', 'x'), /^(:0|-WRONGTYPE)/)
  await s.run('lpush', 'text', 'x')
  t.equal(await s.run('expire', 'a', '100'), ':0\r\n')
  t.same(await opsAfter(s, before), ['expire DEL a'])
})

test('a replica waits for its master to tell', async (t) => {
  await using s = await startServer({ config: { 'slave-read-only': false } })
  await s.run('set', 'a', '1', 'px', '10')
  s.advance(11)
  const before = s.server.store.latestSequence()
  await s.run('slaveof', '127.0.0.1', '1')
  t.equal(await s.run('persist', 'a'), ':0\r\n')
  await sweep(s)
  t.equal(s.server.store.latestSequence(), before)
  await s.run('slaveof', 'no', 'one')
  t.equal(await s.run('persist', 'a'), ':0\r\n')
  t.equal(s.server.store.latestSequence(), before + 1)
})

test('inside a transaction and a script each key is told of once, in its place', async (t) => {
  await using s = await startServer()
  for (const key of ['a', 'b', 'c']) await s.run('set', key, '1', 'px', '10')
  s.advance(11)
  const before = s.server.store.latestSequence()
  await s.run('multi')
  await s.run('append', 'a', 'x')
  await s.run('append', 'a', 'y')
  await s.run('incr', 'b')
  await s.run('exec')
  await s.run('eval', "redis.call('append', KEYS[1], 'z')", '1', 'c')
  t.same(await opsAfter(s, before), [
    'expire DEL a',
    'put SET a x',
    'put SET a xy',
    'expire DEL b',
    'put SET b 1',
    'expire DEL c',
    'put SET c z',
  ])
})

test('FLUSHDB and FLUSHALL are told with the range that is gone', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', '1')
  const before = s.server.store.latestSequence()
  await s.run('flushdb')
  await s.run('set', 'a', '2')
  await s.run('flushall')
  const client = await s.connect()
  const reply = (await client.value(
    'pollupdates',
    before,
    'strict',
    'format',
    'json',
    'op',
    'invalidate',
  )) as ReplyValue[]
  t.same(
    (reply[5] as string[]).map((text) => {
      const { op, type, command, range } = JSON.parse(text) as Record<string, unknown>
      return { op, type, command, range }
    }),
    [
      { op: 'invalidate', type: 'keyspace', command: ['FLUSHDB'], range: ['\x0b__namespace', '\x0b__namespacf'] },
      { op: 'invalidate', type: 'keyspace', command: ['FLUSHALL'], range: ['\x0b__namespacea', '\x0b__namespaceb'] },
    ],
  )
})
