import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { ReplyFailure, type ReplyValue } from '../support/resp.js'
import { startServer } from '../support/server.js'

interface Poll {
  next: number
  latest: number
  updates: string[]
}

function pollOf(reply: ReplyValue): Poll {
  if (!Array.isArray(reply) || reply.length !== 6) throw new Error(`not a poll: ${JSON.stringify(reply)}`)
  return { next: reply[1] as number, latest: reply[3] as number, updates: reply[5] as string[] }
}

test('POLLUPDATES shows the batch of SET a 1 as Kvrocks writes it', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', '1')
  t.equal(
    await s.run('pollupdates', '0'),
    '*6\r\n$13\r\nnext_sequence\r\n:1\r\n$15\r\nlatest_sequence\r\n:1\r\n$7\r\nupdates\r\n*1\r\n' +
      '$84\r\n01000000000000000100000003013105010D0B5F5F6E616D657370616365610A81000000000000000031\r\n',
  )
  const client = await s.connect()
  await client.run('hello', '3')
  t.match(await client.run('pollupdates', '1'), /^%3\r\n\$13\r\nnext_sequence\r\n:1\r\n.*updates\r\n\*0\r\n$/s)
})

test('POLLUPDATES gives MAX batches at a time, and APPLYBATCH repeats them elsewhere', async (t) => {
  await using s = await startServer()
  await using other = await startServer()
  for (let i = 0; i < 10; i++) await s.run('set', `key-${i}`, i)
  const client = await s.connect()
  const first = pollOf(await client.value('pollupdates', 0, 'max', 6))
  t.same([first.next, first.latest, first.updates.length], [6, 10, 6])
  const second = pollOf(await client.value('pollupdates', first.next, 'format', 'raw', 'max', 6))
  t.same([second.next, second.latest, second.updates.length], [10, 10, 4])
  for (const hex of [...first.updates, ...second.updates]) {
    const batch = Buffer.from(hex, 'hex')
    t.equal(await other.run('applybatch', batch), `:${batch.length}\r\n`)
  }
  for (let i = 0; i < 10; i++) t.equal(await other.run('get', `key-${i}`), `$1\r\n${i}\r\n`)
})

test('POLLUPDATES refuses what Kvrocks refuses, in its words', async (t) => {
  await using s = await startServer()
  for (let i = 0; i < 10; i++) await s.run('set', `key-${i}`, i)
  const cases: [string, string][] = [
    ['pollupdates 0 max -1', 'ERR out of numeric range'],
    ['pollupdates 0 max 1001', 'ERR out of numeric range'],
    ['pollupdates 0 max', 'ERR no more item to parse'],
    ['pollupdates 0 format command', 'ERR invalid FORMAT option, should be RAW or RESP or JSON'],
    ['pollupdates 12 format raw', 'ERR next sequence is out of range'],
    ['pollupdates 18446744073709551614', 'ERR next sequence is out of range'],
    ['pollupdates x', 'ERR not started as an integer'],
    ['pollupdates 1x', 'ERR encounter non-integer characters'],
    ['pollupdates 0 match k*', 'ERR filters and BYTES need FORMAT JSON'],
    ['pollupdates 0 soon', 'ERR syntax error'],
    ['pollupdates', "ERR wrong number of arguments for 'pollupdates' command"],
  ]
  for (const [call, error] of cases) t.equal(await s.run(...call.split(' ')), `-${error}\r\n`, call)
})

test('a sequence may be written in hexadecimal or octal, and -1 begins before the first', async (t) => {
  await using s = await startServer()
  for (let i = 0; i < 10; i++) await s.run('set', `key-${i}`, i)
  const client = await s.connect()
  t.equal(pollOf(await client.value('pollupdates', '0x9')).updates.length, 1)
  t.equal(pollOf(await client.value('pollupdates', '010')).updates.length, 2)
  t.equal(pollOf(await client.value('pollupdates', '-1')).updates.length, 10)
  t.equal(pollOf(await client.value('pollupdates', '18446744073709551615')).updates.length, 10)
})

