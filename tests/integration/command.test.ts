/** COMMAND, COMMAND INFO and COMMAND GETKEYS, of commands that were renamed, too. */
import { test } from 'tap'
import { startServer } from '../support/server.js'

/** A command line, and its keys. */
const KEYS: readonly (readonly [line: string, keys: readonly string[]])[] = [
  ['GET test', ['test']],
  ['MSET a 1 b 2', ['a', 'b']],
  ['SINTERCARD 2 key1 key2', ['key1', 'key2']],
  ['ZINTER 2 key1 key2', ['key1', 'key2']],
  ['ZINTERSTORE dst 2 src1 src2', ['dst', 'src1', 'src2']],
  ['ZINTERCARD 2 key1 key2', ['key1', 'key2']],
  ['ZUNION 2 key1 key2', ['key1', 'key2']],
  ['ZUNIONSTORE dst 2 src1 src2', ['dst', 'src1', 'src2']],
  ['ZDIFF 2 key1 key2', ['key1', 'key2']],
  ['ZDIFFSTORE dst 2 src1 src2', ['dst', 'src1', 'src2']],
  ['ZMPOP 2 key1 key2 MIN', ['key1', 'key2']],
  ['BZMPOP 0 2 key1 key2 MIN', ['key1', 'key2']],
  ['LMPOP 2 key1 key2 LEFT', ['key1', 'key2']],
  ['BLMPOP 0 2 key1 key2 LEFT', ['key1', 'key2']],
  ['GEORADIUS src 1 1 1 km', ['src']],
  ['GEORADIUS src 1 1 1 km STORE dst', ['src', 'dst']],
  ['GEORADIUS src 1 1 1 km STOREDIST dst', ['src', 'dst']],
  ['GEORADIUS src 1 1 1 km STORE dst1 STOREDIST dst2', ['src', 'dst2']],
  ['GEORADIUSBYMEMBER src member 1 m', ['src']],
  ['GEORADIUSBYMEMBER src member 1 m STORE dst', ['src', 'dst']],
  ['GEORADIUSBYMEMBER src member 1 m STOREDIST dst', ['src', 'dst']],
  ['GEORADIUSBYMEMBER src member 1 m STORE dst1 STOREDIST dst2', ['src', 'dst2']],
  ['GEOSEARCHSTORE dst src FROMMEMBER member BYRADIUS 10 m', ['dst', 'src']],
  ['EVAL script 2 key1 key2 arg', ['key1', 'key2']],
  ['XREAD COUNT 1 STREAMS a b 0 0', ['a', 'b']],
  ['SORT l BY x GET y STORE dst', ['l', 'dst']],
]

test('COMMAND GETKEYS finds the keys of a command line', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (const [line, keys] of KEYS) t.same(await client.value('command', 'getkeys', ...line.split(' ')), keys, line)
})

test('COMMAND INFO tells six things of a command', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  t.same(await client.value('command', 'info', 'GET'), [['get', 2, ['readonly'], 1, 1, 1]])
  const all = (await client.value('command')) as unknown[][]
  t.ok(all.every((entry) => entry.length === 6))
})

test('a renamed command is known by its new name, a removed one not at all', async (t) => {
  await using s = await startServer({ config: { 'rename-command': ['KEYS RENAMED_KEYS', 'FLUSHDB ""'] } })
  const client = await s.connect()
  t.same(await client.value('command', 'info', 'KEYS'), [null])
  t.match(await client.value('command', 'info', 'RENAMED_KEYS'), [['keys', 2, ['readonly'], 0, 0, 0]])
  await client.run('set', 'k', 'v')
  t.match(await client.run('keys', '*'), /^-ERR unknown command/)
  t.same(await client.value('renamed_keys', '*'), ['k'])
  t.match(await client.run('flushdb'), /^-ERR unknown command/)
  t.same(await client.value('config', 'get', 'rename-command'), [
    'rename-command',
    'KEYS RENAMED_KEYS',
    'rename-command',
    'FLUSHDB ""',
  ])
  const names = ((await client.value('command')) as string[][]).map(([name]) => name)
  t.ok(names.includes('keys'))
})
