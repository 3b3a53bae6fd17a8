/** Keys of any type: DEL, KEYS, EXISTS, RANDOMKEY, DBSIZE, TYPE. */

import { test } from 'tap'
import { startServer } from '../support/server.js'
import { transcripts } from '../support/transcripts.js'

transcripts(
  'keys',
  {},
  {
    'DEL counts what it deletes': `
      SET a 1 => OK
      GET a => "1"
      DEL a => 1
      GET a => nil
      DEL a => 0
      MSET a 1 b 2 c 3 => OK
      DEL a b c none => 3
      MGET a b c => [nil nil nil]
      DEL => -ERR wrong number of arguments for 'del' command
    `,
    'KEYS takes a glob, also one that begins with a star': `
      MSET key_x 1 key_y 1 foo_b 1 foo_a 1 foo_c 1 dlskeriewrioeuwqoirueioqwrueoqwrueqw 1 => OK
      KEYS foo* => ["foo_a" "foo_b" "foo_c"]
      KEYS * => ["dlskeriewrioeuwqoirueioqwrueoqwrueqw" "foo_a" "foo_b" "foo_c" "key_x" "key_y"]
      KEYS * => ["dlskeriewrioeuwqoirueioqwrueoqwrueqw" "foo_a" "foo_b" "foo_c" "key_x" "key_y"]
      KEYS foo_[ab] => ["foo_a" "foo_b"]
      KEYS foo_? => ["foo_a" "foo_b" "foo_c"]
      KEYS *_a => ["foo_a"]
      KEYS nothing* => []
      KEYS => -ERR wrong number of arguments for 'keys' command
    `,
    'DBSIZE counts the keys': `
      DBSIZE => 0
      MSET a 1 b 2 c 3 => OK
      DBSIZE => 3
      DEL a b => 2
      DBSIZE => 1
    `,
    'EXISTS counts keys, those with empty values, too': `
      SET k test => OK
      EXISTS k => 1
      DEL k => 1
      EXISTS k => 0
      SET k "" => OK
      EXISTS k k none => 2
      DEL k => 1
      EXISTS k => 0
      EXISTS => -ERR wrong number of arguments for 'exists' command
    `,
    'a command that does not exist is an error': `
      nosuchcommand a b =~> ^-ERR unknown command
      GET =~> ^-ERR wrong number of arguments for 'get' command$
    `,
    'RANDOMKEY gives a key that exists': `
      RANDOMKEY => nil
      SET only 1 => OK
      RANDOMKEY => "only"
      DEL only => 1
      RANDOMKEY => nil
      SADD s m => 1
      RANDOMKEY => "s"
    `,
    'TYPE of a key that has expired is none': `
      SETEX k 2 bar => OK
      TYPE k => string
      (2001 ms pass)
      TYPE k => none
    `,
  },
)

test('KEYS, SCAN and DBSIZE show the keys of the own namespace alone', async (t) => {
  await using s = await startServer({ config: { requirepass: 'secret', 'repl-namespace-enabled': true } })
  const client = await s.connect()
  await client.run('auth', 'secret')
  await client.run('namespace', 'add', 'one', 'token1')
  await client.run('namespace', 'add', 'two', 'token2')
  const keysOf = new Map([
    ['token1', ['foo_a', 'foo_b', 'foo_c', 'key_l']],
    ['token2', ['foo_d', 'foo_e', 'foo_f', 'key_m']],
  ])
  for (const [token, keys] of keysOf) {
    t.equal(await client.run('auth', token), '+OK\r\n')
    await client.run('mset', ...keys.flatMap((key) => [key, 'value']))
  }
  for (const [token, keys] of keysOf) {
    await client.run('auth', token)
    t.same(await client.value('keys', '*'), keys)
    t.same(await client.value('keys', 'foo*'), keys.slice(0, 3))
    t.same(await client.value('scan', 0, 'count', 100), ['0', keys])
    t.same(await client.value('scan', 0, 'count', 100, 'match', 'key*'), ['0', keys.slice(3)])
    t.equal(await client.value('dbsize'), 4)
  }
})

test('commands that arrive together are answered in their order', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.write('SET k1 xyzk\r\nGET k1\r\nPING\r\n')
  t.equal((await client.nextReply()).bytes, '+OK\r\n')
  t.equal((await client.nextReply()).bytes, '$4\r\nxyzk\r\n')
  t.equal((await client.nextReply()).bytes, '+PONG\r\n')
})
