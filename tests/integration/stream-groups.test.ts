/** Consumer groups of streams: XGROUP, XREADGROUP, XACK, XPENDING, XCLAIM, XAUTOCLAIM, XINFO. */

import { TXN_CONTEXTS_AND_RESP3, transcripts } from '../support/transcripts.js'

transcripts(
  'consumer groups',
  { configs: TXN_CONTEXTS_AND_RESP3 },
  {
    'XGROUP CREATE and DESTROY': `
      XGROUP CREATE s g $ => -ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
      XGROUP CREATE s g $ ENTRIESREAD 10 => -ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
      XGROUP CREATE s g $ ENTRIESREAD => -ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.
      XGROUP CREATE s g $ MKSTREAM ENTRIESREAD => -ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.
      XGROUP CREATE s g $ MKSTREAM => OK
      XLEN s => 0
      XGROUP CREATE s g $ => -BUSYGROUP Consumer Group name already exists
      XGROUP CREAT s h $ =~> ^-ERR unknown subcommand 'CREAT'
      XGROUP CREATE s h $ ENTRIEREAD 10 =~> ^-ERR
      XGROUP CREATE s h $ ENTRIESREAD -10 => -ERR value for ENTRIESREAD must be positive or -1
      XADD t 1-1 item 1 => "1-1"
      XGROUP CREATE t h $ => OK
      XGROUP CREATE t h $ => -BUSYGROUP Consumer Group name already exists
      XGROUP DESTROY t h => 1
      XGROUP DESTROY t h => 0
      XGROUP DESTROY none h => -ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
      XGROUP CREATE t h x => -ERR Invalid stream ID specified as stream command argument
      SET k v => OK
      XGROUP CREATE k h $ => -WRONGTYPE Operation against a key holding the wrong kind of value
      XGROUP CREATE =~> ^-ERR wrong number of arguments
    `,
    'XGROUP CREATECONSUMER and DELCONSUMER': `
      XGROUP CREATECONSUMER s g c => -ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
      XADD s 1-0 data a => "1-0"
      XGROUP CREATECONSUMER s g c => -NOGROUP No such consumer group 'g' for key name 's'
      XGROUP DELCONSUMER s g c => -NOGROUP No such consumer group 'g' for key name 's'
      XGROUP CREATE s g $ => OK
      XGROUP CREATECONSUMER s g c => 1
      XGROUP CREATECONSUMER s g c => 0
      XADD s 2-0 data a => "2-0"
      XREADGROUP GROUP g c COUNT 1 STREAMS s > =2> [["s" [["2-0" ["data" "a"]]]]] =3> {"s" [["2-0" ["data" "a"]]]}
      XINFO GROUPS s =~> "consumers" 1 "pending" 1
      XGROUP DELCONSUMER s g c => 1
      XINFO GROUPS s =~> "consumers" 0 "pending" 0
      XGROUP DELCONSUMER s g c => 0
      XADD s 3-0 data a => "3-0"
      XADD s 4-0 data a => "4-0"
      XREADGROUP GROUP g c COUNT 3 STREAMS s > =2> [["s" [["3-0" ["data" "a"]] ["4-0" ["data" "a"]]]]] =3> {"s" [["3-0" ["data" "a"]] ["4-0" ["data" "a"]]]}
      XGROUP DELCONSUMER s g c => 2
    `,
    'XREADGROUP of streams without entries gives empty lists': `
      XGROUP CREATE a g 0 MKSTREAM => OK
      XGROUP CREATE b g 0 MKSTREAM => OK
      XREADGROUP GROUP g c STREAMS a b 0 0 =2> [["a" []] ["b" []]] =3> {"a" [] "b" []}
      XREADGROUP GROUP g c STREAMS a b > > => nil-array
      XREADGROUP GROUP g c STREAMS a b 18446744073709551615-18446744073709551615 > => nil-array
    `,
    'XGROUP SETID moves a group': `
      XGROUP SETID s g $ => -ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
      XADD s 1-0 data a => "1-0"
      XGROUP SETID s g $ => -NOGROUP No such consumer group 'g' for key name 's'
      XGROUP CREATE s g $ => OK
      XGROUP SETID s g 0-0 => OK
      XREADGROUP GROUP g c STREAMS s > =2> [["s" [["1-0" ["data" "a"]]]]] =3> {"s" [["1-0" ["data" "a"]]]}
      XGROUP SETID s g $ ENTRIES 100 =~> ^-ERR
      XGROUP SETID s g $ ENTRIESREAD -100 => -ERR value for ENTRIESREAD must be positive or -1
      XGROUP SETID s g $ ENTRIESREAD 100 => OK
      XGROUP SETID s g x => -ERR Invalid stream ID specified as stream command argument
    `,
    'XINFO GROUPS tells consumers, pending entries, what was read and the lag': String.raw`
      XADD s 1-0 data a => "1-0"
      XGROUP CREATE s one $ => OK
      XINFO GROUPS s =~> "name" "one" "consumers" 0 "pending" 0 "last-delivered-id" "1-0" "entries-read" (nil|0) "lag" 0
      XADD s 2-0 data b => "2-0"
      XGROUP CREATE s two $ => OK
      XGROUP CREATECONSUMER s one a => 1
      XGROUP CREATECONSUMER s one b => 1
      XGROUP CREATECONSUMER s two c => 1
      XINFO GROUPS s =~> "name" "one" "consumers" 2 .*"name" "two" "consumers" 1 "pending" 0 "last-delivered-id" "2-0"
      XINFO CONSUMERS s one =~> "name" "a" "pending" 0 .*"name" "b" "pending" 0
      XINFO CONSUMERS s two =~> ^\[[\[{]"name" "c" "pending" 0
      XINFO CONSUMERS s none => -NOGROUP No such consumer group 'none' for key name 's'
      XINFO GROUPS none => -ERR no such key
      XADD t 1-0 f v => "1-0"
      XADD t 2-0 f v => "2-0"
      XADD t 3-0 f v => "3-0"
      XGROUP CREATE t g 0 => OK
      XREADGROUP GROUP g c COUNT 1 STREAMS t > =2> [["t" [["1-0" ["f" "v"]]]]] =3> {"t" [["1-0" ["f" "v"]]]}
      XINFO GROUPS t =~> "last-delivered-id" "1-0" "entries-read" 1 "lag" 2
      XREADGROUP GROUP g c STREAMS t > =2> [["t" [["2-0" ["f" "v"]] ["3-0" ["f" "v"]]]]] =3> {"t" [["2-0" ["f" "v"]] ["3-0" ["f" "v"]]]}
      XINFO GROUPS t =~> "last-delivered-id" "3-0" "entries-read" 3 "lag" 0
    `,
    'a consumer that is deleted after its entries were acknowledged leaves nothing pending': `
      XGROUP CREATE s g $ MKSTREAM => OK
      XADD s 1-0 testing overflow => "1-0"
      XREADGROUP GROUP g c COUNT 1 STREAMS s > =2> [["s" [["1-0" ["testing" "overflow"]]]]] =3> {"s" [["1-0" ["testing" "overflow"]]]}
      XACK s g 1-0 => 1
      XGROUP DELCONSUMER s g c => 0
      XINFO GROUPS s =~> "consumers" 0 "pending" 0 "last-delivered-id" "1-0"
    `,
    'XINFO CONSUMERS tells how long a consumer has done nothing': `
      XADD s 1-0 f 1 => "1-0"
      XADD s 2-0 f 2 => "2-0"
      XGROUP CREATE s g 0 => OK
      XREADGROUP GROUP g c STREAMS s > =2> [["s" [["1-0" ["f" "1"]] ["2-0" ["f" "2"]]]]] =3> {"s" [["1-0" ["f" "1"]] ["2-0" ["f" "2"]]]}
      (2 s pass)
      XINFO CONSUMERS s g =2> [["name" "c" "pending" 2 "idle" 2000 "inactive" 2000]] =3> [{"name" "c" "pending" 2 "idle" 2000 "inactive" 2000}]
      XREADGROUP GROUP g c STREAMS s > => nil-array
      XINFO CONSUMERS s g =2> [["name" "c" "pending" 2 "idle" 0 "inactive" 2000]] =3> [{"name" "c" "pending" 2 "idle" 0 "inactive" 2000}]
      XACK s g 1-0 2-0 => 2
      XINFO CONSUMERS s g =~> "pending" 0
      XGROUP DELCONSUMER s g c => 0
      XINFO CONSUMERS s g => []
    `,
    'XREAD sees what groups have read': `
      XADD s 1-0 f v => "1-0"
      XGROUP CREATE s g 0 => OK
      XGROUP CREATECONSUMER s g c => 1
      XREADGROUP GROUP g c STREAMS s > =2> [["s" [["1-0" ["f" "v"]]]]] =3> {"s" [["1-0" ["f" "v"]]]}
      XREAD STREAMS s 0 =2> [["s" [["1-0" ["f" "v"]]]]] =3> {"s" [["1-0" ["f" "v"]]]}
    `,
    'XREADGROUP gives new entries, and those that are pending': `
      XADD s 1-0 f1 d1 => "1-0"
      XGROUP CREATE s g 0 => OK
      XREADGROUP GROUP g c COUNT 1 STREAMS s > =2> [["s" [["1-0" ["f1" "d1"]]]]] =3> {"s" [["1-0" ["f1" "d1"]]]}
      XADD s 2-0 f2 d2 => "2-0"
      XREADGROUP GROUP g c COUNT 1 STREAMS s > =2> [["s" [["2-0" ["f2" "d2"]]]]] =3> {"s" [["2-0" ["f2" "d2"]]]}
      XREADGROUP GROUP g c COUNT 2 STREAMS s 0 =2> [["s" [["1-0" ["f1" "d1"]] ["2-0" ["f2" "d2"]]]]] =3> {"s" [["1-0" ["f1" "d1"]] ["2-0" ["f2" "d2"]]]}
      XADD s 3-0 f3 d3 => "3-0"
      XREADGROUP GROUP g c COUNT 1 NOACK STREAMS s > =2> [["s" [["3-0" ["f3" "d3"]]]]] =3> {"s" [["3-0" ["f3" "d3"]]]}
      XREADGROUP GROUP g c COUNT 5 STREAMS s 0 =2> [["s" [["1-0" ["f1" "d1"]] ["2-0" ["f2" "d2"]]]]] =3> {"s" [["1-0" ["f1" "d1"]] ["2-0" ["f2" "d2"]]]}
      XREADGROUP GROUP g c STREAMS s > => nil-array
      b> XREADGROUP GROUP g c COUNT 2 BLOCK 10000 STREAMS s > => waits
      XADD s 4-0 f4 d4 => "4-0"
      b> =2> [["s" [["4-0" ["f4" "d4"]]]]] =3> {"s" [["4-0" ["f4" "d4"]]]}
      XADD s 5-0 f5 d5 => "5-0"
      XREADGROUP GROUP g c COUNT 1 STREAMS s > =2> [["s" [["5-0" ["f5" "d5"]]]]] =3> {"s" [["5-0" ["f5" "d5"]]]}
      XDEL s 5-0 => 1
      XREADGROUP GROUP g c COUNT 1 STREAMS s 4-0 =2> [["s" [["5-0" nil-array]]]] =3> {"s" [["5-0" nil]]}
      XREADGROUP GROUP g c BLOCK 10 STREAMS s > => nil-array
      XREADGROUP GROUP none c STREAMS s > => -NOGROUP No such key 's' or consumer group 'none' in XREADGROUP with GROUP option
      XREADGROUP GROUP g c STREAMS s $ => -ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.
      XREADGROUP GROUP g c COUNT x STREAMS s > => -ERR value is not an integer or out of range
      XREADGROUP g c STREAMS s > =~> ^-ERR
    `,
    'XREADGROUP makes the consumer that it names': `
      XADD s 1-0 f v => "1-0"
      XGROUP CREATE s g 0 => OK
      XREADGROUP GROUP g c COUNT 1 STREAMS s > =2> [["s" [["1-0" ["f" "v"]]]]] =3> {"s" [["1-0" ["f" "v"]]]}
      XINFO GROUPS s =~> "consumers" 1
    `,
    'XACK counts the entries that were pending': `
      XACK none g 0-0 => 0
      XADD s 1-0 f v => "1-0"
      XADD s 2-0 f v => "2-0"
      XADD s 3-0 f v => "3-0"
      XADD s 4-0 f v => "4-0"
      XGROUP CREATE s g 0 => OK
      XREADGROUP GROUP g c COUNT 1 STREAMS s > =2> [["s" [["1-0" ["f" "v"]]]]] =3> {"s" [["1-0" ["f" "v"]]]}
      XACK s g 1-0 => 1
      XACK s g 1-0 => 0
      XREADGROUP GROUP g c COUNT 3 STREAMS s > =2> [["s" [["2-0" ["f" "v"]] ["3-0" ["f" "v"]] ["4-0" ["f" "v"]]]]] =3> {"s" [["2-0" ["f" "v"]] ["3-0" ["f" "v"]] ["4-0" ["f" "v"]]]}
      XACK s g 2-0 3-0 4-0 9-0 => 3
      XACK s none 1-0 => 0
      XACK s g x => -ERR Invalid stream ID specified as stream command argument
    `,
    'XCLAIM takes pending entries that have waited long enough': `
      XADD s 1-0 f d => "1-0"
      XCLAIM s g c2 0 1-0 => -NOGROUP No such key 's' or consumer group 'g'
      XGROUP CREATE s g 0 => OK
      XREADGROUP GROUP g c1 COUNT 1 STREAMS s > =2> [["s" [["1-0" ["f" "d"]]]]] =3> {"s" [["1-0" ["f" "d"]]]}
      XCLAIM s g c2 0 1-0 => [["1-0" ["f" "d"]]]
      (1 s passes)
      XCLAIM s g c1 1000 1-0 => [["1-0" ["f" "d"]]]
      XCLAIM s g c2 60000 1-0 => []
      XCLAIM s g c2 0 1-0 IDLE 5000 => [["1-0" ["f" "d"]]]
      XPENDING s g - + 10 => [["1-0" "c2" 5000 4]]
      XCLAIM s g c1 2000 1-0 => [["1-0" ["f" "d"]]]
      XCLAIM s g c2 0 1-0 TIME 1699999990000 => [["1-0" ["f" "d"]]]
      XPENDING s g - + 10 => [["1-0" "c2" 11000 6]]
      XCLAIM s g c1 5000 1-0 => [["1-0" ["f" "d"]]]
      XCLAIM s g c2 0 9-0 => []
      XPENDING s g - + 10 => [["1-0" "c1" 0 7]]
    `,
    'XCLAIM FORCE, JUSTID, RETRYCOUNT and LASTID': String.raw`
      XADD s 1-0 f d => "1-0"
      XGROUP CREATE s g 0 => OK
      XCLAIM s g c 0 1-0 => []
      XCLAIM s g c 0 1-0 FORCE => [["1-0" ["f" "d"]]]
      XCLAIM s g d 0 1-0 JUSTID => ["1-0"]
      XCLAIM s g d 0 1-0 RETRYCOUNT 7 =~> 1-0
      XPENDING s g - + 1 =~> ^\[\["1-0" "d" \d+ 7\]\]$
      XCLAIM s g d x 1-0 => -ERR Invalid min-idle-time argument for XCLAIM
      XCLAIM s g d 0 x => -ERR Unrecognized XCLAIM option 'x'
      XCLAIM s g d 0 => -ERR wrong number of arguments for 'xclaim' command
      XCLAIM s g d 0 1-0 nosuchoption => -ERR Unrecognized XCLAIM option 'nosuchoption'
    `,
    'XAUTOCLAIM goes through what is pending, and forgets what was deleted': `
      XADD s 1-0 a 1 => "1-0"
      XADD s 2-0 b 2 => "2-0"
      XADD s 3-0 c 3 => "3-0"
      XADD s 4-0 d 4 => "4-0"
      XAUTOCLAIM s g c 10 - JUSTID => -NOGROUP No such key 's' or consumer group 'g'
      XGROUP CREATE s g 0 => OK
      XREADGROUP GROUP g c1 COUNT 1 STREAMS s > =2> [["s" [["1-0" ["a" "1"]]]]] =3> {"s" [["1-0" ["a" "1"]]]}
      XAUTOCLAIM s g c2 0 - COUNT 1 => ["0-0" [["1-0" ["a" "1"]]] []]
      XREADGROUP GROUP g c1 COUNT 3 STREAMS s > =2> [["s" [["2-0" ["b" "2"]] ["3-0" ["c" "3"]] ["4-0" ["d" "4"]]]]] =3> {"s" [["2-0" ["b" "2"]] ["3-0" ["c" "3"]] ["4-0" ["d" "4"]]]}
      XDEL s 2-0 => 1
      XAUTOCLAIM s g c2 0 - COUNT 3 => ["4-0" [["1-0" ["a" "1"]] ["3-0" ["c" "3"]]] ["2-0"]]
      XDEL s 4-0 => 1
      XAUTOCLAIM s g c2 0 - JUSTID => ["0-0" ["1-0" "3-0"] ["4-0"]]
      XPENDING s g => [2 "1-0" "3-0" [["c2" "2"]]]
    `,
    'XAUTOCLAIM says where to go on': `
      XADD s 1-0 a 1 => "1-0"
      XADD s 2-0 b 2 => "2-0"
      XADD s 3-0 c 3 => "3-0"
      XADD s 4-0 d 4 => "4-0"
      XADD s 5-0 e 5 => "5-0"
      XGROUP CREATE s g 0 => OK
      XREADGROUP GROUP g c1 COUNT 90 STREAMS s > =2> [["s" [["1-0" ["a" "1"]] ["2-0" ["b" "2"]] ["3-0" ["c" "3"]] ["4-0" ["d" "4"]] ["5-0" ["e" "5"]]]]] =3> {"s" [["1-0" ["a" "1"]] ["2-0" ["b" "2"]] ["3-0" ["c" "3"]] ["4-0" ["d" "4"]] ["5-0" ["e" "5"]]]}
      XAUTOCLAIM s g c2 0 - COUNT 2 => ["3-0" [["1-0" ["a" "1"]] ["2-0" ["b" "2"]]] []]
      XAUTOCLAIM s g c2 0 3-0 COUNT 2 => ["5-0" [["3-0" ["c" "3"]] ["4-0" ["d" "4"]]] []]
      XAUTOCLAIM s g c2 0 5-0 COUNT 1 => ["0-0" [["5-0" ["e" "5"]]] []]
      XDEL s 1-0 2-0 => 2
      XAUTOCLAIM s g c1 0 0-0 COUNT 1 => ["2-0" [] ["1-0"]]
      XAUTOCLAIM s g c1 0 2-0 COUNT 1 => ["3-0" [] ["2-0"]]
      XAUTOCLAIM s g c1 0 3-0 COUNT 9 => ["0-0" [["3-0" ["c" "3"]] ["4-0" ["d" "4"]] ["5-0" ["e" "5"]]] []]
    `,
    'XAUTOCLAIM waits for the idle time': `
      XADD s 1-0 a 1 => "1-0"
      XGROUP CREATE s g 0 => OK
      XREADGROUP GROUP g c1 STREAMS s > =2> [["s" [["1-0" ["a" "1"]]]]] =3> {"s" [["1-0" ["a" "1"]]]}
      XAUTOCLAIM s g c2 1000 0 => ["0-0" [] []]
      (1 s passes)
      XAUTOCLAIM s g c2 1000 0 JUSTID => ["0-0" ["1-0"] []]
    `,
    'XAUTOCLAIM COUNT has bounds': `
      XGROUP CREATE s g 0 MKSTREAM => OK
      XAUTOCLAIM s g c 0 0 COUNT 8070450532247928833 => -ERR COUNT must be > 0
      XAUTOCLAIM s g c 0 0 COUNT 0 => -ERR COUNT must be > 0
      XAUTOCLAIM s g c 0 0 COUNT -1 => -ERR COUNT must be > 0
      XAUTOCLAIM s g c 0 0 COUNT x => -ERR COUNT must be > 0
      XAUTOCLAIM s g c 0 x => -ERR Invalid stream ID specified as stream command argument
    `,
    'XPENDING tells of all, of a range, of a consumer, and of those that have waited': `
      XADD s 1-0 f v => "1-0"
      XADD s 2-0 f v => "2-0"
      XADD s 3-0 f v => "3-0"
      XGROUP CREATE s g 0 => OK
      XPENDING s g =2> [0 nil nil nil-array] =3> [0 nil nil nil]
      XPENDING s g - + 10 => []
      XREADGROUP GROUP g a COUNT 2 STREAMS s > =2> [["s" [["1-0" ["f" "v"]] ["2-0" ["f" "v"]]]]] =3> {"s" [["1-0" ["f" "v"]] ["2-0" ["f" "v"]]]}
      XREADGROUP GROUP g b COUNT 1 STREAMS s > =2> [["s" [["3-0" ["f" "v"]]]]] =3> {"s" [["3-0" ["f" "v"]]]}
      XPENDING s g => [3 "1-0" "3-0" [["a" "2"] ["b" "1"]]]
      (1 s passes)
      XPENDING s g - + 10 => [["1-0" "a" 1000 1] ["2-0" "a" 1000 1] ["3-0" "b" 1000 1]]
      XPENDING s g - + 10 a => [["1-0" "a" 1000 1] ["2-0" "a" 1000 1]]
      XPENDING s g - + 10 none => []
      XPENDING s g 2-0 2-0 10 => [["2-0" "a" 1000 1]]
      XPENDING s g (1-0 + 1 => [["2-0" "a" 1000 1]]
      XPENDING s g IDLE 1000 - + 10 => [["1-0" "a" 1000 1] ["2-0" "a" 1000 1] ["3-0" "b" 1000 1]]
      XPENDING s g IDLE 1001 - + 10 => []
      XPENDING s g IDLE 1000 - + 10 b => [["3-0" "b" 1000 1]]
      XPENDING s none => -NOGROUP No such key 's' or consumer group 'none'
      XPENDING none g => -NOGROUP No such key 'none' or consumer group 'g'
      XPENDING s g - + x => -ERR value is not an integer or out of range
      XPENDING s g - => -ERR syntax error
      XPENDING s g IDLE x - + 10 => -ERR value is not an integer or out of range
    `,
  },
)
