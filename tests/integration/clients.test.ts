import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { BasicClientSideCache, createClient } from 'redis'
import { test } from 'tap'
import { startProcess } from '../support/process.js'
import { startServer } from '../support/server.js'

/** Runs a program to its end: what it printed, and its exit code. */
function runProgram(name: string, words: readonly string[], input = ''): Promise<{ out: string; code: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, words, { timeout: 180_000 })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ out, code }))
    child.stdin.end(input)
  })
}

test('ioredis with no special option', async (t) => {
  await using s = await startServer()
  const redis = new Redis({ port: s.port, host: '127.0.0.1' })
  t.teardown(() => redis.disconnect())
  t.equal(await redis.set('k', 'v', 'EX', 100), 'OK')
  t.equal(await redis.get('k'), 'v')
  t.equal(await redis.incrby('n', 5), 5)
  t.same(await redis.mget('k', 'n', 'absent'), ['v', '5', null])
  t.same(await redis.multi().set('m', '1').incr('m').exec(), [
    [null, 'OK'],
    [null, 2],
  ])
  await t.rejects(redis.incr('k'), { message: 'ERR value is not an integer or out of range' })
  const pipeline = redis.pipeline()
  for (let i = 0; i < 1000; i++) pipeline.set(`p${i}`, i)
  t.equal((await pipeline.exec())?.length, 1000)
  t.equal(await redis.hset('h', { a: '1', b: '2' }), 2)
  t.same(await redis.hgetall('h'), { a: '1', b: '2' })
})

test('ioredis with a password, a name and a database', async (t) => {
  await using s = await startServer({ config: { requirepass: 'secret', 'redis-databases': 4 } })
  const redis = new Redis({ port: s.port, host: '127.0.0.1', password: 'secret', db: 2, connectionName: 'me' })
  t.teardown(() => redis.disconnect())
  t.equal(await redis.set('k', 'v'), 'OK')
  t.equal(await redis.client('GETNAME'), 'me')
  t.match(await redis.client('INFO'), /db=2 /)
})

for (const RESP of [2, 3] as const) {
  test(`node-redis with RESP${RESP}`, async (t) => {
    await using s = await startServer()
    const client = createClient({ url: `redis://127.0.0.1:${s.port}`, RESP })
    client.on('error', (error: Error) => t.fail(error.message))
    await client.connect()
    t.equal(await client.set('k', 'v'), 'OK')
    t.equal(await client.get('k'), 'v')
    t.same(await client.mGet(['k', 'absent']), ['v', null])
    t.same(await client.multi().set('m', '1').incr('m').exec(), ['OK', 2])
    await t.rejects(client.incr('k'), { message: 'ERR value is not an integer or out of range' })
    t.equal(await client.hSet('h', { a: '1' }), 1)
    t.same({ ...(await client.hGetAll('h')) }, { a: '1' })
    t.match(await client.info('server'), /redis_version:7/)
    await client.close()
  })
}

test('node-redis with its client side cache, and another client that changes what is cached', async (t) => {
  await using s = await startServer()
  const cache = new BasicClientSideCache()
  const client = createClient({ url: `redis://127.0.0.1:${s.port}`, RESP: 3, clientSideCache: cache })
  client.on('error', (error: Error) => t.fail(error.message))
  await client.connect()
  const counts = (): number[] => [cache.stats().hitCount, cache.stats().missCount, cache.size()]
  t.equal(await client.get('k'), null)
  await s.run('set', 'k', 'v')
  while (cache.size() > 0) await client.ping()
  t.equal(await client.get('k'), 'v')
  t.equal(await client.get('k'), 'v')
  t.same(counts(), [1, 2, 1])
  await s.run('hset', 'h', 'f', '1')
  t.equal(await client.hGet('h', 'f'), '1')
  await s.run('hincrby', 'h', 'f', '1')
  while (cache.size() > 1) await client.ping()
  t.equal(await client.hGet('h', 'f'), '2')
  await client.set('k', 'w')
  while (cache.size() > 1) await client.ping()
  t.equal(await client.get('k'), 'w')
  t.same(counts(), [1, 5, 2])
  await s.run('flushall')
  while (cache.size() > 0) await client.ping()
  t.equal(await client.get('k'), null)
  await client.close()
})

test('redis-cli: commands, hints, RESP3, piped requests and mass insertion', async (t) => {
  await using s = await startServer()
  const cli = (words: readonly string[], input = '') => runProgram('redis-cli', ['-p', String(s.port), ...words], input)
  t.same(await cli(['set', 'a', '1']), { out: 'OK\n', code: 0 })
  t.same(await cli(['-3', 'hgetall', 'absent']), { out: '\n', code: 0 })
  t.same(await cli([], 'set b 2\nget b\nincr b\n'), { out: 'OK\n2\n3\n', code: 0 })
  const { out } = await cli(['--pipe'], '*3\r\n$3\r\nSET\r\n$1\r\np\r\n$1\r\n1\r\n'.repeat(1000))
  t.match(out, /errors: 0, replies: 1000/)
  t.match((await cli(['--scan'])).out, /^(a|b|p)\n(a|b|p)\n(a|b|p)\n$/)
  t.match((await cli(['info', 'server'])).out, /kvrocks_version:/)
})

test('redis-benchmark runs through', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'kvrocks-ts-bench-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const server = await startProcess(dir)
  t.teardown(() => server.end())
  const words = [
    '-p',
    String(server.port),
    '-t',
    'ping,set,get,incr,mset',
    '-n',
    '2000',
    '-c',
    '10',
    '-P',
    '4',
    '-q',
    '--csv',
  ]
  const { out, code } = await runProgram('redis-benchmark', words)
  t.equal(code, 0, out)
  for (const name of ['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR', 'MSET (10 keys)']) {
    t.ok(out.includes(`"${name}",`), name)
  }
})
