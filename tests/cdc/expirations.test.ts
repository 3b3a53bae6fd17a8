/** Keys whose time is over, in the feed: told once, when the server notices it. */
import { test } from 'tap'
import { EMPTY } from '../../src/bytes/bytes.js'
import { CF_DEFAULT, CF_METADATA, COLUMN_FAMILY_NAMES } from '../../src/storage/column-family.js'
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

test('a write that does not look at the key tells of its expiry all the same, once', async (t) => {
  await using s = await startServer()
  const stores = [
    'set k 2',
    'mset other 1 k 2',
    'rename source k',
    'copy source k replace',
    'sunionstore k set',
    'sort list store k',
    'bitop not k source',
    'zunionstore k 1 zset',
    'restore k 0 PAYLOAD replace',
    'getset k 1',
    'del k',
  ]
  const client = await s.connect()
  await s.run('set', 'p', 'x')
  const payload = Buffer.from(String(await client.value('dump', 'p')), 'latin1')
  for (const line of stores) {
    await s.run('flushall')
    await s.run('sadd', 'set', 'a')
    await s.run('rpush', 'list', '1')
    await s.run('zadd', 'zset', '1', 'a')
    await s.run('set', 'source', 'a')
    await s.run('set', 'k', '1', 'px', '10')
    s.advance(11)
    const before = s.server.store.latestSequence()
    await s.run(...line.split(' ').map((word) => (word === 'PAYLOAD' ? payload : word)))
    await sweep(s)
    const ops = await opsAfter(s, before)
    t.equal(ops[0], 'expire DEL k', line)
    t.same(
      ops.slice(1).filter((op) => op.startsWith('expire')),
      [],
      line,
    )
  }
})

test('a write tells of an expiry whatever becomes of it, and in a transaction and a script too', async (t) => {
  await using s = await startServer()
  for (const key of ['a', 'b', 'c', 'd']) await s.run('set', key, '1', 'px', '10')
  s.advance(11)
  const before = s.server.store.latestSequence()
  t.equal(await s.run('set', 'a', '2', 'xx'), '$-1\r\n')
  await s.run('multi')
  await s.run('set', 'b', '2')
  await s.run('set', 'b', '3')
  await s.run('exec')
  await s.run('eval', "redis.call('mset', KEYS[1], 4, KEYS[2], 5)", '2', 'c', 'd')
  await sweep(s)
  t.same(await opsAfter(s, before), [
    'expire DEL a',
    'expire DEL b',
    'put SET b 2',
    'put SET b 3',
    'expire DEL c',
    'expire DEL d',
    'put SET c 4',
    'put SET d 5',
  ])
})

test('nothing is looked for while nothing can have expired', async (t) => {
  await using s = await startServer()
  const { turn } = s.server.store
  const { expiries } = turn
  await s.run('set', 'a', '1', 'px', '1000')
  await s.run('hsetex', 'h', 'px', '500', 'fields', '1', 'f', 'v')
  t.equal(expiries.earliestMs, 0, 'nothing is known at first')
  await sweep(s)
  t.equal(expiries.earliestMs, s.server.nowMs() + 500)
  await s.run('set', 'b', '1', 'px', '100')
  t.equal(expiries.earliestMs, s.server.nowMs() + 100)
  s.advance(101)
  await sweep(s)
  await sweep(s)
  t.equal(expiries.earliestMs, s.server.nowMs() + 399)
  s.advance(5000)
  await sweep(s)
  await sweep(s)
  t.equal(expiries.earliestMs, Number.POSITIVE_INFINITY)
  const [batch] = s.server.store.wal.read(1, 1, 0)
  await s.run('applybatch', batch?.data ?? '')
  t.equal(expiries.earliestMs, 0, 'nor of what another server has written')
})

test('fields whose time is over are told once each, by the sweep', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'a', '1', 'b', '2', 'c', '3')
  await s.run('hpexpire', 'h', '10', 'fields', '2', 'a', 'b')
  s.advance(11)
  const before = s.server.store.latestSequence()
  await sweep(s)
  await sweep(s)
  t.same(await opsAfter(s, before), ['expire HDEL h a', 'expire HDEL h b'])
  t.equal(await s.run('hlen', 'h'), ':1\r\n')
  const [batch] = batchesAfter(s, before)
  t.same(
    batch?.filter((record) => !record.startsWith('put')).map((record) => record.replace(/ ~.*/, '')),
    ['log 2 13 1 8', 'delete default', 'delete default', 'log 0', 'log 2 13 1 8', 'log 0'],
  )
})

test('a hash goes with its last fields, which are told before it', async (t) => {
  await using s = await startServer()
  for (const key of ['swept', 'written']) {
    await s.run('hset', key, 'a', '1', 'b', '2')
    await s.run('hpexpire', key, '10', 'fields', '2', 'a', 'b')
  }
  s.advance(11)
  const before = s.server.store.latestSequence()
  await s.run('hset', 'written', 'c', '1')
  t.same(await opsAfter(s, before), [
    'expire HDEL written a',
    'expire HDEL written b',
    'expire DEL written',
    'put HSET written c 1',
  ])
  const then = s.server.store.latestSequence()
  await sweep(s)
  await sweep(s)
  t.same(await opsAfter(s, then), ['expire HDEL swept a', 'expire HDEL swept b', 'expire DEL swept'])
})

