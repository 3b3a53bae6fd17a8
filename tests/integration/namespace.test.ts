/** Namespaces: tokens, restarts, replicas. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { loadConfig } from '../../src/config/load.js'
import { type Log, SILENT_LOG } from '../../src/log/log.js'
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

async function restart(dir: string, log: Log = SILENT_LOG): Promise<{ server: Server; client: RawClient }> {
  const path = join(dir, 'kvrocks.conf')
  const config = loadConfig({ text: readFileSync(path, 'utf8'), path, overrides: [] })
  const server = new Server({ config, log })
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

type Started = Awaited<ReturnType<typeof restart>>

async function stop({ server, client }: Started): Promise<void> {
  client.close()
  await server.close()
}

/** The lines of the file that tell of namespaces, sorted. */
function namespaceLines(dir: string): string[] {
  const lines = readFileSync(join(dir, 'kvrocks.conf'), 'utf8').split('\n')
  return lines.filter((line) => /^(repl-)?namespace/i.test(line)).sort()
}

/** What AUTH makes of a token: its namespace, or undefined. */
async function namespaceOf({ server }: Started, token: string): Promise<unknown> {
  const client = await RawClient.connect(server.port)
  const isKnown = (await client.run('auth', token)) === '+OK\r\n'
  const name = isKnown ? await client.value('namespace', 'current') : undefined
  client.close()
  return name
}

/** Named as the master is, for both sides of replication take only the same data set. */
const REPLICATED = { requirepass: 'pwd', masterauth: 'pwd', 'repl-namespace-enabled': true } as const

test('tokens of the file move to the database once namespaces are replicated, and reach replicas', async (t) => {
  const dir = temporaryDirectory(t)
  const first = await startFromFile(dir, ['repl-namespace-enabled yes', 'namespace.a tok'])
  t.strictSame(namespaceLines(dir), ['repl-namespace-enabled yes'])
  await using replica = await startServer({ config: REPLICATED, usesRealClock: true })
  const other = await administrator(replica)
  t.equal(await other.run('slaveof', '127.0.0.1', first.server.port), '+OK\r\n')
  await eventually(async () => ((await other.value('namespace', 'get', 'a')) === 'tok' ? true : undefined))
  t.equal(await first.client.run('config', 'rewrite'), '+OK\r\n')
  const written = first.server.store.latestSequence()
  await stop(first)
  const second = await restart(dir)
  t.equal(await namespaceOf(second, 'tok'), 'a')
  t.equal(second.server.store.latestSequence(), written, 'a later start writes nothing')
  t.strictSame(namespaceLines(dir), ['repl-namespace-enabled yes'])
  await stop(second)
})

test('a file that cannot be written keeps its tokens, and the server starts', async (t) => {
  const dir = temporaryDirectory(t)
  mkdirSync(join(dir, 'kvrocks.conf.new'))
  writeFileSync(
    join(dir, 'kvrocks.conf'),
    `requirepass pwd\nrepl-namespace-enabled yes\nnamespace.a tok\ndir ${dir}\nport 0\n`,
  )
  const warned: string[] = []
  const log: Log = { ...SILENT_LOG, warning: (text) => warned.push(text) }
  const started = await restart(dir, log)
  t.equal(await namespaceOf(started, 'tok'), 'a')
  t.strictSame(
    warned.filter((text) => text.includes('namespace')),
    [
      '# namespaces: the configuration file keeps tokens that the database has: rename file encounter error: Illegal operation on a directory',
    ],
  )
  t.match(await started.client.run('namespace', 'del', 'a'), /^-ERR rename file encounter error/)
  t.equal(await namespaceOf(started, 'tok'), 'a', 'it would come back')
  await stop(started)
  t.strictSame(namespaceLines(dir), ['namespace.a tok', 'repl-namespace-enabled yes'])
})

test('a replica keeps tokens of its file until its master has told it of namespaces', async (t) => {
  await using master = await startServer({ config: REPLICATED, usesRealClock: true })
  const admin = await administrator(master)
  const dir = temporaryDirectory(t)
  const lines = [`slaveof 127.0.0.1 ${master.port}`, 'masterauth pwd', 'repl-namespace-enabled yes', 'namespace.own t1']
  const first = await startFromFile(dir, lines)
  t.equal(await first.client.run('config', 'rewrite'), '+OK\r\n')
  t.strictSame(namespaceLines(dir), ['namespace.own t1', 'repl-namespace-enabled yes'])
  await admin.run('namespace', 'add', 'theirs', 't2')
  await eventually(async () => ((await first.client.value('namespace', 'get', 'theirs')) === 't2' ? true : undefined))
  t.equal(await namespaceOf(first, 't1'), undefined)
  await stop(first)
  t.strictSame(namespaceLines(dir), ['namespace.own t1', 'repl-namespace-enabled yes'])
  const second = await restart(dir)
  t.equal(await namespaceOf(second, 't1'), undefined, 'it does not come back')
  t.equal(await namespaceOf(second, 't2'), 'theirs')
  t.equal(await second.client.run('config', 'rewrite'), '+OK\r\n')
  t.strictSame(namespaceLines(dir), ['repl-namespace-enabled yes'])
  await stop(second)
})

