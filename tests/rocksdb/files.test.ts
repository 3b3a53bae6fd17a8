import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { PERF_DISABLE, PERF_ENABLE_COUNT } from '../../src/rocksdb/perf-level.js'
import { RocksDB } from '../../src/rocksdb/rocksdb.js'
import { DEFAULT, METADATA, OPTIONS, openDatabase, put, readText, temporaryDirectory } from './support.js'

const key = (text: string) => Buffer.from(text)

test('the files of the log are listed oldest first, with where they begin', async (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  put(db, DEFAULT, ['a', '1'], ['b', '1'])
  await db.flush()
  put(db, DEFAULT, ['c', '1'])
  const files = db.sortedWalFiles()
  t.strictSame(
    files.map(({ archived, startSequence }) => ({ archived, startSequence })),
    [
      { archived: true, startSequence: 1 },
      { archived: false, startSequence: 3 },
    ],
  )
  t.ok(files[0]!.logNumber < files[1]!.logNumber)
  for (const { path: name, bytes } of files) t.equal(statSync(join(path, name)).size, bytes, name)
  db.close()
})

test('live files carry their range, counts and sequences', async (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  put(db, METADATA, ['a', '1'], ['b', '2'])
  await db.flush()
  const [file] = db.liveFiles()
  t.match(file, {
    columnFamily: 'metadata',
    level: 0,
    entries: 2,
    deletions: 0,
    smallestKey: key('a'),
    largestKey: key('b'),
    smallestSequence: 1,
    largestSequence: 2,
    beingCompacted: false,
  })
  t.equal(statSync(join(path, file!.name)).size, file!.bytes)
  const [table] = await db.tableProperties(METADATA)
  t.match(table, { columnFamily: 'metadata', entries: 2, deletions: 0, rawValueBytes: 2 })
  t.ok(table!.file.endsWith(file!.name))
  t.ok(Math.abs(table!.fileCreationTime - Date.now() / 1000) < 60)
  t.strictSame(await db.tableProperties(DEFAULT), [])
  const { files, manifestBytes } = db.liveFileNames()
  t.ok(files.includes(file!.name))
  t.ok(files.includes('/CURRENT'))
  t.ok(manifestBytes > 0)
  db.close()
})

test('approximate sizes grow with a range, and count memtables or files as asked', async (t) => {
  const db = openDatabase(t)
  const rows = Array.from({ length: 2000 }, (_, i) => [`k${String(i).padStart(4, '0')}`, Buffer.alloc(200, i)] as const)
  put(db, DEFAULT, ...rows)
  const ranges = [
    [key('k0000'), key('k1000')],
    [key('k0000'), key('k2000')],
    [key('x'), key('y')],
  ] as const
  const inMemtable = db.approximateSizes(DEFAULT, ranges, { includeFiles: false })
  t.ok(inMemtable[1]! > 0 && inMemtable[2] === 0, `${inMemtable}`)
  t.strictSame(db.approximateSizes(DEFAULT, [ranges[1]], { includeMemtables: false }), [0])
  await db.flush()
  const [half, all, none] = db.approximateSizes(DEFAULT, ranges)
  t.ok(half! > 0 && all! > half! && none === 0, `${half} ${all} ${none}`)
  t.throws(() => db.approximateSizes(DEFAULT, [[key('a'), 'b' as unknown as Buffer]]), TypeError)
})

test('deleteFilesInRanges drops files that lie within a range', async (t) => {
  const db = openDatabase(t, { disableAutoCompactions: true })
  put(db, DEFAULT, ['a', '1'], ['b', '1'])
  await db.flush()
  put(db, DEFAULT, ['x', '1'], ['z', '1'])
  await db.flush()
  await db.compactRange(DEFAULT)
  const propagate = 4
  put(db, propagate, ['a', '1'], ['b', '1'])
  await db.compactRange(propagate)
  db.deleteFilesInRanges(propagate, [[key('a'), key('c')]])
  t.equal(readText(db, propagate, 'a'), -1)
})

test('properties are text, numbers or maps, and an unknown one is undefined', (t) => {
  const db = openDatabase(t)
  put(db, METADATA, ['a', '1'])
  t.match(db.property(METADATA, 'rocksdb.stats'), /Compaction Stats/)
  t.equal(db.intProperty(METADATA, 'rocksdb.estimate-num-keys'), 1)
  t.equal(db.intProperty(DEFAULT, 'rocksdb.estimate-num-keys'), 0)
  t.type(db.mapProperty(METADATA, 'rocksdb.cfstats')?.['compaction.Sum.NumFiles'], 'string')
  t.equal(db.property(METADATA, 'rocksdb.no-such-thing'), undefined)
  t.equal(db.intProperty(METADATA, 'rocksdb.stats'), undefined)
  t.equal(db.mapProperty(METADATA, 'rocksdb.no-such-thing'), undefined)
  t.throws(() => db.property(99, 'rocksdb.stats'), { code: 'InvalidArgument' })
  t.end()
})

test('statistics count what was done, and can be left out', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  readText(db, DEFAULT, 'a')
  readText(db, DEFAULT, 'absent')
  t.equal(db.ticker('rocksdb.number.keys.read'), 2)
  t.equal(db.tickers()['rocksdb.number.keys.written'], 1)
  t.match(db.histograms()['rocksdb.db.get.micros'], { count: 2 })
  t.equal(db.ticker('rocksdb.no.such.ticker'), undefined)
  db.resetStatistics()
  t.equal(db.ticker('rocksdb.number.keys.read'), 0)
  const without = openDatabase(t, { statistics: false })
  t.equal(without.ticker('rocksdb.number.keys.read'), undefined)
  t.strictSame(without.tickers(), {})
  t.strictSame(without.histograms(), {})
  t.end()
})

test('the perf context counts from when it is set until it is disabled', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  db.setPerfLevel(PERF_ENABLE_COUNT)
  readText(db, DEFAULT, 'a')
  t.match(db.perfContext(), /get_from_memtable_count = 1/)
  db.setPerfLevel(PERF_DISABLE)
  readText(db, DEFAULT, 'a')
  t.notMatch(db.perfContext(), /get_from_memtable_count/)
  t.type(db.ioStats(), 'string')
  t.throws(() => db.setPerfLevel(9 as 0), TypeError)
  t.end()
})
