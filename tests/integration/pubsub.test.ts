/** Channels, patterns and shard channels. */

import { TXN_CONTEXTS, transcripts } from '../support/transcripts.js'

transcripts(
  'pubsub',
  { configs: TXN_CONTEXTS },
  {
    'PING of a subscriber': `
      b> SUBSCRIBE ch => >["subscribe" "ch" 1]
      b> PING =2> ["pong" ""] =3> PONG
      b> PING hi =2> ["pong" "hi"] =3> "hi"
      b> UNSUBSCRIBE ch => >["unsubscribe" "ch" 0]
      b> PING => PONG
    `,
    'messages reach those who have subscribed': `
      b> SUBSCRIBE one two => >["subscribe" "one" 1]
      b> => >["subscribe" "two" 2]
      c> SUBSCRIBE one => >["subscribe" "one" 1]
      PUBLISH one hello => 2
      PUBLISH two world => 1
      PUBLISH three nobody => 0
      b> => >["message" "one" "hello"]
      b> => >["message" "two" "world"]
      c> => >["message" "one" "hello"]
      b> UNSUBSCRIBE one => >["unsubscribe" "one" 1]
      PUBLISH one again => 1
      PUBLISH two again => 1
      b> => >["message" "two" "again"]
      c> => >["message" "one" "again"]
      b> UNSUBSCRIBE two => >["unsubscribe" "two" 0]
      PUBLISH two again => 0
    `,
    'MPUBLISH sends several messages': `
      # Not in Redis
      b> SUBSCRIBE ch => >["subscribe" "ch" 1]
      c> SUBSCRIBE ch => >["subscribe" "ch" 1]
      MPUBLISH ch hello world ! => 6
      b> => >["message" "ch" "hello"]
      b> => >["message" "ch" "world"]
      b> => >["message" "ch" "!"]
      c> => >["message" "ch" "hello"]
      c> => >["message" "ch" "world"]
      c> => >["message" "ch" "!"]
      MPUBLISH ch foo-bar => 2
      b> => >["message" "ch" "foo-bar"]
      MPUBLISH ch => -ERR wrong number of arguments for 'mpublish' command
    `,
    'UNSUBSCRIBE without words leaves all channels': String.raw`
      b> SUBSCRIBE one two three => >["subscribe" "one" 1]
      b> => >["subscribe" "two" 2]
      b> => >["subscribe" "three" 3]
      b> UNSUBSCRIBE =~> ^>?\["unsubscribe" "\w+" 2\]$
      b> =~> ^>?\["unsubscribe" "\w+" 1\]$
      b> =~> ^>?\["unsubscribe" "\w+" 0\]$
      PUBLISH one hello => 0
      PUBLISH two hello => 0
    `,
    'a channel that is subscribed to twice counts once, and one that is not can be left': `
      b> SUBSCRIBE ch ch ch => >["subscribe" "ch" 1]
      b> => >["subscribe" "ch" 1]
      b> => >["subscribe" "ch" 1]
      PUBLISH ch hello => 1
      b> => >["message" "ch" "hello"]
      b> UNSUBSCRIBE other => >["unsubscribe" "other" 1]
      b> UNSUBSCRIBE ch => >["unsubscribe" "ch" 0]
    `,
    'patterns are globs of channels': `
      b> PSUBSCRIBE foo.* bar.* => >["psubscribe" "foo.*" 1]
      b> => >["psubscribe" "bar.*" 2]
      c> PSUBSCRIBE foo.? => >["psubscribe" "foo.?" 1]
      PUBLISH foo.1 hello => 2
      PUBLISH bar.1 hello => 1
      PUBLISH foo1 hello => 0
      PUBLISH qux.1 hello => 0
      b> => >["pmessage" "foo.*" "foo.1" "hello"]
      b> => >["pmessage" "bar.*" "bar.1" "hello"]
      c> => >["pmessage" "foo.?" "foo.1" "hello"]
      b> PUNSUBSCRIBE foo.* => >["punsubscribe" "foo.*" 1]
      PUBLISH foo.1 again => 1
      PUBLISH bar.1 again => 1
      b> => >["pmessage" "bar.*" "bar.1" "again"]
    `,
    'PUNSUBSCRIBE without words leaves all patterns, and one that is not subscribed to can be left': String.raw`
      b> PSUBSCRIBE one.* two.* => >["psubscribe" "one.*" 1]
      b> => >["psubscribe" "two.*" 2]
      b> PUNSUBSCRIBE none.* => >["punsubscribe" "none.*" 2]
      b> PUNSUBSCRIBE =~> ^>?\["punsubscribe" "\w+\.\*" 1\]$
      b> =~> ^>?\["punsubscribe" "\w+\.\*" 0\]$
      PUBLISH one.1 hello => 0
    `,
    'PUBSUB tells channels and their subscribers': `
      PUBSUB NUMSUB abc def => ["abc" 0 "def" 0]
      b> SUBSCRIBE abc => >["subscribe" "abc" 1]
      c> SUBSCRIBE abc => >["subscribe" "abc" 1]
      c> PSUBSCRIBE x* => >["psubscribe" "x*" 2]
      PUBSUB NUMSUB abc def => ["abc" 2 "def" 0]
      PUBSUB NUMSUB => []
      PUBSUB CHANNELS => ["abc"]
      PUBSUB CHANNELS a* => ["abc"]
      PUBSUB CHANNELS z* => []
      PUBSUB NUMPAT => 1
      PUBSUB nosuch =~> ^-ERR unknown subcommand
    `,
    'one client has channels and patterns at once': `
      b> SUBSCRIBE foo.bar => >["subscribe" "foo.bar" 1]
      b> PSUBSCRIBE foo.* => >["psubscribe" "foo.*" 2]
      PUBLISH foo.bar hello => 2
      b> => >["message" "foo.bar" "hello"]
      b> => >["pmessage" "foo.*" "foo.bar" "hello"]
    `,
    'UNSUBSCRIBE and PUNSUBSCRIBE always answer': `
      b> PUNSUBSCRIBE => >["punsubscribe" nil 0]
      b> UNSUBSCRIBE => >["unsubscribe" nil 0]
      b> UNSUBSCRIBE a b => >["unsubscribe" "a" 0]
      b> => >["unsubscribe" "b" 0]
      b> SUNSUBSCRIBE => >["sunsubscribe" nil 0]
    `,
    'PING of a shard subscriber': `
      b> SSUBSCRIBE ch => >["ssubscribe" "ch" 1]
      b> PING =2> ["pong" ""] =3> PONG
      b> SUNSUBSCRIBE ch => >["sunsubscribe" "ch" 0]
      b> PING => PONG
    `,
    'shard channels are apart from channels': `
      b> SSUBSCRIBE one two => >["ssubscribe" "one" 1]
      b> => >["ssubscribe" "two" 2]
      SPUBLISH one hello => 1
      PUBLISH one hello => 0
      b> => >["smessage" "one" "hello"]
      b> SUNSUBSCRIBE one => >["sunsubscribe" "one" 1]
      SPUBLISH one again => 0
      b> SUBSCRIBE one => >["subscribe" "one" 1]
      b> SUNSUBSCRIBE => >["sunsubscribe" "two" 0]
      PUBLISH one hello => 1
      b> => >["message" "one" "hello"]
    `,
    'the empty name is a shard channel, too': `
      b> SSUBSCRIBE "" => >["ssubscribe" "" 1]
      PUBSUB SHARDCHANNELS => [""]
      SPUBLISH "" m => 1
      b> => >["smessage" "" "m"]
      b> SUNSUBSCRIBE "" => >["sunsubscribe" "" 0]
    `,
    'PUBSUB SHARDNUMSUB counts': `
      PUBSUB SHARDNUMSUB abc def => ["abc" 0 "def" 0]
      b> SSUBSCRIBE abc => >["ssubscribe" "abc" 1]
      c> SSUBSCRIBE abc => >["ssubscribe" "abc" 1]
      PUBSUB SHARDNUMSUB abc def => ["abc" 2 "def" 0]
    `,
    'PUBSUB SHARDCHANNELS lists': String.raw`
      b> SSUBSCRIBE a => >["ssubscribe" "a" 1]
      b> SSUBSCRIBE abc => >["ssubscribe" "abc" 2]
      PUBSUB SHARDCHANNELS =~> ^\["(a" "abc|abc" "a)"\]$
      PUBSUB SHARDCHANNELS ab* => ["abc"]
      b> SUNSUBSCRIBE a abc =~> ^>?\["sunsubscribe" "a
      PUBSUB SHARDCHANNELS x* => []
    `,
  },
)
