/** Strings: SET and its options, GETEX, GETDEL, MSETNX, ranges of bytes, CAS, CAD, LCS. */

import { test } from 'tap'
import { startServer } from '../support/server.js'
import { TXN_CONTEXTS, transcripts } from '../support/transcripts.js'

transcripts(
  'strings',
  { configs: TXN_CONTEXTS },
  {
    'SET and GET keep a value, an empty one, and a big one': `
      SET k foobar => OK
      GET k => "foobar"
      SET k "" => OK
      GET k => ""
      EXISTS k => 1
      SET k {abcd*100000} => OK
      STRLEN k => 400000
      GETRANGE k 399990 -1 => "cdabcdabcd"
    `,
    'SETNX sets an absent key alone, and keeps value and expiry of another': `
      SETNX k v => 1
      GET k => "v"
      SETNX k w => 0
      GET k => "v"
      EXPIRE k 10000 => 1
      SETNX k x => 0
      GET k => "v"
      TTL k => 10000
    `,
    'SETNX sets a key that has expired': `
      SET k 10 EX 1 => OK
      (1001 ms pass)
      SETNX k 20 => 1
      GET k => "20"
      TTL k => -1
    `,
    'GETEX sets, keeps or removes the expiry': `
      SET k v => OK
      GETEX k => "v"
      TTL k => -1
      GETEX k EX 10 => "v"
      TTL k => 10
      GETEX k PX 20000 => "v"
      TTL k => 20
      GETEX k EXAT 4000000000 => "v"
      EXPIRETIME k => 4000000000
      GETEX k PXAT 4000000001000 => "v"
      PEXPIRETIME k => 4000000001000
      GETEX k => "v"
      PEXPIRETIME k => 4000000001000
      GETEX k PERSIST => "v"
      TTL k => -1
      GETEX none EX 10 => nil
      EXISTS none => 0
    `,
    'GETEX takes an option that is repeated once more, and the last of it counts': `
      SET k v => OK
      GETEX k EX 1 EX 10 => "v"
      TTL k => 10
      GETEX k PX 1 PX 20000 => "v"
      TTL k => 20
      GETEX k EXAT 1 EXAT 4000000000 => "v"
      EXPIRETIME k => 4000000000
      GETEX k PXAT 1 PXAT 4000000001000 => "v"
      PEXPIRETIME k => 4000000001000
      GETEX k PERSIST PERSIST => "v"
      TTL k => -1
    `,
    'GETEX refuses options that exclude each other, and unknown ones': `
      SET k v => OK
      GETEX k EX 10 PERSIST => -ERR syntax error
      GETEX k PX 10000 PERSIST => -ERR syntax error
      GETEX k EXAT 4000000000 PERSIST => -ERR syntax error
      GETEX k PXAT 4000000000000 PERSIST => -ERR syntax error
      GETEX k PERSIST EX 10 => -ERR syntax error
      GETEX k PERSIST PX 10000 => -ERR syntax error
      GETEX k PERSIST EXAT 4000000000 => -ERR syntax error
      GETEX k PERSIST PXAT 4000000000000 => -ERR syntax error
      GETEX k EX 10 PX 100 => -ERR syntax error
      GETEX k EX 10 EXAT 4000000000 => -ERR syntax error
      GETEX k EX 10 PXAT 4000000000000 => -ERR syntax error
      GETEX k PX 100 EX 10 => -ERR syntax error
      GETEX k PX 100 EXAT 4000000000 => -ERR syntax error
      GETEX k PX 100 PXAT 4000000000000 => -ERR syntax error
      GETEX k EXAT 4000000000 EX 10 => -ERR syntax error
      GETEX k EXAT 4000000000 PX 100 => -ERR syntax error
      GETEX k EXAT 4000000000 PXAT 4000000000000 => -ERR syntax error
      GETEX k PXAT 4000000000000 EX 10 => -ERR syntax error
      GETEX k PXAT 4000000000000 PX 100 => -ERR syntax error
      GETEX k PXAT 4000000000000 EXAT 4000000000 => -ERR syntax error
      GETEX k nosuchoption => -ERR syntax error
      GETEX k EX => -ERR syntax error
      GETEX k EX ten => -ERR value is not an integer or out of range
      GETEX k EX 0 => -ERR invalid expire time in 'getex' command
      GETEX k EX -1 => -ERR invalid expire time in 'getex' command
      GETEX k EX 9223372036854775807 => -ERR invalid expire time in 'getex' command
      GETEX => -ERR wrong number of arguments for 'getex' command
      TTL k => -1
      GET k => "v"
    `,
    'GETEX refuses a key of another type and leaves it': `
      LPUSH l e => 1
      GETEX l => -WRONGTYPE Operation against a key holding the wrong kind of value
      GETEX l EX 10 => -WRONGTYPE Operation against a key holding the wrong kind of value
      TYPE l => list
      TTL l => -1
    `,
    'GETDEL takes the value away': `
      SET k v => OK
      GETDEL k => "v"
      GETDEL k => nil
      EXISTS k => 0
      RPUSH l e => 1
      GETDEL l => -WRONGTYPE Operation against a key holding the wrong kind of value
      EXISTS l => 1
      GETDEL => -ERR wrong number of arguments for 'getdel' command
    `,
    'MGET has nil for a key that is absent or of another type': `
      SET a FOO => OK
      SET b BAR => OK
      SADD s m => 1
      MGET a b => ["FOO" "BAR"]
      MGET a none b => ["FOO" nil "BAR"]
      MGET a none b s => ["FOO" nil "BAR" nil]
      MGET => -ERR wrong number of arguments for 'mget' command
    `,
    'GETSET gives the old value and removes the expiry': `
      GETSET k xyz => nil
      GET k => "xyz"
      EXPIRE k 100 => 1
      GETSET k abc => "xyz"
      TTL k => -1
      GET k => "abc"
      RPUSH l e => 1
      GETSET l v => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'MSET sets all its keys, and needs a value for each': String.raw`
      MSET x 10 y "foo bar" z "x x x\n\n\r\n" => OK
      MGET x y z => ["10" "foo bar" "x x x\n\n\r\n"]
      MSET x 11 y => -ERR wrong number of arguments for 'mset' command
      MSET x => -ERR wrong number of arguments for 'mset' command
      GET x => "10"
      MSET x 1 x 2 => OK
      GET x => "2"
    `,
    'MSETNX sets all keys or none': `
      SET x 10 => OK
      MSETNX a 1 b 2 x 20 => 0
      EXISTS a b => 0
      MSETNX a 1 b 2 => 1
      MGET a b x => ["1" "2" "10"]
      MSETNX x v1 x v2 => 0
      GET x => "10"
      MSETNX n v1 n v2 => 1
      GET n => "v2"
      MSETNX a => -ERR wrong number of arguments for 'msetnx' command
    `,
    'STRLEN counts bytes': `
      STRLEN none => 0
      SET k -555 => OK
      STRLEN k => 4
      SET k "foozzz0123456789 baz" => OK
      STRLEN k => 20
      SADD s m => 1
      STRLEN s => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'SETBIT refuses other types, offsets beyond 4 Gbit and values that are no bits': `
      LPUSH l e => 1
      SETBIT l 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      SETBIT k 4294967296 1 => -ERR bit offset is not an integer or out of range
      SETBIT k 4294967298 1 => -ERR bit offset is not an integer or out of range
      SETBIT k -1 1 => -ERR bit offset is not an integer or out of range
      SETBIT k x 1 => -ERR bit offset is not an integer or out of range
      SETBIT k 1 -1 => -ERR bit is not an integer or out of range
      SETBIT k 1 2 => -ERR bit is not an integer or out of range
      SETBIT k 1 20 => -ERR bit is not an integer or out of range
      EXISTS k => 0
    `,
    'GETBIT reads the bits of a string, and 0 beyond its end': String.raw`
      SET k "\`" => OK
      GETBIT k 0 => 0
      GETBIT k 1 => 1
      GETBIT k 2 => 1
      GETBIT k 3 => 0
      GETBIT k 8 => 0
      GETBIT k 10000 => 0
      SET k 1 => OK
      GETBIT k 0 => 0
      GETBIT k 1 => 0
      GETBIT k 2 => 1
      GETBIT k 3 => 1
      GETBIT k 8 => 0
      GETBIT k 10000 => 0
    `,
    'bits of a string value are set, counted and found': `
      SET k "" => OK
      SETBIT k 1000007 1 => 0
      GETBIT k 1000007 => 1
      BITCOUNT k 0 125000 => 1
      BITCOUNT k -1 -1 => 1
      BITCOUNT k -100 -1 => 1
      BITCOUNT k -100 -100 => 0
      BITPOS k 1 => 1000007
      BITPOS k 0 => 0
      STRLEN k => 125001
    `,
    'SETRANGE writes over a string, and zeros fill the gap': String.raw`
      SETRANGE k 0 foo => 3
      GET k => "foo"
      DEL k => 1
      SETRANGE k 0 "" => 0
      EXISTS k => 0
      SETRANGE k 1 foo => 4
      GET k => "\x00foo"
      SET k foo => OK
      SETRANGE k 0 b => 3
      SETRANGE k 0 "" => 3
      SETRANGE k 1 b => 3
      GET k => "bbo"
      SETRANGE k 4 bar => 7
      GET k => "bbo\x00bar"
      SET k 1234 => OK
      SETRANGE k 0 2 => 4
      SETRANGE k 1 3 => 4
      GET k => "2334"
      SETRANGE k 5 2 => 6
      GET k => "2334\x002"
      SETRANGE k -1 x => -ERR offset is out of range
      SETRANGE k 536870912 x => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
      LPUSH l e => 1
      SETRANGE l 0 bar => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'GETRANGE and SUBSTR count from either end and stop at both': `
      GETRANGE none 0 -1 => ""
      SUBSTR none 0 -1 => ""
      SET k "Hello World" => OK
      GETRANGE k 0 3 => "Hell"
      GETRANGE k 2 3 => "ll"
      GETRANGE k 0 -1 => "Hello World"
      GETRANGE k -4 -1 => "orld"
      GETRANGE k 5 3 => ""
      GETRANGE k 5 5000 => " World"
      GETRANGE k -5000 10000 => "Hello World"
      GETRANGE k -5000 -4000 => "H"
      GETRANGE k 0 2094967291 => "Hello World"
      GETRANGE k 0 9223372036854775807 => "Hello World"
      GETRANGE k -9223372036854775808 0 => "H"
      SUBSTR k 0 3 => "Hell"
      SUBSTR k -4 -1 => "orld"
      SUBSTR k 5 3 => ""
      SUBSTR k 5 5000 => " World"
      SUBSTR k -5000 10000 => "Hello World"
      SET k 1234 => OK
      GETRANGE k 0 2 => "123"
      GETRANGE k -3 -1 => "234"
      GETRANGE k 3 5000 => "4"
      GETRANGE k 5 3 => ""
      SUBSTR k 0 2 => "123"
      SUBSTR k -3 -1 => "234"
      SUBSTR k 5 3 => ""
      GETRANGE k x 1 => -ERR value is not an integer or out of range
    `,
    'SET NX and XX set only an absent, only an existing key': `
      SET k 1 NX => OK
      SET k 2 NX => nil
      GET k => "1"
      SET k 3 XX => OK
      GET k => "3"
      SET none 1 XX => nil
      EXISTS none => 0
    `,
    'SET takes an expiry in seconds, in milliseconds and as a moment': `
      SET k v EX 10 => OK
      TTL k => 10
      SET k v PX 20000 => OK
      TTL k => 20
      SET k v EXAT 4000000000 => OK
      EXPIRETIME k => 4000000000
      SET k v PXAT 4000000001000 => OK
      PEXPIRETIME k => 4000000001000
      SET k v XX PX 10000 => OK
      TTL k => 10
      SET k v => OK
      TTL k => -1
    `,
    'SET takes an expiry that is repeated once more, and the last of it counts': `
      SET k v EX 1 EX 2 EX 10 => OK
      TTL k => 10
      SET k v PX 100 PX 1000 PX 20000 => OK
      TTL k => 20
      SET k v EXAT 1 EXAT 4000000000 => OK
      EXPIRETIME k => 4000000000
      SET k v PXAT 1 PXAT 4000000001000 => OK
      PEXPIRETIME k => 4000000001000
    `,
    'SET with a moment that is over removes the key': `
      SET k v EXAT 1 => OK
      GET k => nil
      SET k v => OK
      SET k w EXAT 1000000000 => OK
      GET k => nil
      SET k v => OK
      SET k w PXAT 1000000000000 => OK
      EXISTS k => 0
    `,
    'SET refuses options that exclude each other, and unknown ones': `
      SET k v nosuchoption => -ERR syntax error
      SET k v EX 10 PX 100 => -ERR syntax error
      SET k v EX 10 EXAT 4000000000 => -ERR syntax error
      SET k v EX 10 PXAT 4000000000000 => -ERR syntax error
      SET k v PX 100 EX 10 => -ERR syntax error
      SET k v PX 100 EXAT 4000000000 => -ERR syntax error
      SET k v PX 100 PXAT 4000000000000 => -ERR syntax error
      SET k v EXAT 4000000000 EX 10 => -ERR syntax error
      SET k v EXAT 4000000000 PX 100 => -ERR syntax error
      SET k v EXAT 4000000000 PXAT 4000000000000 => -ERR syntax error
      SET k v PXAT 4000000000000 EX 10 => -ERR syntax error
      SET k v PXAT 4000000000000 PX 100 => -ERR syntax error
      SET k v PXAT 4000000000000 EXAT 4000000000 => -ERR syntax error
      SET k v KEEPTTL EX 100 => -ERR syntax error
      SET k v KEEPTTL PX 100 => -ERR syntax error
      SET k v KEEPTTL EXAT 4000000000 => -ERR syntax error
      SET k v KEEPTTL PXAT 4000000000000 => -ERR syntax error
      SET k v NX XX => -ERR syntax error
      SET k v XX NX => -ERR syntax error
      SET k v EX => -ERR syntax error
      EXISTS k => 0
    `,
    'SET refuses times that are none': `
      SET k v EX 1234xyz => -ERR value is not an integer or out of range
      SET k v EX 0 => -ERR invalid expire time in 'set' command
      SET k v EX -1 => -ERR invalid expire time in 'set' command
      SET k v PX 1234xyz => -ERR value is not an integer or out of range
      SET k v PX 0 => -ERR invalid expire time in 'set' command
      SET k v EXAT 1234xyz => -ERR value is not an integer or out of range
      SET k v EXAT 0 => -ERR invalid expire time in 'set' command
      SET k v PXAT 1234xyz => -ERR value is not an integer or out of range
      SET k v PXAT 0 => -ERR invalid expire time in 'set' command
      SET k v EX 9223372036854775807 => -ERR invalid expire time in 'set' command
      EXISTS k => 0
    `,
    'SET KEEPTTL keeps the expiry': `
      SET k v KEEPTTL => OK
      TTL k => -1
      SET k v EX 10 => OK
      SET k w KEEPTTL => OK
      TTL k => 10
      GET k => "w"
    `,
    'SET GET gives the old value with every other option': `
      SET k bar GET => nil
      SET k xx GET => "bar"
      GET k => "xx"
      SET n xx GET NX => nil
      GET n => "xx"
      SET n yy GET NX => "xx"
      GET n => "xx"
      SET m xx GET XX => nil
      EXISTS m => 0
      SET n zz GET XX => "xx"
      GET n => "zz"
      SET t v GET KEEPTTL => nil
      TTL t => -1
      EXPIRE t 10 => 1
      SET t w GET KEEPTTL => "v"
      TTL t => 10
      SET e v EX 10 GET => nil
      TTL e => 10
      SET e w PX 20000 GET => "v"
      TTL e => 20
      SET e x EXAT 4000000000 GET => "w"
      EXPIRETIME e => 4000000000
      SET e y PXAT 4000000001000 GET => "x"
      PEXPIRETIME e => 4000000001000
      RPUSH l e => 1
      SET l v GET => -WRONGTYPE Operation against a key holding the wrong kind of value
      TYPE l => list
    `,
    'CAS sets the value if it is the one expected': `
      # Not in Redis
      CAS k old new => -1
      EXISTS k => 0
      SET k old EX 100 => OK
      CAS k other new => 0
      GET k => "old"
      TTL k => 100
      CAS k old new => 1
      GET k => "new"
      TTL k => -1
      LPUSH l 123 => 1
      CAS l 123 234 => -WRONGTYPE Operation against a key holding the wrong kind of value
      CAS k 123 => -ERR wrong number of arguments for 'cas' command
      CAS k new x EX => -ERR syntax error
      CAS k new x nosuchoption => -ERR syntax error
      GET k => "new"
    `,
    'CAS sets an expiry, of which the last counts': `
      # Not in Redis
      SET k 1 => OK
      CAS k 1 2 EX 10 => 1
      TTL k => 10
      CAS k 2 3 EX 100 EX 20 => 1
      TTL k => 20
      CAS k 3 4 PX 10000 => 1
      TTL k => 10
      CAS k 4 5 PX 1000 PX 20000 => 1
      TTL k => 20
      CAS k 5 6 EXAT 1700000010 => 1
      TTL k => 10
      CAS k 6 7 EXAT 1700000100 EXAT 1700000020 => 1
      TTL k => 20
      CAS k 7 8 PXAT 1700000010000 => 1
      TTL k => 10
      CAS k 8 9 PXAT 1700000100000 PXAT 1700000020000 => 1
      TTL k => 20
      GET k => "9"
      (20001 ms pass)
      GET k => nil
    `,
    'CAS refuses options that exclude each other': `
      # Not in Redis
      SET k 1 => OK
      CAS k 1 2 EX 100 PX 100000 => -ERR syntax error
      CAS k 1 2 EX 100 EX 10 PX 10000 => -ERR syntax error
      CAS k 1 2 PX 10000 EX 100 EX 10 PX 10000 => -ERR syntax error
      CAS k 1 2 EX 100 EXAT 100000 => -ERR syntax error
      CAS k 1 2 EX 100 PXAT 100000 => -ERR syntax error
      CAS k 1 2 PX 100 EXAT 100000 => -ERR syntax error
      CAS k 1 2 PX 100 PXAT 100000 => -ERR syntax error
      CAS k 1 2 EXAT 100 PXAT 100000 => -ERR syntax error
      GET k => "1"
    `,
    'CAD deletes the key if its value is the one expected': `
      # Not in Redis
      CAD k 1 => -1
      SET k 1 => OK
      CAD k 2 => 0
      CAD k 1 => 1
      EXISTS k => 0
      CAD k => -ERR wrong number of arguments for 'cad' command
      CAD k 1 2 => -ERR wrong number of arguments for 'cad' command
      LPUSH l 1 => 1
      CAD l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'LCS finds the longest common subsequence, its length and its runs': `
      SET a GATTACAGATTACA => OK
      SET b ATTCCGATTTA => OK
      SET e "" => OK
      LCS a b => "ATTCGATTA"
      LCS a b LEN => 9
      LCS a b IDX => {"matches" [[[13 13] [10 10]] [[7 10] [5 8]] [[5 5] [3 3]] [[1 3] [0 2]]] "len" 9}
      LCS a b IDX WITHMATCHLEN => {"matches" [[[13 13] [10 10] 1] [[7 10] [5 8] 4] [[5 5] [3 3] 1] [[1 3] [0 2] 3]] "len" 9}
      LCS a b IDX WITHMATCHLEN MINMATCHLEN 4 => {"matches" [[[7 10] [5 8] 4]] "len" 9}
      LCS a b IDX MINMATCHLEN 100 => {"matches" [] "len" 9}
      LCS a a => "GATTACAGATTACA"
      LCS a e => ""
      LCS e e => ""
      LCS a none LEN => 0
      LCS a e IDX => {"matches" [] "len" 0}
      LCS a e IDX WITHMATCHLEN => {"matches" [] "len" 0}
      LCS a b LEN IDX => -ERR If you want both the length and indexes, please just use IDX.
      LCS a => -ERR wrong number of arguments for 'lcs' command
      LCS a b nosuchoption => -ERR syntax error
    `,
  },
)

test('values of very many sizes and keys are what they were, in any order', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const sizes = Array.from({ length: 100 }, (_, index) => index * 1009)
  for (const size of sizes) await client.run('set', `size:${size}`, String(size % 10).repeat(size))
  for (const size of sizes.reverse()) {
    t.equal(await client.value('get', `size:${size}`), String(size % 10).repeat(size))
  }
  const numbers = Array.from({ length: 10_000 }, (_, index) => String(index))
  await client.run('mset', ...numbers.flatMap((number) => [number, number]))
  numbers.reverse()
  t.same(await client.value('mget', ...numbers), numbers)
})
