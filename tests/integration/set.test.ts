/** Sets: members, intersections, unions, differences, moves, random members. */

import { test } from 'tap'
import { startServer } from '../support/server.js'
import { TXN_CONTEXTS_AND_RESP3, transcripts } from '../support/transcripts.js'

transcripts(
  'sets',
  { configs: TXN_CONTEXTS_AND_RESP3 },
  {
    'SADD counts new members, which are then there': `
      SADD s foo => 1
      SADD s bar => 1
      SADD s bar => 0
      SCARD s => 2
      SISMEMBER s foo => 1
      SISMEMBER s bla => 0
      SMISMEMBER s foo => [1]
      SMISMEMBER s foo bar => [1 1]
      SMISMEMBER s bla foo => [0 1]
      SMEMBERS s => ~["bar" "foo"]
      SADD n 17 => 1
      SADD n 16 16 => 1
      SADD n 16 => 0
      SMISMEMBER n 18 16 => [0 1]
      SMEMBERS n => ~["16" "17"]
      SADD n a => 1
      SADD n 213244124402402314402033402 => 1
      SISMEMBER n 213244124402402314402033402 => 1
      SMEMBERS n => ~["16" "17" "213244124402402314402033402" "a"]
      SADD v a b c => 3
      SADD v A a b c B => 2
      SMEMBERS v => ~["A" "B" "a" "b" "c"]
      SMISMEMBER none foo bar => [0 0]
      SISMEMBER none foo => 0
      SCARD none => 0
      SMEMBERS none => ~[]
    `,
    'set commands want a set, and enough words': `
      LPUSH l foo => 1
      SADD l bar => -WRONGTYPE Operation against a key holding the wrong kind of value
      SREM l foo => -WRONGTYPE Operation against a key holding the wrong kind of value
      SCARD l => -WRONGTYPE Operation against a key holding the wrong kind of value
      SISMEMBER l foo => -WRONGTYPE Operation against a key holding the wrong kind of value
      SMISMEMBER l foo => -WRONGTYPE Operation against a key holding the wrong kind of value
      SMEMBERS l => -WRONGTYPE Operation against a key holding the wrong kind of value
      SPOP l => -WRONGTYPE Operation against a key holding the wrong kind of value
      SRANDMEMBER l => -WRONGTYPE Operation against a key holding the wrong kind of value
      SADD s => -ERR wrong number of arguments for 'sadd' command
      SREM s => -ERR wrong number of arguments for 'srem' command
      SMISMEMBER s => -ERR wrong number of arguments for 'smismember' command
      SISMEMBER s => -ERR wrong number of arguments for 'sismember' command
      LRANGE l 0 -1 => ["foo"]
    `,
    'SREM counts what it removes, and the last member takes the key with it': `
      SADD s foo bar ciao => 3
      SREM s qux => 0
      SREM s foo => 1
      SMEMBERS s => ~["bar" "ciao"]
      SADD n 3 4 5 => 3
      SREM n 6 => 0
      SREM n 4 => 1
      SMEMBERS n => ~["3" "5"]
      SADD v a b c d => 4
      SREM v k k k => 0
      SREM v b d x y => 2
      SMEMBERS v => ~["a" "c"]
      SREM v a b c d e f => 2
      EXISTS v => 0
      SREM none a => 0
    `,
    'intersections, unions and differences of two and three sets': `
      SADD a {0..20} foo => 22
      SADD b {15..30} foo => 17
      SADD c 15 19 2000 foo => 4
      SADD d {5..20} => 16
      SADD e 0 => 1
      SINTER a b => ~["15" "16" "17" "18" "19" "20" "foo"]
      SINTER a b c => ~["15" "19" "foo"]
      SINTER a => ~["0" "1" "10" "11" "12" "13" "14" "15" "16" "17" "18" "19" "2" "20" "3" "4" "5" "6" "7" "8" "9" "foo"]
      SINTER a b none => ~[]
      SINTERCARD 1 a => 22
      SINTERCARD 1 a LIMIT 7 => 7
      SINTERCARD 1 a LIMIT 70 => 22
      SINTERCARD 2 a b => 7
      SINTERCARD 2 a b LIMIT 3 => 3
      SINTERCARD 2 a b LIMIT 0 => 7
      SINTERCARD 3 a b c => 3
      SINTERCARD 3 a b c LIMIT 2 => 2
      SINTERCARD 3 a b none => 0
      SINTERCARD 1 none LIMIT 5 => 0
      SUNION c e => ~["0" "15" "19" "2000" "foo"]
      SUNION none c e nothing => ~["0" "15" "19" "2000" "foo"]
      SUNION a b c d e none => ~["0" "1" "10" "11" "12" "13" "14" "15" "16" "17" "18" "19" "2" "20" "2000" "21" "22" "23" "24" "25" "26" "27" "28" "29" "3" "30" "4" "5" "6" "7" "8" "9" "foo"]
      SDIFF a d => ~["0" "1" "2" "3" "4" "foo"]
      SDIFF a d e => ~["1" "2" "3" "4" "foo"]
      SDIFF none a b => ~[]
      SDIFF a a => ~[]
      SDIFF c none => ~["15" "19" "2000" "foo"]
      SINTER none => ~[]
      SUNION none => ~[]
      SADD f 1 2 3 => 3
      SADD g 1 2 3 a => 4
      SREM g a => 1
      SINTER f g => ~["1" "2" "3"]
    `,
    'the same, stored in a key': `
      SADD a 1 2 3 foo => 4
      SADD b 2 3 4 foo => 4
      SADD c 3 foo => 2
      SINTERSTORE r a b => 3
      SMEMBERS r => ~["2" "3" "foo"]
      SINTERSTORE r a b c => 2
      SMEMBERS r => ~["3" "foo"]
      SUNIONSTORE r a b => 5
      SMEMBERS r => ~["1" "2" "3" "4" "foo"]
      SDIFFSTORE r a b c => 1
      SMEMBERS r => ~["1"]
      SDIFFSTORE a a b => 1
      SMEMBERS a => ~["1"]
      SET r xxx => OK
      SINTERSTORE r none nothing => 0
      EXISTS r => 0
      SET r xxx => OK
      SUNIONSTORE r none nothing => 0
      EXISTS r => 0
      SET r xxx => OK
      SDIFFSTORE r none b => 0
      EXISTS r => 0
      SET r xxx EX 100 => OK
      SUNIONSTORE r b => 4
      TYPE r => set
      TTL r => -1
    `,
    'operations on what is no set are refused': `
      SET s x => OK
      SADD a 1 => 1
      SINTER s none => -WRONGTYPE Operation against a key holding the wrong kind of value
      SINTER a s => -WRONGTYPE Operation against a key holding the wrong kind of value
      SINTER none s => -WRONGTYPE Operation against a key holding the wrong kind of value
      SUNION s none => -WRONGTYPE Operation against a key holding the wrong kind of value
      SUNION a s => -WRONGTYPE Operation against a key holding the wrong kind of value
      SDIFF s none => -WRONGTYPE Operation against a key holding the wrong kind of value
      SDIFF a s => -WRONGTYPE Operation against a key holding the wrong kind of value
      SINTERCARD 2 a s => -WRONGTYPE Operation against a key holding the wrong kind of value
      SINTERSTORE r a s => -WRONGTYPE Operation against a key holding the wrong kind of value
      SUNIONSTORE r a s => -WRONGTYPE Operation against a key holding the wrong kind of value
      SDIFFSTORE r a s => -WRONGTYPE Operation against a key holding the wrong kind of value
      EXISTS r => 0
      SINTER => -ERR wrong number of arguments for 'sinter' command
      SUNION => -ERR wrong number of arguments for 'sunion' command
    `,
    'SINTERCARD refuses numbers that make no sense': `
      SADD a foo 2 => 2
      SADD b a b 2 => 3
      SINTERCARD 3.5 a => -ERR numkeys should be greater than 0
      SINTERCARD -1 a => -ERR numkeys should be greater than 0
      SINTERCARD 0 a => -ERR numkeys should be greater than 0
      SINTERCARD 1 a b => -ERR syntax error
      SINTERCARD 1 a b LIMIT 2 => -ERR syntax error
      SINTERCARD 2 a b LIMIT -1 => -ERR LIMIT can't be negative
      SINTERCARD 2 a b LIMIT 1.5 => -ERR LIMIT can't be negative
      SINTERCARD 3 a b => -ERR Number of keys can't be greater than number of args
      SINTERCARD 2 a b nosuchoption 1 => -ERR syntax error
      SINTERCARD => -ERR wrong number of arguments for 'sintercard' command
    `,
    'SPOP takes members away until none is left': String.raw`
      SADD s only => 1
      SPOP s => "only"
      EXISTS s => 0
      SPOP s => nil
      SADD s only => 1
      SPOP s 1 => ~["only"]
      SPOP s 1 => ~[]
      SADD s 1 2 3 => 3
      SPOP s 0 => ~[]
      SCARD s => 3
      SPOP s 3 =~> ^~?\[("[123]" ?){3}\]$
      EXISTS s => 0
      SPOP none 100 => ~[]
      SADD s {1..20} => 20
      SPOP s 30 =~> ^~?\[("\d+" ?){20}\]$
      EXISTS s => 0
    `,
    'SPOP refuses counts that are none': `
      SADD s 1 2 3 => 3
      SPOP s x => -ERR value is out of range, must be positive
      SPOP s -1 => -ERR value is out of range, must be positive
      SPOP s 1 2 => -ERR syntax error
      SPOP => -ERR wrong number of arguments for 'spop' command
      SPOP s 1.5 => -ERR value is out of range, must be positive
      SCARD s => 3
    `,
    'SRANDMEMBER leaves the members': `
      SADD s only => 1
      SRANDMEMBER s => "only"
      SRANDMEMBER s 5 => ["only"]
      SRANDMEMBER s -3 => ["only" "only" "only"]
      SRANDMEMBER s 0 => []
      SRANDMEMBER none => nil
      SRANDMEMBER none 100 => []
      SRANDMEMBER s 1 2 => -ERR syntax error
      SRANDMEMBER s x => -ERR value is not an integer or out of range
      SCARD s => 1
    `,
    'SMOVE takes a member from one set to another': `
      SADD a 1 a b => 3
      SADD b 2 3 4 => 3
      SMOVE a b a => 1
      SMEMBERS a => ~["1" "b"]
      SMEMBERS b => ~["2" "3" "4" "a"]
      SMOVE b a 2 => 1
      SMEMBERS a => ~["1" "2" "b"]
      SMEMBERS b => ~["3" "4" "a"]
      SMOVE a b absent => 0
      SMOVE none b foo => 0
      SMOVE a new b => 1
      SMEMBERS new => ~["b"]
      SMOVE b fresh 3 => 1
      SMEMBERS fresh => ~["3"]
      SMOVE a a 1 => 1
      SMEMBERS a => ~["1" "2"]
      SMOVE a a absent => 0
      SMOVE fresh a 3 => 1
      EXISTS fresh => 0
      SADD a x => 1
      SADD b x => 1
      SMOVE a b x => 1
      SISMEMBER a x => 0
    `,
    'SMOVE refuses what is no set': `
      SET s v => OK
      SADD a 1 => 1
      SMOVE s a 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      SMOVE a s 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      SMOVE a s absent => -WRONGTYPE Operation against a key holding the wrong kind of value
      SMOVE none s 1 => 0
      SMEMBERS a => ~["1"]
      SMOVE a s => -ERR wrong number of arguments for 'smove' command
    `,
  },
)

