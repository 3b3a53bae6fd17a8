import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import type { ArchivedWal } from '../../src/storage/wal-archive.js'
import { type Demand, type HoldLoss, judge, type RetentionPolicy } from '../../src/storage/wal-retention.js'
import { archived, archiveOne, NO_ARCHIVE } from '../support/logged-writes.js'
import { startServer, type TestServer, type TestServerOptions } from '../support/server.js'

const NOW_MS = 1_800_000_000_000
const NO_LIMITS = { bytesMax: Number.POSITIVE_INFINITY, ageMsMax: Number.POSITIVE_INFINITY }
const KEEPS_NOTHING: RetentionPolicy = {
  ttlMs: Number.POSITIVE_INFINITY,
  sizeBytesMax: 0,
  heldBytesMax: Number.POSITIVE_INFINITY,
  freeBytesMin: 0,
}

/** Five files of 100 bytes and 10 sequences each, written 50, 40, … 10 seconds ago. */
const FILES: ArchivedWal[] = [1, 2, 3, 4, 5].map((n) => ({
  logNumber: n,
  startSequence: n * 10,
  endSequence: n * 10 + 9,
  bytes: 100,
  writtenAtMs: NOW_MS - (6 - n) * 10_000,
}))

function outcome(policy: Partial<RetentionPolicy>, holders: readonly Demand[] = [], freeBytes = 0) {
  const { removed, lost } = judge(FILES, holders, { ...KEEPS_NOTHING, ...policy }, NOW_MS, () => freeBytes)
  return [removed, holders.map((holder) => lost.get(holder) ?? 'kept')]
}

const at = (sequence: number, limits = {}): Demand => ({ sequence, limits: { ...NO_LIMITS, ...limits } })

test('age and size keep the newest files, and without holders all others go', async (t) => {
  t.same(outcome({}), [5, []])
  t.same(outcome({ sizeBytesMax: 200 }), [3, []])
  t.same(outcome({ sizeBytesMax: 1e9, ttlMs: 30_000 }), [2, []])
  t.same(outcome({ sizeBytesMax: 200, ttlMs: 40_000 }), [3, []], 'the narrower one decides')
})

test('a holder keeps the file of the next sequence and all newer ones', async (t) => {
  t.same(outcome({}, [at(34)]), [2, ['kept']])
  t.same(outcome({}, [at(39)]), [3, ['kept']], 'the last one of a file was read')
  t.same(outcome({}, [at(59)]), [5, ['kept']], 'nothing archived is needed')
  t.same(outcome({}, [at(45), at(20)]), [1, ['kept', 'kept']], 'the one farthest behind decides')
})

test('a holder past its own limits is lost, and no other', async (t) => {
  t.same(outcome({}, [at(15, { bytesMax: 499 }), at(45)]), [3, ['bytes', 'kept']])
  t.same(outcome({}, [at(15, { bytesMax: 500 })]), [0, ['kept']])
  t.same(outcome({}, [at(25, { ageMsMax: 39_999 }), at(15)]), [0, ['age', 'kept']])
  t.same(outcome({}, [at(25, { ageMsMax: 40_000 })]), [1, ['kept']])
  t.same(outcome({ sizeBytesMax: 500 }, [at(15, { bytesMax: 100 })]), [0, ['bytes']], 'whatever is kept for others')
  t.same(outcome({}, [at(5)]), [5, ['missing']], 'its next sequence is gone')
})

test('past the common limits those that are farthest behind lose, where that frees a file', async (t) => {
  const holders = [at(15), at(25), at(26), at(45)]
  t.same(outcome({ heldBytesMax: 500 }, holders), [0, ['kept', 'kept', 'kept', 'kept']])
  t.same(outcome({ heldBytesMax: 499 }, holders), [1, ['total', 'kept', 'kept', 'kept']])
  t.same(outcome({ heldBytesMax: 399 }, holders), [3, ['total', 'total', 'total', 'kept']])
  t.same(outcome({ heldBytesMax: 1, sizeBytesMax: 300 }, holders), [2, ['total', 'total', 'total', 'kept']])
  t.same(outcome({ freeBytesMin: 1000 }, holders, 1000), [0, ['kept', 'kept', 'kept', 'kept']])
  t.same(outcome({ freeBytesMin: 1000 }, holders, 900), [1, ['disk', 'kept', 'kept', 'kept']])
  t.same(outcome({ freeBytesMin: 1000 }, holders, 0), [5, ['disk', 'disk', 'disk', 'disk']])
})

/** A server that removes files when it is told so, not by the clock. */
async function start(options?: TestServerOptions): Promise<TestServer> {
  const s = await startServer(options)
  s.server.cron.stop()
  return s
}

