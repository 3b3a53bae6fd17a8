import { test } from 'tap'
import { startServer } from '../support/server.js'

test('a transaction runs whole, and its writes are one batch', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('multi'), '+OK\r\n')
  t.equal(await s.run('set', 'a', '1'), '+QUEUED\r\n')
  t.equal(await s.run('incr', 'a'), '+QUEUED\r\n')
  t.equal(await s.run('get', 'a'), '+QUEUED\r\n')
  t.equal(await s.run('exec'), '*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n')
  using updates = s.server.store.rocks.updatesSince(1)
  t.equal(updates.next(10).length, 1)
})

test('nesting, and EXEC, DISCARD and WATCH in the wrong place', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('exec'), '-ERR EXEC without MULTI\r\n')
  t.equal(await s.run('discard'), '-ERR DISCARD without MULTI\r\n')
  await s.run('multi')
  t.equal(await s.run('multi'), '-ERR MULTI calls can not be nested\r\n')
  t.equal(await s.run('watch', 'k'), '-ERR WATCH inside MULTI is not allowed\r\n')
  t.equal(await s.run('exec'), '*0\r\n')
})

test('a command that is refused while queueing spoils the transaction', async (t) => {
  await using s = await startServer()
  await s.run('multi')
  await s.run('set', 'a', '1')
  t.match(await s.run('nosuch'), /^-ERR unknown command/)
  t.equal(await s.run('exec'), '-EXECABORT Transaction discarded\r\n')
  t.equal(await s.run('get', 'a'), '$-1\r\n')
})

test('EXEC that is refused itself ends the transaction', async (t) => {
  await using s = await startServer()
  await s.run('multi')
  t.equal(
    await s.run('exec', 'x'),
    "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n",
  )
  t.equal(await s.run('exec'), '-ERR EXEC without MULTI\r\n')
})

test('a command that fails in EXEC harms only itself', async (t) => {
  await using s = await startServer()
  await s.run('set', 's', 'x')
  await s.run('multi')
  await s.run('incr', 's')
  await s.run('set', 'b', '1')
  t.equal(await s.run('exec'), '*2\r\n-ERR value is not an integer or out of range\r\n+OK\r\n')
  t.equal(await s.run('get', 'b'), '$1\r\n1\r\n')
})

test('a watched key that changes breaks the transaction', async (t) => {
  await using s = await startServer()
  const other = await s.connect()
  t.equal(await s.run('watch', 'k'), '+OK\r\n')
  await other.run('set', 'k', '1')
  await s.run('multi')
  await s.run('set', 'k', '2')
  t.equal(await s.run('exec'), '*-1\r\n')
  t.equal(await s.run('get', 'k'), '$1\r\n1\r\n')
  await s.run('watch', 'k')
  await s.run('unwatch')
  await other.run('set', 'k', '3')
  await s.run('multi')
  t.equal(await s.run('exec'), '*0\r\n')
  await s.run('hello', '3')
  await s.run('watch', 'k')
  await other.run('set', 'k', '4')
  await s.run('multi')
  t.equal(await s.run('exec'), '_\r\n')
})

test('DISCARD forgets queue and watches', async (t) => {
  await using s = await startServer()
  const other = await s.connect()
  await s.run('watch', 'k')
  await s.run('multi')
  await s.run('set', 'k', '2')
  t.equal(await s.run('discard'), '+OK\r\n')
  await other.run('set', 'k', '1')
  await s.run('multi')
  await s.run('get', 'k')
  t.equal(await s.run('exec'), '*1\r\n$1\r\n1\r\n')
})

test('a watched key that expires breaks the transaction, one that had expired before does not', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v', 'px', 100)
  await s.run('watch', 'k')
  s.advance(101)
  await s.run('multi')
  await s.run('incr', 'k')
  t.equal(await s.run('exec'), '*-1\r\n')
  await s.run('watch', 'k')
  await s.run('multi')
  await s.run('ping')
  t.equal(await s.run('exec'), '*1\r\n+PONG\r\n')
})

