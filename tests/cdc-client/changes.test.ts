import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { mock } from 'node:test'
import { test } from 'tap'
import {
  changes,
  type FeedChange,
  type FeedOptions,
  fileCheckpoint,
  memoryCheckpoint,
} from '../../src/cdc-client/changes.js'
import { RedisConnection, ServerError } from '../../src/cdc-client/redis-connection.js'
import { runCdc } from '../../src/cli/cdc.js'
import { createServer, type Server } from '../../src/index.js'
import { contents } from '../cdc/replay.js'
import { eventually } from '../support/eventually.js'
import { RawClient } from '../support/raw-client.js'
import { startServer, type TestServer } from '../support/server.js'

function urlOf({ port }: TestServer): string {
  return `redis://127.0.0.1:${port}`
}

function shown({ command }: FeedChange): string {
  return (command ?? []).map((word) => word.toString()).join(' ')
}

test('a snapshot is followed by the changes since, until the signal ends it', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'f', Buffer.from([0xff]))
  await s.run('set', 'a', '1')
  const controller = new AbortController()
  const seen: FeedChange[] = []
  for await (const change of changes({ url: urlOf(s), snapshot: true, signal: controller.signal })) {
    seen.push(change)
    if (seen.length === 2) await s.run('set', 'a', '2')
    if (seen.length === 3) controller.abort()
  }
  t.same(
    seen.map(({ sequence }) => sequence),
    [2 + 1, 3, 4],
  )
  t.same(seen[1]?.command, [Buffer.from('HSET'), Buffer.from('h'), Buffer.from('f'), Buffer.from([0xff])])
  t.same(seen.map(shown), ['SET a 1', 'HSET h f \ufffd', 'SET a 2'])
})

test('a reader goes on from its checkpoint, and repeats what it had not done', async (t) => {
  await using s = await startServer()
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const checkpoint = fileCheckpoint(join(dir, 'position'))
  for (let i = 0; i < 3; i++) await s.run('set', 'a', i)
  const options = { url: urlOf(s), since: 'oldest', follow: false, checkpoint } as const
  for await (const _ of changes(options)) break
  t.equal(await checkpoint.load(), undefined)
  const first: string[] = []
  for await (const change of changes(options)) first.push(shown(change))
  t.same(first, ['SET a 0', 'SET a 1', 'SET a 2'])
  t.same(await checkpoint.load(), { sequence: 3, replid: s.server.history.id })
  await s.run('set', 'a', 'more')
  const second: string[] = []
  for await (const change of changes(options)) second.push(shown(change))
  t.same(second, ['SET a more'])
})

test('of a server that does not tell the history of a page, the one that it took stays', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', 1)
  const { id } = s.server.history
  const connection = await RedisConnection.open(urlOf(s), undefined)
  t.teardown(() => connection.close())
  // As those were that knew REPLID and did not answer with it.
  const shortened: Record<string, number> = { POLLUPDATES: 6 }
  const client = {
    command: async (...words: string[]): Promise<unknown> => {
      const reply = (await connection.command(...words)) as unknown[]
      return reply.slice(0, shortened[words[0] as string])
    },
  }
  const checkpoint = memoryCheckpoint({ sequence: 0, replid: id })
  for await (const change of changes({ client, checkpoint, follow: false })) t.equal(shown(change), 'SET a 1')
  t.same(await checkpoint.load(), { sequence: 1, replid: id })
  shortened['SEQUENCE'] = 8
  const second = memoryCheckpoint()
  for await (const _ of changes({ client, checkpoint: second, since: 'oldest', follow: false }));
  t.same(await second.load(), { sequence: 1 })
})

test('a reader goes over to the history that begins where it has come to', async (t) => {
  await using s = await startServer()
  const checkpoint = memoryCheckpoint()
  const { id } = s.server.history
  const seen: string[] = []
  for await (const change of changes({ url: urlOf(s), since: 'oldest', checkpoint, follow: false })) {
    seen.push(shown(change))
  }
  await s.run('set', 'a', 1)
  await s.run('slaveof', '127.0.0.1', 1)
  await s.run('slaveof', 'no', 'one')
  t.not(s.server.history.id, id)
  const controller = new AbortController()
  await checkpoint.save({ sequence: 0, replid: id })
  for await (const change of changes({ url: urlOf(s), checkpoint, signal: controller.signal })) {
    seen.push(shown(change))
    if (seen.length < 3) await s.run('set', 'a', seen.length + 1)
    else controller.abort()
  }
  t.same(seen, ['SET a 1', 'SET a 2', 'SET a 3'])
  t.equal((await checkpoint.load())?.replid, s.server.history.id)
})

