import { test } from 'tap'
import { startServer } from '../support/server.js'

test('lists push and pop at both ends, and the last element takes the key with it', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  t.equal(await client.run('rpush', 'l', 'a', 'b'), ':2\r\n')
  t.equal(await client.run('lpush', 'l', 'c', 'd'), ':4\r\n')
  t.same(await client.value('lrange', 'l', 0, -1), ['d', 'c', 'a', 'b'])
  t.equal(await client.run('rpushx', 'none', 'x'), ':0\r\n')
  t.equal(await client.run('lpop', 'l'), '$1\r\nd\r\n')
  t.same(await client.value('rpop', 'l', 2), ['b', 'a'])
  t.same(await client.value('lpop', 'l', 9), ['c'])
  t.equal(await client.run('lpop', 'l'), '$-1\r\n')
  t.equal(await client.run('lpop', 'l', 1), '*-1\r\n')
  t.equal(await client.run('lpop', 'l', -1), '-ERR value is out of range, must be positive\r\n')
  t.equal(await client.run('set', 'l', 'now a string'), '+OK\r\n')
})

test('LPUSH and RPUSH write the rows that Kvrocks writes', async (t) => {
  await using s = await startServer()
  await s.run('rpush', 'l', 'a')
  await s.run('lpush', 'l', 'b')
  using updates = s.server.store.rocks.updatesSince(1)
  const [right, left] = updates.next(10).map(({ data }) => data.toString('hex'))
  const prefix = '0b5f5f6e616d657370616365'
  const metadata = `05010d${prefix}6c29830000000000000000`
  t.match(right, new RegExp(`^.{24}03033320370121${prefix}000000016c.{16}7fffffffffffffff0161${metadata}`))
  t.match(right, /00000000000000017fffffffffffffff8000000000000000$/)
  t.match(left, new RegExp(`^.{24}03033320360121${prefix}000000016c.{16}7ffffffffffffffe0162${metadata}`))
  t.match(left, /00000000000000027ffffffffffffffe8000000000000000$/)
})

test('LSET, LINSERT, LREM, LTRIM and LPOS work on either half of the list', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('rpush', 'l', 'a', 'b', 'c', 'd', 'e', 'b')
  t.equal(await client.run('linsert', 'l', 'before', 'b', '1'), ':7\r\n')
  t.equal(await client.run('linsert', 'l', 'after', 'e', '2'), ':8\r\n')
  t.equal(await client.run('linsert', 'l', 'after', 'b', '3'), ':9\r\n')
  t.equal(await client.run('linsert', 'l', 'before', 'e', '4'), ':10\r\n')
  t.same(await client.value('lrange', 'l', 0, -1), ['a', '1', 'b', '3', 'c', 'd', '4', 'e', '2', 'b'])
  t.same(await client.value('lpos', 'l', 'b', 'count', 0), [2, 9])
  t.same(await client.value('lpos', 'l', 'b', 'rank', -1), 9)
  t.equal(await client.run('lset', 'l', -1, 'z'), '+OK\r\n')
  t.equal(await client.run('lset', 'l', 10, 'z'), '-ERR index out of range\r\n')
  t.equal(await client.run('lset', 'none', 0, 'z'), '-ERR no such key\r\n')
  await client.run('rpush', 'l', 'a')
  t.equal(await client.run('lrem', 'l', -1, 'a'), ':1\r\n')
  t.equal(await client.run('lrem', 'l', 0, 'b'), ':1\r\n')
  t.same(await client.value('lrange', 'l', 0, -1), ['a', '1', '3', 'c', 'd', '4', 'e', '2', 'z'])
  t.equal(await client.run('ltrim', 'l', 1, -3), '+OK\r\n')
  t.same(await client.value('lrange', 'l', 0, -1), ['1', '3', 'c', 'd', '4', 'e'])
  t.equal(await client.run('ltrim', 'l', 9, 10), '+OK\r\n')
  t.equal(await client.run('llen', 'l'), ':0\r\n')
})

test('LTRIM of very many elements is one record', async (t) => {
  await using s = await startServer()
  const elements = Array.from({ length: 5000 }, (_, index) => String(index))
  await s.run('rpush', 'l', ...elements)
  const before = s.server.store.latestSequence()
  t.equal(await s.run('ltrim', 'l', 4990, 4994), '+OK\r\n')
  t.ok(s.server.store.latestSequence() - before < 10)
  const client = await s.connect()
  t.same(await client.value('lrange', 'l', 0, -1), elements.slice(4990, 4995))
  client.write('RPUSH l x\r\nLTRIM l 2 -1\r\nLRANGE l 0 -1\r\n')
  await client.nextReply()
  await client.nextReply()
  t.same((await client.nextReply()).value, ['4992', '4993', '4994', 'x'])
})

