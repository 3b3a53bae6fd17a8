/** Who is master changes, or must be sure of its replicas: no write that was confirmed is lost. */

import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { loadConfig } from '../../src/config/load.js'
import { Server } from '../../src/index.js'
import { SILENT_LOG } from '../../src/log/log.js'
import { RocksDBError } from '../../src/rocksdb/errors.js'
import { eventually } from '../support/eventually.js'
import { assertEqual, caughtUp, follow, infoField, sequenceOf, startNode, writeAllFamilies } from '../support/nodes.js'
import { startProcess } from '../support/process.js'
import { RawClient } from '../support/raw-client.js'

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

test('an old master that begins as a master again and writes nothing follows the new one without a copy', async (t) => {
  const config = { 'use-rsid-psync': true }
  const old = await startNode({ config })
  await using promoted = await startNode({ config })
  await follow(promoted, old)
  await writeAllFamilies(await old.connect(), 'a')
  await caughtUp(promoted, old)
  const id = await infoField(old, 'master_replid')
  await old.server.close()
  await promoted.run('slaveof', 'no', 'one')
  await writeAllFamilies(await promoted.connect(), 'b')
  t.not(await infoField(promoted, 'master_replid'), id)
  await using returned = await startNode({ config, dir: old.dir })
  t.teardown(() => rmSync(old.dir, { recursive: true, force: true }))
  t.equal(await infoField(returned, 'role'), 'master')
  // Sentinels that find it tell each other of themselves.
  t.equal(await returned.run('publish', '__sentinel__:hello', '127.0.0.1,26379,…'), ':0\r\n')
  await follow(returned, promoted)
  await assertEqual(t, promoted, returned)
  t.equal(await infoField(promoted, 'sync_full'), '0')
  t.equal(await infoField(promoted, 'sync_partial_ok'), '1')
})

test('a master that was restarted begins its history with its first write: a copy is needed from then on', async (t) => {
  const config = { 'use-rsid-psync': true }
  const old = await startNode({ config })
  await using other = await startNode({ config })
  await follow(other, old)
  await old.run('set', 'k', 'v')
  await caughtUp(other, old)
  const id = await infoField(old, 'master_replid')
  const sequence = sequenceOf(old.server)
  await old.server.close()
  await other.run('slaveof', 'no', 'one')
  await other.run('set', 'k', 'w')
  await using returned = await startNode({ config, dir: old.dir })
  t.teardown(() => rmSync(old.dir, { recursive: true, force: true }))
  t.equal(sequenceOf(returned.server), sequence)
  t.equal(await infoField(returned, 'master_replid'), id)
  await returned.run('set', 'only here', 1)
  t.equal(sequenceOf(returned.server), sequence + 2)
  t.not(await infoField(returned, 'master_replid'), id)
  await follow(returned, other)
  await assertEqual(t, other, returned)
  t.equal(await infoField(other, 'sync_full'), '1')
})