test('what a holder has not read can be read, and goes when it has', async (t) => {
  await using s = await start({ config: NO_ARCHIVE })
  const { retention, wal } = s.server.store
  const pruned: number[] = []
  retention.pruneListeners.add((oldest) => pruned.push(oldest))
  const hold = retention.hold({ name: 'reader', sequence: 1, limits: () => NO_LIMITS })
  for (let i = 0; i < 4; i++) await archiveOne(s)
  retention.prune(s.server.nowMs())
  t.equal(wal.range(s.server.nowMs()).oldest, 2)
  t.equal(archived(s).length, 3)
  t.ok(hold.heldBytes > 3000)
  hold.advance(3)
  hold.advance(2)
  t.equal(hold.sequence, 3)
  retention.prune(s.server.nowMs())
  t.equal(wal.range(s.server.nowMs()).oldest, 4)
  hold.release()
  retention.prune(s.server.nowMs())
  await retention.settled()
  t.same(readdirSync(join(s.server.config.paths.db, 'archive')), [])
  t.same(pruned, [2, 4, 5])
})

test('a reader that has a file open reads it to its end although it is removed', async (t) => {
  await using s = await start({ config: NO_ARCHIVE })
  const { rocks, retention } = s.server.store
  for (let i = 0; i < 10; i++) await s.run('set', 'k', 'x'.repeat(100_000))
  await archiveOne(s)
  using reader = rocks.updatesSince(1)
  t.equal(reader.next(1)[0]?.sequence, 1)
  retention.prune(s.server.nowMs())
  await retention.settled()
  t.same(archived(s), [])
  t.same(
    reader.next(100).map(({ sequence }) => sequence),
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  )
})

test('a holder is told once that it is lost, and its files go', async (t) => {
  await using s = await start({ config: NO_ARCHIVE })
  const { retention } = s.server.store
  const losses: HoldLoss[] = []
  const onLost = (loss: HoldLoss): void => void losses.push(loss)
  const limits = { bytesMax: 2000, ageMsMax: Number.POSITIVE_INFINITY }
  const hold = retention.hold({ name: 'slow', sequence: 0, limits: () => limits, onLost })
  const other = retention.hold({ name: 'swift', sequence: 2, limits: () => limits, onLost })
  await archiveOne(s)
  retention.prune(s.server.nowMs())
  t.equal(hold.loss, undefined)
  await archiveOne(s)
  await archiveOne(s)
  for (let i = 0; i < 2; i++) retention.prune(s.server.nowMs())
  t.same(losses, [{ reason: 'bytes', sequence: 1 }])
  t.same([hold.loss, hold.heldBytes, other.loss, archived(s).length], [losses[0], 0, undefined, 1])
})

test('the time to live is that since the last write, also after a restart', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const config = { 'rocksdb.wal_ttl_seconds': 60, 'rocksdb.wal_size_limit_mb': 0 }
  {
    await using s = await start({ dir, config, nowMs: NOW_MS })
    await archiveOne(s)
    for (const name of archived(s)) {
      utimesSync(join(s.server.config.paths.db, 'archive', name), NOW_MS / 1000, NOW_MS / 1000)
    }
  }
  await using s = await start({ dir, config, nowMs: NOW_MS })
  const { retention, wal } = s.server.store
  s.advance(60_000)
  retention.prune(s.server.nowMs())
  t.equal(wal.range(s.server.nowMs()).oldest, 1)
  s.advance(1)
  retention.prune(s.server.nowMs())
  t.equal(wal.range(s.server.nowMs()).oldest, 2)
})

test('CONFIG SET changes how long the log is kept', async (t) => {
  await using s = await start()
  const { retention } = s.server.store
  for (let i = 0; i < 3; i++) await archiveOne(s)
  retention.prune(s.server.nowMs())
  t.equal(archived(s).length, 3)
  t.equal(await s.run('config', 'set', 'rocksdb.wal_ttl_seconds', 0), '+OK\r\n')
  t.equal(await s.run('config', 'set', 'rocksdb.wal_size_limit_mb', 0), '+OK\r\n')
  retention.prune(s.server.nowMs())
  t.equal(archived(s).length, 0)
})

test('nothing goes while a checkpoint is being made', async (t) => {
  await using s = await start({ config: NO_ARCHIVE })
  const { rocks, retention } = s.server.store
  await archiveOne(s)
  const made = rocks.checkpoint(join(s.dir, 'copy'))
  retention.prune(s.server.nowMs())
  t.equal(archived(s).length, 1)
  await made
  retention.prune(s.server.nowMs())
  t.equal(archived(s).length, 0)
})

test('compressed files of the log are kept and removed like others', async (t) => {
  await using s = await start({ config: { ...NO_ARCHIVE, 'rocksdb.wal_compression': 'zstd' } })
  const { retention, wal } = s.server.store
  const hold = retention.hold({ name: 'reader', sequence: 1, limits: () => NO_LIMITS })
  for (let i = 0; i < 3; i++) await archiveOne(s)
  retention.prune(s.server.nowMs())
  t.equal(wal.range(s.server.nowMs()).oldest, 2)
  hold.release()
  retention.prune(s.server.nowMs())
  t.equal(archived(s).length, 0)
})
