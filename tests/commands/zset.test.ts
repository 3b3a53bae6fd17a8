import { test } from 'tap'
import { startServer, type TestServer } from '../support/server.js'

const WRONG_TYPE = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'

/** An array of bulk strings, as bytes. */
function bulks(...items: string[]): string {
  return `*${items.length}\r\n${items.map((item) => `$${item.length}\r\n${item}\r\n`).join('')}`
}

test('ZADD counts new members, or changed ones with CH, and takes pairs one after the other', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('zadd', 'z', 1, 'a', 2, 'b', 3, 'a'), ':2\r\n')
  t.equal(await s.run('zscore', 'z', 'a'), '$1\r\n3\r\n')
  t.equal(await s.run('zadd', 'z', 'CH', 1, 'a', 2, 'b', 1, 'c'), ':2\r\n')
  t.equal(await s.run('zadd', 'new', 'NX', 1, 'a', 2, 'a'), ':1\r\n')
  t.equal(await s.run('zscore', 'new', 'a'), '$1\r\n1\r\n')
  t.equal(await s.run('zadd', 'z', 'GT', 'CH', 5, 'a', 1, 'b'), ':1\r\n')
  t.equal(await s.run('zadd', 'z', 'LT', 'CH', 5, 'b', 0, 'b'), ':1\r\n')
  t.equal(await s.run('zadd', 'none', 'XX', 1, 'a'), ':0\r\n')
  t.equal(await s.run('zcard', 'none'), ':0\r\n')
  t.equal(await s.run('zrange', 'z', 0, -1, 'WITHSCORES'), bulks('b', '0', 'c', '1', 'a', '5'))
})

test('ZADD INCR answers the score, or nil where a condition refuses it', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('zadd', 'z', 'INCR', '1.5', 'a'), '$3\r\n1.5\r\n')
  t.equal(await s.run('zadd', 'z', 'NX', 'INCR', 1, 'a'), '$-1\r\n')
  t.equal(await s.run('zadd', 'z', 'GT', 'INCR', -1, 'a'), '$-1\r\n')
  t.equal(await s.run('zadd', 'z', 'XX', 'INCR', 1, 'b'), '$-1\r\n')
  t.equal(await s.run('zincrby', 'z', '-0.1', 'a'), '$3\r\n1.4\r\n')
  t.equal(await s.run('zincrby', 'z', 'inf', 'a'), '$3\r\ninf\r\n')
  t.equal(await s.run('zincrby', 'z', '-inf', 'a'), '-ERR resulting score is not a number (NaN)\r\n')
  t.equal(await s.run('zscore', 'z', 'a'), '$3\r\ninf\r\n')
})

test('ZADD and ZINCRBY refuse what makes no sense before they touch anything', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('zadd', 'z', 1, 'a', 2), '-ERR syntax error\r\n')
  t.equal(await s.run('zadd', 'z', 'NX', 'CH'), '-ERR syntax error\r\n')
  t.equal(
    await s.run('zadd', 'z', 'NX', 'XX', 1, 'a'),
    '-ERR XX and NX options at the same time are not compatible\r\n',
  )
  t.equal(
    await s.run('zadd', 'z', 'GT', 'LT', 1, 'a'),
    '-ERR GT, LT, and/or NX options at the same time are not compatible\r\n',
  )
  t.equal(
    await s.run('zadd', 'z', 'INCR', 1, 'a', 2, 'b'),
    '-ERR INCR option supports a single increment-element pair\r\n',
  )
  t.equal(await s.run('zadd', 'z', 1, 'a', 'nan', 'b'), '-ERR value is not a valid float\r\n')
  t.equal(await s.run('zincrby', 'z', '', 'a'), '-ERR value is not a valid float\r\n')
  t.equal(await s.run('zcard', 'z'), ':0\r\n')
  await s.run('set', 'str', 'v')
  t.equal(await s.run('zadd', 'str', 1, 'a'), WRONG_TYPE)
  t.equal(await s.run('zincrby', 'str', 1, 'a'), WRONG_TYPE)
})

test('an expired sorted set is absent, and ZADD begins a new one', async (t) => {
  await using s = await startServer()
  await s.run('zadd', 'z', 1, 'a')
  await s.run('pexpire', 'z', 100)
  s.advance(200)
  t.equal(await s.run('zcard', 'z'), ':0\r\n')
  t.equal(await s.run('zrank', 'z', 'a'), '$-1\r\n')
  t.equal(await s.run('zadd', 'z', 2, 'b'), ':1\r\n')
  t.equal(await s.run('zrange', 'z', 0, -1), bulks('b'))
})

