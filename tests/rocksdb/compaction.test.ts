/** What compaction drops and what files say about their rows, against the vectors of tests/format. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { RocksDB, setFilterClock } from '../../src/rocksdb/rocksdb.js'
import {
  batchOf,
  DEFAULT,
  FAMILIES,
  METADATA,
  nextEvent,
  OPTIONS,
  openDatabase,
  put,
  remove,
  temporaryDirectory,
} from './support.js'

interface Row {
  readonly family: string
  readonly key: string
  readonly value: string
  readonly kept: boolean
}

interface Scenario {
  readonly name: string
  readonly nowMs: number
  readonly slotEncoded?: boolean
  readonly rows: readonly Row[]
}

const VECTORS = new URL('../../../tests/format/compaction.json', import.meta.url)
const { scenarios } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { scenarios: Scenario[] }

const indexOf = (family: string) => FAMILIES.findIndex(({ name }) => name === family)
const describe = ({ family, key }: Row) => `${family} ${Buffer.from(key, 'hex').toString('latin1')}`

function write(db: RocksDB, rows: readonly Row[]): void {
  for (const { family, key, value } of rows) {
    put(db, indexOf(family), [Buffer.from(key, 'hex'), Buffer.from(value, 'hex')])
  }
}

function present(db: RocksDB, rows: readonly Row[]): string[] {
  return rows.filter(({ family, key }) => db.get(indexOf(family), Buffer.from(key, 'hex'))).map(describe)
}

/** All of every family, the metadata last. */
async function compactAll(db: RocksDB): Promise<void> {
  const families = [...FAMILIES.keys()].filter((cf) => cf !== METADATA)
  for (const cf of [...families, METADATA]) await db.compactRange(cf, { bottommost: 'force' })
}

for (const { name, nowMs, slotEncoded = false, rows } of scenarios) {
  test(name, async (t) => {
    const db = openDatabase(t, { slotEncoded, disableAutoCompactions: true })
    setFilterClock(nowMs)
    t.teardown(() => setFilterClock(undefined))
    write(db, rows)
    t.equal(present(db, rows).length, rows.length)
    await compactAll(db)
    t.strictSame(present(db, rows), rows.filter(({ kept }) => kept).map(describe))
    for (const { family, key, value, kept } of rows) {
      if (kept) t.equal(db.get(indexOf(family), Buffer.from(key, 'hex'))?.toString('hex'), value)
    }
  })
}

test('the same is dropped where values stand in blob files', async (t) => {
  const { nowMs, rows } = scenarios.find(({ name }) => name.startsWith('a bitmap loses'))!
  const others = scenarios.find(({ name }) => name === 'sub-keys in default follow their metadata')!
  const fields = scenarios.find(({ name }) => name.startsWith('an expired field'))!
  for (const vectors of [rows, others.rows, fields.rows]) {
    const db = openDatabase(t, { enableBlobFiles: true, minBlobBytes: 1, disableAutoCompactions: true })
    setFilterClock(nowMs)
    write(db, vectors)
    await compactAll(db)
    t.strictSame(present(db, vectors), vectors.filter(({ kept }) => kept).map(describe))
  }
  setFilterClock(undefined)
})

test('what expires after the time that is set is kept, and what is empty is not', async (t) => {
  const db = openDatabase(t, { reclaimBeforeMs: 0, disableAutoCompactions: true })
  const expired = scenarios.find(({ name }) => name.startsWith('an expired field'))!
  setFilterClock(expired.nowMs)
  t.teardown(() => setFilterClock(undefined))
  const empty: Row = { family: 'metadata', key: '0161', value: `82${'00'.repeat(24)}`, kept: false }
  write(db, [...expired.rows, empty])
  await compactAll(db)
  t.strictSame(present(db, expired.rows), expired.rows.map(describe))
  t.strictSame(present(db, [empty]), [])
  db.setReclaimBefore(expired.nowMs)
  await compactAll(db)
  t.strictSame(present(db, expired.rows), expired.rows.filter(({ kept }) => kept).map(describe))
})

