import { test } from 'tap'
import { batchesAfter } from '../support/batches.js'
import { startServer, type TestServer } from '../support/server.js'

/** The batches of one command, after those of `before`. */
async function written(before: readonly (readonly string[])[], command: readonly string[]): Promise<string[][]> {
  await using s = await startServer()
  return await writtenBy(s, before, command)
}

async function writtenBy(
  s: TestServer,
  before: readonly (readonly string[])[],
  command: readonly string[],
): Promise<string[][]> {
  for (const words of before) await s.run(...words)
  const sequence = s.server.store.latestSequence()
  await s.run(...command)
  return sequence === s.server.store.latestSequence() ? [] : batchesAfter(s, sequence)
}

/** The clock of a test server starts at 1,700,000,000,000 ms. */
const IN_TEN_SECONDS = '0000018bcfe58f10'

test('DEL deletes the metadata rows of keys that exist, in one batch that says "0"', async (t) => {
  t.same(await written([['mset', 'a', '1', 'b', '2']], ['del', 'a', 'x', 'b', 'a']), [
    ['log 0', 'delete metadata ~61', 'delete metadata ~62'],
  ])
  t.same(await written([], ['unlink', 'x']), [])
})

test('SET EX stores the moment, MSET is one operation, GETDEL and CAD say nothing in the log', async (t) => {
  t.same(await written([], ['set', 'k', 'v', 'ex', '10']), [['log 1', `put metadata ~6b = 81${IN_TEN_SECONDS}76`]])
  t.same(await written([], ['mset', 'a', '1', 'b', '2']), [
    ['log 1', 'put metadata ~61 = 81000000000000000031', 'put metadata ~62 = 81000000000000000032'],
  ])
  t.same(await written([['set', 'k', 'v']], ['getdel', 'k']), [['delete metadata ~6b']])
  t.same(await written([['set', 'k', 'v']], ['cad', 'k', 'v']), [['delete metadata ~6b']])
})

test('EXPIRE rewrites the expiry in place, and writes nothing where it is the same', async (t) => {
  t.same(await written([['set', 'k', 'v']], ['expire', 'k', '10']), [
    ['log 0 8', `put metadata ~6b = 81${IN_TEN_SECONDS}76`],
  ])
  t.same(await written([['set', 'k', 'v', 'ex', '10']], ['persist', 'k']), [
    ['log 0 8', 'put metadata ~6b = 81000000000000000076'],
  ])
  t.same(await written([['set', 'k', 'v', 'ex', '10']], ['pexpire', 'k', '10000']), [])
})

test('EXPIRE into the past deletes the key', async (t) => {
  t.same(await written([['set', 'k', 'v']], ['expire', 'k', '-1']), [['delete metadata ~6b']])
})

test('RENAME deletes the old metadata, then writes the new one and the sub-keys with the version that they have', async (t) => {
  const [batch] = await written([['hset', 'h', 'f', '1', 'g', '2']], ['rename', 'h', 'i'])
  const version = batch?.[2]?.slice(-32, -16)
  t.same(batch, [
    'log 2',
    'delete metadata ~68',
    `put metadata ~69 = 820000000000000000${version}0000000000000002`,
    `put default ~0000000169${version}66 = 31`,
    `put default ~0000000169${version}67 = 32`,
  ])
  t.not(version, '0000000000000000')
})

test('COPY leaves the source alone', async (t) => {
  t.same(await written([['set', 'k', 'v', 'px', '10000']], ['copy', 'k', 'l']), [
    ['log 1', `put metadata ~6c = 81${IN_TEN_SECONDS}76`],
  ])
})

test('rows that a former life left under the same version do not come back', async (t) => {
  await using s = await startServer()
  await s.run('hset', 'a', 'f', '1', 'g', '2')
  await s.run('rename', 'a', 'b')
  await s.run('hdel', 'b', 'f')
  const [batch] = await writtenBy(s, [], ['rename', 'b', 'a'])
  t.equal(batch?.filter((record) => record.startsWith('delete default')).length, 1)
  t.equal(await s.run('hgetall', 'a'), '*2\r\n$1\r\ng\r\n$1\r\n2\r\n')
  t.equal(await s.run('hget', 'a', 'f'), '$-1\r\n')
})
