/** LMOVE to a reader that wants one of its lists: it hears of that list alone, and can carry out what it hears. */
import { PassThrough } from 'node:stream'
import { test } from 'tap'
import { runCdc } from '../../src/cli/cdc.js'
import { ReplyFailure, type ReplyValue } from '../support/resp.js'
import { startServer, type TestServer } from '../support/server.js'

/** `op KEY>SUBKEY value COMMAND` of the moves after `sequence`. */
async function movesAfter(s: TestServer, ...words: (string | number)[]): Promise<string[]> {
  const client = await s.connect()
  const reply = await client.value('pollupdates', ...words, 'format', 'json')
  client.close()
  if (reply instanceof ReplyFailure) throw new Error(reply.message)
  const changes = ((reply as ReplyValue[])[5] as string[]).map((text) => JSON.parse(text))
  return changes
    .filter(({ op }) => op === 'move')
    .map(({ key, subkey, value, command }) => `${key}>${subkey} ${value} ${command.join(' ')}`)
}

const ALL = ['max', '100']

test('a move tells the element, and to a reader of one list what became of that', async (t) => {
  await using s = await startServer()
  await s.run('rpush', 'src', 'a', 'b', 'c', 'd')
  await s.run('lmove', 'src', 'dst', 'LEFT', 'RIGHT')
  await s.run('lmove', 'src', 'dst', 'right', 'left')
  await s.run('rpoplpush', 'src', 'dst')
  t.same(await movesAfter(s, 0, ...ALL), [
    'src>dst a LMOVE src dst left right',
    'src>dst d LMOVE src dst right left',
    'src>dst c LMOVE src dst right left',
  ])
  t.same(await movesAfter(s, 0, ...ALL, 'match', 's*', 'match', 'd*'), await movesAfter(s, 0, ...ALL))
  t.same(await movesAfter(s, 0, ...ALL, 'match', 'dst'), [
    'src>dst a RPUSH dst a',
    'src>dst d LPUSH dst d',
    'src>dst c LPUSH dst c',
  ])
  t.same(await movesAfter(s, 0, ...ALL, 'match', 'src'), [
    'src>dst a LPOP src',
    'src>dst d RPOP src',
    'src>dst c RPOP src',
  ])
  t.same(await movesAfter(s, 0, ...ALL, 'match', 'other'), [])
  t.same(await movesAfter(s, 0, ...ALL, 'match', 'dst', 'type', 'string'), [])
  t.same(await movesAfter(s, 0, ...ALL, 'match', 'dst', 'op', 'put'), [])
})

test('a move within one list stays a move', async (t) => {
  await using s = await startServer()
  await s.run('rpush', 'l', 'a', 'b')
  await s.run('lmove', 'l', 'l', 'left', 'right')
  t.same(await movesAfter(s, 0, ...ALL, 'match', 'l'), ['l>l a LMOVE l l left right'])
})

test('the filters of a slot and of its reader meet in one list', async (t) => {
  await using s = await startServer()
  await s.run('cdc', 'slot', 'create', 'one', 'match', 'd*')
  await s.run('rpush', 'src', 'x')
  await s.run('lmove', 'src', 'dst', 'left', 'left')
  const slot = ['>', ...ALL, 'slot', 'one']
  t.same(await movesAfter(s, ...slot), ['src>dst x LPUSH dst x'])
  t.same(await movesAfter(s, ...slot, 'match', '*st'), ['src>dst x LPUSH dst x'])
  t.same(await movesAfter(s, ...slot, 'match', 'src'), [])
})

for (const pattern of ['dst', 'src']) {
  test(`a copy of ${pattern} alone has what the server has there`, async (t) => {
    await using s = await startServer()
    await using other = await startServer()
    await s.run('set', 'before', '1')
    const url = `redis://127.0.0.1:${s.port}`
    const to = `redis://127.0.0.1:${other.port}`
    const words = ['copy', '--url', url, '--to', to, '--match', pattern, '--checkpoint-key', 'at', '--follow', 'no']
    const copy = (): Promise<number> =>
      runCdc(words, { output: new PassThrough(), errors: new PassThrough(), signal: new AbortController().signal })
    t.equal(await copy(), 0)
    await s.run('rpush', 'src', 'a', 'b', 'c', 'd', 'e')
    for (const sides of ['left right', 'right right', 'left left', 'right left']) {
      await s.run('lmove', 'src', 'dst', ...sides.split(' '))
    }
    t.equal(await copy(), 0)
    const [source, target] = [await s.connect(), await other.connect()]
    t.same(
      ((await target.value('keys', '*')) as string[]).filter((key) => key !== 'at'),
      [pattern],
    )
    t.same(await target.value('lrange', pattern, 0, -1), await source.value('lrange', pattern, 0, -1))
  })
}