test('a replica that was promoted and wrote nothing goes on under its master without a copy', async (t) => {
  const config = { 'use-rsid-psync': true }
  await using master = await startNode({ config })
  await using replica = await startNode({ config })
  await follow(replica, master)
  await writeAllFamilies(await master.connect(), 'a')
  await caughtUp(replica, master)
  const fullSyncs = await infoField(master, 'sync_full')
  await replica.run('slaveof', 'no', 'one')
  await master.run('set', 'k', 'v')
  await follow(replica, master)
  await assertEqual(t, master, replica)
  t.equal(await infoField(master, 'sync_full'), fullSyncs)
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

test('a master that ends gives its replicas what they have yet to get', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'ended-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const master = await startProcess(root)
  t.teardown(() => master.child.kill('SIGKILL'))
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

test('CONFIG REWRITE keeps the master in the file, and a server that starts from it follows that master', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'rewritten-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const path = join(dir, 'kvrocks.conf')
  writeFileSync(path, `dir ${dir}\nport 0\n`)
  await using master = await startNode()
  const open = async (): Promise<Server> => {
    const config = loadConfig({ text: readFileSync(path, 'utf8'), path })
    const server = new Server({ config, log: SILENT_LOG })
    await server.listen()
    return server
  }
  const first = await open()
  const client = await RawClient.connect(first.port)
  for (const host of ['', 'a b', 'a\nport 1', Buffer.of(0xff)]) {
    t.match(await client.run('slaveof', host, '1'), /^-ERR Can not resolve hostname: /, 'no file could name it')
  }
  // As redis-sentinel does it.
  await client.run('multi')
  for (const words of [
    ['slaveof', '127.0.0.1', master.port],
    ['config', 'rewrite'],
    ['client', 'kill', 'type', 'normal'],
  ]) {
    t.equal(await client.run(...words), '+QUEUED\r\n')
  }
  t.equal(await client.run('exec'), '*3\r\n+OK\r\n+OK\r\n:0\r\n')
  t.match(readFileSync(path, 'utf8'), `\nslaveof "127.0.0.1 ${master.port}"\n`)
  await first.close()
  await master.run('set', 'k', 'v')
  const second = await open()
  const again = await RawClient.connect(second.port)
  await eventually(async () => ((await again.run('get', 'k')) === '$1\r\nv\r\n' ? true : undefined))
  t.equal(await again.run('slaveof', 'no', 'one'), '+OK\r\n')
  t.equal(await again.run('config', 'rewrite'), '+OK\r\n')
  t.notMatch(readFileSync(path, 'utf8'), /^slaveof/m)
  await second.close()
})

test('a server without TCP addresses becomes no replica, as it would not start as one', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const unixsocket = join(dir, 's')
  const text = `dir ${dir}\nunixsocket ${unixsocket}\n`
  await using server = new Server({ config: loadConfig({ text }), log: SILENT_LOG })
  await server.listen()
  const socket = connect({ path: unixsocket })
  t.teardown(() => socket.destroy())
  socket.write('SLAVEOF 127.0.0.1 1\r\n')
  const [answer] = await once(socket, 'data')
  t.equal(String(answer), "-ERR replication doesn't support unix socket\r\n")
  t.throws(() => loadConfig({ text: `${text}slaveof 127.0.0.1 1\n` }), /replication doesn't support unix socket/)
})

test('roles change whole where the history file cannot be written, and it is written once it can', async (t) => {
  const config = { 'use-rsid-psync': true }
  await using master = await startNode({ config })
  await using node = await startNode({ config })
  const { history } = node.server.config.paths
  const eras = (): string[] => readFileSync(history, 'utf8').match(/^[0-9a-f]{40} /gm) ?? []
  await master.run('set', 'k', 'v')
  await follow(node, master)
  await caughtUp(node, master)
  const idAsReplica = await infoField(node, 'master_replid')
  const before = eras()
  mkdirSync(`${history}.new`)
  t.equal(await node.run('slaveof', 'no', 'one'), '+OK\r\n')
  t.equal(await infoField(node, 'role'), 'master')
  t.match(await infoField(node, 'master_replid'), /^[0-9A-Z]{16}$/)
  await follow(node, master)
  await caughtUp(node, master)
  t.equal(await node.run('slaveof', 'no', 'one'), '+OK\r\n')
  t.equal(await node.run('set', 'k', 'w'), '+OK\r\n')
  t.match(await infoField(node, 'master_replid'), /^[0-9A-Z]{16}$/)
  t.not(await infoField(node, 'master_replid'), idAsReplica)
  t.same(node.logged, [
    `[replication] the history is not saved: cannot write ${history}: Illegal operation on a directory`,
  ])
  t.same(eras(), before)
  rmSync(`${history}.new`, { recursive: true })
  await eventually(() => (eras().length > before.length ? true : undefined))
  t.equal(eras().length, before.length + 1)
  t.same(eras().slice(0, -1), before)
})

test('a replica that cannot write stays one, and becomes a master with a history of its own later', async (t) => {
  const config = { 'use-rsid-psync': true }
  await using master = await startNode()
  await using node = await startNode({ config })
  await master.run('set', 'k', 'v')
  await follow(node, master)
  await master.run('set', 'k', 'without an id')
  await caughtUp(node, master)
  const { rocks } = node.server.store
  const failing = (): never => {
    throw new RocksDBError('IOError', 'NoSpace', 'none', true, 'no space')
  }
  Object.defineProperty(rocks, 'write', { value: failing, configurable: true })
  t.equal(await node.run('slaveof', 'no', 'one'), '-MISCONF the database cannot be written: no space\r\n')
  t.equal(await infoField(node, 'role'), 'slave')
  Reflect.deleteProperty(rocks, 'write')
  await node.server.store.recover()
  t.equal(await node.run('slaveof', 'no', 'one'), '+OK\r\n')
  t.equal(await infoField(node, 'role'), 'master')
  t.match(await infoField(node, 'master_replid'), /^[0-9A-Z]{16}$/)
})
