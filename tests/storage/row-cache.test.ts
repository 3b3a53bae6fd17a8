/** The row cache: what it says is what was last put, and no reply tells whether it is there. */

import fc from 'fast-check'
import { test } from 'tap'
import { READ_TIER_BLOCK_CACHE } from '../../src/rocksdb/read-tier.js'
import { setFilterClock } from '../../src/rocksdb/rocksdb.js'
import { CF_DEFAULT, CF_METADATA } from '../../src/storage/column-family.js'
import { RowCache } from '../../src/storage/row-cache.js'
import { startServer, type TestServer } from '../support/server.js'
import '../support/seed.js'

const MIB = 1 << 20

/** A cache with the buffer that its keys are composed in. */
function cacheOf(bytes: number): { cache: RowCache; compose: (key: string) => number } {
  const buffer = Buffer.allocUnsafeSlow(65536)
  const cache = new RowCache(bytes, buffer, { hits: 0, misses: 0, evictions: 0 })
  return { cache, compose: (key) => buffer.latin1Write(key, 0) }
}

test('the cache never says anything but the last row, whatever is evicted', (t) => {
  const { cache, compose } = cacheOf(MIB)
  const rows = new Map<string, string | undefined>()
  let seed = 7
  const next = (bound: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return seed % bound
  }
  let known = 0
  for (let i = 0; i < 200_000; i++) {
    const key = `key:${next(3000)}`
    const choice = next(10)
    if (choice < 5) {
      const handle = cache.find(CF_METADATA, compose(key))
      if (handle === 0) continue
      known++
      if (cache.read(handle)?.latin1Slice() !== rows.get(key)) t.fail(`${key} reads wrong at step ${i}`)
    } else if (choice < 8) {
      const value = String(i).repeat(1 + next(choice === 7 ? 400 : 4))
      rows.set(key, value)
      cache.put(CF_METADATA, compose(key), Buffer.from(value.slice(0, 2)), Buffer.from(value.slice(2)))
    } else if (choice === 8) {
      rows.set(key, undefined)
      cache.putAbsent(CF_METADATA, compose(key))
    } else {
      cache.drop(CF_METADATA, compose(key))
    }
  }
  t.ok(known > 10_000, 'most rows stay known')
  t.ok(cache.bytes <= MIB, 'the bound holds')
  t.end()
})

test('families are told apart, and one can be forgotten', (t) => {
  const { cache, compose } = cacheOf(MIB)
  cache.put(CF_METADATA, compose('k'), Buffer.from('head'), Buffer.alloc(0))
  cache.put(CF_DEFAULT, compose('k'), Buffer.from('element'), Buffer.alloc(0))
  t.equal(cache.read(cache.find(CF_METADATA, compose('k')))?.latin1Slice(), 'head')
  t.equal(cache.read(cache.find(CF_DEFAULT, compose('k')))?.latin1Slice(), 'element')
  cache.forget(CF_DEFAULT)
  t.equal(cache.find(CF_DEFAULT, compose('k')), 0)
  t.equal(cache.read(cache.find(CF_METADATA, compose('k')))?.latin1Slice(), 'head')
  cache.put(CF_DEFAULT, compose('k'), Buffer.from('new'), Buffer.alloc(0))
  t.equal(cache.read(cache.find(CF_DEFAULT, compose('k')))?.latin1Slice(), 'new')
  t.end()
})

test('a row that is read again and again outlives those that are not', (t) => {
  const { cache, compose } = cacheOf(MIB)
  cache.put(CF_METADATA, compose('hot'), Buffer.from('value'), Buffer.alloc(0))
  for (let i = 0; i < 100_000; i++) {
    if (i % 100 === 0) {
      const handle = cache.find(CF_METADATA, compose('hot'))
      if (handle === 0) t.fail(`the hot row was evicted at ${i}`)
      else cache.read(handle)
    }
    cache.put(CF_METADATA, compose(`cold${i}`), Buffer.from('value'), Buffer.alloc(0))
  }
  t.equal(cache.find(CF_METADATA, compose('cold0')), 0, 'a cold one was evicted')
  t.end()
})

