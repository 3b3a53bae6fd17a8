/** kvrocks-ts import: a live Redis is taken over. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { RedisConnection } from '../../src/cdc-client/redis-connection.js'
import { runImport } from '../../src/cli/import/import.js'
import { Importer } from '../../src/cli/import/importer.js'
import { sourceAddress } from '../../src/cli/import/source-link.js'
import { ProgressLine } from '../../src/cli/progress.js'
import { eventually } from '../support/eventually.js'
import { BIN } from '../support/process.js'
import { describeServer, RandomWrites, runWrites } from '../support/random-writes.js'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MISSING, type RedisServer, startRedisServer } from '../support/redis-server.js'
import { startServer, type TestServer } from '../support/server.js'

/** Longer than an import needs to look whether it has caught up. */
const FAR_MS = 300
const SKIP = { skip: REDIS_MISSING, timeout: 600_000 }

interface Running {
  readonly text: string
  readonly ended: Promise<number>
  cutOver(): void
}

function start(...words: string[]): Running {
  const controller = new AbortController()
  const running = { text: '', ended: Promise.resolve(-1), cutOver: () => controller.abort() }
  const write = (line: string): void => {
    running.text += line
  }
  running.ended = runImport(words, { errors: { write }, signal: controller.signal })
  return running
}

async function sourceServer(t: Test, ...options: string[]): Promise<{ redis: RedisServer; client: RawClient }> {
  const redis = await startRedisServer('--repl-diskless-sync-delay', '0', ...options)
  const client = await RawClient.connect(redis.port)
  t.teardown(async () => {
    client.close()
    await redis.stop()
  })
  return { redis, client }
}

function urlOf({ port }: { port: number }): string {
  return `redis://127.0.0.1:${port}`
}

async function sameContents(t: Test, redis: Redis, s: TestServer): Promise<void> {
  const client = new Redis({ port: s.port, host: '127.0.0.1' })
  const seen = { entriesRead: false }
  const [expected, found] = [await describeServer(redis, seen), await describeServer(client, seen)]
  client.disconnect()
  t.same(Object.keys(found), Object.keys(expected), 'the same keys')
  for (const key of Object.keys(found)) t.same(found[key], expected[key], key)
}

async function fillLarge(client: RawClient): Promise<void> {
  const many = Array.from({ length: 5000 }, (_, index) => index)
  await client.run('hset', 'large:hash', ...many.flatMap((i) => [`f${i}`, `value ${i}`]))
  await client.run('rpush', 'large:list', ...many)
  await client.run('sadd', 'large:set', ...many)
  await client.run('zadd', 'large:zset', ...many.flatMap((i) => [i / 3, `m${i}`]))
  await client.run('pexpire', 'large:zset', 10_000_000)
  for (const i of many) client.send('xadd', 'large:stream', `${i + 1}-1`, 'field', `value ${i}`)
  for (const _ of many) await client.nextReply()
  await client.run('xgroup', 'create', 'large:stream', 'g', '0')
  await client.run('xreadgroup', 'group', 'g', 'c', 'count', 1500, 'streams', 'large:stream', '>')
  await client.run('xdel', 'large:stream', '5000-1')
}

test('a Redis under writes is imported, and both end equal', SKIP, async (t) => {
  const { redis, client } = await sourceServer(t)
  await using s = await startServer({ usesRealClock: true })
  const writes = new RandomWrites(23)
  await runWrites(client, writes, 1000)
  await fillLarge(client)
  await client.run('set', 'brief', 'x', 'px', 1)
  const running = start('--from', urlOf(redis), '--to', urlOf(s))
  await runWrites(client, writes, 2000)
  await eventually(() => (running.text.includes('loaded') ? true : undefined))
  for (let cut = 0; cut < 3; cut++) {
    await runWrites(client, writes, 300)
    await redis.client.call('client', 'kill', 'type', 'replica')
    await runWrites(client, writes, 300)
    await eventually(async () => (/state=online/.test(await redis.client.info('replication')) ? true : undefined))
  }
  await client.run('multi')
  await client.run('set', 'in a transaction', 1)
  await client.run('rpush', 'and this', 2)
  await client.run('exec')
  // The source has more than was sent when the cut-over begins.
  await runWrites(client, writes, 1000)
  running.cutOver()
  t.equal(await running.ended, 0, running.text)
  t.match(running.text, /imported\n$/)
  await sameContents(t, redis.client, s)
  t.match(await redis.client.info('stats'), /sync_full:1\r\nsync_partial_ok:3/)
  t.same(s.logged, [])
})

