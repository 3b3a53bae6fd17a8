/** Streams whose metadata or counters Kvrocks let differ from their rows. */
import { test } from 'tap'
import { makeId } from '../../src/types/stream/ids.js'
import { type OpenStream, openStream, saveStream } from '../../src/types/stream/rows.js'
import type { RawClient } from '../support/raw-client.js'
import { startServer, type TestServer } from '../support/server.js'

function streamOf(s: TestServer): OpenStream {
  const stream = openStream(s.server.defaultDatabase, Buffer.from('s'))
  if (stream === undefined) throw new Error('the stream exists')
  return stream
}

async function add(client: RawClient, from: number, to: number): Promise<void> {
  for (let id = from; id <= to; id++) client.send('xadd', 's', id, 'f', 'v')
  for (let id = from; id <= to; id++) await client.nextReply()
}

async function ids(client: RawClient): Promise<unknown[]> {
  return ((await client.value('xrange', 's', '-', '+')) as [string][]).map(([id]) => id)
}

/** As Kvrocks's XDEL 2 1 of the entries 1 to 3: it takes for the first one what it has just deleted. */
async function leaveFirstId(s: TestServer, client: RawClient): Promise<void> {
  await add(client, 3, 3)
  const stream = streamOf(s)
  stream.firstId = makeId(2, 0)
  stream.maxDeletedId = makeId(2, 0)
  stream.entriesAdded = 3
  saveStream(stream)
}

test('XDEL of the last entry empties a stream with a deleted entry as its first', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await leaveFirstId(s, client)
  t.equal(await client.value('xdel', 's', 3), 1)
  t.equal(await client.value('xlen', 's'), 0)
  await add(client, 4, 4)
  t.equal(await client.value('xtrim', 's', 'maxlen', 1), 0)
  t.same(await ids(client), ['4-0'])
})

test('XDEL finds the first and the last entry anew where they are said to be deleted ones', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await leaveFirstId(s, client)
  await add(client, 4, 6)
  const stream = streamOf(s)
  stream.lastEntryId = makeId(7, 0)
  saveStream(stream)
  t.equal(await client.value('xdel', 's', 4), 1)
  t.match(streamOf(s), { firstId: makeId(3, 0), lastEntryId: makeId(6, 0) })
  t.equal(await client.value('xlen', 's'), 3)
})
