import { test } from 'tap'
import { startServer } from '../support/server.js'

const START_MS = 1_700_000_000_000

function words(call: string): string[] {
  return call.split(' ')
}

test('fields expire one by one, and the hash with the last of them', async (t) => {
  await using s = await startServer()
  await s.run(...words('hset h a 1 b 2 c 3'))
  t.equal(await s.run(...words('hpexpire h 100 FIELDS 2 a x')), '*2\r\n:1\r\n:-2\r\n')
  t.equal(await s.run(...words('hexpire h 1 FIELDS 2 b c')), '*2\r\n:1\r\n:1\r\n')
  t.equal(await s.run(...words('hpttl h FIELDS 4 a b c x')), '*4\r\n:100\r\n:1000\r\n:1000\r\n:-2\r\n')
  s.advance(100)
  t.equal(await s.run('hget', 'h', 'a'), '$1\r\n1\r\n', 'alive at the very millisecond')
  s.advance(1)
  t.equal(await s.run('hget', 'h', 'a'), '$-1\r\n')
  t.equal(await s.run('hexists', 'h', 'a'), ':0\r\n')
  t.equal(await s.run('hlen', 'h'), ':2\r\n')
  t.equal(await s.run('hgetall', 'h'), '*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\n3\r\n')
  t.equal(await s.run('hkeys', 'h'), '*2\r\n$1\r\nb\r\n$1\r\nc\r\n')
  t.equal(await s.run('hvals', 'h'), '*2\r\n$1\r\n2\r\n$1\r\n3\r\n')
  t.equal(await s.run('hmget', 'h', 'a', 'b'), '*2\r\n$-1\r\n$1\r\n2\r\n')
  t.equal(await s.run('hstrlen', 'h', 'b'), ':1\r\n')
  t.equal(await s.run('hrangebylex', 'h', '-', '[b'), '*2\r\n$1\r\nb\r\n$1\r\n2\r\n')
  t.equal(await s.run('hscan', 'h', '0', 'novalues'), '*2\r\n$1\r\n0\r\n*2\r\n$1\r\nb\r\n$1\r\nc\r\n')
  const client = await s.connect()
  t.same(new Set((await client.value('hrandfield', 'h', 9)) as string[]), new Set(['b', 'c']))
  s.advance(900)
  t.equal(await s.run('exists', 'h'), ':0\r\n')
  t.equal(await s.run('type', 'h'), '+none\r\n')
  t.equal(await s.run('hlen', 'h'), ':0\r\n')
  t.equal(await s.run('set', 'h', 'v'), '+OK\r\n')
  t.same(s.logged, [])
})

test('the hash vanishes with its last field when a later one was deleted or made to live forever', async (t) => {
  await using s = await startServer()
  await s.run(...words('hset h a 1 b 2'))
  await s.run(...words('hpexpire h 10 FIELDS 1 a'))
  await s.run(...words('hpexpire h 1000 FIELDS 1 b'))
  await s.run('hdel', 'h', 'b')
  s.advance(11)
  t.equal(await s.run('exists', 'h'), ':0\r\n')
  await s.run(...words('hset h a 1'))
  t.equal(await s.run(...words('hpttl h FIELDS 1 a')), '*1\r\n:-1\r\n', 'a new life begins without expiry')
})

test('HEXPIRE keeps its conditions and deletes where the time is past', async (t) => {
  await using s = await startServer()
  await s.run(...words('hset h a 1 b 2'))
  t.equal(await s.run(...words('hexpire h 10 XX FIELDS 1 a')), '*1\r\n:0\r\n')
  t.equal(await s.run(...words('hexpire h 10 GT FIELDS 1 a')), '*1\r\n:0\r\n')
  t.equal(await s.run(...words('hexpire h 10 NX FIELDS 2 a a')), '*2\r\n:1\r\n:0\r\n')
  t.equal(await s.run(...words('hexpire h 10 GT FIELDS 1 a')), '*1\r\n:0\r\n')
  t.equal(await s.run(...words('hexpire h 11 GT FIELDS 1 a')), '*1\r\n:1\r\n')
  t.equal(await s.run(...words('hexpire h 12 LT FIELDS 2 a b')), '*2\r\n:0\r\n:1\r\n')
  t.equal(await s.run(...words('hexpiretime h FIELDS 2 a b')), '*2\r\n:1700000011\r\n:1700000012\r\n')
  t.equal(await s.run(...words('hpexpireat h 1 FIELDS 2 b b')), '*2\r\n:2\r\n:-2\r\n')
  t.equal(await s.run(...words('hexpireat h 0 FIELDS 1 a')), '*1\r\n:2\r\n')
  t.equal(await s.run('exists', 'h'), ':0\r\n')
  t.equal(await s.run(...words('hexpire none 1 FIELDS 2 a b')), '*2\r\n:-2\r\n:-2\r\n')
  t.equal(await s.run(...words('hpexpiretime none FIELDS 1 a')), '*1\r\n:-2\r\n')
})

