import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { RocksDB, repairDatabase } from '../../src/rocksdb/rocksdb.js'
import {
  DEFAULT,
  FAMILIES,
  METADATA,
  OPTIONS,
  openDatabase,
  put,
  readText,
  remove,
  temporaryDirectory,
} from './support.js'

const key = (text: string) => Buffer.from(text)
const filesOf = (db: RocksDB, family: string) => db.liveFiles().filter(({ columnFamily }) => columnFamily === family)

test('flush writes one family, or all of them', async (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  put(db, METADATA, ['a', '1'])
  await db.flush(DEFAULT)
  t.strictSame(
    db.liveFiles().map(({ columnFamily }) => columnFamily),
    ['default'],
  )
  await db.flush(undefined, { wait: true, allowWriteStall: true })
  t.strictSame(
    db
      .liveFiles()
      .map(({ columnFamily }) => columnFamily)
      .toSorted(),
    ['default', 'metadata'],
  )
  t.throws(() => db.flush(99), { code: 'InvalidArgument' })
})

test('a checkpoint is a database of its own, as it was', async (t) => {
  const directory = temporaryDirectory(t)
  const db = RocksDB.open(join(directory, 'db'), OPTIONS)
  put(db, DEFAULT, ['a', '1'])
  await db.flush()
  put(db, METADATA, ['b', '2'])
  const path = join(directory, 'copy')
  t.strictSame(await db.checkpoint(path), { sequence: 2 })
  put(db, DEFAULT, ['a', 'changed'])
  await t.rejects(db.checkpoint(path), { code: 'InvalidArgument' }, 'the directory is there already')
  db.close()
  const copy = RocksDB.open(path, OPTIONS)
  t.equal(readText(copy, DEFAULT, 'a'), '1')
  t.equal(readText(copy, METADATA, 'b'), '2')
  t.equal(copy.latestSequence(), 2)
  copy.close()
})

test('a checkpoint that need not flush copies the log', async (t) => {
  const directory = temporaryDirectory(t)
  const db = RocksDB.open(join(directory, 'db'), OPTIONS)
  put(db, DEFAULT, ['a', '1'])
  const path = join(directory, 'copy')
  await db.checkpoint(path, 2 ** 40)
  t.strictSame(db.liveFiles(), [])
  t.notOk(readdirSync(path).some((name) => name.endsWith('.sst')))
  db.close()
  const copy = RocksDB.open(path, OPTIONS)
  t.equal(readText(copy, DEFAULT, 'a'), '1')
  copy.close()
})

test('compactRange leaves one file without tombstones, in the last level if asked', async (t) => {
  const db = openDatabase(t, { disableAutoCompactions: true })
  const propagate = 4
  for (let round = 0; round < 3; round++) {
    put(db, propagate, [`k${round}`, 'x'], ['same', `${round}`])
    await db.flush(propagate)
  }
  remove(db, propagate, 'k0')
  await db.flush(propagate)
  t.ok(filesOf(db, 'propagate').length > 1)
  await db.compactRange(propagate, { changeLevel: true, bottommost: 'forceOptimized', exclusive: true })
  const files = filesOf(db, 'propagate')
  t.equal(files.length, 1)
  t.match(files[0], { entries: 3, deletions: 0, smallestKey: key('k1'), largestKey: key('same') })
  t.equal(readText(db, propagate, 'same'), '2')
})

test('compactRange takes only the files of its range', async (t) => {
  const db = openDatabase(t, { disableAutoCompactions: true })
  const propagate = 4
  put(db, propagate, ['a', '1'], ['b', '1'])
  await db.flush(propagate)
  put(db, propagate, ['y', '1'], ['z', '1'])
  await db.flush(propagate)
  await db.compactRange(propagate, { begin: key('a'), end: key('c') })
  const levels = Object.fromEntries(filesOf(db, 'propagate').map((file) => [file.smallestKey.toString(), file.level]))
  t.equal(levels['y'], 0)
  t.ok(levels['a']! > 0)
})

test('cancelled compactions end with Incomplete until they are allowed again', async (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  db.cancelCompactions()
  await t.rejects(db.compactRange(DEFAULT), { code: 'Incomplete', subcode: 'ManualCompactionPaused' })
  db.allowCompactions()
  await db.compactRange(DEFAULT)
})

test('verifyChecksum finds a damaged block', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'db')
  const db = RocksDB.open(path, OPTIONS)
  put(db, DEFAULT, ...Array.from({ length: 100 }, (_, i) => [`k${i}`, 'v'.repeat(100)] as const))
  await db.flush()
  await db.verifyChecksum()
  const [file] = db.liveFiles()
  db.close()
  const sst = join(path, file!.name)
  const bytes = readFileSync(sst)
  bytes[50]! ^= 0xff
  writeFileSync(sst, bytes)
  const damaged = RocksDB.open(path, OPTIONS)
  await t.rejects(damaged.verifyChecksum(), { code: 'Corruption', message: /checksum mismatch/ })
  t.throws(() => readText(damaged, DEFAULT, 'k0'), { code: 'Corruption' })
  using iterator = damaged.iterator({ cf: DEFAULT })
  t.throws(() => iterator.next(), { code: 'Corruption' })
  damaged.close({ force: true })
})

test('repairDatabase opens what has lost its manifest', async (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  put(db, METADATA, ['a', '1'])
  await db.flush()
  db.close()
  rmSync(join(path, 'CURRENT'))
  t.throws(() => RocksDB.open(path, { ...OPTIONS, createIfMissing: false }), { name: 'RocksDBError' })
  repairDatabase(path, OPTIONS)
  const repaired = RocksDB.openReadOnly(path, { ...OPTIONS, columnFamilies: FAMILIES.slice(0, 2) })
  t.equal(readText(repaired, METADATA, 'a'), '1')
  repaired.close()
})

test('syncWal, and resume where nothing is wrong, do no harm', async (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  await db.syncWal()
  await db.resume()
  t.equal(readText(db, DEFAULT, 'a'), '1')
})

test('obsolete files stay while deletions are disabled', async (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  put(db, DEFAULT, ['a', '1'])
  await db.flush()
  const [old] = db.liveFiles()
  db.disableFileDeletions()
  await db.compactRange(DEFAULT, { bottommost: 'force' })
  await db.compactRange(DEFAULT, { bottommost: 'force' })
  t.notOk(db.liveFiles().some(({ name }) => name === old!.name))
  t.ok(existsSync(join(path, old!.name)))
  db.enableFileDeletions()
  t.notOk(existsSync(join(path, old!.name)))
  db.close()
})
