/** Masters and replicas of this server: what is written at one is read at the others, whatever happens in between. */

import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { eventually } from '../support/eventually.js'
import { allKeys, caughtUp, follow, infoField, sequenceOf, startNode, writeAllFamilies } from '../support/nodes.js'
import { startProcess } from '../support/process.js'
import { RawClient } from '../support/raw-client.js'
import type { TestServer } from '../support/server.js'

async function assertEqual(t: Test, master: TestServer, ...replicas: TestServer[]): Promise<void> {
  const expected = await allKeys(await master.connect())
  t.ok(expected.size > 0)
  for (const replica of replicas) {
    await caughtUp(replica, master)
    t.strictSame(await allKeys(await replica.connect()), expected)
    t.equal(sequenceOf(replica.server), sequenceOf(master.server))
  }
}

const ONE_MIB = 1 << 20

/** Has the log forget all that lies in files, so that a partial sync is possible no longer. */
async function forgetLog(node: TestServer): Promise<void> {
  const client = await node.connect()
  for (let i = 0; i < 2; i++) {
    await client.run('set', 'padding', Buffer.alloc(ONE_MIB, i))
    await node.server.store.rocks.flush()
  }
  node.server.store.retention.prune(Date.now())
  await node.server.store.retention.settled()
}

const NO_LOG = { 'rocksdb.wal_ttl_seconds': 0, 'rocksdb.wal_size_limit_mb': 0 }

test('a replica gets what was written before and after, in all families, by the log alone', async (t) => {
  await using master = await startNode()
  await using replica = await startNode()
  const client = await master.connect()
  await writeAllFamilies(client, 'before')
  await follow(replica, master)
  await writeAllFamilies(client, 'after')
  await assertEqual(t, master, replica)
  t.equal(await infoField(master, 'sync_full'), '0')
  t.equal(await infoField(master, 'sync_partial_ok'), '1')
  t.equal(await replica.run('set', 'k', 'v'), "-READONLY You can't write against a read only slave.\r\n")
  await client.run('flushall')
  await caughtUp(replica, master)
  t.equal(await replica.run('dbsize'), ':0\r\n')
  t.same([...master.logged, ...replica.logged], [])
})

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

