/** Random values through cjson, cmsgpack, struct and the patterns, here and in Redis. */
import fc from 'fast-check'
import { test } from 'tap'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { evaluateWith, openBench } from './support.js'
import '../support/seed.js'

const RUNS = 400

const anyBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'))

/** Valid MessagePack now and then: bytes that often begin a type, and few others. */
const packedBytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(0x80, 0x81, 0x90, 0x92, 0xa1, 0xc0, 0xc2, 0xca, 0xcb, 0xcd, 0xd1, 0xd3, 0xd9, 0xdc, 0xde),
      fc.nat(255),
    ),
    {
      maxLength: 24,
    },
  )
  .map((bytes) => Buffer.from(bytes).toString('latin1'))

const pattern = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      '.',
      '%a',
      '%d',
      '%w',
      '%s',
      '[ab]',
      '[^a]',
      '[a-c]',
      '(',
      ')',
      '()',
      '*',
      '+',
      '-',
      '?',
      '^',
      '$',
      '%1',
      '%b()',
      '%f[%w]',
      '%',
      '[',
    ),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(''))

const subject = fc
  .array(fc.constantFrom('a', 'b', 'c', '1', ' ', '(', ')'), { maxLength: 12 })
  .map((parts) => parts.join(''))

/** All of a value as text, with its types. */
const SHOW = `local function show(v) if type(v) ~= 'table' then return type(v) .. ':' .. tostring(v) end
  local r = {} for k, x in pairs(v) do r[#r + 1] = show(k) .. '=' .. show(x) end table.sort(r) return '{' .. table.concat(r, ',') .. '}' end `

const CASES: readonly (readonly [string, string, fc.Arbitrary<string[]>])[] = [
  ['JSON to MessagePack', 'return cmsgpack.pack(cjson.decode(ARGV[1]))', fc.tuple(fc.json())],
  ['JSON there and back', 'return cjson.encode(cjson.decode(ARGV[1]))', fc.tuple(fc.json())],
  [
    'text that may be JSON',
    `${SHOW} return show(cjson.decode(ARGV[1]))`,
    fc.tuple(
      fc.oneof(
        anyBytes,
        fc.json().map((text) => text.slice(1)),
      ),
    ),
  ],
  ['bytes that may be MessagePack', `${SHOW} return show({cmsgpack.unpack(ARGV[1])})`, fc.tuple(packedBytes)],
  ['bytes as JSON strings', 'return cjson.encode(ARGV[1])', fc.tuple(anyBytes)],
  [
    'numbers',
    'local n = tonumber(ARGV[1]) return {cjson.encode({n}), cmsgpack.pack(n), tostring(n), bit.tohex(n), struct.pack(">lfd", n, n, n)}',
    fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n.toString())),
  ],
  ['patterns', `${SHOW} return show({string.find(ARGV[1], ARGV[2])})`, fc.tuple(subject, pattern)],
  ['replacements', `${SHOW} return show({string.gsub(ARGV[1], ARGV[2], '<%0>')})`, fc.tuple(subject, pattern)],
  [
    'repeated matches',
    `${SHOW} local r = {} for a, b in string.gmatch(ARGV[1], ARGV[2]) do r[#r + 1] = {a, b} end return show(r)`,
    fc.tuple(subject, pattern),
  ],
]

for (const [name, script, values] of CASES) {
  test(`${name}: random cases answer what they answer in Redis`, { skip: REDIS_MISSING }, async (t) => {
    const redis = await startRedisServer()
    t.teardown(() => redis.stop())
    const client = await RawClient.connect(redis.port)
    t.teardown(() => client.close())
    const bench = openBench()
    await fc.assert(
      fc.asyncProperty(values, async (texts) => {
        const args = texts.map((text) => Buffer.from(text, 'latin1'))
        const theirs = await client.run('EVAL', script, '0', ...args)
        const ours = evaluateWith(bench, script, args)
        if (ours !== theirs) throw new Error(`ours ${JSON.stringify(ours)}\ntheirs ${JSON.stringify(theirs)}`)
      }),
      { numRuns: RUNS },
    )
    t.pass()
  })
}
