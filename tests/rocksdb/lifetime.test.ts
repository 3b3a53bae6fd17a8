import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { test } from 'tap'
import {
  asserts,
  destroyDatabase,
  linkage,
  listColumnFamilies,
  RocksDB,
  rocksdbVersion,
} from '../../src/rocksdb/rocksdb.js'
import { batchOf, DEFAULT, FAMILIES, OPTIONS, openDatabase, put, readText, temporaryDirectory } from './support.js'

const ROCKSDB = new URL('../../src/rocksdb/rocksdb.js', import.meta.url)
const key = (text: string) => Buffer.from(text)

test('the addon says which RocksDB it is linked with', (t) => {
  t.match(rocksdbVersion, /^\d+\.\d+\.\d+$/)
  t.ok(['system', 'static'].includes(linkage))
  t.type(asserts, 'boolean')
  t.end()
})

test('what was written is there after reopening, and the families have their ids', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const first = RocksDB.open(path, OPTIONS)
  for (const [cf, { name }] of FAMILIES.entries()) put(first, cf, ['name', name])
  first.close()
  t.strictSame(
    listColumnFamilies(path),
    FAMILIES.map(({ name }) => name),
  )
  const second = RocksDB.open(path, OPTIONS)
  for (const [cf, { name }] of FAMILIES.entries()) t.equal(readText(second, cf, 'name'), name)
  second.close()
  t.end()
})

test('a directory without its newest family gets it with the next id', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  RocksDB.open(path, { ...OPTIONS, columnFamilies: FAMILIES.slice(0, -1) }).close()
  const db = RocksDB.open(path, OPTIONS)
  const newest = FAMILIES.length - 1
  put(db, newest, ['a', '1'])
  t.equal(readText(db, newest, 'a'), '1')
  db.close()
  t.end()
})

test('a directory whose families have other ids is refused, and is free for others afterwards', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const swapped = [FAMILIES[0]!, FAMILIES[2]!, FAMILIES[1]!, ...FAMILIES.slice(3)]
  RocksDB.open(path, { ...OPTIONS, columnFamilies: swapped }).close()
  t.throws(() => RocksDB.open(path, OPTIONS), {
    code: 'InvalidArgument',
    message: 'Invalid argument: Column family metadata has the id 2 instead of 1',
  })
  RocksDB.open(path, { ...OPTIONS, columnFamilies: swapped }).close()
  t.end()
})

test('a directory is opened by one at a time', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  t.throws(() => RocksDB.open(path, OPTIONS), { code: 'IOError', message: /lock/i })
  db.close()
  RocksDB.open(path, OPTIONS).close()
  t.end()
})

test('nothing is created where it must exist', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  t.throws(() => RocksDB.open(path, { ...OPTIONS, createIfMissing: false }), { code: 'InvalidArgument' })
  t.throws(() => RocksDB.openReadOnly(path, OPTIONS), { name: 'RocksDBError' })
  t.throws(() => listColumnFamilies(path), { code: 'IOError', subcode: 'PathNotFound' })
  t.end()
})

test('after close every call throws, and closing again does nothing', async (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  db.close()
  db.close()
  const closed = { code: 'InvalidArgument', message: 'Invalid argument: The database is closed' }
  const batch = batchOf(DEFAULT, [['a', '1']])
  const calls: (() => unknown)[] = [
    () => readText(db, DEFAULT, 'a'),
    () => db.get(DEFAULT, key('a')),
    () => db.multiGet(DEFAULT, [key('a')]),
    () => db.takeValue(),
    () => db.write(batch, batch.length, 0),
    () => db.writeAsync(batch, batch.length, 0),
    () => db.iterator({ cf: DEFAULT }),
    () => db.snapshot(),
    () => db.latestSequence(),
    () => db.updatesSince(0),
    () => db.property(DEFAULT, 'rocksdb.stats'),
    () => db.flush(),
    () => db.compactRange(DEFAULT),
    () => db.checkpoint('/nowhere'),
    () => db.setOptions(DEFAULT, {}),
    () => db.sortedWalFiles(),
    () => db.tickers(),
    () => db.setListener(() => {}),
  ]
  for (const call of calls) t.throws(call, closed, String(call))
  await db.closeWhenIdle()
})