test('a set is what a Set would be', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const sets = ['a', 'b', 'c'].map((key) => ({ key, model: new Set<string>() }))
  for (let step = 0; step < 3000; step++) {
    const { key, model } = sets[(step * 7) % 3] as (typeof sets)[number]
    const member = step % 5 === 0 ? `text ${step % 400}` : String(((step * 7919) % 700) - 100)
    const had = model.has(member)
    if (step % 4 === 3) t.equal(await client.value('srem', key, member), model.delete(member) ? 1 : 0)
    else t.equal(await client.value('sadd', key, member), had ? 0 : 1)
    if (step % 4 !== 3) model.add(member)
  }
  const [a, b, c] = sets.map(({ model }) => model) as [Set<string>, Set<string>, Set<string>]
  const sorted = (members: Iterable<string>) => [...members].sort()
  for (const { key, model } of sets) {
    t.equal(await client.value('scard', key), model.size)
    t.same(await client.value('smembers', key), sorted(model))
  }
  t.same(
    await client.value('sdiff', 'a', 'b', 'c'),
    sorted([...a].filter((member) => !b.has(member) && !c.has(member))),
  )
  t.same(await client.value('sinter', 'a', 'b', 'c'), sorted([...a].filter((member) => b.has(member) && c.has(member))))
  t.same(await client.value('sunion', 'a', 'b', 'c'), sorted(new Set([...a, ...b, ...c])))
})

test('SPOP and SRANDMEMBER draw members of the set, each once unless the count is negative', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  for (const all of ['abcdefghijklmnopqrstuvwxyz'.split(''), Array.from({ length: 26 }, (_, index) => String(index))]) {
    await client.run('sadd', 's', ...all)
    for (const count of [1, 5, 25, 26, 100]) {
      const drawn = (await client.value('srandmember', 's', count)) as string[]
      t.equal(new Set(drawn).size, Math.min(count, 26))
      t.ok(drawn.every((member) => all.includes(member)))
      const repeated = (await client.value('srandmember', 's', -count)) as string[]
      t.equal(repeated.length, count)
      t.ok(repeated.every((member) => all.includes(member)))
    }
    const popped: string[] = []
    for (const count of [11, 9, 0, 4, 1, 0, 1, 9]) {
      popped.push(...((await client.value('spop', 's', count)) as string[]))
      t.equal(await client.value('scard', 's'), 26 - popped.length)
    }
    t.same(popped.sort(), [...all].sort())
  }
})