test('rows of the running turn that do not fit are announced, and rows too large are refused', (t) => {
  const { cache, compose } = cacheOf(MIB)
  cache.put(CF_METADATA, compose('first'), Buffer.from('value'), Buffer.alloc(0))
  cache.beginTurn()
  t.equal(cache.put(CF_METADATA, compose('huge'), Buffer.alloc(MIB), Buffer.alloc(0)), false)
  t.equal(cache.find(CF_METADATA, compose('huge')), 0)
  for (let i = 0; i < 20; i++) cache.put(CF_METADATA, compose(`large${i}`), Buffer.alloc(60_000), Buffer.alloc(0))
  t.equal(cache.lostWrites, true)
  cache.beginTurn()
  t.equal(cache.lostWrites, false)
  t.end()
})

const KEYS = ['a', 'b', 'c', 'd', 'e'] as const
const key = fc.constantFrom(...KEYS)
const value = fc.oneof(
  fc.constantFrom('1', '-5', '', 'text', 'x'.repeat(100)),
  fc.constant('y'.repeat(70_000)),
  fc.constant('z'.repeat(30_000)),
)
const command: fc.Arbitrary<string[]> = fc
  .oneof(
    fc.tuple(fc.constant('get'), key),
    fc.tuple(fc.constant('set'), key, value),
    fc.tuple(fc.constant('incr'), key),
    fc.tuple(fc.constant('append'), key, value),
    fc.tuple(
      fc.constantFrom(
        'del',
        'type',
        'getdel',
        'hgetall',
        'persist',
        'smembers',
        'llen',
        'rpop',
        'spop',
        'lpop',
        'strlen',
      ),
      key,
    ),
    fc.tuple(fc.constantFrom('hset'), key, value, value),
    fc.tuple(fc.constantFrom('rpush', 'sadd'), key, value),
    fc.tuple(fc.constantFrom('hget', 'sismember', 'lindex'), key, fc.constantFrom('0', '1', 'text')),
    fc
      .tuple(
        fc.constantFrom('hdel', 'srem', 'zrem', 'zscore', 'hincrby'),
        key,
        fc.constantFrom('1', '-5', 'text'),
        fc.constant('1'),
      )
      .map((words) => (words[0] === 'zscore' ? words.slice(0, 3) : words)),
    fc.tuple(fc.constant('zadd'), key, fc.constantFrom('1', '2', '-3'), fc.constantFrom('1', '-5', 'text')),
    fc.tuple(fc.constant('hmget'), key, fc.constantFrom('1', '-5', 'text'), fc.constantFrom('1', '-5', 'text')),
    fc.tuple(fc.constant('ltrim'), key, fc.constantFrom('0', '1', '-1'), fc.constantFrom('0', '1', '-1')),
    fc.tuple(fc.constant('zrange'), key, fc.constant('0'), fc.constant('-1'), fc.constant('withscores')),
    fc.tuple(fc.constant('lrange'), key, fc.constant('0'), fc.constant('-1')),
    fc.tuple(fc.constantFrom('rename', 'copy'), key, key),
    fc.tuple(fc.constant('pexpire'), key, fc.constantFrom('50', '-1', '100000')),
    fc.tuple(fc.constant('mget'), key, key, key),
    fc.tuple(fc.constant('mset'), key, value, key, value),
    fc.tuple(fc.constant('keys'), fc.constant('*')),
    fc.constantFrom(['multi'], ['exec'], ['discard'], ['flushdb'], ['advance', '60']),
    fc.tuple(
      fc.constant('eval'),
      fc.constant("redis.call('set',KEYS[1],'s') return redis.call('nope')"),
      fc.constant('1'),
      key,
    ),
    fc.tuple(
      fc.constant('eval'),
      fc.constant("redis.call('del',KEYS[1]) return redis.call('get',KEYS[1])"),
      fc.constant('1'),
      key,
    ),
  )
  .map((words) => [...words])

/** Runs `commands` in one write, so that they share turns, and gives all replies. `before` is called in between, too. */
async function replies(
  server: TestServer,
  commands: readonly string[][],
  before: (server: TestServer) => Promise<void> = async () => {},
): Promise<string> {
  const client = await server.connect()
  const answers: string[] = []
  try {
    for (const burst of bursts(['flushall'], commands)) {
      await before(server)
      if (burst[0]?.[0] === 'advance') {
        await server.advance(Number(burst[0][1]))
        continue
      }
      client.write(burst.map((words) => frame(words)).join(''))
      for (const _ of burst) answers.push((await client.nextReply()).bytes)
    }
  } finally {
    client.close()
  }
  return answers.join('')
}

