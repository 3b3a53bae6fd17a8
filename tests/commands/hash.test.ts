import { test } from 'tap'
import { startServer } from '../support/server.js'

test('HSET counts new fields, takes the last of two values and skips equal ones', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('hset', 'h', 'a', '1', 'b', '2', 'a', '3'), ':2\r\n')
  t.equal(await s.run('hget', 'h', 'a'), '$1\r\n3\r\n')
  const before = s.server.store.latestSequence()
  t.equal(await s.run('hset', 'h', 'a', '3'), ':0\r\n')
  t.equal(s.server.store.latestSequence(), before)
  t.equal(await s.run('hset', 'h', 'a'), "-ERR wrong number of arguments for 'hset' command\r\n")
  t.equal(await s.run('hset', 'h', 'a', '1', 'b'), "-ERR wrong number of arguments for 'hset' command\r\n")
})

test('a hash command on a string is refused with WRONGTYPE', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v')
  const wrongType = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'
  const calls = [
    'hget k f',
    'hset k f v',
    'hlen k',
    'hgetall k',
    'hdel k f',
    'hincrby k f 1',
    'hmget k f',
    'hrandfield k',
  ]
  for (const call of calls) t.equal(await s.run(...call.split(' ')), wrongType, call)
})

test('HDEL of the last field takes the key with it', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'a', '1', 'b', '2')
  t.equal(await s.run('hdel', 'h', 'a', 'a', 'x'), ':1\r\n')
  t.equal(await s.run('hlen', 'h'), ':1\r\n')
  t.equal(await s.run('hdel', 'h', 'b'), ':1\r\n')
  t.equal(await s.run('hgetall', 'h'), '*0\r\n')
  t.equal(await s.run('set', 'h', 'now a string'), '+OK\r\n')
})

test('a turn that writes and reads a hash sees its own fields in order', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'b', '2', 'd', '4')
  const client = await s.connect()
  client.write('HSET h a 1 c 3\r\nHDEL h b\r\nHGETALL h\r\nHKEYS h\r\nHVALS h\r\nHRANGEBYLEX h + - REV LIMIT 0 1\r\n')
  t.equal((await client.nextReply()).bytes, ':2\r\n')
  t.equal((await client.nextReply()).bytes, ':1\r\n')
  t.same((await client.nextReply()).value, ['a', '1', 'c', '3', 'd', '4'])
  t.same((await client.nextReply()).value, ['a', 'c', 'd'])
  t.same((await client.nextReply()).value, ['1', '3', '4'])
  t.same((await client.nextReply()).value, ['d', '4'])
})

test('HINCRBY and HINCRBYFLOAT keep Redis’s arithmetic and errors', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('hincrby', 'h', 'n', '9223372036854775807'), ':9223372036854775807\r\n')
  t.equal(await s.run('hincrby', 'h', 'n', '1'), '-ERR increment or decrement would overflow\r\n')
  t.equal(await s.run('hincrbyfloat', 'h', 'f', '10.5'), '$4\r\n10.5\r\n')
  t.equal(await s.run('hincrbyfloat', 'h', 'f', '0.1'), '$4\r\n10.6\r\n')
  await s.run('hset', 'h', 't', 'text')
  t.equal(await s.run('hincrby', 'h', 't', '1'), '-ERR hash value is not an integer\r\n')
  t.equal(await s.run('hincrbyfloat', 'h', 't', '1'), '-ERR hash value is not a float\r\n')
})

test('a hash of 5,000 fields is answered whole, and what follows it comes after it', async (t) => {
  await using s = await startServer()
  const words: string[] = []
  for (let i = 0; i < 5000; i++) words.push(`f${String(i).padStart(5, '0')}`, String(i))
  t.equal(await s.run('hset', 'big', ...words), ':5000\r\n')
  const client = await s.connect()
  client.write('HGETALL big\r\nPING\r\n')
  t.same((await client.nextReply()).value, words)
  t.equal((await client.nextReply()).bytes, '+PONG\r\n')
})

test('HRANDFIELD draws different fields for a positive count and with repeats for a negative one', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'a', '1', 'b', '2', 'c', '3')
  const client = await s.connect()
  t.same(new Set((await client.value('hrandfield', 'h', 10)) as string[]), new Set(['a', 'b', 'c']))
  t.equal(((await client.value('hrandfield', 'h', -7)) as string[]).length, 7)
  t.equal(((await client.value('hrandfield', 'h', 2, 'withvalues')) as string[]).length, 4)
  t.equal(await client.run('hrandfield', 'none'), '$-1\r\n')
  t.equal(await client.run('hrandfield', 'none', 3), '*0\r\n')
})