test('filters keep everything they cannot look up while the database opens', async (t) => {
  const path = join(temporaryDirectory(t), 'db')
  const { nowMs, rows } = scenarios.find(({ name }) => name === 'sub-keys in default follow their metadata')!
  setFilterClock(nowMs)
  const first = RocksDB.open(path, OPTIONS)
  write(first, rows)
  first.close()
  const second = RocksDB.open(path, OPTIONS)
  t.equal(present(second, rows).length, rows.length)
  await compactAll(second)
  t.strictSame(present(second, rows), rows.filter(({ kept }) => kept).map(describe))
  second.close()
  setFilterClock(undefined)
})

const userProperties = async (db: RocksDB, cf: number) => {
  const [table] = await db.tableProperties(cf)
  return Object.fromEntries(
    ['total_keys', 'deleted_keys', 'start_key', 'stop_key'].map((name) => [
      name,
      table?.user[name]?.toString('latin1'),
    ]),
  )
}

test('a file of sub-keys counts its rows and deletions, and names its first and last key', async (t) => {
  const db = openDatabase(t, { disableAutoCompactions: true })
  put(db, DEFAULT, ['b', '1'], ['a', '1'], ['d', '1'])
  remove(db, DEFAULT, 'c')
  await db.flush(DEFAULT)
  t.strictSame(await userProperties(db, DEFAULT), { total_keys: '4', deleted_keys: '1', start_key: 'a', stop_key: 'd' })
})

test('a file of metadata counts the sizes of collections, and the expired ones as dead', async (t) => {
  const db = openDatabase(t, { disableAutoCompactions: true })
  setFilterClock(1_700_000_000_000)
  t.teardown(() => setFilterClock(undefined))
  const hash = (expireMs: number, size: number) => {
    const value = Buffer.alloc(25)
    value[0] = 0x82
    value.writeBigUInt64BE(BigInt(expireMs), 1)
    value.writeBigUInt64BE(BigInt(size), 17)
    return value
  }
  const string = Buffer.from('810000000000000001ff', 'hex')
  put(db, METADATA, ['1 alive', hash(0, 10)], ['2 expired', hash(1, 5)], ['3 string', string], ['4 short', 'x'])
  remove(db, METADATA, '5 deleted')
  await db.flush(METADATA)
  t.strictSame(await userProperties(db, METADATA), {
    total_keys: String(5 + 10 + 5),
    deleted_keys: String(6 + 1 + 1),
    start_key: '1 alive',
    stop_key: '5 deleted',
  })
})

test('families without a collector have no such properties', async (t) => {
  const db = openDatabase(t)
  put(db, 3, ['channel', 'message'])
  await db.flush(3)
  const tables = await db.tableProperties(3)
  t.equal(tables.length, 1)
  t.notOk(tables[0]?.user['total_keys'])
  t.equal(tables[0]?.entries, 1)
  t.equal(tables[0]?.columnFamily, 'pubsub')
})

test('a file with more than 30 % of dead rows is compacted by itself', async (t) => {
  const db = openDatabase(t, { extraColumnFamilyOptions: { min_write_buffer_number_to_merge: '1' } })
  const compacted = nextEvent(db, 'compactionCompleted')
  put(db, DEFAULT, ...Array.from({ length: 10 }, (_, i) => [`k${i}`, 'x'] as const))
  await db.flush(DEFAULT)
  const deletions = batchOf(
    DEFAULT,
    Array.from({ length: 5 }, (_, i) => [`k${i}`, undefined]),
  )
  db.write(deletions, deletions.length, 0)
  await db.flush(DEFAULT)
  t.match(await compacted, { reason: 'FilesMarkedForCompaction', columnFamily: 'default', isManual: false })
})
