import { test } from 'tap'
import { startServer } from '../support/server.js'

const WRONG = '-WRONGPASS invalid username-password pair or user is disabled. Invalid password\r\n'
const NO_AUTH = '-NOAUTH Authentication required.\r\n'

test('HELLO tells the server and switches the protocol', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  t.equal(
    await client.run('hello'),
    '*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n',
  )
  const hello = await client.value('hello', '3', 'setname', 'me')
  t.ok(hello instanceof Map && hello.get('proto') === 3)
  t.equal(await client.run('get', 'absent'), '_\r\n')
  t.equal(await client.run('client', 'getname'), '$2\r\nme\r\n')
  t.equal(await client.run('hello', '1'), '-NOPROTO unsupported protocol version\r\n')
  t.equal(await client.run('hello', '9223372036854775807'), '-NOPROTO unsupported protocol version\r\n')
  t.equal(await client.run('hello', 'AUTH'), '-ERR Protocol version is not an integer or out of range\r\n')
  t.equal(await client.run('hello', '3', 'foo'), "-ERR Syntax error in HELLO option 'foo'\r\n")
  t.equal(
    await client.run('hello', '3', 'setname', 'a b'),
    '-ERR Client names cannot contain spaces, newlines or special characters.\r\n',
  )
})

test('HELLO 3 stays at RESP2 while resp3-enabled is no', async (t) => {
  await using s = await startServer({ config: { 'resp3-enabled': false } })
  const hello = await (await s.connect()).value('hello', '3')
  t.ok(Array.isArray(hello) && hello[5] === 2)
})

test('a password is asked for, and AUTH and HELLO take it in both forms', async (t) => {
  await using s = await startServer({ config: { requirepass: 'secret' } })
  const client = await s.connect()
  t.equal(await client.run('get', 'k'), NO_AUTH)
  t.equal(await client.run('ping'), NO_AUTH)
  t.match(await client.run('hello', '3'), /^-NOAUTH HELLO must be called/)
  t.equal(await client.run('auth', 'wrong'), WRONG)
  t.equal(await client.run('auth', 'other', 'secret'), WRONG)
  t.equal(await client.run('hello', '3', 'auth', 'wrong'), WRONG)
  t.equal(await client.run('hello', '3', 'auth', 'default', 'wrong'), WRONG)
  t.equal(await client.run('auth', 'a', 'b', 'c'), '-ERR syntax error\r\n')
  t.equal(await client.run('auth', 'default', 'secret'), '+OK\r\n')
  t.equal(await client.run('get', 'k'), '$-1\r\n')
  const second = await s.connect()
  t.match(await second.run('hello', '2', 'auth', 'secret', 'setname', 'me'), /proto\r\n:2\r\n/)
  t.equal(await second.run('client', 'getname'), '$2\r\nme\r\n')
  t.equal(await second.run('reset'), '+RESET\r\n')
  t.equal(await second.run('get', 'k'), NO_AUTH)
})

test('AUTH without a password set', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('auth', 'x'), '-ERR Client sent AUTH, but no password is set\r\n')
  t.equal(await s.run('auth', 'default', 'x'), '+OK\r\n')
  t.equal(await s.run('auth', 'nobody', 'x'), WRONG)
})

test('requirepass set at runtime leaves those who are in, and asks those who come', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('config', 'set', 'requirepass', 'p'), '+OK\r\n')
  t.equal(await s.run('get', 'k'), '$-1\r\n')
  t.equal(await (await s.connect()).run('get', 'k'), NO_AUTH)
})

test('SELECT keeps databases apart, and takes any number while there is one', async (t) => {
  await using s = await startServer({ config: { 'redis-databases': 4 } })
  await s.run('set', 'k', 'zero')
  t.equal(await s.run('select', '3'), '+OK\r\n')
  t.equal(await s.run('get', 'k'), '$-1\r\n')
  await s.run('set', 'k', 'three')
  t.equal(await s.run('select', '0'), '+OK\r\n')
  t.equal(await s.run('get', 'k'), '$4\r\nzero\r\n')
  t.equal(await s.run('select', '4'), '-ERR DB index is out of range\r\n')
  t.equal(await s.run('select', '-1'), '-ERR DB index is out of range\r\n')
  t.equal(await s.run('select', 'x'), '-ERR value is not an integer or out of range\r\n')
  await using one = await startServer()
  t.equal(await one.run('select', '9'), '+OK\r\n')
})

test('ECHO and QUIT', async (t) => {
  await using s = await startServer()
  t.equal(await s.run('echo', 'a\r\nb'), '$4\r\na\r\nb\r\n')
  const client = await s.connect()
  client.write('PING\r\nQUIT\r\nPING\r\n')
  t.equal(await client.untilClosed(), '+PONG\r\n+OK\r\n')
})
