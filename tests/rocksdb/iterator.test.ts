import { test } from 'tap'
import { READ_TIER_BLOCK_CACHE } from '../../src/rocksdb/read-tier.js'
import type { RocksDB } from '../../src/rocksdb/rocksdb.js'
import type { IteratorOptions } from '../../src/rocksdb/row-iterator.js'
import { DEFAULT, openDatabase, put, type Row, remove } from './support.js'

const key = (text: string) => Buffer.from(text)

function rowsOf(db: RocksDB, options: Omit<IteratorOptions, 'cf'> = {}): string[] {
  using iterator = db.iterator({ cf: DEFAULT, ...options })
  const rows: string[] = []
  while (iterator.next()) rows.push(`${iterator.key}=${iterator.value}`)
  return rows
}

const LETTERS: readonly Row[] = ['a', 'b', 'c', 'd', 'e'].map((letter) => [letter, letter.toUpperCase()])

test('an empty family has no rows, and asking again does not find one', (t) => {
  const db = openDatabase(t)
  const iterator = db.iterator({ cf: DEFAULT })
  t.equal(iterator.next(), false)
  t.equal(iterator.next(), false)
  iterator.close()
  t.end()
})

test('the lower bound is included, the upper is not, in both directions', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ...LETTERS)
  t.strictSame(rowsOf(db), ['a=A', 'b=B', 'c=C', 'd=D', 'e=E'])
  t.strictSame(rowsOf(db, { reverse: true }), ['e=E', 'd=D', 'c=C', 'b=B', 'a=A'])
  const bounds = { lower: key('b'), upper: key('d') }
  t.strictSame(rowsOf(db, bounds), ['b=B', 'c=C'])
  t.strictSame(rowsOf(db, { ...bounds, reverse: true }), ['c=C', 'b=B'])
  t.strictSame(rowsOf(db, { lower: key('d') }), ['d=D', 'e=E'])
  t.strictSame(rowsOf(db, { upper: key('b'), reverse: true }), ['a=A'])
  t.strictSame(rowsOf(db, { lower: key('bb'), upper: key('cc') }), ['c=C'])
  t.strictSame(rowsOf(db, { lower: key('x') }), [])
  t.strictSame(rowsOf(db, { lower: key('d'), upper: key('b') }), [])
  t.end()
})

test('keysOnly leaves the values out', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ...LETTERS)
  t.strictSame(rowsOf(db, { keysOnly: true }), ['a=', 'b=', 'c=', 'd=', 'e='])
  t.end()
})

test('empty values and the empty key are rows', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['', ''], ['a', ''])
  t.strictSame(rowsOf(db), ['=', 'a='])
  t.end()
})

test('rows of many chunks come in order, whatever the chunk', (t) => {
  const db = openDatabase(t)
  const rows = Array.from({ length: 3000 }, (_, i) => [`k${String(i).padStart(5, '0')}`, 'v'.repeat(i % 90)] as const)
  put(db, DEFAULT, ...rows)
  const all = rows.map(([name, value]) => `${name}=${value}`)
  for (const rowsPerChunk of [1, 2, 16, 1000, 100_000]) t.strictSame(rowsOf(db, { rowsPerChunk }), all)
  t.strictSame(rowsOf(db), all)
  t.strictSame(rowsOf(db, { reverse: true }), all.toReversed())
  t.end()
})

test('rows larger than a chunk come whole, among small ones', (t) => {
  const db = openDatabase(t)
  const large = 'x'.repeat(300_000)
  put(db, DEFAULT, ['a', '1'], ['b', large], ['c', '3'], ['d', large + large], ['e', '5'])
  const all = ['a=1', `b=${large}`, 'c=3', `d=${large}${large}`, 'e=5']
  t.strictSame(rowsOf(db), all)
  t.strictSame(rowsOf(db, { reverse: true }), all.toReversed())
  t.strictSame(rowsOf(db), all, 'after the large chunks were given back')
  t.end()
})

test('seek moves in both directions, within the bounds, also after the end', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ...LETTERS)
  using forward = db.iterator({ cf: DEFAULT, lower: key('b'), upper: key('e') })
  const first = (target: string) => {
    forward.seek(key(target))
    return forward.next() ? forward.key.toString() : undefined
  }
  t.equal(first('c'), 'c')
  t.equal(forward.next() && forward.key.toString(), 'd')
  t.equal(forward.next(), false)
  t.equal(first('bb'), 'c')
  t.equal(first(''), 'b', 'not below the lower bound')
  t.equal(first('e'), undefined)
  using backward = db.iterator({ cf: DEFAULT, lower: key('b'), upper: key('e'), reverse: true })
  const last = (target: string) => {
    backward.seek(key(target))
    return backward.next() ? backward.key.toString() : undefined
  }
  t.equal(last('c'), 'c')
  t.equal(backward.next() && backward.key.toString(), 'b')
  t.equal(last('cc'), 'c')
  t.equal(last('zzz'), 'd', 'not above the upper bound')
  t.equal(last('a'), undefined)
  t.end()
})

test('an iterator sees the database as it was when it was made, or as its snapshot has it', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  using snapshot = db.snapshot()
  put(db, DEFAULT, ['b', '2'])
  using iterator = db.iterator({ cf: DEFAULT })
  put(db, DEFAULT, ['c', '3'])
  remove(db, DEFAULT, 'a')
  const seen: string[] = []
  while (iterator.next()) seen.push(iterator.key.toString())
  t.strictSame(seen, ['a', 'b'])
  t.strictSame(rowsOf(db, { snapshot: snapshot.id }), ['a=1'])
  t.strictSame(rowsOf(db), ['b=2', 'c=3'])
  t.end()
})

test('iterators live side by side, each with its own rows', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ...LETTERS)
  const iterators = Array.from({ length: 5 }, (_, i) => db.iterator({ cf: DEFAULT, reverse: i % 2 === 1 }))
  for (const iterator of iterators) iterator.next()
  t.strictSame(
    iterators.map((iterator) => `${iterator.key}${iterator.value}`),
    ['aA', 'eE', 'aA', 'eE', 'aA'],
  )
  for (const iterator of iterators) iterator.close()
  t.end()
})

test('an iterator limited to memory throws at rows that are only on disk', async (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  await db.flush()
  db.clearBlockCache()
  using iterator = db.iterator({ cf: DEFAULT, readTier: READ_TIER_BLOCK_CACHE })
  t.throws(() => iterator.next(), { code: 'Incomplete' })
})

test('a closed iterator has no rows, and closing it twice frees its place once', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ...LETTERS)
  const closed = db.iterator({ cf: DEFAULT })
  closed.next()
  closed.close()
  closed.close()
  t.equal(closed.next(), false)
  const one = db.iterator({ cf: DEFAULT })
  const two = db.iterator({ cf: DEFAULT, reverse: true })
  one.next()
  two.next()
  t.strictSame([one.key, two.key].map(String), ['a', 'e'])
  t.throws(() => closed.seek(key('a')), { code: 'InvalidArgument' })
  one.close()
  two.close()
  t.end()
})
