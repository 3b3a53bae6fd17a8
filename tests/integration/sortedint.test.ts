/** Sorted integers: sets of ids in their order. */

import { TXN_CONTEXTS, transcripts } from '../support/transcripts.js'

transcripts(
  'sorted integers',
  { configs: TXN_CONTEXTS, withoutRedis: 'Redis has no sorted integers' },
  {
    'ids are kept in order, and read from either end or by value': `
      SIADD s 1 => 1
      SIADD s 2 => 1
      SIADD s 2 => 0
      SIADD s 3 4 5 123 245 => 5
      SICARD s => 7
      SIREVRANGE s 0 3 => ["245" "123" "5"]
      SIREVRANGE s 0 3 CURSOR 5 => ["4" "3" "2"]
      SIRANGE s 0 3 => ["1" "2" "3"]
      SIRANGE s 2 2 => ["3" "4"]
      SIRANGE s 0 3 CURSOR 123 => ["245"]
      SIRANGEBYVALUE s 1 (5 => ["1" "2" "3" "4"]
      SIRANGEBYVALUE s (1 5 => ["2" "3" "4" "5"]
      SIRANGEBYVALUE s 1 5 LIMIT 1 2 => ["2" "3"]
      SIREVRANGEBYVALUE s 5 (1 => ["5" "4" "3" "2"]
      SIREVRANGEBYVALUE s (5 2 => ["4" "3" "2"]
      SIEXISTS s 1 88 2 => [1 0 1]
      SIREM s 2 => 1
      SIREM s 2 99 => 0
      SICARD s => 6
      SIADD s 18446744073709551615 => 1
      SIREVRANGE s 0 1 => ["18446744073709551615"]
      TYPE s => sortedint
      SICARD none => 0
      SIEXISTS none 1 => [0]
      SIRANGE none 0 3 => []
    `,
    'what is no id, and other types, are refused': `
      SIADD s x => -ERR value is not an integer or out of range
      SIADD s -1 => -ERR value is not an integer or out of range
      SIADD s => -ERR wrong number of arguments for 'siadd' command
      SIRANGE s x 1 => -ERR value is not an integer or out of range
      SIRANGEBYVALUE s x 1 => -ERR the min isn't integer
      SIRANGE s 0 1 nosuchoption 1 => -ERR syntax error
      LPUSH l a => 1
      SIADD l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      SICARD l => -WRONGTYPE Operation against a key holding the wrong kind of value
      SIREM l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      EXISTS s => 0
    `,
  },
)
