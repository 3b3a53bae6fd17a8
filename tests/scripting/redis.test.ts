/** The engine against a real redis-server: the same scripts, the same bytes. */
import { test } from 'tap'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MAJOR, REDIS_MISSING, REDIS_VERSION, startRedisServer } from '../support/redis-server.js'
import { startServer } from '../support/server.js'
import { API_CASES } from './cases-api.js'
import { LIBRARY_CASES } from './cases-libraries.js'
import { openBench, type Replies } from './support.js'

/** What Redis 7 answers otherwise, and why we follow Redis 8. */
const DIFFERENT_FROM_7: readonly (readonly [string, string])[] = [
  ['return {double=3.14}', 'Redis prints the shortest form since 7.2'],
  ['return {double=0.1}', 'Redis prints the shortest form since 7.2'],
  ["return redis.log(10,'y')", 'the text was corrected in Redis 8'],
  ['return redis.set_repl()', 'the text was corrected in Redis 8'],
]

/** What the Redis at hand answers otherwise, and why we do not follow it. */
const DIFFERENT: ReadonlyMap<string, string> = new Map([
  ['nosuch = 1', "Kvrocks's text for a new global says which one"],
  ...(REDIS_MAJOR < 8 ? DIFFERENT_FROM_7 : []),
])

/** What the commands of the scripts answer on the real server too. */
const REPLIES: Replies = {
  ping: '+PONG\r\n',
  'echo a': '$1\r\na\r\n',
  'get nokey': (protocol) => (protocol === 3 ? '_\r\n' : '$-1\r\n'),
  'lpush str 1': '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n',
}

test('scripts answer what Redis answers, byte for byte', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer()
  t.teardown(() => redis.stop())
  for (const protocol of [2, 3] as const) {
    const client = await RawClient.connect(redis.port)
    t.teardown(() => client.close())
    await client.run('HELLO', protocol)
    await client.run('SET', 'str', 'x')
    for (const script of [...API_CASES, ...LIBRARY_CASES]) {
      // Options of cjson outlive a script, there as here.
      await client.run('EVAL', 'cjson.encode_sparse_array(false) cjson.encode_invalid_numbers(false)', '0')
      const theirs = await client.run('EVAL', script, '1', 'k1', 'a1', 'a2')
      const ours = openBench(REPLIES, undefined, REDIS_VERSION).evaluate(script, {
        keys: ['k1'],
        args: ['a1', 'a2'],
        protocol,
      })
      if (DIFFERENT.has(script)) t.not(ours, theirs, `${script}: still differs`)
      else t.equal(ours, theirs, `RESP${protocol}: ${script.slice(0, 80)}`)
    }
  }
})

/** Of commands that succeed, fail, are refused, and of scripts that catch, return, raise or make errors. */
const ERRORS = [
  `return redis.pcall('incr', KEYS[1])`,
  `redis.pcall('incr', KEYS[1]) return 1`,
  `redis.call('incr', KEYS[1])`,
  `redis.call('lpush', KEYS[1], 1)`,
  `return redis.pcall('incr', KEYS[1], 1)`,
  `return redis.error_reply('MYERR x')`,
  `return {err='FOO bar'}`,
  `error('boo')`,
  `redis.call('nosuch')`,
  `redis.pcall('nosuch') return 1`,
  `redis.pcall('lpush', KEYS[1], 1) redis.call('incr', KEYS[1])`,
  `syntax error here`,
]

test('INFO errorstats counts each error of a script as Redis does', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer()
  t.teardown(() => redis.stop())
  await using s = await startServer()
  const theirs = await RawClient.connect(redis.port)
  t.teardown(() => theirs.close())
  for (const command of ['eval', 'eval_ro']) {
    for (const script of [...ERRORS, `redis.call('set', KEYS[1], 1)`]) {
      const told: string[] = []
      for (const client of [await s.connect(), theirs]) {
        await client.run('set', 'str', 'x')
        await client.run('config', 'resetstat')
        await client.run(command, script, 1, 'str')
        const failures = /cmdstat_eval(?:_ro)?:calls=1,.*(failed_calls=\d)/.exec(
          await client.run('info', 'commandstats'),
        )
        told.push(`${await client.run('info', 'errorstats')} ${failures?.[1]}`)
      }
      t.equal(told[0], told[1], `${command} ${script}`)
    }
  }
})

test('math.random gives the numbers of Redis for the same seed', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer()
  t.teardown(() => redis.stop())
  const client = await RawClient.connect(redis.port)
  t.teardown(() => client.close())
  const script = `math.randomseed(ARGV[1]) local r = {} for i = 1, 50 do r[i] = tostring(math.random(1000000)) end return r`
  const { evaluate } = openBench()
  for (const seed of ['0', '1', '-5', '2147483647', '123456789']) {
    t.equal(evaluate(script, { args: [seed] }), await client.run('EVAL', script, '0', seed))
  }
})
