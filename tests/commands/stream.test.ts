import { test } from 'tap'
import { makeId } from '../../src/types/stream/ids.js'
import { openStream, saveStream } from '../../src/types/stream/rows.js'
import { countRowReads } from '../support/row-reads.js'
import { startServer, type TestServer } from '../support/server.js'

const NOW = 1_700_000_000_000

async function untilBlocked(s: TestServer, count: number): Promise<void> {
  while (s.server.clients.blockedCount !== count) await new Promise((done) => setImmediate(done))
}

test('XADD makes ids from the clock, which may stand still or go back', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  t.equal(await client.value('xadd', 's', '*', 'f', 'v'), `${NOW}-0`)
  t.equal(await client.value('xadd', 's', '*', 'f', 'v'), `${NOW}-1`)
  s.advance(5)
  t.equal(await client.value('xadd', 's', '*', 'f', 'v'), `${NOW + 5}-0`)
  s.advance(-5)
  t.equal(await client.value('xadd', 's', '*', 'f', 'v'), `${NOW + 5}-1`)
  t.equal(await client.value('xadd', 's', `${NOW + 6}-*`, 'f', 'v'), `${NOW + 6}-0`)
  s.advance(7)
  t.equal(await client.value('xadd', 's', '*-7', 'f', 'v'), `${NOW + 7}-7`)
  t.equal(await client.value('xlen', 's'), 6)
})

test('ids are exact up to the largest, and no entry gets in the way of the rows of groups', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  t.equal(
    await client.value('xadd', 's', '9007199254740993-9007199254740995', 'f', '1'),
    '9007199254740993-9007199254740995',
  )
  t.equal(await client.value('xadd', 's', '9007199254740993-*', 'f', '2'), '9007199254740993-9007199254740996')
  t.equal(
    await client.run('xadd', 's', '18446744073709551615-1', 'f', 'v'),
    '-ERR Invalid stream ID specified as stream command argument\r\n',
  )
  const last = '18446744073709551614-18446744073709551615'
  t.equal(await client.value('xadd', 's', last, 'f', '3'), last)
  await client.run('xgroup', 'create', 's', 'g', 0)
  t.equal(
    await client.run('xadd', 's', '*', 'f', 'v'),
    '-ERR The stream has exhausted the last possible ID, unable to add more items\r\n',
  )
  t.same(await client.value('xrange', 's', '9007199254740993-9007199254740996', '+'), [
    ['9007199254740993-9007199254740996', ['f', '2']],
    [last, ['f', '3']],
  ])
})

test('XREAD + gives the last entry, XLEN counts from an id', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (const id of [1, 2, 3]) await client.run('xadd', 's', id, 'f', id)
  t.same(await client.value('xread', 'streams', 's', '+'), [['s', [['3-0', ['f', '3']]]]])
  t.equal(await client.run('xread', 'streams', 'none', '+'), '*-1\r\n')
  t.equal(await client.value('xlen', 's', 1), 2)
  t.equal(await client.value('xlen', 's', 1, '+'), 2)
  t.equal(await client.value('xlen', 's', 2, '-'), 1)
  t.equal(await client.run('xlen', 's', 2, 'x'), '-ERR syntax error\r\n')
  t.equal(
    await client.run('xread', 'streams', 'a', '0', 'b'),
    "-ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified.\r\n",
  )
})

test('XREAD waits, and all who wait for a stream get the entry', async (t) => {
  await using s = await startServer()
  const [first, second, writer] = [await s.connect(), await s.connect(), await s.connect()]
  await writer.run('xadd', 's', 1, 'f', 'old')
  first.send('xread', 'block', 0, 'streams', 's', '$')
  second.send('xread', 'block', 0, 'streams', 'other', 's', '$', 1)
  await untilBlocked(s, 2)
  await writer.run('xadd', 's', 2, 'f', 'new')
  for (const client of [first, second]) t.same((await client.nextReply()).value, [['s', [['2-0', ['f', 'new']]]]])
  t.equal(await first.run('xread', 'block', 1, 'streams', 's', '$'), '*-1\r\n')
  await first.run('multi')
  await first.run('xread', 'block', 0, 'streams', 's', '$')
  t.equal(await first.run('exec'), '*1\r\n*-1\r\n')
})

