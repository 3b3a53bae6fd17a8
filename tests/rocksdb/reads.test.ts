import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { RocksDBError } from '../../src/rocksdb/errors.js'
import { READ_TIER_BLOCK_CACHE, READ_TIER_PAGE_CACHE } from '../../src/rocksdb/read-tier.js'
import { RocksDB } from '../../src/rocksdb/rocksdb.js'
import { DEFAULT, METADATA, OPTIONS, openDatabase, put, readText, remove, temporaryDirectory } from './support.js'

const key = (text: string) => Buffer.from(text)

test('read tells an absent key from an empty value and keeps families apart', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'], ['empty', ''])
  put(db, METADATA, ['a', 'other'])
  t.equal(readText(db, DEFAULT, 'a'), '1')
  t.equal(readText(db, METADATA, 'a'), 'other')
  t.equal(readText(db, DEFAULT, 'empty'), '')
  t.equal(readText(db, DEFAULT, 'absent'), -1)
  remove(db, DEFAULT, 'a')
  t.equal(readText(db, DEFAULT, 'a'), -1)
  t.end()
})

test('the empty key is a key', (t) => {
  const db = openDatabase(t)
  t.equal(readText(db, DEFAULT, ''), -1)
  put(db, DEFAULT, ['', 'x'])
  t.equal(readText(db, DEFAULT, ''), 'x')
  t.strictSame(db.get(DEFAULT, key('')), key('x'))
  t.strictSame(db.multiGet(DEFAULT, [key('')]), [key('x')])
  t.end()
})

test('a value that fills the value buffer is read in place, a longer one is taken', (t) => {
  const db = openDatabase(t)
  const fits = Buffer.alloc(db.valueBuffer.length, 'f')
  const long = Buffer.alloc(db.valueBuffer.length + 1, 'l')
  put(db, DEFAULT, ['fits', fits], ['long', long])
  t.equal(db.read(DEFAULT, db.keyBuffer.write('fits')), fits.length)
  t.ok(db.valueBuffer.equals(fits))
  db.valueBuffer.fill(0)
  t.equal(db.read(DEFAULT, db.keyBuffer.write('long')), long.length)
  t.ok(db.takeValue().equals(long))
  t.equal(db.takeValue().length, 0, 'it is taken once')
  t.end()
})

test('get takes keys and values longer than the bound buffers', (t) => {
  const db = openDatabase(t)
  const longKey = Buffer.alloc(100_000, 'k')
  const value = Buffer.alloc(5_000_000, 'v')
  put(db, DEFAULT, [longKey, value])
  t.ok(db.get(DEFAULT, longKey)?.equals(value))
  t.equal(db.get(DEFAULT, Buffer.alloc(100_001, 'k')), undefined)
  t.ok(db.multiGet(DEFAULT, [longKey])[0]?.equals(value))
  t.throws(() => db.read(DEFAULT, db.keyBuffer.length + 1), TypeError)
  t.end()
})

test('multiGet answers in the order of its keys, the same key twice included', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'], ['b', ''], ['c', '3'])
  const values = db.multiGet(DEFAULT, ['c', 'absent', 'b', 'a', 'c'].map(key), { asyncIo: true })
  t.strictSame(values, [key('3'), undefined, key(''), key('1'), key('3')])
  t.strictSame(db.multiGet(DEFAULT, []), [])
  t.end()
})

test('a thousand keys by one multiGet, half of them absent', (t) => {
  const db = openDatabase(t)
  const keys = Array.from({ length: 1000 }, (_, i) => key(`key-${i}`))
  put(db, DEFAULT, ...keys.filter((_, i) => i % 2 === 0).map((k) => [k, `value of ${k}`] as const))
  const values = db.multiGet(DEFAULT, keys)
  t.strictSame(
    values,
    keys.map((k, i) => (i % 2 === 0 ? key(`value of ${k}`) : undefined)),
  )
  t.end()
})

test('a snapshot goes on seeing what was there when it was taken', (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', 'old'], ['gone', 'x'])
  const snapshot = db.snapshot()
  put(db, DEFAULT, ['a', 'new'], ['b', 'new'])
  remove(db, DEFAULT, 'gone')
  t.equal(snapshot.sequence, 2)
  t.equal(readText(db, DEFAULT, 'a', snapshot.id), 'old')
  t.equal(readText(db, DEFAULT, 'b', snapshot.id), -1)
  t.strictSame(db.get(DEFAULT, key('gone'), { snapshot: snapshot.id }), key('x'))
  t.strictSame(db.multiGet(DEFAULT, [key('a'), key('b')], { snapshot: snapshot.id }), [key('old'), undefined])
  t.equal(readText(db, DEFAULT, 'a'), 'new')
  const { id } = snapshot
  snapshot.release()
  snapshot.release()
  const released = { code: 'InvalidArgument', message: /snapshot has been released/ }
  t.throws(() => readText(db, DEFAULT, 'a', id), released)
  t.throws(() => db.get(DEFAULT, key('a'), { snapshot: id }), released)
  t.throws(() => db.multiGet(DEFAULT, [key('a')], { snapshot: id }), released)
  t.end()
})

test('a read limited to memory finds the memtable and says what is only on disk', async (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['flushed', '1'])
  await db.flush()
  put(db, DEFAULT, ['fresh', '2'])
  db.clearBlockCache()
  const inMemory = (name: string) => db.read(DEFAULT, db.keyBuffer.write(name), 0, READ_TIER_BLOCK_CACHE)
  t.equal(inMemory('fresh'), 1)
  t.equal(inMemory('flushed'), -2)
  const options = { readTier: READ_TIER_BLOCK_CACHE } as const
  t.throws(() => db.get(DEFAULT, key('flushed'), options), { code: 'Incomplete' })
  t.throws(() => db.multiGet(DEFAULT, [key('fresh'), key('flushed')], options), { code: 'Incomplete' })
  t.equal(readText(db, DEFAULT, 'flushed'), '1')
  t.equal(inMemory('flushed'), 1, 'the read above brought it into the cache')
})

