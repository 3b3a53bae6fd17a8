/** Streams whose metadata or counters Kvrocks let differ from their rows. */
import { test } from 'tap'
import { makeId } from '../../src/types/stream/ids.js'
import {
  type OpenStream,
  openGroup,
  openStream,
  saveConsumer,
  saveGroup,
  saveStream,
} from '../../src/types/stream/rows.js'
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

/** As Kvrocks's XGROUP DESTROY, which takes the rows of `count` entries along and leaves the metadata. */
async function leaveSize(s: TestServer, client: RawClient, count: number): Promise<void> {
  await add(client, 1, count)
  const { rows } = streamOf(s)
  for (let id = 1; id <= count; id++) rows.delete(makeId(id, 0))
}

test('a trim counts the entries of a stream whose size is too large', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await leaveSize(s, client, 10)
  await client.run('xadd', 's', 'maxlen', 10, 11, 'f', 'v')
  t.equal(await client.value('xlen', 's'), 1)
  await client.run('xadd', 's', 'maxlen', 10, 12, 'f', 'v')
  t.same(await ids(client), ['11-0', '12-0'])
  t.equal(await client.value('xlen', 's'), 2)
})

for (const references of ['keepref', 'delref', 'acked']) {
  test(`XTRIM ${references} trims by the entries that there are`, async (t) => {
    await using s = await startServer()
    const client = await s.connect()
    await leaveSize(s, client, 6)
    await add(client, 7, 10)
    await client.run('xgroup', 'create', 's', 'g', '$')
    t.equal(await client.value('xtrim', 's', 'maxlen', 5, references), 0, 'fewer than may stay')
    t.equal(await client.value('xlen', 's'), 4)
    await client.run('del', 's')
    await leaveSize(s, client, 3)
    await add(client, 4, 10)
    await client.run('xgroup', 'create', 's', 'g', '$')
    t.equal(await client.value('xtrim', 's', 'maxlen', 5, references), 2, 'more than may stay')
    t.same(await ids(client), ['6-0', '7-0', '8-0', '9-0', '10-0'])
    t.equal(await client.value('xlen', 's'), 5)
  })

  test(`XTRIM ${references} notices at the end of the entries that the size was too large`, async (t) => {
    await using s = await startServer()
    const client = await s.connect()
    await add(client, 1, 4)
    await client.run('xgroup', 'create', 's', 'g', '$')
    const stream = streamOf(s)
    stream.metadata.size = 10
    saveStream(stream)
    t.equal(await client.value('xtrim', 's', 'maxlen', 3, references), 1)
    t.same(await ids(client), ['2-0', '3-0', '4-0'])
    t.equal(await client.value('xlen', 's'), 3)
    t.equal(await client.value('xtrim', 's', 'maxlen', 0, references), 3)
    t.equal(await client.value('xlen', 's'), 0)
  })
}

test('XPENDING counts what is pending, whatever the counts of the group and its consumers say', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await add(client, 1, 5)
  await client.run('xgroup', 'create', 's', 'g', 0)
  for (const consumer of ['b', 'a', '']) {
    await client.run('xreadgroup', 'group', 'g', consumer, 'count', 2, 'streams', 's', '>')
  }
  const group = openGroup(streamOf(s), Buffer.from('g'))
  if (group === undefined) throw new Error('the group exists')
  group.pending = 0
  saveGroup(group)
  for (const [name, pending] of [
    ['a', 0],
    ['b', 7],
  ] as const) {
    saveConsumer(group, { name: Buffer.from(name), pending, seenMs: 0, activeMs: 0 })
  }
  t.same(await client.value('xpending', 's', 'g'), [
    5,
    '1-0',
    '5-0',
    [
      ['', '1'],
      ['a', '2'],
      ['b', '2'],
    ],
  ])
})

test('XREAD + gives the last entry that there is', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await add(client, 1, 2)
  const stream = streamOf(s)
  stream.lastEntryId = makeId(9, 0)
  stream.lastId = makeId(9, 0)
  saveStream(stream)
  t.same(await client.value('xread', 'streams', 's', '+'), [['s', [['2-0', ['f', 'v']]]]])
  stream.rows.delete(makeId(1, 0))
  stream.rows.delete(makeId(2, 0))
  t.equal(await client.run('xread', 'streams', 's', '+'), '*-1\r\n')
})