test('XREADGROUP gives each entry to one of those who wait, and NOGROUP when the group goes', async (t) => {
  await using s = await startServer()
  const [first, second, writer] = [await s.connect(), await s.connect(), await s.connect()]
  await writer.run('xgroup', 'create', 's', 'g', '$', 'mkstream')
  first.send('xreadgroup', 'group', 'g', 'a', 'block', 0, 'streams', 's', '>')
  await untilBlocked(s, 1)
  second.send('xreadgroup', 'group', 'g', 'b', 'block', 0, 'streams', 's', '>')
  await untilBlocked(s, 2)
  await writer.run('xadd', 's', 1, 'f', 'v')
  t.same((await first.nextReply()).value, [['s', [['1-0', ['f', 'v']]]]])
  await writer.run('xadd', 's', 2, 'f', 'v')
  t.same((await second.nextReply()).value, [['s', [['2-0', ['f', 'v']]]]])
  second.send('xreadgroup', 'group', 'g', 'b', 'block', 0, 'streams', 's', '>')
  await untilBlocked(s, 1)
  await writer.run('xgroup', 'destroy', 's', 'g')
  t.equal(
    (await second.nextReply()).bytes,
    "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option\r\n",
  )
  t.same(s.logged, [])
})

test('the first delivery has a time and counts, and idle times follow the clock', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('xadd', 's', 1, 'f', 'v')
  await client.run('xgroup', 'create', 's', 'g', 0)
  await client.run('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>')
  s.advance(500)
  t.same(await client.value('xpending', 's', 'g', '-', '+', 9), [['1-0', 'c', 500, 1]])
  t.same(await client.value('xpending', 's', 'g', 'idle', 501, '-', '+', 9), [])
  await client.run('xreadgroup', 'group', 'g', 'c', 'streams', 's', '0')
  t.same(await client.value('xpending', 's', 'g', '-', '+', 9), [['1-0', 'c', 0, 2]])
  t.same(await client.value('xinfo', 'consumers', 's', 'g'), [['name', 'c', 'pending', 1, 'idle', 0, 'inactive', 500]])
  t.same(await client.value('xclaim', 's', 'g', 'd', 0, 1, 'idle', 300), [['1-0', ['f', 'v']]])
  t.same(await client.value('xpending', 's', 'g', '-', '+', 9), [['1-0', 'd', 300, 3]])
  t.same(await client.value('xclaim', 's', 'g', 'd', 0, 1, 'time', NOW, 'retrycount', 7, 'justid'), ['1-0'])
  t.same(await client.value('xpending', 's', 'g', '-', '+', 9), [['1-0', 'd', 500, 7]])
  t.same(await client.value('xclaim', 's', 'g', 'd', 0, 1, 'time', NOW + 100_000, 'justid'), ['1-0'])
  s.advance(1000)
  t.same(await client.value('xpending', 's', 'g', '-', '+', 9), [['1-0', 'd', 1000, 7]], 'no time is yet to come')
})

test('XCLAIM and XAUTOCLAIM without an idle time claim what is yet to be delivered by the clock', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('xadd', 's', 1, 'f', 'v')
  await client.run('xgroup', 'create', 's', 'g', 0)
  await client.run('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>')
  s.advance(-500)
  t.same(await client.value('xclaim', 's', 'g', 'd', 1, 1, 'justid'), [])
  t.same(await client.value('xautoclaim', 's', 'g', 'd', 1, 0, 'justid'), ['0-0', [], []])
  t.same(await client.value('xautoclaim', 's', 'g', 'd', 0, 0, 'justid'), ['0-0', ['1-0'], []])
  s.advance(-500)
  t.same(await client.value('xclaim', 's', 'g', 'e', 0, 1, 'justid'), ['1-0'])
})

