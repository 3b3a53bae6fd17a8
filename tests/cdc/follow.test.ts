/** A copy that follows random writes, over switched log files and a restarted server, equals its source. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { changes, commandsOf, memoryCheckpoint } from '../../src/cdc-client/changes.js'
import { RedisConnection, ServerError } from '../../src/cdc-client/redis-connection.js'
import { createServer, type Server } from '../../src/index.js'
import { RawClient } from '../support/raw-client.js'
import { startServer } from '../support/server.js'
import { contents } from './replay.js'

/** xorshift32: the same writes for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const WRITES: readonly ((r: (below: number) => number) => string)[] = [
  (r) => `set s${r(5)} ${r(1000)}`,
  (r) => `append s${r(5)} ${r(10)}`,
  (r) => `hset h${r(3)} f${r(8)} ${r(100)} f${r(8)} ${r(100)}`,
  (r) => `hdel h${r(3)} f${r(8)} f${r(8)}`,
  (r) => `rpush l${r(3)} ${r(5)} ${r(5)}`,
  (r) => `lpush l${r(3)} ${r(5)}`,
  (r) => `lrem l${r(3)} ${r(3) - 1} ${r(5)}`,
  (r) => `linsert l${r(3)} ${r(2) === 0 ? 'before' : 'after'} ${r(5)} ${r(5)}`,
  (r) => `ltrim l${r(3)} ${r(3)} ${-1 - r(3)}`,
  (r) => `lmove l${r(3)} l${r(3)} ${r(2) === 0 ? 'left' : 'right'} ${r(2) === 0 ? 'left' : 'right'}`,
  (r) => `rpop l${r(3)} ${1 + r(2)}`,
  (r) => `sadd t${r(3)} ${r(9)} ${r(9)}`,
  (r) => `srem t${r(3)} ${r(9)} ${r(9)}`,
  (r) => `sunionstore t${r(3)} t${r(3)} t${r(3)}`,
  (r) => `sdiffstore t${r(3)} t${r(3)} t${r(3)}`,
  (r) => `zadd z${r(3)} ${r(100) / 7} ${r(9)}`,
  (r) => `zrem z${r(3)} ${r(9)}`,
  (r) => `zpopmin z${r(3)}`,
  (r) => `setbit b${r(2)} ${r(20_000)} ${r(2)}`,
  (r) => `bitop xor b${r(2)} b0 b1`,
  (r) => `expire h${r(3)} 1000000`,
  (r) => `persist h${r(3)}`,
  (r) => `del ${'shltz'[r(5)]}${r(3)}`,
  (r) => `rename h${r(3)} h${r(3)}`,
  (r) => `copy l${r(3)} l${r(3)} replace`,
]

async function write(client: RawClient, random: (below: number) => number, count: number): Promise<void> {
  for (let left = count; left > 0; ) {
    const size = Math.min(left, 1 + random(20))
    const lines: string[] = []
    for (let i = 0; i < size; i++) lines.push((WRITES[random(WRITES.length)] as (typeof WRITES)[number])(random))
    client.write(lines.map((line) => `${line}\r\n`).join(''))
    for (const _ of lines) await client.nextReply()
    left -= size
  }
}

test('a copy follows flushes and a restart', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  await using other = await startServer()
  const seed = 1 + Math.floor(Math.random() * 2 ** 31)
  t.comment(`seed ${seed}`)
  const random = randomOf(seed)
  let server: Server = createServer({ dir })
  await server.listen()
  const { port } = server
  const begin = await RawClient.connect(port)
  await write(begin, random, 200)

  const controller = new AbortController()
  const target = await RedisConnection.open(`redis://127.0.0.1:${other.port}`)
  const refusals: string[] = []
  let reached = 0
  const url = `redis://127.0.0.1:${port}`
  const follower = (async (): Promise<void> => {
    for await (const change of changes({
      url,
      snapshot: true,
      checkpoint: memoryCheckpoint(),
      signal: controller.signal,
    })) {
      for (const reply of await target.pipeline(commandsOf(change))) {
        if (reply instanceof ServerError) refusals.push(`${change.command?.join(' ')}: ${reply.message}`)
      }
      reached = change.sequence
    }
  })()
  for (let round = 0; round < 6; round++) {
    const client = await RawClient.connect(port)
    await write(client, random, 300)
    client.close()
    await server.store.rocks.flush()
    if (round !== 2) continue
    await server.close()
    server = createServer({ dir, port })
    await server.listen()
  }
  const source = await RawClient.connect(port)
  await source.value('set', 'last', 'one')
  const latest = server.store.latestSequence()
  while (reached < latest) await new Promise((resolve) => setImmediate(resolve))
  controller.abort()
  await follower
  const shown = await RawClient.connect(other.port)
  const [copied, original] = await contents(shown, source)
  t.same(copied, original)
  t.same(refusals, [])
  for (const client of [source, shown, begin]) client.close()
  target.close()
  await server.close()
})