const TMPFS = 0x01021994
const cannotDrop =
  process.platform !== 'linux' || statfsSync(tmpdir()).type === TMPFS
    ? 'only the page cache of a disk can be emptied'
    : false

test('a read limited to the page cache says what is only on disk', { skip: cannotDrop }, async (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const db = RocksDB.open(path, OPTIONS)
  t.teardown(() => db.close({ force: true }))
  put(db, DEFAULT, ...Array.from({ length: 100 }, (_, i): [string, string] => [`k${100 + i}`, 'x'.repeat(4000)]))
  await db.flush()
  const length = (name: string): number => db.read(DEFAULT, db.keyBuffer.write(name), 0, READ_TIER_PAGE_CACHE)
  const count = (): number => {
    using rows = db.iterator({ cf: DEFAULT, readTier: READ_TIER_PAGE_CACHE })
    let found = 0
    while (rows.next()) found++
    return found
  }
  db.clearBlockCache()
  t.equal(length('k100'), 4000, 'it was written just now')
  t.equal(count(), 100)
  const drop = (): void => {
    db.clearBlockCache()
    for (const { name } of db.liveFiles()) {
      execFileSync('dd', [`if=${join(path, name)}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' })
    }
  }
  // Linux fetches what it refuses, so the next look may find it, also where it arrives only after the files were dropped.
  const isRefused = (look: () => boolean): boolean =>
    Array.from({ length: 10 }).some(() => {
      drop()
      return look()
    })
  const isIncomplete = (read: () => unknown): boolean => {
    try {
      read()
      return false
    } catch (error) {
      return (error as RocksDBError).code === 'Incomplete'
    }
  }
  const seek = (): boolean => {
    using rows = db.iterator({ cf: DEFAULT, readTier: READ_TIER_PAGE_CACHE })
    rows.seek(key('k150'))
    return rows.next()
  }
  const missing = (): string[] => {
    const keys: Buffer[] = []
    db.multiGetWithin(READ_TIER_PAGE_CACHE, DEFAULT, [key('k100'), key('k150')], keys)
    return keys.map(String)
  }
  t.ok(isRefused(() => length('k100') === -2))
  t.ok(isRefused(() => isIncomplete(() => db.get(DEFAULT, key('k150'), { readTier: READ_TIER_PAGE_CACHE }))))
  t.ok(isRefused(() => isIncomplete(count)))
  t.ok(isRefused(() => isIncomplete(seek)))
  t.ok(isRefused(() => missing().join() === 'k100,k150'))
  t.equal(readText(db, DEFAULT, 'k100'), 'x'.repeat(4000), 'one without limits waits')
  t.equal(length('k100'), 4000)
})

test('threads fetch keys and ranges into memory, and say when they have', async (t) => {
  const db = openDatabase(t)
  const rows = Array.from({ length: 100 }, (_, i): [string, string] => [
    `k${String(i).padStart(3, '0')}`,
    'x'.repeat(4000),
  ])
  put(db, DEFAULT, ...rows)
  await db.flush()
  // Threads that fetch keep no process alive.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  const isInMemory = (name: string): boolean =>
    db.read(DEFAULT, db.keyBuffer.write(name), 0, READ_TIER_BLOCK_CACHE) !== -2
  for (const threads of [1, 4, 2]) {
    db.clearBlockCache()
    db.setFetchThreads(threads)
    t.notOk(isInMemory('k000'))
    await new Promise<void>((done) => db.fetch(DEFAULT, [key('k000'), key('k050'), key('nothing'), key('k099')], done))
    t.same(['k000', 'k050', 'k099', 'k030'].map(isInMemory), [true, true, true, false])
  }
  await new Promise<void>((done) => db.fetch(DEFAULT, [], done))
  db.clearBlockCache()
  const range = { lower: key('k010'), upper: key('k090'), rowsMax: 10 }
  await Promise.all(
    [true, false].map((reverse) => new Promise<void>((done) => db.fetchRange(DEFAULT, { ...range, reverse }, done))),
  )
  t.same(['k010', 'k019', 'k089', 'k080', 'k050', 'k099'].map(isInMemory), [true, true, true, true, false, false])
  const missing: Buffer[] = []
  t.same(db.multiGetWithin(READ_TIER_BLOCK_CACHE, DEFAULT, [key('k010'), key('k050'), key('zzz')], missing), [
    key(rows[10]![1]),
    undefined,
    undefined,
  ])
  t.same(missing.map(String), ['k050'])
})

test('a database closes while threads fetch, and calls nobody any more', async (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  await db.flush()
  db.clearBlockCache()
  const range = { lower: key('a'), upper: undefined, reverse: false, rowsMax: 1000 }
  for (let i = 0; i < 100; i++) {
    db.fetch(DEFAULT, [key('a')], () => t.fail('called after the end'))
    db.fetchRange(DEFAULT, range, () => t.fail('called after the end'))
  }
  db.close()
  await new Promise((done) => setImmediate(done))
  t.pass('closed')
})

test('a column family that does not exist is an error', (t) => {
  const db = openDatabase(t)
  t.throws(() => db.read(9, 1), RocksDBError)
  t.throws(() => db.get(9, key('a')), { code: 'InvalidArgument', message: 'Invalid argument: No such column family' })
  t.throws(() => db.multiGet(9, [key('a')]), RocksDBError)
  t.throws(() => db.iterator({ cf: 9 }), RocksDBError)
  t.end()
})