test('close names what is in its way; force closes it; handles may be closed in any order', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  const iterator = db.iterator({ cf: DEFAULT })
  iterator.next()
  const wal = db.updatesSince(1)
  wal.next(1)
  const snapshot = db.snapshot()
  t.throws(() => db.close(), {
    code: 'Busy',
    message: 'Busy: The database has 1 open iterators, 1 open WAL iterators, 0 pending promises',
  })
  t.equal(readText(db, DEFAULT, 'a'), '1', 'a refused close changes nothing')
  db.close({ force: true })
  t.throws(() => wal.next(1), { message: /database is closed/ })
  t.throws(() => iterator.seek(key('a')), { message: /database is closed/ })
  snapshot.release()
  wal.close()
  iterator.close()
  t.equal(iterator.next(), false)
  t.end()
})

test('a pending promise keeps the database open, and closeWhenIdle waits for it', async (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  put(db, DEFAULT, ['a', '1'])
  const flushed = db.flush()
  t.throws(() => db.close({ force: true }), { code: 'Busy', message: /1 pending promises/ })
  await db.closeWhenIdle()
  await flushed
  RocksDB.open(path, OPTIONS).close()
})

test('attach shares the database; the last one closes it', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  const other = RocksDB.attach(`${path}/../db/`)
  put(db, DEFAULT, ['a', '1'])
  t.equal(readText(other, DEFAULT, 'a'), '1')
  const snapshot = other.snapshot()
  t.throws(
    () => readText(db, DEFAULT, 'a', snapshot.id),
    { code: 'InvalidArgument' },
    'handles belong to their own use',
  )
  db.close()
  put(other, DEFAULT, ['b', '2'])
  t.equal(readText(other, DEFAULT, 'b'), '2')
  other.close()
  t.throws(() => RocksDB.attach(path), { code: 'NotFound', message: `NotFound: No open database at ${path}` })
  RocksDB.open(path, OPTIONS).close()
  t.end()
})

