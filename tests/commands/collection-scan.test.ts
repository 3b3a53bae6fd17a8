import { test } from 'tap'
import { startServer, type TestServer, type Word } from '../support/server.js'

const COUNT = 5000

async function fill(s: TestServer): Promise<void> {
  const names = Array.from({ length: COUNT }, (_, index) => `e${index}`)
  await s.run('hset', 'hash', ...names.flatMap((name) => [name, `v${name}`]))
  await s.run('sadd', 'set', ...names)
  await s.run('zadd', 'zset', ...names.flatMap((name, index) => [index / 2, name]))
}

/** All elements that a scan gives, and the number of calls. */
async function scanAll(s: TestServer, command: string, key: string, ...options: Word[]) {
  const client = await s.connect()
  const elements: string[] = []
  let cursor = '0'
  let calls = 0
  do {
    const [next, found] = (await client.value(command, key, cursor, ...options)) as [string, string[]]
    elements.push(...found)
    cursor = next
    calls++
  } while (cursor !== '0')
  return { elements, calls }
}

for (const compatible of [true, false]) {
  test(`HSCAN, SSCAN and ZSCAN give each element once, redis-cursor-compatible ${compatible}`, async (t) => {
    await using s = await startServer({ config: { 'redis-cursor-compatible': compatible } })
    await fill(s)
    for (const [command, key, perElement] of [
      ['hscan', 'hash', 2],
      ['sscan', 'set', 1],
      ['zscan', 'zset', 2],
    ] as const) {
      const { elements, calls } = await scanAll(s, command, key, 'COUNT', 100)
      t.equal(elements.length, COUNT * perElement)
      t.equal(new Set(elements.filter((_, index) => index % perElement === 0)).size, COUNT)
      t.equal(calls, COUNT / 100)
    }
    t.match(
      await s.run('sscan', 'set', 0),
      compatible ? /^\*2\r\n\$\d+\r\n\d+\r\n\*10\r\n/ : /^\*2\r\n\$6\r\n_e1005\r\n/,
    )
  })
}

test('MATCH filters by the whole pattern and seeks to its literal beginning', async (t) => {
  await using s = await startServer()
  await fill(s)
  t.same((await scanAll(s, 'sscan', 'set', 'MATCH', 'e49?9')).elements.length, 10)
  const { elements, calls } = await scanAll(s, 'hscan', 'hash', 'MATCH', 'e4999*', 'COUNT', 1000)
  t.same(elements, ['e4999', 've4999'])
  t.equal(calls, 1)
  t.same((await scanAll(s, 'zscan', 'zset', 'MATCH', 'e3', 'COUNT', 10)).elements, ['e3', '1.5'])
  t.same((await scanAll(s, 'sscan', 'set', 'MATCH', 'x*')).elements, [])
  t.equal(await s.run('sscan', 'set', '_x', 'MATCH', 'e*'), '*2\r\n$1\r\n0\r\n*0\r\n')
})

test('HSCAN NOVALUES leaves the values out; ZSCAN answers scores as text in RESP3 too', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('hset', 'h', 'f', 'v', 'g', 'w')
  await client.run('zadd', 'z', '1.5', 'm', '-inf', 'n')
  t.equal(await client.run('hscan', 'h', 0, 'NOVALUES'), '*2\r\n$1\r\n0\r\n*2\r\n$1\r\nf\r\n$1\r\ng\r\n')
  t.equal(await client.run('sscan', 'none', 0, 'NOVALUES'), '-ERR syntax error\r\n')
  await client.run('hello', 3)
  t.equal(await client.run('zscan', 'z', 0), '*2\r\n$1\r\n0\r\n*4\r\n$1\r\nm\r\n$3\r\n1.5\r\n$1\r\nn\r\n$4\r\n-inf\r\n')
})

test('a scan of nothing has ended; other types, cursors and counts are refused', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('zscan', 'none', 0), '*2\r\n$1\r\n0\r\n*0\r\n')
  await s.run('set', 'str', 'v')
  t.match(await s.run('hscan', 'str', 0), /^-WRONGTYPE /)
  t.equal(await s.run('hscan', 'str', 'x'), '-ERR invalid cursor\r\n')
  t.equal(await s.run('sscan', 'set', 0, 'COUNT', 0), '-ERR syntax error\r\n')
  t.equal(await s.run('sscan', 'set', 0, 'COUNT', 'x'), '-ERR value is not an integer or out of range\r\n')
  t.equal(await s.run('sscan', 'set', 0, 'MATCH'), '-ERR syntax error\r\n')
})

test('a random reply of a thousand million elements is sent piece by piece', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'f', 'v')
  await s.run('sadd', 's', 'm')
  await s.run('zadd', 'z', '1', 'm')
  for (const [command, begin] of [
    [['hrandfield', 'h', '-1000000000', 'withvalues'], '*2000000000\r\n$1\r\nf\r\n$1\r\nv\r\n$1\r\nf\r\n'],
    [['srandmember', 's', '-1000000000'], '*1000000000\r\n$1\r\nm\r\n$1\r\nm\r\n'],
    [['zrandmember', 'z', '-1000000000', 'withscores'], '*2000000000\r\n$1\r\nm\r\n$1\r\n1\r\n$1\r\nm\r\n'],
  ] as const) {
    const client = await s.connect()
    client.send(...command)
    client.socket.on('data', () => {
      if (client.pending.length >= begin.length) client.socket.pause()
    })
    while (client.pending.length < begin.length) await new Promise((done) => setImmediate(done))
    t.equal(client.pending.slice(0, begin.length), begin)
    client.close()
    t.equal(await s.run('ping'), '+PONG\r\n')
    await s.run('multi')
    await s.run(...command)
    t.equal(await s.run('exec'), '*1\r\n-ERR value is out of range\r\n', 'not where a reply is written whole')
  }
  t.equal(await s.run('hrandfield', 'absent', '-1000000000'), '*0\r\n')
  const client = await s.connect()
  const drawn = (await client.value('srandmember', 's', '-150000')) as string[]
  t.equal(drawn.length, 150_000)
})
