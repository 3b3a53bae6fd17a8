import { test } from 'tap'
import { startServer } from '../support/server.js'

test('SET writes the very batch that Kvrocks writes', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('set', 'a', '1'), '+OK\r\n')
  t.equal(s.server.store.latestSequence(), 1)
  using updates = s.server.store.rocks.updatesSince(1)
  const [batch] = updates.next(1)
  t.equal(
    batch?.data.toString('hex').toUpperCase(),
    '01000000000000000100000003013105010D0B5F5F6E616D657370616365610A81000000000000000031',
  )
})

test('INCRBY is exact at both ends of int64 and refuses to pass them', async (t) => {
  await using s = await startServer()
  await s.run('set', 'n', '9223372036854775806')
  t.equal(await s.run('incr', 'n'), ':9223372036854775807\r\n')
  t.equal(await s.run('incr', 'n'), '-ERR increment or decrement would overflow\r\n')
  await s.run('set', 'n', '-9223372036854775807')
  t.equal(await s.run('decr', 'n'), ':-9223372036854775808\r\n')
  t.equal(await s.run('decrby', 'n', '1'), '-ERR increment or decrement would overflow\r\n')
  t.equal(await s.run('decrby', 'n', '-9223372036854775808'), '-ERR decrement would overflow\r\n')
  t.equal(await s.run('get', 'n'), '$20\r\n-9223372036854775808\r\n')
})

test('commands of one turn see the writes before them, and the turn is one batch', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.write('SET k 1\r\nINCR k\r\nAPPEND k 0\r\nGET k\r\n')
  t.equal((await client.nextReply()).bytes, '+OK\r\n')
  t.equal((await client.nextReply()).bytes, ':2\r\n')
  t.equal((await client.nextReply()).bytes, ':2\r\n')
  t.equal((await client.nextReply()).bytes, '$2\r\n20\r\n')
  using updates = s.server.store.rocks.updatesSince(1)
  t.equal(updates.next(10).length, 1)
})

test('a key is alive at the millisecond of its expiry and gone at the next', async (t) => {
  await using s = await startServer()
  await s.run('psetex', 'k', '100', 'v')
  s.advance(100)
  t.equal(await s.run('get', 'k'), '$1\r\nv\r\n')
  s.advance(1)
  t.equal(await s.run('get', 'k'), '$-1\r\n')
})
