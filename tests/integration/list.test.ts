/** Lists: both ends, ranges, positions, moves, and clients that wait. */

import { test } from 'tap'
import { startServer, type Word } from '../support/server.js'
import { TXN_CONTEXTS_AND_RESP3, transcripts } from '../support/transcripts.js'

transcripts(
  'lists',
  { configs: TXN_CONTEXTS_AND_RESP3 },
  {
    'elements come out at the ends and at the indexes where they went in': `
      LPUSH l aa => 1
      RPUSH l bb => 2
      RPUSH l cc => 3
      LLEN l => 3
      LINDEX l 0 => "aa"
      LINDEX l 1 => "bb"
      LINDEX l 2 => "cc"
      LINDEX l 3 => nil
      LINDEX l -1 => "cc"
      LINDEX l -4 => nil
      LINDEX none 10 => nil
      LINDEX l x => -ERR value is not an integer or out of range
      RPOP l => "cc"
      LPOP l => "aa"
      LPUSH big {x*5000} b => 2
      RPUSH big {y*6000} => 3
      LLEN big => 3
      LINDEX big 0 => "b"
      STRLEN big => -WRONGTYPE Operation against a key holding the wrong kind of value
      LRANGE big 0 0 => ["b"]
      RPOP big =~> ^"y{6000}"$
      RPOP big =~> ^"x{5000}"$
      DEL big => 1
      EXISTS big => 0
      LLEN big => 0
      LPOP none => nil
      RPOP none => nil
      LPUSH many a b c d => 4
      RPUSH many 1 2 3 4 => 8
      LRANGE many 0 -1 => ["d" "c" "b" "a" "1" "2" "3" "4"]
    `,
    'an element that is far longer than its neighbours harms none of them': `
      LPUSH l 401 => 1
      LPUSH l 392 => 2
      RPUSH l {x*5105} => 3
      LSET l -1 {y*1014} => OK
      LPOP l => "392"
      LSET l -1 {z*4149} => OK
      LINSERT l BEFORE 401 {w*9927} => 3
      LLEN l => 3
      LINDEX l 1 => "401"
      LINDEX l 2 =~> ^"z{4149}"$
      LINDEX l 0 =~> ^"w{9927}"$
    `,
    'BLPOP and BRPOP answer at once if an element is there': `
      RPUSH one a b c d => 4
      BLPOP one 1 => ["one" "a"]
      BRPOP one 1 => ["one" "d"]
      BLPOP one 1 => ["one" "b"]
      BRPOP one 1 => ["one" "c"]
      EXISTS one => 0
      RPUSH first a {x*3} c => 3
      RPUSH second d e f => 3
      BLPOP first second 1 => ["first" "a"]
      BRPOP first second 1 => ["first" "c"]
      LLEN first => 1
      LLEN second => 3
      BLPOP second second 1 => ["second" "d"]
      BRPOP second second 1 => ["second" "f"]
      BLPOP none second 1 => ["second" "e"]
      EXISTS second => 0
    `,
    'BLPOP waits for any of its keys, one named twice, too': `
      b> BLPOP one two two one 0 => waits
      LPUSH one a => 1
      b> => ["one" "a"]
      b> BLPOP one two two one 0 => waits
      LPUSH two b => 1
      b> => ["two" "b"]
      LPUSH one a => 1
      LPUSH two b => 1
      b> BLPOP one two two one 0 => ["one" "a"]
      b> BLPOP one two two one 0 => ["two" "b"]
    `,
    'a push of several elements serves one who waits with the element that stands at the end': `
      b> BLPOP l 0 => waits
      LPUSH l foo bar => 2
      b> => ["l" "bar"]
      LRANGE l 0 -1 => ["foo"]
      DEL l => 1
      b> BRPOP l 0 => waits
      LPUSH l foo bar => 2
      b> => ["l" "foo"]
      LRANGE l 0 -1 => ["bar"]
    `,
    'BLPOP and BRPOP wait, and the key is gone when its only element is': `
      b> BLPOP l 0 => waits
      RPUSH l foo => 1
      b> => ["l" "foo"]
      EXISTS l => 0
      b> BRPOP l other 4 => waits
      RPUSH other foo => 1
      b> => ["other" "foo"]
      EXISTS l other => 0
    `,
    'a wait that is over, that is negative, or that begins with another type': `
      BLPOP l 0.01 => nil-array
      BRPOP l other 0.01 => nil-array
      BLPOP l -1 => -ERR timeout is negative
      BRPOP l -1 => -ERR timeout is negative
      BLPOP l x => -ERR timeout is not a float or out of range
      SET s v => OK
      BLPOP l s 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      BRPOP l s 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      BLPOP s l 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      BLPOP l => -ERR wrong number of arguments for 'blpop' command
    `,
    'LPUSHX and RPUSHX push to a list that exists': `
      LPUSHX l a => 0
      RPUSHX l a => 0
      LLEN l => 0
      RPUSH l b c => 2
      RPUSHX l d => 3
      LPUSHX l a => 4
      RPUSHX l 42 x => 6
      LPUSHX l y3 y2 y1 => 9
      LRANGE l 0 -1 => ["y1" "y2" "y3" "a" "b" "c" "d" "42" "x"]
      SET s v => OK
      LPUSHX s a => -WRONGTYPE Operation against a key holding the wrong kind of value
      RPUSHX s a => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'LINSERT puts an element beside another': `
      RPUSH l a b c d => 4
      LINSERT l BEFORE c zz => 5
      LINSERT l AFTER c yy => 6
      LINSERT l AFTER d dd => 7
      LINSERT l AFTER bad ddd => -1
      LINSERT l BEFORE a aa => 8
      LINSERT l BEFORE bad aaa => -1
      LINSERT l BEFORE aa 42 => 9
      LRANGE l 0 -1 => ["42" "aa" "a" "b" "zz" "c" "yy" "d" "dd"]
      LINSERT l aft3r aa 42 => -ERR syntax error
      LINSERT none BEFORE a b => 0
      LINSERT l BEFORE a => -ERR wrong number of arguments for 'linsert' command
      SET s v => OK
      LINSERT s BEFORE a b => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'list commands refuse other types': `
      SET s v => OK
      LLEN s => -WRONGTYPE Operation against a key holding the wrong kind of value
      LINDEX s 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
      LPUSH s a => -WRONGTYPE Operation against a key holding the wrong kind of value
      RPUSH s a => -WRONGTYPE Operation against a key holding the wrong kind of value
      LPOP s => -WRONGTYPE Operation against a key holding the wrong kind of value
      RPOP s => -WRONGTYPE Operation against a key holding the wrong kind of value
      LPOP s 2 => -WRONGTYPE Operation against a key holding the wrong kind of value
      LRANGE s 0 -1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      LTRIM s 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      LSET s 0 a => -WRONGTYPE Operation against a key holding the wrong kind of value
      LREM s 0 a => -WRONGTYPE Operation against a key holding the wrong kind of value
      LPOS s a => -WRONGTYPE Operation against a key holding the wrong kind of value
      GET s => "v"
    `,
    'RPOPLPUSH moves from the end of one list to the beginning of another, or of the same': `
      RPUSH a a {x*3} c d => 4
      RPOPLPUSH a b => "d"
      RPOPLPUSH a b => "c"
      LRANGE a 0 -1 => ["a" "xxx"]
      LRANGE b 0 -1 => ["c" "d"]
      RPUSH same a b c => 3
      RPOPLPUSH same same => "c"
      LRANGE same 0 -1 => ["c" "a" "b"]
      RPUSH long a {x*5000} => 2
      RPUSH other {y*5000} => 1
      RPOPLPUSH long other =~> ^"x{5000}"$
      LRANGE long 0 -1 => ["a"]
      LLEN other => 2
      LINDEX other 1 =~> ^"y{5000}"$
    `,
    'RPOPLPUSH without a source, or with other types, changes nothing': `
      RPOPLPUSH none b => nil
      EXISTS none b => 0
      SET s x => OK
      RPOPLPUSH s b => -WRONGTYPE Operation against a key holding the wrong kind of value
      RPOPLPUSH none s => nil
      EXISTS b => 0
      RPUSH l a b c d => 4
      RPOPLPUSH l s => -WRONGTYPE Operation against a key holding the wrong kind of value
      GET s => "x"
      LRANGE l 0 -1 => ["a" "b" "c" "d"]
    `,
    'LPOP and RPOP take one or as many as there are': `
      RPUSH l x 1 2 => 3
      LPOP l => "x"
      RPOP l => "2"
      LPOP l => "1"
      LLEN l => 0
      LPOP l => nil
      RPOP l => nil
      LPOP l 1 1 => -ERR wrong number of arguments for 'lpop' command
      RPOP l 2 2 => -ERR wrong number of arguments for 'rpop' command
      LPUSH l aa bb cc dd ee ff gg => 7
      LPOP l 1 => ["gg"]
      LPOP l 2 => ["ff" "ee"]
      RPOP l 2 => ["aa" "bb"]
      RPOP l 1 => ["cc"]
      LPOP l 0 => []
      RPOP l 0 => []
      LPOP l 123 => ["dd"]
      LPOP none -123 => -ERR value is out of range, must be positive
      LPOP l x => -ERR value is out of range, must be positive
      LPOP none 0 => nil-array
      LPOP none 1 => nil-array
      RPOP none 0 => nil-array
      RPOP none 1 => nil-array
    `,
    'LRANGE counts from either end and stops at both': `
      RPUSH l {0..9} => 10
      LRANGE l 1 -2 => ["1" "2" "3" "4" "5" "6" "7" "8"]
      LRANGE l -3 -1 => ["7" "8" "9"]
      LRANGE l 4 4 => ["4"]
      LRANGE l 6 2 => []
      LRANGE l -1000 1000 => ["0" "1" "2" "3" "4" "5" "6" "7" "8" "9"]
      LRANGE l -4 -1000 => []
      LRANGE l 0 -9 => ["0" "1"]
      LRANGE l 0 -11 => []
      LRANGE l 100 200 => []
      LRANGE none 0 1 => []
      LRANGE l 0 => -ERR wrong number of arguments for 'lrange' command
      LRANGE l x 1 => -ERR value is not an integer or out of range
    `,
    'LTRIM keeps a range': `
      RPUSH l 1 2 3 4 5 => 5
      LTRIM l 0 0 => OK
      LRANGE l 0 -1 => ["1"]
      RPUSH l 2 3 4 5 => 5
      LTRIM l -3 -2 => OK
      LRANGE l 0 -1 => ["3" "4"]
      DEL l => 1
      RPUSH l 1 2 3 4 5 => 5
      LTRIM l 0 10 => OK
      LTRIM l 0 -5 => OK
      LRANGE l 0 -1 => ["1"]
      LTRIM l 5 10 => OK
      EXISTS l => 0
      RPUSH l 1 2 => 2
      LTRIM l 0 -3 => OK
      EXISTS l => 0
      LTRIM none 0 1 => OK
    `,
    'LREM and LINSERT work on what LTRIM has left': `
      RPUSH l 0 1 2 3 4 0 1 2 3 4 => 10
      LTRIM l 2 -3 => OK
      LREM l 0 2 => 2
      LRANGE l 0 -1 => ["3" "4" "0" "1"]
      LINSERT l AFTER 4 after => 5
      LINSERT l BEFORE 3 before => 6
      LRANGE l 0 -1 => ["before" "3" "4" "after" "0" "1"]
      LTRIM l -2 -1 => OK
      LINSERT l BEFORE 0 x => 3
      LRANGE l 0 -1 => ["x" "0" "1"]
    `,
    'LSET sets the element at an index': `
      RPUSH l a b c d => 4
      LSET l 1 foo => OK
      LSET l -1 bar => OK
      LRANGE l 0 -1 => ["a" "foo" "c" "bar"]
      LSET l 4 x => -ERR index out of range
      LSET l -5 x => -ERR index out of range
      LSET l x y => -ERR value is not an integer or out of range
      LSET none 0 x => -ERR no such key
    `,
    'LREM takes elements away, all, or the first ones from either end': `
      RPUSH l foo bar foobar foobared zap bar test foo => 8
      LREM l 0 bar => 2
      LRANGE l 0 -1 => ["foo" "foobar" "foobared" "zap" "test" "foo"]
      LREM l 1 foo => 1
      LRANGE l 0 -1 => ["foobar" "foobared" "zap" "test" "foo"]
      LREM l 1 absent => 0
      DEL l => 1
      RPUSH l foo bar foobar foobared zap bar test foo foo => 9
      LREM l -1 bar => 1
      LRANGE l 0 -1 => ["foo" "bar" "foobar" "foobared" "zap" "test" "foo" "foo"]
      LREM l -2 foo => 2
      LRANGE l 0 -1 => ["foo" "bar" "foobar" "foobared" "zap" "test"]
      DEL l => 1
      RPUSH l foo 1 2 3 1 => 5
      LREM l 1 2 => 1
      LREM l 0 1 => 2
      LRANGE l 0 -1 => ["foo" "3"]
      DEL l => 1
      RPUSH l a b b b a b b => 7
      LREM l 2 b => 2
      LREM l -1 b => 1
      LRANGE l 0 -1 => ["a" "b" "a" "b"]
      LREM l 0 b => 2
      LREM l 0 a => 2
      EXISTS l => 0
      LREM none 0 a => 0
      LREM l x a => -ERR value is not an integer or out of range
    `,
    'LMOVE takes from either end and puts at either': `
      RPUSH a 1 2 3 4 5 => 5
      LMOVE a b RIGHT LEFT => "5"
      LMOVE a b LEFT RIGHT => "1"
      LMOVE a b LEFT LEFT => "2"
      LMOVE a b RIGHT RIGHT => "4"
      LRANGE a 0 -1 => ["3"]
      LRANGE b 0 -1 => ["2" "5" "1" "4"]
      RPUSH same a b c => 3
      LMOVE same same LEFT LEFT => "a"
      LMOVE same same LEFT RIGHT => "a"
      LMOVE same same RIGHT RIGHT => "a"
      LMOVE same same RIGHT LEFT => "a"
      LRANGE same 0 -1 => ["a" "b" "c"]
      LMOVE none b LEFT LEFT => nil
      LMOVE a b LEFT UP => -ERR syntax error
      LMOVE a b LEFT => -ERR wrong number of arguments for 'lmove' command
    `,
    'BLMOVE moves at once, or waits': `
      RPUSH a 1 2 3 4 5 => 5
      BLMOVE a b RIGHT LEFT 1 => "5"
      BLMOVE a b LEFT RIGHT 1 => "1"
      BLMOVE a b LEFT LEFT 1 => "2"
      BLMOVE a b RIGHT RIGHT 1 => "4"
      LRANGE a 0 -1 => ["3"]
      LRANGE b 0 -1 => ["2" "5" "1" "4"]
      b> BLMOVE none b LEFT RIGHT 0 => waits
      LPUSH none foo bar => 2
      b> => "bar"
      LRANGE b 0 -1 => ["2" "5" "1" "4" "bar"]
      LRANGE none 0 -1 => ["foo"]
      BLMOVE empty b LEFT LEFT 0.01 => nil-array
      BRPOPLPUSH empty b 0.01 => nil-array
      c> BRPOPLPUSH empty b 0 => waits
      RPUSH empty x => 1
      c> => "x"
      LINDEX b 0 => "x"
    `,
    'LPOS finds an element, the one of a rank, or several': `
      RPUSH l a b c x 2 3 c c => 8
      LPOS l a => 0
      LPOS l c => 2
      LPOS l c RANK 1 => 2
      LPOS l c RANK 2 => 6
      LPOS l c RANK 4 => nil
      LPOS l c RANK -1 => 7
      LPOS l c RANK -2 => 6
      LPOS l c RANK 0 => -ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list
      LPOS l c RANK -9223372036854775808 => -ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807: rank would overflow # Redis: 7
      LPOS l c COUNT 0 => [2 6 7]
      LPOS l c COUNT 1 => [2]
      LPOS l c COUNT 2 => [2 6]
      LPOS l c COUNT 100 => [2 6 7]
      LPOS l c COUNT 0 RANK 2 => [6 7]
      LPOS l c COUNT 2 RANK -1 => [7 6]
      LPOS none c COUNT 0 RANK 2 => []
      LPOS none c => nil
      LPOS l absent COUNT 2 RANK -1 => []
      LPOS l absent RANK -1 => nil
      LPOS l a COUNT 0 MAXLEN 1 => [0]
      LPOS l c COUNT 0 MAXLEN 1 => []
      LPOS l c COUNT 0 MAXLEN 3 => [2]
      LPOS l c COUNT 0 MAXLEN 3 RANK -1 => [7 6]
      LPOS l c COUNT 0 MAXLEN 7 RANK 2 => [6]
      LPOS l b COUNT 10 RANK 5 => []
      LPOS l a COUNT -1 => -ERR COUNT can't be negative
      LPOS l a MAXLEN -1 => -ERR MAXLEN can't be negative
      LPOS l a nosuchoption => -ERR syntax error
    `,
    'LMPOP takes from the left of the first list that is not empty': `
      RPUSH a five four three two one => 5
      RPUSH b FIVE FOUR THREE TWO ONE => 5
      LMPOP 1 a LEFT COUNT 1 => ["a" ["five"]]
      LMPOP 1 a LEFT COUNT 2 => ["a" ["four" "three"]]
      LMPOP 1 a LEFT COUNT 10 => ["a" ["two" "one"]]
      LMPOP 1 a LEFT COUNT 1 => nil-array
      RPUSH a seven six => 2
      LMPOP 2 a b LEFT COUNT 10 => ["a" ["seven" "six"]]
      LMPOP 2 a b LEFT COUNT 1 => ["b" ["FIVE"]]
      LMPOP 2 a b LEFT COUNT 2 => ["b" ["FOUR" "THREE"]]
      LMPOP 2 a b LEFT COUNT 10 => ["b" ["TWO" "ONE"]]
      LMPOP 2 a b LEFT COUNT 1 => nil-array
      LMPOP 2 none nothing LEFT COUNT 1 => nil-array
      RPUSH a one => 1
      LMPOP 1 a LEFT => ["a" ["one"]]
      RPUSH a two three => 2
      LMPOP 2 a b LEFT => ["a" ["two"]]
      LMPOP 2 a b LEFT => ["a" ["three"]]
      RPUSH b ONE TWO => 2
      LMPOP 2 a b LEFT => ["b" ["ONE"]]
      LMPOP 2 a b LEFT => ["b" ["TWO"]]
      LMPOP 2 a b LEFT => nil-array
    `,
    'BLMPOP takes at once from the left of the first list that is not empty': `
      RPUSH a five four three two one => 5
      RPUSH b FIVE FOUR THREE TWO ONE => 5
      BLMPOP 1 1 a LEFT COUNT 1 => ["a" ["five"]]
      BLMPOP 1 1 a LEFT COUNT 2 => ["a" ["four" "three"]]
      BLMPOP 1 1 a LEFT COUNT 10 => ["a" ["two" "one"]]
      RPUSH a seven six => 2
      BLMPOP 1 2 a b LEFT COUNT 10 => ["a" ["seven" "six"]]
      BLMPOP 1 2 a b LEFT COUNT 1 => ["b" ["FIVE"]]
      BLMPOP 1 2 a b LEFT COUNT 2 => ["b" ["FOUR" "THREE"]]
      BLMPOP 1 2 a b LEFT COUNT 10 => ["b" ["TWO" "ONE"]]
      RPUSH a one two => 2
      BLMPOP 1 1 a LEFT => ["a" ["one"]]
      BLMPOP 1 2 a b LEFT => ["a" ["two"]]
      RPUSH b ONE TWO => 2
      BLMPOP 1 2 a b LEFT => ["b" ["ONE"]]
      BLMPOP 1 2 a b LEFT => ["b" ["TWO"]]
      EXISTS a b => 0
    `,
    'BLMPOP waits, and takes from the left of the list that is filled first': String.raw`
      b> BLMPOP 0 1 a LEFT COUNT 1 => waits
      RPUSH a one two => 2
      b> => ["a" ["one"]]
      DEL a => 1
      b> BLMPOP 0 1 a LEFT COUNT 2 => waits
      RPUSH a one two => 2
      b> => ["a" ["one" "two"]]
      b> BLMPOP 0 2 a b LEFT COUNT 10 => waits
      RPUSH a one two => 2
      b> => ["a" ["one" "two"]]
      b> BLMPOP 0 2 a b LEFT COUNT 10 => waits
      RPUSH b one two => 2
      b> => ["b" ["one" "two"]]
      b> BLMPOP 0 2 a b LEFT COUNT 10 => waits
      MULTI => OK
      RPUSH b ONE TWO => QUEUED
      RPUSH a one two => QUEUED
      EXEC => [2 2]
      b> =~> ^\["[ab]" \["\w+" "\w+"\]\]$
      DEL a b => 1
      b> BLMPOP 0 2 a b LEFT => waits
      RPUSH b one two => 2
      b> => ["b" ["one"]]
      DEL b => 1
      BLMPOP 0.01 2 a b LEFT COUNT 1 => nil-array
    `,
    'LMPOP takes from the right of the first list that is not empty': `
      RPUSH a five four three two one => 5
      RPUSH b FIVE FOUR THREE TWO ONE => 5
      LMPOP 1 a RIGHT COUNT 1 => ["a" ["one"]]
      LMPOP 1 a RIGHT COUNT 2 => ["a" ["two" "three"]]
      LMPOP 1 a RIGHT COUNT 10 => ["a" ["four" "five"]]
      LMPOP 1 a RIGHT COUNT 1 => nil-array
      RPUSH a seven six => 2
      LMPOP 2 a b RIGHT COUNT 10 => ["a" ["six" "seven"]]
      LMPOP 2 a b RIGHT COUNT 1 => ["b" ["ONE"]]
      LMPOP 2 a b RIGHT COUNT 2 => ["b" ["TWO" "THREE"]]
      LMPOP 2 a b RIGHT COUNT 10 => ["b" ["FOUR" "FIVE"]]
      LMPOP 2 a b RIGHT COUNT 1 => nil-array
      LMPOP 2 none nothing RIGHT COUNT 1 => nil-array
      RPUSH a one => 1
      LMPOP 1 a RIGHT => ["a" ["one"]]
      RPUSH a two three => 2
      LMPOP 2 a b RIGHT => ["a" ["three"]]
      LMPOP 2 a b RIGHT => ["a" ["two"]]
      RPUSH b ONE TWO => 2
      LMPOP 2 a b RIGHT => ["b" ["TWO"]]
      LMPOP 2 a b RIGHT => ["b" ["ONE"]]
      LMPOP 2 a b RIGHT => nil-array
    `,
    'BLMPOP takes at once from the right of the first list that is not empty': `
      RPUSH a five four three two one => 5
      RPUSH b FIVE FOUR THREE TWO ONE => 5
      BLMPOP 1 1 a RIGHT COUNT 1 => ["a" ["one"]]
      BLMPOP 1 1 a RIGHT COUNT 2 => ["a" ["two" "three"]]
      BLMPOP 1 1 a RIGHT COUNT 10 => ["a" ["four" "five"]]
      RPUSH a seven six => 2
      BLMPOP 1 2 a b RIGHT COUNT 10 => ["a" ["six" "seven"]]
      BLMPOP 1 2 a b RIGHT COUNT 1 => ["b" ["ONE"]]
      BLMPOP 1 2 a b RIGHT COUNT 2 => ["b" ["TWO" "THREE"]]
      BLMPOP 1 2 a b RIGHT COUNT 10 => ["b" ["FOUR" "FIVE"]]
      RPUSH a one two => 2
      BLMPOP 1 1 a RIGHT => ["a" ["two"]]
      BLMPOP 1 2 a b RIGHT => ["a" ["one"]]
      RPUSH b ONE TWO => 2
      BLMPOP 1 2 a b RIGHT => ["b" ["TWO"]]
      BLMPOP 1 2 a b RIGHT => ["b" ["ONE"]]
      EXISTS a b => 0
    `,
    'BLMPOP waits, and takes from the right of the list that is filled first': String.raw`
      b> BLMPOP 0 1 a RIGHT COUNT 1 => waits
      RPUSH a one two => 2
      b> => ["a" ["two"]]
      DEL a => 1
      b> BLMPOP 0 1 a RIGHT COUNT 2 => waits
      RPUSH a one two => 2
      b> => ["a" ["two" "one"]]
      b> BLMPOP 0 2 a b RIGHT COUNT 10 => waits
      RPUSH a one two => 2
      b> => ["a" ["two" "one"]]
      b> BLMPOP 0 2 a b RIGHT COUNT 10 => waits
      RPUSH b one two => 2
      b> => ["b" ["two" "one"]]
      b> BLMPOP 0 2 a b RIGHT COUNT 10 => waits
      MULTI => OK
      RPUSH b ONE TWO => QUEUED
      RPUSH a one two => QUEUED
      EXEC => [2 2]
      b> =~> ^\["[ab]" \["\w+" "\w+"\]\]$
      DEL a b => 1
      b> BLMPOP 0 2 a b RIGHT => waits
      RPUSH b one two => 2
      b> => ["b" ["two"]]
      DEL b => 1
      BLMPOP 0.01 2 a b RIGHT COUNT 1 => nil-array
    `,
    'LMPOP and BLMPOP refuse what makes no sense': `
      LMPOP 0 a LEFT => -ERR numkeys should be greater than 0
      LMPOP x a LEFT => -ERR numkeys should be greater than 0
      LMPOP 2 a LEFT => -ERR syntax error
      LMPOP 1 a UP => -ERR syntax error
      LMPOP 1 a LEFT COUNT 0 => -ERR count should be greater than 0
      LMPOP 1 a LEFT COUNT x => -ERR count should be greater than 0
      LMPOP 1 a LEFT COUNT 1 COUNT 2 => -ERR syntax error
      BLMPOP -1 1 a LEFT => -ERR timeout is negative
      BLMPOP x 1 a LEFT => -ERR timeout is not a float or out of range
      SET s v => OK
      LMPOP 1 s LEFT => -WRONGTYPE Operation against a key holding the wrong kind of value
      BLMPOP 1 1 s LEFT => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
  },
)

/** Lengths of elements: short ones, and some that are much longer than their neighbours. */
const LENGTHS = [1, 3, 20, 5, 5000, 2, 90, 300, 1, 70_000]

test('a list is what an array would be', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const model: string[] = []
  const same = async (expected: unknown, ...words: Word[]) =>
    t.same(await client.value(...words), expected, String(words))
  for (let step = 0; step < 600; step++) {
    const element = String(step % 3 === 0 ? -step * 65_537 : step).padStart(
      LENGTHS[step % LENGTHS.length] as number,
      'x',
    )
    if (step % 7 === 5 && model.length > 0) await same(model.shift(), 'lpop', 'l')
    else if (step % 11 === 7 && model.length > 0) await same(model.pop(), 'rpop', 'l')
    else if (step % 2 === 0) await same(model.push(element), 'rpush', 'l', element)
    else await same(model.unshift(element), 'lpush', 'l', element)
    if (step % 13 === 3) {
      const index = step % model.length
      model[index] = element
      await same('OK', 'lset', 'l', index, element)
    }
    if (step % 17 === 4) {
      const index = (step * 31) % model.length
      const pivot = model[index] as string
      model.splice(model.indexOf(pivot), 0, `before ${step}`)
      await same(model.length, 'linsert', 'l', 'before', pivot, `before ${step}`)
    }
    if (step % 101 === 100) {
      model.splice(0, 9)
      model.splice(-7)
      await same('OK', 'ltrim', 'l', 9, -8)
    }
  }
  await same(model, 'lrange', 'l', 0, -1)
  await same(model.length, 'llen', 'l')
  for (const [index, element] of model.entries()) {
    await same(element, 'lindex', 'l', index)
    await same(element, 'lindex', 'l', index - model.length)
  }
  const half = model.length >> 1
  for (let count = 0; count < half; count++) {
    await same(model.shift(), 'lpop', 'l')
    await same(model.pop(), 'rpop', 'l')
  }
  await same(model, 'lrange', 'l', 0, -1)
})
