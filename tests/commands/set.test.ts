import { test } from 'tap'
import { startServer } from '../support/server.js'

test('SADD counts new members, SREM those that were there, and the last one takes the key with it', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('sadd', 's', 'b', 'a', 'b'), ':2\r\n')
  t.equal(await s.run('sadd', 's', 'a', 'c'), ':1\r\n')
  t.equal(await s.run('scard', 's'), ':3\r\n')
  t.equal(await s.run('smembers', 's'), '*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n')
  t.equal(await s.run('srem', 's', 'a', 'a', 'x'), ':1\r\n')
  t.equal(await s.run('srem', 's', 'b', 'c'), ':2\r\n')
  t.equal(await s.run('scard', 's'), ':0\r\n')
  t.equal(await s.run('set', 's', 'now a string'), '+OK\r\n')
})

test('SADD, SREM and SPOP write the rows that Kvrocks writes', async (t) => {
  await using s = await startServer()
  await s.run('sadd', 's', 'm')
  await s.run('srem', 's', 'm')
  await s.run('sadd', 's', 'm')
  await s.run('spop', 's')
  using updates = s.server.store.rocks.updatesSince(1)
  const batches = updates.next(10).map(({ data }) => data.toString('hex'))
  const metadataKey = '0c0b5f5f6e616d657370616365' + '73'
  t.equal(batches.length, 4)
  // Log data "4", the member, the metadata.
  t.match(
    batches[0],
    new RegExp(`^.{24}030134011a0b5f5f6e616d6573706163650000000173.{16}6d000501${'0d'}${metadataKey.slice(2)}1984`),
  )
  // The last member: the metadata row is deleted.
  t.match(batches[1], new RegExp(`^.{24}030134001a.{32}73.{16}6d04010d${metadataKey.slice(2)}$`))
  // SPOP leaves an empty metadata row.
  t.match(batches[3], new RegExp(`05010d${metadataKey.slice(2)}1984.{16}.{16}0000000000000000$`))
})

test('set operations agree with their definitions, on the turn’s own writes too', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.write('SADD a 1 2 3 4\r\nSADD b 2 4 6\r\nSADD c 4 5\r\n')
  client.write(
    'SINTER a b c\r\nSUNION a b c\r\nSDIFF a b c\r\nSINTERCARD 2 a b LIMIT 1\r\nSINTERSTORE a a b\r\nSMEMBERS a\r\n',
  )
  for (let i = 0; i < 3; i++) await client.nextReply()
  t.same((await client.nextReply()).value, ['4'])
  t.same((await client.nextReply()).value, ['1', '2', '3', '4', '5', '6'])
  t.same((await client.nextReply()).value, ['1', '3'])
  t.equal((await client.nextReply()).bytes, ':1\r\n')
  t.equal((await client.nextReply()).bytes, ':2\r\n')
  t.same((await client.nextReply()).value, ['2', '4'])
  t.equal(await client.run('sdiffstore', 'a', 'b', 'b'), ':0\r\n')
  t.equal(await client.run('scard', 'a'), ':0\r\n')
  t.equal(await client.run('sintercard', '0', 'a'), '-ERR numkeys should be greater than 0\r\n')
  t.equal(await client.run('sintercard', '3', 'a', 'b'), "-ERR Number of keys can't be greater than number of args\r\n")
})

test('SMOVE moves, refuses other types before it changes anything, and may name one set twice', async (t) => {
  await using s = await startServer()
  await s.run('sadd', 'a', 'x', 'y')
  await s.run('set', 'str', 'v')
  t.match(await s.run('smove', 'a', 'str', 'x'), /^-WRONGTYPE /)
  t.equal(await s.run('sismember', 'a', 'x'), ':1\r\n')
  t.equal(await s.run('smove', 'a', 'b', 'x'), ':1\r\n')
  t.equal(await s.run('smove', 'a', 'b', 'x'), ':0\r\n')
  t.equal(await s.run('smove', 'a', 'a', 'y'), ':1\r\n')
  t.equal(await s.run('smismember', 'b', 'x', 'y'), '*2\r\n:1\r\n:0\r\n')
})

test('SPOP and SRANDMEMBER draw from all members', async (t) => {
  await using s = await startServer()
  await s.run('sadd', 's', '1', '2', '3', '4', '5')
  const client = await s.connect()
  t.same(new Set((await client.value('srandmember', 's', 9)) as string[]), new Set(['1', '2', '3', '4', '5']))
  t.equal(((await client.value('srandmember', 's', -9)) as string[]).length, 9)
  t.equal(await client.run('spop', 's', '-1'), '-ERR value is out of range, must be positive\r\n')
  const popped = (await client.value('spop', 's', 3)) as string[]
  const left = (await client.value('smembers', 's')) as string[]
  t.same([...popped, ...left].sort(), ['1', '2', '3', '4', '5'])
  t.equal(((await client.value('spop', 's', 9)) as string[]).length, 2)
  t.equal(await client.run('spop', 's'), '$-1\r\n')
  t.equal(await client.run('smembers', 's'), '*0\r\n')
})
