/** `cdc copy` into a real Redis while writes go on: every type that Redis has arrives equal, with its expiry. */
import { PassThrough } from 'node:stream'
import { test } from 'tap'
import { runCdc } from '../../src/cli/cdc.js'
import { type Random, randomOf, write } from '../cdc/torture-writes.js'
import { eventually } from '../support/eventually.js'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { ReplyFailure, type ReplyValue } from '../support/resp.js'
import { SEED } from '../support/seed.js'
import { startServer, type Word } from '../support/server.js'

const WRITES = 1500
const POSITION = 'position'

/** Of Redis 7.0 alone: neither expiry of fields nor sorted integers, and no key of either kind. */
function redisWrite(r: Random): Word[] {
  for (;;) {
    const words = write(r)
    const [name] = words
    if (!/^(hp?expire|hpersist|h[gs]etex|hgetdel|si|movex|flush)/.test(String(name))) return words
  }
}

const READS: Readonly<Record<string, readonly string[]>> = {
  hash: ['hgetall', 'KEY'],
  list: ['lrange', 'KEY', '0', '-1'],
  set: ['smembers', 'KEY'],
  zset: ['zrange', 'KEY', '0', '-1', 'withscores'],
}

/** Type, expiry and contents of all keys, in an order that does not depend on the server. */
async function contents(client: RawClient): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const key of ((await client.value('keys', '*')) as string[]).sort()) {
    if (key.startsWith(POSITION)) continue
    const name = Buffer.from(key, 'latin1')
    let type = String(await client.value('type', name))
    if (type === 'bitmap' || type === 'hyperloglog') type = 'string'
    const expiry = await client.value('pexpiretime', name)
    found[key] = [type, expiry, await shown(client, name, type)]
  }
  return found
}

async function shown(client: RawClient, key: Buffer, type: string): Promise<unknown> {
  if (type === 'stream') return streamOf(client, key)
  const text = type === 'string' ? await client.value('get', key) : undefined
  // A HyperLogLog is what it counts; a string that says so in Redis, a type of its own here.
  if (text instanceof ReplyFailure || String(text).startsWith('HYLL')) return ['pf', await client.value('pfcount', key)]
  if (text !== undefined) return text
  const value = await client.value(...(READS[type] as string[]).map((word) => (word === 'KEY' ? key : word)))
  if (type === 'hash') {
    const pairs = value as string[]
    return pairs.flatMap((field, i) => (i % 2 === 0 ? [`${field}=${pairs[i + 1]}`] : [])).sort()
  }
  if (type === 'set') return (value as string[]).sort()
  // Redis 7.0 prints scores in 17 digits.
  if (type === 'zset') return (value as string[]).map((word, i) => (i % 2 === 0 ? word : Number(word)))
  return value
}

async function streamOf(client: RawClient, key: Buffer): Promise<unknown> {
  const groups = (await client.value('xinfo', 'groups', key)) as ReplyValue[][]
  const pending: unknown[] = []
  for (const group of groups) {
    const rows = (await client.value('xpending', key, String(group[1]), '-', '+', 1000)) as ReplyValue[][]
    pending.push([group[1], group[3], group[5], group[7], rows.map(([id, consumer, , count]) => [id, consumer, count])])
  }
  return [await client.value('xrange', key, '-', '+'), await client.value('xlen', key), pending]
}

test(`a copy into Redis under writes with expiries, seed ${SEED}`, {
  skip: REDIS_MISSING,
  timeout: 600_000,
}, async (t) => {
  const redis = await startRedisServer()
  t.teardown(() => redis.stop())
  await using s = await startServer({ usesRealClock: true, sweepsExpired: true })
  const random = randomOf(SEED)
  const source = await s.connect()
  const run = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await source.run(...redisWrite(random))
  }
  await run(WRITES)
  const errors = new PassThrough()
  const controller = new AbortController()
  const words = ['copy', '--url', `redis://127.0.0.1:${s.port}`, '--to', `redis://127.0.0.1:${redis.port}`]
  const copying = runCdc([...words, '--checkpoint-key', POSITION], {
    output: new PassThrough(),
    errors,
    signal: controller.signal,
  })
  await run(WRITES)
  // Short lives are over, and the copy has waited for the sake of clocks.
  await new Promise((done) => setTimeout(done, 1600))
  await source.run('set', 'end', 1)
  const latest = s.server.store.latestSequence()
  const target = await RawClient.connect(redis.port)
  await eventually(async () => {
    const saved = JSON.parse(String((await target.value('get', POSITION)) ?? '{}')) as {
      sequence?: number
      snapshot?: object
    }
    const isReleased = (await target.value('exists', `${POSITION}:expiries`)) === 0
    return saved.snapshot === undefined && (saved.sequence ?? 0) >= latest && isReleased ? true : undefined
  })
  t.same(await contents(target), await contents(source))
  controller.abort()
  await copying
  t.notMatch(String(errors.read() ?? ''), /not copied/)
  target.close()
})
