import { test } from 'tap'
import type { ReplyValue } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'

/** All keys that SCAN with `options` gives, page by page. */
async function scanAll(s: TestServer, ...options: string[]): Promise<string[]> {
  const client = await s.connect()
  const keys: string[] = []
  let cursor = '0'
  do {
    const [next, page] = (await client.value('scan', cursor, ...options)) as [string, ReplyValue[]]
    cursor = next
    keys.push(...(page as string[]))
  } while (cursor !== '0')
  return keys
}

async function fill(s: TestServer, prefix: string, count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, index) => `${prefix}${index}`).sort()
  await s.run('mset', ...keys.flatMap((key) => [key, 'v']))
  return keys
}

for (const isNumeric of [true, false]) {
  test(`SCAN finds every key once with ${isNumeric ? 'numeric' : 'string'} cursors`, async (t) => {
    await using s = await startServer({ config: { 'redis-cursor-compatible': isNumeric } })
    const keys = await fill(s, 'k:', 257)
    t.same(await scanAll(s), keys)
    t.same(await scanAll(s, 'count', '1'), keys)
    t.same(await scanAll(s, 'count', '1000'), keys)
    const page = await s.run('scan', '0', 'count', '3')
    t.match(page, isNumeric ? /^\*2\r\n\$\d+\r\n\d+\r\n\*3\r\n/ : /^\*2\r\n\$5\r\n_k:10\r\n\*3\r\n/)
  })
}

test('SCAN misses no key when the one that its cursor names is deleted', async (t) => {
  await using s = await startServer({ config: { 'redis-cursor-compatible': false } })
  await s.run('mset', 'a', '1', 'b', '2', 'c', '3')
  t.equal(await s.run('scan', '0', 'count', '2'), '*2\r\n$2\r\n_b\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n')
  await s.run('del', 'b')
  t.equal(await s.run('scan', '_b', 'count', '2'), '*2\r\n$1\r\n0\r\n*1\r\n$1\r\nc\r\n')
})

test('a cursor that is no longer known begins anew', async (t) => {
  await using s = await startServer()
  await s.run('set', 'a', '1')
  t.equal(await s.run('scan', '123456'), '*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n')
  t.equal(await s.run('scan', '18446744073709551615'), '*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n')
})

test('SCAN takes MATCH as a glob and TYPE as TYPE names it', async (t) => {
  await using s = await startServer()
  const keys = await fill(s, 'key:', 40)
  await s.run('hset', 'key:hash', 'f', 'v')
  await s.run('set', 'other', 'v')
  t.same(await scanAll(s, 'match', 'key:*', 'type', 'string'), keys)
  t.same(await scanAll(s, 'type', 'HASH'), ['key:hash'])
  t.same(await scanAll(s, 'match', 'k?y:1[0-2]'), ['key:10', 'key:11', 'key:12'])
  t.same(await scanAll(s, 'match', '*3', 'count', '2'), ['key:13', 'key:23', 'key:3', 'key:33'])
  t.same(await scanAll(s, 'match', 'other'), ['other'])
  t.same(await scanAll(s, 'match', 'absent'), [])
  t.same(await scanAll(s, 'match', '*'), [...keys, 'key:hash', 'other'])
})

test('SCAN refuses what makes no sense', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('scan', 'x'), '-ERR invalid cursor\r\n')
  t.equal(await s.run('scan', '-1'), '-ERR invalid cursor\r\n')
  t.equal(await s.run('scan', '0', 'count', '0'), '-ERR syntax error\r\n')
  t.equal(await s.run('scan', '0', 'count', 'x'), '-ERR value is not an integer or out of range\r\n')
  t.equal(await s.run('scan', '0', 'match'), '-ERR syntax error\r\n')
  t.equal(await s.run('scan', '0', 'hello'), '-ERR syntax error\r\n')
  t.equal(await s.run('scan', '0', 'type', 'nonsense'), '-ERR Invalid type\r\n')
})

