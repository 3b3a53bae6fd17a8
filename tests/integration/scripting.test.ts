/** Scripts: what goes in and out, what they may call, and where they are kept. */

import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { encodeRequest } from '../support/resp.js'
import { startServer } from '../support/server.js'
import { TXN_CONTEXTS, transcripts } from '../support/transcripts.js'

transcripts(
  'scripts',
  { configs: TXN_CONTEXTS },
  {
    'EVAL counts its keys': `
      EVAL "return redis.call('PING')" -1 => -ERR Number of keys can't be negative
      EVAL "return 1" x => -ERR value is not an integer or out of range
      EVAL "return 1" 1 => -ERR Number of keys can't be greater than number of args
      EVAL "return 1" 9223372036854775807 => -ERR Number of keys can't be greater than number of args
      EVAL "return 1" => -ERR wrong number of arguments for 'eval' command
      EVAL "return {KEYS[1],KEYS[2],ARGV[1],ARGV[2]}" 2 a b c d => ["a" "b" "c" "d"]
      EVAL "return {1,2,3,'ciao',{1,2}}" 0 => [1 2 3 "ciao" [1 2]]
      EVAL "return {1,2,nil,4}" 0 => [1 2]
    `,
    'values of Lua become replies': `
      EVAL "return 'hello'" 0 => "hello"
      EVAL "return 100.5" 0 => 100
      EVAL "return 'hello world'" 0 => "hello world"
      EVAL "return true" 0 => 1
      EVAL "return false" 0 => nil
      EVAL "return {ok='fine'}" 0 => fine
      EVAL "return {err='this is an error'}" 0 => -this is an error
      EVAL "return {err='CODE with a code'}" 0 => -CODE with a code
      EVAL "return 'hello' --trailing comment" 0 => "hello"
      EVAL "return redis.status_reply('fine')" 0 => fine
      EVAL "return redis.error_reply('ERR mine')" 0 => -ERR mine
      EVAL "return nil" 0 => nil
    `,
    'replies become values of Lua': `
      SET k myval => OK
      EVAL "return redis.call('get',KEYS[1])" 1 k => "myval"
      EVAL "local x=redis.pcall('get',KEYS[1]); return {type(x),x}" 1 k => ["string" "myval"]
      EVAL "local x=redis.pcall('incr',KEYS[1]); return {type(x),x}" 1 n => ["number" 1]
      RPUSH l a b c => 3
      EVAL "local x=redis.pcall('lrange',KEYS[1],0,-1); return {type(x),x[1],x[2],x[3],#x}" 1 l => ["table" "a" "b" "c" 3]
      EVAL "local x=redis.pcall('set',KEYS[1],'myval'); return {type(x),x['ok']}" 1 k => ["table" "OK"]
      EVAL "local x=redis.pcall('incr',KEYS[1]); return {type(x),x['err']}" 1 k => ["table" "ERR value is not an integer or out of range"]
      EVAL "local x=redis.pcall('get',KEYS[1]); return {type(x),x == false}" 1 none => ["boolean" 1]
    `,
    'scripts are called by the SHA1 of their text, in either case': `
      SET k myval => OK
      EVAL "return redis.call('get',KEYS[1])" 1 k => "myval"
      EVALSHA fd758d1589d044dd850a6f05d52f2eefd27f033f 1 k => "myval"
      EVALSHA FD758D1589D044DD850A6F05D52F2EEFD27F033F 1 k => "myval"
      EVALSHA NotValidShaSUM 0 => -NOSCRIPT No matching script. Please use EVAL.
      EVALSHA ffd632c7d33e571e9f24556ebed26c3479a87130 0 => -NOSCRIPT No matching script. Please use EVAL.
      SCRIPT FLUSH => OK
      EVALSHA fd758d1589d044dd850a6f05d52f2eefd27f033f 1 k => -NOSCRIPT No matching script. Please use EVAL.
    `,
    'SCRIPT LOAD and SCRIPT EXISTS': `
      SCRIPT FLUSH => OK
      SCRIPT LOAD "return 'bulk string'" => "04b85c6fe6dbd424de3fb5914509afa7597570f2"
      SCRIPT LOAD "return 'loaded'" => "b534286061d4b9e4026607613b95c06c06015ae8"
      EVALSHA b534286061d4b9e4026607613b95c06c06015ae8 0 => "loaded"
      EVAL "return 1+1" 0 => 2
      SCRIPT EXISTS a27e7e8a43702b7046d4f6a7ccf5b60cef6b9bd9 a27e7e8a43702b7046d4f6a7ccf5b60cef6b9bda b534286061d4b9e4026607613b95c06c06015ae8 => [1 0 1]
      SCRIPT LOAD "return (" =~> ^-ERR Error compiling script
      SCRIPT EXISTS => -ERR wrong number of arguments for 'script|exists' command
      SCRIPT nosuch =~> ^-ERR unknown subcommand
    `,
    'what scripts may call, and how they are told if not': `
      EVAL "return redis.pcall('blpop','x',0)" 0 => nil # Redis: *
      EVAL "return redis.pcall('subscribe','x')" 0 =~> not allowed
      EVAL "return redis.pcall('multi')" 0 =~> not allowed
      EVAL "redis.pcall('randomkey'); return redis.pcall('set','x','ciao')" 0 => OK
      EVAL "return redis.call()" 0 =~> ^-ERR .*one argument
      EVAL "return redis.call('nosuchcommand')" 0 =~> ^-ERR .*Unknown Redis
      EVAL "return redis.call('get','a','b','c')" 0 =~> ^-ERR .*number of args
      SET foo bar => OK
      EVAL "return redis.call('lpush',KEYS[1],'val')" 1 foo =~> ^-WRONGTYPE .*against a key
      EVAL "return redis.pcall('lpush',KEYS[1],'val')" 1 foo => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'cjson, cmsgpack and bit': String.raw`
      EVAL "return table.concat(cjson.decode('[0.0, -5e3, -1, 0.3e-3, 1023.2, 0e10]'), ' ')" 0 => "0 -5000 -1 0.0003 1023.2 0"
      EVAL "local d = cjson.decode('{\"keya\": \"a\", \"keyb\": \"b\"}'); return {d.keya, d.keyb}" 0 => ["a" "b"]
      EVAL "local h = ''; for c in cmsgpack.pack(0.1):gmatch('.') do h = h .. string.format('%02x', c:byte()) end; return h" 0 => "cb3fb999999999999a"
      EVAL "local h = ''; for c in cmsgpack.pack(-1099511627776):gmatch('[%z\x01-\xff]') do h = h .. string.format('%02x', c:byte()) end; return h" 0 => "d3ffffff0000000000"
      EVAL "local a = {y=5}; local b = {x=a}; a.x = b; local r = cmsgpack.unpack(cmsgpack.pack(a)); return {r.x.x.y, r.x.x.x.x.x.x.y, r.y}" 0 => [5 5 5]
      EVAL "return {0x7fffffff, 0xffffffff == 2^32-1, tostring(-1), tostring(0xffffffff)}" 0 => [2147483647 1 "-1" "4294967295"]
      EVAL "return {bit.tobit(1), bit.band(1), bit.bxor(1,2), bit.bor(1,2,4,8,16,32,64,128)}" 0 => [1 1 3 255]
      EVAL "return {bit.lshift(1,31), bit.rshift(-1,28), bit.bnot(0), bit.tohex(255)}" 0 => [-2147483648 15 -1 "000000ff"]
    `,
    'globals are neither read nor made': `
      EVAL "return a" 0 =~> ^-ERR .*attempted to access .*global variable 'a'
      EVAL "a=10" 0 =~> ^-ERR .*(attempted to create global variable|Attempt to modify a readonly table)
    `,
    'a script that counts down': `
      SET foo 4 => OK
      EVAL "local c = redis.call('get',KEYS[1]); if not c then return nil end; if c > ARGV[1] then return redis.call('decr',KEYS[1]) else return c end" 1 foo 2 => 3
      EVAL "local c = redis.call('get',KEYS[1]); if not c then return nil end; if c > ARGV[1] then return redis.call('decr',KEYS[1]) else return c end" 1 foo 2 => 2
      EVAL "local c = redis.call('get',KEYS[1]); if not c then return nil end; if c > ARGV[1] then return redis.call('decr',KEYS[1]) else return c end" 1 foo 2 => "2"
      EVAL "local c = redis.call('get',KEYS[1]); if not c then return nil end; if c > ARGV[1] then return redis.call('decr',KEYS[1]) else return c end" 1 none 2 => nil
    `,
    'random numbers repeat for the same seed': `
      EVAL "math.randomseed(ARGV[1]); return tostring(math.random())" 0 10 => "0.87885112309775"
      EVAL "math.randomseed(ARGV[1]); return tostring(math.random())" 0 10 => "0.87885112309775"
      EVAL "math.randomseed(ARGV[1]); return tostring(math.random())" 0 20 => "0.58687420961767"
    `,
    'members of a set come in order': `
      SADD s b z aa a aaa azz c d => 8
      EVAL "return redis.call('smembers',KEYS[1])" 1 s => ["a" "aa" "aaa" "azz" "b" "c" "d" "z"] # Redis: *
    `,
    'redis.log takes each level': `
      EVAL "return redis.log(redis.LOG_DEBUG, 'debug level')" 0 => nil
      EVAL "return redis.log(redis.LOG_VERBOSE, 'debug level')" 0 => nil
      EVAL "return redis.log(redis.LOG_NOTICE, 'debug level')" 0 => nil
      EVAL "return redis.log(redis.LOG_WARNING, 'debug level')" 0 => nil
    `,
    'read-only scripts read': `
      SET foo bar => OK
      EVAL_RO "return redis.call('get', KEYS[1]);" 1 foo => "bar"
      EVALSHA_RO 796941151549c416aa77522fb347487236c05e46 1 foo => "bar"
      EVAL_RO "redis.call('del', KEYS[1]);" 1 foo =~> ^-ERR .*Write commands are not allowed from read-only scripts
      EVALSHA_RO a1e63e1cd1bd1d5413851949332cfb9da4ee6dc0 1 foo =~> ^-ERR .*Write commands are not allowed from read-only scripts
      GET foo => "bar"
    `,
    'with redis.setresp(3) replies have their kinds of RESP3': `
      HSET h f1 v1 => 1
      EVAL "redis.setresp(3); return redis.call('hgetall', KEYS[1])" 1 h => {"f1" "v1"}
      EVAL "redis.setresp(2); return redis.call('hgetall', KEYS[1])" 1 h => ["f1" "v1"]
      SADD s m => 1
      EVAL "redis.setresp(3); return redis.call('smembers', KEYS[1])" 1 s => ~["m"]
      ZADD z 1.5 m => 1
      EVAL "redis.setresp(3); return redis.call('zscore', KEYS[1], 'm')" 1 z => ,1.5
      EVAL "return redis.call('zscore', KEYS[1], 'm')" 1 z => "1.5"
      EVAL "redis.setresp(3); return true" 0 => #t
      EVAL "redis.setresp(3); return false" 0 => #f
      EVAL "return redis.setresp(2, 3)" 0 =~> ^-ERR .*requires one argument
      EVAL "return redis.setresp(4)" 0 =~> ^-ERR .*RESP version must be 2 or 3
      EVAL "return redis.setresp(3)" 0 => nil
    `,
    'other kinds of replies go through a script, too': `
      # Not in Redis, where scripts may not call DEBUG.
      EVAL "redis.setresp(3); return redis.call('debug', 'protocol', 'bignum')" 0 => (1234567999999999999999999999999999999
      EVAL "redis.setresp(3); return redis.call('debug', 'protocol', 'true')" 0 => #t
      EVAL "redis.setresp(3); return redis.call('debug', 'protocol', 'false')" 0 => #f
      EVAL "return redis.call('debug', 'protocol', 'verbatim')" 0 => "verbatim string"
      EVAL "redis.setresp(3); return redis.call('debug', 'protocol', 'verbatim')" 0 => ="txt:verbatim string"
    `,
    'a first line that is wrong is refused': String.raw`
      EVAL "#!lua name=mylib\nreturn 1" 0 => -ERR Unknown lua shebang option: name=mylib
      EVAL "#!lua flags=no-writes name=mylib\nreturn 1" 0 => -ERR Unknown lua shebang option: name=mylib
      EVAL "#!lua erroroption=no-writes\nreturn 1" 0 => -ERR Unknown lua shebang option: erroroption=no-writes
      EVAL "#!lua flags=invalid-flag\nreturn 1" 0 => -ERR Unknown flag given: invalid-flag # Redis: -ERR Unexpected flag in script shebang: invalid-flag
      EVAL "#!lua flags=no-writes,invalid-flag\nreturn 1" 0 => -ERR Unknown flag given: invalid-flag # Redis: -ERR Unexpected flag in script shebang: invalid-flag
      EVAL "#!lua flags=no-writes no-cluster\nreturn 1" 0 => -ERR Unknown lua shebang option: no-cluster
      EVAL "#!lua flags=no-writes flags=no-cluster\nreturn 1" 0 => -ERR Redundant flags in script shebang # Redis: *
      EVAL "#!errorengine flags=no-writes\nreturn 1" 0 => -ERR Unexpected engine in script shebang: errorengine # Redis: -ERR Unexpected engine in script shebang: #!errorengine
      EVAL "#!luaflags=no-writes\nreturn 1" 0 => -ERR Unexpected engine in script shebang: luaflags=no-writes # Redis: -ERR Unexpected engine in script shebang: #!luaflags=no-writes
      EVAL "#!lua xxflags=no-writes\nreturn 1" 0 => -ERR Unknown lua shebang option: xxflags=no-writes
      SCRIPT LOAD "#!lua name=mylib\nreturn 1" => -ERR Unknown lua shebang option: name=mylib
      SCRIPT LOAD "#!lua flags=no-writes name=mylib\nreturn 1" => -ERR Unknown lua shebang option: name=mylib
      SCRIPT LOAD "#!lua flags=invalid-flag\nreturn 1" => -ERR Unknown flag given: invalid-flag # Redis: -ERR Unexpected flag in script shebang: invalid-flag
      SCRIPT LOAD "#!lua flags=no-writes flags=no-cluster\nreturn 1" => -ERR Redundant flags in script shebang # Redis: *
      SCRIPT LOAD "#!errorengine flags=no-writes\nreturn 1" => -ERR Unexpected engine in script shebang: errorengine # Redis: -ERR Unexpected engine in script shebang: #!errorengine
      SCRIPT LOAD "#!luaflags=no-writes\nreturn 1" => -ERR Unexpected engine in script shebang: luaflags=no-writes # Redis: -ERR Unexpected engine in script shebang: #!luaflags=no-writes
    `,
    'a script with the flag no-writes only reads': String.raw`
      EVAL "#!lua flags=no-writes\nreturn redis.call('set', 'k1','v1')" 0 =~> ^-ERR .*Write commands are not allowed from read-only scripts
      EVAL "return redis.call('set', 'k2','v2')" 0 => OK
      EVAL "#!lua\nreturn redis.call('set', 'k3','v3')" 0 => OK
      EVAL_RO "return redis.call('set', 'k4','v4')" 0 =~> ^-ERR .*Write commands are not allowed from read-only scripts
      EVAL_RO "#!lua flags=no-writes\nreturn redis.call('set', 'k6','v6')" 0 =~> ^-ERR .*Write commands are not allowed from read-only scripts
      EXISTS k1 k2 k3 k4 k6 => 2
      EVAL "#!lua flags=no-writes,no-cluster\nreturn redis.call('get', 'k2')" 0 => "v2"
    `,
    'a script that may write is none for EVAL_RO': String.raw`
      EVAL_RO "#!lua\nreturn redis.call('set', 'k5','v5')" 0 =~> ^-ERR
      EXISTS k5 => 0
    `,
  },
)

test('ten thousand calls of a script in one pipeline are answered', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const count = 10_000
  client.write(Buffer.concat(Array(count).fill(encodeRequest(['eval', "return redis.call('incr',KEYS[1])", 1, 'x']))))
  for (let calls = 1; calls <= count; calls++) {
    const { value } = await client.nextReply()
    if (value !== calls) return t.equal(value, calls)
  }
  t.equal(await client.value('get', 'x'), String(count))
})

test('a table that holds itself ends somewhere, and harms nobody', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  client.send('eval', 'local a = {}; local b = {a}; a[1] = b; return a', 0)
  client.send('ping')
  await eventually(() => (client.pending.endsWith('+PONG\r\n') ? true : undefined))
  t.match(client.pending, /^(?:\*1\r\n){100,}-ERR reached lua stack limit\r\n\+PONG\r\n$/)
  t.equal(await s.run('eval', "return 'hello'", 0), '$5\r\nhello\r\n')
})