test('scores come in the shortest form that reads back equal, as doubles in RESP3', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('zadd', 'z', '0.1', 'a', '1e300', 'b', '-inf', 'c', '3.0', 'd', '17179869184.5', 'e')
  t.equal(await client.run('zmscore', 'z', 'a', 'x', 'b'), '*3\r\n$3\r\n0.1\r\n$-1\r\n$6\r\n1e+300\r\n')
  await client.run('hello', 3)
  t.equal(await client.run('zmscore', 'z', 'c', 'x', 'e'), '*3\r\n,-inf\r\n_\r\n,17179869184.5\r\n')
  t.equal(await client.run('zscore', 'z', 'd'), ',3\r\n')
  t.equal(await client.run('zrange', 'z', 0, 0, 'WITHSCORES'), '*1\r\n*2\r\n$1\r\nc\r\n,-inf\r\n')
  t.equal(await client.run('zrank', 'z', 'a', 'WITHSCORE'), '*2\r\n:1\r\n,0.1\r\n')
  t.equal(await client.run('zrank', 'z', 'x', 'WITHSCORE'), '_\r\n')
  t.equal(await client.run('zpopmax', 'z'), '*2\r\n$1\r\nb\r\n,1e+300\r\n')
  t.equal(await client.run('zpopmin', 'z', 1), '*1\r\n*2\r\n$1\r\nc\r\n,-inf\r\n')
})

test('ZRANK WITHSCORE and ZREVRANK count the members before', async (t) => {
  await using s = await startServer()
  await s.run('zadd', 'z', 1, 'a', 2, 'b', 2, 'c', 3, 'd')
  t.equal(await s.run('zrank', 'z', 'c'), ':2\r\n')
  t.equal(await s.run('zrevrank', 'z', 'c'), ':1\r\n')
  t.equal(await s.run('zrevrank', 'z', 'd', 'withscore'), '*2\r\n:0\r\n$1\r\n3\r\n')
  t.equal(await s.run('zrank', 'z', 'x', 'withscore'), '*-1\r\n')
  t.equal(await s.run('zrank', 'z', 'x', 'withscores'), '-ERR syntax error\r\n')
})

test('a range of scores around zero has members with -0 and with 0', async (t) => {
  await using s = await startServer()
  await s.run('zadd', 'z', '-0', 'a', '0', 'b', '-1', 'c', '1', 'd')
  t.equal(await s.run('zcount', 'z', 0, 0), ':2\r\n')
  t.equal(await s.run('zcount', 'z', '-0', '-0'), ':2\r\n')
  t.equal(await s.run('zrangebyscore', 'z', '(0', 1), bulks('d'))
  t.equal(await s.run('zrangebyscore', 'z', '-1', '(0'), bulks('c'))
  t.equal(await s.run('zscore', 'z', 'a'), '$2\r\n-0\r\n')
})

test('bounds that are none are refused with Redis’s words and Kvrocks’s', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('zcount', 'z', 'x', 1), '-ERR min or max is not a float: not a double\r\n')
  t.equal(
    await s.run('zrangebylex', 'z', 'a', '[b'),
    '-ERR min or max not valid string range item: the min is illegal\r\n',
  )
  t.equal(
    await s.run('zlexcount', 'z', '[a', '+b'),
    '-ERR min or max not valid string range item: the max is illegal\r\n',
  )
  t.equal(await s.run('zlexcount', 'z', '+', '-'), '-ERR min > max\r\n')
  t.equal(await s.run('zrange', 'z', 'a', 1), '-ERR value is not an integer or out of range\r\n')
  t.equal(await s.run('zpopmin', 'z', 1, 1), "-ERR wrong number of arguments for 'zpopmin' command\r\n")
})

async function fill(s: TestServer, key: string, count: number): Promise<void> {
  const client = await s.connect()
  const words: (string | number)[] = []
  for (let index = 0; index < count; index++) words.push(index, `m${String(index).padStart(6, '0')}`)
  await client.run('zadd', key, ...words)
}

test('ranges of thousands of members are whole, from every side and after writes of the same turn', async (t) => {
  await using s = await startServer()
  const count = 30_000
  await fill(s, 'z', count)
  const client = await s.connect()
  const all = Array.from({ length: count }, (_, index) => `m${String(index).padStart(6, '0')}`)
  t.same(await client.value('zrange', 'z', 0, -1), all)
  t.same(await client.value('zrange', 'z', 0, -1, 'REV'), all.toReversed())
  t.same(await client.value('zrangebyscore', 'z', 10, 20_000), all.slice(10, 20_001))
  t.same(await client.value('zrange', 'z', '-', '+', 'BYLEX', 'LIMIT', 5, 25_000), all.slice(5, 25_005))
  t.same(await client.value('zrange', 'z', -3, -1), all.slice(-3))
  t.same(await client.value('zrevrange', 'z', -3, -1), all.slice(0, 3).toReversed())
  t.same(
    await client.value('zrange', 'z', 20_000, 25_000, 'WITHSCORES').then((flat) => (flat as string[]).length),
    10_002,
  )
  client.send('zadd', 'z', '-1', 'first')
  client.send('zrange', 'z', 0, -1)
  client.send('multi')
  client.send('zadd', 'z', '-2', 'zeroth')
  client.send('zrangebyscore', 'z', '-inf', 'inf')
  client.send('exec')
  t.equal((await client.nextReply()).value, 1)
  t.same((await client.nextReply()).value, ['first', ...all])
  for (let queued = 0; queued < 3; queued++) await client.nextReply()
  t.same((await client.nextReply()).value, [1, ['zeroth', 'first', ...all]])
  t.same(s.logged, [])
})

