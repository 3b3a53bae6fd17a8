import { test } from 'tap'
import { EmptyGaps } from '../../src/storage/empty-gaps.js'
import { DEFAULT_NAMESPACE } from '../../src/storage/keys.js'
import * as zsets from '../../src/types/zset.js'
import { collect } from '../../src/types/zset-range.js'
import { startServer, type TestServer } from '../support/server.js'

const ALL = { kind: 'rank', start: 0, stop: -1 } as const

function open(s: TestServer) {
  const db = s.server.store.database(DEFAULT_NAMESPACE)
  const key = Buffer.from('z')
  return {
    db,
    key,
    add: (...scores: number[]) =>
      zsets.add(
        db,
        key,
        scores.map((score) => ({ score, member: Buffer.from(`m${score}`) })),
      ),
    pop: (end: 'min' | 'max', count = 1) => zsets.pop(db, key, count, end).popped.map(({ score }) => score),
    all: () => collect(db, key, ALL).map(({ score }) => score),
    allReversed: () => collect(db, key, ALL, { reverse: true, offset: 0, count: -1 }).map(({ score }) => score),
  }
}

test('rows put into a range that scans have found empty are seen', async (t) => {
  await using s = await startServer()
  const z = open(s)
  z.add(1, 2, 3, 4, 5, 6, 7, 8)
  t.same([z.pop('min'), z.pop('min'), z.pop('max'), z.pop('max')], [[1], [2], [8], [7]])
  t.same(
    [z.all(), z.allReversed()],
    [
      [3, 4, 5, 6],
      [6, 5, 4, 3],
    ],
  )
  z.add(0, 2, 9, 7)
  t.same(z.all(), [0, 2, 3, 4, 5, 6, 7, 9])
  t.same(z.allReversed(), [9, 7, 6, 5, 4, 3, 2, 0])
  s.server.store.commit()
  t.same([z.pop('min', 8), z.all(), z.allReversed()], [[0, 2, 3, 4, 5, 6, 7, 9], [], []])
  z.add(5)
  t.same([z.all(), z.allReversed()], [[5], [5]])
})

test('rows that a rollback or a failed turn brings back are seen', async (t) => {
  await using s = await startServer()
  const z = open(s)
  z.add(1, 2, 3)
  s.server.store.commit()
  const savepoint = s.server.store.turn.savepoint()
  t.same([z.pop('min'), z.pop('max'), z.all(), z.allReversed()], [[1], [3], [2], [2]])
  s.server.store.turn.rollback(savepoint)
  t.same(
    [z.all(), z.allReversed()],
    [
      [1, 2, 3],
      [3, 2, 1],
    ],
  )
  t.same([z.pop('min'), z.pop('max'), z.all()], [[1], [3], [2]])
  s.server.store.turn.discard()
  t.same(
    [z.all(), z.allReversed()],
    [
      [1, 2, 3],
      [3, 2, 1],
    ],
  )
})

test('rows that come by another way are seen: a key renamed there and back, and a foreign batch', async (t) => {
  await using s = await startServer()
  await s.run('zadd', 'z', 1, 'a', 2, 'b', 3, 'c')
  const { key, db } = open(s)
  const added = s.server.store.latestSequence()
  await s.run('zpopmin', 'z')
  await s.run('zrange', 'z', 0, -1)
  await s.run('rename', 'z', 'y')
  await s.run('zadd', 'y', 0, 'w')
  await s.run('rename', 'y', 'z')
  t.equal(await s.run('zrange', 'z', 0, -1), '*3\r\n$1\r\nw\r\n$1\r\nb\r\n$1\r\nc\r\n')
  await s.run('zpopmin', 'z', 2)
  await s.run('zrange', 'z', 0, -1)
  // The very first batch once more: all three members are back.
  using updates = s.server.store.rocks.updatesSince(1)
  const [first] = updates.next(1)
  t.ok(first !== undefined && added === 7)
  s.server.store.turn.writeForeign(first?.data as Buffer)
  t.same(
    collect(db, key, ALL).map(({ score }) => score),
    [1, 2, 3],
  )
})

test('a scan that was opened before a row was put tells nothing of where the row is', async (t) => {
  await using s = await startServer()
  const z = open(s)
  z.add(1, 2, 3)
  t.same(z.pop('min'), [1])
  const before = zsets.open(z.db, z.key)?.scores.scan({ values: false })
  z.add(1)
  t.ok(before?.next())
  before?.close()
  t.same(z.all(), [1, 2, 3])
})