test('a chain and a star: every replica has what the master has', async (t) => {
  await using master = await startNode()
  await using middle = await startNode()
  await using leaf = await startNode()
  await using other = await startNode()
  await follow(middle, master)
  await follow(leaf, middle)
  await follow(other, master)
  const client = await master.connect()
  await writeAllFamilies(client, 'a')
  await assertEqual(t, master, middle, leaf, other)
  t.equal(await infoField(master, 'connected_slaves'), '2')
  t.equal(await infoField(middle, 'connected_slaves'), '1')
  for (const node of [master, middle]) t.equal(await infoField(node, 'sync_full'), '0')
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

test('a link that was cut is healed by a partial sync', async (t) => {
  await using master = await startNode()
  await using replica = await startNode()
  await follow(replica, master)
  const client = await master.connect()
  await writeAllFamilies(client, 'a')
  await caughtUp(replica, master)
  t.equal(await client.run('client', 'kill', 'type', 'replica'), ':1\r\n')
  await writeAllFamilies(client, 'b')
  await assertEqual(t, master, replica)
  t.equal(await infoField(master, 'sync_full'), '0')
  t.equal(await infoField(master, 'sync_partial_ok'), '2')
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

test('after the loss of the master a replica is promoted, the others and the old master follow it', async (t) => {
  const config = { 'use-rsid-psync': true }
  const old = await startNode({ config })
  await using first = await startNode({ config })
  await using second = await startNode({ config })
  const client = await old.connect()
  await follow(first, old)
  await follow(second, old)
  await writeAllFamilies(client, 'a')
  t.equal(await client.run('wait', 2, 5000), ':2\r\n')
  await old.server.close()
  t.equal(await first.run('slaveof', 'no', 'one'), '+OK\r\n')
  await follow(second, first)
  await writeAllFamilies(await first.connect(), 'b')
  await assertEqual(t, first, second)
  await using returned = await startNode({ config: { ...config, slaveof: `127.0.0.1 ${first.port}` }, dir: old.dir })
  await assertEqual(t, first, second, returned)
  t.equal(await infoField(first, 'sync_full'), '0')
  await returned.close()
  rmSync(old.dir, { recursive: true, force: true })
})

test('an old master with changes that nobody else has is refused, and copies the new one', async (t) => {
  const config = { 'use-rsid-psync': true }
  await using old = await startNode({ config })
  await using replica = await startNode({ config })
  await follow(replica, old)
  await writeAllFamilies(await old.connect(), 'a')
  await caughtUp(replica, old)
  await replica.run('slaveof', 'no', 'one')
  await old.run('set', 'only here', 1)
  await writeAllFamilies(await replica.connect(), 'b')
  await follow(old, replica)
  await assertEqual(t, replica, old)
  t.equal(await old.run('exists', 'only here'), ':0\r\n')
  t.equal(await infoField(replica, 'sync_full'), '1')
  t.equal(await infoField(replica, 'sync_partial_err'), '1')
})

test('messages, scripts, functions and namespaces reach replicas', async (t) => {
  const config = { requirepass: 'pw', masterauth: 'pw', 'repl-namespace-enabled': true }
  await using master = await startNode({ config })
  await using replica = await startNode({ config })
  const client = await master.connect()
  const other = await replica.connect()
  for (const each of [client, other]) await each.run('auth', 'pw')
  await other.run('slaveof', '127.0.0.1', master.port)
  await caughtUp(replica, master)
  const listener = await replica.connect()
  await listener.run('auth', 'pw')
  await listener.run('subscribe', 'news')
  await client.run('publish', 'news', 'first')
  await client.run('publish', 'news', 'second')
  for (const text of ['first', 'second']) {
    const { bytes } = await listener.nextReply()
    t.equal(bytes, `*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$${text.length}\r\n${text}\r\n`)
  }
  const sha = (await client.run('script', 'load', 'return 7')).slice(5, 45)
  await client.run(
    'function',
    'load',
    "#!lua name=lib\nredis.register_function{function_name='f', callback=function() return 8 end, flags={'no-writes'}}",
  )
  await client.run('namespace', 'add', 'ns', 'token')
  await caughtUp(replica, master)
  t.equal(await other.run('evalsha', sha, 0), ':7\r\n')
  t.equal(await other.run('fcall_ro', 'f', 0), ':8\r\n')
  t.equal(await other.run('auth', 'token'), '+OK\r\n')
  await client.run('function', 'delete', 'lib')
  await client.run('script', 'flush')
  await caughtUp(replica, master)
  await other.run('auth', 'pw')
  t.match(await other.run('evalsha', sha, 0), /^-NOSCRIPT/)
  t.match(await other.run('fcall_ro', 'f', 0), /^-ERR Function not found/)
})

test('changes of the master wake, break and invalidate what clients of the replica wait for', async (t) => {
  await using master = await startNode()
  await using replica = await startNode()
  await follow(replica, master)
  await caughtUp(replica, master)
  const reader = await replica.connect()
  reader.send('xread', 'block', 0, 'streams', 's', '$')
  const watcher = await replica.connect()
  await watcher.run('watch', 'k')
  const tracker = await replica.connect()
  await tracker.run('hello', 3)
  await tracker.run('client', 'tracking', 'on')
  await tracker.run('get', 'k')
  await eventually(async () => ((await infoField(replica, 'blocked_clients')) === '1' ? true : undefined))
  await master.run('xadd', 's', '1-1', 'f', 'v')
  t.equal(
    (await reader.nextReply()).bytes,
    '*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n',
  )
  await master.run('set', 'k', 'v')
  t.equal((await tracker.nextReply()).bytes, '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n')
  await watcher.run('multi')
  await watcher.run('get', 'k')
  t.equal(await watcher.run('exec'), '*-1\r\n')
})

test('WAIT counts replicas that have confirmed, and a wait is over as soon as they have', async (t) => {
  await using master = await startNode()
  await using replica = await startNode()
  t.equal(await master.run('wait', 1, 10), ':0\r\n')
  await follow(replica, master)
  const client = await master.connect()
  client.send('set', 'k', 'v')
  client.send('wait', 1, 5000)
  await client.nextReply()
  t.equal((await client.nextReply()).bytes, ':1\r\n')
  t.equal(await replica.run('get', 'k'), '$1\r\nv\r\n')
  t.equal(await master.run('wait', 2, 20), ':1\r\n')
  t.match(await replica.run('wait', 1, 0), /^-ERR WAIT cannot be used with replica instances/)
})

test('FAILOVER makes the replica master and loses no write that was answered', async (t) => {
  const config = { 'use-rsid-psync': true }
  await using master = await startNode({ config })
  await using replica = await startNode({ config })
  await using other = await startNode({ config })
  t.equal(await master.run('failover'), '-ERR FAILOVER requires connected replicas.\r\n')
  for (const each of [replica, other]) await follow(each, master)
  for (const each of [replica, other]) await caughtUp(each, master)
  t.equal(await replica.run('failover'), '-ERR FAILOVER is not valid when server is a replica.\r\n')
  t.equal(
    await master.run('failover', 'to', '127.0.0.1', 1),
    '-ERR FAILOVER target HOST and PORT is not a replica.\r\n',
  )
  t.equal(await master.run('failover', 'abort'), '-ERR No failover in progress.\r\n')
  const fullSyncsBefore = await infoField(master, 'sync_full')
  const client = await master.connect()
  let answered = Number((await client.run('incrby', 'counter', 100)).slice(1))
  let isRefused = false
  const writing = (async () => {
    while (!isRefused) {
      const reply = await client.run('incr', 'counter')
      if (reply.startsWith(':')) answered = Number(reply.slice(1))
      else isRefused = reply.startsWith('-READONLY')
    }
  })()
  t.equal(await master.run('failover', 'to', '127.0.0.1', replica.port, 'timeout', 10_000), '+OK\r\n')
  await writing
  t.ok(answered >= 100)
  t.equal(await replica.run('get', 'counter'), `$${String(answered).length}\r\n${answered}\r\n`)
  await assertEqual(t, replica, master, other)
  t.equal(await infoField(master, 'role'), 'slave')
  t.equal(await infoField(replica, 'role'), 'master')
  t.equal(await infoField(master, 'sync_full'), fullSyncsBefore)
  t.equal(await infoField(replica, 'sync_full'), '0')
})

test('clients that wait are told when their server becomes a replica', async (t) => {
  await using master = await startNode()
  await using node = await startNode()
  const popper = await node.connect()
  popper.send('blpop', 'list', 0)
  const waiter = await node.connect()
  waiter.send('wait', 1, 0)
  await eventually(async () => ((await infoField(node, 'blocked_clients')) === '2' ? true : undefined))
  await follow(node, master)
  const text = 'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)'
  t.equal((await popper.nextReply()).bytes, `-${text}\r\n`)
  t.equal((await waiter.nextReply()).bytes, `-${text}\r\n`)
})

test('min-replicas-to-write refuses writes while too few replicas confirm', async (t) => {
  await using master = await startNode({ config: { 'min-replicas-to-write': 1 } })
  await using replica = await startNode()
  master.server.cron.run('check replicas')
  t.equal(await master.run('set', 'k', 'v'), '-NOREPLICAS Not enough good replicas to write.\r\n')
  t.equal(await master.run('get', 'k'), '$-1\r\n')
  await follow(replica, master)
  await eventually(async () => ((await master.run('set', 'k', 'v')) === '+OK\r\n' ? true : undefined))
  await replica.run('slaveof', 'no', 'one')
  await eventually(async () => ((await master.run('set', 'k', 'v')).startsWith('-NOREPLICAS') ? true : undefined))
  t.equal(await master.run('config', 'set', 'min-replicas-to-write', 0), '+OK\r\n')
  t.equal(await master.run('set', 'k', 'v'), '+OK\r\n')
})

test('CLIENT KILL TYPE MASTER has the link built again', async (t) => {
  await using master = await startNode()
  await using replica = await startNode()
  t.equal(await replica.run('client', 'kill', 'type', 'master'), ':0\r\n')
  await follow(replica, master)
  await caughtUp(replica, master)
  t.equal(await replica.run('client', 'kill', 'type', 'master'), ':1\r\n')
  await eventually(async () => ((await infoField(master, 'sync_partial_ok')) === '2' ? true : undefined))
})

/** Fills a database with files of some size. */
async function fill(port: number, keys: number): Promise<void> {
  const client = await RawClient.connect(port)
  for (let i = 0; i < keys; i++) await client.run('set', `big:${i}`, randomBytes(256 * 1024))
  client.close()
}

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
  const directory = join(root, 'sync_checkpoint')
  await eventually(() => {
    const files = existsSync(directory) ? readdirSync(directory) : []
    return files.some((name) => name.endsWith('.sst')) ? true : undefined
  })
  await first.end('SIGKILL')
  const kept = readdirSync(directory).filter((name) => name.endsWith('.sst'))
  const second = await startProcess(root, options)
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

test('a master that ends gives its replicas what they have yet to get', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'ended-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const master = await startProcess(root)
  await using replica = await startNode()
  await replica.run('slaveof', '127.0.0.1', master.port)
  await eventually(() => (replica.server.replication.linkState === 'connected' ? true : undefined))
  const client = await RawClient.connect(master.port)
  for (let i = 0; i < 1000; i++) client.send('rpush', 'list', Buffer.alloc(10_000, i))
  client.send('llen', 'list')
  for (let i = 0; i < 1000; i++) await client.nextReply()
  t.equal(await master.end('SIGTERM'), 0)
  await eventually(() => (replica.server.replication.linkState === 'connecting' ? true : undefined))
  t.equal(await replica.run('llen', 'list'), ':1000\r\n')
})
