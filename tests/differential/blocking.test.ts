/**
 * Clients that wait for keys, by chance, on this server and on a redis-server: whom each write serves, with what, and what
 * is left. Writes are single commands, transactions and scripts. SEED repeats a run.
 */

import { test } from 'tap'
import { type Choose, randomFrom } from '../support/differential.js'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MAJOR, REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { SEED } from '../support/seed.js'
import { startServer, type Word } from '../support/server.js'

const LISTS = ['l1', 'l2', 'l3']
const ZSETS = ['z1', 'z2', 'z3']
const STREAMS = ['x1', 'x2']
const VALUES = ['a', 'b', 'c', 'd', 'e']
const WAITERS = 5
const SCENARIOS = 60
const WRITES = 6

const WAITS_FOR_SEVERAL = REDIS_MAJOR > 7

type Maker = (choose: Choose) => Word[]

/** The keys that a client waits for. Before Redis 7.2 it got of several the one that was written first: here it waits for one. */
function some(choose: Choose, items: readonly string[]): string[] {
  const first = choose(items)
  return [first, ...items.filter((item) => item !== first && WAITS_FOR_SEVERAL && choose([true, false, false]))]
}

function values(choose: Choose): string[] {
  return Array.from({ length: choose([1, 1, 2, 3]) }, () => choose(VALUES))
}

const WAITS: readonly Maker[] = [
  (choose) => [choose(['blpop', 'brpop']), ...some(choose, LISTS), 0],
  (choose) => {
    const keys = some(choose, LISTS)
    return ['blmpop', 0, keys.length, ...keys, choose(['left', 'right']), 'count', choose([1, 2, 10])]
  },
  (choose) => ['blmove', choose(LISTS), choose(LISTS), choose(['left', 'right']), choose(['left', 'right']), 0],
  (choose) => ['brpoplpush', choose(LISTS), choose(LISTS), 0],
  (choose) => [choose(['bzpopmin', 'bzpopmax']), ...some(choose, ZSETS), 0],
  (choose) => {
    const keys = some(choose, ZSETS)
    return ['bzmpop', 0, keys.length, ...keys, choose(['min', 'max']), 'count', choose([1, 2, 10])]
  },
  (choose) => {
    const keys = some(choose, STREAMS)
    return ['xread', 'count', choose([1, 2, 10]), 'block', 0, 'streams', ...keys, ...keys.map(() => choose(['$', '0']))]
  },
  (choose) => [
    'xreadgroup',
    'group',
    'g',
    choose(['p', 'q']),
    'count',
    choose([1, 10]),
    'block',
    0,
    'streams',
    choose(STREAMS),
    '>',
  ],
]

const WRITES_OF_ONE: readonly Maker[] = [
  (choose) => [choose(['rpush', 'lpush']), choose(LISTS), ...values(choose)],
  (choose) => [choose(['rpush', 'lpush']), choose(LISTS), ...values(choose)],
  (choose) => ['zadd', choose(ZSETS), ...values(choose).flatMap((member) => [choose([1, 2, 3]), member])],
  (choose) => ['zadd', choose(ZSETS), ...values(choose).flatMap((member) => [choose([1, 2, 3]), member])],
  (choose) => ['xadd', choose(STREAMS), '*', 'f', choose(VALUES)],
  (choose) => ['lmove', choose(LISTS), choose(LISTS), choose(['left', 'right']), choose(['left', 'right'])],
  (choose) => ['linsert', choose(LISTS), 'before', choose(VALUES), choose(VALUES)],
  (choose) => ['rename', choose(['source', ...LISTS]), choose(LISTS)],
  (choose) => ['copy', 'source', choose(LISTS)],
  (choose) => ['copy', 'members', choose(ZSETS)],
  (choose) => ['sort', 'source', 'alpha', 'store', choose(LISTS)],
  (choose) => ['zunionstore', choose(ZSETS), 2, 'members', choose(ZSETS)],
  (choose) => [choose(['del', 'exists']), choose([...LISTS, ...ZSETS])],
  (choose) => [choose(['lpop', 'rpop']), choose(LISTS)],
]

/** One request, or those of a transaction, or one that runs several as a script. */
function makeWrite(choose: Choose): Word[][] {
  const one = (): Word[] => choose(WRITES_OF_ONE)(choose)
  const kind = choose(['one', 'one', 'transaction', 'script'] as const)
  if (kind === 'one') return [one()]
  // Ids of entries are taken from clocks, and those of one millisecond differ.
  const several = Array.from({ length: choose([2, 2, 3, 4]) }, one)
  if (kind === 'transaction') return [['multi'], ...several, ['exec']]
  const calls = several.map((words) => `redis.pcall(${words.map((word) => JSON.stringify(String(word))).join(', ')})`)
  return [['eval', calls.join('\n'), 0]]
}

interface Waiting {
  readonly client: RawClient
  readonly id: number
  isWaiting: boolean
}

/** One of the two servers, with a client that writes and clients that wait. */
class Side {
  readonly #writer: RawClient
  readonly #waiters: Waiting[] = []

  constructor(writer: RawClient) {
    this.#writer = writer
  }

