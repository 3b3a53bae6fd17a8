/** Runs random commands against this server and a real redis-server, and compares the replies byte by byte. */

import { RawClient } from './raw-client.js'
import { startRedisServer } from './redis-server.js'
import { SEED } from './seed.js'
import { startServer, type Word } from './server.js'

/** Picks one of several by chance. */
export type Choose = <T>(items: readonly T[]) => T

/** Makes a command of one kind. */
export type CommandMaker = (choose: Choose) => Word[]

/** Sends a command to Redis. */
export type Ask = (words: readonly Word[]) => Promise<string>

export interface Comparison {
  readonly protocol: 2 | 3
  readonly runs: number
  /** Commands that both servers get first. */
  readonly before: readonly (readonly Word[])[]
  readonly makers: readonly CommandMaker[]
  /** Turns a reply of ours that differs by decision into that of Redis, which is `redis` this time. */
  known?(ours: string, redis: string, words: readonly Word[]): string
  /** Begins anew, with `before`, where just one of the two refused a command: afterwards their keys may differ. */
  readonly restarts?: boolean
  /** True if Redis could have answered ours as well; `ask` asks it, and must not change anything. */
  leavesOpen?(words: readonly Word[], ours: string, redis: string, ask: Ask): Promise<boolean>
}

export interface Difference {
  /** The seed, the run and the command: the environment variable SEED repeats it. */
  readonly where: string
  readonly ours: string
  readonly redis: string
}

/** The first difference; undefined if there is none. */
export async function compareWithRedis(comparison: Comparison): Promise<Difference | undefined> {
  const { protocol, runs, before, makers, known = (ours) => ours, leavesOpen, restarts = false } = comparison
  const seed = SEED
  const random = randomFrom(seed)
  const choose: Choose = (items) => items[Math.floor(random() * items.length)] as (typeof items)[number]
  const redis = await startRedisServer()
  await using server = await startServer()
  const ours = await server.connect()
  const theirs = await RawClient.connect(redis.port)
  try {
    const runBoth = (words: readonly Word[]) => Promise.all([ours.run(...words), theirs.run(...words)])
    for (const words of [['hello', protocol], ...before]) await runBoth(words)
    for (let run = 0; run < runs; run++) {
      const words = choose(makers)(choose)
      const [mine, real] = await runBoth(words)
      const command = words.map((word) => JSON.stringify(word)).join(' ')
      if (known(mine, real, words) !== real) {
        const isOpen = await leavesOpen?.(words, mine, real, (asked) => theirs.run(...asked))
        if (isOpen !== true) return { where: `seed ${seed}, run ${run}: ${command}`, ours: mine, redis: real }
      }
      if (restarts && mine.startsWith('-') !== real.startsWith('-')) {
        for (const again of [['flushall'], ...before]) await runBoth(again)
      }
    }
    if (server.logged.length > 0) return { where: `seed ${seed}`, ours: server.logged.join('\n'), redis: '' }
    return undefined
  } finally {
    theirs.close()
    await redis.stop()
  }
}

/** Numbers from 0 to 1 that look random and are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