test('XAUTOCLAIM looks at no more pending entries than it needs to', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('xgroup', 'create', 's', 'g', 0, 'mkstream')
  for (let id = 1; id <= 100; id++) await client.run('xadd', 's', id, 'f', 'v')
  await client.run('xreadgroup', 'group', 'g', 'c', 'count', 60, 'streams', 's', '>')
  s.advance(10)
  await client.run('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>')
  using reads = countRowReads()
  const first = ['3-0', ['1-0', '2-0'], []]
  t.same(await client.value('xautoclaim', 's', 'g', 'd', 0, 0, 'count', 2, 'justid'), first)
  t.equal(reads.walked, 3)
  t.same(await client.value('xautoclaim', 's', 'g', 'd', 5, '59', 'count', 3, 'justid'), ['89-0', ['59-0', '60-0'], []])
  t.same(await client.value('xautoclaim', 's', 'g', 'd', 5, '89', 'count', 2, 'justid'), ['0-0', [], []])
})

test('a range of very many entries is exact, whatever was written before in the turn', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const count = 3000
  for (let id = 1; id <= count; id++) client.send('xadd', 's', id, 'f', `value ${id}`)
  client.send('xrange', 's', '-', '+')
  client.send('xrevrange', 's', 2500, 2, 'count', 2000)
  client.send('xread', 'streams', 's', 's', 0, 10)
  client.send('ping')
  for (let id = 1; id <= count; id++) await client.nextReply()
  const all = Array.from({ length: count }, (_, index) => [`${index + 1}-0`, ['f', `value ${index + 1}`]])
  t.same((await client.nextReply()).value, all)
  t.same((await client.nextReply()).value, all.slice(500, 2500).reverse())
  t.same((await client.nextReply()).value, [
    ['s', all],
    ['s', all.slice(10)],
  ])
  t.equal((await client.nextReply()).value, 'PONG')
  client.write('MULTI\r\nXADD s 9999 f v\r\nXRANGE s - +\r\nEXEC\r\n')
  for (let reply = 0; reply < 3; reply++) await client.nextReply()
  t.same((await client.nextReply()).value, ['9999-0', [...all, ['9999-0', ['f', 'v']]]])
})

test('XTRIM of very many entries is one record, and leaves groups alone', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('xgroup', 'create', 's', 'g', 0, 'mkstream')
  for (let id = 1; id <= 3000; id++) client.send('xadd', 's', id, 'f', 'v')
  for (let id = 1; id <= 3000; id++) await client.nextReply()
  const before = s.server.store.latestSequence()
  t.equal(await client.value('xtrim', 's', 'maxlen', 2), 2998)
  t.ok(s.server.store.latestSequence() - before < 5)
  t.same(await client.value('xrange', 's', '-', '+'), [
    ['2999-0', ['f', 'v']],
    ['3000-0', ['f', 'v']],
  ])
  t.equal(await client.value('xtrim', 's', 'maxlen', 0), 2)
  t.equal(await client.value('xlen', 's'), 0)
  t.same(await client.value('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>'), null)
  t.equal(await client.value('xadd', 's', 3001, 'f', 'v'), '3001-0')
  t.same(await client.value('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>'), [['s', [['3001-0', ['f', 'v']]]]])
})

test('a trim with ~ stops at its limit; with XADD it waits until a hundred entries are too many', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (const id of [1, 2, 3, 4]) await client.run('xadd', 's', id, 'f', 'v')
  t.equal(await client.value('xtrim', 's', 'maxlen', '~', 0, 'limit', 1), 1)
  t.equal(await client.value('xtrim', 's', 'minid', '~', 9, 'limit', 0), 3)
  const lengths: unknown[] = []
  for (let id = 5; id < 220; id++) {
    await client.run('xadd', 's', 'maxlen', '~', 10, id, 'f', 'v')
    lengths.push(await client.value('xlen', 's'))
  }
  t.equal(Math.max(...(lengths as number[])), 109)
  t.same(lengths.slice(108, 111), [109, 10, 11])
  t.equal(await client.value('xadd', 's', 'maxlen', '=', 2, 220, 'f', 'v'), '220-0')
  t.equal(await client.value('xlen', 's'), 2)
})