test('a reader connects again when the server is back', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const first = await startServer({ dir })
  const { port } = first
  await first.run('set', 'a', '1')
  let second: Server | undefined
  const retries: string[] = []
  const seen: string[] = []
  const onRetry = (error: Error): void => void retries.push(error.message)
  for await (const change of changes({ url: urlOf(first), since: 0, onRetry })) {
    seen.push(shown(change))
    if (seen.length === 2) break
    await first.close()
    second = createServer({ dir, port })
    await second.listen()
    const client = await RawClient.connect(port)
    await client.run('set', 'a', '2')
    client.close()
  }
  await second?.close()
  t.same(seen, ['SET a 1', 'SET a 2'])
  t.ok(retries.length > 0)
})

test('changes that are gone are an error, not a silence', async (t) => {
  await using s = await startServer({ config: { 'rocksdb.wal_ttl_seconds': 0, 'rocksdb.wal_size_limit_mb': 0 } })
  await s.run('set', 'a', '1')
  await s.server.store.rocks.flush()
  await s.run('set', 'a', '2')
  await eventually(() => {
    s.server.cron.run('prune the write-ahead log')
    return s.server.store.wal.range(0).oldest === 2 ? true : undefined
  })
  const read = async (): Promise<void> => {
    for await (const _ of changes({ url: urlOf(s), checkpoint: memoryCheckpoint({ sequence: 0 }) })) break
  }
  await t.rejects(read(), new ServerError('WALGAP sequence 1 has left the log, the oldest readable sequence is 2'))
})

test('a reader authenticates by its url', async (t) => {
  await using s = await startServer({ config: { requirepass: 'p@ss' } })
  const client = await s.connect()
  await client.run('auth', 'p@ss')
  await client.run('set', 'a', '1')
  const seen: string[] = []
  const url = `redis://:${encodeURIComponent('p@ss')}@127.0.0.1:${s.port}`
  for await (const change of changes({ url, since: 'oldest', follow: false })) seen.push(shown(change))
  t.same(seen, ['SET a 1'])
})

/** Up to `max` changes of a feed that ends. */
async function read(s: TestServer, options: Partial<FeedOptions>, max = 100): Promise<string[]> {
  const seen: string[] = []
  for await (const change of changes({ url: urlOf(s), follow: false, ...options })) {
    seen.push(shown(change))
    if (seen.length === max) break
  }
  return seen
}

test('a slot is made where there is none, and the next run goes on from it', async (t) => {
  await using s = await startServer()
  for (const value of ['1', '2', '3']) await s.run('set', 'a', value)
  t.same(await read(s, { slot: 'mine', since: 1, match: ['a'] }, 1), ['SET a 2'])
  t.same(await read(s, { slot: 'mine' }), ['SET a 2', 'SET a 3'], 'what was not asked beyond comes again')
  t.same(await read(s, { slot: 'mine' }), [])
  await s.run('set', 'b', '4')
  await s.run('set', 'a', '5')
  t.same(await read(s, { slot: 'mine' }), ['SET a 5'], 'the filter belongs to the slot')
  t.equal(s.server.slots.list()[0]?.position, 5)
})

test('a slot and a snapshot: the log is held meanwhile, and an unfinished snapshot begins anew', async (t) => {
  await using s = await startServer({ config: { 'rocksdb.wal_ttl_seconds': 0, 'rocksdb.wal_size_limit_mb': 0 } })
  await s.run('mset', 'a', '1', 'b', '2')
  const names = (): string[] => s.server.slots.list().map(({ spec }) => spec.name)
  t.same(await read(s, { slot: 'mine', snapshot: true }, 1), ['SET a 1'])
  t.same(names(), ['mine.snapshot'])
  t.same(await read(s, { slot: 'mine', snapshot: true }), ['SET a 1', 'SET b 2'])
  t.same(names(), ['mine'])
  await s.run('set', 'a', '3')
  await s.server.store.rocks.flush()
  s.server.cron.run('prune the write-ahead log')
  t.same(await read(s, { slot: 'mine', snapshot: true }), ['SET a 3'])
})

