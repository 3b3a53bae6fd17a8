/** Counters: INCR, DECR and INCRBYFLOAT. */

import { TXN_CONTEXTS, transcripts } from '../support/transcripts.js'

transcripts(
  'counters',
  { configs: TXN_CONTEXTS },
  {
    'INCR begins at 0, and counts on from what is there': `
      INCR k => 1
      INCR k => 2
      GET k => "2"
      SET k 100 => OK
      INCR k => 101
      SET k 17179869184 => OK
      INCR k => 17179869185
      INCRBY k 17179869184 => 34359738369
    `,
    'INCR refuses what is no integer': `
      SET k "    11" => OK
      INCR k => -ERR value is not an integer or out of range
      SET k "11    " => OK
      INCR k => -ERR value is not an integer or out of range
      SET k "    11    " => OK
      INCR k => -ERR value is not an integer or out of range
      SET k 1.5 => OK
      INCR k => -ERR value is not an integer or out of range
      SET k "" => OK
      INCR k => -ERR value is not an integer or out of range # Redis: *
      RPUSH l 1 => 1
      INCR l => -WRONGTYPE Operation against a key holding the wrong kind of value
      INCRBY l 5 => -WRONGTYPE Operation against a key holding the wrong kind of value
      DECR l => -WRONGTYPE Operation against a key holding the wrong kind of value
      INCRBY k 1.5 => -ERR value is not an integer or out of range
      INCRBY k => -ERR wrong number of arguments for 'incrby' command
    `,
    'DECRBY goes below zero, and refuses what has no opposite': `
      SET k 17179869184 => OK
      DECRBY k 17179869185 => -1
      DECR k => -2
      SET k 0 => OK
      DECRBY k -9223372036854775808 => -ERR decrement would overflow
      GET k => "0"
      INCRBY k 9223372036854775807 => 9223372036854775807
      INCR k => -ERR increment or decrement would overflow
      GET k => "9223372036854775807"
    `,
    'INCRBYFLOAT begins at 0, and counts on from what is there': `
      INCRBYFLOAT k 1 => "1"
      INCRBYFLOAT k 0.25 => "1.25"
      GET k => "1.25"
      SET k 1.5 => OK
      INCRBYFLOAT k 1.5 => "3"
      SET k 17179869184 => OK
      INCRBYFLOAT k 1.5 => "17179869185.5"
      INCRBYFLOAT k 17179869184 => "34359738369.5"
      SET k 1 => OK
      INCRBYFLOAT k -1.1 => "-0.1"
      INCRBYFLOAT k 1e3 => "999.90000000000000002"
    `,
    'INCRBYFLOAT refuses what is no number, and results that are none': `
      SET k "    11" => OK
      INCRBYFLOAT k 1 => -ERR value is not a valid float
      SET k "11    " => OK
      INCRBYFLOAT k 1 => -ERR value is not a valid float
      SET k "    11    " => OK
      INCRBYFLOAT k 1 => -ERR value is not a valid float
      SET k 1 => OK
      INCRBYFLOAT k x => -ERR value is not a valid float
      INCRBYFLOAT k +inf => -ERR increment would produce NaN or Infinity
      INCRBYFLOAT k -inf => -ERR increment would produce NaN or Infinity
      INCRBYFLOAT k nan => -ERR value is not a valid float
      GET k => "1"
      SETRANGE k 2 2 => 3
      INCRBYFLOAT k 1 => -ERR value is not a valid float
      RPUSH l 1 => 1
      INCRBYFLOAT l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'counting keeps the expiry': `
      SET k 1 EX 100 => OK
      INCR k => 2
      INCRBYFLOAT k 0.5 => "2.5"
      TTL k => 100
    `,
  },
)
