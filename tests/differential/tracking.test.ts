/**
 * A client that caches what it reads, and another that writes, on this server and on a redis-server: every byte that the
 * first one gets, invalidations and replies in their order. SEED repeats a run.
 */

import { test } from 'tap'
import { type Choose, randomFrom } from '../support/differential.js'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MAJOR, REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { SEED } from '../support/seed.js'
import { startServer, type Word } from '../support/server.js'

const KEYS = ['a1', 'a2', 'b1', 'b2', 'c']
const STEPS = 300

type Maker = (choose: Choose) => Word[]

const MODES: readonly (readonly string[])[] = [
  [],
  ['noloop'],
  ['optin'],
  ['optout', 'noloop'],
  ['bcast'],
  ['bcast', 'prefix', 'a', 'prefix', 'c', 'noloop'],
]

const READS: readonly Maker[] = [
  (choose) => ['get', choose(KEYS)],
  (choose) => ['mget', choose(KEYS), choose(KEYS), choose(KEYS)],
  (choose) => ['strlen', choose(KEYS)],
  (choose) => ['exists', choose(KEYS), choose(KEYS)],
  (choose) => ['type', choose(KEYS)],
  (choose) => ['ttl', choose(KEYS)],
]

const WRITES: readonly Maker[] = [
  (choose) => ['set', choose(KEYS), choose([1, 2])],
  (choose) => ['mset', choose(KEYS), 1, choose(KEYS), 2],
  (choose) => ['append', choose(KEYS), choose(['x', 'y'])],
  (choose) => ['del', choose(KEYS), choose(KEYS)],
  (choose) => ['rename', choose(KEYS), choose(KEYS)],
  (choose) => ['getdel', choose(KEYS)],
  (choose) => ['persist', choose(KEYS)],
  (choose) => choose<Word[]>([['incr', 'c'], ['incr', 'c'], ['flushdb']]),
]

const any: Maker = (choose) => choose([...READS, ...WRITES])(choose)

/** What one client sends at once: a command, a transaction or a script. */
function requests(choose: Choose): Word[][] {
  const kind = choose(['one', 'one', 'one', 'transaction', 'script', 'caching'] as const)
  if (kind === 'one') return [any(choose)]
  if (kind === 'caching') return [['client', 'caching', choose(['yes', 'no'])], any(choose), any(choose)]
  if (kind === 'transaction') return [['multi'], any(choose), any(choose), any(choose), ['exec']]
  // Redis 7.0 remembers the keys that EVAL names, instead of those that its commands read.
  const several = [choose(WRITES)(choose), choose(WRITES)(choose)]
  const calls = several.map((words) => `redis.pcall(${words.map((word) => JSON.stringify(String(word))).join(', ')})`)
  return [['eval', calls.join('\n'), 0]]
}

/** Sends requests one after the other, for broadcasts are gathered in turns; all that the client gets up to now. */
async function converse(client: RawClient, sent: Word[][]): Promise<string> {
  let received = ''
  for (const words of [...sent, ['echo', 'that is all']]) {
    client.send(...words)
    for (let isPush = true; isPush; ) {
      const { bytes, kind } = await client.nextReply()
      isPush = kind === '>'
      received += bytes
    }
  }
  return received
}

const FORGET_ALL = '>2\r\n$10\r\ninvalidate\r\n_\r\n'

/**
 * Redis 8 empties the database on another thread and holds the reply to FLUSHDB until it has done so, but not the
 * invalidation; here it comes behind the reply of its command, as all others do in either version.
 */
function withReplyFirst(received: string): string {
  return REDIS_MAJOR < 8 ? received : received.replaceAll(`${FORGET_ALL}+OK\r\n`, `+OK\r\n${FORGET_ALL}`)
}

for (const mode of MODES) {
  test(`CLIENT TRACKING ON ${mode.join(' ')}`.trim(), { skip: REDIS_MISSING, timeout: 600_000 }, async (t) => {
    const seed = SEED
    const random = randomFrom(seed)
    const choose: Choose = (items) => items[Math.floor(random() * items.length)] as (typeof items)[number]
    const redis = await startRedisServer()
    await using s = await startServer()
    const writers = [await s.connect(), await RawClient.connect(redis.port)] as const
    const readers = [await s.connect(), await RawClient.connect(redis.port)] as const
    try {
      for (const reader of readers) {
        await reader.run('hello', 3)
        await reader.run('client', 'tracking', 'on', ...mode)
      }
      for (let step = 0; step < STEPS; step++) {
        const isReader = choose([true, true, false])
        const sent = requests(choose)
        // NOLOOP holds for scripts here, and in Redis for those of the default mode alone.
        if (isReader && mode.includes('bcast') && sent[0]?.[0] === 'eval') continue
        const askers = isReader ? readers : writers
        const [mine = '', received = ''] = await Promise.all(askers.map((client) => converse(client, sent)))
        const real = withReplyFirst(received)
        const [told, toldReal] = await Promise.all(readers.map((reader) => converse(reader, [])))
        const where = `seed ${seed}, step ${step}, ${isReader ? 'reader' : 'writer'}: ${sent.map((words) => words.join(' ')).join('; ')}`
        if (mine === real && told === toldReal) continue
        t.same([mine, told], [real, toldReal], where)
        return
      }
      t.same(s.logged, [])
    } finally {
      for (const client of [writers[1], readers[1]]) client.close()
      await redis.stop()
    }
  })
}
