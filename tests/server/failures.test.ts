import { test } from 'tap'
import { noOptions, serverCommand, WRITE } from '../../src/commands/command.js'
import { RocksDBError } from '../../src/rocksdb/errors.js'
import { startServer, type TestServer } from '../support/server.js'

const REFUSED = '-MISCONF the database cannot be written: no space\r\n'

/** Lets the next writes of RocksDB fail; the function that is returned ends that. */
function breakWrites(s: TestServer): () => void {
  const { rocks } = s.server.store
  const failing = (): never => {
    throw new RocksDBError('IOError', 'NoSpace', 'none', true, 'no space')
  }
  Object.defineProperty(rocks, 'write', { value: failing, configurable: true })
  return () => Reflect.deleteProperty(rocks, 'write')
}

test('a commit that fails refuses the writes of the turn and what was read after them, and nothing before', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('set', 'k', 'old')
  const mend = breakWrites(s)
  client.write('GET k\r\nSET k new\r\nGET k\r\n')
  t.equal((await client.nextReply()).bytes, '$3\r\nold\r\n')
  t.equal((await client.nextReply()).bytes, REFUSED)
  t.equal((await client.nextReply()).bytes, REFUSED)
  t.equal(await client.run('set', 'k', 'new'), REFUSED)
  t.equal(await client.run('get', 'k'), '$3\r\nold\r\n')
  mend()
  t.ok(await s.server.store.recover())
  t.equal(await client.run('set', 'k', 'new'), '+OK\r\n')
  t.equal(s.logged.length, 1)
})

test('a commit that fails inside a command refuses whole replies', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('set', 'k', 'old')
  const mend = breakWrites(s)
  client.write('PING\r\nSET k new\r\nFLUSHALL\r\nPING\r\n')
  t.equal((await client.nextReply()).bytes, '+PONG\r\n')
  t.equal((await client.nextReply()).bytes, REFUSED)
  t.equal((await client.nextReply()).bytes, REFUSED)
  t.equal((await client.nextReply()).bytes, '+PONG\r\n')
  mend()
  t.ok(await s.server.store.recover())
  t.equal(await client.run('get', 'k'), '$3\r\nold\r\n')
})

test('EXEC whose commit fails gives one error', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const mend = breakWrites(s)
  client.write('MULTI\r\nSET k 1\r\nSET l 1\r\nEXEC\r\nPING\r\n')
  for (const reply of ['+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', REFUSED, REFUSED]) {
    t.equal((await client.nextReply()).bytes, reply)
  }
  mend()
  t.ok(await s.server.store.recover())
  t.equal(await client.run('get', 'k'), '$-1\r\n')
})

test('a commit that fails has clients forget what they cache, for invalidations may be lost with it', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  await client.run('hello', '3')
  await client.run('client', 'tracking', 'on')
  await client.run('get', 'k')
  const mend = breakWrites(s)
  client.write('SET k 1\r\nPING\r\n')
  for (const reply of [REFUSED, REFUSED, '>2\r\n$10\r\ninvalidate\r\n_\r\n']) {
    t.equal((await client.nextReply()).bytes, reply)
  }
  mend()
  t.ok(await s.server.store.recover())
})

test('a bug in a command is an error to its client, and harms nobody else', async (t) => {
  await using s = await startServer()
  const spec = { arity: -1, syntax: '', summary: '', since: '1.0.0' }
  const buggy = s.server.commands.get('echo') as unknown as { execute: unknown; flags: number }
  const { execute, flags } = buggy
  t.teardown(() => Object.assign(buggy, { execute, flags }))
  const broken = serverCommand({ ...spec, name: 'echo', flags: WRITE }, noOptions, ({ db, reply }) => {
    db.putMetadata(Buffer.from('half'), Buffer.from([0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0x31]))
    reply.array(2)
    throw new TypeError('a bug')
  })
  Object.assign(buggy, { execute: broken.execute, flags: WRITE })
  const [client, other] = [await s.connect(), await s.connect()]
  client.write('SET k 1\r\nECHO x\r\nGET k\r\n')
  other.write('SET l 1\r\nGET half\r\n')
  t.equal((await client.nextReply()).bytes, '+OK\r\n')
  t.equal((await client.nextReply()).bytes, '-ERR internal error, see the log of the server\r\n')
  t.equal((await client.nextReply()).bytes, '$1\r\n1\r\n')
  t.equal((await other.nextReply()).bytes, '+OK\r\n')
  t.equal((await other.nextReply()).bytes, '$-1\r\n')
  t.match(s.logged.join(), /a bug/)
})

test('WATCH and the write that breaks it may come in one pipeline', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.write('WATCH k\r\nSET k 1\r\nMULTI\r\nSET k 2\r\nEXEC\r\nGET k\r\n')
  for (const reply of ['+OK\r\n', '+OK\r\n', '+OK\r\n', '+QUEUED\r\n', '*-1\r\n', '$1\r\n1\r\n']) {
    t.equal((await client.nextReply()).bytes, reply)
  }
})

test('CLIENT PAUSE WRITE holds a transaction that writes', async (t) => {
  await using s = await startServer()
  const [client, other] = [await s.connect(), await s.connect()]
  await other.run('client', 'pause', '100000', 'write')
  client.write('MULTI\r\nGET k\r\nEXEC\r\nMULTI\r\nSET k 1\r\nEXEC\r\n')
  for (const reply of ['+OK\r\n', '+QUEUED\r\n', '*1\r\n$-1\r\n', '+OK\r\n', '+QUEUED\r\n']) {
    t.equal((await client.nextReply()).bytes, reply)
  }
  t.equal(await other.run('ping'), '+PONG\r\n')
  t.equal(client.pending, '')
  await other.run('client', 'unpause')
  t.equal((await client.nextReply()).bytes, '*1\r\n+OK\r\n')
})
