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

test('MSETEX sets all keys or none', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('msetex', '2', 'a', '1', 'b', '2', 'ex', '10'), ':1\r\n')
  t.equal(await s.run('ttl', 'b'), ':10\r\n')
  t.equal(await s.run('msetex', '2', 'a', '3', 'c', '3', 'nx'), ':0\r\n')
  t.equal(await s.run('msetex', '2', 'a', '3', 'c', '3', 'xx'), ':0\r\n')
  t.equal(await s.run('msetex', '2', 'a', '3', 'b', '4', 'XX', 'KEEPTTL'), ':1\r\n')
  t.equal(await s.run('ttl', 'b'), ':10\r\n')
  t.equal(await s.run('msetex', '1', 'a', '3'), ':1\r\n')
  t.equal(await s.run('ttl', 'a'), ':-1\r\n')
  t.equal(await s.run('msetex', '1', 'c', '5', 'nx', 'px', '1'), ':1\r\n')
  t.equal(await s.run('mget', 'a', 'b', 'c'), '*3\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n')
  t.equal(await s.run('msetex', '0', 'a', '3'), '-ERR invalid numkeys value\r\n')
  t.equal(await s.run('msetex', '2', 'a', '3'), '-ERR wrong number of key-value pairs\r\n')
  t.equal(await s.run('msetex', '1', 'a', '3', 'xx', 'nx', 'ex', '10'), '-ERR syntax error\r\n')
  t.equal(await s.run('msetex', '1', 'a', '3', 'ex', '10', 'keepttl'), '-ERR syntax error\r\n')
  t.equal(await s.run('msetex', '1', 'a', '3', 'ex', '0'), "-ERR invalid expire time in 'msetex' command\r\n")
})

test('LCS gives the subsequence, its length, or where its runs are', async (t) => {
  await using s = await startServer()
  await s.run('mset', 'a', 'ohmytext', 'b', 'mynewtext')
  t.equal(await s.run('lcs', 'a', 'b'), '$6\r\nmytext\r\n')
  t.equal(await s.run('lcs', 'a', 'b', 'len'), ':6\r\n')
  t.equal(await s.run('lcs', 'a', 'x'), '$0\r\n\r\n')
  const text = '*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n'
  const my = '*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n'
  t.equal(await s.run('lcs', 'a', 'b', 'idx'), `*4\r\n$7\r\nmatches\r\n*2\r\n${text}${my}$3\r\nlen\r\n:6\r\n`)
  const textWithLength = '*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n'
  t.equal(
    await s.run('lcs', 'a', 'b', 'idx', 'minmatchlen', '4', 'withmatchlen'),
    `*4\r\n$7\r\nmatches\r\n*1\r\n${textWithLength}$3\r\nlen\r\n:6\r\n`,
  )
  const client = await s.connect()
  await client.run('hello', '3')
  t.match(await client.run('lcs', 'a', 'b', 'idx'), /^%2\r\n\$7\r\nmatches\r\n/)
  t.equal(
    await s.run('lcs', 'a', 'b', 'len', 'idx'),
    '-ERR If you want both the length and indexes, please just use IDX.\r\n',
  )
  await s.run('sadd', 's', 'm')
  t.equal(await s.run('lcs', 'a', 's'), '-ERR The specified keys must contain string values\r\n')
})

test('LCS refuses a table larger than proto-max-bulk-len', async (t) => {
  await using s = await startServer({ config: { 'proto-max-bulk-len': 1024 * 1024 } })
  await s.run('mset', 'a', 'x'.repeat(600), 'b', 'x'.repeat(600))
  t.equal(
    await s.run('lcs', 'a', 'b', 'len'),
    '-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n',
  )
})

test('DIGEST shows XXH3, and conditions compare with it whatever its case', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'Hello world')
  t.equal(await s.run('digest', 'k'), '$16\r\nb6acb9d84a38ff74\r\n')
  t.equal(await s.run('digest', 'x'), '$-1\r\n')
  t.equal(await s.run('set', 'k', 'v', 'ifdeq', '0000000000000000'), '$-1\r\n')
  t.equal(await s.run('set', 'k', 'v', 'ifdeq', 'B6ACB9D84A38FF74'), '+OK\r\n')
  t.equal(await s.run('delex', 'k', 'ifeq', 'w'), ':0\r\n')
  t.equal(await s.run('delex', 'k', 'ifdne', 'b6acb9d84a38ff74'), ':1\r\n')
  t.equal(await s.run('delex', 'k'), ':0\r\n')
})
