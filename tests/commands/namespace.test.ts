import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { loadConfig } from '../../src/config/load.js'
import { SILENT_LOG } from '../../src/log/log.js'
import { Server } from '../../src/server/server.js'
import { RawClient } from '../support/raw-client.js'
import { startServer } from '../support/server.js'

const NOT_MODIFIABLE =
  '-ERR modify namespace requires the server is running with a configuration file or enabled namespace replication\r\n'

test("namespaces keep keys apart, and their users from what is the administrator's", async (t) => {
  await using s = await startServer({ config: { requirepass: 'admin', 'repl-namespace-enabled': true } })
  const [admin, user] = [await s.connect(), await s.connect()]
  await admin.run('auth', 'admin')
  t.equal(await admin.run('namespace', 'add', 'ns1', 'token1'), '+OK\r\n')
  t.equal(await user.run('auth', 'token1'), '+OK\r\n')
  await admin.run('set', 'k', 'admin')
  await user.run('set', 'k', 'user')
  t.equal(await admin.run('get', 'k'), '$5\r\nadmin\r\n')
  t.equal(await user.run('get', 'k'), '$4\r\nuser\r\n')
  t.equal(await user.run('namespace', 'current'), '$3\r\nns1\r\n')
  t.equal(await admin.run('namespace', 'current'), '$11\r\n__namespace\r\n')
  for (const words of [
    ['config', 'get', '*'],
    ['namespace', 'get', '*'],
    ['flushall'],
    ['bgsave'],
    ['shutdown'],
    ['debug', 'sleep', '0'],
  ]) {
    t.equal(await user.run(...words), '-ERR admin permission required to perform the command\r\n')
  }
  t.equal(await user.run('flushdb'), '+OK\r\n')
  t.equal(await admin.run('get', 'k'), '$5\r\nadmin\r\n')
})

test('the token of a namespace sees and ends the connections of its own namespace alone', async (t) => {
  await using s = await startServer({ config: { requirepass: 'admin', 'repl-namespace-enabled': true } })
  const [admin, mine, me, other, guest] = await Promise.all(Array.from({ length: 5 }, () => s.connect()))
  if (!(admin && mine && me && other && guest)) throw new Error('no connections')
  await admin.run('auth', 'admin')
  await admin.run('namespace', 'add', 'ns1', 'token1')
  await admin.run('namespace', 'add', 'ns2', 'token2')
  for (const client of [mine, me]) await client.run('auth', 'token1')
  await other.run('auth', 'token2')
  await other.run('subscribe', 'c')
  const idOf = async (client: RawClient): Promise<string> =>
    /id=(\d+) /.exec(await client.run('client', 'info'))?.[1] ?? ''
  const seenBy = async (client: RawClient): Promise<string[]> =>
    [...(await client.run('client', 'list')).matchAll(/ namespace=(\S*) /g)].map(([, name = '']) => name).sort()
  t.same(await seenBy(me), ['ns1', 'ns1'])
  t.same(await seenBy(admin), ['', '__namespace', 'ns1', 'ns1', 'ns2'])
  const otherId = /id=(\d+) \S+ \S+ \S+ \S+ \S+ \S+ flags=P/.exec(await admin.run('client', 'list'))?.[1] ?? ''
  t.equal(await me.run('client', 'kill', 'id', otherId), ':0\r\n')
  t.equal(await me.run('client', 'kill', 'id', await idOf(admin)), ':0\r\n')
  t.equal(await me.run('client', 'kill', `127.0.0.1:${other.socket.localPort}`), '-ERR No such client\r\n')
  t.equal(await me.run('client', 'kill', 'type', 'pubsub'), ':0\r\n')
  t.equal(await me.run('client', 'list', 'id', otherId), '$0\r\n\r\n')
  t.equal(await me.run('client', 'kill', 'type', 'normal'), ':1\r\n', 'all but itself')
  t.equal(await mine.untilClosed(), '')
  await guest.run('auth', 'admin')
  admin.send('blpop', 'none', '0')
  while (!(await guest.run('info', 'clients')).includes('blocked_clients:1\r\n')) {}
  t.equal(await me.run('client', 'unblock', '1'), ':0\r\n')
  for (const words of [
    ['client', 'pause', '100'],
    ['client', 'unpause'],
  ]) {
    t.equal(await me.run(...words), '-ERR admin permission required to perform the command\r\n')
  }
  t.equal(await guest.run('client', 'kill', 'id', otherId), ':1\r\n')
  t.match(await other.untilClosed(), /^$/)
})

