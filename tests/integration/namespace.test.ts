/** Namespaces: tokens, restarts, replicas. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { loadConfig } from '../../src/config/load.js'
import { SILENT_LOG } from '../../src/log/log.js'
import { Server } from '../../src/server/server.js'
import { eventually } from '../support/eventually.js'
import { RawClient } from '../support/raw-client.js'
import { startServer, type TestServer } from '../support/server.js'

const NAMES = ['ns1', 'ns2', 'ns3', 'ns4']

async function administrator(s: TestServer): Promise<RawClient> {
  const client = await s.connect()
  await client.run('auth', 'pwd')
  return client
}

test('namespaces are added, shown, and deleted', async (t) => {
  await using s = await startServer({ config: { requirepass: 'pwd', 'repl-namespace-enabled': true } })
  const client = await administrator(s)
  for (const name of NAMES) t.equal(await client.run('namespace', 'add', name, `token ${name}`), '+OK\r\n')
  for (const name of NAMES) {
    t.equal(await client.run('namespace', 'add', name, `other ${name}`), '-ERR the namespace already exists\r\n')
    t.equal(await client.value('namespace', 'get', name), `token ${name}`)
  }
  for (const name of NAMES) t.equal(await client.run('namespace', 'del', name), '+OK\r\n')
  for (const name of NAMES) t.equal(await client.value('namespace', 'get', name), null)
})

test('many namespaces may be added at once', async (t) => {
  await using s = await startServer({ config: { requirepass: 'pwd', 'repl-namespace-enabled': true } })
  const clients = await Promise.all([1, 2, 3, 4].map(() => administrator(s)))
  const names = clients.map((_, index) => Array.from({ length: 10 }, (__, count) => `ns${index}-${count}`))
  for (const [index, client] of clients.entries()) {
    for (const name of names[index] ?? []) client.send('namespace', 'add', name, `token ${name}`)
  }
  for (const client of clients) for (let count = 0; count < 10; count++) t.equal((await client.nextReply()).value, 'OK')
  const [client] = clients as [RawClient]
  for (const name of names.flat()) t.equal(await client.value('namespace', 'get', name), `token ${name}`)
})

/** A server of a configuration file, in a directory of its own that the test removes. */
async function startFromFile(dir: string, lines: readonly string[]): Promise<{ server: Server; client: RawClient }> {
  const path = join(dir, 'kvrocks.conf')
  writeFileSync(path, [...lines, 'requirepass pwd', `dir ${dir}`, 'port 0', ''].join('\n'), { flag: 'wx' })
  return restart(dir)
}

async function restart(dir: string): Promise<{ server: Server; client: RawClient }> {
  const path = join(dir, 'kvrocks.conf')
  const config = loadConfig({ text: readFileSync(path, 'utf8'), path, overrides: [] })
  const server = new Server({ config, log: SILENT_LOG })
  await server.listen()
  const client = await RawClient.connect(server.port)
  await client.run('auth', 'pwd')
  return { server, client }
}

function temporaryDirectory(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'namespaces-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  return dir
}

for (const isReplicated of [false, true]) {
  test('namespaces outlive a restart, in the file or in the database', async (t) => {
    const dir = temporaryDirectory(t)
    const before = await startFromFile(dir, [`repl-namespace-enabled ${isReplicated ? 'yes' : 'no'}`])
    for (const name of NAMES) await before.client.run('namespace', 'add', name, `token-${name}`)
    before.client.close()
    await before.server.close()
    const { server, client } = await restart(dir)
    for (const name of NAMES) t.equal(await client.value('namespace', 'get', name), `token-${name}`)
    client.close()
    await server.close()
  })
}

test('without a file, and not in the database either, namespaces cannot be changed', async (t) => {
  await using s = await startServer({ config: { requirepass: 'pwd' } })
  const client = await administrator(s)
  for (const words of [
    ['add', 'ns1', 'token1'],
    ['set', 'ns1', 'token1'],
    ['del', 'ns1'],
  ]) {
    t.match(
      await client.run('namespace', ...words),
      /^-ERR modify namespace requires the server is running with a configuration file/,
    )
  }
  await client.run('config', 'set', 'repl-namespace-enabled', 'yes')
  for (const words of [
    ['add', 'ns1', 'token1'],
    ['set', 'ns1', 'token2'],
    ['del', 'ns1'],
  ]) {
    t.equal(await client.run('namespace', ...words), '+OK\r\n')
  }
})

test('namespaces that are replicated cannot be left behind', async (t) => {
  await using s = await startServer({ config: { requirepass: 'pwd', 'repl-namespace-enabled': true } })
  const client = await administrator(s)
  await client.run('namespace', 'add', 'ns', 'token')
  t.match(
    await client.run('config', 'set', 'repl-namespace-enabled', 'no'),
    /cannot switch off repl_namespace_enabled when namespaces exist/,
  )
  await client.run('namespace', 'del', 'ns')
  t.equal(await client.run('config', 'set', 'repl-namespace-enabled', 'no'), '+OK\r\n')
})

test('namespaces reach a replica if both want it, and are read-only there', async (t) => {
  const config = { requirepass: 'pwd', masterauth: 'pwd', 'repl-namespace-enabled': true } as const
  await using master = await startServer({ config, usesRealClock: true })
  await using replica = await startServer({ config, usesRealClock: true })
  const [first, second] = [await administrator(master), await administrator(replica)]
  t.equal(await second.run('slaveof', '127.0.0.1', master.port), '+OK\r\n')
  for (const name of NAMES) t.equal(await first.run('namespace', 'add', name, `token ${name}`), '+OK\r\n')
  const shown = (name: string) => second.value('namespace', 'get', name)
  await eventually(async () => ((await shown('ns4')) === 'token ns4' ? true : undefined))
  for (const name of NAMES) t.equal(await shown(name), `token ${name}`)
  t.equal(await second.run('namespace', 'add', 'mine', 'token'), '-ERR namespace is read-only for slave\r\n')
  for (const name of NAMES) await first.run('namespace', 'del', name)
  await eventually(async () => ((await shown('ns4')) === null ? true : undefined))
  for (const name of NAMES) t.equal(await shown(name), null)
})

test('namespaces of the file stay with their server', async (t) => {
  const { server, client } = await startFromFile(temporaryDirectory(t), [])
  await client.run('namespace', 'add', 'ns', 'token')
  await using replica = await startServer({ config: { requirepass: 'pwd', masterauth: 'pwd' }, usesRealClock: true })
  const other = await administrator(replica)
  t.equal(await other.run('slaveof', '127.0.0.1', server.port), '+OK\r\n')
  await client.run('set', 'k', 'v')
  await eventually(async () => ((await other.value('get', 'k')) === 'v' ? true : undefined))
  t.equal(await other.value('namespace', 'get', 'ns'), null)
  client.close()
  await server.close()
})
