/** Settings that change while the server runs. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { startServer } from '../support/server.js'

test('the number of workers may change under load, and clients that wait go on waiting', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const [blocked, subscriber, reader] = [await s.connect(), await s.connect(), await s.connect()]
  blocked.send('blpop', 'list', 0)
  await subscriber.run('subscribe', 'c1')
  reader.send('xread', 'block', 0, 'streams', 's1', '$')
  await eventually(() => (s.server.clients.blockedCount === 2 ? true : undefined))
  for (const workers of [4, 1, 12]) {
    t.equal(await client.run('config', 'set', 'workers', workers), '+OK\r\n')
    const others = await Promise.all(Array.from({ length: 10 }, () => s.connect()))
    for (const other of others) for (let count = 0; count < 10; count++) other.send('set', 'foo', 'bar')
    for (const other of others) for (let count = 0; count < 10; count++) t.equal((await other.nextReply()).value, 'OK')
    t.same(await client.value('config', 'get', 'workers'), ['workers', String(workers)])
  }
  await client.run('rpush', 'list', 'a')
  t.same((await blocked.nextReply()).value, ['list', 'a'])
  await client.run('publish', 'c1', 'm')
  t.same((await subscriber.nextReply()).value, ['message', 'c1', 'm'])
  await client.run('xadd', 's1', '1-1', 'f', 'v')
  t.same((await reader.nextReply()).value, [['s1', [['1-1', ['f', 'v']]]]])
})

test('renamed commands have their new names only, and CONFIG GET tells them', async (t) => {
  const lines = ['GET GETNEW', 'KEYS KEYSNEW', 'SET SETNEW']
  await using s = await startServer({ config: { 'rename-command': lines } })
  const client = await s.connect()
  for (const words of [
    ['keys', '*'],
    ['get', 'key'],
    ['set', 'key', '1'],
  ]) {
    t.match(await client.run(...words), /^-ERR unknown command/)
  }
  t.same(await client.value('keysnew', '*'), [])
  t.equal(await client.value('setnew', 'key', '1'), 'OK')
  t.equal(await client.value('getnew', 'key'), '1')
  t.same(
    await client.value('config', 'get', 'rename-command'),
    lines.flatMap((line) => ['rename-command', line]),
  )
})

test('a backup goes to the backup-dir of the moment', async (t) => {
  await using s = await startServer({ usesRealClock: true })
  const client = await s.connect()
  const isFilled = (dir: string) => existsSync(dir) && readdirSync(dir).length > 0
  const [first, second] = [join(s.dir, 'backup'), join(s.dir, 'backup2')]
  t.same(await client.value('config', 'get', 'backup-dir'), ['backup-dir', first])
  t.notOk(isFilled(first))
  await client.run('bgsave')
  await eventually(() => (isFilled(first) ? true : undefined))
  await eventually(async () =>
    /bgsave_in_progress:0/.test(await client.run('info', 'persistence')) ? true : undefined,
  )
  t.equal(await client.run('config', 'set', 'backup-dir', second), '+OK\r\n')
  t.same(await client.value('config', 'get', 'backup-dir'), ['backup-dir', second])
  t.notOk(isFilled(second))
  await client.run('bgsave')
  await eventually(() => (isFilled(second) ? true : undefined))
  t.ok(isFilled(first))
})

test('the compression changes while the server runs', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (const compression of ['no', 'snappy', 'zlib', 'lz4', 'zstd']) {
    t.equal(await client.run('config', 'set', 'rocksdb.compression', compression), '+OK\r\n')
    t.same(await client.value('config', 'get', 'rocksdb.compression'), ['rocksdb.compression', compression])
    t.equal(await client.run('set', compression, 'v'), '+OK\r\n')
  }
  t.match(await client.run('config', 'set', 'rocksdb.compression', 'unsupported'), /^-ERR .*invalid enum option/)
})

test('proto-max-bulk-len takes bytes and units, and has a least value', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const shown = async () => ((await client.value('config', 'get', 'proto-max-bulk-len')) as string[])[1]
  t.equal(await shown(), '536870912')
  for (const [text, bytes] of [
    ['2097152', '2097152'],
    ['100M', '104857600'],
  ] as const) {
    t.equal(await client.run('config', 'set', 'proto-max-bulk-len', text), '+OK\r\n')
    t.equal(await shown(), bytes)
  }
  t.match(await client.run('config', 'set', 'proto-max-bulk-len', '1024'), /^-ERR /)
  t.equal(await shown(), '104857600')
})

test('CONFIG GET tells yes and no of settings as they are', async (t) => {
  for (const value of [true, false]) {
    await using s = await startServer({
      config: {
        'txn-context-enabled': value,
        'resp3-enabled': value,
        'skip-block-cache-deallocation-on-close': value,
      },
    })
    const client = await s.connect()
    for (const name of ['txn-context-enabled', 'resp3-enabled', 'skip-block-cache-deallocation-on-close']) {
      t.same(await client.value('config', 'get', name), [name, value ? 'yes' : 'no'])
    }
  }
})
