/** What stream commands write, record by record, as Kvrocks lays it out. */
import { test } from 'tap'
import { batchesAfter } from '../support/batches.js'
import { startServer, type TestServer, type Word } from '../support/server.js'

/** The clock of a test server starts at 1,700,000,000,000 ms. */
const NOW = '0000018bcfe56800'
const NONE = '0'.repeat(32)
const KNOWN_SIZES = '0000000000000000'

/** A number of eight bytes. */
function u64(value: number | bigint): string {
  return BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, '0')
}

/** The id `ms-0`. */
function id(ms: number): string {
  return u64(ms) + u64(0)
}

function text(value: string): string {
  return Buffer.from(value).toString('hex')
}

function sized(value: string): string {
  return u64(value.length) + text(value)
}

const GROUP_ROWS = 'f'.repeat(16)

/** The records of one command, with the key's version written as V. */
async function written(s: TestServer, ...command: Word[]): Promise<string[]> {
  const sequence = s.server.store.latestSequence()
  const reply = await s.run(...command)
  if (reply.startsWith('-')) throw new Error(reply)
  if (sequence === s.server.store.latestSequence()) return []
  const batches = batchesAfter(s, sequence)
  if (batches.length !== 1) throw new Error('more than one batch')
  return (batches[0] as string[]).map((record) =>
    record.replace(/(~0000000173)[0-9a-f]{16}/, '$1V').replace(/^(put metadata ~73 = 880{16})[0-9a-f]{16}/, '$1V'),
  )
}

interface Tail {
  readonly size: number
  readonly last: number
  readonly deleted?: number
  readonly first: number
  readonly lastEntry?: number
  readonly added: number
  readonly groups?: number
}

function metadata({ size, last, deleted = 0, first, lastEntry = last, added, groups = 0 }: Tail): string {
  const ids = [last, first, deleted, first, lastEntry].map(id).join('')
  return `put metadata ~73 = 88${KNOWN_SIZES}V${u64(size)}${ids}${u64(added)}${u64(groups)}`
}

function entry(ms: number, value: string): string {
  return `put stream ~0000000173V${id(ms)} = ${value}`
}

const group = (name: string): string => `~0000000173V${GROUP_ROWS}01${sized(name)}`
const consumer = (name: string, who: string): string => `~0000000173V${GROUP_ROWS}02${sized(name)}${sized(who)}`
const pendingEntry = (name: string, ms: number): string => `~0000000173V${GROUP_ROWS}03${sized(name)}${id(ms)}`

function putGroup(name: string, consumers: number, pending: number, last: number, read: number): string {
  return `put stream ${group(name)} = ${u64(consumers)}${u64(pending)}${id(last)}${u64(read)}${u64(0)}`
}

function putConsumer(name: string, who: string, pending: number): string {
  return `put stream ${consumer(name, who)} = ${u64(pending)}${NOW}${NOW}`
}

function putPending(name: string, ms: number, who: string, deliveries: number): string {
  return `put stream ${pendingEntry(name, ms)} = ${NOW}${u64(deliveries)}${sized(who)}`
}

test('XADD writes the entry and the metadata, a trim its deletions before them', async (t) => {
  await using s = await startServer()
  const long = 'x'.repeat(200)
  t.same(await written(s, 'xadd', 's', 1, 'f', long), [
    'log 8',
    entry(1, `0166c801${text(long)}`),
    metadata({ size: 1, last: 1, first: 1, added: 1 }),
  ])
  t.same(await written(s, 'xadd', 's', 2, 'a', 'b', '', 'c'), [
    'log 8',
    entry(2, '01610162000163'),
    metadata({ size: 2, last: 2, first: 1, added: 2 }),
  ])
  t.same(await written(s, 'xadd', 's', 'maxlen', 1, 3, 'f', 'v'), [
    'log 8',
    `delete stream ~0000000173V${id(1)}`,
    `delete stream ~0000000173V${id(2)}`,
    entry(3, '01660176'),
    metadata({ size: 1, last: 3, deleted: 2, first: 3, added: 3 }),
  ])
  t.same(await written(s, 'xadd', 's', 'maxlen', 0, 4, 'f', 'v'), [
    'log 8',
    `delete stream ~0000000173V${id(3)}`,
    `put metadata ~73 = 88${KNOWN_SIZES}V${u64(0)}${id(4)}${NONE}${id(4)}${NONE}${NONE}${u64(4)}${u64(0)}`,
  ])
})

test('XDEL, XTRIM and XSETID; the bounds are those of entries with groups behind them', async (t) => {
  await using s = await startServer()
  for (const ms of [1, 2, 3, 4]) await s.run('xadd', 's', ms, 'f', 'v')
  await s.run('xgroup', 'create', 's', 'g', 0)
  t.same(await written(s, 'xdel', 's', 4, 1), [
    'log 8',
    `delete stream ~0000000173V${id(4)}`,
    `delete stream ~0000000173V${id(1)}`,
    metadata({ size: 2, last: 4, deleted: 4, first: 2, lastEntry: 3, added: 4, groups: 1 }),
  ])
  t.same(await written(s, 'xdel', 's', 9), [])
  t.same(await written(s, 'xtrim', 's', 'minid', 3), [
    'log 8',
    `delete stream ~0000000173V${id(2)}`,
    metadata({ size: 1, last: 4, deleted: 4, first: 3, lastEntry: 3, added: 4, groups: 1 }),
  ])
  t.same(await written(s, 'xtrim', 's', 'minid', 3), [])
  t.same(await written(s, 'xsetid', 's', 9, 'entriesadded', 20, 'maxdeletedid', 8), [
    'log 8 XSETID',
    metadata({ size: 1, last: 9, deleted: 8, first: 3, lastEntry: 3, added: 20, groups: 1 }),
  ])
})

