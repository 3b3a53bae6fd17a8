/**
 * Collections far larger than a reply buffer: they are answered piece by piece, in bounded memory, and deleted at once.
 * LARGE_ELEMENTS sets their size; npm test takes a hundred thousand elements each.
 */

import { connect } from 'node:net'
import { test } from 'tap'
import type { RawClient } from '../support/raw-client.js'
import { encodeRequest } from '../support/resp.js'
import { startServer } from '../support/server.js'

const ELEMENTS = Number(process.env['LARGE_ELEMENTS'] ?? 100_000)
const PER_COMMAND = 1000
/** What the process may grow by while a reply of some ten times as much is read slowly. */
const GROWTH_BYTES_MAX = 64 * 1024 * 1024

interface Family {
  readonly name: string
  add(index: number): readonly string[]
  readonly verb: string
  readonly readAll: readonly string[]
  /** Bulk strings in the whole reply. */
  readonly bulks: number
  readonly scan?: string
}

const FAMILIES: readonly Family[] = [
  { name: 'hash', verb: 'hset', add: (i) => [`f${i}`, `v${i}`], readAll: ['hgetall', 'k'], bulks: 2, scan: 'hscan' },
  { name: 'set', verb: 'sadd', add: (i) => [`member-${i}`], readAll: ['smembers', 'k'], bulks: 1, scan: 'sscan' },
  {
    name: 'zset',
    verb: 'zadd',
    add: (i) => [String(i), `member-${i}`],
    readAll: ['zrange', 'k', '0', '-1', 'withscores'],
    bulks: 2,
    scan: 'zscan',
  },
  { name: 'list', verb: 'rpush', add: (i) => [`element-${i}`], readAll: ['lrange', 'k', '0', '-1'], bulks: 1 },
]

for (const family of FAMILIES) {
  test(`a ${family.name} of ${ELEMENTS} elements is read whole, scanned once each and deleted at once`, async (t) => {
    await using s = await startServer()
    const client = await s.connect()
    for (let from = 0; from < ELEMENTS; from += PER_COMMAND) {
      const words: string[] = []
      for (let i = from; i < Math.min(ELEMENTS, from + PER_COMMAND); i++) words.push(...family.add(i))
      await client.run(family.verb, 'k', ...words)
    }
    const { bulks, growthBytes } = await readSlowly(s.port, family.readAll)
    t.equal(bulks, ELEMENTS * family.bulks)
    t.ok(growthBytes < GROWTH_BYTES_MAX, `grew by ${Math.round(growthBytes / 2 ** 20)} MiB`)
    if (family.scan !== undefined) t.equal(await scanAll(client, family.scan), ELEMENTS)
    t.equal(await client.run('del', 'k'), ':1\r\n')
    t.same(s.logged, [])
  })
}

test(`a stream of ${ELEMENTS} entries is read whole`, async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (let from = 0; from < ELEMENTS; from += PER_COMMAND) {
    const count = Math.min(PER_COMMAND, ELEMENTS - from)
    for (let i = 0; i < count; i++) client.send('xadd', 'k', `${from + i + 1}-0`, 'f', String(i))
    for (let i = 0; i < count; i++) await client.nextReply()
  }
  const { bulks, growthBytes } = await readSlowly(s.port, ['xrange', 'k', '-', '+'])
  t.equal(bulks, ELEMENTS * 3)
  t.ok(growthBytes < GROWTH_BYTES_MAX, `grew by ${Math.round(growthBytes / 2 ** 20)} MiB`)
  t.equal(await client.run('del', 'k'), ':1\r\n')
})

/** Reads a reply without keeping it, pausing now and then as a slow client does. */
function readSlowly(port: number, words: readonly string[]): Promise<{ bulks: number; growthBytes: number }> {
  return new Promise((resolve, reject) => {
    const before = process.memoryUsage.rss()
    let peak = before
    let bulks = 0
    let tail = ''
    let chunks = 0
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(Buffer.concat([encodeRequest([...words]), encodeRequest(['ping'])]))
    })
    socket.on('error', reject)
    socket.on('data', (chunk: Buffer) => {
      const text = tail + chunk.toString('latin1')
      const end = text.lastIndexOf('\n') + 1
      for (const _header of text.slice(0, end).matchAll(/\$\d+\r\n/g)) bulks++
      tail = text.slice(end)
      peak = Math.max(peak, process.memoryUsage.rss())
      if (text.endsWith('+PONG\r\n')) {
        socket.destroy()
        resolve({ bulks, growthBytes: peak - before })
      } else if (++chunks % 64 === 0) {
        socket.pause()
        setImmediate(() => socket.resume())
      }
    })
  })
}

async function scanAll(client: RawClient, verb: string): Promise<number> {
  const seen = new Set<string>()
  let cursor = '0'
  let total = 0
  do {
    const [next, rows] = (await client.value(verb, 'k', cursor, 'count', 1000)) as [string, string[]]
    const step = verb === 'sscan' ? 1 : 2
    for (let at = 0; at < rows.length; at += step) {
      seen.add(rows[at] as string)
      total++
    }
    cursor = next
  } while (cursor !== '0')
  return seen.size === total ? total : -total
}
