import { test } from 'tap'
import type { RawClient } from '../support/raw-client.js'
import { countRowReads } from '../support/row-reads.js'
import { startServer } from '../support/server.js'

/** Entries 1 to 4; group g was given 1 to 3 and holds 2 and 3, group h was given 1 and 2 and holds both. */
async function prepare(client: RawClient): Promise<void> {
  for (const id of [1, 2, 3, 4]) await client.run('xadd', 's', id, 'f', 'v')
  for (const group of ['g', 'h']) await client.run('xgroup', 'create', 's', group, 0)
  await client.run('xreadgroup', 'group', 'g', 'c', 'count', 3, 'streams', 's', '>')
  await client.run('xreadgroup', 'group', 'h', 'd', 'count', 2, 'streams', 's', '>')
  await client.run('xack', 's', 'g', 1)
}

async function ids(client: RawClient): Promise<unknown[]> {
  return ((await client.value('xrange', 's', '-', '+')) as [string][]).map(([id]) => id)
}

async function held(client: RawClient, group: string): Promise<unknown[]> {
  return ((await client.value('xpending', 's', group, '-', '+', 9)) as [string][]).map(([id]) => id)
}

test('XDELEX leaves pending entries, deletes them, or leaves entries that a group needs', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await prepare(client)
  t.same(await client.value('xdelex', 's', 'acked', 'ids', 5, 1, 2, 3, 4, 9), [2, 2, 2, 2, -1])
  await client.run('xack', 's', 'h', 1)
  t.same(await client.value('xdelex', 's', 'ids', 3, 1, 1, 7, 'acked'), [1, -1, -1])
  t.same(await ids(client), ['2-0', '3-0', '4-0'])
  t.same(await client.value('xdelex', 's', 'ids', 1, 3), [1])
  t.same(await held(client, 'g'), ['2-0', '3-0'])
  t.same(await client.value('xdelex', 's', 'delref', 'ids', 2, 2, 3), [1, -1])
  t.same(await held(client, 'g'), [])
  t.same(await held(client, 'h'), [])
  t.same(await client.value('xpending', 's', 'g'), [0, null, null, null])
  t.same(await ids(client), ['4-0'])
  t.same(await client.value('xdelex', 'none', 'ids', 2, 1, 2), [-1, -1])
})

test('XACKDEL acknowledges, and removes what no other group needs', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await prepare(client)
  t.same(await client.value('xackdel', 's', 'g', 'acked', 'ids', 3, 1, 2, 3), [-1, 2, 2])
  t.same(await held(client, 'g'), [])
  t.same(await client.value('xackdel', 's', 'h', 'acked', 'ids', 2, 1, 2), [1, 1])
  t.same(await ids(client), ['3-0', '4-0'])
  await client.run('xreadgroup', 'group', 'h', 'd', 'streams', 's', '>')
  await client.run('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>')
  t.same(await client.value('xackdel', 's', 'g', 'ids', 1, 4), [1])
  t.same(await held(client, 'h'), ['3-0', '4-0'])
  t.same(await client.value('xackdel', 's', 'h', 'delref', 'ids', 2, 3, 4), [1, 1])
  t.same(await client.value('xpending', 's', 'h'), [0, null, null, null])
  t.same(await ids(client), [])
  t.same(await client.value('xackdel', 's', 'none', 'ids', 1, 1), [-1])
  t.same(await client.value('xackdel', 'none', 'g', 'ids', 1, 1), [-1])
})

test('XTRIM and XADD pass over entries that a group needs, or take the pending ones along', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await prepare(client)
  await client.run('xack', 's', 'h', 1)
  t.equal(await client.value('xtrim', 's', 'maxlen', 1, 'acked'), 1)
  await client.run('xackdel', 's', 'g', 'acked', 'ids', 1, 3)
  await client.run('xreadgroup', 'group', 'h', 'd', 'noack', 'streams', 's', '>')
  t.equal(await client.value('xadd', 's', 'acked', 'maxlen', 0, 5, 'f', 'v'), '5-0')
  t.same(await ids(client), ['2-0', '4-0', '5-0'])
  t.equal(await client.value('xtrim', 's', 'delref', 'minid', 4), 1)
  t.same(await held(client, 'g'), [])
  t.same(await ids(client), ['4-0', '5-0'])
  t.equal(await client.value('xlen', 's'), 2)
})

test('XDELEX and XACKDEL refuse what they do not understand', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('set', 'text', 'v')
  const refusals: [string[], string][] = [
    [['ids', '0', '1'], 'ERR Number of IDs must be a positive integer'],
    [['ids', 'x', '1'], 'ERR Number of IDs must be a positive integer'],
    [['ids', '3', '1', '2'], 'ERR The `numids` parameter must match the number of arguments'],
    [['ids', '1', '1', '2'], 'ERR syntax error'],
    [['keepref', 'delref', 'ids', '1', '1'], 'ERR syntax error'],
    [['ids', '1', 'x'], 'ERR Invalid stream ID specified as stream command argument'],
    [['ids', '1', '1'], 'WRONGTYPE Operation against a key holding the wrong kind of value'],
  ]
  for (const [words, error] of refusals) {
    t.equal(await client.run('xdelex', 'text', ...words), `-${error}\r\n`)
    t.equal(await client.run('xackdel', 'text', 'g', ...words), `-${error}\r\n`)
  }
})

async function addMany(client: RawClient, count: number): Promise<void> {
  for (let id = 1; id <= count; id++) client.send('xadd', 's', id, 'f', 'v')
  for (let id = 1; id <= count; id++) await client.nextReply()
}

test('a trim looks no further than the group that is the farthest behind', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await addMany(client, 3000)
  for (const group of ['g', 'h']) await client.run('xgroup', 'create', 's', group, 0)
  await client.run('xreadgroup', 'group', 'g', 'c', 'noack', 'streams', 's', '>')
  await client.run('xreadgroup', 'group', 'h', 'c', 'count', 10, 'noack', 'streams', 's', '>')
  await client.run('xreadgroup', 'group', 'h', 'c', 'count', 10, 'streams', 's', '>')
  using reads = countRowReads()
  t.equal(await client.value('xtrim', 's', 'maxlen', 1, 'acked'), 10)
  t.equal(await client.value('xtrim', 's', 'minid', 2000, 'acked'), 0)
  t.ok(reads.walked < 50, `${reads.walked} rows`)
  t.equal(await client.value('xlen', 's'), 2990)
})

test('a trim of very many entries reads few pending ones at once, and no entries', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await addMany(client, 3000)
  await client.run('xgroup', 'create', 's', 'g', 0)
  await client.run('xreadgroup', 'group', 'g', 'c', 'count', 2500, 'streams', 's', '>')
  using reads = countRowReads()
  t.equal(await client.value('xtrim', 's', 'maxlen', 600, 'delref'), 2400)
  t.ok(reads.atOnceMax <= 1024, `${reads.atOnceMax} at once`)
  t.same(await client.value('xpending', 's', 'g'), [100, '2401-0', '2500-0', [['c', '100']]])
  await client.run('xreadgroup', 'group', 'g', 'c', 'noack', 'streams', 's', '>')
  t.equal(await client.value('xtrim', 's', 'maxlen', 0, 'acked'), 500)
  t.ok(reads.atOnceMax <= 1024, `${reads.atOnceMax} at once`)
  t.same(await client.value('xinfo', 'consumers', 's', 'g'), [['name', 'c', 'pending', 100, 'idle', 0, 'inactive', 0]])
  t.equal((await ids(client)).length, 100)
})
