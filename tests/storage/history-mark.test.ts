/** With use-rsid-psync a server that begins stores the id of its history right before its first batch, whichever that is. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { HistoryMark } from '../../src/storage/history-mark.js'
import { infoField } from '../support/nodes.js'
import type { RawClient } from '../support/raw-client.js'
import { startServer, type TestServer, type TestServerOptions } from '../support/server.js'

async function runAll(client: RawClient, commands: readonly (readonly (string | number)[])[]): Promise<void> {
  for (const words of commands) client.send(...words)
  for (const _ of commands) await client.nextReply()
}

/** The batches after `sequence`: for each its records' count, its last log data, and whether it stores an id. */
function batchesAfter({ server }: TestServer, sequence: number): { count: number; mark: string; storesId: boolean }[] {
  using updates = server.store.rocks.updatesSince(sequence + 1)
  return updates.next(100).map(({ data, count }) => ({
    count,
    mark: data.subarray(-16).toString('latin1'),
    storesId: data.includes('replication_id_'),
  }))
}

const MANY = Array.from({ length: 200 }, (_, index) => ['set', `k${index}`, 'v'])

const FIRST_WRITES: Readonly<Record<string, readonly (readonly (string | number)[])[]>> = {
  'one command': [['set', 'k', 'v']],
  'a turn of many': MANY,
  'a transaction': [['multi'], ['set', 'k', 'v'], ['publish', 'c', 'm'], ['exec']],
  'a message': [['publish', 'c', 'm']],
  'a range delete': [['flushdb']],
  'a script': [['eval', "redis.call('set', 'k', 'v') return redis.call('publish', 'c', 'm')", 0]],
}

for (const [what, commands] of Object.entries(FIRST_WRITES)) {
  test(`the first write is ${what}`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'history-'))
    t.teardown(() => rmSync(dir, { recursive: true, force: true }))
    const options: TestServerOptions = { dir, config: { 'use-rsid-psync': true } }
    const first = await startServer(options)
    await first.run('set', 'k', 'v')
    const idBefore = await infoField(first, 'master_replid')
    const sequence = first.server.store.latestSequence()
    await first.close()
    await using second = await startServer(options)
    t.equal(await second.run('get', 'k'), '$1\r\nv\r\n')
    t.equal(second.server.store.latestSequence(), sequence, 'nothing is written before')
    const client = await second.connect()
    await runAll(client, commands)
    await client.run('set', 'last', 'v')
    const id = await infoField(second, 'master_replid')
    t.not(id, idBefore)
    const batches = batchesAfter(second, sequence)
    t.ok(batches.length > 2)
    t.same(batches[0], { count: 1, mark: id, storesId: true })
    t.strictSame(
      batches.slice(1).map(({ mark, storesId }) => [mark, storesId]),
      batches.slice(1).map(() => [id, false]),
    )
  })
}

test('a beginning that could not be written is written before the next batch', async (t) => {
  const mark = new HistoryMark()
  const opening = Buffer.from('opening')
  mark.begin(Buffer.from('r id'), opening)
  t.throws(() =>
    mark.open(() => {
      throw new Error('no space')
    }),
  )
  t.ok(mark.isPending)
  const written: Uint8Array[] = []
  for (let i = 0; i < 2; i++) mark.open((bytes) => written.push(bytes))
  t.same(written, [opening])
  t.notOk(mark.isPending)
})
