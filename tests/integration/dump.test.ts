/** RESTORE of payloads in every form that Redis has written, and DUMP of every type. */
import { t as tap, test } from 'tap'
import { GOLDEN } from '../rdb/golden.js'
import type { RawClient } from '../support/raw-client.js'
import { startServer, type Word } from '../support/server.js'

const server = await startServer()
tap.teardown(() => server.close())

/** A connection to an empty server. */
async function connect(): Promise<RawClient> {
  const client = await server.connect()
  await client.run('flushall')
  return client
}

/** What is at `key`, in the form of a golden value; undefined for types that those do not show alike. */
async function show(client: RawClient, key: string): Promise<unknown> {
  switch (await client.value('type', key)) {
    case 'string':
      return client.value('get', key)
    case 'list':
      return client.value('lrange', key, 0, -1)
    case 'set':
      return client.value('smembers', key)
    case 'hash':
      return pairs(await client.value('hgetall', key), String)
    case 'zset':
      return pairs(await client.value('zrange', key, 0, -1, 'withscores'), (text) =>
        Number(text.replace('inf', 'Infinity')),
      ).sort(([a], [b]) => (a < b ? -1 : 1))
    default:
      return undefined
  }
}

function pairs<T>(reply: unknown, convert: (text: string) => T): [string, T][] {
  const words = reply as string[]
  return words.flatMap((word, index) => (index % 2 === 0 ? [[word, convert(words[index + 1] as string)]] : [])) as [
    string,
    T,
  ][]
}

const PLAIN = GOLDEN.filter(
  ({ value, name }) => (typeof value === 'string' || Array.isArray(value)) && !name.includes('expir'),
)

for (const { name, payload, value } of PLAIN) {
  test(`RESTORE of ${name}`, async (t) => {
    const client = await connect()
    t.equal(await client.run('restore', 'k', 0, payload), '+OK\r\n')
    t.same(await show(client, 'k'), value)
    t.equal(await client.value('ttl', 'k'), -1)
    t.equal(await client.run('restore', 'k', 0, payload), '-BUSYKEY Target key name already exists.\r\n')
    t.equal(await client.run('restore', 'k', 10_000, payload, 'replace'), '+OK\r\n')
    t.same(await show(client, 'k'), value)
    t.equal(await client.value('pttl', 'k'), 10_000)
  })
}

/** DUMP of a listpack, intset and string by redis-server 7.0: independent of what is written here. */
const BAR = Buffer.from('\x00\x03bar\n\x00\xe6\xbeI`\xeef\xfd\x17', 'latin1')

test('RESTORE takes times to come, moments, and moments that are over', async (t) => {
  const s = await connect()
  t.match(await s.run('restore', 'k', -1, BAR), /^-ERR /)
  t.equal(await s.run('restore', 'k', 0, BAR), '+OK\r\n')
  t.equal(await s.run('get', 'k'), '$3\r\nbar\r\n')
  t.equal(await s.run('restore', 'k', 0, BAR, 'replace', 'absttl'), '+OK\r\n')
  t.equal(await s.run('ttl', 'k'), ':-1\r\n')
  t.equal(await s.run('restore', 'k', 1_700_000_009_000, BAR, 'replace', 'absttl'), '+OK\r\n')
  t.equal(await s.run('pttl', 'k'), ':9000\r\n')
  t.equal(await s.run('restore', 'k', 1111, BAR, 'replace', 'absttl'), '+OK\r\n')
  t.equal(await s.run('get', 'k'), '$-1\r\n')
})

/** A command that makes the key `a`, and one that shows the key that is its second word. */
const DUMPED: readonly { readonly what: string; readonly fill: readonly Word[]; readonly shown: readonly Word[] }[] = [
  { what: 'text', fill: ['set', 'a', 'hello,world!'], shown: ['get', 'a'] },
  { what: 'digits', fill: ['set', 'a', '654321'], shown: ['get', 'a'] },
  ...['0', '-1', '127', '-128', '32767', '-32768', '65536', '2147483647', '-2147483648', '4294967296'].map(
    (number) => ({
      what: `the integer ${number}`,
      fill: ['set', 'a', number],
      shown: ['get', 'a'],
    }),
  ),
  { what: 'long text', fill: ['set', 'a', 'x'.repeat(100_000)], shown: ['get', 'a'] },
  { what: 'a hash', fill: ['hset', 'a', 'name', 'tutorial', 'likes', 20, 'empty', ''], shown: ['hgetall', 'a'] },
  {
    what: 'a sorted set',
    fill: ['zadd', 'a', 1, 'm1', 2.5, 'm2', '-inf', 'm3'],
    shown: ['zrange', 'a', 0, -1, 'withscores'],
  },
  { what: 'a list', fill: ['rpush', 'a', 'e1', 'e2', ''], shown: ['lrange', 'a', 0, -1] },
  { what: 'a set', fill: ['sadd', 'a', 'm1', 'm2', '3'], shown: ['smembers', 'a'] },
  { what: 'a bitmap', fill: ['setbit', 'a', 100_001, 1], shown: ['get', 'a'] },
  { what: 'a stream', fill: ['xadd', 'a', '1-1', 'f', 'v'], shown: ['xrange', 'a', '-', '+'] },
]

for (const { what, fill, shown } of DUMPED) {
  test(`RESTORE brings back what DUMP gave of ${what}`, async (t) => {
    const client = await connect()
    await client.run(...fill)
    const payload = Buffer.from(String(await client.value('dump', 'a')), 'latin1')
    t.equal(await client.run('restore', 'b', 0, payload), '+OK\r\n')
    const [command = '', , ...rest] = shown
    t.equal(await client.run(command, 'b', ...rest), await client.run(...shown))
  })
}
