/** Expiry: EXPIRE and its kin, TTL and its kin, SETEX, PERSIST. */

import { transcripts } from '../support/transcripts.js'

transcripts(
  'expiry',
  {},
  {
    'EXPIRE may be set again, and the key goes when the last time is over': `
      SET k v => OK
      EXPIRE k 5 => 1
      TTL k => 5
      EXPIRE k 10 => 1
      TTL k => 10
      EXPIRE k 2 => 1
      GET k => "v"
      (1900 ms pass)
      GET k => "v"
      (101 ms pass)
      GET k => nil
      EXISTS k => 0
      TTL k => -2
      EXPIRE k 5 => 0
    `,
    'a write to a key that will expire keeps the expiry': `
      LPUSH l foo => 1
      EXPIRE l 1000 => 1
      LPUSH l bar => 2
      LRANGE l 0 -1 => ["bar" "foo"]
      TTL l => 1000
    `,
    'EXPIREAT and PEXPIREAT set a moment that EXPIRETIME and PEXPIRETIME show': `
      SET k v => OK
      EXPIRETIME k => -1
      PEXPIRETIME k => -1
      EXPIREAT k 4000000000 => 1
      EXPIRETIME k => 4000000000
      PEXPIRETIME k => 4000000000000
      PEXPIREAT k 4000000001456 => 1
      EXPIRETIME k => 4000000001
      PEXPIRETIME k => 4000000001456
      PEXPIREAT k 4000000001789 => 1
      EXPIRETIME k => 4000000002
      PEXPIRETIME k => 4000000001789
      EXPIRETIME none => -2
      PEXPIRETIME none => -2
    `,
    'moments count from the clock': `
      SET k v => OK
      EXPIREAT k 1700000015 => 1
      TTL k => 15
      PEXPIREAT k 1700000001500 => 1
      PTTL k => 1500
      TTL k => 2
      (1501 ms pass)
      EXPIRETIME k => -2
      PEXPIRETIME k => -2
    `,
    'SETEX sets value and expiry at once': `
      SETEX k 12 test => OK
      TTL k => 12
      GET k => "test"
      SETEX k 1 foo => OK
      GET k => "foo"
      (1001 ms pass)
      GET k => nil
      SETEX k -10 foo => -ERR invalid expire time in 'setex' command
      SETEX k 0 foo => -ERR invalid expire time in 'setex' command
      SETEX k x foo => -ERR value is not an integer or out of range
      SETEX k 10 => -ERR wrong number of arguments for 'setex' command
      EXISTS k => 0
    `,
    'PERSIST takes the expiry away': `
      SET k v EX 12 => OK
      PERSIST k => 1
      TTL k => -1
      GET k => "v"
      PERSIST k => 0
      PERSIST none => 0
    `,
    'expiry is exact to the millisecond': `
      SET a v PX 1500 => OK
      SET b v => OK
      PEXPIRE b 1500 => 1
      SET c v => OK
      PEXPIREAT c 1700000001500 => 1
      PSETEX d 1500 v => OK
      (1500 ms pass)
      MGET a b c d => ["v" "v" "v" "v"]
      (1 ms passes)
      MGET a b c d => [nil nil nil nil]
    `,
    'TTL and PTTL tell the time that is left, or that there is none': `
      SETEX k 10 v => OK
      TTL k => 10
      (8400 ms pass)
      TTL k => 2
      PTTL k => 1600
      (1200 ms pass)
      TTL k => 0
      PTTL k => 400
      SET k v => OK
      TTL k => -1
      PTTL k => -1
      DEL k => 1
      TTL k => -2
      PTTL k => -2
      TTL => -ERR wrong number of arguments for 'ttl' command
    `,
    'keys that have expired are counted no more': `
      PSETEX a 1500 v => OK
      PSETEX b 1500 v => OK
      SET c v => OK
      DBSIZE => 3
      (1501 ms pass)
      DBSIZE => 1
      KEYS * => ["c"]
    `,
    'a key that will expire is listed until it does': `
      SET a c EX 5 => OK
      SET t c => OK
      SET e c => OK
      SET foo b => OK
      KEYS * => ["a" "e" "foo" "t"]
      (5001 ms pass)
      KEYS * => ["e" "foo" "t"]
    `,
    'times that are none are refused': `
      SET k v => OK
      EXPIRE k "" => -ERR value is not an integer or out of range
      EXPIRE k x => -ERR value is not an integer or out of range
      PEXPIRE k 1.5 => -ERR value is not an integer or out of range
      EXPIREAT k x => -ERR value is not an integer or out of range
      EXPIRE k 9223372036854775807 => -ERR invalid expire time in 'expire' command
      PEXPIREAT k "" => -ERR value is not an integer or out of range
      EXPIRE k => -ERR wrong number of arguments for 'expire' command
      TTL k => -1
    `,
  },
)
