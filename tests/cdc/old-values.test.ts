/** POLLUPDATES OLDVALUE: what was there before a change. */
import { test } from 'tap'
import type { ReplyValue } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'

interface Told {
  op: string
  command?: string[]
  old?: string | null
  oldunknown?: true
}

async function poll(s: TestServer, after: number, ...words: string[]): Promise<string[]> {
  const client = await s.connect()
  const reply = (await client.value('pollupdates', after, 'format', 'json', 'oldvalue', ...words)) as ReplyValue[]
  client.close()
  return (reply[5] as string[]).map((text) => {
    const { command, old, oldunknown } = JSON.parse(text) as Told
    return `${command?.join(' ')} <- ${oldunknown ? '?' : old}`
  })
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

test('a flush leaves nothing known, and hashes with expiring fields are not guessed at', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', 1)
  await s.run('hset', 'h', 'f', 1)
  await poll(s, 0)
  const from = s.server.store.latestSequence()
  await s.run('hpexpire', 'h', 100_000, 'fields', 1, 'f')
  await s.run('flushdb')
  await s.run('set', 'a', 2)
  const told = await poll(s, from)
  t.match(told[1], /^HSETEX h PXAT .* <- \?$/)
  t.same(told.slice(2), ['FLUSHDB <- ?', 'SET a 2 <- ?'])
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