test('groups, consumers, deliveries and acknowledgements', async (t) => {
  await using s = await startServer()
  for (const ms of [1, 2]) await s.run('xadd', 's', ms, 'f', 'v')
  t.same(await written(s, 'xgroup', 'create', 's', 'gr', '0'), [
    'log 8',
    putGroup('gr', 0, 0, 0, -1),
    metadata({ size: 2, last: 2, first: 1, added: 2, groups: 1 }),
  ])
  t.same(await written(s, 'xgroup', 'createconsumer', 's', 'gr', 'al'), [
    'log 8',
    putConsumer('gr', 'al', 0),
    putGroup('gr', 1, 0, 0, -1),
  ])
  t.same(await written(s, 'xreadgroup', 'group', 'gr', 'bo', 'streams', 's', '>'), [
    'log 8',
    putConsumer('gr', 'bo', 0),
    putGroup('gr', 2, 0, 0, -1),
    'log 8',
    putPending('gr', 1, 'bo', 1),
    putPending('gr', 2, 'bo', 1),
    putGroup('gr', 2, 2, 2, 2),
    putConsumer('gr', 'bo', 2),
  ])
  t.same(await written(s, 'xreadgroup', 'group', 'gr', 'bo', 'count', 1, 'streams', 's', '0'), [
    'log 8',
    putPending('gr', 1, 'bo', 2),
    putGroup('gr', 2, 2, 2, 2),
    putConsumer('gr', 'bo', 2),
  ])
  t.same(await written(s, 'xclaim', 's', 'gr', 'al', 0, 1), [
    'log 8',
    putConsumer('gr', 'bo', 1),
    putPending('gr', 1, 'al', 3),
    putConsumer('gr', 'al', 1),
    putGroup('gr', 2, 2, 2, 2),
  ])
  t.same(await written(s, 'xclaim', 's', 'gr', 'al', 0, 1), [
    'log 8',
    putPending('gr', 1, 'al', 4),
    putConsumer('gr', 'al', 1),
    putGroup('gr', 2, 2, 2, 2),
  ])
  t.same(await written(s, 'xack', 's', 'gr', 2, 1, 7), [
    'log 8',
    `delete stream ${pendingEntry('gr', 2)}`,
    `delete stream ${pendingEntry('gr', 1)}`,
    putGroup('gr', 2, 0, 2, 2),
    putConsumer('gr', 'al', 0),
    putConsumer('gr', 'bo', 0),
  ])
  t.same(await written(s, 'xgroup', 'setid', 's', 'gr', 1), ['log 8', putGroup('gr', 2, 0, 1, -1)])
})

test('XGROUP DELCONSUMER and DESTROY delete what is theirs', async (t) => {
  await using s = await startServer()
  for (const ms of [1, 2]) await s.run('xadd', 's', ms, 'f', 'v')
  for (const name of ['g', 'h', 'longer']) await s.run('xgroup', 'create', 's', name, 0)
  await s.run('xreadgroup', 'group', 'g', 'c', 'count', 1, 'streams', 's', '>')
  await s.run('xreadgroup', 'group', 'g', 'd', 'streams', 's', '>')
  t.same(await written(s, 'xgroup', 'delconsumer', 's', 'g', 'c'), [
    'log 8',
    `delete stream ${pendingEntry('g', 1)}`,
    `delete stream ${consumer('g', 'c')}`,
    putGroup('g', 1, 1, 2, 2),
  ])
  t.same(await written(s, 'xgroup', 'destroy', 's', 'g'), [
    'log 8',
    `delete stream ${group('g')}`,
    `delete stream ${consumer('g', 'd')}`,
    `delete stream ${pendingEntry('g', 2)}`,
    metadata({ size: 2, last: 2, first: 1, added: 2, groups: 2 }),
  ])
  t.equal(await s.run('xlen', 's'), ':2\r\n')
})

test('XAUTOCLAIM moves entries, and counts out those that are gone', async (t) => {
  await using s = await startServer()
  for (const ms of [1, 2]) await s.run('xadd', 's', ms, 'f', 'v')
  await s.run('xgroup', 'create', 's', 'g', 0)
  await s.run('xgroup', 'createconsumer', 's', 'g', 'd')
  await s.run('xreadgroup', 'group', 'g', 'c', 'streams', 's', '>')
  await s.run('xdel', 's', 1)
  t.same(await written(s, 'xautoclaim', 's', 'g', 'd', 0, '-'), [
    'log 8',
    `delete stream ${pendingEntry('g', 1)}`,
    putConsumer('g', 'c', 1),
    putConsumer('g', 'c', 0),
    putPending('g', 2, 'd', 2),
    putConsumer('g', 'd', 1),
    putGroup('g', 2, 1, 2, 2),
  ])
})
