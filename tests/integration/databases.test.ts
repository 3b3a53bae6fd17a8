/** Databases with numbers: redis-databases, SELECT, and what a namespace is beside them. */

import { test } from 'tap'
import { startServer } from '../support/server.js'
import { transcripts } from '../support/transcripts.js'

transcripts(
  'one database',
  { withoutRedis: 'Redis has sixteen' },
  {
    'SELECT takes any number while there is one database': `
      SELECT 0 => OK
      SELECT 15 => OK
      SELECT -1 => OK
      SELECT 100 => OK
      SET k v => OK
      SELECT 3 => OK
      GET k => "v"
    `,
    'a script may name one, too': `
      SET k v => OK
      EVAL "redis.call('select', 3) return redis.call('get', 'k')" 0 => "v"
      EVAL_RO "return redis.call('select', -1)" 0 => OK
    `,
    'MOVE to another number says whether the key exists': `
      MOVE k 1 => 0
      SET k v => OK
      MOVE k 1 => 1
      GET k => "v"
      MOVE k ns token => -ERR wrong number of arguments for 'move' command
    `,
  },
)

transcripts(
  'sixteen databases',
  { configs: [{ 'redis-databases': 16 }] },
  {
    'SELECT knows its databases': `
      SELECT 0 => OK
      SELECT 15 => OK
      SELECT 16 => -ERR DB index is out of range
      SELECT -1 => -ERR DB index is out of range
      SELECT x => -ERR value is not an integer or out of range
    `,
    'a key is in its database alone': `
      SET k zero => OK
      SELECT 1 => OK
      GET k => nil
      SET k one => OK
      SELECT 2 => OK
      SET k two => OK
      SELECT 0 => OK
      GET k => "zero"
      SELECT 1 => OK
      GET k => "one"
      FLUSHDB => OK
      SELECT 2 => OK
      GET k => "two"
    `,
    'SELECT in a script holds until its end': `
      SET k zero => OK
      EVAL "redis.call('select', 3) redis.call('set', 'k', 'three') return redis.call('get', 'k')" 0 => "three"
      GET k => "zero"
      EVAL "redis.call('select', 4) redis.call('set', 'k', 'four') error('broken')" 0 =~> broken
      GET k => "zero"
      EVAL "return redis.call('select', 16)" 0 =~> DB index is out of range
      MULTI => OK
      SELECT 5 => QUEUED
      EVAL "redis.call('select', 3) return redis.call('get', 'k')" 0 => QUEUED
      SET k five => QUEUED
      EXEC => [OK "three" OK]
      GET k => "five"
      CLIENT INFO =~> db=5
      SELECT 4 => OK
      GET k => "four"
    `,
    'a name is kept across databases, and CLIENT INFO tells the number': `
      HELLO 2 SETNAME me =~> proto
      SELECT 5 => OK
      CLIENT GETNAME => "me"
      CLIENT INFO =~> db=5
      SELECT 0 => OK
      CLIENT INFO =~> db=0
    `,
  },
)

test('who authenticates, by AUTH or HELLO, may select; nobody else may', async (t) => {
  await using s = await startServer({ config: { requirepass: 'foobar', 'redis-databases': 16 } })
  const guest = await s.connect()
  t.equal(await guest.run('select', '0'), '-NOAUTH Authentication required.\r\n')
  t.match(await guest.run('auth', 'wrong!'), /^-WRONGPASS .*Invalid password/i)
  t.match(await guest.run('hello', '3', 'auth', 'wrong!'), /^-WRONGPASS /)
  for (const words of [
    ['auth', 'foobar'],
    ['hello', '2', 'auth', 'foobar'],
    ['hello', '2', 'auth', 'default', 'foobar', 'setname', 'me'],
  ]) {
    const client = await s.connect()
    t.notMatch(await client.run(...words), /^-/)
    for (const index of ['0', '1', '2']) {
      t.equal(await client.run('select', index), '+OK\r\n')
      t.equal(await client.run('set', 'k', index), '+OK\r\n')
    }
    t.equal(await client.run('select', '16'), '-ERR DB index is out of range\r\n')
    t.equal(await client.run('select', '1'), '+OK\r\n')
    t.equal(await client.run('get', 'k'), '$1\r\n1\r\n')
  }
})

test('namespaces have no commands of their own beside databases', async (t) => {
  await using s = await startServer({ config: { requirepass: 'foobar', 'redis-databases': 16 } })
  await s.run('auth', 'foobar')
  for (const words of [
    ['add', 'ns', 'token'],
    ['set', 'ns', 'token'],
    ['del', 'ns'],
    ['get', 'ns'],
    ['get', '*'],
    ['current'],
  ]) {
    t.equal(await s.run('namespace', ...words), '-ERR NAMESPACE is not allowed when redis-databases > 0\r\n')
  }
})
