import { test } from 'tap'
import { RocksDB } from '../../src/rocksdb/rocksdb.js'
import type { WalBatch } from '../../src/rocksdb/wal-iterator.js'
import { batchOf, DEFAULT, METADATA, OPTIONS, openDatabase, put, temporaryDirectory } from './support.js'

const places = (batches: WalBatch[]) => batches.map(({ sequence, count }) => [sequence, count])

test('batches come with the bytes that were written, and their sequence in the header', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  put(db, METADATA, ['b', '2'], ['c', '3'])
  using wal = db.updatesSince(1)
  const batches = wal.next(10)
  t.strictSame(places(batches), [
    [1, 1],
    [2, 2],
  ])
  const expected = batchOf(METADATA, [
    ['b', '2'],
    ['c', '3'],
  ])
  expected.writeUInt32LE(2, 0)
  t.strictSame(batches[1]?.data, expected)
  t.end()
})

test('sequence 0 means from the beginning, and one inside a batch gives that batch', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'], ['b', '2'], ['c', '3'])
  put(db, DEFAULT, ['d', '4'])
  for (const [sequence, first] of [
    [0, 1],
    [2, 1],
    [3, 1],
    [4, 4],
  ]) {
    using wal = db.updatesSince(sequence!)
    t.equal(wal.next(1)[0]?.sequence, first, `from ${sequence}`)
  }
  t.end()
})

test('it stops at the end of the log and resumes once there is more', (t) => {
  const db = openDatabase(t)
  using wal = db.updatesSince(1)
  t.strictSame(wal.next(10), [], 'nothing was ever written')
  put(db, DEFAULT, ['a', '1'])
  t.strictSame(places(wal.next(10)), [[1, 1]])
  t.strictSame(wal.next(10), [])
  put(db, DEFAULT, ['b', '1'])
  put(db, DEFAULT, ['c', '1'])
  t.strictSame(places(wal.next(1)), [[2, 1]])
  t.strictSame(places(wal.next(1)), [[3, 1]])
  t.strictSame(wal.next(1), [])
  t.end()
})

test('it goes on across flushes, where the log continues in another file', async (t) => {
  const db = openDatabase(t)
  using wal = db.updatesSince(1)
  const seen: number[] = []
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 3; i++) put(db, DEFAULT, [`${round}-${i}`, 'x'])
    if (round % 2 === 1) seen.push(...wal.next(100).map(({ sequence }) => sequence))
    await db.flush()
  }
  seen.push(...wal.next(100).map(({ sequence }) => sequence))
  t.strictSame(
    seen,
    Array.from({ length: 15 }, (_, i) => i + 1),
  )
  t.ok(db.sortedWalFiles().some(({ archived }) => archived))
})

test('a batch larger than the asked bytes is given alone', (t) => {
  const db = openDatabase(t)
  for (let i = 0; i < 4; i++) put(db, DEFAULT, [`k${i}`, Buffer.alloc(1000, 'x')])
  using wal = db.updatesSince(1)
  t.equal(wal.next(100, 1).length, 1)
  t.equal(wal.next(100, 1500).length, 2)
  t.equal(wal.next(100).length, 1)
  t.end()
})

test('where the log no longer reaches so far back, the first batch shows the gap', async (t) => {
  const db = openDatabase(t, { walTtlSeconds: 0, walSizeLimitMb: 0 })
  put(db, DEFAULT, ['a', '1'])
  put(db, DEFAULT, ['b', '1'])
  await db.flush()
  put(db, DEFAULT, ['c', '1'])
  using wal = db.updatesSince(1)
  t.strictSame(places(wal.next(10)), [[3, 1]])
})

test('the log survives reopening', (t) => {
  const path = temporaryDirectory(t)
  const first = RocksDB.open(path, OPTIONS)
  put(first, DEFAULT, ['a', '1'])
  first.close()
  const db = RocksDB.open(path, OPTIONS)
  put(db, DEFAULT, ['b', '1'])
  const wal = db.updatesSince(1)
  t.strictSame(places(wal.next(10)), [
    [1, 1],
    [2, 1],
  ])
  wal.close()
  db.close()
  t.end()
})

test('a sequence that lies ahead waits for it', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  using wal = db.updatesSince(3)
  t.strictSame(wal.next(1), [])
  put(db, DEFAULT, ['b', '1'])
  put(db, DEFAULT, ['c', '1'])
  t.strictSame(places(wal.next(10)), [[3, 1]])
  t.end()
})

test('a closed WAL iterator throws, and closing it twice does nothing', (t) => {
  const db = openDatabase(t)
  const wal = db.updatesSince(1)
  wal.close()
  wal.close()
  t.throws(() => wal.next(1), { code: 'InvalidArgument', message: /WAL iterator is closed/ })
  t.end()
})
