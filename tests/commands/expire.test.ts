import { test } from 'tap'
import { startServer } from '../support/server.js'

const START = 1_700_000_000_000

test('EXPIRE and its kin set the time that TTL and its kin show', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v')
  t.equal(await s.run('ttl', 'k'), ':-1\r\n')
  t.equal(await s.run('pexpiretime', 'k'), ':-1\r\n')
  t.equal(await s.run('expire', 'k', '100'), ':1\r\n')
  t.equal(await s.run('ttl', 'k'), ':100\r\n')
  t.equal(await s.run('pexpire', 'k', '1499'), ':1\r\n')
  t.equal(await s.run('ttl', 'k'), ':1\r\n')
  t.equal(await s.run('pexpire', 'k', '1500'), ':1\r\n')
  t.equal(await s.run('ttl', 'k'), ':2\r\n', 'rounded to the nearest second')
  t.equal(await s.run('pttl', 'k'), ':1500\r\n')
  t.equal(await s.run('pexpiretime', 'k'), `:${START + 1500}\r\n`)
  t.equal(await s.run('expiretime', 'k'), ':1700000002\r\n')
  t.equal(await s.run('expireat', 'k', '1700000050'), ':1\r\n')
  t.equal(await s.run('pttl', 'k'), ':50000\r\n')
  t.equal(await s.run('pexpireat', 'k', String(START + 7)), ':1\r\n')
  t.equal(await s.run('pttl', 'k'), ':7\r\n')
  t.equal(await s.run('persist', 'k'), ':1\r\n')
  t.equal(await s.run('persist', 'k'), ':0\r\n')
  t.equal(await s.run('pttl', 'k'), ':-1\r\n')
  t.equal(await s.run('ttl', 'x'), ':-2\r\n')
  t.equal(await s.run('expiretime', 'x'), ':-2\r\n')
  t.equal(await s.run('expire', 'x', '10'), ':0\r\n')
})

test('a time that is over deletes the key', async (t) => {
  await using s = await startServer()
  for (const command of [
    ['expire', 'k', '0'],
    ['expire', 'k', '-1'],
    ['expireat', 'k', '0'],
    ['pexpireat', 'k', String(START)],
    ['pexpireat', 'k', '-9223372036854770000'],
  ]) {
    await s.run('set', 'k', 'v')
    t.equal(await s.run(...command), ':1\r\n', command.join(' '))
    t.equal(await s.run('exists', 'k'), ':0\r\n', command.join(' '))
  }
})

test('EXPIRE NX, XX, GT and LT compare with the present time, and never counts as latest', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v')
  t.equal(await s.run('expire', 'k', '10', 'xx'), ':0\r\n')
  t.equal(await s.run('expire', 'k', '10', 'gt'), ':0\r\n')
  t.equal(await s.run('expire', 'k', '10', 'lt'), ':1\r\n')
  t.equal(await s.run('expire', 'k', '20', 'nx'), ':0\r\n')
  t.equal(await s.run('expire', 'k', '10', 'gt'), ':0\r\n')
  t.equal(await s.run('expire', 'k', '20', 'xx', 'GT'), ':1\r\n')
  t.equal(await s.run('expire', 'k', '20', 'lt'), ':0\r\n')
  t.equal(await s.run('expire', 'k', '15', 'lt', 'xx'), ':1\r\n')
  t.equal(await s.run('ttl', 'k'), ':15\r\n')
  t.equal(
    await s.run('expire', 'k', '10', 'nx', 'xx'),
    '-ERR NX and XX, GT or LT options at the same time are not compatible\r\n',
  )
  t.equal(
    await s.run('expire', 'k', '10', 'gt', 'lt'),
    '-ERR GT and LT options at the same time are not compatible\r\n',
  )
  t.equal(await s.run('expire', 'k', 'x', 'foo'), '-ERR Unsupported option foo\r\n')
  t.equal(await s.run('expire', 'k', 'x'), '-ERR value is not an integer or out of range\r\n')
})

test('times beyond int64 milliseconds are refused', async (t) => {
  await using s = await startServer()
  await s.run('set', 'k', 'v')
  const refusal = (name: string) => `-ERR invalid expire time in '${name}' command\r\n`
  t.equal(await s.run('expire', 'k', '9223372036854776'), refusal('expire'))
  t.equal(await s.run('expire', 'k', '-9223372036854776'), refusal('expire'))
  t.equal(await s.run('pexpire', 'k', '9223372036854770000'), refusal('pexpire'))
  t.equal(await s.run('pexpireat', 'k', '9223372036854770000'), ':1\r\n')
  t.equal(await s.run('set', 'k', 'v', 'ex', '9223372036854775807'), refusal('set'))
  t.equal(await s.run('set', 'k', 'v', 'px', '9223372036854770000'), refusal('set'))
  t.equal(await s.run('set', 'k', 'v', 'ex', '0'), refusal('set'))
  t.equal(await s.run('setex', 'k', '-1', 'v'), refusal('setex'))
  t.equal(await s.run('getex', 'k', 'ex', '0'), refusal('getex'))
})