test('a source that waits for further replicas, as Redis does by default', SKIP, async (t) => {
  const { redis, client } = await sourceServer(t)
  await redis.client.config('SET', 'repl-diskless-sync-delay', 2)
  await client.run('set', 'k', 'v')
  await using s = await startServer({ usesRealClock: true })
  const running = start('--from', urlOf(redis), '--to', urlOf(s), '--until-caught-up')
  t.equal(await running.ended, 0, running.text)
  t.equal(await s.run('get', 'k'), '$1\r\nv\r\n')
})

test('an import that is interrupted before the source has begun ends at once', SKIP, async (t) => {
  const { redis } = await sourceServer(t)
  await redis.client.config('SET', 'repl-diskless-sync-delay', 3600)
  await using s = await startServer({ usesRealClock: true })
  const running = start('--from', urlOf(redis), '--to', urlOf(s))
  await eventually(async () => (/wait_bgsave/.test(await redis.client.info('replication')) ? true : undefined))
  running.cutOver()
  t.equal(await running.ended, 1)
  t.match(running.text, /the source had not begun to send: nothing is imported\n$/)
})

const CUT_OVER_MS = 500
const REST = '*1\r\n$4\r\nPING\r\n'
/** An RDB file without a key. */
const NO_KEYS = Buffer.concat([Buffer.from('REDIS0010\xff', 'latin1'), Buffer.alloc(8)])

test('a cut-over that is asked for while keys are loaded waits for them, however long that takes', async (t) => {
  const sockets: Socket[] = []
  let isLoading = false
  const source = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1')
      if (text.includes('PING')) socket.write('+PONG\r\n')
      else if (text.includes('PSYNC')) {
        socket.write(`+FULLRESYNC ${'a'.repeat(40)} 0\r\n$${NO_KEYS.length}\r\nREDIS`)
        sockets.push(socket)
      } else if (text.includes('INFO')) {
        socket.write(`$23\r\nmaster_repl_offset:${REST.length}\r\n\r\n`)
        setTimeout(() => sockets[0]?.write(REST), CUT_OVER_MS / 5)
      } else if (text.includes('capa')) socket.write('+OK\r\n')
      else if (text === '\n') isLoading = true
    })
  }).listen(0, '127.0.0.1')
  await once(source, 'listening')
  t.teardown(() => source.close())
  const { port } = source.address() as AddressInfo
  await using s = await startServer({ usesRealClock: true })
  const controller = new AbortController()
  let text = ''
  const target = await RedisConnection.open(urlOf(s))
  const ended = new Importer({
    source: sourceAddress(new URL(`redis://127.0.0.1:${port}`)),
    target,
    database: 0,
    merges: false,
    untilCaughtUp: false,
    progress: new ProgressLine({ write: (line) => (text += line) }),
    cutOver: controller.signal,
    cutOverMsMax: CUT_OVER_MS,
  }).run()
  await eventually(() => isLoading || undefined)
  controller.abort()
  await new Promise((resolve) => setTimeout(resolve, CUT_OVER_MS))
  sockets[0]?.write(NO_KEYS.subarray('REDIS'.length))
  t.same(await ended, { leftOut: 0 }, text)
  target.close()
})

/** The importer in a process of its own, which can be killed. */
function startImporter(...words: string[]): { child: ChildProcess; text(): string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [BIN, 'import', ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, text: () => text, ended }
}

/** The offset that the target has stored; undefined before there is one. */
async function storedOffset(s: { run: TestServer['run'] }): Promise<number | undefined> {
  const found = /"offset":(\d+)/.exec(await s.run('get', 'kvrocks-ts:import'))?.[1]
  return found === undefined ? undefined : Number(found)
}

/** Writes that are wrong if they are carried out twice, or not at all; every second one in a transaction. */
function sendCounts(client: RawClient, count: number): void {
  for (let i = 0; i < count; i++) {
    const commands = [
      ['incr', 'counter'],
      ['rpush', 'numbers', i],
      ['append', 'text', 'x'],
    ]
    if (i % 2 === 0) commands.unshift(['multi'])
    if (i % 2 === 0) commands.push(['exec'])
    for (const words of commands) client.send(...words)
  }
  // So short that a piece of the stream has more of them than one transaction of the target.
  for (let i = 0; i < 2 * count; i++) client.send('incr', 'c')
}

