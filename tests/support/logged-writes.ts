/** Writes that fill files of the write-ahead log, and the files that RocksDB has archived. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.js'
import type { TestServer } from './server.js'

/** RocksDB's files of the log go as soon as nobody holds them. */
export const NO_ARCHIVE = { 'rocksdb.wal_ttl_seconds': 0, 'rocksdb.wal_size_limit_mb': 0 }

/** Sets the key `k` and has the log go on in another file, the old one archived. Returns the sequence of the write. */
export async function archiveOne(s: TestServer, value = 'x'.repeat(1000)): Promise<number> {
  await s.run('set', 'k', value)
  const newest = (): string | undefined => archived(s).sort().at(-1)
  const before = newest()
  await s.server.store.rocks.flush()
  await eventually(() => (newest() === before ? undefined : true))
  return s.server.store.wal.latest
}

/** The names of archived files. */
export function archived(s: TestServer): string[] {
  const path = join(s.server.config.paths.db, 'archive')
  return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.log')) : []
}
