/** Bitmaps: what SETBIT makes, and the same commands on strings. */

import { test } from 'tap'
import { startServer } from '../support/server.js'
import { transcripts } from '../support/transcripts.js'

transcripts(
  'bitmaps',
  {},
  {
    'what SETBIT makes reads back as a string': String.raw`
      SETBIT b 0 1 => 0
      SETBIT b 9 1 => 0
      SETBIT b 23 1 => 0
      GET b => "\x80@\x01"
      STRLEN b => 3
      GETBIT b 9 => 1
      GETBIT b 10 => 0
      GETBIT b 100000 => 0
      TYPE b => bitmap # Redis: string
    `,
    'string commands read a bitmap as the string that it is in Redis': String.raw`
      SETBIT b 1 1 => 0
      SETBIT b 8201 1 => 0
      SETBIT s 9 1 => 0
      SETBIT z 0 0 => 0
      STRLEN b => 1026
      STRLEN z => 1
      GETRANGE b 0 0 => "@"
      GETRANGE b 1023 -1 => "\x00\x00@"
      GETRANGE b -3 1024 => "\x00\x00"
      GETRANGE b 5 3 => ""
      GETRANGE b 2000 3000 => ""
      SUBSTR s 0 -1 => "\x00@"
      MGET s none z => ["\x00@" nil "\x00"]
      LCS s z => "\x00"
      LCS s z LEN => 1
      SET s v GET => "\x00@"
      GETSET z v => "\x00"
      SETBIT b2 1 1 => 0
      GETDEL b2 => "@"
      EXISTS b2 => 0
      GETDEL b2 => nil
    `,
    'what changes a string makes one of a bitmap': String.raw`
      SETBIT b 1 1 => 0
      SETBIT b 8 0 => 0
      EXPIREAT b 33177117420 => 1
      APPEND b xy => 4
      GET b => "@\x00xy"
      TYPE b => string
      EXPIRETIME b => 33177117420
      GETBIT b 1 => 1
      SETBIT r 9 1 => 0
      SETRANGE r 3 x => 4
      GET r => "\x00@\x00x"
      SETBIT n 2 1 => 0
      SETBIT n 3 1 => 0
      SETBIT n 5 1 => 0
      INCR n => 5
      SETBIT f 2 1 => 0
      INCRBYFLOAT f 1 => -ERR value is not a valid float
      APPEND list x => 1
      DEL list => 1
      RPUSH list x => 1
      APPEND list x => -WRONGTYPE Operation against a key holding the wrong kind of value
      STRLEN list => -WRONGTYPE Operation against a key holding the wrong kind of value
      GETRANGE list 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'GETEX reads a bitmap, and sets and removes its expiry': `
      SETBIT b 1 1 => 0
      GETEX b => "@"
      TTL b => -1
      GETEX b EX 10 => "@"
      TTL b => 10
      GETEX b PX 20000 => "@"
      TTL b => 20
      GETEX b EXAT 4000000000 => "@"
      EXPIRETIME b => 4000000000
      GETEX b PXAT 4000000001000 => "@"
      EXPIRETIME b => 4000000001
      GETEX b PERSIST => "@"
      TTL b => -1
    `,
    'BITCOUNT counts in bytes and in bits, on bitmaps and on strings': `
      SETBIT b 1 1 => 0
      SETBIT b 2 1 => 0
      SETBIT b 3 1 => 0
      SETBIT b 12 1 => 0
      SETBIT b 30000 1 => 0
      BITCOUNT b => 5
      BITCOUNT b 0 0 => 3
      BITCOUNT b 0 0 BYTE => 3
      BITCOUNT b 0 0 BIT => 0
      BITCOUNT b 1 2 BIT => 2
      BITCOUNT b 3 12 BIT => 2
      BITCOUNT b -1 -1 => 1
      BITCOUNT b -40000 -1 BIT => 5
      BITCOUNT b 1 0 => 0
      BITCOUNT b -40000 -50000 => 0
      BITCOUNT b -40000 -50000 BIT => 0
      BITPOS b 1 -40000 -50000 => 1
      BITCOUNT b 5 3000 BYTE => 0
      SET s foobar => OK
      BITCOUNT s => 26
      BITCOUNT s 1 1 => 6
      BITCOUNT s 0 -5 => 10
      BITCOUNT s 5 30 BIT => 17
      BITCOUNT s -3 -1 BIT => 1
      BITCOUNT s 3 1 => 0
      BITCOUNT none => 0
      BITCOUNT s 0 => -ERR syntax error
      BITCOUNT s x 1 => -ERR value is not an integer or out of range
      BITCOUNT s 0 1 hello => -ERR syntax error
      LPUSH l a => 1
      BITCOUNT l => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'BITOP on values that are known': String.raw`
      SET a "\xaa\x00\xff\x55" => OK
      BITOP NOT r a => 4
      GET r => "U\xff\x00\xaa"
      BITOP NOT a a => 4
      GET a => "U\xff\x00\xaa"
      SET x "\x01\x02\xff" => OK
      SET y "\x01\x02\xff" => OK
      BITOP AND r x => 3
      GET r => "\x01\x02\xff"
      BITOP OR r x => 3
      GET r => "\x01\x02\xff"
      BITOP XOR r x => 3
      GET r => "\x01\x02\xff"
      BITOP AND r x none => 3
      GET r => "\x00\x00\x00"
      BITOP OR r x none y => 3
      GET r => "\x01\x02\xff"
      BITOP XOR r x y none => 3
      GET r => "\x00\x00\x00"
      SET short "\x01\x02\xff" => OK
      SET long "\x01\x02\xff\xff\xff" => OK
      BITOP AND r short long => 5
      GET r => "\x01\x02\xff\x00\x00"
      BITOP OR r short long => 5
      GET r => "\x01\x02\xff\xff\xff"
      BITOP XOR r short long => 5
      GET r => "\x00\x00\x00\xff\xff"
      BITOP XOR short short long => 5
      GET short => "\x00\x00\x00\xff\xff"
      SET e "" => OK
      SET v v => OK
      BITOP OR r v e => 1
      GET r => "v"
      BITOP AND r none nothing => 0
      EXISTS r => 0
      BITOP NOT r none => 0
      BITOP NOT r a b => -ERR BITOP NOT must be called with a single source key.
      BITOP nosuchop r a => -ERR syntax error
      BITOP AND r => -ERR wrong number of arguments for 'bitop' command
    `,
    'BITOP joins bitmaps and strings': String.raw`
      SETBIT b 0 1 => 0
      SETBIT b 4000 1 => 0
      SET s "\x80" => OK
      BITOP AND r b s => 501
      GETBIT r 0 => 1
      BITCOUNT r => 1
      BITOP OR r b s => 501
      STRLEN r => 501
      BITOP XOR r b s => 501
      GETBIT r 0 => 0
      GETBIT r 4000 => 1
      BITOP NOT n b => 501
      BITCOUNT n => 4006
      STRLEN n => 501
    `,
    'BITOP refuses other types': `
      SET a x => OK
      LPUSH l foo => 1
      BITOP XOR r a l a => -WRONGTYPE Operation against a key holding the wrong kind of value
      BITOP NOT r l => -WRONGTYPE Operation against a key holding the wrong kind of value
      EXISTS r => 0
    `,
    'BITFIELD and BITFIELD_RO on strings': String.raw`
      SET s "zhe\xff" => OK
      BITFIELD s INCRBY u8 32 2 => [2]
      SET s zhe => OK
      BITFIELD s INCRBY u8 32 2 => [2]
      BITFIELD s INCRBY u8 0 1 => [123]
      GET s => "{he\x00\x02"
      BITFIELD s SET u8 0 122 GET u8 8 OVERFLOW FAIL INCRBY u8 0 200 => [123 104 nil]
      BITFIELD s OVERFLOW SAT INCRBY u8 0 200 OVERFLOW WRAP INCRBY u8 0 2 => [255 1]
      BITFIELD_RO s GET u8 8 GET i5 #1 => [104 5]
      BITFIELD_RO s SET u8 8 1 => -ERR BITFIELD_RO only supports the GET subcommand
      BITFIELD s GET u64 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
      BITFIELD s GET i65 0 => -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
      BITFIELD s GET u8 -1 => -ERR bit offset is not an integer or out of range
      BITFIELD s OVERFLOW nosuch => -ERR Invalid OVERFLOW type specified
      BITFIELD s => []
      BITFIELD_RO none GET u8 0 => [0]
      EXISTS none => 0
    `,
    'BITPOS looks for a bit in bytes and in bits': String.raw`
      SET s "\xff\xf0\x00" => OK
      BITPOS s 0 => 12
      BITPOS s 0 0 -1 => 12
      BITPOS s 1 => 0
      BITPOS s 0 2 -1 => 16
      BITPOS s 1 2 => -1
      BITPOS s 1 2 -1 => -1
      BITPOS s 0 8 15 BIT => 12
      BITPOS s 1 12 -1 BIT => -1
      BITPOS s 0 0 -1 BIT => 12
      BITPOS s 0 10 11 BIT => -1
      BITPOS s 1 8 8 BIT => 8
      BITPOS s 1 0 0 BYTE => 0
      BITPOS none 0 => 0
      BITPOS none 1 => -1
      BITPOS none 0 0 -1 => 0
      SET one "\xff" => OK
      BITPOS one 0 => 8
      BITPOS one 0 0 -1 => -1
      BITPOS one 0 0 0 => -1
      BITPOS one 1 => 0
      SET zero "\x00\x00\x00" => OK
      BITPOS zero 1 => -1
      BITPOS zero 1 1 => -1
      BITPOS zero 0 => 0
      BITPOS s 2 => -ERR The bit argument must be 1 or 0.
      BITPOS s x => -ERR value is not an integer or out of range
      BITPOS s 1 0 1 hello => -ERR syntax error
      LPUSH l a => 1
      BITPOS l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'BITPOS from and to positions inside words': String.raw`
      SET ones "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x0f" => OK
      BITPOS ones 0 => 136
      BITPOS ones 0 1 => 136
      BITPOS ones 0 3 16 => -1
      BITPOS ones 0 17 => 136
      SET all "\xff\xff\xff" => OK
      BITPOS all 0 => 24
      BITPOS all 0 0 => 24
      BITPOS all 0 0 -1 => -1
      BITPOS all 0 3 => -1
      SET zeros "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf0" => OK
      BITPOS zeros 1 => 136
      BITPOS zeros 1 1 => 136
      BITPOS zeros 1 3 16 => -1
      BITPOS zeros 1 17 => 136
      SET mixed "\x00\xff\x00" => OK
      BITPOS mixed 0 0 -1 => 0
      BITPOS mixed 0 1 -1 => 16
      BITPOS mixed 0 2 -1 => 16
      BITPOS mixed 0 2 200 => 16
      BITPOS mixed 0 1 1 => -1
      BITPOS mixed 1 0 -1 => 8
      BITPOS mixed 1 1 -1 => 8
      BITPOS mixed 1 2 -1 => -1
      BITPOS mixed 1 2 200 => -1
      BITPOS mixed 1 1 1 => 8
      BITPOS mixed 1 2 1 => -1
    `,
    'offsets end at 4 Gbit': `
      SETBIT b 4294967295 1 => 0
      GETBIT b 4294967295 => 1
      BITCOUNT b 0 536870911 => 1
      BITCOUNT b -1 -1 => 1
      BITCOUNT b -100 -1 => 1
      BITCOUNT b -100 -100 => 0
      BITPOS b 1 => 4294967295
      SETBIT b 4294967296 1 => -ERR bit offset is not an integer or out of range
      GETBIT b 4294967296 => -ERR bit offset is not an integer or out of range
    `,
  },
)

test('a bitmap beyond max-bitmap-to-string-mb is not shown as a string', async (t) => {
  await using s = await startServer({ config: { 'max-bitmap-to-string-mb': 1 } })
  await s.run('setbit', 'b', 8_388_607, 1)
  t.equal(await s.run('get', 'b'), `$1048576\r\n${'\0'.repeat(1_048_575)}\x01\r\n`)
  await s.run('setbit', 'b', 8_388_608, 1)
  t.match(await s.run('get', 'b'), /^-ERR .*size of the bitmap/)
})

/** Bytes that look random, and are the same each time. */
function someBytes(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (Math.imul(index * 31 + seed, 2_654_435_761) >>> 13) & 0xff))
}

test('BITOP is what it is on arrays of bytes, for strings and bitmaps of any length', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const operations: Readonly<Record<string, (a: number, b: number) => number>> = {
    and: (a, b) => a & b,
    or: (a, b) => a | b,
    xor: (a, b) => a ^ b,
  }
  for (let round = 0; round < 12; round++) {
    const sources = Array.from({ length: 1 + (round % 4) }, (_, index) =>
      someBytes((round * 977 + index * 331) % 3000, round + index),
    )
    for (const [index, bytes] of sources.entries()) await client.run('set', `s${index}`, bytes)
    const last = sources.length - 1
    await client.run('bitop', 'or', 'b', `s${last}`)
    const keys = sources.map((_, index) => (index === last ? 'b' : `s${index}`))
    const length = Math.max(...sources.map((bytes) => bytes.length))
    for (const [name, operate] of Object.entries(operations)) {
      const expected = Array.from({ length }, (_, at) => sources.map((bytes) => bytes[at] ?? 0).reduce(operate))
      t.equal(await client.value('bitop', name, 'r', ...keys), length)
      t.equal((await client.value('get', 'r')) ?? '', Buffer.from(expected).toString('latin1'))
    }
    await client.run('bitop', 'not', 'r', 's0')
    const inverted = sources[0]?.map((byte) => byte ^ 0xff) ?? []
    t.equal((await client.value('get', 'r')) ?? '', Buffer.from(inverted).toString('latin1'))
  }
})

for (const bit of [0, 1]) {
  test('BITPOS finds the first bit that was set or cleared, wherever it is', async (t) => {
    await using s = await startServer()
    const client = await s.connect()
    const length = 1024 * 8
    for (let step = 0; step < 300; step++) {
      const position = (step * 7919) % length
      await client.run('set', 'k', Buffer.alloc(1024, bit === 1 ? 0 : 0xff))
      await client.run('setbit', 'k', position, bit)
      t.equal(await client.value('bitpos', 'k', bit), position)
      t.equal(await client.value('bitpos', 'k', bit, position >> 3), position)
      t.equal(await client.value('bitpos', 'k', bit, (position >> 3) + 1, -1), -1)
    }
    await client.run('del', 'b')
    for (let position = 100_000; position > 0; position -= 1237) {
      await client.run('setbit', 'b', position, 1)
      t.equal(await client.value('bitpos', 'b', 1), position)
    }
  })
}