test('an importer that is killed goes on where it was, and carries out nothing twice', SKIP, async (t) => {
  const { redis, client } = await sourceServer(t, '--repl-backlog-size', '64mb')
  await runWrites(client, new RandomWrites(31), 500)
  await using s = await startServer({ usesRealClock: true })
  const writer = await RawClient.connect(redis.port)
  t.teardown(() => writer.close())
  for (let kill = 0; kill < 5; kill++) {
    const running = startImporter('--from', urlOf(redis), '--to', urlOf(s))
    const before = await eventually(() => storedOffset(s))
    sendCounts(writer, 3000)
    await eventually(async () => (((await storedOffset(s)) ?? 0) > before + 20_000 ? true : undefined))
    running.child.kill('SIGKILL')
    await running.ended
    if (kill > 0) t.match(running.text(), /goes on where it was interrupted, at offset \d+/)
  }
  const last = startImporter('--from', urlOf(redis), '--to', urlOf(s))
  await eventually(() => (last.text().includes('goes on') ? true : undefined))
  await runWrites(client, new RandomWrites(37), 500)
  last.child.kill('SIGINT')
  t.equal(await last.ended, 0, last.text())
  t.match(last.text(), /the changes up to offset \d+ are imported\n$/)
  t.equal(await redis.client.get('counter'), '15000')
  await sameContents(t, redis.client, s)
  t.equal(await s.run('exists', 'kvrocks-ts:import'), ':0\r\n')
  t.match(await redis.client.info('stats'), /sync_full:1\r\nsync_partial_ok:5/)
})

