import { test } from 'tap'
import { latin1 } from '../../src/bytes/bytes.js'
import { globMatch, globPrefix, isLiteral } from '../../src/bytes/glob.js'

const matches = (pattern: string, text: string, ignoreCase = false) =>
  globMatch(latin1(pattern), latin1(text), ignoreCase)

test('patterns that match', async (t) => {
  const pairs = `
    * x|a* a|*a ba|a**b ab|a*b*c axxbyyc|?? ab|h[ae]llo hallo|[a-c] b|[c-a] b|[^a] b|[^a-c]x dx|[a a|[^ x|[\\]] ]
    [a-] ^|\\* *|\\ \\|a\\ a\\|\\a a|[\x7f-\x80] a|*\xff \x00\xff|[a-c c|*aab aaaaab|[^]x yx|a* a*`
  for (const [pattern, text] of readPairs(pairs)) t.ok(matches(pattern, text), `${pattern} ~ ${text}`)
  t.ok(matches('', ''))
  t.ok(matches('*', ''))
})

test('patterns that do not', async (t) => {
  const pairs = 'a A|[a-c] d|[^a] a|[] ]|[ [|?? a|a*b abc|\\* a|[^a-c] b|[a-] -'
  for (const [pattern, text] of readPairs(pairs)) t.notOk(matches(pattern, text), `${pattern} ~ ${text}`)
  for (const pattern of ['a', '**', '?', '[^a]']) t.notOk(matches(pattern, ''), pattern)
  t.notOk(matches('', 'a'))
})

/** Pairs of pattern and text, one space between them, separated by | or a new line. */
function readPairs(text: string): [string, string][] {
  const pairs = text.trim().split(/ *[|\n] */)
  return pairs.map((pair) => pair.split(' ') as [string, string])
}

test('case is ignored on demand, except for an escaped member of a class', async (t) => {
  t.ok(matches('HeL[L-O]?', 'hELm!', true))
  t.ok(matches('[a]', 'A', true))
  t.ok(matches('[A-C]', 'b', true))
  t.notOk(matches('[\\a]', 'A', true))
  t.notOk(matches('[\\a]', 'A'))
})

test('a hostile pattern takes no exponential time', async (t) => {
  const startedMs = performance.now()
  t.notOk(matches(`${'a*'.repeat(2000)}b`, 'a'.repeat(20_000)))
  t.ok(performance.now() - startedMs < 5000)
})

test('globPrefix is the part that every match begins with', async (t) => {
  const prefix = (pattern: string) => globPrefix(latin1(pattern)).toString('latin1')
  t.equal(prefix('user:*'), 'user:')
  t.equal(prefix('a\\*b?c'), 'a*b')
  t.equal(prefix('a[bc]'), 'a')
  t.equal(prefix('plain'), 'plain')
  t.equal(prefix('end\\'), 'end\\')
  t.equal(prefix('*'), '')
})

test('isLiteral holds when one text alone can match', async (t) => {
  for (const pattern of ['', 'a', 'a\\*', 'a]', 'a\\']) t.ok(isLiteral(latin1(pattern)), pattern)
  for (const pattern of ['*', 'a?', '[a', 'a\\\\*']) t.notOk(isLiteral(latin1(pattern)), pattern)
})