test('a write to a hash tells of the fields that it finds expired, before its own change', async (t) => {
  for (const rows of [10, 1000]) {
    await using s = await startServer()
    await s.run('hset', 'h', ...Array.from({ length: rows }, (_, i) => [`f${i}`, `${i}`]).flat())
    await s.run('hpexpire', 'h', '10', 'fields', '2', 'f0', 'f1')
    s.advance(11)
    const before = s.server.store.latestSequence()
    await s.run('hset', 'h', 'f0', 'x')
    await s.run('hincrby', 'h', 'f1', '5')
    await sweep(s)
    await sweep(s)
    const ops = await opsAfter(s, before)
    t.same(
      ops.filter((op) => op.includes('f0')),
      ['expire HDEL h f0', 'put HSET h f0 x'],
    )
    t.same(
      ops.filter((op) => op.includes('f1')),
      ['expire HDEL h f1', 'put HSET h f1 5'],
    )
    t.equal(ops.length, 4)
    t.equal(await s.run('hlen', 'h'), `:${rows}\r\n`)
  }
})

test('a write that finds nothing but expired fields changes nothing else', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'a', '1', 'b', '2')
  await s.run('hpexpire', 'h', '10', 'fields', '1', 'a')
  s.advance(11)
  const before = s.server.store.latestSequence()
  t.equal(await s.run('hdel', 'h', 'a'), ':0\r\n')
  t.equal(await s.run('hsetnx', 'h', 'b', '3'), ':0\r\n')
  await sweep(s)
  t.same(await opsAfter(s, before), ['expire HDEL h a'])
})

test('a large hash is swept in parts, and its bounds are exact when it is done', async (t) => {
  await using s = await startServer()
  const names = Array.from({ length: 3000 }, (_, i) => `f${i}`)
  await s.run('hset', 'h', ...names.flatMap((name) => [name, '1']))
  await s.run('hpexpire', 'h', '10', 'fields', '1500', ...names.slice(0, 1500))
  await s.run('hpexpire', 'h', '5000', 'fields', '1', 'f2999')
  s.advance(11)
  const before = s.server.store.latestSequence()
  const countExpired = async (): Promise<number> =>
    (await opsAfter(s, before)).filter((op) => op.startsWith('expire HDEL h ')).length
  // A round is bounded by time: on a busy machine more of them are needed.
  for (let i = 0; i < 1000 && (await countExpired()) < 1500; i++) await sweep(s)
  t.equal(await countExpired(), 1500)
  await sweep(s)
  t.equal(await s.run('hlen', 'h'), ':1500\r\n')
  const after = s.server.store.latestSequence()
  await sweep(s)
  t.equal(s.server.store.latestSequence(), after, 'not begun again')
  t.equal(s.server.store.turn.expiries.earliestMs, s.server.nowMs() + 4989)
})

test('the end of a key that was told with its last element is not told again', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'a', '1')
  const before = s.server.store.latestSequence()
  await s.run('hdel', 'h', 'a')
  await sweep(s)
  t.same(await opsAfter(s, before), ['remove HDEL h a'])
  t.ok(s.server.store.latestSequence() > before + 1, 'but the row is gone')
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

/** Everything in memory goes to files, and all of them through the filters of compactions. */
async function compact(s: TestServer): Promise<void> {
  const { rocks } = s.server.store
  await rocks.flush()
  for (const cf of COLUMN_FAMILY_NAMES.keys()) await rocks.compactRange(cf, { bottommost: 'force' })
}

/** How many rows of keys and how many of their elements are stored, their time being over or not. */
function countStored(s: TestServer): number[] {
  return ([CF_METADATA, CF_DEFAULT] as const).map((cf) => {
    using rows = s.server.store.turn.committedRows(cf, EMPTY, undefined)
    let count = 0
    while (rows.next()) count++
    return count
  })
}

test('what a compaction meets before the sweep is told all the same, once', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', '1', 'px', '10')
  await s.run('rpush', 'l', 'x')
  await s.run('pexpire', 'l', '10')
  await s.run('hset', 'h', 'a', '1', 'b', '2')
  await s.run('hpexpire', 'h', '10', 'fields', '1', 'a')
  await s.run('hset', 'i', 'a', '1')
  await s.run('hpexpire', 'i', '10', 'fields', '1', 'a')
  s.advance(11)
  const before = s.server.store.latestSequence()
  await compact(s)
  await sweep(s)
  await compact(s)
  await sweep(s)
  t.same((await opsAfter(s, before)).sort(), [
    'expire DEL a',
    'expire DEL i',
    'expire DEL l',
    'expire HDEL h a',
    'expire HDEL i a',
  ])
  t.equal(await s.run('hlen', 'h'), ':1\r\n')
})

test('where nobody tells of them, compactions drop keys an hour after their time', async (t) => {
  for (const words of [
    ['replicaof', '127.0.0.1', '1'],
    ['debug', 'set-active-expire', '0'],
  ]) {
    await using s = await startServer()
    await s.run('set', 'a', '1', 'px', '10')
    await s.run('hset', 'h', 'a', '1', 'b', '2')
    await s.run('hpexpire', 'h', '10', 'fields', '1', 'a')
    await s.run(...words)
    s.advance(3_600_000)
    s.server.cron.run('sweep expired keys')
    await compact(s)
    t.same(countStored(s), [2, 2], words.join(' '))
    s.advance(11)
    s.server.cron.run('sweep expired keys')
    await compact(s)
    t.same(countStored(s), [1, 1], words.join(' '))
  }
})

test('a hash that the sweep has found and not come to is told when a write overwrites it', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'a', '1')
  await s.run('hpexpire', 'h', '10', 'fields', '1', 'a')
  s.advance(11)
  const before = s.server.store.latestSequence()
  // A step of the sweep has no time for more than one look.
  let ms = 0
  const clock = t.intercept(performance, 'now', { value: () => (ms += 1000) })
  await sweep(s)
  clock.restore()
  await s.run('set', 'h', '1')
  t.same(await opsAfter(s, before), ['expire HDEL h a', 'expire DEL h', 'put SET h 1'])
})