test('STRICT refuses a sequence inside a batch', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h0', 'f0', 'v0')
  await s.run('set', 'k0', 'v0')
  t.equal(
    await s.run('pollupdates', 1, 'max', 1, 'strict'),
    '-ERR mismatched sequence number, expected 2 but got 1\r\n',
  )
  const client = await s.connect()
  t.equal(pollOf(await client.value('pollupdates', 1, 'max', 1)).updates.length, 1)
  const all = pollOf(await client.value('pollupdates', 0, 'max', 10, 'strict'))
  t.same([all.next, all.latest, all.updates.length], [3, 3, 2])
})

test('a poll sees the writes before it in its own turn, one batch for all of them', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.write('SET a 1\r\nSET b 2\r\nPOLLUPDATES 0\r\n')
  await client.nextReply()
  await client.nextReply()
  const poll = pollOf((await client.nextReply()).value)
  t.same([poll.next, poll.updates.length], [2, 1])
})

test('FORMAT RESP gathers the commands by namespace', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('set', 'k0', 'v0')
  await client.run('set', 'k1', 'v1', 'pxat', '1800000000000')
  await client.run('hset', 'h0', 'f0', 'v0')
  await client.run('hdel', 'h0', 'f0')
  await client.run('sadd', 's', 'm')
  await client.run('srem', 's', 'm')
  t.same(pollOf(await client.value('pollupdates', 0, 'format', 'resp', 'max', 100)).updates, [
    'default',
    [
      ['SET', 'k0', 'v0'],
      ['SET', 'k1', 'v1'],
      ['PEXPIREAT', 'k1', '1800000000000'],
      ['HSET', 'h0', 'f0', 'v0'],
      ['HDEL', 'h0', 'f0'],
      ['SADD', 's', 'm'],
      ['SREM', 's', 'm'],
      ['DEL', 's'],
    ],
  ])
  t.same(pollOf(await client.value('pollupdates', s.server.store.latestSequence(), 'format', 'resp')).updates, [])
})

test('FORMAT JSON gives each change its own sequence and goes on inside a batch', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('hset', 'h', 'a', '1', 'b', Buffer.from([0xff, 0]))
  const all = pollOf(await client.value('pollupdates', 0, 'format', 'json'))
  t.same(
    all.updates.map((text) => JSON.parse(text)),
    [
      {
        sequence: 1,
        batch: 1,
        namespace: 'default',
        type: 'hash',
        key: 'h',
        subkey: 'b',
        op: 'put',
        command: ['HSET', 'h', 'b', { base64: '/wA=' }],
        fresh: true,
      },
      {
        sequence: 2,
        batch: 1,
        namespace: 'default',
        type: 'hash',
        key: 'h',
        subkey: 'a',
        op: 'put',
        command: ['HSET', 'h', 'a', '1'],
      },
    ],
  )
  t.equal(all.next, 3)
  const first = pollOf(await client.value('pollupdates', 0, 'format', 'json', 'bytes', 1))
  t.same([first.next, first.updates], [1, all.updates.slice(0, 1)])
  const rest = pollOf(await client.value('pollupdates', first.next, 'strict', 'format', 'json', 'bytes', 1))
  t.same([rest.next, rest.updates], [3, all.updates.slice(1)])
})

test('filters choose by key, type and op, and the position moves past what they leave out', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('set', 'user:1', 'a')
  await client.run('set', 'page:1', 'b')
  await client.run('sadd', 'user:2', 'm')
  await client.run('getdel', 'user:1')
  const keys = async (...words: string[]): Promise<[number, string[]]> => {
    const poll = pollOf(await client.value('pollupdates', 0, 'format', 'json', ...words))
    return [poll.next, poll.updates.map((text) => `${JSON.parse(text).op} ${JSON.parse(text).key}`)]
  }
  t.same(await keys('match', 'user:*'), [5, ['put user:1', 'put user:2', 'delete user:1']])
  t.same(await keys('match', 'user:1', 'match', 'page:*'), [5, ['put user:1', 'put page:1', 'delete user:1']])
  t.same(await keys('type', 'set'), [5, ['put user:2', 'delete user:1']])
  t.same(await keys('op', 'delete'), [5, ['delete user:1']])
  t.same(await keys('match', 'none'), [5, []])
  t.equal(
    await client.run('pollupdates', 0, 'format', 'json', 'op', 'think'),
    '-ERR unknown OP, see COMMAND DOCS of POLLUPDATES\r\n',
  )
})

