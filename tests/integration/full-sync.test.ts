/** Replicas that need a copy of all, and those that must not. */

import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import {
  allKeys,
  assertEqual,
  caughtUp,
  follow,
  forgetLog,
  infoField,
  NO_LOG,
  startNode,
  writeAllFamilies,
} from '../support/nodes.js'
import { startProcess } from '../support/process.js'
import { RawClient } from '../support/raw-client.js'

/** Fills a database with files of some size. */
async function fill(port: number, keys: number): Promise<void> {
  const client = await RawClient.connect(port)
  for (let i = 0; i < keys; i++) await client.run('set', `big:${i}`, randomBytes(256 * 1024))
  client.close()
}

test('a replica whose place has left the log copies the whole database, then follows', async (t) => {
  await using master = await startNode({ config: NO_LOG })
  await using replica = await startNode()
  const client = await master.connect()
  await writeAllFamilies(client, 'before')
  await forgetLog(master)
  await replica.run('set', 'of its own', 'lost')
  await follow(replica, master)
  await caughtUp(replica, master)
  await writeAllFamilies(client, 'after')
  await assertEqual(t, master, replica)
  t.equal(await infoField(master, 'sync_full'), '1')
  t.equal(await replica.run('exists', 'of its own'), ':0\r\n')
})

test('a full sync loses the slots of the replica, for its sequences tell of something else now', async (t) => {
  await using master = await startNode({ config: NO_LOG })
  await using replica = await startNode()
  await writeAllFamilies(await master.connect(), 'before')
  await forgetLog(master)
  await replica.run('set', 'of its own', 'lost')
  await replica.run('cdc', 'slot', 'create', 'orders')
  await follow(replica, master)
  await caughtUp(replica, master)
  const lost = 'SLOTLOST slot orders has lost its place at sequence 2: the database was replaced by another'
  t.equal(await replica.run('pollupdates', '>', 'slot', 'orders'), `-${lost}\r\n`)
})

test('a full sync of the middle of a chain brings the leaf along', async (t) => {
  await using master = await startNode({ config: NO_LOG })
  await using middle = await startNode({ config: NO_LOG })
  await using leaf = await startNode()
  await middle.run('set', 'k', 'v')
  await follow(leaf, middle)
  await caughtUp(leaf, middle)
  await writeAllFamilies(await master.connect(), 'a')
  await forgetLog(master)
  await follow(middle, master)
  await caughtUp(middle, master)
  await assertEqual(t, master, middle, leaf)
})

test('the log is kept for a replica that has gone for a while', async (t) => {
  await using master = await startNode({ config: NO_LOG })
  await using replica = await startNode()
  await follow(replica, master)
  await caughtUp(replica, master)
  const { port } = replica
  replica.server.replication.promote()
  const client = await master.connect()
  await eventually(async () => ((await infoField(master, 'connected_slaves')) === '0' ? true : undefined))
  await writeAllFamilies(client, 'a')
  await forgetLog(master)
  t.ok(port > 0)
  await follow(replica, master)
  await assertEqual(t, master, replica)
  t.equal(await infoField(master, 'sync_full'), '0')
})

test('a replica that is killed in the middle of a full sync goes on with the files that it has', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'killed-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  await using master = await startNode({
    config: { ...NO_LOG, 'max-replication-mb': 8, 'rocksdb.write_buffer_size': 2, 'rocksdb.target_file_size_base': 1 },
  })
  await fill(master.port, 64)
  await forgetLog(master)
  const options = { slaveof: `127.0.0.1 ${master.port}` }
  const first = await startProcess(root, options)
  t.teardown(() => first.child.kill('SIGKILL'))
  const directory = join(root, 'sync_checkpoint')
  await eventually(() => {
    const files = existsSync(directory) ? readdirSync(directory) : []
    return files.some((name) => name.endsWith('.sst')) ? true : undefined
  })
  await first.end('SIGKILL')
  const kept = readdirSync(directory).filter((name) => name.endsWith('.sst'))
  const second = await startProcess(root, options)
  t.teardown(() => second.child.kill('SIGKILL'))
  const log = (): string => readFileSync(join(root, 'kvrocks.INFO'), 'utf8')
  await eventually(() => (log().includes('fullsync was finish') ? true : undefined))
  for (const name of kept) t.ok(log().includes(`[skip] ${name} `), name)
  const probe = await RawClient.connect(second.port)
  await eventually(async () => ((await infoField(probe, 'master_link_status')) === 'up' ? true : undefined))
  t.strictSame(await allKeys(probe), await allKeys(await master.connect()))
  t.equal(await infoField(master, 'sync_full'), '2')
  probe.close()
  t.equal(await second.end('SIGTERM'), 0)
})
