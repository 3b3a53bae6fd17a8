/** Copies of large keys, which may come in several batches: a consumer has what the server has, whatever was there before. */
import { test } from 'tap'
import { CF_DEFAULT, CF_METADATA } from '../../src/storage/column-family.js'
import type { RawClient } from '../support/raw-client.js'
import { ReplyFailure, type ReplyValue } from '../support/resp.js'
import { startServer, type TestServer, type Word } from '../support/server.js'
import { type JsonChange, replay } from './replay.js'

/** More than what is copied by one batch. */
const COUNT = 10_001
/** Long enough for several parts. */
const PAD = 'x'.repeat(120)
const EXPIRE_MS = 4_000_000_000_000
const SLOW = { timeout: 300_000 }

const numbered = (make: (index: number) => Word[]): Word[] => Array.from({ length: COUNT }, (_, i) => make(i)).flat()

/** The writes that make the large key `big`. */
const MAKERS: Readonly<Record<string, readonly (readonly Word[])[]>> = {
  hash: [['hset', 'big', ...numbered((i) => [`f${i}`, `${PAD}${i}`])]],
  'hash with a field that expires': [
    ['hset', 'big', ...numbered((i) => [`f${i}`, `${PAD}${i}`])],
    ['hpexpireat', 'big', String(EXPIRE_MS), 'fields', '1', 'f7'],
  ],
  set: [['sadd', 'big', ...numbered((i) => [`${PAD}${i}`])]],
  zset: [['zadd', 'big', ...numbered((i) => [String(i / 7), `${PAD}${i}`])]],
  list: [['rpush', 'big', ...numbered((i) => [`${PAD}${i % 9}`])]],
  sortedint: [['siadd', 'big', ...numbered((i) => [String(i * 3)])]],
  bitmap: [
    ['setbit', 'big', '100000', '1'],
    ['setbit', 'big', '5', '1'],
    ['setbit', 'big', '99999', '0'],
    ['setbit', 'big', '300000', '0'],
  ],
  stream: [
    ...Array.from({ length: COUNT }, (_, i) => ['xadd', 'big', `${i + 1}-1`, 'f', String(i)]),
    ['xgroup', 'create', 'big', 'g', '5-1'],
    ['xreadgroup', 'group', 'g', 'c', 'count', '3', 'streams', 'big', '>'],
  ],
}

/** Something of the same kind at `there` before the copy, which must not survive it. */
const SMALL: Readonly<Record<string, readonly Word[]>> = {
  hash: ['hset', 'there', 'old', '1'],
  'hash with a field that expires': ['hset', 'there', 'old', '1'],
  set: ['sadd', 'there', 'old'],
  zset: ['zadd', 'there', '1', 'old'],
  list: ['rpush', 'there', 'old'],
  sortedint: ['siadd', 'there', '1'],
  bitmap: ['setbit', 'there', '400000', '1'],
  stream: ['xadd', 'there', '1-1', 'old', '1'],
}

const COPIES: readonly (readonly Word[])[] = [
  ['copy', 'big', 'there', 'replace'],
  ['pexpireat', 'big', String(EXPIRE_MS)],
  ['rename', 'big', 'new'],
]

async function run(client: RawClient, lines: readonly (readonly Word[])[]): Promise<void> {
  for (const words of lines) client.send(...words)
  for (const words of lines) {
    const { value } = await client.nextReply()
    if (value instanceof ReplyFailure) throw new Error(`${words.slice(0, 4).join(' ')}: ${value.message}`)
  }
}

async function changesOf(client: RawClient): Promise<JsonChange[]> {
  const found: JsonChange[] = []
  for (let sequence = 0; ; ) {
    const reply = await client.value('pollupdates', sequence, 'strict', 'max', 1000, 'format', 'json')
    if (reply instanceof ReplyFailure) throw new Error(reply.message)
    const page = reply as ReplyValue[]
    const texts = page[5] as string[]
    if (texts.length === 0) return found
    found.push(...texts.map((text) => JSON.parse(Buffer.from(text, 'latin1').toString()) as JsonChange))
    sequence = page[1] as number
  }
}

/** The batches of the log. */
async function batchesOf(client: RawClient): Promise<Buffer[]> {
  const found: Buffer[] = []
  for (let sequence = 0; ; ) {
    const page = (await client.value('pollupdates', sequence, 'strict', 'max', 1000)) as ReplyValue[]
    const batches = page[5] as string[]
    if (batches.length === 0) return found
    found.push(...batches.map((hex) => Buffer.from(hex, 'hex')))
    sequence = page[1] as number
  }
}

