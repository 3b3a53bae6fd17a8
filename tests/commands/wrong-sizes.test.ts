/** Collections that hold fewer elements than their metadata say, as a damaged database may: no client waits for the others. */
import { test } from 'tap'
import { copy } from '../../src/bytes/bytes.js'
import { decodeMetadata, encodeMetadata } from '../../src/storage/metadata.js'
import { startServer, type TestServer } from '../support/server.js'

const MISSING = 2
const KINDS: readonly {
  readonly add: string
  readonly read: readonly (readonly string[])[]
  readonly words: number
}[] = [
  {
    add: 'hset',
    words: 2,
    read: [
      ['hgetall', 'k'],
      ['hkeys', 'k'],
      ['hvals', 'k'],
    ],
  },
  { add: 'rpush', words: 1, read: [['lrange', 'k', '0', '-1']] },
  { add: 'sadd', words: 1, read: [['smembers', 'k']] },
  {
    add: 'zadd',
    words: 2,
    read: [
      ['zrange', 'k', '0', '-1'],
      ['zrange', 'k', '0', '-1', 'withscores'],
    ],
  },
]

async function fill(s: TestServer, add: string, words: number, count: number): Promise<void> {
  const elements = Array.from({ length: count * words }, (_, index) => String(index))
  await s.run(add, 'k', ...elements)
}

function enlarge(s: TestServer): void {
  const { defaultDatabase: db, store } = s.server
  const key = Buffer.from('k')
  const metadata = decodeMetadata(copy(db.getMetadata(key)!))
  metadata.size += MISSING
  db.putMetadata(key, encodeMetadata(metadata))
  store.commit()
}

test('a small collection is answered as it is', async (t) => {
  for (const { add, words, read } of KINDS) {
    await using s = await startServer()
    await fill(s, add, words, 3)
    const client = await s.connect()
    const before: string[] = []
    for (const line of read) before.push(await s.run(...line))
    enlarge(s)
    for (const [at, line] of read.entries()) t.equal(await client.run(...line), before[at], line.join(' '))
    t.equal(await client.run('ping'), '+PONG\r\n')
  }
})

test('the reply of a large one breaks off, and the log says why', async (t) => {
  for (const { add, words, read } of KINDS) {
    for (const line of read) {
      await using s = await startServer()
      await fill(s, add, words, 3000)
      enlarge(s)
      const client = await s.connect()
      await t.rejects(client.run(...line), line.join(' '))
      t.match(s.logged.join('\n'), /broke off: Error: the key lacks 2 of its 3002 elements/)
      t.equal(await s.run('ping'), '+PONG\r\n')
    }
  }
})
