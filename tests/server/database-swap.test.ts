/** A database that takes the place of another: crashes on the way, and what clients see meanwhile. */

import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { ConfigValues } from '../../src/index.js'
import { DatabaseSwap } from '../../src/server/database-swap.js'
import { eventually } from '../support/eventually.js'
import { startServer, type TestServer } from '../support/server.js'

const LOADING = '-LOADING kvrocks is restoring the db from backup\r\n'

/** The directory of a server that was stopped and has a key, a slot and a position in its feed. */
async function stopped(t: Test): Promise<{ readonly dir: string; readonly db: string; readonly replid: string }> {
  const dir = t.testdir()
  const server = await startServer({ dir })
  await server.run('set', 'k', 'v')
  await server.run('cdc', 'slot', 'create', 'orders')
  const replid = await replidOf(server)
  await server.close()
  return { dir, db: join(dir, 'db'), replid }
}

async function replidOf(server: TestServer): Promise<string> {
  return /replid\r\n\$40\r\n([0-9a-f]{40})/.exec(await server.run('sequence', 'range'))?.[1] ?? ''
}

test('a swap that was cut off before the new database was in place never happened', async (t) => {
  const { dir, db, replid } = await stopped(t)
  renameSync(db, `${db}.tmp`)
  await using server = await startServer({ dir })
  t.equal(await server.run('get', 'k'), '$1\r\nv\r\n')
  t.equal(await replidOf(server), replid)
  t.match(await server.run('cdc', 'slot', 'info', 'orders'), /state\r\n\$6\r\nactive/)
})

test('a swap that was cut off after that gives up what was known of the database before', async (t) => {
  const { dir, db, replid } = await stopped(t)
  cpSync(db, `${db}.tmp`, { recursive: true })
  await using server = await startServer({ dir })
  t.equal(await server.run('get', 'k'), '$1\r\nv\r\n')
  t.not(await replidOf(server), replid)
  t.equal(
    await server.run('pollupdates', 0, 'format', 'json', 'replid', replid),
    `-DIVERGED the position is of another history than ${await replidOf(server)}: begin anew with a snapshot\r\n`,
  )
  t.match(await server.run('cdc', 'slot', 'info', 'orders'), /state\r\n\$4\r\nlost/)
  t.ok(await eventually(() => (existsSync(`${db}.tmp`) ? undefined : true)))
})

test('a copy that cannot be opened after a crash gives way to the database before', async (t) => {
  const { dir, db, replid } = await stopped(t)
  cpSync(db, `${db}.tmp`, { recursive: true })
  writeFileSync(join(db, 'CURRENT'), 'no manifest')
  await using server = await startServer({ dir })
  t.equal(await server.run('get', 'k'), '$1\r\nv\r\n')
  t.equal(await replidOf(server), replid)
  t.notOk(existsSync(`${db}.tmp`))
})

test('a database that was being deleted when the server crashed is gone', async (t) => {
  const { dir, db, replid } = await stopped(t)
  renameSync(db, `${db}.discarded`)
  rmSync(join(`${db}.discarded`, 'CURRENT'))
  await using server = await startServer({ dir })
  t.equal(await server.run('dbsize'), ':0\r\n')
  t.not(await replidOf(server), replid)
  t.notOk(existsSync(`${db}.discarded`))
})

/** The files of a database that has the key `copied`, and what else `commands` write. */
async function copyOf(t: Test, config: Partial<ConfigValues> = {}, ...commands: string[][]): Promise<string> {
  const path = join(t.testdir({}), 'copy')
  await using source = await startServer({ config })
  const client = await source.connect()
  for (const words of [...commands, ['set', 'copied', 'v']]) t.equal(await client.run(...words), '+OK\r\n')
  await source.server.store.rocks.checkpoint(path)
  return path
}

/** A server that has a key, a slot and a position in its feed, and then another database. */
async function swapped(t: Test, copy: string, prepare: (server: TestServer) => void = () => {}) {
  const server = await startServer({ dir: join(t.testdirName, 'node') })
  await server.run('set', 'k', 'v')
  await server.run('cdc', 'slot', 'create', 'orders')
  const replid = await replidOf(server)
  prepare(server)
  await new DatabaseSwap(server.server).load(copy)
  return { server, db: join(server.dir, 'db'), replid }
}

async function assertIsCopy(t: Test, server: TestServer, replid: string): Promise<void> {
  t.equal(await server.run('mget', 'copied', 'k'), '*2\r\n$1\r\nv\r\n$-1\r\n')
  t.not(await replidOf(server), replid)
  t.match(await server.run('cdc', 'slot', 'info', 'orders'), /state\r\n\$4\r\nlost/)
  t.equal(await server.run('set', 'new', 'w'), '+OK\r\n')
}