test('a worker thread attaches, reads and writes, and may end without closing', async (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  put(db, DEFAULT, ['a', 'from main'])
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.module).then(({ RocksDB }) => {
      const db = RocksDB.attach(workerData.path)
      const seen = db.get(0, Buffer.from('a')).toString()
      const batch = Buffer.from(workerData.batch)
      db.write(batch, batch.length, 0)
      globalThis.open = [db.iterator({ cf: 0 }), db.snapshot(), db.updatesSince(1)]
      globalThis.open[0].next()
      db.flush()
      parentPort.postMessage(seen)
    })`
  const batch = batchOf(DEFAULT, [['b', 'from worker']])
  const worker = new Worker(source, { eval: true, workerData: { module: ROCKSDB.href, path, batch } })
  const seen = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  t.equal(seen, 'from main')
  await worker.terminate()
  t.equal(readText(db, DEFAULT, 'b'), 'from worker')
  db.close()
  RocksDB.open(path, OPTIONS).close()
})

test('a process may end with everything open and running, and its writes are kept', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const source = `
    import { RocksDB } from ${JSON.stringify(ROCKSDB.href)}
    import { OPTIONS, put } from ${JSON.stringify(new URL('./support.js', import.meta.url).href)}
    const db = RocksDB.open(process.argv[1], OPTIONS)
    for (let i = 0; i < 1000; i++) put(db, 0, ['k' + i, 'v'])
    globalThis.open = [db.iterator({ cf: 0 }), db.snapshot(), db.updatesSince(1)]
    db.setListener(() => {})
    db.flush()
    db.compactRange(0)
    db.checkpoint(process.argv[1] + '-copy')
    console.log(db.latestSequence())
    if (process.argv[2] === 'exit') process.exit(0)
    db.close({ force: false })`
  const run = (how: string) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', source, '--', path, how], { encoding: 'utf8' })
  t.equal(run('exit'), '1000\n')
  rmSync(`${path}-copy`, { recursive: true, force: true })
  t.throws(() => run('end'), /Busy: The database has 1 open iterators, 1 open WAL iterators, 3 pending promises/)
  const db = RocksDB.open(path, OPTIONS)
  t.equal(db.latestSequence(), 2000)
  db.close()
  t.end()
})

test('handles that are forgotten are collected without harm', async (t) => {
  const file = fileURLToPath(ROCKSDB)
  const path = join(temporaryDirectory(t), 'db')
  const source = `
    import { RocksDB } from ${JSON.stringify(file)}
    import { OPTIONS, put } from ${JSON.stringify(new URL('./support.js', import.meta.url).href)}
    import { setImmediate as turn } from 'node:timers/promises'
    const path = process.argv[1]
    function useAndForget() {
      const db = RocksDB.open(path, OPTIONS)
      put(db, 0, ['a', '1'])
      db.setListener(() => {})
      const wal = db.updatesSince(1)
      wal.next(1)
      db.snapshot()
      db.iterator({ cf: 0 }).next()
    }
    useAndForget()
    for (let i = 0; i < 20; i++) { globalThis.gc(); await turn() }
    RocksDB.open(path, OPTIONS).close()
    const db = RocksDB.open(path, OPTIONS)
    for (let i = 0; i < 1000; i++) db.snapshot()
    for (let i = 0; i < 20; i++) { globalThis.gc(); await turn() }
    console.log(Number(db.intProperty(0, 'rocksdb.num-snapshots')))
    db.close()`
  const out = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', source, '--', path], {
    encoding: 'utf8',
  })
  t.ok(Number(out) < 1000, `${out} snapshots are left`)
})

test('an idle listener does not keep the process alive', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const source = `
    import { RocksDB } from ${JSON.stringify(ROCKSDB.href)}
    import { OPTIONS } from ${JSON.stringify(new URL('./support.js', import.meta.url).href)}
    RocksDB.open(process.argv[1], OPTIONS).setListener(() => {})`
  execFileSync(process.execPath, ['--input-type=module', '-e', source, '--', path], { timeout: 180_000 })
  t.pass('it ended')
  t.end()
})

test('a read-only database reads and refuses writes', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const writer = RocksDB.open(path, OPTIONS)
  put(writer, DEFAULT, ['a', '1'])
  const reader = RocksDB.openReadOnly(path, OPTIONS)
  t.equal(readText(reader, DEFAULT, 'a'), '1')
  t.throws(() => put(reader, DEFAULT, ['a', '2']), { code: 'NotSupported' })
  put(writer, DEFAULT, ['a', '2'])
  t.equal(readText(reader, DEFAULT, 'a'), '1', 'as it was when it was opened')
  reader.close()
  writer.close()
  t.end()
})

test('a secondary catches up with its primary', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'db')
  const primary = RocksDB.open(path, OPTIONS)
  put(primary, DEFAULT, ['a', '1'])
  const secondary = RocksDB.openAsSecondary(path, join(directory, 'secondary'), OPTIONS)
  t.equal(readText(secondary, DEFAULT, 'a'), '1')
  put(primary, DEFAULT, ['a', '2'])
  t.equal(readText(secondary, DEFAULT, 'a'), '1')
  await secondary.tryCatchUpWithPrimary()
  t.equal(readText(secondary, DEFAULT, 'a'), '2')
  secondary.close()
  primary.close()
})

test('destroyDatabase removes a database, and does nothing where there is none', (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  put(db, DEFAULT, ['a', '1'])
  t.throws(() => destroyDatabase(path), { code: 'IOError' }, 'not an open one')
  db.close()
  destroyDatabase(path)
  t.throws(() => RocksDB.openReadOnly(path, OPTIONS), { name: 'RocksDBError' })
  destroyDatabase(path)
  t.end()
})