for (const slotEncoded of [false, true]) {
  test(`gaps belong to one life of one key, ${slotEncoded ? 'with' : 'without'} slots in the keys`, async (t) => {
    const gaps = new EmptyGaps(slotEncoded)
    const row = (key: string, version: string, subKey: string): string =>
      `\x02ns${slotEncoded ? '\x12\x34' : ''}\0\0\0${String.fromCharCode(key.length)}${key}${version}${subKey}`
    const narrow = (from: string): ReturnType<EmptyGaps['narrow']> =>
      gaps.narrow({ lower: Buffer.from(from, 'latin1'), upper: Buffer.from(`${from.slice(0, -1)}z`, 'latin1') })
    const begin = (from: string): string | undefined => narrow(from)?.range.lower.latin1Slice(0)
    gaps.noteDelete(row('key', 'version1', 'b'))
    const first = row('key', 'version1', 'a')
    t.equal(begin(first), first)
    t.equal(begin(row('key', 'version2', 'a')), undefined)
    t.equal(begin(row('ke', 'yversion', '1')), undefined)
    narrow(first)?.onFirst(Buffer.from(row('key', 'version1', 'm'), 'latin1'))
    gaps.notePut(row('key', 'version2', 'a'))
    t.equal(begin(row('key', 'version1', 'c')), row('key', 'version1', 'm'))
    gaps.notePut(row('key', 'version1', 'd'))
    t.equal(begin(row('key', 'version1', 'c')), row('key', 'version1', 'd'))
    t.equal(begin(row('key', 'version1', 'e')), row('key', 'version1', 'e'))
    gaps.forget()
    t.equal(begin(first), undefined)
  })
}

test('elements are taken from both ends in order, whatever is put and deleted between', async (t) => {
  await using s = await startServer()
  const z = open(s)
  const model = new Set<number>()
  let seed = 7
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31
    return (seed >>> 8) % below
  }
  for (let step = 0; step < 3000; step++) {
    // Now many, now few: the collection is known whole from time to time.
    const grows = step % 600 < 300
    const choice = random(grows ? 8 : 14)
    if (choice < 5) {
      const scores = Array.from({ length: 1 + random(grows ? 40 : 2) }, () => random(100_000))
      z.add(...scores)
      for (const score of scores) model.add(score)
    } else if (choice === 5) {
      const gone = [...model][random(model.size || 1)]
      if (gone !== undefined) zsets.remove(z.db, z.key, [Buffer.from(`m${gone}`)])
      model.delete(gone as number)
    } else {
      const end = random(3) === 0 ? 'max' : 'min'
      const count = 1 + (random(5) === 0 ? random(100) : 0)
      const sorted = [...model].sort((a, b) => (end === 'min' ? a - b : b - a)).slice(0, count)
      for (const score of sorted) model.delete(score)
      t.same(z.pop(end, count), sorted, `step ${step}`)
    }
    if (random(20) === 0) s.server.store.commit()
  }
  t.same(
    z.all(),
    [...model].sort((a, b) => a - b),
  )
})

test('elements too long to be remembered are taken in order, too', async (t) => {
  await using s = await startServer()
  const { db, key } = open(s)
  const members = Array.from({ length: 12 }, (_, i) => `${i % 3 === 0 ? 'x'.repeat(9000) : ''}m${i}`)
  const pairs = members.map((member, score) => ({ score, member: Buffer.from(member) }))
  const pop = (count: number): string[] =>
    zsets.pop(db, key, count, 'min').popped.map(({ member }) => member.toString('latin1'))
  zsets.add(db, key, pairs.slice(0, 8))
  t.same([pop(1), pop(1), pop(2)], [members.slice(0, 1), members.slice(1, 2), members.slice(2, 4)])
  zsets.add(db, key, pairs.slice(8))
  t.same([pop(1), pop(9), pop(1)], [members.slice(4, 5), members.slice(5), []])
  zsets.add(db, key, pairs.slice(0, 3))
  t.same([pop(1), pop(1), pop(1)], [members.slice(0, 1), members.slice(1, 2), members.slice(2, 3)])
})
