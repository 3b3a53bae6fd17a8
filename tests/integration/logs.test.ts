/** SLOWLOG and PERFLOG: which commands are kept, how many, and what of them. */
import { test } from 'tap'
import type { RawClient } from '../support/raw-client.js'
import { startServer, type Word } from '../support/server.js'

type Entry = [id: number, unixSeconds: number, microseconds: number, words: string[], address: string, name: string]

async function entries(client: RawClient, count = -1): Promise<Entry[]> {
  return (await client.value('slowlog', 'get', count)) as unknown as Entry[]
}

test('SLOWLOG is empty at first, and has only what took longer than the threshold', async (t) => {
  await using s = await startServer({ config: { 'slowlog-log-slower-than': 1_000_000 } })
  const client = await s.connect()
  t.same(await entries(client), [])
  await client.run('config', 'set', 'slowlog-log-slower-than', 100_000)
  await client.run('ping')
  t.same(await entries(client), [])
  await client.run('client', 'setname', 'foobar')
  await client.run('debug', 'sleep', '0.15')
  const [entry] = await entries(client)
  t.same(entry?.[3], ['debug', 'sleep', '0.15'])
  t.ok((entry?.[2] ?? 0) > 100_000)
  t.same(entry?.slice(4), [`127.0.0.1:${client.socket.localPort}`, 'foobar'])
})

test('SLOWLOG keeps as many as it may, shows as many as it is asked for, and is emptied', async (t) => {
  await using s = await startServer({ config: { 'slowlog-log-slower-than': 0, 'slowlog-max-len': 10 } })
  const client = await s.connect()
  for (let count = 0; count < 100; count++) await client.run('ping')
  t.equal((await entries(client)).length, 10)
  t.equal((await entries(client, 5)).length, 5)
  const [newest, next] = await entries(client)
  t.equal(newest?.[0], (next?.[0] ?? 0) + 1)
  t.equal(await client.run('config', 'set', 'slowlog-log-slower-than', 100_000), '+OK\r\n')
  t.equal(await client.run('slowlog', 'reset'), '+OK\r\n')
  t.equal(await client.run('slowlog', 'len'), ':0\r\n')
  t.same(await entries(client), [])
})

test('SLOWLOG drops its oldest entries when it may have fewer, and is switched off by -1', async (t) => {
  await using s = await startServer({ config: { 'slowlog-log-slower-than': 0 } })
  const client = await s.connect()
  for (const key of ['a', 'b', 'c']) await client.run('get', key)
  await client.run('config', 'set', 'slowlog-max-len', 1)
  await client.run('get', 'd')
  t.same(
    (await entries(client)).map(([, , , words]) => words),
    [['get', 'd']],
  )
  await client.run('config', 'set', 'slowlog-log-slower-than', -1)
  await client.run('slowlog', 'reset')
  await client.run('get', 'e')
  t.same(await entries(client), [])
})

test('a command that waited is counted at its end, with the time that it ran', async (t) => {
  await using s = await startServer({ config: { 'slowlog-log-slower-than': 0 } })
  const [waiting, other] = [await s.connect(), await s.connect()]
  const id = await waiting.value('client', 'id')
  await other.run('slowlog', 'reset')
  const untilOneWaits = async (): Promise<void> => {
    while (s.server.clients.blockedCount === 0) await new Promise((done) => setImmediate(done))
  }
  const statsOf = async (name: string): Promise<string> => {
    const stats = new RegExp(`cmdstat_${name}:calls=(\\d+),usec=\\d+,usec_per_call=\\d+,.*failed_calls=(\\d+)`)
    return (
      stats
        .exec(await other.run('info', 'commandstats'))
        ?.slice(1)
        .join() ?? 'none'
    )
  }
  waiting.send('blpop', 'list', 0)
  await untilOneWaits()
  t.equal(await statsOf('blpop'), 'none')
  await other.run('rpush', 'list', 'a')
  t.equal((await waiting.nextReply()).bytes, '*2\r\n$4\r\nlist\r\n$1\r\na\r\n')
  t.equal(await statsOf('blpop'), '1,0')

  t.equal(await waiting.run('bzpopmin', 'zset', 0.4), '*-1\r\n')
  t.equal(await statsOf('bzpopmin'), '1,0')

  waiting.send('blmove', 'list', 'other', 'left', 'left', 0)
  await untilOneWaits()
  t.equal(await other.run('client', 'unblock', Number(id), 'error'), ':1\r\n')
  t.match((await waiting.nextReply()).bytes, /^-UNBLOCKED /)
  t.equal(await statsOf('blmove'), '1,1')

  const kept = (await entries(other)).filter(([, , , words]) => words[0]?.startsWith('b') === true).reverse()
  t.same(
    kept.map(([, , , words]) => words.join(' ')),
    ['blpop list 0', 'bzpopmin zset 0.4', 'blmove list other left left 0'],
  )
  for (const [, , us] of kept) t.ok(us < 400_000, `${us} us`)
  t.same(kept[0]?.[4], `127.0.0.1:${waiting.socket.localPort}`)
})

const MANY = Array.from({ length: 31 }, (_, index) => index)

/** A command, and its words as they are kept. */
const KEPT: readonly (readonly [command: readonly Word[], words: readonly string[]])[] = [
  [
    ['spop', 'set', 10],
    ['spop', 'set', '10'],
  ],
  [
    ['geoadd', 'cities', -122.33207, 47.60621, 'Seattle'],
    ['geoadd', 'cities', '-122.33207', '47.60621', 'Seattle'],
  ],
  [
    ['getset', 'a', 5],
    ['getset', 'a', '5'],
  ],
  [
    ['incrbyfloat', 'A', '1.0'],
    ['incrbyfloat', 'A', '1.0'],
  ],
  [
    ['sadd', 'set', ...MANY],
    ['sadd', 'set', ...MANY.slice(0, 29).map(String), '... (2 more arguments)'],
  ],
  [
    ['sadd', 'set', 'foo', 'A'.repeat(129)],
    ['sadd', 'set', 'foo', `${'A'.repeat(128)}... (1 more bytes)`],
  ],
]

test('SLOWLOG keeps commands as they were sent, long ones shortened', async (t) => {
  await using s = await startServer({ config: { 'slowlog-log-slower-than': 0 } })
  const client = await s.connect()
  await client.run('sadd', 'set', 'a', 'b', 'c')
  await client.run('set', 'A', 0)
  for (const [command, words] of KEPT) {
    await client.run('slowlog', 'reset')
    await client.run(...command)
    t.same((await entries(client))[0]?.[3], words)
  }
})

test('PERFLOG keeps the sampled commands', async (t) => {
  await using s = await startServer({
    config: {
      'profiling-sample-commands': 'set',
      'profiling-sample-ratio': 100,
      'profiling-sample-record-threshold-ms': 0,
    },
  })
  const client = await s.connect()
  for (let index = 0; index < 10; index++) await client.run('set', `key-${index}`, 'value')
  await client.run('get', 'key-1')
  t.equal(await client.run('perflog', 'len'), ':10\r\n')
  t.equal(await client.run('perflog', 'reset'), '+OK\r\n')
  t.equal(await client.run('perflog', 'len'), ':0\r\n')
})