test('wrong calls are refused as Redis refuses them', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v')
  const refused: [string, string][] = [
    ['hexpire k 1 FIELDS 1 f', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['httl k FIELDS 1 f', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['hexpire h x FIELDS 1 f', 'ERR value is not an integer or out of range'],
    ['hexpire h -1 FIELDS 1 f', 'ERR invalid expire time, must be >= 0'],
    ['hexpire h 70368744178 FIELDS 1 f', "ERR invalid expire time in 'hexpire' command"],
    ['hpexpire h 70368744177663 FIELDS 1 f', "ERR invalid expire time in 'hpexpire' command"],
    ['hexpire h 1 BAD FIELDS 1 f', 'ERR Mandatory argument FIELDS is missing or not at the right position'],
    ['hexpire h 1 FIELDS 0 f', 'ERR Parameter `numFields` should be greater than 0'],
    ['hexpire h 1 FIELDS 2 f', 'ERR The `numfields` parameter must match the number of arguments'],
    ['httl h FIELDS 0 f', 'ERR Number of fields must be a positive integer'],
    ['httl h FIELD 1 f', 'ERR Mandatory argument FIELDS is missing or not at the right position'],
    ['hpersist h FIELDS 1', "ERR wrong number of arguments for 'hpersist' command"],
    ['hgetdel h FIELDS 2 f', 'ERR The `numfields` parameter must match the number of arguments'],
    ['hsetex h EX 1 KEEPTTL FIELDS 1 f v', 'ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified'],
    ['hsetex h FNX FXX FIELDS 1 f v', 'ERR Only one of FXX or FNX arguments can be specified'],
    ['hsetex h FIELDS 2 f v', "ERR wrong number of arguments for 'hsetex' command"],
    ['hsetex h FIELDS 0 f v', 'ERR invalid number of fields'],
    ['hsetex h NOPE FIELDS 1 f v', 'ERR unknown argument: NOPE'],
    ['hsetexpire h 1 f v g', 'ERR Invalid number of arguments: field-value pairs must be complete'],
  ]
  for (const [call, text] of refused) t.equal(await s.run(...words(call)), `-${text}\r\n`, call)
})

test('HSET ends a field’s expiry, HINCRBY keeps it, HPERSIST removes it', async (t) => {
  await using s = await startServer()
  await s.run(...words('hset h a 1 b 2 c 3 d 4'))
  await s.run(...words('hpexpire h 50 FIELDS 4 a b c d'))
  t.equal(await s.run('hset', 'h', 'a', '1'), ':0\r\n')
  t.equal(await s.run('hincrby', 'h', 'b', '1'), ':3\r\n')
  t.equal(await s.run('hincrbyfloat', 'h', 'c', '0.5'), '$3\r\n3.5\r\n')
  t.equal(await s.run(...words('hpersist h FIELDS 3 d a x')), '*3\r\n:1\r\n:-1\r\n:-2\r\n')
  t.equal(await s.run(...words('hpttl h FIELDS 4 a b c d')), '*4\r\n:-1\r\n:50\r\n:50\r\n:-1\r\n')
  s.advance(51)
  t.equal(await s.run('hdel', 'h', 'b'), ':0\r\n', 'an expired field was not there')
  t.equal(await s.run('hincrby', 'h', 'c', '1'), ':1\r\n', 'an expired number counts as 0')
  t.equal(await s.run(...words('hpttl h FIELDS 1 c')), '*1\r\n:-1\r\n')
  t.equal(await s.run('hsetnx', 'h', 'b', '9'), ':1\r\n')
  t.equal(await s.run('hlen', 'h'), ':4\r\n')
})

test('HSETEX sets all fields or none', async (t) => {
  await using s = await startServer()
  t.equal(await s.run(...words('hsetex h FXX EX 10 FIELDS 1 a 1')), ':0\r\n')
  t.equal(await s.run('exists', 'h'), ':0\r\n')
  t.equal(await s.run(...words('hsetex h FNX EX 10 FIELDS 2 a 1 b 2')), ':1\r\n')
  t.equal(await s.run(...words('hsetex h FNX FIELDS 2 b 9 c 9')), ':0\r\n')
  t.equal(await s.run(...words('hsetex h FXX FIELDS 2 a 9 c 9')), ':0\r\n')
  t.equal(await s.run(...words('hsetex h KEEPTTL FIELDS 1 a 5')), ':1\r\n')
  t.equal(await s.run(...words('hsetex h FIELDS 1 b 6')), ':1\r\n')
  t.equal(await s.run(...words('httl h FIELDS 2 a b')), '*2\r\n:10\r\n:-1\r\n')
  t.equal(await s.run('hmget', 'h', 'a', 'b'), '*2\r\n$1\r\n5\r\n$1\r\n6\r\n')
  t.equal(await s.run(...words('hsetex h PXAT 1 FIELDS 2 a 1 b 2')), ':1\r\n')
  t.equal(await s.run('exists', 'h'), ':0\r\n', 'a time that is past deletes')
})

test('HGETEX and HGETDEL answer with values and change expiry or delete', async (t) => {
  await using s = await startServer()
  await s.run(...words('hset h a 1 b 2'))
  t.equal(await s.run(...words('hgetex h FIELDS 2 a x')), '*2\r\n$1\r\n1\r\n$-1\r\n')
  t.equal(await s.run(...words(`hgetex h PXAT ${START_MS + 70} FIELDS 1 a`)), '*1\r\n$1\r\n1\r\n')
  t.equal(await s.run(...words('hpexpiretime h FIELDS 2 a b')), `*2\r\n:${START_MS + 70}\r\n:-1\r\n`)
  t.equal(await s.run(...words('hgetex h PERSIST FIELDS 1 a')), '*1\r\n$1\r\n1\r\n')
  t.equal(await s.run(...words('hpttl h FIELDS 1 a')), '*1\r\n:-1\r\n')
  t.equal(await s.run(...words('hgetdel h FIELDS 3 a a x')), '*3\r\n$1\r\n1\r\n$-1\r\n$-1\r\n')
  t.equal(await s.run(...words('hgetdel h FIELDS 1 b')), '*1\r\n$1\r\n2\r\n')
  t.equal(await s.run('exists', 'h'), ':0\r\n')
  t.equal(await s.run(...words('hgetdel h FIELDS 1 b')), '*1\r\n$-1\r\n')
})

test('HSETEXPIRE sets fields and lets the whole key expire', async (t) => {
  await using s = await startServer()
  t.equal(await s.run(...words('hsetexpire h 5 a 1 b 2')), '+OK\r\n')
  t.equal(await s.run('ttl', 'h'), ':5\r\n')
  t.equal(await s.run(...words('httl h FIELDS 1 a')), '*1\r\n:-1\r\n')
  s.advance(5001)
  t.equal(await s.run('exists', 'h'), ':0\r\n')
})

test('COPY, RENAME, DUMP and RESTORE keep the expiry of fields', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await s.run(...words('hset h a 1 b 2'))
  await s.run(...words('hpexpire h 500 FIELDS 1 a'))
  t.equal(await s.run('copy', 'h', 'c'), ':1\r\n')
  t.equal(await s.run('rename', 'c', 'r'), '+OK\r\n')
  t.equal(await s.run(...words('hpttl r FIELDS 2 a b')), '*2\r\n:500\r\n:-1\r\n')
  const dumped = (await client.run('dump', 'h')).replace(/^\$\d+\r\n/, '').slice(0, -2)
  t.equal(await s.run('restore', 'd', '0', Buffer.from(dumped, 'latin1')), '+OK\r\n')
  t.equal(await s.run(...words('hpttl d FIELDS 2 a b')), '*2\r\n:500\r\n:-1\r\n')
  s.advance(501)
  t.equal(await s.run('hlen', 'r'), ':1\r\n')
  t.equal(await s.run('hgetall', 'd'), '*2\r\n$1\r\nb\r\n$1\r\n2\r\n')
})

