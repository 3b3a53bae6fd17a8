import { test } from 'tap'
import { RocksDBError } from '../../src/rocksdb/errors.js'
import { WRITE_DISABLE_WAL, WRITE_LOW_PRI, WRITE_MEMTABLE_INSERT_HINT, WRITE_SYNC } from '../../src/rocksdb/native.js'
import { batchOf, DEFAULT, METADATA, openDatabase, put, readText } from './support.js'

test('one batch writes several families and takes a sequence for each record', (t) => {
  const db = openDatabase(t)
  t.equal(db.latestSequence(), 0)
  const inDefault = batchOf(DEFAULT, [['a', '1']])
  const inMetadata = batchOf(METADATA, [
    ['a', '2'],
    ['b', '3'],
  ])
  const both = Buffer.concat([inDefault, inMetadata.subarray(12)])
  both.writeUInt32LE(3, 8)
  db.write(both, both.length, 0)
  t.equal(db.latestSequence(), 3)
  t.equal(readText(db, DEFAULT, 'a'), '1')
  t.equal(readText(db, METADATA, 'b'), '3')
  t.end()
})

test('only the given length of the buffer is the batch', (t) => {
  const db = openDatabase(t)
  const batch = batchOf(DEFAULT, [['a', '1']])
  const longer = Buffer.concat([batch, Buffer.from('whatever stands behind it')])
  db.write(longer, batch.length, 0)
  t.equal(readText(db, DEFAULT, 'a'), '1')
  t.end()
})

test('every write flag writes', (t) => {
  const db = openDatabase(t)
  for (const flags of [WRITE_SYNC, WRITE_DISABLE_WAL, WRITE_LOW_PRI, WRITE_MEMTABLE_INSERT_HINT]) {
    const batch = batchOf(DEFAULT, [[`flags ${flags}`, 'x']])
    db.write(batch, batch.length, flags)
    t.equal(readText(db, DEFAULT, `flags ${flags}`), 'x')
  }
  t.equal(db.sortedWalFiles().length > 0, true)
  t.end()
})

test('a batch that is none is refused and changes nothing', (t) => {
  const db = openDatabase(t)
  t.throws(() => db.write(Buffer.alloc(11), 11, 0), { code: 'Corruption', message: /malformed WriteBatch/ })
  t.throws(() => db.write(Buffer.alloc(20), 21, 0), TypeError)
  t.throws(() => db.write('text' as unknown as Buffer, 4, 0), TypeError)
  t.equal(db.latestSequence(), 0)
  t.end()
})

test('sync and no WAL contradict each other, and the error is the status', (t) => {
  const db = openDatabase(t)
  const batch = batchOf(DEFAULT, [['a', '1']])
  try {
    db.write(batch, batch.length, WRITE_SYNC | WRITE_DISABLE_WAL)
    t.fail('it should have thrown')
  } catch (error) {
    t.ok(error instanceof RocksDBError)
    const { name, code, subcode, severity, retryable, message } = error as RocksDBError
    t.strictSame(
      { name, code, subcode, severity, retryable },
      { name: 'RocksDBError', code: 'InvalidArgument', subcode: 'None', severity: 'none', retryable: false },
    )
    t.match(message, /^Invalid argument: Sync writes has to enable WAL/)
  }
  t.end()
})

test('writeAsync copies the batch, commits it and rejects with the status', async (t) => {
  const db = openDatabase(t)
  const batch = batchOf(DEFAULT, [['a', '1']])
  const written = db.writeAsync(batch, batch.length, WRITE_SYNC)
  batch.fill(0)
  await written
  t.equal(readText(db, DEFAULT, 'a'), '1')
  const next = batchOf(DEFAULT, [['b', '1']])
  await t.rejects(db.writeAsync(next, next.length, WRITE_SYNC | WRITE_DISABLE_WAL), { code: 'InvalidArgument' })
  t.throws(() => db.writeAsync(next, 3, 0), { code: 'Corruption' })
})

test('deleteRange removes its begin and leaves its end', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'], ['b', '2'], ['c', '3'])
  db.deleteRange(DEFAULT, Buffer.from('a'), Buffer.from('c'))
  t.strictSame(
    ['a', 'b', 'c'].map((name) => readText(db, DEFAULT, name)),
    [-1, -1, '3'],
  )
  t.end()
})

test('a megabyte in one value, and ten thousand records in one batch', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['big', Buffer.alloc(1 << 20, 'b')])
  t.equal(readText(db, DEFAULT, 'big'), 'b'.repeat(1 << 20))
  put(db, DEFAULT, ...Array.from({ length: 10_000 }, (_, i) => [`k${i}`, `${i}`] as const))
  t.equal(db.latestSequence(), 10_001)
  t.equal(readText(db, DEFAULT, 'k9999'), '9999')
  t.end()
})

test('a write on a thread of its own ends when it is waited for, and tells of it once', async (t) => {
  const db = openDatabase(t)
  let told = 0
  db.writtenListener = () => {
    told++
  }
  const batch = batchOf(DEFAULT, [['a', '1']])
  db.beginWrite(batch, batch.length, 0)
  t.throws(() => db.beginWrite(batch, batch.length, 0), /not been ended/)
  db.endWrite()
  t.ok(db.hasWritten())
  t.equal(readText(db, DEFAULT, 'a'), '1')
  db.endWrite()
  while (told === 0) await new Promise((done) => setImmediate(done))
  const broken = Buffer.from(batch)
  broken.writeUInt32LE(7, 8)
  db.beginWrite(broken, broken.length, 0)
  t.throws(() => db.endWrite(), /WriteBatch/)
  db.beginWrite(batch, batch.length, 0)
  db.close()
  t.equal(told, 1, 'nothing is told of a closed database')
})
