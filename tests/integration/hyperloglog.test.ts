/** HyperLogLog: PFADD, PFCOUNT, PFMERGE. */

import { transcripts } from '../support/transcripts.js'

transcripts(
  'HyperLogLog',
  {},
  {
    'PFADD says whether anything has changed': `
      PFCOUNT h => 0
      PFADD h foo => 1
      PFCOUNT h => 1
      PFADD h foo => 0
      PFCOUNT h => 1
    `,
    'PFADD of nothing': `
      # Redis makes an empty key of it.
      PFADD h => 0 # Redis: 1
      PFCOUNT h => 0
    `,
    'PFADD and PFCOUNT of several': `
      PFADD h a b c d => 1
      PFCOUNT h => 4
      PFADD h a b c => 0
      PFADD h a f c => 1
      PFCOUNT h => 5
      PFADD one a b c d => 1
      PFCOUNT h one => 5
      PFCOUNT one h => 5
      PFCOUNT one two three => 4
      PFADD two 1 2 3 => 1
      PFCOUNT h one two => 8
      PFADD three a 3 5 => 1
      PFCOUNT h one two three => 9
      PFCOUNT => -ERR wrong number of arguments for 'pfcount' command
    `,
    'PFMERGE keeps the union': `
      PFADD a 1 2 3 => 1
      PFADD b 3 4 5 => 1
      PFMERGE r a b => OK
      PFCOUNT r => 5
      PFMERGE r none => OK
      PFCOUNT r => 5
      PFADD r 9 => 1
      PFMERGE a r => OK
      PFCOUNT a => 6
      PFMERGE new => OK
      PFCOUNT new => 0
    `,
    'other types are refused': `
      SADD s m => 1
      PFADD s a => -WRONGTYPE Operation against a key holding the wrong kind of value
      PFCOUNT s => -WRONGTYPE Operation against a key holding the wrong kind of value
      PFMERGE s a => -WRONGTYPE Operation against a key holding the wrong kind of value
      PFMERGE r s => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
  },
)
