import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { test } from 'tap'
import { latin1 } from '../../src/bytes/bytes.js'
import { formatDouble, formatDouble17, formatFixed6, parseDouble } from '../../src/bytes/double.js'
import { globMatch } from '../../src/bytes/glob.js'
import { addLongDouble, formatLongDouble, parseLongDouble } from '../../src/bytes/long-double.js'
import { REDIS_MAJOR, REDIS_MISSING, startRedisServer } from '../support/redis-server.js'

/** What these functions imitate is asked of a real redis-server, on inputs that nobody has thought of. */

const PATTERN_BYTES = 'abAB-][^\\\x80\xff*?c'
const patternText = (maxLength: number) =>
  fc.array(fc.constantFrom(...PATTERN_BYTES), { minLength: 1, maxLength }).map((bytes) => bytes.join(''))
const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map((n) => (n / 1000).toFixed(3)),
  fc.tuple(fc.bigInt(), fc.integer({ min: -40, max: 40 })).map(([digits, power]) => `${digits}e${power}`),
  fc.tuple(fc.nat(), fc.integer({ min: -60, max: 60 })).map(([digits, power]) => `0x${digits.toString(16)}p${power}`),
  fc.constantFrom('', ' 1', '1 ', '.5', '5.', '+1', '-', 'nan', '1e5000', '1e-5000', '0x', '1e', '-.5e-3', '007'),
)

test('what these functions imitate', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer()
  t.teardown(redis.stop)
  t.test('patterns select the keys that KEYS selects', (t) => compareGlobs(t, redis.client))
  t.test('sums of long doubles are those of INCRBYFLOAT', (t) => compareSums(t, redis.client))
  t.test('doubles print as in C', (t) => comparePrinting(t, redis.client))
  t.test('scores are read as ZADD reads them', (t) => compareScores(t, redis.client))
})

type Checks = { same(found: unknown, wanted: unknown, name: string): boolean }

async function compareGlobs(t: Checks, client: Redis): Promise<void> {
  const keys = [...new Set(fc.sample(patternText(5), 300))]
  for (const key of keys) await client.set(latin1(key), '')
  for (const pattern of fc.sample(patternText(8), 2000)) {
    const reply = ((await client.callBuffer('KEYS', latin1(pattern))) as Buffer[]).map((key) => key.toString('latin1'))
    const selected = keys.filter((key) => globMatch(latin1(pattern), latin1(key)))
    if (selected.sort().join() !== reply.sort().join()) t.same(selected, reply, JSON.stringify(pattern))
  }
  t.same(globMatch(latin1('*'), latin1(keys[0]!)), true, 'keys were compared')
}

async function compareSums(t: Checks, client: Redis): Promise<void> {
  for (const [start, increment] of fc.sample(fc.tuple(numberText, numberText), 2000)) {
    await client.set('n', start)
    const reply = await client.incrbyfloat('n', increment).catch((error: Error) => error.message)
    t.same(sumOf(start, increment), reply, `${start} + ${increment}`)
  }
}

function sumOf(start: string, increment: string): string {
  const [a, b] = [parseLongDouble(latin1(start)), parseLongDouble(latin1(increment))]
  if (a === undefined || b === undefined) return 'ERR value is not a valid float'
  const sum = a === 'infinite' || b === 'infinite' ? undefined : addLongDouble(a, b)
  return sum === undefined ? 'ERR increment would produce NaN or Infinity' : formatLongDouble(sum)
}

async function comparePrinting(t: Checks, client: Redis): Promise<void> {
  const script = `local out = {} for i, text in ipairs(ARGV) do
    local n = tonumber(text) out[i] = string.format('%.17g %.6f', n, n) end return out`
  const halves = fc.tuple(fc.integer(), fc.nat(40)).map(([units, bits]) => units / 2 ** bits)
  const numbers = fc.sample(fc.oneof(fc.double({ noNaN: true, min: -1e80, max: 1e80 }), halves), 3000)
  const reply = await client.eval(script, 0, ...numbers.map((n) => (Object.is(n, -0) ? '-0' : String(n))))
  t.same(
    numbers.map((n) => `${formatDouble17(n)} ${formatFixed6(n)}`),
    reply,
    '%.17g and %.6f',
  )
}

/** Redis 8 (Grisu) may choose another last digit, or not find the shortest text, of which 16 or 17 digits tell. */
function isNearTie(ours: string, redis: unknown): boolean {
  if (typeof redis !== 'string' || Number(ours) !== Number(redis)) return false
  return redis.replace(/e.*|^-?0\.0*|0+$|\D/g, '').length >= 16
}

async function compareScores(t: Checks, client: Redis): Promise<void> {
  // Redis prints the shortest form since 7.2, with 17 digits before.
  const print = REDIS_MAJOR < 8 ? formatDouble17 : formatDouble
  for (const text of fc.sample(numberText, 1000)) {
    await client.del('z')
    const reply = await client
      .call('ZADD', 'z', text, 'm')
      .then(() => client.zscore('z', 'm'))
      .catch(() => 'refused')
    const score = parseDouble(latin1(text))
    // A small sorted set of Redis forgets the sign of a zero score.
    const printed = score === undefined ? 'refused' : print(score === 0 ? 0 : score)
    t.same(REDIS_MAJOR >= 8 && isNearTie(printed, reply) ? reply : printed, reply, text)
  }
}
