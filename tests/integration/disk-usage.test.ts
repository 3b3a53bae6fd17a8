/** DISK USAGE and MEMORY USAGE: about what RocksDB keeps of a key. */
import { test } from 'tap'
import { startServer, type TestServer, type Word } from '../support/server.js'

const ELEMENTS = 10_000
const NUMBERS = Array.from({ length: ELEMENTS }, (_, index) => index)
/** The bytes of a row beside its key and its element: namespace, version, lengths. */
const ROW_BYTES = 8

interface Case {
  readonly name: string
  fill(s: TestServer): Promise<unknown>
  /** About what the elements take. */
  readonly expectedBytes: number
}

/** One command with all elements. */
function filledBy(command: string, ...words: Word[]) {
  return (s: TestServer) => s.run(command, 'key', ...words)
}

const digits = NUMBERS.reduce((sum, number) => sum + String(number).length, 0)

const CASES: readonly Case[] = [
  { name: 'a string', fill: filledBy('set', 'A'.repeat(100_000)), expectedBytes: 100_000 },
  {
    name: 'a hash',
    fill: filledBy('hset', ...NUMBERS.flatMap((number) => [`key${number}`, `value${number}`])),
    expectedBytes: ELEMENTS * (3 + 3 + 5 + ROW_BYTES) + 2 * digits,
  },
  { name: 'a set', fill: filledBy('sadd', ...NUMBERS), expectedBytes: ELEMENTS * (3 + ROW_BYTES) + digits },
  { name: 'a list', fill: filledBy('rpush', ...NUMBERS), expectedBytes: ELEMENTS * (3 + 8 + ROW_BYTES) + digits },
  {
    name: 'a sorted set',
    fill: filledBy('zadd', ...NUMBERS.flatMap((number) => [number, `x${number}`])),
    expectedBytes: 2 * (ELEMENTS * (3 + 1 + ROW_BYTES) + digits),
  },
  {
    name: 'a bitmap',
    async fill(s) {
      for (const number of NUMBERS.slice(0, 1000)) await s.run('setbit', 'key', number * 8192, 1)
    },
    expectedBytes: 1000 * (3 + ROW_BYTES + 6),
  },
  { name: 'sorted integers', fill: filledBy('siadd', ...NUMBERS), expectedBytes: ELEMENTS * (3 + 8 + ROW_BYTES) },
  {
    name: 'a stream',
    async fill(s) {
      const client = await s.connect()
      for (const number of NUMBERS) client.send('xadd', 'key', '*', `key${number}`, `value${number}`)
      for (const _ of NUMBERS) await client.nextReply()
    },
    expectedBytes: ELEMENTS * (3 + 16 + ROW_BYTES + 8) + 2 * digits,
  },
]

for (const { name, fill, expectedBytes } of CASES) {
  test(`DISK USAGE of ${name} is about what its rows take`, async (t) => {
    await using s = await startServer({
      config: { 'rocksdb.compression': 'no', 'rocksdb.write_buffer_size': 1, 'rocksdb.block_size': 100 },
    })
    await fill(s)
    const usage = Number((await s.run('disk', 'usage', 'key')).slice(1))
    t.ok(usage > expectedBytes / 4 && usage < expectedBytes * 4, `${usage} for about ${expectedBytes}`)
    t.ok(Number((await s.run('memory', 'usage', 'key')).slice(1)) > 0)
  })
}

test('what is no key has no size, and what is no word of DISK is refused', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('disk', 'usage', 'none'), '$-1\r\n')
  t.equal(await s.run('memory', 'usage', 'none'), '$-1\r\n')
  t.match(await s.run('disk', 'usa', 'key'), /^-ERR /)
})
