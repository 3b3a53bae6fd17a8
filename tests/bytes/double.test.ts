import fc from 'fast-check'
import { test } from 'tap'
import { latin1 } from '../../src/bytes/bytes.js'
import {
  formatDouble,
  formatDouble17,
  formatFixed6,
  parseDouble,
  readSortableDouble,
  writeSortableDouble,
} from '../../src/bytes/double.js'
import { addLongDouble, formatLongDouble, parseLongDouble, toLongDouble } from '../../src/bytes/long-double.js'
import '../support/seed.js'

const { POSITIVE_INFINITY, NEGATIVE_INFINITY } = Number

test('formatDouble17 prints as %.17g does', async (t) => {
  const printed: [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [3.1, '3.1000000000000001'],
    [-0.5, '-0.5'],
    [1e15, '1000000000000000'],
    [1e16, '10000000000000000'],
    [1e17, '1e+17'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e21, '1e+21'],
    [1e100, '1e+100'],
    [0.0001, '0.0001'],
    [0.00001, '1.0000000000000001e-05'],
    [2 ** -25, '2.9802322387695312e-08'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [5e-324, '4.9406564584124654e-324'],
    [POSITIVE_INFINITY, 'inf'],
    [NEGATIVE_INFINITY, '-inf'],
    [Number.NaN, 'nan'],
  ]
  for (const [n, text] of printed) t.equal(formatDouble17(n), text)
})

test('formatDouble prints the shortest text in the form of Redis 7.2', async (t) => {
  const printed: [number, string][] = [
    [3.1, '3.1'],
    [-0, '-0'],
    [1e-7, '1e-7'],
    [0.0001, '0.0001'],
    [1.5e25, '1.5e+25'],
    [1e21, '1e+21'],
    [46747907423993856, '46747907423993856'],
    [-(2 ** 62), '-4611686018427387904'],
    [2 ** 62 + 1024, '4611686018427389000'],
    [1.25e-10, '1.25e-10'],
    [NEGATIVE_INFINITY, '-inf'],
  ]
  for (const [n, text] of printed) t.equal(formatDouble(n), text)
})

test('both forms read back as the same double', async () => {
  const finite = fc.double({ noNaN: true })
  fc.assert(fc.property(finite, (n) => Object.is(parseDouble(latin1(formatDouble17(n))), n)))
  fc.assert(fc.property(finite, (n) => Object.is(parseDouble(latin1(formatDouble(n))), n)))
})

test('formatFixed6 prints as %f does, exact halves to even', async (t) => {
  const printed: [number, string][] = [
    [10.6, '10.600000'],
    [0.0078125, '0.007812'],
    [0.0234375, '0.023438'],
    [-0.0078125, '-0.007812'],
    [1e22, '10000000000000000000000.000000'],
    [-1e-9, '-0.000000'],
    [-0, '-0.000000'],
    [POSITIVE_INFINITY, 'inf'],
  ]
  for (const [n, text] of printed) t.equal(formatFixed6(n), text)
})

test('parseDouble takes what strtod takes as a whole', async (t) => {
  const read: [string, number][] = [
    ['1', 1],
    ['+1', 1],
    ['-1.5e3', -1500],
    ['.5', 0.5],
    ['5.', 5],
    ['-0', -0],
    ['007', 7],
    ['1E2', 100],
    ['4.9406564584124654e-324', 5e-324],
    ['0e999', 0],
    ['inf', POSITIVE_INFINITY],
    ['+Inf', POSITIVE_INFINITY],
    ['-INFINITY', NEGATIVE_INFINITY],
    ['0x1.8p1', 3],
    ['-0X10', -16],
    ['0x.8', 0.5],
    ['0x1fffffffffffff8', 2 ** 57],
    ['0x1p-1074', 5e-324],
    ['0x1.8p-1074', 1e-323],
  ]
  for (const [text, n] of read) t.equal(parseDouble(latin1(text)), n, text)
})

test('parseDouble refuses the rest', async (t) => {
  const refused = ['', ' 1', '1 ', '1a', 'nan', '-nan', '1e', '1e+', '.', '+', '-', '1e400', '-1e400', '1e-400', '1,5']
  for (const text of [...refused, '0x', '0x1p', '0x1p2000', '0x1p-2000', 'infinit', '--1', '1\0']) {
    t.equal(parseDouble(latin1(text)), undefined, text)
  }
})

test('sortable doubles keep the value, and their bytes the order', async (t) => {
  const encode = (n: number) => {
    const bytes = Buffer.alloc(8)
    writeSortableDouble(bytes, 0, n)
    return bytes
  }
  t.equal(encode(-0).toString('hex'), '7fffffffffffffff')
  t.equal(encode(0).toString('hex'), '8000000000000000')
  t.equal(encode(1.5).toString('hex'), 'bff8000000000000')
  const double = fc.double({ noNaN: true })
  fc.assert(
    fc.property(double, double, (a, b) => {
      const order = Object.is(a, b) ? 0 : a < b || (a === b && Object.is(a, -0)) ? -1 : 1
      return Object.is(readSortableDouble(encode(a), 0), a) && Buffer.compare(encode(a), encode(b)) === order
    }),
  )
})

test('long doubles add and print as INCRBYFLOAT does', async (t) => {
  const add = (a: string, b: string) => {
    const [x, y] = [parseLongDouble(latin1(a)), parseLongDouble(latin1(b))]
    if (typeof x !== 'object' || typeof y !== 'object') throw new Error('not a number')
    const sum = addLongDouble(x, y)
    return sum && formatLongDouble(sum)
  }
  t.equal(add('10.50', '0.1'), '10.6')
  t.equal(add('3.0e3', '200'), '3200')
  t.equal(add('5.0e3', '-2.0e2'), '4800')
  t.equal(add('3200', '1e30'), '1000000000000000000024696061952')
  t.equal(add('0', '-1e-20'), '0')
  t.equal(add('1', '-1'), '0')
  t.equal(add('-1.5', '0.25'), '-1.25')
  t.equal(add('0x10', '1'), '17')
  t.equal(add('1e4932', '1e4932'), undefined)
  t.equal(parseLongDouble(latin1('-Infinity')), 'infinite')
  for (const text of ['', ' 1', '1 ', 'nan', '.', '1e5000', '1e-5000', '0x', '1e99999999999']) {
    t.equal(parseLongDouble(latin1(text)), undefined, text)
  }
})

test('doubles become long doubles exactly', async (t) => {
  t.equal(formatLongDouble(toLongDouble(13.361389338970184)), '13.36138933897018433')
  t.equal(formatLongDouble(toLongDouble(-0.002416670322418213)), '-0.00241667032241821')
  t.equal(formatLongDouble(toLongDouble(-0)), '0')
  t.equal(formatLongDouble(toLongDouble(5e-324)), '0')
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
      const { mantissa, exponent } = toLongDouble(n)
      return exponent >= -1074 && Number(mantissa) * 2 ** Math.ceil(exponent / 2) * 2 ** Math.floor(exponent / 2) === n
    }),
  )
})
