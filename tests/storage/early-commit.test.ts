/** A scan over many rows of the turn commits them first: nothing that a command holds or has said may get lost by it. */

import { test } from 'tap'
import { startServer } from '../support/server.js'

const ELEMENTS = Array.from({ length: 400 }, (_, index) => `e${index}`)

test('rows that the turn wrote stay whole when a scan of the same command commits them', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const filler = Array.from({ length: 50 }, (_, index) => `SET filler${index} ${'x'.repeat(40)}\r\n`).join('')
  client.write(
    `RPUSH l ${ELEMENTS.join(' ')}\r\nLINSERT l BEFORE e5 new\r\n${filler}LREM l 1 e7\r\nLLEN l\r\nLRANGE l 0 8\r\n`,
  )
  for (let i = 0; i < 52; i++) await client.nextReply()
  t.equal((await client.nextReply()).bytes, ':1\r\n')
  t.equal((await client.nextReply()).bytes, ':400\r\n')
  t.same((await client.nextReply()).value, ['e0', 'e1', 'e2', 'e3', 'e4', 'new', 'e5', 'e6', 'e8'])
})

test('the log data of an operation survives the commit that its scan makes', async (t) => {
  await using s = await startServer()
  const { turn } = s.server.store
  const db = s.server.defaultDatabase
  const rows = db.subkeys(0, Buffer.from('k'), db.newVersion())
  for (let i = 0; i < 300; i++) rows.put(Buffer.from(`row${i}`))
  db.logData(2)
  rows.scan().close()
  rows.put(Buffer.from('after'))
  turn.commit()
  using updates = s.server.store.rocks.updatesSince(301)
  t.equal(updates.next(1)[0]?.data.subarray(12, 15).toString('hex'), '030132')
})

test('a command that fails after such a commit leaves nothing of what it wrote since', async (t) => {
  await using s = await startServer()
  const { turn } = s.server.store
  const db = s.server.defaultDatabase
  const rows = db.subkeys(0, Buffer.from('k'), db.newVersion())
  for (let i = 0; i < 300; i++) rows.put(Buffer.from(`row${i}`))
  const savepoint = turn.savepoint()
  rows.scan().close()
  rows.put(Buffer.from('partial'))
  turn.rollback(savepoint)
  t.equal(rows.get(Buffer.from('partial')), undefined)
  t.ok(rows.has(Buffer.from('row299')))
  t.notOk(turn.isDirty)
})