test('ZREMRANGEBYRANK, BYSCORE and BYLEX remove what the ranges have', async (t) => {
  await using s = await startServer()
  await s.run('zadd', 'z', 1, 'a', 2, 'b', 3, 'c', 4, 'd', 5, 'e')
  t.equal(await s.run('zremrangebyrank', 'z', -2, -1), ':2\r\n')
  t.equal(await s.run('zremrangebyscore', 'z', '(1', '(3'), ':1\r\n')
  t.equal(await s.run('zrange', 'z', 0, -1), bulks('a', 'c'))
  t.equal(await s.run('zremrangebylex', 'z', '[b', '+'), ':1\r\n')
  t.equal(await s.run('zremrangebyrank', 'z', 0, 9), ':1\r\n')
  t.equal(await s.run('zcard', 'z'), ':0\r\n')
  t.equal(await s.run('set', 'z', 'v'), '+OK\r\n')
})

test('ZUNION, ZINTER and ZDIFF take sets too, weigh, aggregate and never yield NaN', async (t) => {
  await using s = await startServer()
  await s.run('zadd', 'a', 1, 'x', 2, 'y', 'inf', 'i')
  await s.run('zadd', 'b', 10, 'y', 20, 'z', '-inf', 'i')
  await s.run('sadd', 's', 'y', 'q')
  t.equal(
    await s.run('zunion', 3, 'a', 'b', 's', 'WITHSCORES'),
    bulks('i', '0', 'q', '1', 'x', '1', 'y', '13', 'z', '20'),
  )
  t.equal(
    await s.run('zunion', 2, 'a', 'b', 'WEIGHTS', 0, '0.5', 'AGGREGATE', 'MAX', 'WITHSCORES'),
    bulks('i', '0', 'x', '0', 'y', '5', 'z', '10'),
  )
  t.equal(await s.run('zinter', 3, 'a', 'b', 's', 'AGGREGATE', 'MIN', 'WITHSCORES'), bulks('y', '1'))
  t.equal(await s.run('zdiff', 2, 'a', 's', 'WITHSCORES'), bulks('x', '1', 'i', 'inf'))
  t.equal(await s.run('zintercard', 2, 'a', 'b', 'LIMIT', 1), ':1\r\n')
  t.equal(await s.run('zinterstore', 'a', 2, 'a', 'b'), ':2\r\n')
  t.equal(await s.run('zrange', 'a', 0, -1, 'WITHSCORES'), bulks('i', '0', 'y', '12'))
  t.equal(await s.run('zdiffstore', 'a', 2, 'b', 'b'), ':0\r\n')
  t.equal(await s.run('zcard', 'a'), ':0\r\n')
  await s.run('set', 'str', 'v')
  t.equal(await s.run('zunion', 2, 'b', 'str'), WRONG_TYPE)
  t.equal(
    await s.run('zunionstore', 'd', 1, 'b', 'WEIGHTS', 'x'),
    '-ERR weight value is not a float: weight is not a double or out of range\r\n',
  )
  t.equal(await s.run('zunion', 1, 'b', 'AGGREGATE', 'avg'), '-ERR syntax error, aggregate param error\r\n')
  t.equal(await s.run('zunion', 0, 'b'), "-ERR at least 1 input key is needed for 'zunion' command\r\n")
})

test('ZRANDMEMBER draws from all members', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('zadd', 'z', 1, 'a', 2, 'b', 3, 'c')
  t.same(new Set((await client.value('zrandmember', 'z', 9)) as string[]), new Set(['a', 'b', 'c']))
  t.equal(((await client.value('zrandmember', 'z', -9, 'WITHSCORES')) as string[]).length, 18)
  t.match(await client.run('zrandmember', 'z'), /^\$1\r\n[abc]\r\n$/)
  t.equal(await client.run('zrandmember', 'none'), '$-1\r\n')
  t.equal(await client.run('zrandmember', 'none', 3), '*0\r\n')
  await client.run('zadd', 'one', '0.1', 'm')
  const many = 100_001
  const drawn = await client.run('zrandmember', 'one', -many, 'withscores')
  t.equal(drawn, `*${many * 2}\r\n${'$1\r\nm\r\n$3\r\n0.1\r\n'.repeat(many)}`, 'scores as in a short reply')
  await client.run('hello', 3)
  await client.run('zrem', 'z', 'a', 'b')
  t.equal(await client.run('zrandmember', 'z', 1, 'withscores'), '*1\r\n*2\r\n$1\r\nc\r\n,3\r\n')
})