test('so does one that fills a data directory', SKIP, async (t) => {
  const { redis, client } = await sourceServer(t, '--repl-backlog-size', '64mb')
  const dir = mkdtempSync(join(tmpdir(), 'import-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  for (let kill = 0; kill < 3; kill++) {
    const running = startImporter('--from', urlOf(redis), '--dir', dir)
    await eventually(() => (/loaded|goes on/.test(running.text()) ? true : undefined))
    const before = await acknowledgedOffset(redis)
    sendCounts(client, 3000)
    await eventually(async () => ((await acknowledgedOffset(redis)) > before + 20_000 ? true : undefined))
    running.child.kill('SIGKILL')
    await running.ended
  }
  const last = startImporter('--from', urlOf(redis), '--dir', dir, '--until-caught-up')
  t.equal(await last.ended, 0, last.text())
  await using s = await startServer({ dir, usesRealClock: true })
  await sameContents(t, redis.client, s)
  t.match(await redis.client.info('stats'), /sync_full:1\r\nsync_partial_ok:3/)
})

/** What the source's one replica has confirmed. */
async function acknowledgedOffset({ client }: RedisServer): Promise<number> {
  return Number(/offset=(\d+),lag=/.exec(await client.info('replication'))?.[1] ?? 0)
}

test('an import begins anew where its place is lost, or its file was not loaded to the end', SKIP, async (t) => {
  const { redis, client } = await sourceServer(t)
  await client.run('set', 'old', 1)
  await using s = await startServer({ usesRealClock: true })
  const source = `127.0.0.1:${redis.port}/0`
  await s.run('set', 'half', 'loaded')
  await s.run('set', 'kvrocks-ts:import', JSON.stringify({ source }))
  const again = start('--from', urlOf(redis), '--to', urlOf(s), '--until-caught-up')
  t.equal(await again.ended, 0, again.text)
  t.match(again.text, /^the import was interrupted while it loaded: it begins anew\n/)
  t.equal(await s.run('keys', '*'), '*1\r\n$3\r\nold\r\n')
  await s.run('set', 'kvrocks-ts:import', JSON.stringify({ source, id: 'f'.repeat(40), offset: 7, database: 0 }))
  await client.run('del', 'old')
  await client.run('set', 'new', 1)
  const merging = start('--from', urlOf(redis), '--to', urlOf(s), '--merge')
  t.equal(await merging.ended, 1)
  t.match(merging.text, /the source can only begin anew, which --merge does not allow: keys may have gone/)
  const lost = start('--from', urlOf(redis), '--to', urlOf(s), '--until-caught-up')
  t.equal(await lost.ended, 0, lost.text)
  t.match(
    lost.text,
    /goes on where it was interrupted, at offset 7\nthe source has lost the place of this import and begins anew\n/,
  )
  t.equal(await s.run('keys', '*'), '*1\r\n$3\r\nnew\r\n')
  await s.run('set', 'kvrocks-ts:import', JSON.stringify({ source: 'another:1/0', id: 'f', offset: 7, database: 0 }))
  const other = start('--from', urlOf(redis), '--to', urlOf(s))
  t.equal(await other.ended, 1)
  t.match(other.text, /the target has a part of another:1\/0, which was not imported to its end: empty it/)
})

test('what an import has caught up with is forgotten when the source begins anew', SKIP, async (t) => {
  const { redis, client } = await sourceServer(t)
  await client.run('set', 'k', 1)
  await using s = await startServer({ usesRealClock: true })
  await using relay = await relayTo(redis.port)
  const place = { source: `127.0.0.1:${relay.port}/0`, id: 'f'.repeat(40), offset: 7, database: 0 }
  await s.run('set', 'kvrocks-ts:import', JSON.stringify(place))
  const running = start('--from', urlOf(relay), '--to', urlOf(s), '--until-caught-up')
  t.equal(await running.ended, 0, running.text)
  t.match(running.text, /has lost the place of this import and begins anew\n(?:.*\n)*loaded 1 keys/)
  t.equal(await s.run('keys', '*'), '*1\r\n$1\r\nk\r\n')
})

/** A source far away: its answer to PSYNC takes its time, and so does the file. */
async function relayTo(port: number): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const relay = createServer((socket) => {
    const source = connect(port, '127.0.0.1')
    let isReplica = false
    let sent: Promise<unknown> = Promise.resolve()
    for (const end of [socket, source]) sockets.add(end.on('error', () => {}))
    socket.on('data', (chunk) => {
      isReplica ||= chunk.includes('PSYNC')
      source.write(chunk)
    })
    source.on('data', (chunk) => {
      const pieces = isReplica ? linesOf(chunk) : [chunk]
      for (const piece of pieces) {
        if (isReplica) sent = sent.then(() => delay(FAR_MS))
        sent = sent.then(() => socket.write(piece))
      }
    })
    socket.on('close', () => source.destroy())
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  return {
    port: (relay.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      relay.close()
      await once(relay, 'close')
    },
  }
}

/** The first line, and the rest. */
function linesOf(chunk: Buffer): Buffer[] {
  const end = chunk.indexOf('\n') + 1
  return [chunk.subarray(0, end), chunk.subarray(end)].filter(({ length }) => length > 0)
}

test('what a transaction of the target refuses is carried out by itself, in its place', SKIP, async (t) => {
  const { redis, client } = await sourceServer(t)
  await using s = await startServer({ usesRealClock: true, config: { 'rename-command': ['append renamed'] } })
  const running = start('--from', urlOf(redis), '--to', urlOf(s))
  await eventually(() => (running.text.includes('loaded') ? true : undefined))
  for (const words of [
    ['set', 'k', 1],
    ['append', 'k', 2],
    ['incr', 'k'],
  ]) {
    client.send(...words)
  }
  for (let i = 0; i < 3; i++) await client.nextReply()
  await eventually(() => (running.text.includes('not copied: APPEND: ERR unknown command') ? true : undefined))
  running.cutOver()
  t.equal(await running.ended, 1)
  t.equal(await s.run('get', 'k'), '$1\r\n2\r\n')
})

test('--until-caught-up ends by itself, and --dir fills a data directory', SKIP, async (t) => {
  const { redis, client } = await sourceServer(t, '--repl-diskless-sync', 'no')
  await redis.client.config('SET', 'requirepass', 'secret')
  await runWrites(client, new RandomWrites(29), 1000)
  const dir = mkdtempSync(join(tmpdir(), 'import-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  t.match(await start('--from', urlOf(redis), '--dir', dir).ended, 1)
  const running = start('--from', `redis://:secret@127.0.0.1:${redis.port}`, '--dir', dir, '--until-caught-up')
  t.equal(await running.ended, 0, running.text)
  await using s = await startServer({ dir, usesRealClock: true })
  await sameContents(t, redis.client, s)
})

test('databases other than 0 are an error unless they are chosen', SKIP, async (t) => {
  const { redis, client } = await sourceServer(t)
  await client.run('set', 'k', 'zero')
  await client.run('select', 3)
  await client.run('set', 'k', 'three')
  await using s = await startServer({ usesRealClock: true, config: { 'redis-databases': 16 } })
  const alone = start('--from', urlOf(redis), '--to', urlOf(s), '--until-caught-up')
  t.equal(await alone.ended, 1)
  t.match(
    alone.text,
    /the source has keys in database 3: choose one by a number after the address, or take --all-databases/,
  )
  await s.run('flushall')
  const third = start('--from', `${urlOf(redis)}/3`, '--to', urlOf(s), '--until-caught-up')
  t.equal(await third.ended, 0, third.text)
  t.equal(await s.run('get', 'k'), '$5\r\nthree\r\n')
  const refused = start('--from', urlOf(redis), '--to', urlOf(s), '--until-caught-up')
  t.equal(await refused.ended, 1)
  t.match(refused.text, 'the target has keys already')
  await s.run('flushall')
  const all = start('--from', urlOf(redis), '--to', urlOf(s), '--all-databases')
  await eventually(() => (all.text.includes('loaded') ? true : undefined))
  await client.run('set', 'live', 'three')
  await client.run('select', 0)
  await client.run('set', 'live', 'zero')
  all.cutOver()
  t.equal(await all.ended, 0, all.text)
  t.equal(await s.run('mget', 'k', 'live'), '*2\r\n$4\r\nzero\r\n$4\r\nzero\r\n')
  await s.run('select', 3)
  t.equal(await s.run('mget', 'k', 'live'), '*2\r\n$5\r\nthree\r\n$5\r\nthree\r\n')
})

test('what the target refuses is told, and the exit code says so', SKIP, async (t) => {
  const { redis, client } = await sourceServer(t)
  await client.run('set', 'k', 'v')
  await using s = await startServer({ usesRealClock: true })
  await s.run('rpush', 'other', 'a')
  const running = start('--from', urlOf(redis), '--to', urlOf(s), '--merge')
  await eventually(() => (running.text.includes('loaded') ? true : undefined))
  await client.run('set', 'other', 'b')
  await client.run('append', 'other', 'c')
  await client.run('rpush', 'k2', 1)
  await eventually(async () => ((await s.run('type', 'k2')) === '+list\r\n' ? true : undefined))
  await s.run('set', 'k2', 'string')
  await client.run('rpush', 'k2', 2)
  await eventually(() => (running.text.includes('not copied: RPUSH: WRONGTYPE') ? true : undefined))
  running.cutOver()
  t.equal(await running.ended, 1)
  t.match(running.text, /, 1 keys or commands could not be copied\n$/)
  t.equal(await s.run('get', 'other'), '$2\r\nbc\r\n')
})

test('this server itself can be the source', async (t) => {
  await using source = await startServer({ usesRealClock: true })
  await using s = await startServer({ usesRealClock: true })
  await source.run('zadd', 'z', '0.1', 'a')
  const running = start('--from', urlOf(source), '--to', urlOf(s))
  await eventually(() => (running.text.includes('loaded') ? true : undefined))
  await source.run('zadd', 'z', '0.2', 'b')
  await source.run('rename', 'z', 'y')
  await eventually(async () => ((await s.run('zcard', 'y')) === ':2\r\n' ? true : undefined))
  t.equal(await s.run('zrange', 'y', 0, -1, 'withscores'), await source.run('zrange', 'y', 0, -1, 'withscores'))
  running.cutOver()
  await running.ended
  t.equal(await s.run('dbsize'), await source.run('dbsize'))
})

test('mistakes are told', async (t) => {
  t.match(await start().ended, 1)
  for (const words of [
    ['--from', 'nonsense'],
    ['--from', 'http://x'],
    ['--from', 'redis://x', '--dir', 'a', '--to', 'b'],
  ]) {
    const running = start(...words)
    t.equal(await running.ended, 1)
    t.match(running.text, /^Usage:/)
  }
  await using s = await startServer()
  const running = start('--from', 'redis://127.0.0.1:1', '--to', urlOf(s))
  t.equal(await running.ended, 1)
  t.match(running.text, /ECONNREFUSED/)
})
