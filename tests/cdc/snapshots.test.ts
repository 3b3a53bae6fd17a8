import { test } from 'tap'
import type { RawClient } from '../support/raw-client.js'
import { ReplyFailure, type ReplyValue } from '../support/resp.js'
import { startServer } from '../support/server.js'
import { contents, type JsonChange, replay } from './replay.js'

async function open(client: RawClient, ...words: string[]): Promise<{ id: string; sequence: number }> {
  const reply = (await client.value('cdc', 'snapshot', 'open', ...words)) as ReplyValue[]
  return { id: reply[1] as string, sequence: reply[3] as number }
}

async function readAll(client: RawClient, id: string, count: number): Promise<JsonChange[]> {
  const changes: JsonChange[] = []
  for (let cursor = '0'; ; ) {
    const reply = await client.value('cdc', 'snapshot', 'read', id, cursor, 'count', count)
    if (reply instanceof ReplyFailure) throw new Error(reply.message)
    const [next, page] = reply as [string, string[]]
    for (const text of page) changes.push(JSON.parse(Buffer.from(text, 'latin1').toString()))
    if (next === '') return changes
    cursor = next
  }
}

async function fill(client: RawClient): Promise<void> {
  const words: string[] = []
  for (let i = 0; i < 1000; i++) words.push(`f${i}`, String(i))
  for (const line of [
    ['hset', 'big', ...words],
    ['expire', 'big', '1000000'],
    ['rpush', 'list', ...words],
    ['sadd', 'set', 'a', 'b'],
    ['zadd', 'zset', '1.5', 'a', '2', 'b'],
    ['set', 'text', 'value', 'px', '100000000'],
    ['set', 'short', 'value', 'px', '10'],
    ['setbit', 'bits', '9000', '1'],
    // A multiple of the rows that are told at a time.
    ['sadd', 'even', ...words.slice(0, 512)],
    ['expire', 'even', '1000000'],
    ['set', 'user:1', 'x'],
  ]) {
    await client.value(...line)
  }
}

for (const count of [20, 300, 100_000]) {
  test(`a snapshot read ${count} at a time, and the feed from there, give the same keys`, async (t) => {
    await using s = await startServer()
    await using other = await startServer()
    const source = await s.connect()
    const target = await other.connect()
    await fill(source)
    s.advance(11)
    await target.run('sadd', 'set', 'old')
    const { id, sequence } = await open(source)
    t.equal(sequence, s.server.store.latestSequence())
    await source.run('hdel', 'big', 'f0', 'f999')
    await source.run('rpush', 'list', 'late')
    await source.run('getdel', 'user:1')
    await source.run('set', 'new', '1')
    const changes = await readAll(source, id, count)
    t.ok(changes.every((change) => change.sequence === sequence))
    t.equal(changes.filter(({ key }) => key === 'big').length, 1000)
    t.equal(changes.filter(({ key }) => key === 'short').length, 0, 'what has expired is not told')
    await replay(target, changes)
    const feed = (await source.value('pollupdates', sequence, 'strict', 'max', 1000, 'format', 'json')) as ReplyValue[]
    await replay(
      target,
      (feed[5] as string[]).map((text) => JSON.parse(text)),
    )
    const [copied, original] = await contents(target, source)
    t.same(copied, original)
    t.equal(await source.run('cdc', 'snapshot', 'close', id), ':1\r\n')
    t.equal(await source.run('cdc', 'snapshot', 'close', id), ':0\r\n')
    t.same(s.logged, [])
  })
}

test('a snapshot may be of some keys alone', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await fill(client)
  const users = await open(client, 'match', 'user:*')
  t.same(
    (await readAll(client, users.id, 10)).map(({ key }) => key),
    ['user:1'],
  )
  const sets = await open(client, 'type', 'set', 'type', 'zset', 'match', '*set')
  t.same(
    (await readAll(client, sets.id, 10)).map(({ command }) => command?.[0]),
    ['SADD', 'SADD', 'ZADD', 'ZADD'],
  )
})