test('BLOCK answers with the first change, and with progress at the timeout', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.send('pollupdates', 0, 'format', 'json', 'match', 'wanted', 'block', 0)
  await s.run('set', 'other', '1')
  await s.run('set', 'wanted', '2')
  const poll = pollOf((await client.nextReply()).value)
  t.same([poll.next, poll.updates.map((text) => JSON.parse(text).command)], [2, [['SET', 'wanted', '2']]])
  await s.run('set', 'other', '3')
  const late = pollOf(await client.value('pollupdates', 2, 'format', 'json', 'match', 'wanted', 'block', 1))
  t.same([late.next, late.latest, late.updates], [3, 3, []])
  client.send('pollupdates', 3, 'block', 0)
  await s.run('set', 'other', '4')
  t.equal(pollOf((await client.nextReply()).value).updates.length, 1)
  client.send('multi')
  await client.nextReply()
  client.send('pollupdates', 4, 'block', 0)
  await client.nextReply()
  const executed = (await client.value('exec')) as ReplyValue[]
  t.same(pollOf(executed[0] as ReplyValue).updates, [], 'nothing waits in a transaction')
})

test('a poll that blocks goes on behind much that its filter leaves out, though nothing more is written', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  // A batch each, of which MAX 1 looks at few at once.
  const others = 50
  for (let i = 0; i < others; i++) await client.run('set', 'other', i)
  await client.run('set', 'wanted', 'x')
  const poll = pollOf(await client.value('pollupdates', 0, 'format', 'json', 'match', 'wanted', 'max', 1, 'block', 0))
  t.same([poll.next, poll.updates.map((text) => JSON.parse(text).key)], [others + 1, ['wanted']])
})

test('a poll that is refused as of another history leaves its slot where it was', async (t) => {
  await using s = await startServer()
  await s.run('cdc', 'slot', 'create', 'orders', 'at', 0)
  for (let i = 0; i < 5; i++) await s.run('set', 'k', i)
  t.match(await s.run('pollupdates', 4, 'slot', 'orders', 'replid', 'f'.repeat(40)), /^-DIVERGED /)
  t.match(await s.run('cdc', 'slot', 'info', 'orders'), /position\r\n:0\r\n/)
  const { id } = s.server.history
  t.match(await s.run('pollupdates', 4, 'slot', 'orders', 'replid', id), /^\*8/)
  t.match(await s.run('cdc', 'slot', 'info', 'orders'), /position\r\n:4\r\n/)
})

test('a poll that blocks is told a little in the next round, whether or not more comes', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', 1)
  const client = await s.connect()
  const poll = async (...words: (string | number)[]): Promise<number[]> => {
    const { updates } = pollOf(await client.value('pollupdates', ...words, 'format', 'json', 'block', 0))
    return updates.map((text) => (JSON.parse(text) as { sequence: number }).sequence)
  }
  t.same(await poll(0), [1])
  // The round before has just been held.
  t.same(await poll(0), [1])
  await s.run('set', 'b', 2)
  t.same(await poll(1), [2])
  t.same(await poll(0, 'max', 2), [1, 2], 'as much as was asked for')
  await client.value('multi')
  await client.value('pollupdates', 0, 'format', 'json', 'block', 0)
  await client.value('set', 'c', 3)
  const [inside] = (await client.value('exec')) as ReplyValue[]
  t.equal(pollOf(inside as ReplyValue).updates.length, 2, 'at once in a transaction')
  client.send('pollupdates', 2, 'block', 0, 'strict')
  t.equal(pollOf((await client.nextReply()).value).updates.length, 1)
})

