/** POLLUPDATES OLDVALUE: what was there before a change. */
import { test } from 'tap'
import type { ReplyValue } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'

interface Told {
  op: string
  command?: string[]
  old?: string | string[] | null
  oldunknown?: true
}

async function poll(s: TestServer, after: number, ...words: string[]): Promise<string[]> {
  const client = await s.connect()
  const reply = (await client.value('pollupdates', after, 'format', 'json', 'oldvalue', ...words)) as ReplyValue[]
  client.close()
  return (reply[5] as string[]).map((text) => {
    const { command, old, oldunknown } = JSON.parse(text) as Told
    return shown(command, oldunknown ? '?' : old)
  })
}

function shown(command: string[] | undefined, old: string | string[] | null | undefined): string {
  return `${command?.join(' ')} <- ${Array.isArray(old) ? `[${old.join(' ')}]` : old}`
}

/** What `lines` change, for a reader that was at the end of the log before. */
async function changesBy(s: TestServer, lines: readonly string[]): Promise<string[]> {
  const from = s.server.store.latestSequence()
  await poll(s, from)
  for (const line of lines) await s.run(...line.split(' '))
  return poll(s, from, 'max', '1000')
}

test('a reader at the end of the log learns what each change replaced', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', 'old')
  await s.run('hset', 'h', 'f', 'x')
  await s.run('zadd', 'z', 1.5, 'm')
  await s.run('sadd', 's', 'x')
  t.same(await poll(s, 0), ['SET a old <- ?', 'HSET h f x <- ?', 'ZADD z 1.5 m <- ?', 'SADD s x <- ?'])
  const from = s.server.store.latestSequence()
  for (const line of [
    'set a new',
    'append a er',
    'hset h f y g z',
    'hdel h f',
    'zadd z 2 m',
    'zrem z m',
    'set b 1',
    'del a',
  ]) {
    await s.run(...line.split(' '))
  }
  t.same(await poll(s, from), [
    'SET a new <- old',
    'SET a newer <- new',
    'HSET h g z <- null',
    'HSET h f y <- x',
    'HDEL h f <- y',
    'ZADD z 2 m <- 1.5',
    'ZREM z m <- 2',
    'SET b 1 <- null',
    'DEL a <- newer',
  ])
})

test('a reader that is late learns what its own page tells', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', 1)
  await poll(s, 0)
  const from = s.server.store.latestSequence()
  s.advance(60_000)
  s.server.snapshots.closeIdle(s.server.nowMs())
  await s.run('set', 'a', 2)
  await s.run('set', 'a', 3)
  t.same(await poll(s, from), ['SET a 2 <- ?', 'SET a 3 <- 2'])
})

test('a flush leaves nothing known', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', 1)
  await poll(s, 0)
  const from = s.server.store.latestSequence()
  await s.run('flushdb')
  await s.run('set', 'a', 2)
  t.same(await poll(s, from), ['FLUSHDB <- ?', 'SET a 2 <- ?'])
})

test('OLDVALUE is for JSON, and places are few', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('pollupdates', 0, 'oldvalue'), '-ERR OLDVALUE needs FORMAT JSON\r\n')
  for (let i = 0; i < 40; i++) {
    await s.run('set', 'a', i)
    await poll(s, i)
  }
  await s.run('set', 'a', 'last')
  t.same(await poll(s, 40), ['SET a last <- 39'])
  t.same(await poll(s, 10, 'max', '1'), ['SET a 10 <- ?'])
})

test('of lists: the element that was replaced, taken, moved or cut off', async (t) => {
  await using s = await startServer()
  await s.run('rpush', 'l', 'a', 'b', 'c', 'b', 'd', 'e', 'f')
  t.same(
    await changesBy(s, [
      'lset l 1 B',
      'linsert l before c x',
      'lrem l 0 b',
      'lpop l',
      'rpop l',
      'lmove l other left right',
      'ltrim l 1 1',
      'lpush l y',
      'del other',
    ]),
    [
      'LSET l 1 B <- b',
      'LINSERT l BEFORE c x <- null',
      'LREM l 0 b <- [b]',
      'LPOP l <- a',
      'RPOP l <- f',
      'LMOVE l other left right <- B',
      'LTRIM l 1 1 <- [x d e]',
      'LPUSH l y <- null',
      'DEL other <- ?',
    ],
  )
})

test('of sets and sorted integers: the member, if it was one', async (t) => {
  await using s = await startServer()
  await s.run('sadd', 's', 'a', 'b')
  await s.run('siadd', 'i', 1, 2)
  t.same(await changesBy(s, ['sadd s b c', 'srem s a', 'sadd s a', 'sirem i 1', 'siadd i 3', 'del s', 'sadd s b']), [
    'SADD s c <- null',
    'SREM s a <- a',
    'SADD s a <- null',
    'SIREM i 1 <- 1',
    'SIADD i 3 <- null',
    'DEL s <- ?',
    'SADD s b <- null',
  ])
})

