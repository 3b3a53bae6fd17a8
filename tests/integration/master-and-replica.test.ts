/** What masters and replicas tell of themselves, and with which masters a replica goes along. */
import { hostname } from 'node:os'
import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { caughtUp, follow, infoField, sequenceOf, startNode } from '../support/nodes.js'
import type { TestServer } from '../support/server.js'

const counters = async (master: TestServer) => [
  await infoField(master, 'sync_full'),
  await infoField(master, 'sync_partial_ok'),
]

test('ROLE and INFO tell master and replica, before and after', async (t) => {
  await using master = await startNode()
  await using replica = await startNode()
  const [first, second] = [await master.connect(), await replica.connect()]
  t.same(await second.value('role'), ['master', 0, []])
  t.equal(await infoField(replica, 'role'), 'master')
  await first.run('set', 'mykey', 'foo')
  await follow(replica, master)
  t.equal(await infoField(replica, 'role'), 'slave')
  await caughtUp(replica, master)
  t.equal(await second.value('get', 'mykey'), 'foo')
  t.equal(await infoField(replica, 'master_link_status'), 'up')
  await first.run('set', 'mykey', 'bar')
  await caughtUp(replica, master)
  t.equal(await second.value('get', 'mykey'), 'bar')
  const offset = sequenceOf(master.server)
  t.same(await second.value('role'), ['slave', '127.0.0.1', master.port, 'connected', offset])
  const listed = await eventually(async () => {
    const [role, at, slaves] = (await first.value('role')) as [string, number, string[][]]
    return slaves[0]?.[2] === String(offset) ? [role, at, slaves] : undefined
  })
  t.same(listed, ['master', offset, [['127.0.0.1', String(replica.port), String(offset)]]])
  t.equal(await infoField(master, 'connected_slaves'), '1')
  await first.run('flushall')
  await caughtUp(replica, master)
  t.equal(await second.value('dbsize'), 0)
  t.equal(await second.run('slaveof', 'no', 'one'), '+OK\r\n')
  t.equal(await infoField(replica, 'role'), 'master')
})

test('a replica tells its master the address that it is to be known by', async (t) => {
  await using master = await startNode()
  await using replica = await startNode({
    config: { 'replica-announce-ip': 'slave-ip.local', 'replica-announce-port': 1234 },
  })
  await follow(replica, master)
  await caughtUp(replica, master)
  t.match(await infoField(master, 'slave0'), /ip=slave-ip\.local,port=1234,/)
  const role = (await (await master.connect()).value('role')) as [string, number, string[][]]
  t.same(role[2][0]?.slice(0, 2), ['slave-ip.local', '1234'])
})

test('a master may be named by its host name', async (t) => {
  await using master = await startNode()
  await using replica = await startNode()
  await master.run('set', 'k', 'v')
  t.ok(hostname().length > 0)
  t.equal(await replica.run('slaveof', 'localhost', master.port), '+OK\r\n')
  await caughtUp(replica, master)
  t.equal(await replica.run('get', 'k'), '$1\r\nv\r\n')
})

test('a replica goes on after the password of its master has changed', async (t) => {
  await using master = await startNode({ config: { requirepass: 'first' } })
  await using replica = await startNode({ config: { masterauth: 'first', requirepass: 'own' } })
  const [first, second] = [await master.connect(), await replica.connect()]
  await first.run('auth', 'first')
  await second.run('auth', 'own')
  await second.run('slaveof', '127.0.0.1', master.port)
  await first.run('set', 'k', 'v1')
  await caughtUp(replica, master)
  await first.run('config', 'set', 'requirepass', 'second')
  await first.run('client', 'kill', 'type', 'replica')
  await first.run('set', 'k', 'v2')
  t.equal(await second.run('config', 'set', 'masterauth', 'second'), '+OK\r\n')
  await caughtUp(replica, master)
  t.equal(await second.value('get', 'k'), 'v2')
})

test('with use-rsid-psync a replica of another history copies all, and one of the same goes on', async (t) => {
  const config = { 'use-rsid-psync': true }
  await using a = await startNode({ config })
  await using b = await startNode({ config })
  await using c = await startNode({ config })
  for (const node of [a, b]) await node.run('set', 'k', 'v')
  t.equal(sequenceOf(a.server), sequenceOf(b.server))
  await follow(a, b)
  await caughtUp(a, b)
  t.same(await counters(b), ['1', '1'], 'the sequence fits, the history does not')
  await follow(c, b)
  await caughtUp(c, b)
  await follow(a, c)
  await caughtUp(a, c)
  t.same(await counters(c), ['0', '1'], 'the replica of a replica has its history')
  await b.run('set', 'master', 'B')
  await caughtUp(c, b)
  await caughtUp(a, b)
  t.equal(await a.run('get', 'master'), '$1\r\nB\r\n')
  const [full, partial] = await counters(b)
  await follow(a, b)
  await caughtUp(a, b)
  t.same(await counters(b), [full, String(Number(partial) + 1)])
})

for (const [masters, replicas] of [
  [false, true],
  [true, false],
] as const) {
  test('a replica and a master get along of which one has use-rsid-psync', async (t) => {
    await using master = await startNode({ config: { 'use-rsid-psync': masters } })
    await using replica = await startNode({ config: { 'use-rsid-psync': replicas } })
    await master.run('set', 'k', 'v')
    await follow(replica, master)
    await caughtUp(replica, master)
    await master.run('set', 'k', 'w')
    await caughtUp(replica, master)
    t.equal(await replica.run('get', 'k'), '$1\r\nw\r\n')
  })
}