test('CONFIG SET repl-namespace-enabled moves the tokens, and says so in the file', async (t) => {
  const dir = temporaryDirectory(t)
  const first = await startFromFile(dir, ['namespace.a tok'])
  t.match(
    await first.client.run('config', 'set', 'repl-namespace-enabled', 'yes', 'rocksdb.level0_stop_writes_trigger', '1'),
    /^-ERR CONFIG SET failed \(possibly related to argument 'rocksdb.level0_stop_writes_trigger'\)/,
  )
  t.strictSame(namespaceLines(dir), ['namespace.a tok'])
  t.equal(await first.client.run('config', 'set', 'repl-namespace-enabled', 'yes'), '+OK\r\n')
  t.strictSame(namespaceLines(dir), ['repl-namespace-enabled yes'])
  await stop(first)
  const second = await restart(dir)
  t.equal(await namespaceOf(second, 'tok'), 'a')
  await stop(second)
})

test('CONFIG SET repl-namespace-enabled is refused as a whole where the file cannot be written', async (t) => {
  const dir = temporaryDirectory(t)
  const first = await startFromFile(dir, ['namespace.a tok'])
  mkdirSync(join(dir, 'kvrocks.conf.new'))
  t.match(await first.client.run('config', 'set', 'repl-namespace-enabled', 'yes'), /rename file encounter error/)
  t.same(await first.client.value('config', 'get', 'repl-namespace-enabled'), ['repl-namespace-enabled', 'no'])
  t.equal(await namespaceOf(first, 'tok'), 'a')
  await stop(first)
  const second = await restart(dir)
  t.equal(await namespaceOf(second, 'tok'), 'a')
  await stop(second)
})

test('the order of CONFIG SET, NAMESPACE and CONFIG REWRITE does not matter, in a transaction either', async (t) => {
  const dir = temporaryDirectory(t)
  const first = await startFromFile(dir, [])
  const { client } = first
  t.equal(await client.run('multi'), '+OK\r\n')
  for (const words of [
    ['namespace', 'add', 'a', 'ta'],
    ['config', 'set', 'repl-namespace-enabled', 'yes'],
    ['namespace', 'add', 'my app', 'tm'],
    ['namespace', 'add', 'b', 'tb'],
    ['namespace', 'del', 'a'],
    ['config', 'rewrite'],
  ]) {
    t.equal(await client.run(...words), '+QUEUED\r\n')
  }
  t.equal(await client.run('exec'), `*6\r\n${'+OK\r\n'.repeat(6)}`)
  await stop(first)
  const second = await restart(dir)
  const opened = await Promise.all(['ta', 'tb', 'tm'].map((token) => namespaceOf(second, token)))
  t.strictSame(opened, [undefined, 'b', 'my app'])
  t.strictSame(namespaceLines(dir), ['repl-namespace-enabled yes'])
  await stop(second)
})

test('names that a line of the file cannot hold are refused where tokens go to the file', async (t) => {
  const dir = temporaryDirectory(t)
  const first = await startFromFile(dir, ['masterauth m'])
  for (const name of ['my app', 'a#b', 'a\nport 1', 'a\tb', 'a\r', ' ', '\v']) {
    for (const command of ['add', 'set']) {
      t.equal(await first.client.run('namespace', command, name, 'tok'), '-ERR namespace contain illegal letter\r\n')
    }
  }
  t.equal(await first.client.run('namespace', 'add', 'a', ''), '-ERR the token is empty\r\n')
  const tokens = { 'a"b': 'x y', "'c'": '#', 'd\\': '"', e: '\b' }
  for (const [name, token] of Object.entries(tokens)) {
    t.equal(await first.client.run('namespace', 'add', name, token), '+OK\r\n')
  }
  await stop(first)
  const second = await restart(dir)
  for (const [name, token] of Object.entries(tokens)) t.equal(await namespaceOf(second, token), name)
  await stop(second)
})

test('a namespace that a file gave several tokens loses all of them', async (t) => {
  const dir = temporaryDirectory(t)
  const first = await startFromFile(dir, ['namespace.a t1', 'namespace.a t2', 'NAMESPACE.b t3', 'namespace.b t4'])
  t.equal(await first.client.run('namespace', 'del', 'a'), '+OK\r\n')
  t.equal(await first.client.run('namespace', 'set', 'b', 't5'), '+OK\r\n')
  t.strictSame(namespaceLines(dir), ['namespace.b t5'])
  for (const token of ['t1', 't2', 't3', 't4']) t.equal(await namespaceOf(first, token), undefined)
  await stop(first)
})

test('a file that was removed is written anew', async (t) => {
  const dir = temporaryDirectory(t)
  const first = await startFromFile(dir, [])
  rmSync(join(dir, 'kvrocks.conf'))
  t.equal(await first.client.run('namespace', 'add', 'a', 'tok'), '+OK\r\n')
  appendFileSync(join(dir, 'kvrocks.conf'), '# end\n')
  await stop(first)
  const second = await restart(dir)
  t.equal(await namespaceOf(second, 'tok'), 'a')
  await stop(second)
})

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
