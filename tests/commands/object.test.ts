import { test } from 'tap'
import type { ReplyValue } from '../support/resp.js'
import { startServer } from '../support/server.js'

test('OBJECT ENCODING names what Redis would choose', async (t) => {
  await using s = await startServer()
  const encoding = async (key: string): Promise<ReplyValue> => (await s.connect()).value('object', 'encoding', key)
  await s.run('mset', 'int', '-12', 'short', 'abc', 'long', 'x'.repeat(45))
  t.equal(await encoding('int'), 'int')
  t.equal(await encoding('short'), 'embstr')
  t.equal(await encoding('long'), 'raw')
  await s.run('sadd', 'ints', '1', '2')
  await s.run('sadd', 'words', 'a', '2')
  await s.run('sadd', 'many', ...Array.from({ length: 200 }, (_, index) => `m${index}`))
  t.equal(await encoding('ints'), 'intset')
  t.equal(await encoding('words'), 'listpack')
  t.equal(await encoding('many'), 'hashtable')
  await s.run('hset', 'hash', 'f', 'v')
  t.equal(await encoding('hash'), 'listpack')
  await s.run('hset', 'hash', 'f', 'v'.repeat(65))
  t.equal(await encoding('hash'), 'hashtable')
  await s.run('zadd', 'zset', '1', 'm'.repeat(65))
  t.equal(await encoding('zset'), 'skiplist')
  await s.run('rpush', 'list', 'a')
  t.equal(await encoding('list'), 'listpack')
  await s.run('rpush', 'list', 'a'.repeat(9000))
  t.equal(await encoding('list'), 'quicklist')
  t.equal(await encoding('absent'), null)
})

test('OBJECT tells what is known of access, and HELP', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v')
  t.equal(await s.run('object', 'refcount', 'k'), ':1\r\n')
  t.equal(await s.run('object', 'idletime', 'k'), ':0\r\n')
  t.match(await s.run('object', 'freq', 'k'), /^-ERR An LFU maxmemory policy is not selected/)
  t.equal(await s.run('object', 'refcount', 'absent'), '$-1\r\n')
  t.equal(await s.run('object', 'freq', 'absent'), '$-1\r\n')
  t.match(await s.run('object', 'help'), /OBJECT <subcommand>/)
  t.equal(await s.run('object', 'foo', 'k'), "-ERR unknown subcommand 'foo'. Try OBJECT HELP.\r\n")
})

test('OBJECT DUMP shows the metadata as Kvrocks does, KMETADATA as a map', async (t) => {
  await using s = await startServer()
  await s.run('rpush', 'l', 'a', 'b')
  await s.run('pexpire', 'l', '1499')
  const client = await s.connect()
  const dump = (await client.value('object', 'dump', 'l')) as string[]
  t.equal(dump.length, 20)
  const facts = new Map(Array.from({ length: 10 }, (_, index) => [dump[index * 2], dump[index * 2 + 1]]))
  t.equal(facts.get('namespace'), '__namespace')
  t.equal(facts.get('type'), 'list')
  t.equal(facts.get('size'), '2')
  t.equal(facts.get('expire'), '1700000001')
  t.equal(facts.get('pexpire'), '1700000001499')
  t.equal(facts.get('is_64bit_common_field'), '1')
  t.equal(facts.get('head'), '9223372036854775807')
  t.equal(facts.get('tail'), '9223372036854775809')
  t.match(facts.get('created_at'), /^2023-11-1\d \d\d:\d\d:\d\d\.\d+$/)
  t.same(await client.value('object', 'dump', 'absent'), [])
  await client.run('hello', '3')
  const map = (await client.value('kmetadata', 'l')) as Map<string, ReplyValue>
  t.equal(map.get('type'), 'list')
  t.equal(map.get('size'), 2)
  t.equal(map.get('flags'), 0x83)
  for (const [type, size, ...words] of [
    ['hash', 2, 'hset', 'h', 'a', '1', 'b', '2'],
    ['set', 3, 'sadd', 's', 'a', 'b', 'c'],
    ['zset', 1, 'zadd', 'z', '1', 'a'],
    ['bitmap', 1, 'setbit', 'b', '0', '1'],
  ] as const) {
    await s.run(...words)
    const facts = (await client.value('kmetadata', words[1])) as Map<string, ReplyValue>
    t.same([facts.get('type'), facts.get('size')], [type, size])
    t.not(facts.get('version'), 0)
  }
  await s.run('set', 'k', 'v')
  t.equal(
    await s.run('kmetadata', 'k'),
    '*6\r\n$4\r\ntype\r\n$6\r\nstring\r\n$6\r\nexpire\r\n:0\r\n$5\r\nflags\r\n:129\r\n',
  )
  t.equal(await s.run('kmetadata', 'absent'), '-ERR NotFound: \r\n')
})

test('MEMORY USAGE and DISK USAGE grow with the value', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await s.run('set', 'k', 'v'.repeat(1000))
  t.equal(await client.value('memory', 'usage', 'k'), 1000 + 9 + 13)
  t.equal(await client.value('disk', 'usage', 'k'), 1000 + 9 + 13)
  await s.run('hset', 'h', ...Array.from({ length: 4000 }, (_, index) => [`field${index}`, 'v'.repeat(100)]).flat())
  t.ok(((await client.value('memory', 'usage', 'h', 'samples', '0')) as number) > 100_000)
  t.equal(await s.run('memory', 'usage', 'absent'), '$-1\r\n')
  t.equal(await s.run('memory', 'usage', 'k', 'samples', '-1'), '-ERR syntax error\r\n')
})

test('MOVEX moves a key to the namespace of a token', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v')
  t.equal(await s.run('movex', 'k', 'token'), '-ERR Forbidden to move key when requirepass is empty\r\n')
  await s.run('config', 'set', 'requirepass', 'secret')
  s.server.config.namespaces.set('token', 'other')
  t.equal(await s.run('movex', 'k', 'nobodys'), '-ERR Invalid password\r\n')
  t.equal(await s.run('movex', 'k', 'secret'), ':0\r\n', 'it is there already')
  t.equal(await s.run('movex', 'k', 'token'), ':1\r\n')
  t.equal(await s.run('movex', 'k', 'token'), ':0\r\n')
  const client = await s.connect()
  await client.run('auth', 'token')
  t.equal(await client.run('get', 'k'), '$1\r\nv\r\n')
})