/** The commands in runs that no moving of the clock breaks. */
function bursts(first: string[], commands: readonly string[][]): string[][][] {
  const found: string[][][] = [[first]]
  for (const words of commands) {
    const last = found.at(-1) as string[][]
    if (words[0] === 'advance' || last[0]?.[0] === 'advance') found.push([words])
    else last.push(words)
  }
  return found
}

function frame(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
}

test('replies are the same with a cache, with a small one, and without', async (t) => {
  await using without = await startServer({ config: { 'row-cache-mb': 0 } })
  await using small = await startServer({ config: { 'row-cache-mb': 1 } })
  await using large = await startServer()
  small.server.store.turn.flyingRecordsMin = 1
  const property = fc.asyncProperty(
    fc.array(command, { minLength: 1, maxLength: 60, size: 'max' }),
    async (commands) => {
      const expected = await replies(without, commands)
      for (const server of [small, large]) {
        const got = await replies(server, commands)
        if (got !== expected)
          throw new Error(`replies differ:\n${got.slice(0, 2000)}\ninstead of\n${expected.slice(0, 2000)}`)
      }
    },
  )
  await fc.assert(property, { numRuns: Number(process.env['RUNS'] ?? 150) })
  t.pass('no difference')
  t.match(await large.run('info', 'stats'), /row_cache_hits:[1-9]/)
  t.match(await without.run('info', 'stats'), /row_cache_rows:0\r\n/)
})

/** Leaves nothing in memory. */
async function chill({ server }: TestServer): Promise<void> {
  server.store.turn.memoryTier = READ_TIER_BLOCK_CACHE
  await server.store.rocks.flush()
  server.store.rocks.clearBlockCache()
}

test('replies are the same where rows have to be fetched from the disk', async (t) => {
  // So many flushes are compacted, and the servers' clock is far behind that of the machine.
  setFilterClock(1)
  t.teardown(() => setFilterClock(undefined))
  await using warm = await startServer({ config: { workers: 0 } })
  await using cold = await startServer({ config: { 'row-cache-mb': 0 } })
  const property = fc.asyncProperty(
    fc.array(fc.oneof({ weight: 10, arbitrary: command }, fc.constant<string[]>(['advance', '1'])), {
      minLength: 20,
      maxLength: 60,
      size: 'max',
    }),
    async (commands) => {
      const expected = await replies(warm, commands)
      const got = await replies(cold, commands, chill)
      if (got !== expected)
        throw new Error(`replies differ:\n${got.slice(0, 2000)}\ninstead of\n${expected.slice(0, 2000)}`)
    },
  )
  await fc.assert(property, { numRuns: Number(process.env['RUNS'] ?? 8) })
  t.match(await cold.run('info', 'stats'), /cold_reads:[1-9]/)
  t.match(await warm.run('info', 'stats'), /cold_reads:0/)
})

test('the cache can be resized and switched off while commands of the turn are not yet committed', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.write(
    'SET a 1\r\nCONFIG SET row-cache-mb 0\r\nGET a\r\nSET a 2\r\nCONFIG SET row-cache-mb 1\r\nGET a\r\nDEL a\r\nGET a\r\nKEYS *\r\n',
  )
  const answers: string[] = []
  for (let i = 0; i < 9; i++) answers.push((await client.nextReply()).bytes)
  t.equal(answers.join(''), '+OK\r\n+OK\r\n$1\r\n1\r\n+OK\r\n+OK\r\n$1\r\n2\r\n:1\r\n$-1\r\n*0\r\n')
})

test('a range of elements that is deleted is deleted from the cache too, in its turn and after it', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const elements = Array.from({ length: 6000 }, (_, index) => `e${index}`).join(' ')
  client.write(
    `RPUSH l ${elements}\r\nHSET h f v\r\nLINDEX l 0\r\nLTRIM l 5000 -1\r\nLINDEX l 0\r\nLPUSH l a b\r\nLINDEX l 2\r\n`,
  )
  const answers: string[] = []
  for (let i = 0; i < 7; i++) answers.push((await client.nextReply()).bytes)
  t.equal(answers.join(''), ':6000\r\n:1\r\n$2\r\ne0\r\n+OK\r\n$5\r\ne5000\r\n:1002\r\n$5\r\ne5000\r\n')
  t.equal(await client.run('lindex', 'l', '2'), '$5\r\ne5000\r\n')
  t.equal(await client.run('lindex', 'l', '1002'), '$-1\r\n')
  t.equal(await client.run('hget', 'h', 'f'), '$1\r\nv\r\n')
})