test('XINFO STREAM FULL tells of groups, consumers and what they hold', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (const id of [1, 2, 3]) await client.run('xadd', 's', id, 'f', 'v')
  await client.run('xgroup', 'create', 's', 'g', 0)
  await client.run('xreadgroup', 'group', 'g', 'c', 'count', 2, 'streams', 's', '>')
  await client.run('hello', 3)
  const full = (await client.value('xinfo', 'stream', 's', 'full', 'count', 1)) as Map<string, unknown>
  t.same([...full.keys()].slice(-2), ['entries', 'groups'])
  t.same(full.get('entries'), [['1-0', ['f', 'v']]])
  t.same(full.get('groups'), [
    new Map<string, unknown>([
      ['name', 'g'],
      ['last-delivered-id', '2-0'],
      ['entries-read', 2],
      ['lag', 1],
      ['pel-count', 2],
      ['pending', [['1-0', 'c', NOW, 1]]],
      [
        'consumers',
        [
          new Map<string, unknown>([
            ['name', 'c'],
            ['seen-time', NOW],
            ['active-time', NOW],
            ['pel-count', 2],
            ['pending', [['1-0', NOW, 1]]],
          ]),
        ],
      ],
    ]),
  ])
})

test('XINFO STREAM FULL walks what is pending once for all consumers', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('xgroup', 'create', 's', 'g', 0, 'mkstream')
  for (let id = 1; id <= 60; id++) await client.run('xadd', 's', id, 'f', 'v')
  const consumers = ['a', 'b', 'c', 'd']
  for (const consumer of consumers) {
    await client.run('xreadgroup', 'group', 'g', consumer, 'count', 15, 'streams', 's', '>')
  }
  const pending = async (count: number): Promise<unknown[]> => {
    const full = (await client.value('xinfo', 'stream', 's', 'full', 'count', count)) as unknown[]
    const group = (full.at(-1) as unknown[][])[0] as unknown[]
    return (group.at(-1) as unknown[][]).map((consumer) => (consumer.at(-1) as unknown[][]).map(([id]) => id))
  }
  {
    using reads = countRowReads()
    t.same(await pending(2), [
      ['1-0', '2-0'],
      ['16-0', '17-0'],
      ['31-0', '32-0'],
      ['46-0', '47-0'],
    ])
    t.ok(reads.walked < 60, `${reads.walked} rows`)
  }
  using reads = countRowReads()
  const all = await pending(0)
  t.same(
    all.flat(),
    Array.from({ length: 60 }, (_, index) => `${index + 1}-0`),
  )
  t.ok(reads.walked < 200, `${reads.walked} rows: of entries, of the group's list and of all consumers' lists`)
})

test('the lag of a group is exact across trims, and unknown where entries between were deleted', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const progress = async (): Promise<unknown[]> =>
    ((await client.value('xinfo', 'groups', 's')) as unknown[][])[0]?.slice(8) as unknown[]
  for (let id = 1; id <= 10; id++) await client.run('xadd', 's', id, 'f', 'v')
  await client.run('xgroup', 'create', 's', 'g', 0)
  t.same(await progress(), ['entries-read', null, 'lag', 10])
  await client.run('xreadgroup', 'group', 'g', 'c', 'count', 2, 'streams', 's', '>')
  t.same(await progress(), ['entries-read', 2, 'lag', 8])
  await client.run('xtrim', 's', 'maxlen', 5)
  t.same(await progress(), ['entries-read', 2, 'lag', 5])
  await client.run('xreadgroup', 'group', 'g', 'c', 'count', 1, 'streams', 's', '>')
  t.same(await progress(), ['entries-read', 6, 'lag', 4])
  await client.run('xdel', 's', 8)
  t.same(await progress(), ['entries-read', 6, 'lag', null])
  await client.run('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>')
  t.same(await progress(), ['entries-read', 10, 'lag', 0])
})

