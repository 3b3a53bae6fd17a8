/** Random members of collections that are large enough for some to be kept for later. */

import fc from 'fast-check'
import { type Test, test } from 'tap'
import { startServer, type TestServer } from '../support/server.js'
import '../support/seed.js'

const SIZE = 400

function names(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `m${from + i}`)
}

/** The words of a reply that is a bulk string or an array of them. */
function wordsOf(reply: string): string[] {
  return [...reply.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map((match) => match[1] ?? '')
}

async function start(t: { teardown(end: () => Promise<void>): void }): Promise<TestServer> {
  const s = await startServer()
  t.teardown(() => s.close())
  return s
}

/**
 * Draws `members`, which are all of them, 20 times each on average, and looks at how far the counts lie from that: by
 * Pearson's test, whose sum has the mean n - 1 and the variance 2(n - 1). Eight deviations are no chance.
 */
async function drawsEqually(t: Test, s: TestServer, command: string, key: string, members: string[]): Promise<void> {
  const counts = new Map(members.map((name) => [name, 0]))
  const draws = Math.max(1, Math.floor(members.length / 16))
  for (let i = 0; i < 320; i++) {
    for (const name of wordsOf(await s.run(command, key, -draws))) {
      const count = counts.get(name)
      if (count === undefined) throw new Error(`${name} is not there`)
      counts.set(name, count + 1)
    }
  }
  const expected = (320 * draws) / members.length
  const sum = [...counts.values()].reduce((total, count) => total + (count - expected) ** 2 / expected, 0)
  const freedom = members.length - 1
  const limit = freedom + 8 * Math.sqrt(2 * freedom)
  if (sum > limit) t.fail(`drawn unequally: ${sum.toFixed(0)} > ${limit.toFixed(0)} for ${members.length}`)
}

test('SPOP takes each member once, and all of them in the end', async (t) => {
  const s = await start(t)
  await s.run('sadd', 'set', ...names(0, SIZE))
  const popped: string[] = []
  for (let count = 1; popped.length < SIZE; count = (count % 7) + 1) {
    const some = wordsOf(await s.run('spop', 'set', count))
    t.equal(some.length, Math.min(count, SIZE - popped.length))
    popped.push(...some)
  }
  t.same(popped.toSorted(), names(0, SIZE).toSorted())
  t.not(popped.join(), popped.toSorted().join(), 'in random order')
  t.equal(await s.run('spop', 'set'), '$-1\r\n')
})

test('a member that was removed meanwhile is not drawn', async (t) => {
  const s = await start(t)
  await s.run('sadd', 'set', ...names(0, SIZE))
  await s.run('srandmember', 'set')
  await s.run('srem', 'set', ...names(10, SIZE))
  const drawn = new Set<string>()
  for (let i = 0; i < 200; i++) drawn.add(wordsOf(await s.run('srandmember', 'set'))[0] ?? '')
  t.same([...drawn].sort(), names(0, 10).sort())
})

test('members of a transaction that is still under way are drawn, and removed ones are not', async (t) => {
  const s = await start(t)
  await s.run('sadd', 'set', ...names(0, SIZE))
  await s.run('srandmember', 'set')
  await s.run('multi')
  await s.run('srem', 'set', ...names(1, SIZE))
  for (let i = 0; i < 20; i++) await s.run('srandmember', 'set')
  const reply = await s.run('exec')
  t.same(new Set(wordsOf(reply)), new Set(['m0']))
})

test('a member is drawn as soon as it is there, with the time standing still', async (t) => {
  const s = await start(t)
  await s.run('sadd', 'set', ...names(0, SIZE))
  await s.run('srandmember', 'set')
  await s.run('srem', 'set', ...names(0, 200))
  await s.run('sadd', 'set', ...names(1000, 1200))
  const members = [...names(200, SIZE), ...names(1000, 1200)]
  await drawsEqually(t, s, 'srandmember', 'set', members)
})

test('what was drawn is drawn again as soon as anything else', async (t) => {
  const s = await start(t)
  await s.run('sadd', 'set', ...names(0, 128))
  let repeated = 0
  for (let i = 0, before = ''; i < 6000; i++) {
    const drawn = await s.run('srandmember', 'set')
    if (drawn === before) repeated++
    before = drawn
  }
  // One in 128, 47 in all, with a standard deviation of 7.
  t.ok(repeated > 10, `${repeated} times the same twice running`)
})

test('a member that a batch of another server brings is drawn at once, one that it takes is not', async (t) => {
  const s = await start(t)
  const batchOf = async (...words: string[]): Promise<Buffer> => {
    const before = wordsOf(`$1\r\n${(await s.run('sequence')).slice(1)}`)[0] ?? ''
    await s.run(...words)
    return Buffer.from(wordsOf(await s.run('pollupdates', before)).at(-1) ?? '', 'hex')
  }
  await s.run('sadd', 'set', ...names(0, SIZE))
  const adds = await batchOf('sadd', 'set', ...names(1000, 1100))
  const removes = await batchOf('srem', 'set', ...names(1000, 1100))
  await s.run('srandmember', 'set')
  t.equal(await s.run('applybatch', adds), `:${adds.length}\r\n`)
  await drawsEqually(t, s, 'srandmember', 'set', [...names(0, SIZE), ...names(1000, 1100)])
  t.equal(await s.run('applybatch', removes), `:${removes.length}\r\n`)
  await drawsEqually(t, s, 'srandmember', 'set', names(0, SIZE))
})

test('a field is not drawn once its time is over', async (t) => {
  const s = await start(t)
  await s.run('hset', 'hash', ...names(0, SIZE).flatMap((name) => [name, 'v']))
  await s.run('hpexpire', 'hash', 500, 'fields', 200, ...names(0, 200))
  await drawsEqually(t, s, 'hrandfield', 'hash', names(0, SIZE))
  s.advance(501)
  await drawsEqually(t, s, 'hrandfield', 'hash', names(200, SIZE))
  await s.run('hset', 'hash', 'm7', 'v')
  await drawsEqually(t, s, 'hrandfield', 'hash', ['m7', ...names(200, SIZE)])
})

test('HRANDFIELD tells the value of the moment', async (t) => {
  const s = await start(t)
  await s.run('hset', 'hash', ...names(0, SIZE).flatMap((name) => [name, 'one']))
  await s.run('hrandfield', 'hash')
  await s.run('hset', 'hash', ...names(0, SIZE).flatMap((name) => [name, 'two']))
  const reply = await s.run('hrandfield', 'hash', 30, 'withvalues')
  t.equal(reply.split('$3\r\ntwo\r\n').length, 31)
})

test('a new set in the place of another has nothing of it', async (t) => {
  const s = await start(t)
  await s.run('sadd', 'set', ...names(0, SIZE))
  await s.run('srandmember', 'set')
  await s.run('del', 'set')
  await s.run('sadd', 'set', ...names(1000, 1000 + SIZE))
  for (let i = 0; i < 50; i++) t.match(await s.run('srandmember', 'set'), /^\$5\r\nm1[0-3]\d\d\r\n$/)
})

test('ZRANDMEMBER tells the score of the moment', async (t) => {
  const s = await start(t)
  await s.run('zadd', 'zset', ...names(0, SIZE).flatMap((name) => ['1', name]))
  await s.run('zrandmember', 'zset', 1, 'withscores')
  await s.run('zadd', 'zset', ...names(0, SIZE).flatMap((name) => ['2', name]))
  for (let i = 0; i < 50; i++) t.match(await s.run('zrandmember', 'zset', 1, 'withscores'), /\$1\r\n2\r\n$/)
})

const BATCH_BYTES_MAX = 100_000

/** What may happen to a collection between two draws; numbers are those of elements. */
type Step =
  | { readonly name: 'add' | 'remove' | 'undone'; readonly from: number; readonly count: number }
  | { readonly name: 'draw' | 'pop'; readonly count: number }
  | { readonly name: 'wait'; readonly ms: number }

const NUMBER = fc.nat({ max: 700 })
const COUNT = fc.integer({ min: 1, max: 40 })
const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ name: fc.constantFrom('add', 'add', 'remove', 'undone'), from: NUMBER, count: COUNT }),
  fc.record({ name: fc.constantFrom('draw', 'draw', 'pop'), count: COUNT }),
  fc.record({ name: fc.constant('wait'), ms: fc.constantFrom(1, 1000, 60_000) }),
)