test('a copy with namespaces that the configuration does not take is served without them', async (t) => {
  const config = { requirepass: 'secret', 'repl-namespace-enabled': true }
  const copy = await copyOf(t, config, ['auth', 'secret'], ['namespace', 'add', 'n', 'token'])
  mkdirSync(join(t.testdirName, 'node'))
  const { server, db, replid } = await swapped(t, copy)
  await assertIsCopy(t, server, replid)
  t.same(server.logged, [
    '[replication] Failed to load namespaces: cannot switch off repl_namespace_enabled when namespaces exist in db',
  ])
  t.notOk(existsSync(`${db}.tmp`))
  await server.close()
  await using again = await startServer({ dir: server.dir, config })
  t.equal(await again.run('auth', 'secret'), '+OK\r\n')
  t.equal(await again.run('mget', 'copied', 'new'), '*2\r\n$1\r\nv\r\n$1\r\nw\r\n')
})

for (const { what, prevent, allow, logged, isKept } of [
  {
    what: 'written',
    prevent: (history: string) => mkdirSync(`${history}.new`),
    allow: (history: string) => rmSync(`${history}.new`, { recursive: true }),
    logged: [],
    isKept: false,
  },
  {
    what: 'written or removed',
    prevent: (history: string) => {
      rmSync(history)
      mkdirSync(history)
    },
    allow: (history: string) => rmSync(history, { recursive: true }),
    logged: [/^\[storage\] positions in the database before are not given up: /],
    isKept: true,
  },
]) {
  test(`a history that cannot be ${what} does not keep the new database from being served`, async (t) => {
    const copy = await copyOf(t)
    mkdirSync(join(t.testdirName, 'node'))
    const historyOf = ({ server }: TestServer): string => server.config.paths.history
    const { server, db, replid } = await swapped(t, copy, (node) => {
      // Else it tries each second to save the history.
      node.server.cron.stop()
      prevent(historyOf(node))
    })
    await assertIsCopy(t, server, replid)
    t.equal(server.logged.length, logged.length)
    t.match(server.logged, logged)
    t.equal(existsSync(`${db}.tmp`), isKept)
    // As a crash would leave it.
    const dir = join(t.testdirName, 'crashed')
    cpSync(server.dir, dir, { recursive: true })
    allow(join(dir, historyOf(server).slice(server.dir.length)))
    await using crashed = await startServer({ dir })
    t.not(await replidOf(crashed), replid)
    t.equal(await crashed.run('mget', 'copied', 'new'), '*2\r\n$1\r\nv\r\n$1\r\nw\r\n')
    allow(historyOf(server))
    await server.close()
  })
}

test('while a database is loaded, a transaction runs only if all of it may', async (t) => {
  await using server = await startServer()
  const [data, none] = [await server.connect(), await server.connect()]
  for (const words of [['multi'], ['set', 'k', '1'], ['ping']]) await data.run(...words)
  for (const words of [['multi'], ['client', 'getname']]) await none.run(...words)
  server.server.isLoading = true
  t.equal(
    await data.run('exec'),
    '-EXECABORT Transaction discarded because of: LOADING kvrocks is restoring the db from backup\r\n',
  )
  t.equal(await none.run('exec'), '*1\r\n$-1\r\n')
  server.server.isLoading = false
  t.equal(await data.run('get', 'k'), '$-1\r\n')
})

test('who waits for what comes next in the log is told when the database becomes another', async (t) => {
  await using server = await startServer()
  await server.run('set', 'k', '1')
  const words = [
    ['pollupdates', '1', 'replid', server.server.history.id, 'block', '0'],
    ['pollupdates', '1', 'format', 'json', 'block', '60000'],
    ['sequence', 'wait', '9', '60000'],
    ['wait', '1', '0'],
  ]
  const waiting = await Promise.all(words.map(() => server.connect()))
  const subscriber = await server.connect()
  t.match(await subscriber.run('cdc', 'subscribe', 1), /subscribe/)
  for (const [at, client] of waiting.entries()) client.send(...words[at]!)
  await eventually(() => server.server.blocking.count === words.length || undefined)
  const swap = new DatabaseSwap(server.server)
  await swap.drop()
  for (const [at, client] of waiting.entries()) t.equal((await client.nextReply()).bytes, LOADING, words[at]!.join(' '))
  t.match((await subscriber.nextReply()).bytes, /cdc\r\n\$5\r\nerror\r\n.*LOADING/s)
  await swap.reload()
  t.match(await waiting[0]!.run('pollupdates', '0', 'replid', 'f'.repeat(40)), /^-DIVERGED /)
  t.equal(await waiting[1]!.run('get', 'k'), '$-1\r\n')
  t.same(server.logged, [])
})

test('what may run while the database is closed and asks it something is refused, settings are taken', async (t) => {
  await using server = await startServer()
  const client = await server.connect()
  const { store } = server.server
  server.server.isLoading = true
  await store.close()
  for (const words of [
    ['watch', 'k'],
    ['memory', 'stats'],
    ['memory', 'purge'],
    ['debug', 'object', 'k'],
  ]) {
    t.equal(await client.run(...words), LOADING, words.join(' '))
  }
  for (const words of [
    ['rocksdb.max_background_jobs', '5'],
    ['rocksdb.write_buffer_size', '32'],
    ['max-io-mb', '7'],
    ['max-db-size', '1'],
    ['row-cache-mb', '1'],
  ]) {
    t.equal(await client.run('config', 'set', ...words), '+OK\r\n', words.join(' '))
  }
  t.same(server.logged, [])
})