test('a consumer that is given an entry again takes it from its owner', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (const id of [1, 2]) await client.run('xadd', 's', id, 'f', 'v')
  await client.run('xgroup', 'create', 's', 'g', 0)
  await client.run('xreadgroup', 'group', 'g', 'a', 'streams', 's', '>')
  await client.run('xgroup', 'setid', 's', 'g', 0)
  await client.run('xreadgroup', 'group', 'g', 'b', 'count', 1, 'streams', 's', '>')
  await client.run('xreadgroup', 'group', 'g', 'a', 'streams', 's', '>')
  t.same(await client.value('xpending', 's', 'g'), [
    2,
    '1-0',
    '2-0',
    [
      ['a', '1'],
      ['b', '1'],
    ],
  ])
})

test('a deleted entry that Kvrocks left as the last one does not answer those who wait', async (t) => {
  await using s = await startServer()
  const [client, waiting] = [await s.connect(), await s.connect()]
  await client.run('xgroup', 'create', 's', 'g', '$', 'mkstream')
  await client.run('xadd', 's', 1, 'f', 'v')
  const stream = openStream(s.server.defaultDatabase, Buffer.from('s'))
  if (stream === undefined) throw new Error('the stream exists')
  stream.lastEntryId = makeId(9, 0)
  stream.lastId = makeId(9, 0)
  saveStream(stream)
  t.equal(await client.run('xread', 'streams', 's', 1), '*-1\r\n')
  t.same(await client.value('xread', 'streams', 's', 0), [['s', [['1-0', ['f', 'v']]]]])
  await client.run('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>')
  t.equal(await client.run('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>'), '*-1\r\n')
  waiting.send('xread', 'block', 0, 'streams', 's', 1)
  await untilBlocked(s, 1)
  await client.run('xadd', 's', 10, 'f', 'v')
  t.same((await waiting.nextReply()).value, [['s', [['10-0', ['f', 'v']]]]])
})

test('changes of streams are told to those who subscribed to them', async (t) => {
  await using s = await startServer()
  const [client, listener] = [await s.connect(), await s.connect()]
  await client.run('config', 'set', 'notify-keyspace-events', 'Et')
  await listener.run('psubscribe', '__keyevent@*')
  await client.run('xadd', 's', 'maxlen', 1, 1, 'f', 'v')
  await client.run('xadd', 's', 'maxlen', 1, 2, 'f', 'v')
  await client.run('xgroup', 'create', 's', 'g', 0)
  await client.run('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>')
  await client.run('xgroup', 'setid', 's', 'g', 0)
  await client.run('xgroup', 'delconsumer', 's', 'g', 'c')
  await client.run('xgroup', 'destroy', 's', 'g')
  await client.run('xdel', 's', 2)
  await client.run('xsetid', 's', 3)
  const events = ['xadd', 'xadd', 'xtrim', 'xgroup-create', 'xgroup-createconsumer', 'xgroup-setid']
  events.push('xgroup-delconsumer', 'xgroup-destroy', 'xdel', 'xsetid')
  for (const event of events) {
    t.same((await listener.nextReply()).value, ['pmessage', '__keyevent@*', `__keyevent@0__:${event}`, 's'])
  }
})

test('a client that waits for a group learns that the database was emptied', async (t) => {
  await using s = await startServer()
  await s.run('xgroup', 'create', 's', 'g', '$', 'mkstream')
  const client = await s.connect()
  client.send('xreadgroup', 'group', 'g', 'c', 'block', '0', 'streams', 's', '>')
  while (!(await s.run('info', 'clients')).includes('blocked_clients:1')) {}
  t.match(await s.run('info', 'clients'), /total_blocking_keys:1\r\ntotal_blocking_keys_on_nokey:1\r\n/)
  await s.run('flushall')
  t.match((await client.nextReply()).bytes, /^-NOGROUP /)
  t.match(await s.run('info', 'errorstats'), /errorstat_NOGROUP:count=1/)
})
