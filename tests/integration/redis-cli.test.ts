/** redis-cli at a terminal, in a pipe, and in its special modes. */
import { spawn, spawnSync } from 'node:child_process'
import { test } from 'tap'
import { encodeRequest } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'

const skip = spawnSync('redis-cli', ['--version']).error ? 'redis-cli is not installed' : false

interface Output {
  readonly out: string
  readonly code: number | null
}

/** Runs redis-cli to its end, as if at a terminal if `isTerminal`. */
function runCli(
  server: TestServer,
  words: readonly string[],
  input: string | Buffer = '',
  isTerminal = false,
): Promise<Output> {
  const env = isTerminal ? { ...process.env, FAKETTY: '1' } : process.env
  const child = spawn('redis-cli', ['-h', '127.0.0.1', '-p', String(server.port), ...words], { env })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ out, code }))
  })
}

/** Commands at a prompt that is not shown, and what is printed for each. */
const DIALOGUE: readonly (readonly [line: string, shown: string])[] = [
  ['set key foo', 'OK'],
  ['get key', '"foo"'],
  ['incr counter', '(integer) 1'],
  ['rpush list foo bar', '(integer) 2'],
  ['lrange list 0 -1', '1) "foo"\n2) "bar"'],
  ['set key "bar"', 'OK'],
  ['get key', '"bar"'],
  ['set key " bar "', 'OK'],
  ['get key', '" bar "'],
  [String.raw`set key "\"bar\""`, 'OK'],
  ['get key', String.raw`"\"bar\""`],
  ['set key "\tbar\t"', 'OK'],
  ['get key', String.raw`"\tbar\t"`],
  ['get ""key', 'Invalid argument(s)'],
  ['get "key"x', 'Invalid argument(s)'],
  ['set key"" bar', 'OK'],
  ['get key', '"bar"'],
]

test('redis-cli shows replies with their types to a terminal, and reads quoted words', { skip }, async (t) => {
  await using s = await startServer()
  const { out } = await runCli(s, [], `${DIALOGUE.map(([line]) => line).join('\n')}\n`, true)
  t.equal(out, DIALOGUE.map(([, shown]) => `${shown}\n`).join(''))
})

test('redis-cli shows INFO as it is', { skip }, async (t) => {
  await using s = await startServer()
  const { out } = await runCli(s, [], 'info\n', true)
  t.match(out, /kvrocks_version:/)
  t.same(
    out.split(/\r?\n/).filter((line) => !/^$|^#|^[^#:]+:/.test(line)),
    [],
  )
})

for (const isTerminal of [true, false]) {
  const where = isTerminal ? 'at a terminal' : 'in a pipe'
  test(`redis-cli with one command ${where}`, { skip }, async (t) => {
    await using s = await startServer()
    const shown = async (words: readonly string[], input = '') => (await runCli(s, words, input, isTerminal)).out
    t.equal(await shown(['set', 'key', 'bar']), 'OK\n')
    t.equal(await shown(['incr', 'counter']), isTerminal ? '(integer) 1\n' : '1\n')
    await s.run('set', 'key', 'tab\tnewline\n')
    t.equal(await shown(['get', 'key']), isTerminal ? '"tab\\tnewline\\n"\n' : 'tab\tnewline\n\n')
    await s.run('rpush', 'list', 'foo', 'bar')
    t.equal(await shown(['lrange', 'list', '0', '-1']), isTerminal ? '1) "foo"\n2) "bar"\n' : 'foo\nbar\n')
    t.equal(await shown(['-x', 'set', 'key'], 'from a file\n'), 'OK\n')
    t.equal(await s.run('get', 'key'), '$12\r\nfrom a file\n\r\n')
  })
}

test('redis-cli takes escapes in words if it is told to', { skip }, async (t) => {
  await using s = await startServer()
  await s.run('set', '\0\0', 'value')
  t.equal((await runCli(s, ['--quoted-input', 'get', '"\\x00\\x00"'])).out, 'value\n')
  t.equal((await runCli(s, ['--quoted-input', 'set', '"\\x41\\x41"', 'quoted-val'])).out, 'OK\n')
  t.equal((await runCli(s, ['set', '"\\x41\\x41"', 'unquoted-val'])).out, 'OK\n')
  t.equal(await s.run('get', 'AA'), '$10\r\nquoted-val\r\n')
  t.equal(await s.run('get', '"\\x41\\x41"'), '$12\r\nunquoted-val\r\n')
  t.not((await runCli(s, ['--quoted-input', 'set', '"Unterminated'])).code, 0)
  t.not((await runCli(s, ['--quoted-input', 'set', '"arg1" "arg2"'])).code, 0)
})

for (const isNumeric of [false, true]) {
  test('redis-cli scans, and samples keys by size', { skip }, async (t) => {
    await using s = await startServer({ config: { 'redis-cursor-compatible': isNumeric } })
    // It takes cursors for numbers: with others it ends after the first reply.
    const keyCount = isNumeric ? 1000 : 10
    await s.run('mset', ...Array.from({ length: keyCount }, (_, index) => [`key:${index}`, 'x']).flat())
    const { out } = await runCli(s, ['--scan'])
    t.equal(new Set(out.trimEnd().split('\n')).size, keyCount)
    if (!isNumeric) return
    for (const mode of ['--bigkeys', '--memkeys'])
      t.match((await runCli(s, [mode])).out, /Sampled 1000 keys in the keyspace/)
  })
}

test('redis-cli sends what it is given in bulk, and counts the replies', { skip }, async (t) => {
  await using s = await startServer()
  const requests = [
    encodeRequest(['select', 9]),
    encodeRequest(['del', 'test-counter']),
    ...Array.from({ length: 1000 }, () => [
      encodeRequest(['incr', 'test-counter']),
      encodeRequest(['set', 'large-key', 'x'.repeat(20_000)]),
    ]).flat(),
    ...Array.from({ length: 100 }, () => encodeRequest(['set', 'very-large-key', 'x'.repeat(512_000)])),
  ]
  const { out } = await runCli(s, ['--pipe'], Buffer.concat(requests))
  t.match(out, /All data transferred.*errors: 0, replies: 2102/s)
  t.equal(await s.run('get', 'test-counter'), '$4\r\n1000\r\n')
})