test('a slot and a snapshot that was cut off: what is gone since it began is taken back', async (t) => {
  await using s = await startServer()
  await s.run('mset', 'a', '1', 'b', '2', 'c', '3')
  t.same(await read(s, { slot: 'mine', snapshot: true }, 1), ['SET a 1'])
  await s.run('del', 'a')
  t.same(await read(s, { slot: 'mine', snapshot: true }, 2), ['DEL a', 'SET b 2'])
  await s.run('del', 'b')
  t.same(await read(s, { slot: 'mine', snapshot: true }), ['DEL a', 'DEL b', 'SET c 3'])
  await s.run('cdc', 'slot', 'create', 'mine.snapshot')
  t.same(await read(s, { slot: 'mine', snapshot: true }), [])
  t.same(
    s.server.slots.list().map(({ spec }) => spec.name),
    ['mine'],
    'one that was not dropped in time does not hold the log for ever',
  )
})

test('a server that answers nothing more is left', async (t) => {
  const served: string[] = []
  const silent = createNetServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      const command = /(PING|POLLUPDATES)/.exec(chunk.toString())?.[1] ?? ''
      served.push(command)
      if (command === 'PING') socket.write('+PONG\r\n')
    })
  })
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done))
  t.teardown(() => silent.close())
  const url = `redis://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const controller = new AbortController()
  const failures: string[] = []
  const onRetry = (error: Error): void => {
    failures.push(error.message)
    controller.abort()
  }
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const reading = changes({ url, since: 1, signal: controller.signal, onRetry }).next()
  while (!served.includes('POLLUPDATES')) await new Promise((done) => setImmediate(done))
  mock.timers.tick(60_000)
  t.same(await reading, { done: true, value: undefined })
  t.same(failures, ['no answer within 60000 ms'])
})

test('a lost slot is an error, not a silence', async (t) => {
  await using s = await startServer()
  await read(s, { slot: 'mine' })
  s.server.slots.databaseReplaced()
  const text = 'SLOTLOST slot mine has lost its place at sequence 1: the database was replaced by another'
  await t.rejects(read(s, { slot: 'mine' }), new ServerError(text))
})

async function run(...words: string[]): Promise<{ code: number; output: string; errors: string }> {
  const output = new PassThrough()
  const errors = new PassThrough()
  const code = await runCdc(words, { output, errors, signal: new AbortController().signal })
  return { code, output: String(output.read() ?? ''), errors: String(errors.read() ?? '') }
}

test('cdc tail prints a change a line, and cdc snapshot the keys', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', '1')
  await s.run('set', 'b', '2')
  const tail = await run('tail', '--url', urlOf(s), '--since', '1', '--follow', 'no')
  t.equal(
    tail.output,
    '{"sequence":2,"batch":2,"namespace":"default","type":"string","key":"b","op":"put","command":["SET","b","2"]}\n',
  )
  const snapshot = await run('snapshot', '--url', urlOf(s), '--match', 'a')
  t.equal(
    snapshot.output,
    '{"sequence":2,"batch":2,"namespace":"default","type":"string","key":"a","op":"put","command":["SET","a","1"],"fresh":true}\n',
  )
  for (const expected of [tail.output, '']) {
    const words = ['--url', urlOf(s), '--since', '1', '--slot', 'mine', '--follow', 'no']
    t.equal((await run('tail', ...words)).output, expected)
  }
  for (const words of [
    [],
    ['tail', '--to', 'x'],
    ['snapshot', '--slot', 'x'],
    ['copy'],
    ['tail', '--since', 'then'],
    ['tail', '--url'],
  ]) {
    t.equal((await run(...words)).code, 1)
  }
})

test('cdc copy makes another server the same', async (t) => {
  await using s = await startServer({ usesRealClock: true })
  await using other = await startServer({ usesRealClock: true })
  const source = await s.connect()
  const target = await other.connect()
  for (const line of [
    'set text v px 100000000',
    'hset hash a 1 b 2',
    'rpush list a b c',
    'sadd set a b',
    'zadd zset 1.5 a -inf b',
    'setbit bits 12345 1',
    'expire hash 1000000',
    'pfadd visitors x',
  ]) {
    await source.value(...line.split(' '))
  }
  await target.run('sadd', 'set', 'old')
  const copied = await run('copy', '--url', urlOf(s), '--to', urlOf(other), '--follow', 'no')
  t.same([copied.code, copied.errors], [0, '13 changes copied\n'])
  const [copy, original] = await contents(target, source)
  t.same(copy, original)
})
