import fc from 'fast-check'
import { test } from 'tap'
import { latin1 } from '../../src/bytes/bytes.js'
import { quoteBytes, splitArgs } from '../../src/bytes/quoting.js'
import { sha1Hex } from '../../src/bytes/sha1.js'
import '../support/seed.js'

test('quoteBytes shows bytes as MONITOR does', async (t) => {
  t.equal(quoteBytes(latin1('a "b"\\\n\r\t\x07\b\0\x7f\xff~')), '"a \\"b\\"\\\\\\n\\r\\t\\a\\b\\x00\\x7f\\xff~"')
})

test('splitArgs splits at white space and resolves quotes', async (t) => {
  const split = (line: string) => splitArgs(latin1(line))?.map((arg) => arg.toString('latin1'))
  t.same(split('  set  key\tvalue \r\n'), ['set', 'key', 'value'])
  t.same(split(''), [])
  t.same(split('"a b" \'c d\' ""'), ['a b', 'c d', ''])
  t.same(split('"\\x41\\n\\r\\t\\b\\a\\q\\"\\xg"'), ['A\n\r\t\b\x07q"xg'])
  t.same(split("'it\\'s \\n'"), ["it's \\n"])
  t.same(split('pre"fix" x'), ['prefix', 'x'])
  t.same(split('a\0b'), ['a'])
  for (const line of ['"open', "'open", '"a"b', "'a'b", '"a\\', '"a\0"']) t.equal(split(line), undefined, line)
})

test('what quoteBytes quotes, splitArgs reads back', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (args) => {
      const line = args.map(quoteBytes).join(' ')
      const read = splitArgs(latin1(line))
      return read !== undefined && read.length === args.length && read.every((arg, index) => arg.equals(args[index]!))
    }),
  )
})

test('sha1Hex names a script', async (t) => {
  t.equal(sha1Hex(latin1('return 1')), 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db')
})