test('snapshots are few, and those that nobody reads end', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (let i = 0; i < 16; i++) await open(client)
  t.equal(await client.run('cdc', 'snapshot', 'open'), '-ERR too many snapshots are open\r\n')
  s.advance(10 * 60_000)
  s.server.snapshots.closeIdle(s.server.nowMs())
  const { id } = await open(client)
  t.equal(
    await client.run('cdc', 'snapshot', 'read', 'x', '0'),
    '-NOSNAPSHOT no such snapshot, it may have expired\r\n',
  )
  t.equal(await client.run('cdc', 'snapshot', 'read', id, 'no cursor'), '-ERR invalid cursor\r\n')
  t.equal(await client.run('cdc', 'snapshot', 'read', id), '-ERR syntax error\r\n')
  t.equal(await client.run('cdc', 'snapshot', 'think'), '-ERR syntax error\r\n')
  t.equal(await client.run('cdc', 'snapshot', 'read', id, '0'), '*2\r\n$0\r\n\r\n*0\r\n')
})

/** What CDC SNAPSHOT READ gives in `format`, raw words as they came. */
async function readFormat(client: RawClient, id: string, format: string): Promise<ReplyValue[]> {
  const items: ReplyValue[] = []
  for (let cursor = '0'; ; ) {
    const reply = await client.value('cdc', 'snapshot', 'read', id, cursor, 'count', 7, 'format', format)
    if (reply instanceof ReplyFailure) throw new Error(reply.message)
    const [next, page] = reply as [string, ReplyValue[]]
    items.push(...page)
    if (next === '') return items
    cursor = next
  }
}

async function fillMore(client: RawClient): Promise<void> {
  await fill(client)
  for (const line of [
    'xadd stream 1-1 a 1',
    'xadd stream 2-1 b 2',
    'xgroup create stream g 0',
    'xreadgroup group g c count 2 streams stream >',
    'xdel stream 1-1',
    'xgroup create empty g 0 mkstream',
    'xgroup destroy empty g',
    'zadd zset inf c -inf d',
    'hset fields a 1 b 2',
    'hpexpire fields 100000000 fields 1 b',
  ]) {
    await client.value(...line.split(' '))
  }
}

test('FORMAT RESP gives commands that make the same keys', async (t) => {
  await using s = await startServer()
  await using other = await startServer()
  const [source, target] = [await s.connect(), await other.connect()]
  await fillMore(source)
  const { id } = await open(source)
  for (const words of (await readFormat(source, id, 'resp')) as string[][]) {
    const reply = await target.value(...words.map((word) => Buffer.from(word, 'latin1')))
    if (reply instanceof ReplyFailure) throw new Error(`${words.join(' ')}: ${reply.message}`)
  }
  const [copied, original] = await contents(target, source)
  t.same(copied, original)
  t.equal(
    await target.run('hpexpiretime', 'fields', 'fields', 1, 'b'),
    await source.run('hpexpiretime', 'fields', 'fields', 1, 'b'),
  )
})

test('FORMAT RDB gives payloads that RESTORE takes', async (t) => {
  await using s = await startServer()
  await using other = await startServer()
  const [source, target] = [await s.connect(), await other.connect()]
  await fillMore(source)
  await source.run('pfadd', 'visitors', 'x')
  const { id } = await open(source)
  const keys = (await readFormat(source, id, 'rdb')) as [string, string, string, number, string | null][]
  t.same(keys.find(([, key]) => key === 'visitors')?.slice(2), ['hyperloglog', 0, null])
  for (const [namespace, key, , expireMs, payload] of keys) {
    t.equal(namespace, 'default')
    if (payload === null) continue
    t.equal(await target.run('restore', key, expireMs, Buffer.from(payload, 'latin1'), 'absttl'), '+OK\r\n', key)
  }
  await source.run('del', 'visitors')
  const [copied, original] = await contents(target, source)
  t.same(copied, original)
  t.equal(
    await source.run('cdc', 'snapshot', 'read', id, 0, 'format', 'xml'),
    '-ERR invalid FORMAT option, should be JSON or RESP or RDB\r\n',
  )
})

test('what expires after a snapshot was opened is in it, for the feed tells what became of it', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('set', 'kept', 1, 'px', 10)
  await client.run('set', 'gone', 1, 'px', 5)
  s.advance(6)
  const { id } = await open(client)
  await client.run('persist', 'kept')
  s.advance(10)
  const [, texts] = (await client.value('cdc', 'snapshot', 'read', id, 0)) as [string, string[]]
  t.same(
    texts.map((text) => (JSON.parse(text) as { key: string }).key),
    ['kept'],
  )
})
