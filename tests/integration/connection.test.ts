/** What a connection carries: its transaction, its watches, its subscriptions, its name, its end. */

import { transcripts } from '../support/transcripts.js'

transcripts(
  'connections',
  {},
  {
    'PING answers': `
      PING => PONG
      PING hello => "hello"
      PING a b => -ERR wrong number of arguments for 'ping' command
      ECHO hello => "hello"
    `,
    'RESET ends a transaction': `
      MULTI => OK
      SET k v => QUEUED
      RESET => RESET
      EXEC => -ERR EXEC without MULTI
      GET k => nil
    `,
    'RESET forgets what is watched': `
      WATCH k => OK
      RESET => RESET
      b> SET k v => OK
      MULTI => OK
      PING => QUEUED
      EXEC => [PONG]
    `,
    'RESET leaves all channels': `
      b> SUBSCRIBE ch => >["subscribe" "ch" 1]
      b> RESET => RESET
      b> PING => PONG
      PUBLISH ch m => 0
      b> GET k => nil
    `,
  },
)