test('FLUSHALL breaks the transactions of those whose watched key held something', async (t) => {
  await using s = await startServer()
  for (const [setup, reply] of [
    ['del', '*1\r\n+PONG\r\n'],
    ['incr', '*-1\r\n'],
  ] as const) {
    await s.run(setup, 'k')
    await s.run('watch', 'k')
    await s.run('flushall')
    await s.run('multi')
    await s.run('ping')
    t.equal(await s.run('exec'), reply, setup)
  }
})

test('a command that writes too much is taken back alone, also where a script calls it', async (t) => {
  await using s = await startServer({ config: { 'rocksdb.write_options.write_batch_max_bytes': 180 } })
  const much = ['hset', 'h', 'f1', 'A'.repeat(64), 'f2', 'B'.repeat(64), 'f3', 'C'.repeat(64)]
  await s.run('hset', 'h', 'f1', 'old1', 'f2', 'old2')
  const old = '*3\r\n$4\r\nold1\r\n$4\r\nold2\r\n$-1\r\n'
  const tooLarge = '-ERR Operation aborted: Memory limit reached\r\n'
  await s.run('multi')
  for (const words of [much, ['set', 'after', 'ok'], ['hmget', 'h', 'f1', 'f2', 'f3']]) {
    t.equal(await s.run(...words), '+QUEUED\r\n')
  }
  t.equal(await s.run('exec'), `*3\r\n${tooLarge}+OK\r\n${old}`)
  t.equal(await s.run('get', 'after'), '$2\r\nok\r\n')
  const script = `
    local result = redis.pcall('hset', KEYS[1], unpack(ARGV))
    redis.call('set', KEYS[2], 'ok')
    return result`
  await s.run('multi')
  await s.run('eval', script, 2, 'h', 'called', ...much.slice(2))
  t.match(await s.run('exec'), /^\*1\r\n-ERR Operation aborted: Memory limit reached/)
  t.equal(await s.run('get', 'called'), '$2\r\nok\r\n')
  t.equal(await s.run('hmget', 'h', 'f1', 'f2', 'f3'), old)
})

test('a transaction of which one command is refused at EXEC is refused whole', async (t) => {
  await using s = await startServer()
  const other = await s.connect()
  await s.run('set', 'k', '1')
  const queue = async (...commands: (readonly string[])[]): Promise<void> => {
    await s.run('multi')
    for (const words of commands) t.equal(await s.run(...words), '+QUEUED\r\n')
  }
  await queue(['get', 'k'], ['incr', 'k'])
  await other.run('config', 'set', 'min-replicas-to-write', '2')
  t.equal(
    await s.run('exec'),
    '-EXECABORT Transaction discarded because of: NOREPLICAS Not enough good replicas to write.\r\n',
  )
  t.equal(await s.run('exec'), '-ERR EXEC without MULTI\r\n')
  await queue(['get', 'k'], ['echo', 'x'])
  t.equal(await s.run('exec'), '*2\r\n$1\r\n1\r\n$1\r\nx\r\n', 'reads alone go on')
  await other.run('config', 'set', 'min-replicas-to-write', '0')
  await queue(['get', 'k'], ['set', 'k', '2'])
  await other.run('slaveof', '127.0.0.1', '1')
  t.equal(
    await s.run('exec'),
    "-EXECABORT Transaction discarded because of: READONLY You can't write against a read only slave.\r\n",
  )
  await other.run('config', 'set', 'slave-serve-stale-data', 'no')
  await queue(['get', 'k'])
  t.match(await s.run('exec'), /^-EXECABORT Transaction discarded because of: MASTERDOWN /)
  await other.run('slaveof', 'no', 'one')
  await queue(['incr', 'k'])
  t.equal(await s.run('exec'), '*1\r\n:2\r\n')
})