interface Family {
  readonly add: (name: string) => readonly [command: string, words: readonly string[]]
  readonly remove: string
  readonly draw: string
  readonly pop?: string
}

const FAMILIES: Readonly<Record<string, Family>> = {
  set: { add: (name) => ['sadd', [name]], remove: 'srem', draw: 'srandmember', pop: 'spop' },
  zset: { add: (name) => ['zadd', ['1', name]], remove: 'zrem', draw: 'zrandmember' },
  hash: { add: (name) => ['hset', [name, 'v']], remove: 'hdel', draw: 'hrandfield' },
}

for (const [key, { add, remove, draw, pop }] of Object.entries(FAMILIES)) {
  test(`${draw} draws all that is there, and nothing else, equally often, whatever happened before`, async (t) => {
    const s = await start(t)
    await s.run('config', 'set', 'rocksdb.write_options.write_batch_max_bytes', BATCH_BYTES_MAX)
    const addAll = (all: string[]) => [add('')[0], key, ...all.flatMap((name) => add(name)[1])]
    const run = async (step: Step, model: Set<string>): Promise<void> => {
      if (step.name === 'wait') {
        s.advance(step.ms)
      } else if (!('from' in step)) {
        const command = step.name === 'pop' ? (pop ?? draw) : draw
        const drawn = wordsOf(await s.run(command, key, step.count))
        if (new Set(drawn).size !== Math.min(step.count, model.size)) throw new Error(`${drawn.length} elements`)
        for (const name of drawn) if (!model.has(name)) throw new Error(`${name} is not there`)
        if (command === pop) for (const name of drawn) model.delete(name)
      } else {
        const some = names(step.from, step.from + step.count)
        if (step.name === 'add') {
          for (const name of some) model.add(name)
          await s.run(...addAll(some))
        } else if (step.name === 'remove') {
          for (const name of some) model.delete(name)
          await s.run(remove, key, ...some)
        } else {
          // One member is too large for the batch, so that none is added.
          const reply = await s.run(...addAll([...some, 'x'.repeat(BATCH_BYTES_MAX)]))
          if (!reply.startsWith('-')) throw new Error('a batch that is too large')
        }
      }
    }
    const property = fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
      const model = new Set(names(0, SIZE))
      await s.run('del', key)
      await s.run(...addAll([...model]))
      for (const step of steps) await run(step, model)
      await drawsEqually(t, s, draw, key, [...model])
    })
    await fc.assert(property, { numRuns: 15 })
    t.same(s.logged, [])
  })
}