test('NAMESPACE ADD, SET, GET and DEL', async (t) => {
  await using s = await startServer({
    config: { requirepass: 'admin', masterauth: 'm', 'repl-namespace-enabled': true },
  })
  await s.run('auth', 'admin')
  t.equal(await s.run('namespace', 'add', 'b', 'tb'), '+OK\r\n')
  t.equal(await s.run('namespace', 'add', 'b', 'tb'), '+OK\r\n')
  t.equal(await s.run('namespace', 'add', 'b', 'other'), '-ERR the namespace already exists\r\n')
  t.equal(await s.run('namespace', 'add', 'c', 'tb'), '-ERR the token already exists\r\n')
  t.equal(await s.run('namespace', 'set', 'a', 'ta'), '+OK\r\n')
  t.equal(await s.run('namespace', 'set', 'b', 'tz'), '+OK\r\n')
  t.equal(await s.run('namespace', 'get', 'b'), '$2\r\ntz\r\n')
  t.equal(await s.run('namespace', 'get', 'nosuch'), '$-1\r\n')
  t.equal(
    await s.run('namespace', 'get', '*'),
    '*6\r\n$1\r\na\r\n$2\r\nta\r\n$1\r\nb\r\n$2\r\ntz\r\n$11\r\n__namespace\r\n$5\r\nadmin\r\n',
  )
  t.equal(
    await s.run('namespace', 'add', 'd', 'admin'),
    '-ERR the token is duplicated with requirepass or masterauth\r\n',
  )
  t.equal(await s.run('namespace', 'add', 'd', 'm'), '-ERR the token is duplicated with requirepass or masterauth\r\n')
  t.equal(await s.run('namespace', 'add', '__namespace', 'x'), '-ERR forbidden to add the default namespace\r\n')
  t.equal(await s.run('namespace', 'add', 'x'.repeat(256), 'x'), '-ERR size exceed limit 255\r\n')
  t.equal(await s.run('namespace', 'add', 'd', ''), '-ERR the token is empty\r\n')
  t.equal(await s.run('namespace', 'add', 'd', '\u{fffd}'), '+OK\r\n')
  t.match(await s.run('auth', Buffer.of(0xff)), /^-WRONGPASS /, 'other bytes that are shown alike')
  t.equal(await s.run('namespace', 'add', Buffer.of(0xff), 'x'), '-ERR namespace contain illegal letter\r\n')
  t.equal(await s.run('namespace', 'del', Buffer.of(0xff)), '-ERR the namespace was not found\r\n')
  t.equal(await s.run('namespace', 'del', 'd'), '+OK\r\n')
  t.equal(await s.run('namespace', 'del', '__namespace'), '-ERR forbidden to delete the default namespace\r\n')
  t.equal(await s.run('namespace', 'del', 'nosuch'), '-ERR the namespace was not found\r\n')
  t.equal(await s.run('namespace', 'del', 'a'), '+OK\r\n')
  t.equal(
    await s.run('config', 'set', 'repl-namespace-enabled', 'no'),
    "-ERR CONFIG SET failed (possibly related to argument 'repl-namespace-enabled') - cannot switch off repl_namespace_enabled when namespaces exist in db\r\n",
  )
})

test('with repl-namespace-enabled the tokens are one row, and survive a restart', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-ns-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const config = { requirepass: 'admin', 'repl-namespace-enabled': true } as const
  {
    await using s = await startServer({ dir, config })
    await s.run('auth', 'admin')
    await s.run('namespace', 'add', 'ns', 'token')
    using updates = s.server.store.rocks.updatesSince(1)
    const [batch] = updates.next(1)
    t.equal(batch?.data.toString('latin1', 12), '\x05\x04\x12__namespace_keys__\x0e{"token":"ns"}')
  }
  await using s = await startServer({ dir, config })
  t.equal(await s.run('auth', 'token'), '+OK\r\n')
})

test('without it they are lines of the configuration file', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-ns-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const path = join(dir, 'kvrocks.conf')
  writeFileSync(path, `requirepass admin\ndir ${dir}\nport 0\n`)
  const config = loadConfig({ text: readFileSync(path, 'utf8'), path, overrides: [] })
  await using server = new Server({ config, log: SILENT_LOG })
  await server.listen()
  const client = await RawClient.connect(server.port)
  t.teardown(() => client.close())
  await client.run('auth', 'admin')
  t.equal(await client.run('namespace', 'add', 'ns', 'token'), '+OK\r\n')
  t.match(readFileSync(path, 'utf8'), /^namespace\.ns token$/m)
  t.equal(await client.run('namespace', 'del', 'ns'), '+OK\r\n')
  t.notMatch(readFileSync(path, 'utf8'), /token/)
})

test('without a file and without replication of namespaces none can be made', async (t) => {
  await using s = await startServer({ config: { requirepass: 'admin' } })
  await s.run('auth', 'admin')
  t.equal(await s.run('namespace', 'add', 'ns', 'token'), NOT_MODIFIABLE)
  t.equal(await s.run('namespace', 'del', 'ns'), NOT_MODIFIABLE)
  await using open = await startServer({ config: { 'repl-namespace-enabled': true } })
  t.equal(
    await open.run('namespace', 'add', 'ns', 'token'),
    '-ERR forbidden to add namespace when requirepass was empty\r\n',
  )
})
