/**
 * Runs random sequences of commands on this server and on a real redis-server, compares the bytes of each reply, and
 * shrinks a sequence that shows a difference to the shortest that does. A family brings its commands as an arbitrary;
 * where the two may differ stands, with the reasons, in tests/differential/differences.ts.
 */

import fc from 'fast-check'
import { RawClient } from './raw-client.js'
import { startRedisServer } from './redis-server.js'
import { startServer } from './server.js'
import './seed.js'

export type Words = readonly (string | Buffer)[]

/** A difference that is meant, with its reason. */
export interface Difference {
  readonly reason: string
  /** True if the replies, as latin1, may differ so for this command. */
  allows(words: Words, ours: string, theirs: string): boolean
}

export interface Comparison {
  /** One command. */
  readonly command: fc.Arbitrary<Words>
  readonly differences: readonly Difference[]
  /** Sequences of commands, each beginning with empty databases. */
  readonly sequences?: number
  /** Commands of a sequence, at most. */
  readonly length?: number
  readonly protocol?: 2 | 3
  /** Repeats the run that a failure printed. */
  readonly seed?: number
  /** Commands that tell the whole state of a key, run for all of `keys` at the end of each sequence. */
  readonly inspect?: readonly Words[]
}

/**
 * Compares the two servers. Rejects at the first reply that differs, with the shortest sequence that shows it, and the
 * seed to run it again.
 */
export async function compareSequences(comparison: Comparison): Promise<void> {
  const { command, sequences = 100, length = 40, protocol = 2, seed } = comparison
  const redis = await startRedisServer()
  try {
    await using server = await startServer({ usesRealClock: true })
    const ours = await server.connect()
    const theirs = await RawClient.connect(redis.port)
    try {
      for (const client of [ours, theirs]) await client.run('hello', String(protocol))
      const sequence = fc.array(command, { minLength: 1, maxLength: length, size: 'max' })
      const property = fc.asyncProperty(sequence, (commands) => compareSequence(ours, theirs, commands, comparison))
      await fc.assert(property, { numRuns: sequences, ...(seed === undefined ? {} : { seed }) })
      if (server.logged.length > 0) throw new Error(server.logged.join('\n'))
    } finally {
      theirs.close()
    }
  } finally {
    await redis.stop()
  }
}

async function compareSequence(
  ours: RawClient,
  theirs: RawClient,
  commands: readonly Words[],
  { differences, inspect = [] }: Comparison,
): Promise<void> {
  const all = [...commands, ...inspect]
  for (const client of [ours, theirs]) {
    client.send('flushall')
    for (const words of all) client.send(...words)
    await client.nextReply()
  }
  const replies: [string, string][] = []
  for (let i = 0; i < all.length; i++) replies.push([(await ours.nextReply()).bytes, (await theirs.nextReply()).bytes])
  replies.forEach(([our, their], index) => {
    const words = all[index] as Words
    if (our === their || differences.some((difference) => difference.allows(words, our, their))) return
    throw new Error(`${shown(words)}\n  here:  ${JSON.stringify(our)}\n  redis: ${JSON.stringify(their)}`)
  })
}

function shown(words: Words): string {
  return words.map((word) => JSON.stringify(word.toString('latin1' as BufferEncoding))).join(' ')
}

/** A few keys, so that commands meet each other's. */
export const someKey: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'key:1', '')

/** Values of all kinds that commands look at: numbers, texts, binary, long. */
export const someValue: fc.Arbitrary<string | Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -20, max: 20 }).map(String) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('', 'x', 'hello', 'HELLO world', '3.5', '1e3', ' 1', '01', '-0', 'nan', 'inf'),
  },
  { weight: 1, arbitrary: fc.constantFrom('9223372036854775807', '-9223372036854775808', '9223372036854775808') },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
)

/** Numbers as arguments, with those that are none or too large. */
export const someNumber: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -12, max: 12 }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('x', '', '1.5', '9223372036854775807', '-9223372036854775808', '99999999999999999999'),
  },
)

/** A command's name in any case, and its arguments. */
export function commandOf(name: string, ...args: fc.Arbitrary<string | Buffer | Words>[]): fc.Arbitrary<Words> {
  const spelled = fc.constantFrom(name, name.toUpperCase())
  return fc.tuple(spelled, ...args).map((words) => words.flat())
}

/** Some of `options`, each at most once, in any order. */
export function optionsOf(...options: (string | Words | fc.Arbitrary<Words>)[]): fc.Arbitrary<Words> {
  const arbitraries = options.map((option) =>
    typeof option === 'string' ? fc.constant([option]) : Array.isArray(option) ? fc.constant(option) : option,
  ) as fc.Arbitrary<Words>[]
  return fc
    .tuple(
      fc.shuffledSubarray([...arbitraries.keys()], { maxLength: Math.min(2, arbitraries.length) }),
      fc.tuple(...arbitraries),
    )
    .map(([chosen, values]) => chosen.flatMap((index) => values[index] as Words))
}
