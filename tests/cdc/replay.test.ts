/** Commands that reach every row of every family; their changes, carried out on another server, give the same keys. */
import { test } from 'tap'
import type { RawClient } from '../support/raw-client.js'
import { ReplyFailure, type ReplyValue } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'
import { contents, type JsonChange, replay } from './replay.js'

async function changesAfter(client: RawClient, sequence: number): Promise<JsonChange[]> {
  const reply = (await client.value('pollupdates', sequence, 'strict', 'max', 1000, 'format', 'json')) as ReplyValue[]
  return (reply[5] as string[]).map((text) => JSON.parse(Buffer.from(text, 'latin1').toString()) as JsonChange)
}

async function check(
  s: TestServer,
  lines: readonly (string | readonly string[])[],
): Promise<[unknown, unknown, JsonChange[]]> {
  await using other = await startServer()
  const source = await s.connect()
  const target = await other.connect()
  for (const line of lines) {
    const words = typeof line === 'string' ? line.split(' ') : line
    const reply = await source.value(...words)
    if (reply instanceof ReplyFailure) throw new Error(`${words.join(' ')}: ${reply.message}`)
  }
  const changes = await changesAfter(source, 0)
  await replay(target, changes)
  return [...(await contents(target, source)), changes]
}

const FAMILIES: Readonly<Record<string, readonly (string | readonly string[])[]>> = {
  strings: [
    'set a 1',
    'append a 2',
    'incr a',
    'set b x px 100000000',
    'getex b persist',
    'set c y ex 1000000',
    'expire a 1000000',
    'persist a',
    'mset d 1 e 2',
    'del d e nothing',
    'rename c f',
    'copy a g',
    ['set', 'with space', ''],
  ],
  hashes: [
    'hset h a 1 b 2 a 3',
    'hset h c 4',
    'hdel h b x',
    'hincrby h n 5',
    'hset gone a 1',
    'hdel gone a',
    'hset gone b 2',
    'expire h 1000000',
    'hset h late 1',
    'copy h h2',
    'rename h2 h3',
  ],
  lists: [
    'rpush l a b c d e a',
    'lpush l z y',
    'lset l 1 Z',
    ['linsert', 'l', 'before', 'c', 'two words'],
    ['linsert', 'l', 'after', 'two words', ' three odd words '],
    ['rpush', 'l', 'x y', 'x', 'x y'],
    ['lrem', 'l', '0', 'x y'],
    'lrem l -1 a',
    'lpop l',
    'rpop l 2',
    'lpush l 1 2 3 4',
    'ltrim l 1 -2',
    'lmove l m left right',
    'lmove l l right left',
    ['lmove', 'l', 'with space', 'right', 'left'],
    'rpush once v',
    'lmove once m left left',
    'rpush short v',
    'rpop short',
    'rpush cut a b c',
    'ltrim cut 5 9',
    'rpush rem a a',
    'lrem rem 0 a',
    'copy l l2',
    'expire l2 1000000',
    'lpush l2 x',
  ],
  sets: [
    'sadd s a b c',
    'srem s b',
    'sadd t c d',
    'smove s t a',
    'sunionstore u s t',
    'sadd v old members here',
    'sinterstore v s t',
    'sdiffstore v s s',
    'sadd w 1 2 3 4',
    'sdiffstore w t s',
    'spop t',
    'sadd single x',
    'spop single',
    'expire s 1000000',
    'sadd s more',
  ],
  'sorted sets': [
    'zadd z 1 a 2 b 3.5 c inf d',
    'zadd z 7 a',
    'zincrby z 0.1 b',
    'zrem z c',
    'zadd y 1 a 2 q',
    'zunionstore y 2 z y',
    'zpopmin y',
    'zadd x 1 a',
    'zpopmax x',
    'zadd z -0.000000123456789 tiny',
    'zremrangebyrank z 0 0',
  ],
  'sorted integers': [
    'siadd si 1 2 3',
    'sirem si 2',
    'siadd si 18446744073709551615',
    'copy si si2',
    'expire si2 1000000',
  ],
  streams: [
    'xadd x 1-1 a 1 b 2',
    'xadd x 2-1 a 3',
    'xadd x 3-1 a 4',
    'xadd x 4-1 a 5',
    'xgroup create x g 0',
    'xgroup create x late $',
    'xgroup create made g 0 mkstream',
    'xgroup createconsumer x g idle',
    'xreadgroup group g c count 3 streams x >',
    'xack x g 1-1',
    'xclaim x g other 0 2-1',
    'xgroup setid x late 1-1',
    'xdel x 3-1',
    'xtrim x maxlen 2',
    'xgroup delconsumer x g idle',
    'xgroup create x doomed 0',
    'xgroup destroy x doomed',
    'xsetid x 9-9',
    'xadd short maxlen 1 1-1 a 1',
    'xadd short maxlen 1 2-1 a 2',
    'expire short 1000000',
    'xadd y 5-5 old 1',
    'xadd plain 1-1 a 1',
    'xadd plain 2-2 b 2',
    'xgroup create plain pg 1-1',
    ['xreadgroup', 'group', 'pg', '', 'streams', 'plain', '>'],
    'copy plain y replace',
    'xadd emptied 1-1 a 1',
    'xdel emptied 1-1',
    'xadd emptied 2-1 a 1',
    'xadd made 1-1 a 1',
  ],
  bitmaps: [
    'setbit b 7 1',
    'setbit b 100 1',
    'setbit b 9000 1',
    'setbit b 7 0',
    'setbit c 3 1',
    'bitop or d b c',
    'bitop and e b c',
    'bitfield f set u8 4 200 incrby i5 100 1',
    'setbit d 20000 1',
    'copy d g',
    'expire b 1000000',
  ],
}

for (const [family, lines] of Object.entries(FAMILIES)) {
  test(`changes of ${family}, carried out elsewhere, give the same keys`, async (t) => {
    await using s = await startServer()
    const [copied, original, changes] = await check(s, lines)
    t.same(copied, original)
    t.same(
      changes.filter(({ op }) => op === 'unknown'),
      [],
    )
    t.ok(changes.every(({ sequence }, i) => i === 0 || sequence > (changes[i - 1] as JsonChange).sequence))
    t.same(s.logged, [])
  })
}

test('what one turn writes arrives as well as what many turns write', async (t) => {
  await using s = await startServer()
  await using other = await startServer()
  const source = await s.connect()
  const lines = Object.values(FAMILIES)
    .flat()
    .filter((line): line is string => typeof line === 'string')
  source.write(lines.map((line) => `${line}\r\n`).join(''))
  for (const _ of lines) await source.nextReply()
  const target = await other.connect()
  await replay(target, await changesAfter(source, 0))
  const [copied, original] = await contents(target, source)
  t.same(copied, original)
})

test('raw updates, applied elsewhere, give the same rows', async (t) => {
  await using s = await startServer()
  await using other = await startServer()
  const source = await s.connect()
  for (const line of Object.values(FAMILIES).flat())
    await source.value(...(typeof line === 'string' ? line.split(' ') : line))
  const target = await other.connect()
  const reply = (await source.value('pollupdates', 0, 'strict', 'max', 1000)) as ReplyValue[]
  for (const hex of reply[5] as string[]) await target.value('applybatch', Buffer.from(hex, 'hex'))
  const [copied, original] = await contents(target, source)
  t.same(copied, original)
  t.equal(other.server.store.latestSequence(), s.server.store.latestSequence())
})