test('ZRANDMEMBER shows scores in a long reply as in a short one', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('zadd', 'z', '0.1', 'm')
  client.send('zrandmember', 'z', -100_001, 'withscores')
  client.send('quit')
  t.equal(await client.untilClosed(), `*200002\r\n${'$1\r\nm\r\n$3\r\n0.1\r\n'.repeat(100_001)}+OK\r\n`)
})

test('BZPOPMIN, BZPOPMAX and BZMPOP wait for whatever command brings a member', async (t) => {
  await using s = await startServer()
  const [min, max, several] = [await s.connect(), await s.connect(), await s.connect()]
  min.send('bzpopmin', 'none', 'z', 0)
  max.send('bzpopmax', 'z', 0)
  several.send('bzmpop', 0, 2, 'none', 'y', 'MAX', 'COUNT', 2)
  while (s.server.clients.blockedCount < 3) await new Promise((resolve) => setImmediate(resolve))
  await s.run('set', 'z', 'another type')
  await s.run('del', 'z')
  await s.run('zadd', 'z', 1, 'a', 2, 'b')
  t.equal((await min.nextReply()).bytes, bulks('z', 'a', '1'))
  t.equal((await max.nextReply()).bytes, bulks('z', 'b', '2'))
  await s.run('zadd', 'x', 1, 'a', 2, 'b', 3, 'c')
  await s.run('zunionstore', 'y', 1, 'x')
  t.equal((await several.nextReply()).bytes, `*2\r\n$1\r\ny\r\n*2\r\n${bulks('c', '3')}${bulks('b', '2')}`)
  t.equal(await s.run('zrange', 'y', 0, -1), bulks('a'))
})

test('a pop that waits runs anew when a key comes, and is refused if one before it is of another type', async (t) => {
  await using s = await startServer()
  const [zsets, lists] = [await s.connect(), await s.connect()]
  zsets.send('bzpopmin', 'other', 'z', 0)
  lists.send('blpop', 'other', 'l', 0)
  while (s.server.clients.blockedCount < 2) await new Promise((resolve) => setImmediate(resolve))
  await s.run('set', 'other', 'v')
  await s.run('zadd', 'z', 1, 'a')
  await s.run('rpush', 'l', 'a')
  const refused = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'
  t.equal((await zsets.nextReply()).bytes, refused)
  t.equal((await lists.nextReply()).bytes, refused)
  t.equal(await s.run('zcard', 'z'), ':1\r\n')
  t.equal(await s.run('llen', 'l'), ':1\r\n')
})

test('blocking pops do not wait where there is something, in MULTI, or past their time', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  t.equal(await client.run('bzpopmin', 'z', '0.01'), '*-1\r\n')
  t.equal(await client.run('bzmpop', '0.01', 1, 'z', 'MIN'), '*-1\r\n')
  await client.run('zadd', 'z', 1, 'a')
  t.equal(await client.run('bzpopmax', 'z', 0), bulks('z', 'a', '1'))
  await client.run('multi')
  await client.run('bzpopmin', 'z', 0)
  t.equal(await client.run('exec'), '*1\r\n*-1\r\n')
  t.equal(await client.run('bzpopmin', 'z', -1), '-ERR timeout is negative\r\n')
  t.equal(await client.run('bzpopmin', 'z', 'x'), '-ERR timeout is not a float or out of range\r\n')
  t.equal(await client.run('zmpop', 1, 'z', 'MIN'), '*-1\r\n')
  t.equal(await client.run('zmpop', 0, 'z', 'MIN'), '-ERR numkeys should be greater than 0\r\n')
  t.equal(
    await client.run('zmpop', 'x', 'z', 'MIN'),
    '-ERR numkeys should be greater than 0: not started as an integer\r\n',
  )
  t.equal(await client.run('zmpop', 1, 'z', 'MIN', 'COUNT', 0), '-ERR count should be greater than 0\r\n')
  t.equal(await client.run('zmpop', 2, 'z', 'MIN'), '-ERR syntax error\r\n')
  await client.run('set', 'str', 'v')
  t.equal(await client.run('bzpopmin', 'none', 'str', 0), WRONG_TYPE)
})
