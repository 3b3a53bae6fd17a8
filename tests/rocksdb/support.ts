import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RocksDBEvent } from '../../src/rocksdb/events.js'
import type { ColumnFamilySpec, RocksDBOptions } from '../../src/rocksdb/open-options.js'
import { RocksDB } from '../../src/rocksdb/rocksdb.js'

/** Kvrocks's families in the order of their ids. */
export const FAMILIES: readonly ColumnFamilySpec[] = [
  { name: 'default', filter: 'subkey', collector: 'default', sharesBlockCache: true },
  { name: 'metadata', filter: 'metadata', collector: 'metadata', sharesBlockCache: true, memtableBloom: true },
  { name: 'zset_score', filter: 'subkey', collector: 'default', sharesBlockCache: true },
  { name: 'pubsub', filter: 'pubsub', sharesBlockCache: false },
  { name: 'propagate', filter: 'propagate', sharesBlockCache: false },
  { name: 'stream', filter: 'subkey', collector: 'default', sharesBlockCache: true },
  { name: 'search', filter: 'search', sharesBlockCache: false },
  { name: 'index', filter: 'index', sharesBlockCache: false },
]

export const OPTIONS: RocksDBOptions = { columnFamilies: FAMILIES, blockCacheBytes: 8 * 1024 * 1024 }

export const DEFAULT = 0
export const METADATA = 1

export interface TestContext {
  teardown(handler: () => void): void
}

/** A directory that the test's end removes. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rocksdb-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** `section name` to value of the OPTIONS file that RocksDB wrote last for the database at `path`. */
export function writtenOptions(path: string): ReadonlyMap<string, string> {
  const newest = readdirSync(path)
    .filter((name) => name.startsWith('OPTIONS-'))
    .toSorted()
    .at(-1)!
  const values = new Map<string, string>()
  let section = ''
  for (const line of readFileSync(join(path, newest), 'utf8').split('\n')) {
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section
    const pair = /^\s+(\w+)=(.*)$/.exec(line)
    if (pair) values.set(`${section} ${pair[1]}`, pair[2]!)
  }
  return values
}

/** A database in a temporary directory, closed at the test's end. */
export function openDatabase(t: TestContext, options: Partial<RocksDBOptions> = {}): RocksDB {
  const directory = temporaryDirectory(t)
  const db = RocksDB.open(join(directory, 'db'), { ...OPTIONS, ...options })
  t.teardown(() => db.close({ force: true }))
  return db
}

export type Row = readonly [key: string | Buffer, value: string | Buffer]

/** A serialized WriteBatch of puts (with a value) and deletes (undefined) in one family. Format: rocksdb/write_batch.cc. */
export function batchOf(
  cf: number,
  rows: readonly (readonly [string | Buffer, string | Buffer | undefined])[],
): Buffer {
  const parts: Buffer[] = []
  for (const [key, value] of rows) {
    const tag = value === undefined ? (cf ? 4 : 0) : cf ? 5 : 1
    parts.push(Buffer.from(cf ? [tag, cf] : [tag]), sized(key))
    if (value !== undefined) parts.push(sized(value))
  }
  const header = Buffer.alloc(12)
  header.writeUInt32LE(rows.length, 8)
  return Buffer.concat([header, ...parts])
}

/** varint32 length and bytes. */
function sized(bytes: string | Buffer): Buffer {
  const body = Buffer.from(bytes as string)
  const length: number[] = []
  let rest = body.length
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80)
  length.push(rest)
  return Buffer.concat([Buffer.from(length), body])
}

export function put(db: RocksDB, cf: number, ...rows: Row[]): void {
  const batch = batchOf(cf, rows)
  db.write(batch, batch.length, 0)
}

export function remove(db: RocksDB, cf: number, ...keys: (string | Buffer)[]): void {
  const batch = batchOf(
    cf,
    keys.map((key) => [key, undefined] as const),
  )
  db.write(batch, batch.length, 0)
}

/** read() with a key of text; the value as text, or the negative result. */
export function readText(db: RocksDB, cf: number, key: string, snapshotId = 0): string | number {
  const keyLength = db.keyBuffer.write(key, 'latin1')
  const length = db.read(cf, keyLength, snapshotId)
  if (length < 0) return length
  return length <= db.valueBuffer.length
    ? db.valueBuffer.toString('latin1', 0, length)
    : db.takeValue().toString('latin1')
}

/** The next event of a kind. Keeps the process alive for it, as listeners themselves do not. */
export function nextEvent<Kind extends RocksDBEvent['kind']>(
  db: RocksDB,
  kind: Kind,
): Promise<Extract<RocksDBEvent, { kind: Kind }>> {
  const alive = setInterval(() => {}, 1000)
  return new Promise((resolve) => {
    db.setListener((event) => {
      if (event.kind !== kind) return
      clearInterval(alive)
      resolve(event as Extract<RocksDBEvent, { kind: Kind }>)
    })
  })
}
