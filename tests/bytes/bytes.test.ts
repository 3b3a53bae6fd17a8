import { test } from 'tap'
import { compare, concat, copy, EMPTY, equals, latin1, startsWith } from '../../src/bytes/bytes.js'

const short = Buffer.from('abc')
const long = Buffer.from('a'.repeat(100))

test('concat joins in order', async (t) => {
  t.same(concat(short, long), Buffer.concat([short, long]))
  t.same(concat(EMPTY, short), short)
})

test('equals tells apart bytes and lengths, short and long', async (t) => {
  for (const bytes of [EMPTY, short, long]) {
    t.ok(equals(bytes, Buffer.from(bytes)))
    t.notOk(equals(bytes, concat(bytes, short)))
  }
  t.notOk(equals(short, latin1('abd')))
  t.notOk(equals(long, concat(long.subarray(1), latin1('b'))))
})

test('compare orders as memcmp does, with a prefix first', async (t) => {
  const ordered = ['', '\0', 'a', 'aa', 'ab', 'b', '\x7f', '\x80', '\xff', '\xff\xff', long.toString()].map(latin1)
  for (const a of ordered) {
    for (const b of ordered) t.equal(Math.sign(compare(a, b)), Buffer.compare(a, b))
  }
})

test('startsWith, for prefixes short, long and longer than the text', async (t) => {
  t.ok(startsWith(short, EMPTY))
  t.ok(startsWith(short, latin1('ab')))
  t.ok(startsWith(long, long.subarray(1)))
  t.notOk(startsWith(short, latin1('b')))
  t.notOk(startsWith(short, long))
  t.notOk(startsWith(long, concat(long.subarray(2), latin1('b'))))
})

test('copy does not follow the original', async (t) => {
  const original = latin1('abc')
  const own = copy(original)
  original[0] = 0
  t.same(own, short)
})
