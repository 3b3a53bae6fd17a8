/** CLIENT PAUSE and UNPAUSE. */

import { transcripts } from '../support/transcripts.js'

transcripts(
  'pauses',
  { withoutRedis: 'Redis holds back CLIENT UNPAUSE itself, so that a pause of all has to end by its time' },
  {
    'CLIENT PAUSE holds back all, and UNPAUSE, which it does not hold, lets them go on': `
      SET k old => OK
      a> PING => PONG
      b> PING => PONG
      c> PING => PONG
      CLIENT PAUSE 100000 => OK
      a> SET k v => waits
      b> GET k => waits
      c> PING => waits
      CLIENT LIST =~> flags=z .* cmd=set
      CLIENT UNPAUSE => OK
      a> => OK
      b> => "v"
      c> => PONG
      GET k => "v"
    `,
    'a pause of all holds back another pause': `
      a> PING => PONG
      CLIENT PAUSE 100000 => OK
      a> CLIENT PAUSE 10 WRITE => waits
      CLIENT UNPAUSE => OK
      a> => OK
      CLIENT UNPAUSE => OK
    `,
    'CLIENT PAUSE WRITE holds back writes, and reads go on': `
      SET k old => OK
      CLIENT PAUSE 100000 WRITE => OK
      GET k => "old"
      a> SET k v => waits
      b> EVAL "return redis.call('ping')" 0 => waits
      GET k => "old"
      CLIENT UNPAUSE => OK
      a> => OK
      b> => PONG
      GET k => "v"
    `,
    'EXEC waits for the end of the pause': `
      a> MULTI => OK
      a> SET k v => QUEUED
      CLIENT PAUSE 100000 => OK
      a> EXEC => waits
      CLIENT UNPAUSE => OK
      a> => [OK]
      GET k => "v"
    `,
    'EXEC without a write does not wait for the end of a pause of writes': `
      a> MULTI => OK
      a> GET k => QUEUED
      CLIENT PAUSE 100000 WRITE => OK
      a> EXEC => [nil]
      CLIENT UNPAUSE => OK
    `,
    'a client that waits for an element gets it after the pause, with the write that brings it': `
      a> BLPOP l 0 => waits
      CLIENT PAUSE 100000 WRITE => OK
      b> RPUSH l data => waits
      CLIENT UNPAUSE => OK
      b> => 1
      a> => ["l" "data"]
    `,
    'what a pause is not is refused': `
      CLIENT PAUSE => -ERR wrong number of arguments for 'client|pause' command
      CLIENT PAUSE notanumber => -ERR timeout is not an integer or out of range
      CLIENT PAUSE -1 => -ERR timeout is negative
      CLIENT PAUSE 1000 READ => -ERR CLIENT PAUSE mode must be WRITE or ALL
      CLIENT UNPAUSE extra => -ERR wrong number of arguments for 'client|unpause' command
      SET k v => OK
    `,
  },
)
