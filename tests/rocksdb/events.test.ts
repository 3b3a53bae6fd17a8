import { test } from 'tap'
import { type RocksDBEvent, toEvent } from '../../src/rocksdb/events.js'
import { DEFAULT, nextEvent, openDatabase, put, readText } from './support.js'

/** Everything that is told until `last`. */
async function eventsUntil(
  listen: (listener: (event: RocksDBEvent) => void) => void,
  last: RocksDBEvent['kind'],
  act: () => Promise<unknown>,
): Promise<RocksDBEvent[]> {
  const events: RocksDBEvent[] = []
  const alive = setInterval(() => {}, 1000)
  const done = new Promise<void>((resolve) =>
    listen((event) => {
      events.push(event)
      if (event.kind === last) resolve()
    }),
  )
  await act()
  await done
  clearInterval(alive)
  return events
}

test('a flush tells that it begins, creates its file and ends', async (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'], ['b', '2'])
  const events = await eventsUntil(
    (listener) => db.setListener(listener),
    'flushCompleted',
    () => db.flush(DEFAULT),
  )
  t.strictSame(
    events.map(({ kind }) => kind),
    ['flushBegin', 'tableFileCreated', 'flushCompleted'],
  )
  t.match(events[1], { columnFamily: 'default', reason: 'flush', status: 'OK', file: /\.sst$/ })
  t.match(events[2], {
    columnFamily: 'default',
    reason: 'Manual Flush',
    smallestSequence: 1,
    largestSequence: 2,
    slowsWrites: false,
    stopsWrites: false,
  })
})

test('a compaction tells its reason, sizes and compression, and which files it deletes', async (t) => {
  const db = openDatabase(t, { compression: 'zstd', compressionStartLevel: 0 })
  put(db, 4, ['a', '1'])
  await db.flush(4)
  put(db, 4, ['a', '2'])
  await db.flush(4)
  const events = await eventsUntil(
    (listener) => db.setListener(listener),
    'tableFileDeleted',
    () => db.compactRange(4),
  )
  const completed = events.find(({ kind }) => kind === 'compactionCompleted')
  t.match(completed, {
    columnFamily: 'propagate',
    reason: 'ManualCompaction',
    isManual: true,
    compression: 'zstd',
    inputFiles: 2,
    outputFiles: 1,
    inputRecords: 2,
    outputRecords: 1,
    status: 'OK',
  })
})

test('a number without a name is unknown', (t) => {
  t.match(toEvent({ kind: 'flushBegin', reason: 1000 }), { reason: 'unknown' })
  t.match(toEvent({ kind: 'compactionBegin', reason: -1, compression: 99 }), {
    reason: 'unknown',
    compression: 'unknown',
  })
  t.end()
})

test('a stall is told when it begins and when it ends', async (t) => {
  const db = openDatabase(t, { level0FileNumCompactionTrigger: 3, level0SlowdownWritesTrigger: 3 })
  const changes = new Set<string>()
  const alive = setInterval(() => {}, 1000)
  const both = new Promise<void>((resolve) =>
    db.setListener((event) => {
      if (event.kind !== 'stallConditionsChanged') return
      changes.add(`${event.columnFamily}: ${event.previous} to ${event.current}`)
      if (changes.size === 2) resolve()
    }),
  )
  for (let i = 0; i < 3; i++) {
    put(db, DEFAULT, [`k${i}`, 'x'])
    await db.flush(DEFAULT)
  }
  await both
  clearInterval(alive)
  // Two threads tell them, in any order.
  t.strictSame([...changes].toSorted(), ['default: delay to normal', 'default: normal to delay'])
})

test('a lack of space is told, refuses writes with a retryable error, leaves reads, and passes', async (t) => {
  const db = openDatabase(t)
  put(db, DEFAULT, ['a', '1'])
  await db.flush()
  db.setSpaceBytesMax(1)
  const failed = nextEvent(db, 'backgroundError')
  put(db, DEFAULT, ['b', '2'])
  await t.rejects(db.flush(), { code: 'IOError', subcode: 'SpaceLimit' })
  t.match(await failed, { reason: 'flush', code: 'IOError', subcode: 'SpaceLimit', retryable: true, ignored: false })
  t.throws(() => put(db, DEFAULT, ['c', '3']), { code: 'IOError', subcode: 'SpaceLimit', retryable: true })
  t.equal(readText(db, DEFAULT, 'a'), '1')
  t.equal(readText(db, DEFAULT, 'b'), '2')
  db.setSpaceBytesMax(0)
  const recovered = nextEvent(db, 'errorRecoveryEnd')
  // RocksDB recovers by itself too, and may be about it.
  await db.resume().catch((error) => t.equal(error.code, 'Busy'))
  t.match(await recovered, { ok: true, status: 'OK', previousStatus: /Max allowed space/ })
  put(db, DEFAULT, ['c', '3'])
  t.equal(readText(db, DEFAULT, 'c'), '3')
})

test('a removed listener hears nothing, and the last one set is the one that hears', async (t) => {
  const db = openDatabase(t)
  const heard: string[] = []
  db.setListener(() => heard.push('first'))
  db.setListener(() => heard.push('second'))
  put(db, DEFAULT, ['a', '1'])
  await db.flush()
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(heard.length > 0 && !heard.includes('first'))
  db.setListener(undefined)
  const count = heard.length
  put(db, DEFAULT, ['b', '1'])
  await db.flush()
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(heard.length, count)
})
