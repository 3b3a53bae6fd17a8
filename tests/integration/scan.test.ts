/** SCAN, HSCAN, SSCAN and ZSCAN, with numbers and with strings as cursors. */

import { test } from 'tap'
import type { RawClient } from '../support/raw-client.js'
import type { ReplyValue } from '../support/resp.js'
import { startServer, type Word } from '../support/server.js'
import { CURSORS, transcripts } from '../support/transcripts.js'

transcripts(
  'scans',
  { configs: CURSORS },
  {
    'MATCH chooses among the elements': `
      SADD s foo fab fiz foobar 1 2 3 4 => 8
      SSCAN s 0 MATCH foo* COUNT 10000 => ["0" ["foo" "foobar"]] # Redis: *
      HSET h foo 1 fab 2 fiz 3 foobar 10 1 a => 5
      HSCAN h 0 MATCH foo* COUNT 10000 => ["0" ["foo" "1" "foobar" "10"]] # Redis: *
      ZADD z 1 foo 2 fab 3 fiz 10 foobar => 4
      ZSCAN z 0 MATCH foo* COUNT 10000 => ["0" ["foo" "1" "foobar" "10"]]
      SSCAN none 0 => ["0" []]
      HSCAN none 0 => ["0" []]
      ZSCAN none 0 => ["0" []]
    `,
    'an empty key and an empty member are shown, too': `
      SET "" empty => OK
      SET foo bar => OK
      SCAN 0 COUNT 100 => ["0" ["" "foo"]] # Redis: *
      SADD s "" fab => 2
      SSCAN s 0 COUNT 100 => ["0" ["" "fab"]] # Redis: *
    `,
    'cursors, counts and options that are none are refused': `
      SCAN 0 hello => -ERR syntax error
      SCAN 0 hello hi => -ERR syntax error
      SCAN 0 COUNT 1 hello hi => -ERR syntax error
      SCAN 0 hello hi COUNT 1 => -ERR syntax error
      SCAN 0 COUNT 1 MATCH a* => ["0" []]
      SCAN 0 MATCH a* COUNT 1 => ["0" []]
      SCAN 0 COUNT 1 MATCH a* hello => -ERR syntax error
      SCAN 0 COUNT 1 MATCH a* hello hi => -ERR syntax error
      SCAN 0 COUNT x => -ERR value is not an integer or out of range
      SCAN 0 COUNT 0 => -ERR syntax error
      SCAN 0 COUNT -1 => -ERR syntax error
      SCAN MATCH *ab* => -ERR invalid cursor
      SCAN nonsense => -ERR invalid cursor
      SADD s m => 1
      SSCAN s nonsense => -ERR invalid cursor
      HSCAN s 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
      SSCAN s 0 COUNT 0 => -ERR syntax error
      SCAN 0 TYPE => -ERR syntax error
    `,
    'TYPE chooses among the keys': `
      MSET string1 v string2 v string3 v => OK
      HSET hash1 f v => 1
      HSET hash2 f v => 1
      RPUSH list1 e => 1
      SADD set1 m => 1
      ZADD zset1 1 m => 1
      XADD stream1 1-1 f v => "1-1"
      SCAN 0 COUNT 100 TYPE string => ["0" ["string1" "string2" "string3"]] # Redis: *
      SCAN 0 COUNT 100 TYPE hash => ["0" ["hash1" "hash2"]] # Redis: *
      SCAN 0 COUNT 100 TYPE list => ["0" ["list1"]]
      SCAN 0 COUNT 100 TYPE set => ["0" ["set1"]]
      SCAN 0 COUNT 100 TYPE zset => ["0" ["zset1"]]
      SCAN 0 COUNT 100 TYPE stream => ["0" ["stream1"]]
      SCAN 0 COUNT 100 MATCH *1 TYPE hash => ["0" ["hash1"]]
    `,
    'TYPE knows the types of Kvrocks, too, and no others': `
      # Not in Redis
      SETBIT bitmap1 0 0 => 0
      SIADD sorted1 1 => 1
      SCAN 0 COUNT 100 TYPE bitmap => ["0" ["bitmap1"]]
      SCAN 0 COUNT 100 TYPE sortedint => ["0" ["sorted1"]]
      SCAN 0 COUNT 1 TYPE hi => -ERR Invalid type
    `,
  },
)

/** Follows the cursors to the end: everything that was found. `meanwhile` runs after each reply. */
async function scanAll(client: RawClient, command: Word[], options: Word[], meanwhile?: () => Promise<unknown>) {
  const found: string[] = []
  let cursor = '0'
  do {
    const [next, elements] = (await client.value(...command, cursor, ...options)) as [string, string[]]
    found.push(...elements)
    cursor = next
    await meanwhile?.()
  } while (cursor !== '0')
  return found
}

for (const config of CURSORS) {
  test('every element is found, however many there are and however few at a time', async (t) => {
    await using s = await startServer({ config })
    const client = await s.connect()
    const names = Array.from({ length: 1000 }, (_, index) => `key:${index}`).sort()
    const pairs = names.flatMap((name, index) => [name, String(index)])
    await client.run('mset', ...pairs)
    t.same((await scanAll(client, ['scan'], [])).sort(), names)
    t.same((await scanAll(client, ['scan'], ['count', 5])).sort(), names)
    t.same((await scanAll(client, ['scan'], ['match', 'key:*'])).sort(), names)
    let added = 0
    const addKeys = () =>
      client.run('mset', ...Array.from({ length: 10 }, () => [`added:${added++ % 997}`, 'v']).flat())
    const seen = await scanAll(client, ['scan'], [], addKeys)
    t.same(seen.filter((key) => key.startsWith('key:')).sort(), names)
    await client.run('flushall')
    for (const size of [30, 1000]) {
      await client.run('del', 's', 'h', 'z')
      await client.run('sadd', 's', ...names.slice(0, size))
      await client.run('hset', 'h', ...pairs.slice(0, size * 2))
      await client.run('zadd', 'z', ...pairs.slice(0, size * 2).reverse())
      const sets: readonly [string, string, ReplyValue[]][] = [
        ['sscan', 's', names.slice(0, size)],
        ['hscan', 'h', pairs.slice(0, size * 2)],
        ['zscan', 'z', pairs.slice(0, size * 2)],
      ]
      for (const [command, key, elements] of sets) {
        t.same((await scanAll(client, [command, key], ['count', 7])).sort(), [...elements].sort(), `${command} ${size}`)
      }
    }
    await client.run('sadd', 'numbers', ...Array.from({ length: 100 }, (_, index) => index))
    t.equal(new Set(await scanAll(client, ['sscan', 'numbers'], [])).size, 100)
  })
}
