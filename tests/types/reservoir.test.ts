/** Random members of collections that are large enough for some to be kept for later. */

import { test } from 'tap'
import { startServer, type TestServer } from '../support/server.js'

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

test('a member that was added is drawn, at the latest when a second is over', async (t) => {
  const s = await start(t)
  await s.run('sadd', 'set', ...names(0, SIZE))
  await s.run('srandmember', 'set')
  await s.run('srem', 'set', ...names(0, 200))
  await s.run('sadd', 'set', ...names(1000, 1200))
  s.advance(2000)
  const drawn = new Set<string>()
  for (let i = 0; i < 60; i++) for (const word of wordsOf(await s.run('srandmember', 'set', 16))) drawn.add(word)
  t.ok([...drawn].filter((name) => name.length === 5).length > 100, 'many of the new ones')
  t.notOk(
    [...drawn].some((name) => name.length < 5 && Number(name.slice(1)) < 200),
    'none of the removed ones',
  )
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

test('all members are drawn equally often, more or less', async (t) => {
  const s = await start(t)
  await s.run('sadd', 'set', ...names(0, SIZE))
  const counts = new Map<string, number>()
  for (let i = 0; i < 500; i++) {
    for (const word of wordsOf(await s.run('srandmember', 'set', 16))) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  t.equal(counts.size, SIZE)
  // 8000 draws of 400 members: 20 each, with a standard deviation of 4.4.
  for (const [name, count] of counts) if (count > 45) t.fail(`${name} was drawn ${count} times`)
})