test('KEYS matches whole globs and shows no expired key', async (t) => {
  await using s = await startServer()
  await s.run('mset', 'one', '1', 'two', '2', 'three', '3', '', 'empty')
  await s.run('psetex', 'tmp', '10', 'v')
  s.advance(11)
  t.equal(await s.run('keys', 't*'), '*2\r\n$5\r\nthree\r\n$3\r\ntwo\r\n')
  t.equal(await s.run('keys', '*o*'), '*2\r\n$3\r\none\r\n$3\r\ntwo\r\n')
  t.equal(await s.run('keys', 'two'), '*1\r\n$3\r\ntwo\r\n')
  t.equal(await s.run('keys', '*'), '*4\r\n$0\r\n\r\n$3\r\none\r\n$5\r\nthree\r\n$3\r\ntwo\r\n')
  t.equal(await s.run('keys', 'x*'), '*0\r\n')
})

test('with cluster slots, keys are found in the order of their slots', async (t) => {
  await using s = await startServer({ config: { 'cluster-enabled': true } })
  const db = s.server.defaultDatabase
  const names = Array.from({ length: 300 }, (_, index) => `k${index}`)
  names.push('{tag}a', '{tag}b', 'x{tag}c')
  const { strings, scans } = {
    strings: await import('../../src/types/string.js'),
    scans: await import('../../src/types/key-scan.js'),
  }
  db.turn.nowMs = s.server.nowMs()
  for (const name of names) strings.write(db, Buffer.from(name), Buffer.from('v'))
  db.turn.commit()
  const collect = (pattern?: string, count = 7): string[] => {
    const found: string[] = []
    let after: Buffer | undefined
    do {
      const wanted = pattern === undefined ? {} : { pattern: Buffer.from(pattern) }
      const page = scans.scanKeys(db, wanted, count, after)
      found.push(...page.keys.map(String))
      after = page.next
    } while (after !== undefined)
    return found
  }
  t.same(collect().sort(), [...names].sort())
  t.same(collect('k1*').sort(), names.filter((name) => name.startsWith('k1')).sort())
  t.same(collect('{tag}*', 1), ['{tag}a', '{tag}b'])
  t.same(collect('*{tag}*').sort(), ['x{tag}c', '{tag}a', '{tag}b'])
  t.ok(names.includes(String(scans.randomKey(db))))
})

test('RANDOMKEY reaches all keys, and none where there are none', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('randomkey'), '$-1\r\n')
  await s.run('mset', 'a', '1', 'b', '2', 'c', '3')
  const seen = new Set<string>()
  for (let i = 0; i < 200 && seen.size < 3; i++) seen.add(await s.run('randomkey'))
  t.equal(seen.size, 3)
  const keys = new Set(await fill(s, 'many:', 2000))
  let found = 0
  const spread = new Set<string>()
  for (let i = 0; i < 100; i++) {
    const key = (await (await s.connect()).value('randomkey')) as string
    if (keys.has(key)) found++
    spread.add(key)
  }
  t.ok(found > 50, `${found} of 100 keys are of the many`)
  t.ok(spread.size > 30, `${spread.size} different ones`)
})

test('DBSIZE is exact without a scan where keys are few, and DBSIZE SCAN counts what INFO shows', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('dbsize'), ':0\r\n')
  await fill(s, 'k', 50)
  await s.run('psetex', 'tmp', '1', 'v')
  await s.run('setex', 'later', '100', 'v')
  s.advance(10)
  t.equal(await s.run('dbsize'), ':51\r\n')
  t.equal(await s.run('dbsize', 'scan'), '+OK\r\n')
  t.equal(await s.run('dbsize', 'foo'), '-ERR DBSIZE subcommand only supports scan\r\n')
  for (;;) {
    const info = await s.run('info', 'keyspace')
    if (!info.includes('keys=0')) {
      t.match(info, /keys=51,expires=1,avg_ttl=99,expired=1/)
      break
    }
  }
})
