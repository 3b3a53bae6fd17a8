import fc from 'fast-check'
import { test } from 'tap'
import { formatConfigLine, parseConfigLine } from '../../src/config/line.js'
import '../support/seed.js'

const CASES: readonly (readonly [line: string, name: string, value: string])[] = [
  ['', '', ''],
  ['   ', '', ''],
  ['# port 1', '', ''],
  ['  #port 1', '', ''],
  ['port', 'port', ''],
  ['port#1', 'port', ''],
  ['port # 1', 'port', ''],
  ['  port \t 6666  ', 'port', '6666'],
  ['port 6666\r', 'port', '6666'],
  ['requirepass a#b', 'requirepass', 'a'],
  ['requirepass a #b', 'requirepass', 'a'],
  ['requirepass "a#b" # c', 'requirepass', 'a#b'],
  ["requirepass 'a \"b'", 'requirepass', 'a "b'],
  ['requirepass a"b"', 'requirepass', 'a"b"'],
  ['requirepass "\\t\\r\\n\\v\\f\\b\\\\\\"\\\'"', 'requirepass', '\t\r\n\v\f\b\\"\''],
  ['requirepass "a\\qb"', 'requirepass', 'ab'],
  ['bind 127.0.0.1   ::1', 'bind', '127.0.0.1   ::1'],
  ['rename-command KEYS ""', 'rename-command', 'KEYS ""'],
  ['pidfile ""', 'pidfile', ''],
]

test('a line splits into name and value', (t) => {
  for (const [line, name, value] of CASES) t.strictSame(parseConfigLine(line), { name, value }, JSON.stringify(line))
  t.end()
})

test('a quote that is not closed, or has more behind it, is refused', (t) => {
  t.throws(() => parseConfigLine('a "b'), { message: 'config line ends unexpectedly in quoted string' })
  t.throws(() => parseConfigLine('a "b\\"'), { message: 'config line ends unexpectedly in quoted string' })
  t.throws(() => parseConfigLine('a "b" c'), { message: 'more than 2 item in config line' })
  t.throws(() => parseConfigLine('a "b"c'), { message: 'more than 2 item in config line' })
  t.end()
})

test('a written line reads back as what was written', (t) => {
  t.equal(formatConfigLine('a', 'b'), 'a b')
  t.equal(formatConfigLine('a', ''), 'a ""')
  t.equal(formatConfigLine('a', 'b\\c'), 'a b\\c')
  t.equal(formatConfigLine('a', 'b c\\"'), 'a "b c\\\\\\""')
  const value = fc.string({ unit: fc.constantFrom(...'ab#\'"\\ \t\r\n\v\f\bé') })
  fc.assert(fc.property(value, (text) => parseConfigLine(formatConfigLine('k', text)).value === text))
  t.end()
})
