/** Masters and replicas of this server: what is written at one is read at the others. */

import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { assertEqual, caughtUp, follow, infoField, startNode, writeAllFamilies } from '../support/nodes.js'

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

test('CLIENT KILL has the link to the master built again, by its type or its address', async (t) => {
  await using master = await startNode()
  await using replica = await startNode()
  t.equal(await replica.run('client', 'kill', 'type', 'master'), ':0\r\n')
  await follow(replica, master)
  await caughtUp(replica, master)
  t.equal(await replica.run('client', 'kill', 'type', 'master'), ':1\r\n')
  await eventually(async () => ((await infoField(master, 'sync_partial_ok')) === '2' ? true : undefined))
  await caughtUp(replica, master)
  const [host, port] = [await infoField(replica, 'master_host'), await infoField(replica, 'master_port')]
  t.equal(await replica.run('client', 'kill', `${host}:1`), '-ERR No such client\r\n')
  t.equal(await replica.run('client', 'kill', `${host}:${port}`), '+OK\r\n')
  await eventually(async () => ((await infoField(master, 'sync_partial_ok')) === '3' ? true : undefined))
  await caughtUp(replica, master)
  t.equal(await replica.run('client', 'kill', 'addr', `${host}:${port}`, 'type', 'normal'), ':0\r\n')
  t.equal(await replica.run('client', 'kill', 'addr', `${host}:${port}`), ':1\r\n')
  await eventually(async () => ((await infoField(master, 'sync_partial_ok')) === '4' ? true : undefined))
})

for (const isGrouped of [true, false]) {
  test(`a replica with replication-group-sync ${isGrouped} that syncs its writes has what the master has`, async (t) => {
    await using master = await startNode()
    await using replica = await startNode({
      config: { 'replication-group-sync': isGrouped, 'rocksdb.write_options.sync': true },
    })
    await follow(replica, master)
    const client = await master.connect()
    await writeAllFamilies(client, 'a')
    await client.run('set', 'large', 'a'.repeat(16 * 1024))
    await client.run('set', 'small', 'v')
    await assertEqual(t, master, replica)
    t.equal(await client.run('wait', '1', '20000'), ':1\r\n', 'what is synced is confirmed')
  })
}
