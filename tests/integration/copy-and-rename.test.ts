/** COPY and RENAME of every type: the value, its expiry, and what stood at the new name. */
import { type Test, t as tap, test } from 'tap'
import type { RawClient } from '../support/raw-client.js'
import { startServer, type Word } from '../support/server.js'

type Command = readonly Word[]

interface KeyType {
  readonly name: string
  /** Makes the key `a`. */
  readonly fill: Command
  /** Makes another value of the same type at the key `b`. */
  readonly other: Command
  /** Shows the whole value of the key, the last word. */
  readonly show: (key: string) => Command
}

const TYPES: readonly KeyType[] = [
  { name: 'a string', fill: ['set', 'a', 'hello'], other: ['set', 'b', 'world'], show: (key) => ['get', key] },
  {
    name: 'a list',
    fill: ['rpush', 'a', 'one', 'two', 'three'],
    other: ['rpush', 'b', 'x', 'y', 'z', 'longer'],
    show: (key) => ['lrange', key, 0, -1],
  },
  {
    name: 'a hash',
    fill: ['hset', 'a', 'f1', 'v1', 'f2', 'v2'],
    other: ['hset', 'b', 'f2', 'x', 'f3', 'y', 'f4', 'z'],
    show: (key) => ['hgetall', key],
  },
  {
    name: 'a set',
    fill: ['sadd', 'a', 'm1', 'm2'],
    other: ['sadd', 'b', 'm2', 'm3', 'm4'],
    show: (key) => ['smembers', key],
  },
  {
    name: 'a sorted set',
    fill: ['zadd', 'a', 1, 'm1', 2.5, 'm2'],
    other: ['zadd', 'b', 9, 'm2', 3, 'm3', 4, 'm4'],
    show: (key) => ['zrange', key, 0, -1, 'withscores'],
  },
  {
    name: 'a bitmap',
    fill: ['bitop', 'or', 'a', 'bits'],
    other: ['setbit', 'b', 70_000, 1],
    show: (key) => ['bitfield_ro', key, 'get', 'u32', 0, 'get', 'u32', 8192 * 8, 'get', 'u32', 69_984],
  },
  {
    name: 'sorted integers',
    fill: ['siadd', 'a', 3, 4, 5, 123, 245],
    other: ['siadd', 'b', 99, 5],
    show: (key) => ['sirange', key, 0, 100],
  },
  {
    name: 'a stream',
    fill: ['xadd', 'a', '1-1', 'f', 'v'],
    other: ['xadd', 'b', '2-1', 'f', 'w'],
    show: (key) => ['xrange', key, '-', '+'],
  },
  {
    name: 'a HyperLogLog',
    fill: ['pfadd', 'a', 1, 2, 3],
    other: ['pfadd', 'b', 4, 5],
    show: (key) => ['pfcount', key],
  },
]

interface Scene {
  readonly client: RawClient
  /** Checks that a key has the value of `a` at the beginning, and these milliseconds to live; -1 = for ever. */
  has(key: string, ttlMs: number): Promise<void>
}

const server = await startServer()
tap.teardown(() => server.close())

async function startScene(t: Test, { fill, show }: KeyType): Promise<Scene> {
  const client = await server.connect()
  await client.run('flushall')
  await client.run('setbit', 'bits', 3, 1)
  await client.run('setbit', 'bits', 65_540, 1)
  await client.run(...fill)
  const value = await client.run(...show('a'))
  const has = async (key: string, ttlMs: number) => {
    t.equal(await client.run(...show(key)), value, `the value of ${key}`)
    t.equal(await client.value('pttl', key), ttlMs, `the time of ${key}`)
  }
  return { client, has }
}