test('LMOVE and RPOPLPUSH move between lists and rotate one', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('rpush', 'a', '1', '2', '3')
  t.equal(await client.run('rpoplpush', 'a', 'b'), '$1\r\n3\r\n')
  t.equal(await client.run('lmove', 'a', 'b', 'left', 'right'), '$1\r\n1\r\n')
  t.same(await client.value('lrange', 'b', 0, -1), ['3', '1'])
  t.equal(await client.run('lmove', 'b', 'b', 'left', 'right'), '$1\r\n3\r\n')
  t.same(await client.value('lrange', 'b', 0, -1), ['1', '3'])
  t.equal(await client.run('lmove', 'none', 'b', 'left', 'right'), '$-1\r\n')
})

test('waiting clients are served in order of arrival, by every command that brings an element', async (t) => {
  await using s = await startServer()
  const first = await s.connect()
  const second = await s.connect()
  const writer = await s.connect()
  first.send('blpop', 'q', 0)
  while (s.server.clients.blockedCount < 1) await new Promise((done) => setImmediate(done))
  second.send('brpop', 'x', 'q', 0)
  while (s.server.clients.blockedCount < 2) await new Promise((done) => setImmediate(done))
  await writer.run('rpush', 'other', 'moved')
  t.equal(await writer.run('lmove', 'other', 'q', 'left', 'left'), '$5\r\nmoved\r\n')
  t.same((await first.nextReply()).value, ['q', 'moved'])
  t.equal(await writer.run('lpush', 'q', 'a', 'b'), ':2\r\n')
  t.same((await second.nextReply()).value, ['q', 'a'])
  t.same(await writer.value('lrange', 'q', 0, -1), ['b'])
})

test('a waiting client takes from no key ahead of one that has waited for it longer', async (t) => {
  await using s = await startServer()
  const clients = [await s.connect(), await s.connect(), await s.connect()] as const
  const [mover, first, second] = clients
  const commands = ['BLMOVE from to LEFT LEFT 0', 'BLPOP to 0', 'BLPOP to from 0']
  for (const [index, client] of clients.entries()) {
    client.write(`${commands[index]}\r\n`)
    while (s.server.clients.blockedCount <= index) await new Promise((done) => setImmediate(done))
  }
  t.equal(await s.run('rpush', 'from', 'a'), ':1\r\n')
  t.equal((await mover.nextReply()).bytes, '$1\r\na\r\n')
  t.equal((await first.nextReply()).bytes, '*2\r\n$2\r\nto\r\n$1\r\na\r\n')
  t.equal(s.server.clients.blockedCount, 1)
  t.equal(await s.run('set', 'to', 'a string'), '+OK\r\n')
  t.equal(await s.run('rpush', 'from', 'b'), ':1\r\n')
  t.match((await second.nextReply()).bytes, /^-WRONGTYPE /)
})

test('a blocked client goes on with its pipeline, times out, and is forgotten when it leaves', async (t) => {
  await using s = await startServer()
  const waiting = await s.connect()
  waiting.write('BLPOP q 0.01\r\nPING\r\n')
  t.equal((await waiting.nextReply()).bytes, '*-1\r\n')
  t.equal((await waiting.nextReply()).bytes, '+PONG\r\n')
  const leaving = await s.connect()
  leaving.send('blpop', 'q', 0)
  while (s.server.clients.blockedCount < 1) await new Promise((done) => setImmediate(done))
  leaving.close()
  while (s.server.clients.blockedCount > 0) await new Promise((done) => setImmediate(done))
  t.equal(await waiting.run('rpush', 'q', 'kept'), ':1\r\n')
  t.equal(await waiting.run('llen', 'q'), ':1\r\n')
  t.same(await waiting.value('blmpop', 0, 2, 'none', 'q', 'left', 'count', 5), ['q', ['kept']])
  t.equal(await waiting.run('blpop', 'q', -1), '-ERR timeout is negative\r\n')
  t.equal(await waiting.run('blpop', 'q', 'x'), '-ERR timeout is not a float or out of range\r\n')
  t.equal(await waiting.run('blpop', 'q', '1e16'), '-ERR timeout is out of range\r\n')
  t.equal(await waiting.run('blpop', 'q', 'inf'), '-ERR timeout is out of range\r\n')
  waiting.send('blpop', 'q', '9223372036854774')
  while (s.server.clients.blockedCount < 1) await new Promise((done) => setImmediate(done))
})

test('SORT BY nosort DESC gives a list from its end', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('rpush', 'l', '1', '10', '2')
  t.same(await client.value('sort', 'l', 'by', 'nosort', 'desc'), ['2', '10', '1'])
  t.same(await client.value('sort', 'l', 'by', 'nosort'), ['1', '10', '2'])
})

test('a client that waits for a list waits on when the key becomes something else', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.send('blpop', 'k', '0')
  const other = await s.connect()
  while (!(await other.run('info', 'clients')).includes('blocked_clients:1')) {}
  for (const words of [['multi'], ['lpush', 'k', 'a'], ['del', 'k'], ['set', 'k', 'v'], ['exec'], ['del', 'k']]) {
    await other.run(...words)
  }
  t.equal(await other.run('lpush', 'k', 'b'), ':1\r\n')
  t.equal((await client.nextReply()).bytes, '*2\r\n$1\r\nk\r\n$1\r\nb\r\n')
})