test('a hash of 3,000 fields of which half have expired is counted and answered exactly', async (t) => {
  await using s = await startServer()
  const names = Array.from({ length: 3000 }, (_, i) => `f${String(i).padStart(4, '0')}`)
  await s.run('hset', 'big', ...names.flatMap((name) => [name, 'v']))
  const short = names.filter((_, i) => i % 2 === 0)
  await s.run('hpexpire', 'big', '10', 'FIELDS', String(short.length), ...short)
  s.advance(11)
  t.equal(await s.run('hlen', 'big'), ':1500\r\n')
  const client = await s.connect()
  t.same(
    await client.value('hkeys', 'big'),
    names.filter((_, i) => i % 2 === 1),
  )
  t.equal(await s.run('hset', 'big', 'f0000', 'w'), ':1\r\n')
  t.equal(await s.run('hdel', 'big', 'f0002', 'f0001'), ':1\r\n')
  t.equal(await s.run('hlen', 'big'), ':1500\r\n')
})

test('events tell of expiries that are set, removed, reached, and of deletion', async (t) => {
  await using s = await startServer()
  await s.run('config', 'set', 'notify-keyspace-events', 'KA')
  const client = await s.connect()
  await client.run('psubscribe', '__keyspace@0__:*')
  await s.run(...words('hset h a 1 b 2'))
  await s.run(...words('hpexpire h 10 FIELDS 2 a b'))
  await s.run(...words('hpersist h FIELDS 1 b'))
  s.advance(11)
  await s.run(...words('hset h c 3'))
  await s.run(...words('hpexpireat h 1 FIELDS 2 b c'))
  const events: unknown[] = []
  for (let i = 0; i < 7; i++) events.push(((await client.nextReply()).value as unknown[])[3])
  t.same(events, ['hset', 'hexpire', 'hpersist', 'hexpired', 'hset', 'hdel', 'del'])
})
