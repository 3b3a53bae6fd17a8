/** SET with IFEQ and its kin, DELEX, DIGEST and MSETEX: writes of strings that depend on what is there. */

import { TXN_CONTEXTS, transcripts } from '../support/transcripts.js'

transcripts(
  'conditional writes',
  { configs: TXN_CONTEXTS, withoutRedis: 'they are younger than Redis 7.0' },
  {
    'a condition of SET needs its value, and stands alone': `
      SET k v IFEQ => -ERR syntax error
      SET k v IFNE => -ERR syntax error
      SET k v IFDEQ => -ERR syntax error
      SET k v IFDNE => -ERR syntax error
      SET k v NX IFEQ x => -ERR syntax error
      SET k v XX IFNE x => -ERR syntax error
      SET k v IFEQ x IFDEQ y => -ERR syntax error
      SET k v IFNE x NX => -ERR syntax error
      EXISTS k => 0
    `,
    'a condition of SET is for strings': `
      RPUSH l a => 1
      SET l v IFEQ a => -WRONGTYPE Operation against a key holding the wrong kind of value
      SET l v IFDNE xxxxxxxxxxxxxxxx => -WRONGTYPE Operation against a key holding the wrong kind of value
      TYPE l => list
    `,
    'SET IFEQ writes where the value is this one': `
      SET k new IFEQ anything => nil
      EXISTS k => 0
      SET k hello => OK
      SET k world IFEQ wrong => nil
      GET k => "hello"
      SET k world IFEQ hello => OK
      GET k => "world"
      SET k again ifeq WORLD => nil
      GET k => "world"
    `,
    'SET IFNE writes where the value is another one, or there is none': `
      SET k created IFNE anything => OK
      GET k => "created"
      SET k world IFNE created => nil
      GET k => "created"
      SET k world IFNE wrong => OK
      GET k => "world"
    `,
    'SET IFDEQ writes where the digest is this one': `
      SET k new IFDEQ xxxxxxxxxxxxxxxx => nil
      EXISTS k => 0
      SET k "Hello world" => OK
      SET k new IFDEQ xxxxxxxxxxxxxxxx => nil
      GET k => "Hello world"
      SET k new IFDEQ b6acb9d84a38ff74 => OK
      GET k => "new"
    `,
    'SET IFDNE writes where the digest is another one, or there is no value': `
      SET k "Hello world" IFDNE xxxxxxxxxxxxxxxx => OK
      SET k new IFDNE b6acb9d84a38ff74 => nil
      GET k => "Hello world"
      SET k new IFDNE xxxxxxxxxxxxxxxx => OK
      GET k => "new"
    `,
    'SET GET tells the old value whether the condition holds or not': `
      SET k old => OK
      SET k new IFEQ wrong GET => "old"
      GET k => "old"
      SET k new IFEQ old GET => "old"
      GET k => "new"
      SET none v IFEQ x GET => nil
      EXISTS none => 0
    `,
    'expiry is set where the condition holds, and stays where it does not': `
      SET k v => OK
      SET k w IFEQ v EX 10 => OK
      TTL k => 10
      SET k x IFEQ wrong EX 100 => nil
      TTL k => 10
      SET k x IFNE w PX 5000 => nil
      TTL k => 10
      SET k x IFEQ w KEEPTTL => OK
      TTL k => 10
      SET k y IFEQ x => OK
      TTL k => -1
    `,
    'what has expired is no value to a condition': `
      SET k v EX 1 => OK
      (1001 ms pass)
      SET k w IFEQ v => nil
      SET k w IFNE v => OK
      TTL k => -1
    `,
    'DELEX without a condition is DEL of one key': `
      SET k v => OK
      DELEX k => 1
      EXISTS k => 0
      DELEX k => 0
      LPUSH l a => 1
      DELEX l => 1
    `,
    'DELEX deletes where its condition holds': `
      SET k "Hello world" => OK
      DELEX k IFEQ random => 0
      DELEX k IFNE "Hello world" => 0
      DELEX k IFDEQ xxxxxxxxxxxxxxxx => 0
      DELEX k IFDNE b6acb9d84a38ff74 => 0
      GET k => "Hello world"
      DELEX k IFEQ "Hello world" => 1
      SET k "Hello world" => OK
      DELEX k IFNE random => 1
      SET k "Hello world" => OK
      DELEX k ifdeq B6ACB9D84A38FF74 => 1
      SET k "Hello world" => OK
      DELEX k IFDNE xxxxxxxxxxxxxxxx => 1
      DELEX k IFNE random => 0
      EXISTS k => 0
    `,
    'DELEX refuses words too many, and conditions that there are not': `
      SET k v => OK
      DELEX k random random random => -ERR wrong number of arguments for 'delex' command
      DELEX k random random => -ERR syntax error
      DELEX k IFEQ => -ERR wrong number of arguments for 'delex' command
      LPUSH l a => 1
      DELEX l IFEQ a => -WRONGTYPE Operation against a key holding the wrong kind of value
      EXISTS k l => 2
    `,
    'DIGEST is XXH3 of the value, as sixteen hexadecimal digits': `
      SET k "Hello world" => OK
      DIGEST k => "b6acb9d84a38ff74"
      SET same "Hello world" => OK
      DIGEST same => "b6acb9d84a38ff74"
      SET k "" => OK
      DIGEST k => "2d06800538d394c2"
      SET k "\\x00\\x01\\x02\\xff\\xfe\\xfd" => OK
      DIGEST k =~> ^"[0-9a-f]{16}"$
      SET k {ab*10240} => OK
      DIGEST k =~> ^"[0-9a-f]{16}"$
      DIGEST none => nil
      DIGEST => -ERR wrong number of arguments for 'digest' command
      DIGEST k extra => -ERR wrong number of arguments for 'digest' command
      LPUSH l v => 1
      DIGEST l => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'MSETEX counts its words, and knows its options': `
      MSETEX 0 => -ERR wrong number of arguments for 'msetex' command
      MSETEX 0 a 1 => -ERR invalid numkeys value
      MSETEX 3 a 1 b 2 => -ERR wrong number of key-value pairs
      MSETEX 1 a 1 b 2 xx => -ERR syntax error
      MSETEX 1 a 1 ex -1 => -ERR invalid expire time in 'msetex' command
      MSETEX 1 a 1 ex 10 keepttl => -ERR syntax error
      MSETEX 1 a 1 nx xx => -ERR syntax error
      EXISTS a => 0
    `,
    'MSETEX writes all keys or none, as NX and XX say': `
      MSETEX 2 a 1 b 2 NX => 1
      SET c pre => OK
      MSETEX 2 c x d y NX => 0
      GET c => "pre"
      EXISTS d => 0
      MSETEX 2 a 10 d 20 XX => 0
      GET a => "1"
      MSETEX 2 a new b newer XX EX 10 => 1
      MGET a b => ["new" "newer"]
      TTL a => 10
      TTL b => 10
    `,
    'MSETEX sets, keeps or removes expiry': `
      MSETEX 2 a 1 b 2 EX 2 => 1
      TTL a => 2
      MSETEX 2 a 10 b 20 XX PX 3000 => 1
      PTTL b => 3000
      MSETEX 1 a 1 EXAT 4000000000 => 1
      EXPIRETIME a => 4000000000
      MSETEX 2 a 11 c 3 KEEPTTL => 1
      EXPIRETIME a => 4000000000
      TTL c => -1
      MSETEX 2 a 1 b 2 => 1
      TTL a => -1
      TTL b => -1
    `,
    'MSETEX in a transaction': `
      MSETEX 1 a v1 => 1
      MULTI => OK
      MSETEX 2 a v10 b v20 XX => QUEUED
      MSETEX 2 a v11 c v21 => QUEUED
      EXEC => [0 1]
      MGET a b c => ["v11" nil "v21"]
    `,
  },
)
