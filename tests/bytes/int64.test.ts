import fc from 'fast-check'
import { test } from 'tap'
import { latin1 } from '../../src/bytes/bytes.js'
import {
  addInt64,
  decimal,
  decimalLength,
  INT64_MAX,
  INT64_MIN,
  negateInt64,
  parseInt64,
  parseUint64,
  readInt64,
  readUint64,
  subInt64,
  toInt64,
  UINT64_MAX,
  writeDecimal,
  writeUint64,
} from '../../src/bytes/int64.js'
import { parseLooseInt64 } from '../../src/bytes/loose-int64.js'
import '../support/seed.js'

const int64 = fc.oneof(
  fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
  fc.bigInt({ min: -1000n, max: 1000n }),
)
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: UINT64_MAX }), fc.bigInt({ min: 0n, max: 2n ** 54n }))

test('parseInt64 takes the canonical decimals of int64', async (t) => {
  for (const text of ['0', '7', '-1', '10', '999999999999999', '1000000000000000', '-9007199254740991']) {
    t.equal(parseInt64(latin1(text)), Number(text), text)
  }
  t.equal(parseInt64(latin1('9007199254740992')), 9007199254740992n)
  t.equal(parseInt64(latin1('9223372036854775807')), INT64_MAX)
  t.equal(parseInt64(latin1('-9223372036854775808')), INT64_MIN)
})

test('parseInt64 refuses everything else', async (t) => {
  const refused = '| 1|1 |+1|-|-0|00|01|-01|1.0|1e3|0x1|--1|a|1a|9223372036854775808|-9223372036854775809'
  for (const text of [...refused.split('|'), '99999999999999999999', '1234567890123456x', '-/', '1\0']) {
    t.equal(parseInt64(latin1(text)), undefined, JSON.stringify(text))
  }
})

test('parseUint64 reaches to 2^64-1 and takes no sign', async (t) => {
  t.equal(parseUint64(latin1('0')), 0)
  t.equal(parseUint64(latin1('18446744073709551615')), UINT64_MAX)
  for (const text of ['', '-1', '-', '00', '01', '18446744073709551616', '100000000000000000000', '1x']) {
    t.equal(parseUint64(latin1(text)), undefined, JSON.stringify(text))
  }
})

test('decimal and parseInt64 are inverse over all of int64', async () => {
  fc.assert(
    fc.property(int64, (value) => {
      const text = decimal(toInt64(value))
      return text.toString() === value.toString() && parseInt64(text) === toInt64(value)
    }),
  )
})

test('writeDecimal writes in place and returns the end', async (t) => {
  for (const n of [0, -0, 9, 10, 99, 100, 9999, 10000, 12345678, 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1), -7]) {
    const target = Buffer.alloc(20, '.')
    const end = writeDecimal(target, 2, n)
    t.equal(target.toString(), `..${String(n)}`.padEnd(20, '.'))
    t.equal(end, 2 + decimalLength(n))
  }
})

test('sums and differences are exact, canonical, and undefined outside int64', async () => {
  const check = (result: bigint) => (result < INT64_MIN || result > INT64_MAX ? undefined : toInt64(result))
  fc.assert(
    fc.property(int64, int64, (a, b) => {
      const [x, y] = [toInt64(a), toInt64(b)]
      return addInt64(x, y) === check(a + b) && subInt64(x, y) === check(a - b) && negateInt64(x) === check(-a)
    }),
  )
})

test('64-bit fields keep every bit', async (t) => {
  const field = Buffer.alloc(8)
  t.equal(writeUint64(field, 0, -1), 8)
  t.equal(field.toString('hex'), 'ffffffffffffffff')
  t.equal(readInt64(field, 0), -1)
  fc.assert(
    fc.property(uint64, int64, (unsigned, signed) => {
      writeUint64(field, 0, toInt64(unsigned))
      const bits = field.readBigUInt64BE(0) === unsigned && readUint64(field, 0) === toInt64(unsigned)
      writeUint64(field, 0, toInt64(signed))
      return bits && field.readBigInt64BE(0) === signed && readInt64(field, 0) === toInt64(signed)
    }),
  )
})

test('parseLooseInt64 reads as strtoll does', async (t) => {
  const read = (text: string, base: 0 | 8 | 10 | 16 = 10) => {
    const result = parseLooseInt64(latin1(text), base)
    return result.ok ? result.value : result.fault
  }
  t.equal(read('007'), 7)
  t.equal(read(' \t+5'), 5)
  t.equal(read('-0'), 0)
  t.equal(read('010', 0), 8)
  t.equal(read('0x1F', 0), 31)
  t.equal(read('-0x10', 16), -16)
  t.equal(read('ff', 16), 255)
  t.equal(read('0x', 0), 'trailing')
  t.equal(read('0'.repeat(50)), 0)
  t.equal(read('9223372036854775807'), INT64_MAX)
  t.equal(read('-9223372036854775808'), INT64_MIN)
  t.equal(read('9223372036854775808'), 'out-of-range')
  t.equal(read('9'.repeat(1000)), 'out-of-range')
  t.equal(read('0x10'), 'trailing')
  t.equal(read('5 '), 'trailing')
  t.equal(read('08', 0), 'trailing')
  for (const text of ['', '-', '+', 'x', ' ', '+-1']) t.equal(read(text), 'not-started', JSON.stringify(text))
})
