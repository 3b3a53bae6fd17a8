/** Writes of all the types that Redis has, by chance but the same for the same seed, and what a server holds after them. */

import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { readPayload } from '../../src/storage/rdb/payload.js'
import { registersOfRedis } from '../../src/types/hyperloglog-registers.js'
import { describeValue } from '../rdb/support.js'
import type { RawClient } from './raw-client.js'
import { REDIS_MAJOR } from './redis-server.js'

type Words = (string | number | Buffer)[]

/** Numbers from 0 to 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export class RandomWrites {
  readonly #random: () => number
  #streamId = 0

  constructor(seed: number) {
    this.#random = randomFrom(seed)
  }

  /** The next write. Some of them fail, where an element or a group is not there. */
  next(): Words {
    const makers = MAKERS
    return (makers[Math.floor(this.#random() * makers.length)] as Maker)(this)
  }

  number(max: number): number {
    return Math.floor(this.#random() * max)
  }

  key(type: string): string {
    return `${type}:${this.number(8)}`
  }

  /** Short, binary, long or a number. */
  value(): string | Buffer | number {
    switch (this.number(5)) {
      case 0:
        return this.number(100_000)
      case 1:
        return Buffer.from(Array.from({ length: this.number(20) }, () => this.number(256)))
      case 2:
        return 'x'.repeat(this.number(2000))
      default:
        return `v${this.number(50)}`
    }
  }

  id(): string {
    return `${++this.#streamId}-${this.number(9)}`
  }

  /** One that may exist. */
  oldId(): string {
    return `${this.number(this.#streamId + 1)}-${this.number(9)}`
  }
}

type Maker = (random: RandomWrites) => Words

const FAR_MS = 3_600_000

const MAKERS: readonly Maker[] = [
  (r) => ['set', r.key('s'), r.value()],
  (r) => ['set', r.key('s'), r.value(), 'px', FAR_MS],
  (r) => ['append', r.key('s'), r.value()],
  (r) => ['incrby', `n:${r.number(3)}`, r.number(50)],
  (r) => ['mset', r.key('s'), r.value(), r.key('s'), r.value()],
  (r) => ['setrange', r.key('s'), r.number(50), r.value()],
  (r) => ['hset', r.key('h'), r.value(), r.value(), `f${r.number(9)}`, r.value()],
  (r) => ['hdel', r.key('h'), `f${r.number(9)}`],
  (r) => ['hincrbyfloat', r.key('h'), 'float', '0.1'],
  (r) => ['rpush', r.key('l'), r.value(), r.value()],
  (r) => ['lpush', r.key('l'), r.value()],
  (r) => ['lpop', r.key('l')],
  (r) => ['linsert', r.key('l'), 'before', `v${r.number(50)}`, r.value()],
  (r) => ['lrem', r.key('l'), r.number(5) - 2, `v${r.number(50)}`],
  (r) => ['ltrim', r.key('l'), r.number(3), -1 - r.number(3)],
  (r) => ['lmove', r.key('l'), r.key('l'), 'left', 'right'],
  (r) => ['sadd', r.key('e'), r.value(), r.value()],
  (r) => ['srem', r.key('e'), `v${r.number(50)}`],
  (r) => ['spop', r.key('e')],
  (r) => ['sinterstore', r.key('e'), r.key('e'), r.key('e')],
  (r) => ['zadd', r.key('z'), r.number(1e9) / 7e5, r.value()],
  (r) => ['zincrby', r.key('z'), '1e-7', `v${r.number(50)}`],
  (r) => ['zrem', r.key('z'), `v${r.number(50)}`],
  (r) => ['zunionstore', r.key('z'), 2, r.key('z'), r.key('z')],
  (r) => ['geoadd', r.key('z'), '13.361389', '38.115556', `v${r.number(50)}`],
  (r) => ['setbit', r.key('b'), r.number(30_000), r.number(2)],
  (r) => ['bitfield', r.key('b'), 'set', 'u8', r.number(9000), r.number(255)],
  (r) => ['bitop', 'or', r.key('b'), r.key('b'), r.key('b')],
  (r) => ['pfadd', r.key('p'), r.value(), r.value()],
  (r) => ['pfmerge', r.key('p'), r.key('p')],
  (r) => ['xadd', r.key('x'), r.id(), 'f', r.value()],
  (r) => ['xadd', r.key('x'), 'maxlen', 20, r.id(), 'f', r.value(), 'g', 1],
  (r) => ['xdel', r.key('x'), r.oldId()],
  (r) => ['xgroup', 'create', r.key('x'), 'group', 0, 'mkstream'],
  (r) => ['xreadgroup', 'group', 'group', `c${r.number(2)}`, 'count', 3, 'streams', r.key('x'), '>'],
  (r) => ['xack', r.key('x'), 'group', r.oldId()],
  (r) => ['expire', r.key('shelzbpx'[r.number(8)] as string), 5000],
  (r) => ['persist', r.key('shelzbpx'[r.number(8)] as string)],
  (r) => {
    const type = 'shelzbx'[r.number(7)] as string
    return ['rename', r.key(type), r.key(type)]
  },
  (r) => {
    const type = 'shelzbx'[r.number(7)] as string
    return ['copy', r.key(type), r.key(type), 'replace']
  },
  (r) => ['del', r.key('shelzbpx'[r.number(8)] as string)],
]

/**
 * All keys of a server as plain text, the same for all servers that hold the same. Redis does not tell its replicas how
 * many entries a group has read: without `entriesRead` that is left out.
 */
export async function describeServer(client: Redis, { entriesRead = true } = {}): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  const keys = (await client.keysBuffer('*')).sort(Buffer.compare)
  const dumped = await Promise.all(
    // Of a type that has no such form, or expired meanwhile: null.
    keys.map((key) => Promise.all([key, client.dumpBuffer(key).catch(() => null), client.pexpiretime(key)])),
  )
  for (const [key, payload, expireMs] of dumped) {
    if (payload === null) continue
    const value = readPayload(payload)
    // Sparse or dense, a HyperLogLog is what its registers are.
    const registers = value.type === 'string' ? registersOfRedis(value.value) : undefined
    const described = registers === undefined ? describeValue(value) : sha1(registers)
    found[key.toString('latin1')] = [withoutTimes(described, entriesRead), expireMs]
  }
  return found
}

function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}

interface DescribedGroup {
  consumers: unknown[][]
  readonly pending: readonly unknown[][]
  entriesRead: unknown
}

/**
 * When a consumer was seen, a server says by its own clock. Redis 8 does not tell its replicas of a consumer that comes
 * to be by a read or a claim that gives it nothing.
 */
function withoutTimes(described: unknown, keepsRead: boolean): unknown {
  const state = (described as { state?: { groups: DescribedGroup[] } } | null)?.state
  for (const group of state?.groups ?? []) {
    if (!keepsRead) group.entriesRead = 'any'
    const owners = new Set(group.pending.map(([, name]) => name))
    const consumers = group.consumers.filter(([name]) => REDIS_MAJOR < 8 || owners.has(name))
    group.consumers = consumers.map(([name]) => [name])
  }
  return described
}

/** Runs `count` writes in pipelines. */
export async function runWrites(client: RawClient, writes: RandomWrites, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 50) {
    const now = Math.min(50, left)
    for (let i = 0; i < now; i++) client.send(...writes.next())
    for (let i = 0; i < now; i++) await client.nextReply()
  }
}
