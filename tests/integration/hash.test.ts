/** Hashes: fields, counters, ranges of fields, random fields. */

import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { startServer } from '../support/server.js'
import { TXN_CONTEXTS_AND_RESP3, transcripts } from '../support/transcripts.js'

transcripts(
  'hashes',
  { configs: TXN_CONTEXTS_AND_RESP3 },
  {
    'HSET counts the fields that are new, and needs a value for each': `
      HSET h a 1 b => -ERR wrong number of arguments for 'hset' command
      HSET h a => -ERR wrong number of arguments for 'hset' command
      EXISTS h => 0
      HSET h a 1 b 2 => 2
      HSET h a 1 b 2 => 0
      HSET h a 9 c 3 => 1
      HGET h a => "9"
      HLEN h => 3
      HSET h a 1 a 2 => 0
      HGET h a => "2"
    `,
    'HGET has nil for an absent field or key': `
      HSET h a 1 => 1
      HGET h none => nil
      HGET none a => nil
      HGET h => -ERR wrong number of arguments for 'hget' command
    `,
    'HSETNX sets an absent field alone': `
      HSETNX h f foo => 1
      HSETNX h f bar => 0
      HGET h f => "foo"
      HSET h {1..200} => 100
      HSETNX h f baz => 0
      HSETNX h g foo => 1
      HGET h g => "foo"
    `,
    'HSETNX takes several fields and counts those that it sets': `
      # Not in Redis, which takes one.
      HSETNX h f1 v1 f2 => -ERR wrong number of arguments for 'hsetnx' command
      HSETNX h f1 v1 f2 v2 => 2
      HSETNX h f1 w1 f2 w2 => 0
      HSETNX h f1 w1 f2 w2 f3 v3 f4 v4 => 2
      HMGET h f1 f2 f3 f4 => ["v1" "v2" "v3" "v4"]
      HLEN h => 4
    `,
    'HMSET sets fields and answers OK': `
      HMSET h a 1 b => -ERR wrong number of arguments for 'hmset' command
      HMSET h a 1 b 2 => OK
      HMSET h a 3 => OK
      HMGET h a b => ["3" "2"]
    `,
    'HMGET has nil for each field that is absent': `
      HMGET none a b => [nil nil]
      HSET h name 1 age 2 => 2
      HMGET h x y => [nil nil]
      HMGET h name x age name => ["1" nil "2" "1"]
      HMGET h => -ERR wrong number of arguments for 'hmget' command
      SET s v => OK
      HMGET s a b => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'HKEYS, HVALS and HGETALL show empty values, too': `
      HSET h a 1 b "" c 3 => 3
      HKEYS h => ["a" "b" "c"]
      HVALS h => ["1" "" "3"]
      HGETALL h => {"a" "1" "b" "" "c" "3"}
      HLEN h => 3
      HKEYS none => []
      HVALS none => []
      HGETALL none => {}
      SET s v => OK
      HKEYS s => -WRONGTYPE Operation against a key holding the wrong kind of value
      HVALS s => -WRONGTYPE Operation against a key holding the wrong kind of value
      HGETALL s => -WRONGTYPE Operation against a key holding the wrong kind of value
      HLEN s => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'HDEL counts what it deletes, and the last field takes the key with it': `
      HSET h a 1 b 2 c 3 => 3
      HDEL h x y => 0
      HDEL h a c f => 2
      HDEL h a => 0
      HGETALL h => {"b" "2"}
      HDEL h a b c d => 1
      EXISTS h => 0
      HDEL none a => 0
      HDEL h => -ERR wrong number of arguments for 'hdel' command
    `,
    'HEXISTS says whether a field is there': `
      HSET h a 1 => 1
      HEXISTS h a => 1
      HEXISTS h b => 0
      HEXISTS none a => 0
      HEXISTS h => -ERR wrong number of arguments for 'hexists' command
    `,
    'HINCRBY begins at 0, and counts on from what is there': `
      HINCRBY h f 2 => 2
      HINCRBY h g 2 => 2
      HINCRBY h f 3 => 5
      HGET h f => "5"
      HSET h f 100 => 0
      HINCRBY h f 2 => 102
      HSET h f 17179869184 => 0
      HINCRBY h f 1 => 17179869185
      HINCRBY h f 17179869184 => 34359738369
      HINCRBY h f -34359738370 => -1
      HGET h f => "-1"
    `,
    'HINCRBY refuses what is no integer, and sums beyond int64': `
      HSET h left " 11" right "11 " x x big 9223372036854775807 low -9223372036854775484 => 5
      HINCRBY h left 1 => -ERR hash value is not an integer
      HINCRBY h right 1 => -ERR hash value is not an integer
      HINCRBY h x 1 => -ERR hash value is not an integer
      HINCRBY h big 1 => -ERR increment or decrement would overflow
      HINCRBY h low -10000 => -ERR increment or decrement would overflow
      HGET h low => "-9223372036854775484"
      HINCRBY h big 1.5 => -ERR value is not an integer or out of range
      HINCRBY h big => -ERR wrong number of arguments for 'hincrby' command
      SET s v => OK
      HINCRBY s f 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'HINCRBYFLOAT begins at 0, and counts on from what is there': `
      HINCRBYFLOAT h f 2.5 => "2.5"
      HINCRBYFLOAT h g 2.5 => "2.5"
      HINCRBYFLOAT h f 3.5 => "6"
      HGET h f => "6"
      HSET h f 100 => 0
      HINCRBYFLOAT h f 2.5 => "102.5"
      HSET h f 17179869184 => 0
      HINCRBYFLOAT h f 1 => "17179869185"
      HINCRBYFLOAT h f 17179869184 => "34359738369"
      HINCRBYFLOAT h f -0.1 => "34359738368.89999999850988388"
      HINCRBYFLOAT h f 1e3 => "34359739368.89999999850988388"
    `,
    'HINCRBYFLOAT refuses what is no number, and sums that are none': `
      HSET h left " 11" right "11 " x x one 1 => 4
      HINCRBYFLOAT h left 1 => -ERR hash value is not a float
      HINCRBYFLOAT h right 1 => -ERR hash value is not a float
      HINCRBYFLOAT h x 1 => -ERR hash value is not a float
      HINCRBYFLOAT h one inf => -ERR value is NaN or Infinity
      HINCRBYFLOAT h one nan => -ERR value is not a valid float
      HINCRBYFLOAT h one x => -ERR value is not a valid float
      HGET h one => "1"
    `,
    'HSTRLEN counts the bytes of a value': `
      HSTRLEN none a => 0
      HSET h a 1 empty "" text 0123456789 n -9223372036854775808 small -129 mid 32768 => 6
      HSTRLEN h none => 0
      HSTRLEN h a => 1
      HSTRLEN h empty => 0
      HSTRLEN h text => 10
      HSTRLEN h n => 20
      HSTRLEN h small => 4
      HSTRLEN h mid => 5
    `,
    'HRANGEBYLEX gives the fields of a range in byte order': `
      # Not in Redis
      HSET h a a b b c c key1 value1 key2 value2 key3 value3 key10 value10 x x z "" => 9
      HRANGEBYLEX h [key1 [key10 => ["key1" "value1" "key10" "value10"]
      HRANGEBYLEX h [key1 [key2 => ["key1" "value1" "key10" "value10" "key2" "value2"]
      HRANGEBYLEX h [key1 (key3 => ["key1" "value1" "key10" "value10" "key2" "value2"]
      HRANGEBYLEX h (key1 [key3 LIMIT 0 -1 => ["key10" "value10" "key2" "value2" "key3" "value3"]
      HRANGEBYLEX h (key1 (key3 => ["key10" "value10" "key2" "value2"]
      HRANGEBYLEX h - [b => ["a" "a" "b" "b"]
      HRANGEBYLEX h [x + => ["x" "x" "z" ""]
      HRANGEBYLEX h + [x REV => ["z" "" "x" "x"]
      HRANGEBYLEX h - + => ["a" "a" "b" "b" "c" "c" "key1" "value1" "key10" "value10" "key2" "value2" "key3" "value3" "x" "x" "z" ""]
      HRANGEBYLEX h + - REV => ["z" "" "x" "x" "key3" "value3" "key2" "value2" "key10" "value10" "key1" "value1" "c" "c" "b" "b" "a" "a"]
      HRANGEBYLEX h [key2 [key1 LIMIT 0 100 => []
      HRANGEBYLEX h (key1 (key1 => []
      HRANGEBYLEX none [a [z => []
    `,
    'HRANGEBYLEX LIMIT skips and counts; a negative count is no limit': `
      # Not in Redis
      HSET h a 1 b 2 c 3 x 4 z 5 => 5
      HRANGEBYLEX h [a [z LIMIT 0 2 => ["a" "1" "b" "2"]
      HRANGEBYLEX h [z [a LIMIT 0 2 REV => ["z" "5" "x" "4"]
      HRANGEBYLEX h [a [z LIMIT 1 2 => ["b" "2" "c" "3"]
      HRANGEBYLEX h [z [a LIMIT 1 2 REV => ["x" "4" "c" "3"]
      HRANGEBYLEX h [a [z LIMIT 1000 -1 => []
      HRANGEBYLEX h [a [z LIMIT 0 0 => []
      HRANGEBYLEX h [x [z LIMIT 0 -100 => ["x" "4" "z" "5"]
      HRANGEBYLEX h [z [x LIMIT 0 -100 REV => ["z" "5" "x" "4"]
    `,
    'HRANGEBYLEX refuses what it does not understand': `
      # Not in Redis
      HSET h a 1 => 1
      HRANGEBYLEX h [a [z LIMITZZ 0 10000 => -ERR syntax error
      HRANGEBYLEX h [a [z LIMIT 0 10000 BYLE => -ERR syntax error
      HRANGEBYLEX h [a [z LIMIT 0 10000 RE => -ERR syntax error
      HRANGEBYLEX h a z => -ERR the min is illegal
      HRANGEBYLEX h [a [z LIMIT 10000 1 1 1 1 => -ERR syntax error
      HRANGEBYLEX h [a [z LIMIT => -ERR syntax error
      HRANGEBYLEX h [a => -ERR wrong number of arguments for 'hrangebylex' command
      HRANGEBYLEX h => -ERR wrong number of arguments for 'hrangebylex' command
      SET s v => OK
      HRANGEBYLEX s [a [z => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'HRANDFIELD gives each field once, or as many as are asked for with repeats': String.raw`
      HSET h only value => 1
      HRANDFIELD h => "only"
      HRANDFIELD h 5 => ["only"]
      HRANDFIELD h 5 WITHVALUES =2> ["only" "value"] =3> [["only" "value"]]
      HRANDFIELD h -3 => ["only" "only" "only"]
      HRANDFIELD h -2 WITHVALUES =2> ["only" "value" "only" "value"] =3> [["only" "value"] ["only" "value"]]
      HRANDFIELD h 0 => []
      HRANDFIELD none => nil
      HRANDFIELD none 1 => []
      HRANDFIELD h x => -ERR value is not an integer or out of range
      HRANDFIELD h 1 nosuchoption => -ERR syntax error
      HRANDFIELD h -9223372036854775808 => -ERR value is out of range # Redis: -ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
      HSET h second value => 1
      HRANDFIELD h 2 =~> ^\["(only" "second|second" "only)"\]$
      HRANDFIELD h -4 =~> ^\["\w+" "\w+" "\w+" "\w+"\]$
    `,
  },
)

for (const size of [8, 1024]) {
  test('hashes of few and of many fields are what a Map would be', async (t) => {
    await using s = await startServer()
    const client = await s.connect()
    await client.run('hello', 3)
    const model = new Map<string, string>()
    for (let step = 0; step < size * 3; step++) {
      const field = step % 7 === 0 ? `${'long'.repeat(step % 300)}${step % size}` : String((step * 7919) % size)
      if (step % 5 === 4) {
        t.equal(await client.value('hdel', 'h', field), model.delete(field) ? 1 : 0)
        continue
      }
      const isNew = !model.has(field)
      model.set(field, `${step}`.repeat(step % 11))
      t.equal(await client.value('hset', 'h', field, model.get(field) as string), isNew ? 1 : 0)
    }
    t.equal(await client.value('hlen', 'h'), model.size)
    const fields = [...model.keys()].sort()
    t.same(await client.value('hkeys', 'h'), fields)
    t.same(await client.value('hvals', 'h'), await client.value('hmget', 'h', ...fields))
    t.same(await client.value('hgetall', 'h'), model)
    for (const [field, value] of model) {
      t.equal(await client.value('hget', 'h', field), value)
      t.equal(await client.value('hstrlen', 'h', field), value.length)
    }
  })
}

for (const asyncIo of [false, true]) {
  test('large values are what they were after a compaction, whether RocksDB reads ahead or not', async (t) => {
    await using s = await startServer({ config: { 'rocksdb.read_options.async_io': asyncIo } })
    const client = await s.connect()
    await client.run('hello', 3)
    const model = new Map<string, string>()
    for (let index = 10; index < 60; index++) model.set(`field${index}`, String(index).repeat(2500))
    await client.run('hset', 'h', ...[...model].flat())
    t.equal(await client.run('compact'), '+OK\r\n')
    await eventually(async () => (/is_compacting:no/.test(await client.run('info', 'rocksdb')) ? true : undefined))
    t.equal(await client.value('hlen', 'h'), 50)
    t.same(await client.value('hgetall', 'h'), model)
    t.same(await client.value('hkeys', 'h'), [...model.keys()])
    t.same(await client.value('hvals', 'h'), [...model.values()])
  })
}