const READS: Readonly<Record<string, readonly string[]>> = {
  string: ['get', 'KEY'],
  bitmap: ['get', 'KEY'],
  hash: ['hgetall', 'KEY'],
  list: ['lrange', 'KEY', '0', '-1'],
  set: ['smembers', 'KEY'],
  zset: ['zrange', 'KEY', '0', '-1', 'withscores'],
  sortedint: ['sirange', 'KEY', '0', String(COUNT)],
  stream: ['xinfo', 'stream', 'KEY', 'full', 'count', '0'],
}

/** All keys, as clients see them. A bitmap arrives as the string of the same bits. */
async function contents(client: RawClient): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const key of (await client.value('keys', '*')) as string[]) {
    const type = (await client.value('type', key)) as string
    const shown = await client.value(...(READS[type] ?? []).map((word) => (word === 'KEY' ? key : word)))
    if (shown instanceof ReplyFailure) throw new Error(`${key}: ${shown.message}`)
    const times = type === 'hash' ? await client.value('hpexpiretime', key, 'fields', '2', 'f7', 'f8') : []
    const expiry = await client.value('pexpiretime', key)
    found.set(key, JSON.stringify([type === 'bitmap' ? 'string' : type, expiry, times, shown]))
  }
  return found
}

/** The keys that differ. */
function differences(copy: Map<string, string>, original: Map<string, string>): string[] {
  return [...new Set([...copy.keys(), ...original.keys()])].filter((key) => copy.get(key) !== original.get(key))
}

/** The keys of a server that differ from those of one that carries out its changes. */
async function differencesOfCopy(source: RawClient): Promise<string[]> {
  await using other = await startServer()
  const target = await other.connect()
  await replay(target, await changesOf(source))
  return differences(await contents(target), await contents(source))
}

for (const [name, lines] of Object.entries(MAKERS)) {
  test(`copies of a large key arrive whole: ${name}`, SLOW, async (t) => {
    await using s = await startServer()
    const source = await s.connect()
    await run(source, [...lines, SMALL[name] as Word[], ...COPIES])
    t.same(await differencesOfCopy(source), [])
    t.same(((await source.value('keys', '*')) as string[]).sort(), ['new', 'there'])
    t.same(s.logged, [])
  })
}

test('a large key takes the place of one of another type', SLOW, async (t) => {
  await using s = await startServer()
  const source = await s.connect()
  await run(source, [...(MAKERS['set'] as Word[][]), ['set', 'there', 'text'], ['rename', 'big', 'there']])
  t.same(await differencesOfCopy(source), [])
})

/** A server on which a large rename has come to all but its last part. */
async function startTorn(
  lines: readonly (readonly Word[])[],
): Promise<{ torn: TestServer; last: Buffer; partCount: number }> {
  await using whole = await startServer()
  const client = await whole.connect()
  await run(client, lines)
  const before = (await batchesOf(client)).length
  await run(client, [['rename', 'big', 'new']])
  const batches = await batchesOf(client)
  const torn = await startServer()
  const target = await torn.connect()
  for (const batch of batches.slice(0, -1)) await target.value('applybatch', batch)
  return { torn, last: batches.at(-1) as Buffer, partCount: batches.length - before }
}

for (const name of ['hash', 'list']) {
  test(`what ends within a large rename leaves no trace: ${name}`, SLOW, async (t) => {
    const { torn, partCount } = await startTorn(MAKERS[name] as Word[][])
    await using s = torn
    const client = await s.connect()
    t.ok(partCount > 1)
    t.same(await client.value('keys', '*'), ['big'])
    s.server.expiry.isEnabled = true
    s.server.sweepExpired()
    await new Promise((resolve) => setImmediate(resolve))
    t.same(await differencesOfCopy(client), [])
    await run(client, [['rename', 'big', 'new']])
    t.same(await differencesOfCopy(client), [])
    t.same(await client.value('keys', '*'), ['new'])
  })
}

test('a compaction between the parts of a large rename drops none of its elements', async (t) => {
  const { torn, last } = await startTorn(MAKERS['hash'] as Word[][])
  await using s = torn
  const client = await s.connect()
  const { rocks } = s.server.store
  await rocks.flush()
  await rocks.compactRange(CF_METADATA, { bottommost: 'forceOptimized' })
  await rocks.compactRange(CF_DEFAULT, { bottommost: 'forceOptimized' })
  await client.value('applybatch', last)
  t.equal(((await client.value('hkeys', 'new')) as string[]).length, COUNT)
  t.equal(await client.value('hlen', 'new'), COUNT)
})