test('SEQUENCE, its range, and waiting for a sequence', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('sequence'), ':0\r\n')
  const client = await s.connect()
  client.send('sequence', 'wait', 2, 0)
  await s.run('set', 'a', '1')
  await s.run('set', 'a', '2')
  t.equal((await client.nextReply()).bytes, ':2\r\n')
  t.equal(await s.run('sequence', 'wait', 9, 1), ':2\r\n')
  const range = (await client.value('sequence', 'range')) as ReplyValue[]
  t.same(range.slice(0, 4), ['oldest_sequence', 1, 'latest_sequence', 2])
  t.ok((range[5] as number) > 0 && range[7] === 1)
})

test('APPLYBATCH refuses what is no batch, and tells those who watch its keys', async (t) => {
  await using s = await startServer()
  t.match(await s.run('applybatch', 'short'), /^-ERR Corruption: /)
  t.equal(await s.run('applybatch', 'x', 'high'), '-ERR only support LOWPRI option\r\n')
  const watcher = await s.connect()
  await watcher.run('watch', 'a')
  const batch = Buffer.from(
    '00000000000000000100000003013105010d0b5f5f6e616d657370616365610a81000000000000000031',
    'hex',
  )
  t.equal(await s.run('applybatch', batch, 'lowpri'), ':42\r\n')
  t.equal(await s.run('get', 'a'), '$1\r\n1\r\n')
  await watcher.run('multi')
  await watcher.run('get', 'a')
  t.equal(await watcher.run('exec'), '*-1\r\n')
})

test('the feed is for the administrator; a namespace’s token sees its own changes in JSON', async (t) => {
  await using s = await startServer({ config: { requirepass: 'secret', 'repl-namespace-enabled': true } })
  const admin = await s.connect()
  await admin.run('auth', 'secret')
  s.server.namespaces.add(Buffer.from('shop'), Buffer.from('token'))
  const user = await s.connect()
  await user.run('auth', 'token')
  await user.run('set', 'a', '1')
  await admin.run('set', 'a', '2')
  const refused = '-ERR admin permission required to perform the command\r\n'
  t.equal(await user.run('pollupdates', 0), refused)
  t.equal(await user.run('pollupdates', 0, 'format', 'resp'), refused)
  t.equal(await user.run('applybatch', 'x'), refused)
  const own = pollOf(await user.value('pollupdates', 0, 'format', 'json'))
  t.same(
    own.updates.map((text) => JSON.parse(text).namespace),
    ['shop'],
  )
  const all = pollOf(await admin.value('pollupdates', 0, 'format', 'json', 'op', 'put'))
  t.same(
    all.updates.map((text) => JSON.parse(text).namespace),
    ['shop', 'default'],
  )
})

test('what has left the log is a WALGAP under STRICT', async (t) => {
  await using s = await startServer({ config: { 'rocksdb.wal_ttl_seconds': 0, 'rocksdb.wal_size_limit_mb': 0 } })
  const client = await s.connect()
  for (let i = 0; i < 3; i++) await client.run('set', 'a', i)
  await s.server.store.rocks.flush()
  await client.run('set', 'a', 'new')
  await eventually(() => {
    s.server.cron.run('prune the write-ahead log')
    return s.server.store.wal.range(0).oldest === 4 ? true : undefined
  })
  const polled = await client.value('pollupdates', 0, 'strict')
  t.ok(polled instanceof ReplyFailure)
  t.equal((polled as ReplyFailure).message, 'WALGAP sequence 1 has left the log, the oldest readable sequence is 4')
  t.same(pollOf(await client.value('pollupdates', 0)).updates.length, 1)
})

test('INFO cdc says what the log holds and who reads it', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', '1')
  await s.run('cdc', 'snapshot', 'open')
  s.advance(2000)
  const info = await s.run('info', 'cdc')
  t.match(
    info,
    /# CDC\r\ncdc_oldest_sequence:1\r\ncdc_latest_sequence:1\r\ncdc_wal_bytes:[1-9]\d*\r\ncdc_wal_files:1\r\n/,
  )
  t.match(info, /cdc_open_snapshots:1\r\ncdc_oldest_snapshot_seconds:2\r\n/)
})