test('of streams: the words of an entry, the place of a group, whose a pending entry was', async (t) => {
  await using s = await startServer()
  await s.run('xadd', 'x', '1-1', 'a', '1', 'b', '2')
  await s.run('xadd', 'x', '2-1', 'c', '3')
  await s.run('xgroup', 'create', 'x', 'g', '0')
  const told = await changesBy(s, [
    'xadd x 3-1 d 4',
    'xdel x 1-1',
    'xgroup setid x g 1-1',
    'xreadgroup group g me count 1 streams x >',
    'xclaim x g you 0 2-1',
    'xack x g 2-1',
    'xgroup delconsumer x g me',
    'xsetid x 9-1',
  ])
  // Beside each of these stand the counts of its group and of its consumer.
  const named = told.filter((line) => !/^XGROUP CREATECONSUMER x g (\w+) <- \1$/.test(line))
  t.same(
    named
      .filter((line) => !/^XGROUP SETID x g (\S+) .* <- \1$/.test(line))
      .map((line) => line.replace(/TIME .* <-/, '<-')),
    [
      'XADD x 3-1 d 4 <- null',
      'XDEL x 1-1 <- [a 1 b 2]',
      'XGROUP SETID x g 1-1 ENTRIESREAD -1 <- 0-0',
      'XGROUP CREATECONSUMER x g me <- null',
      'XCLAIM x g me 0 2-1 <- null',
      'XGROUP SETID x g 2-1 ENTRIESREAD 2 <- 1-1',
      'XGROUP CREATECONSUMER x g you <- null',
      'XCLAIM x g you 0 2-1 <- me',
      'XACK x g 2-1 <- you',
      'XGROUP DELCONSUMER x g me <- me',
      'XSETID x 9-1 ENTRIESADDED 3 MAXDELETEDID 1-1 <- 3-1',
    ],
  )
})

test('of bitmaps: the bit, the integers, the bytes', async (t) => {
  await using s = await startServer()
  await s.run('setbit', 'b', 7, 1)
  await s.run('setbit', 'other', 15, 1)
  t.same(
    await changesBy(s, [
      'setbit b 7 0',
      'setbit b 8191 1',
      'bitfield b set u8 8188 15 overflow sat incrby i4 0 -3 get u8 0',
      'setbit b 100000 1',
      'bitop not other other',
    ]),
    [
      'SETBIT b 7 0 <- 1',
      'SETBIT b 8191 1 <- 0',
      'BITFIELD b SET u8 8188 15 OVERFLOW SAT INCRBY i4 0 -3 <- [16 0]',
      'SETBIT b 100000 1 <- 0',
      'SETRANGE other 0 [object Object] <- null',
    ],
  )
})

test('of hashes whose fields expire: the value, from before and after they began to', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'bare', 'f', '1', 'g', '2')
  await s.run('hsetex', 'h', 'px', 100_000, 'fields', 1, 'f', '1')
  const told = await changesBy(s, [
    'hpexpire bare 100000 fields 1 f',
    'hset bare g 3',
    'hset h f 2',
    'hdel h f',
    'hset h f 4',
  ])
  t.same(
    told.map((line) => line.replace(/PXAT \d+/, 'PXAT')),
    [
      'HSET bare f 1 <- 1',
      'HSET bare g 2 <- 2',
      'HSETEX bare PXAT FIELDS 1 f 1 <- 1',
      'HSET bare g 3 <- 2',
      'HSET h f 2 <- 1',
      'HDEL h f <- 2',
      'HSET h f 4 <- null',
    ],
  )
})

test('opaque types: what was stored', async (t) => {
  await using s = await startServer()
  await s.run('pfadd', 'p', 'a')
  const from = s.server.store.latestSequence()
  await poll(s, from)
  await s.run('pfadd', 'p', ...Array.from({ length: 1000 }, (_, i) => i))
  const client = await s.connect()
  const reply = (await client.value('pollupdates', from, 'format', 'json', 'oldvalue')) as ReplyValue[]
  const changes = (reply[5] as string[]).map((text) => JSON.parse(text) as { op: string; old: unknown })
  t.same(new Set(changes.map(({ op }) => op)), new Set(['opaque']))
  // The one segment that had a register before, and the metadata.
  t.match(
    changes.map(({ old }) => old).filter((old) => old !== null),
    [/^\0*[^\0]\0*$/, { base64: /^iw/ }],
  )
})

test('CDC SUBSCRIBE OLDVALUE tells the same, however long nothing happened', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'h', 'f', '1')
  const client = await s.connect()
  client.send('cdc', 'subscribe', 'now', 'oldvalue')
  await client.nextReply()
  const changed = async (): Promise<string> => {
    const { command, old, oldunknown } = JSON.parse((await client.nextReply()).bytes.split('\r\n')[6] as string) as Told
    return shown(command, oldunknown ? '?' : old)
  }
  await s.run('hset', 'h', 'f', '2')
  t.equal(await changed(), 'HSET h f 2 <- 1')
  for (let second = 0; second < 100; second++) {
    s.advance(1000)
    s.server.cron.run('tell subscribers of progress')
    s.server.cron.run('close what nobody reads of the change feed')
  }
  await s.run('hset', 'h', 'f', '3')
  let line = await client.nextReply()
  while (line.bytes.includes('progress')) line = await client.nextReply()
  t.match(line.bytes, /"old":"2"/)
})
