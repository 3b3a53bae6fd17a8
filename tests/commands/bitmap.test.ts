import { test } from 'tap'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MISSING, type RedisServer, startRedisServer } from '../support/redis-server.js'
import { startServer } from '../support/server.js'

test('SETBIT writes the segment and the metadata that Kvrocks writes', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('setbit', 'b', '0', '1'), ':0\r\n')
  t.equal(await s.run('setbit', 'b', '8193', '1'), ':0\r\n')
  using updates = s.server.store.rocks.updatesSince(1)
  const [first, second] = updates.next(10).map(({ data }) => data.toString('hex'))
  const prefix = '0b5f5f6e616d657370616365'
  // "6 9 0", segment "0" with the bit counted from the least significant, size 1.
  t.match(first, new RegExp(`^.{24}0305${Buffer.from('6 9 0').toString('hex')}011a${prefix}0000000162.{16}300101`))
  t.match(first, /0000000000000001$/)
  t.match(second, new RegExp(`0000000162.{16}${Buffer.from('1024').toString('hex')}0102`))
  t.match(second, /0000000000000401$/)
  t.equal(await s.run('type', 'b').then((type) => type.startsWith('+bitmap') || type.startsWith('-ERR unknown')), true)
})

const SCRIPT: readonly (readonly string[])[] = [
  ...[0, 1, 7, 8, 100, 8191, 8192, 8195, 20_000].map((bit) => ['setbit', 'b', String(bit), '1']),
  ['set', 's', 'foobar'],
  ['setbit', 's', '7', '1'],
  ['get', 's'],
  ...['b', 's', 'none'].flatMap((key) => [
    ['bitcount', key],
    ['bitcount', key, '1', '-2'],
    ['bitcount', key, '-3', '-1'],
    ['bitcount', key, '3', '8195', 'bit'],
    ['bitcount', key, '5', '4'],
    ['bitcount', key, '-1', '-5'],
    ['bitpos', key, '1'],
    ['bitpos', key, '0'],
    ['bitpos', key, '1', '2'],
    ['bitpos', key, '1', '2', '-1'],
    ['bitpos', key, '1', '9', '-1', 'bit'],
    ['bitpos', key, '0', '0', '3', 'bit'],
    ['getbit', key, '100'],
    ['getbit', key, '99999'],
  ]),
  ['bitop', 'and', 'd', 'b', 's'],
  ['bitcount', 'd'],
  ['bitop', 'or', 'd', 'b', 's', 'none'],
  ['bitcount', 'd'],
  ['bitop', 'xor', 'd', 'b', 's'],
  ['bitcount', 'd'],
  ['bitop', 'not', 'd', 's'],
  ['bitcount', 'd'],
  ['bitop', 'not', 'd', 's', 'b'],
  ['bitop', 'and', 'd', 'none', 'none2'],
  ['bitcount', 'd'],
  ['bitfield', 'f', 'set', 'u8', '0', '255', 'get', 'u4', '2', 'incrby', 'u8', '#1', '10'],
  ['bitfield', 'f', 'overflow', 'sat', 'incrby', 'u2', '100', '5', 'overflow', 'fail', 'incrby', 'u2', '102', '5'],
  ['bitfield', 'f', 'incrby', 'i5', '8190', '-17', 'get', 'i64', '8150', 'get', 'i5', '8190'],
  ['bitfield', 'f', 'set', 'i64', '8160', '-9223372036854775808', 'get', 'i64', '8160', 'get', 'u63', '8161'],
  ['bitfield_ro', 'f', 'get', 'u8', '0', 'get', 'i8', '#0'],
  ['bitfield_ro', 'f', 'set', 'u8', '0', '1'],
  ['bitfield', 'f', 'get', 'u64', '0'],
  ['bitfield', 'f', 'get', 'u8', '-1'],
  ['bitfield', 'f', 'overflow', 'x', 'incrby', 'u8', '0', '1'],
  ['bitfield', 'f', 'set', 'u8', '0'],
  ['setbit', 'b', '4294967296', '1'],
  ['setbit', 'b', '1', '2'],
  ['bitpos', 'b', '2'],
  ['bitcount', 'b', '1'],
  ['bitop', 'nand', 'd', 'b'],
  ['lpush', 'list', 'x'],
  ['getbit', 'list', '0'],
  ['bitcount', 'list'],
  ['bitop', 'and', 'd', 'list'],
  ['pfadd', 'h1', 'a', 'b', 'c'],
  ['pfadd', 'h1', 'a'],
  ['pfadd', 'h2', 'c', 'd'],
  ['pfadd', 'h3'],
  ['pfcount', 'h1', 'h2', 'none'],
  ['pfmerge', 'h4', 'h1', 'h2'],
  ['pfcount', 'h4'],
  ['pfcount', 'list'],
]

/** Replies of redis-server that are not ours, with the reason. */
const DIFFERENT = new Map([['pfadd h3', 'as Kvrocks, PFADD without elements makes no key']])

test('bits and HyperLogLogs answer as redis-server does', { skip: REDIS_MISSING }, async (t) => {
  await using s = await startServer()
  const redis: RedisServer = await startRedisServer()
  const peer = await RawClient.connect(redis.port)
  try {
    for (const words of SCRIPT) {
      const theirs = await peer.run(...words)
      if (!DIFFERENT.has(words.join(' '))) t.equal(await s.run(...words), theirs, words.join(' '))
    }
  } finally {
    peer.close()
    await redis.stop()
  }
})

test('the operators of Redis 8.2 combine bits as they are defined', async (t) => {
  await using s = await startServer()
  await s.run('set', 'x', Buffer.of(0b11110000))
  await s.run('set', 'y', Buffer.of(0b11001100))
  await s.run('set', 'z', Buffer.of(0b10101010))
  const expected = { diff: 0b00010000, diff1: 0b00001110, andor: 0b11100000, one: 0b00010110 }
  for (const [operator, byte] of Object.entries(expected)) {
    t.equal(await s.run('bitop', operator, 'd', 'x', 'y', 'z'), ':1\r\n')
    t.same(await (await s.connect()).value('bitfield', 'd', 'get', 'u8', 0), [byte], operator)
  }
  t.equal(await s.run('bitop', 'diff', 'd', 'x'), '-ERR BITOP DIFF must be called with at least two source keys.\r\n')
})
