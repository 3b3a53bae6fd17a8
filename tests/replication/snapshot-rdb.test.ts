/** The file for a Redis replica, as the event loop sees it. */

import { test } from 'tap'
import { SnapshotRdb } from '../../src/replication/snapshot-rdb.js'
import { DEFAULT_NAMESPACE } from '../../src/storage/keys.js'
import { startServer, type TestServer } from '../support/server.js'

const MANY = 20_000
/** Other work gets its turn after so many rows at the latest. */
const ROWS = 4096
const TURNS = Math.floor(MANY / ROWS)

/** How many pieces of the file of all keys have no bytes, and the keys in it. */
function emptyPieces({ server }: TestServer, version: number): { empty: number; keys: number } {
  const { rocks } = server.store
  const snapshot = rocks.snapshot()
  try {
    const file = new SnapshotRdb(server.store.databaseAt(snapshot, DEFAULT_NAMESPACE, server.nowMs()), {
      version,
      aux: {},
    })
    let empty = 0
    for (const { length } of file.pieces()) if (length === 0) empty++
    return { empty, keys: file.keys }
  } finally {
    snapshot.release()
  }
}

test('while the elements of a large collection are counted, others have their turns', async (t) => {
  const many = Array.from({ length: MANY }, (_, index) => index)
  for (const [words, version, walks] of [
    [['sadd', 'k', ...many], 10, 1],
    [['rpush', 'k', ...many], 10, 1],
    [['zadd', 'k', ...many.flatMap((i) => [i, i])], 10, 1],
    [['hset', 'k', ...many.flatMap((i) => [i, 'v'])], 10, 1],
    // Once more to see whether fields expire.
    [['hset', 'k', ...many.flatMap((i) => [i, 'v'])], 12, 2],
  ] as const) {
    await using s = await startServer()
    await s.run(...words)
    t.same(emptyPieces(s, version), { empty: TURNS * walks, keys: 1 }, `${words[0]}, RDB version ${version}`)
  }
  await using s = await startServer()
  const client = await s.connect()
  for (const i of many) client.send('xadd', 'k', `${i + 1}-1`, 'f', 'v')
  for (const _ of many) await client.nextReply()
  t.same(emptyPieces(s, 10), { empty: TURNS, keys: 1 }, 'xadd')
})

test('while keys that have expired are passed over, others have their turns', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (let i = 0; i < MANY; i++) client.send('set', i, 'v', 'px', 1)
  for (let i = 0; i < MANY; i++) await client.nextReply()
  s.advance(1000)
  t.same(emptyPieces(s, 10), { empty: TURNS, keys: 0 })
})