for (const type of TYPES) {
  test(`COPY REPLACE puts ${type.name} in the place of anything`, async (t) => {
    const { client, has } = await startScene(t, type)
    t.equal(await client.run('copy', 'a', 'b', 'replace'), ':1\r\n')
    await has('a', -1)
    await has('b', -1)
    await client.run('del', 'b')
    await client.run(...type.other)
    await client.run('pexpire', 'b', 1_000_000)
    await client.run('pexpire', 'a', 10_000)
    t.equal(await client.run('copy', 'a', 'b', 'replace'), ':1\r\n')
    await has('b', 10_000)
    await client.run('persist', 'a')
    for (const former of [
      ['rpush', 'c', 'x'],
      ['set', 'c', 'x'],
      ['hset', 'c', 'x', 'y'],
    ]) {
      await client.run('del', 'c')
      await client.run(...former)
      t.equal(await client.run('copy', 'a', 'c', 'replace'), ':1\r\n')
      await has('c', -1)
    }
    t.equal(await client.run('copy', 'a', 'a', 'replace'), ':1\r\n')
    await has('a', -1)
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'd'],
    ] as const)
      await client.run('copy', from, to, 'replace')
    for (const key of ['a', 'b', 'c', 'd']) await has(key, -1)
  })

  test(`COPY leaves a key alone that stands in the way of ${type.name}`, async (t) => {
    const { client, has } = await startScene(t, type)
    await client.run(...type.other)
    const former = await client.run(...type.show('b'))
    t.equal(await client.run('copy', 'a', 'b'), ':0\r\n')
    t.equal(await client.run(...type.show('b')), former)
    await has('a', -1)
    await client.run('del', 'b')
    t.equal(await client.run('copy', 'a', 'b'), ':1\r\n')
    await has('a', -1)
    await has('b', -1)
    t.equal(await client.run('copy', 'a', 'a'), '-ERR source and destination objects are the same\r\n')
    await has('a', -1)
  })

  test(`RENAME puts ${type.name} in the place of anything`, async (t) => {
    const { client, has } = await startScene(t, type)
    t.equal(await client.run('rename', 'a', 'b'), '+OK\r\n')
    t.equal(await client.run('exists', 'a'), ':0\r\n')
    await has('b', -1)
    await client.run('rename', 'b', 'a')
    await client.run(...type.other)
    await client.run('pexpire', 'b', 1_000_000)
    await client.run('pexpire', 'a', 10_000)
    t.equal(await client.run('rename', 'a', 'b'), '+OK\r\n')
    t.equal(await client.run('exists', 'a'), ':0\r\n')
    await has('b', 10_000)
    await client.run('persist', 'b')
    await client.run('rpush', 'c', 'x')
    for (const [from, to] of [
      ['b', 'c'],
      ['c', 'd'],
      ['d', 'd'],
    ] as const) {
      t.equal(await client.run('rename', from, to), '+OK\r\n')
      await has(to, -1)
    }
    t.equal(await client.run('exists', 'a', 'b', 'c', 'd'), ':1\r\n')
  })

  test(`RENAMENX leaves a key alone that stands in the way of ${type.name}`, async (t) => {
    const { client, has } = await startScene(t, type)
    await client.run(...type.other)
    const former = await client.run(...type.show('b'))
    t.equal(await client.run('renamenx', 'a', 'b'), ':0\r\n')
    t.equal(await client.run(...type.show('b')), former)
    await has('a', -1)
    await client.run('del', 'b')
    t.equal(await client.run('renamenx', 'a', 'b'), ':1\r\n')
    t.equal(await client.run('exists', 'a'), ':0\r\n')
    await has('b', -1)
    t.equal(await client.run('renamenx', 'b', 'b'), ':0\r\n')
    await has('b', -1)
  })
}

test('a key that does not exist is neither copied nor renamed, and there is one database', async (t) => {
  const s = await server.connect()
  await s.run('flushall')
  t.equal(await s.run('copy', 'none', 'a'), ':0\r\n')
  t.equal(await s.run('copy', 'none', 'a', 'replace'), ':0\r\n')
  t.equal(await s.run('rename', 'none', 'a'), '-ERR no such key\r\n')
  t.equal(await s.run('renamenx', 'none', 'a'), '-ERR no such key\r\n')
  await s.run('set', 'a', '1')
  t.equal(await s.run('copy', 'a', 'b', 'db', '0'), ':1\r\n')
  t.equal(await s.run('copy', 'a', 'b', 'db', '-1'), '-ERR DB index is out of range\r\n')
  t.match(await s.run('copy', 'a', 'b', 'db', 'x'), /^-ERR /)
  t.equal(await s.run('copy', 'a', 'b', 'nosuchoption'), '-ERR syntax error\r\n')
})