  static async connect(port: number): Promise<Side> {
    const side = new Side(await RawClient.connect(port))
    for (let i = 0; i < WAITERS; i++) {
      const client = await RawClient.connect(port)
      side.#waiters.push({ client, id: Number(await client.value('client', 'id')), isWaiting: false })
    }
    return side
  }

  /** Empties the server, and makes what commands copy from. */
  async prepare(): Promise<void> {
    for (const { id, isWaiting } of this.#waiters) if (isWaiting) await this.#writer.run('client', 'unblock', id)
    await this.#collect()
    await this.#writer.run('flushall')
    await this.#writer.run('rpush', 'source', 'y', 'x')
    await this.#writer.run('zadd', 'members', 1, 'x', 2, 'y')
    for (const key of STREAMS) await this.#writer.run('xgroup', 'create', key, 'g', '0', 'mkstream')
  }

  /** Sends a command of a waiting client. Its reply, or that it waits. */
  async wait(index: number, words: Word[]): Promise<string> {
    const waiter = this.#waiters[index] as Waiting
    waiter.isWaiting = true
    waiter.client.send(...words)
    // What the writer asks is answered after the command was seen, or the list shows that it was not.
    for (;;) {
      const blocked = await this.#blocked()
      if (blocked.has(waiter.id)) return 'waits'
      if (waiter.client.pending !== '') break
    }
    waiter.isWaiting = false
    return readable((await waiter.client.nextReply()).bytes)
  }

  /** Sends requests of the writer. The replies to them, and what the clients got that waited. */
  async write(requests: Word[][]): Promise<string[]> {
    const replies: string[] = []
    for (const words of requests) replies.push(readable(await this.#writer.run(...words)))
    return [...replies, ...(await this.#collect())]
  }

  /** What the keys hold. */
  async contents(): Promise<string[]> {
    const found: string[] = []
    for (const key of LISTS) found.push(readable(await this.#writer.run('lrange', key, 0, -1)))
    for (const key of ZSETS) found.push(readable(await this.#writer.run('zrange', key, 0, -1, 'withscores')))
    for (const key of STREAMS) found.push(readable(await this.#writer.run('xrange', key, '-', '+')))
    for (const key of STREAMS) found.push(readable(await this.#writer.run('xpending', key, 'g')))
    return found
  }

  /** The clients that wait for nothing. */
  get idle(): number[] {
    return [...this.#waiters.keys()].filter((index) => this.#waiters[index]?.isWaiting === false)
  }

  close(): void {
    for (const { client } of this.#waiters) client.close()
    this.#writer.close()
  }

  async #blocked(): Promise<Set<number>> {
    const list = String(await this.#writer.value('client', 'list'))
    return new Set([...list.matchAll(/^id=(\d+) .* flags=[A-Za-z]*b/gm)].map((match) => Number(match[1])))
  }

  async #collect(): Promise<string[]> {
    const blocked = await this.#blocked()
    const got: string[] = []
    for (const [index, waiter] of this.#waiters.entries()) {
      if (!waiter.isWaiting || blocked.has(waiter.id)) continue
      waiter.isWaiting = false
      got.push(`${index}> ${readable((await waiter.client.nextReply()).bytes)}`)
    }
    return got
  }
}

/** Ids of streams are made from the clock. */
function readable(reply: string): string {
  return reply.replace(/\$\d+\r\n\d{13}-\d+\r\n/g, 'ID ').replaceAll('\r\n', ' ')
}

test('whom a write serves, with what, and what is left', { skip: REDIS_MISSING, timeout: 600_000 }, async (t) => {
  const seed = SEED
  const random = randomFrom(seed)
  const choose: Choose = (items) => items[Math.floor(random() * items.length)] as (typeof items)[number]
  const redis = await startRedisServer()
  await using s = await startServer()
  const sides = [await Side.connect(s.port), await Side.connect(redis.port)] as const
  const [ours, theirs] = sides
  try {
    for (let scenario = 0; scenario < SCENARIOS; scenario++) {
      const story: string[] = [`seed ${seed}, scenario ${scenario}`]
      const compare = (what: string, mine: readonly string[], real: readonly string[]): boolean => {
        story.push(what, ...real.map((line) => `  ${line}`))
        if (mine.join('\n') === real.join('\n')) return true
        t.same(mine, real, story.join('\n'))
        return false
      }
      await Promise.all(sides.map((side) => side.prepare()))
      for (let write = 0; write < WRITES; write++) {
        for (const index of theirs.idle) {
          if (choose([true, false])) continue
          const words = choose(WAITS)(choose)
          const [mine, real] = [await ours.wait(index, words), await theirs.wait(index, words)]
          if (!compare(`${index}> ${words.join(' ')}`, [mine], [real])) return
        }
        const requests = makeWrite(choose)
        const [mine, real] = await Promise.all([ours.write(requests), theirs.write(requests)])
        if (!compare(requests.map((words) => words.join(' ')).join('; '), mine, real)) return
        const [left, realLeft] = await Promise.all([ours.contents(), theirs.contents()])
        if (!compare('contents', left, realLeft)) return
      }
    }
    t.same(s.logged, [])
  } finally {
    for (const side of sides) side.close()
    await redis.stop()
  }
})
