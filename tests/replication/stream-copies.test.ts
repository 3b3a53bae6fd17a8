/** Streams that were copied, as the one command that Redis replicas get. */
import { test } from 'tap'
import { streamCopies } from '../../src/replication/stream-copies.js'
import { startServer } from '../support/server.js'

test('a copied stream keeps what is pending for a consumer with the empty name', async (t) => {
  await using s = await startServer()
  for (const id of [1, 2]) await s.run('xadd', 'x', id, 'f', 'v')
  await s.run('xgroup', 'create', 'x', 'g', 0)
  await s.run('xreadgroup', 'group', 'g', '', 'count', 1, 'streams', 'x', '>')
  await s.run('xreadgroup', 'group', 'g', 'c', 'streams', 'x', '>')
  const before = s.server.store.latestSequence()
  t.equal(await s.run('copy', 'x', 'y'), ':1\r\n')
  using updates = s.server.store.rocks.updatesSince(before + 1)
  const { copies } = streamCopies(updates.next(1)[0]?.data as Buffer, false)
  t.equal(copies.length, 1)
  await s.run('del', 'y')
  t.equal(await s.run(...(copies[0]?.command ?? [])), '+OK\r\n')
  t.equal(await s.run('xpending', 'y', 'g'), await s.run('xpending', 'x', 'g'))
  t.match(await s.run('xpending', 'y', 'g'), /^\*4\r\n:2\r\n/)
})
