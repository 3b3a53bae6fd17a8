import { test } from 'tap'
import { COMMAND_GROUPS } from '../../src/commands/commands.js'
import { parseSyntax, type SyntaxArgument } from '../../src/commands/syntax.js'
import { startServer } from '../support/server.js'

test('COMMAND, COMMAND COUNT and COMMAND INFO have six elements a command', async (t) => {
  await using s = await startServer()
  const all = await s.run('command')
  const count = await s.run('command', 'count')
  t.ok(all.startsWith(`*${count.slice(1)}`))
  t.equal(
    await s.run('command', 'info', 'GET', 'config|get|key'),
    '*2\r\n*6\r\n$3\r\nget\r\n:2\r\n*1\r\n+readonly\r\n:1\r\n:1\r\n:1\r\n*-1\r\n',
  )
})

test('COMMAND GETKEYS and GETKEYSANDFLAGS', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('command', 'getkeys', 'mset', 'a', '1', 'b', '2'), '*2\r\n$1\r\na\r\n$1\r\nb\r\n')
  t.equal(await s.run('command', 'getkeysandflags', 'get', 'a'), '*1\r\n*2\r\n$1\r\na\r\n*2\r\n+RO\r\n+access\r\n')
  t.equal(await s.run('command', 'getkeys', 'eval', 'return 1', '0'), '*0\r\n')
  t.equal(await s.run('command', 'getkeys', 'nosuch', 'a'), '-ERR Invalid command specified\r\n')
  t.equal(await s.run('command', 'getkeys', 'ping'), '-ERR The command has no key arguments\r\n')
  t.equal(await s.run('command', 'getkeys', 'get'), '-ERR Invalid number of arguments specified for command\r\n')
})

test('COMMAND LIST filters by pattern and category', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('command', 'list', 'filterby', 'pattern', 'e[cx]?[coe]*'), '*2\r\n$4\r\necho\r\n$4\r\nexec\r\n')
  t.match(await s.run('command', 'list', 'filterby', 'aclcat', 'transaction'), /watch/)
  t.equal(await s.run('command', 'list', 'filterby', 'module', 'x'), '*0\r\n')
  t.equal(await s.run('command', 'list', 'foo'), '-ERR syntax error\r\n')
})

test('COMMAND DOCS describes arguments as redis-cli reads them', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('hello', '3')
  const docs = (await client.value('command', 'docs', 'getex')) as Map<string, Map<string, unknown>>
  const [first, second] = docs.get('getex')!.get('arguments') as Map<string, unknown>[]
  t.same(
    [...(first ?? [])],
    [
      ['name', 'key'],
      ['type', 'key'],
      ['display_text', 'key'],
      ['key_spec_index', 0],
    ],
  )
  t.equal(second?.get('type'), 'oneof')
  t.same(second?.get('flags'), new Set(['optional']))
})

test('every syntax reads to its end', (t) => {
  const shown = (parts: readonly SyntaxArgument[]): string[] =>
    parts.flatMap((part) => [
      ...(part.token === undefined ? [] : [part.token]),
      ...(part.parts ? shown(part.parts) : [part.name]),
    ])
  for (const [, commands] of COMMAND_GROUPS) {
    for (const command of commands.flatMap((one) => [one, ...(one.subcommands?.values() ?? [])])) {
      const words = new Set(command.syntax.match(/[^\s[\]<>|.]+/g) ?? [])
      const read = new Set(shown(parseSyntax(command.syntax)).map((word) => word.toLowerCase()))
      const lost = [...words].map((word) => word.replaceAll('"', '').toLowerCase()).filter((word) => !read.has(word))
      t.same(lost, [], `${command.name} ${command.syntax}`)
    }
  }
  t.end()
})
