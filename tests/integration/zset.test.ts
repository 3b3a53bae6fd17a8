/** Sorted sets: scores, ranks, ranges by score and by name, pops, and operations on several. */

import { test } from 'tap'
import { startServer } from '../support/server.js'
import { TXN_CONTEXTS_AND_RESP3, transcripts } from '../support/transcripts.js'

transcripts(
  'sorted sets',
  { configs: TXN_CONTEXTS_AND_RESP3 },
  {
    'ZADD adds, and gives another score to what is there': `
      ZADD z 10 x => 1
      ZADD z 20 y => 1
      ZADD z 30 z => 1
      ZRANGE z 0 -1 => ["x" "y" "z"]
      ZADD z 1 y => 0
      ZRANGE z 0 -1 WITHSCORES =2> ["y" "1" "x" "10" "z" "30"] =3> [["y" ,1] ["x" ,10] ["z" ,30]]
      ZADD t 10 x 20 x => 1
      ZSCORE t x => ,20
      ZADD t 30 x 40 y 50 z => 2
      ZRANGE t 0 -1 WITHSCORES =2> ["x" "30" "y" "40" "z" "50"] =3> [["x" ,30] ["y" ,40] ["z" ,50]]
      ZADD t 10 a 20 b 30 x => 2
      ZADD t CH 5 a 20 b 30 c => 2
      ZRANGE t 0 -1 WITHSCORES =2> ["a" "5" "b" "20" "c" "30" "x" "30" "y" "40" "z" "50"] =3> [["a" ,5] ["b" ,20] ["c" ,30] ["x" ,30] ["y" ,40] ["z" ,50]]
      ZADD r 1e3 k 0x10 hex -0 zero => 3
      ZSCORE r k => ,1000
      ZSCORE r hex => ,16
      ZSCORE r none => nil
      ZSCORE none a => nil
    `,
    'ZADD INCR adds to the score of one member, with every condition': `
      ZADD z INCR 1.5 a => ,1.5
      ZADD z INCR 1.5 a 2 b => -ERR INCR option supports a single increment-element pair
      ZADD z NX NX INCR 1.5 b => ,1.5
      ZADD z NX INCR 1.5 b => nil
      ZADD z XX XX INCR 1.5 b => ,3
      ZADD z XX INCR 1 none => nil
      ZADD z GT INCR 1.5 b => ,4.5
      ZADD z GT INCR -1.5 b => nil
      ZADD z LT INCR -1.5 b => ,3
      ZADD z LT INCR 1.5 b => nil
      ZSCORE z b => ,3
      ZINCRBY n 1 foo => ,1
      ZINCRBY n 2 foo => ,3
      ZINCRBY n 1 bar => ,1
      ZINCRBY n -10 foo => ,-7
      ZRANGE n 0 -1 WITHSCORES =2> ["foo" "-7" "bar" "1"] =3> [["foo" ,-7] ["bar" ,1]]
      ZINCRBY n 0.1 bar => ,1.1 # Redis: *
    `,
    'ZADD with NX, XX, GT and LT': `
      ZADD z 1.5 a => 1
      ZADD z GT CH 2.5 a => 1
      ZADD z GT CH 2.5 a => 0
      ZADD z GT CH 1 a => 0
      ZADD z GT 100 a => 0
      ZADD z LT CH 1.2 a => 1
      ZADD z LT CH 5 a => 0
      ZADD z LT 0.5 a => 0
      ZADD z LT CH 0.4 a 10 new1 20 new2 => 3
      ZADD z NX 1 a 2 b => 1
      ZADD z XX CH 2.5 a 1 none => 1
      ZADD z XX CH 2.5 a => 0
      ZADD z NX XX 1 m => -ERR XX and NX options at the same time are not compatible
      ZADD z GT LT 1 m => -ERR GT, LT, and/or NX options at the same time are not compatible
      ZADD z LT NX 1 m => -ERR GT, LT, and/or NX options at the same time are not compatible
      ZADD z GT NX 1 m => -ERR GT, LT, and/or NX options at the same time are not compatible
      ZADD z GT LT NX 1 m => -ERR GT, LT, and/or NX options at the same time are not compatible
      ZRANGE z 0 -1 WITHSCORES =2> ["b" "2" "a" "2.5" "new1" "10" "new2" "20"] =3> [["b" ,2] ["a" ,2.5] ["new1" ,10] ["new2" ,20]]
    `,
    'scores that are no numbers are refused, and infinite ones are not': `
      ZADD z nan a => -ERR value is not a valid float
      ZADD z one a => -ERR value is not a valid float
      ZADD z 3.3.3 a => -ERR value is not a valid float
      ZADD z "" a => -ERR value is not a valid float
      ZADD z " 1" a => -ERR value is not a valid float
      ZINCRBY z nan a => -ERR value is not a valid float
      ZINCRBY z one a => -ERR value is not a valid float
      ZINCRBY z 3.3.3 a => -ERR value is not a valid float
      EXISTS z => 0
      ZADD z inf a => 1
      ZINCRBY z -inf a => -ERR resulting score is not a number (NaN)
      ZADD z INCR -inf a => -ERR resulting score is not a number (NaN)
      ZADD z +inf b -inf c => 2
      ZRANGE z 0 -1 WITHSCORES =2> ["c" "-inf" "a" "inf" "b" "inf"] =3> [["c" ,-inf] ["a" ,inf] ["b" ,inf]]
    `,
    'words that are missing or too many are refused': `
      ZADD z 10 a 20 => -ERR syntax error
      ZADD z 10 => -ERR wrong number of arguments for 'zadd' command
      ZADD z NX => -ERR wrong number of arguments for 'zadd' command
      ZINCRBY z 10 a 20 b => -ERR wrong number of arguments for 'zincrby' command
      ZINCRBY z 10 => -ERR wrong number of arguments for 'zincrby' command
      ZPOPMIN z 1 1 => -ERR wrong number of arguments for 'zpopmin' command # Redis: -ERR syntax error
      ZPOPMAX z 1 1 => -ERR wrong number of arguments for 'zpopmax' command # Redis: -ERR syntax error
      ZPOPMIN z x => -ERR value is out of range, must be positive
      ZPOPMIN z -1 => -ERR value is out of range, must be positive
      EXISTS z => 0
    `,
    'ZCARD counts, and ZREM of the last member takes the key with it': `
      ZADD z 10 x 20 y => 2
      ZCARD z => 2
      ZCARD none => 0
      ZREM z absent => 0
      ZREM z y => 1
      ZREM z x => 1
      EXISTS z => 0
      ZADD z 10 a 20 b 30 c => 3
      ZREM z x y a b k => 2
      ZREM z foo bar => 0
      ZREM z c d e f => 1
      EXISTS z => 0
      ZREM none a => 0
      ZREM z => -ERR wrong number of arguments for 'zrem' command
    `,
    'ZPOPMIN and ZPOPMAX take from either end': `
      ZADD z 10 a 20 b 30 c => 3
      ZPOPMIN z => ["a" ,10]
      ZPOPMAX z => ["c" ,30]
      ZCARD z => 1
      ZPOPMIN z => ["b" ,20]
      ZPOPMIN z => []
      ZPOPMAX z => []
      ZADD z 10 a 20 b 30 c => 3
      ZPOPMIN z 2 =2> ["a" "10" "b" "20"] =3> [["a" ,10] ["b" ,20]]
      ZPOPMIN z 3 =2> ["c" "30"] =3> [["c" ,30]]
      ZADD z 10 a 20 b 30 c => 3
      ZPOPMAX z 2 =2> ["c" "30" "b" "20"] =3> [["c" ,30] ["b" ,20]]
      ZPOPMAX z 3 =2> ["a" "10"] =3> [["a" ,10]]
      EXISTS z => 0
      ZADD z 1 a => 1
      ZPOPMIN z 0 => []
      ZPOPMIN none 2 => []
    `,
    'BZPOPMIN and BZPOPMAX take at once, wait, or give up': `
      ZADD a 1 a 2 b 3 c => 3
      ZADD b 1 d 2 e => 2
      BZPOPMIN a b 0 => ["a" "a" ,1]
      BZPOPMAX a b 0 => ["a" "c" ,3]
      BZPOPMIN b a 0 => ["b" "d" ,1]
      BZPOPMAX b a 0 => ["b" "e" ,2]
      BZPOPMAX b a 0 => ["a" "b" ,2]
      BZPOPMIN a b 0.01 => nil-array
      BZPOPMAX a b 0.01 => nil-array
      b> BZPOPMIN a b 0 => waits
      ZADD b 1 x 2 y => 2
      b> => ["b" "x" ,1]
      DEL b => 1
      b> BZPOPMAX a b 0 => waits
      ZADD a 1 x 2 y => 2
      b> => ["a" "y" ,2]
      b> BZPOPMAX other 0 => waits
      ZINCRBY other 5 m => ,5
      b> => ["other" "m" ,5]
      BZPOPMIN a -1 => -ERR timeout is negative
      SET s v => OK
      BZPOPMIN s 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'ZMPOP takes from the first that is not empty': `
      ZMPOP 1 none MIN => nil-array
      ZADD a 10 a 20 b 30 c => 3
      ZMPOP 1 a MIN => ["a" [["a" ,10]]]
      ZMPOP 1 a MAX COUNT 10 => ["a" [["c" ,30] ["b" ,20]]]
      ZADD b 40 d 50 e 60 f => 3
      ZMPOP 2 a b MIN COUNT 2 => ["b" [["d" ,40] ["e" ,50]]]
      ZMPOP 2 a b MAX COUNT 10 => ["b" [["f" ,60]]]
      ZMPOP 2 a b MAX COUNT 10 => nil-array
      EXISTS a b => 0
    `,
    'BZMPOP takes at once, waits, or gives up': `
      ZADD a 1 a 2 b 3 c => 3
      ZADD b 1 d 2 e => 2
      BZMPOP 0 1 a MIN => ["a" [["a" ,1]]]
      BZMPOP 0 1 b MAX COUNT 2 => ["b" [["e" ,2] ["d" ,1]]]
      BZMPOP 0 2 b a MIN COUNT 3 => ["a" [["b" ,2] ["c" ,3]]]
      BZMPOP 0.01 2 a b MIN => nil-array
      b> BZMPOP 0 2 a b MIN COUNT 10 => waits
      ZADD b 1 d 2 e => 2
      b> => ["b" [["d" ,1] ["e" ,2]]]
      b> BZMPOP 0 2 a b MAX => waits
      ZADD a 1 x 2 y => 2
      b> => ["a" [["y" ,2]]]
    `,
    'ZMPOP and BZMPOP refuse what makes no sense': `
      ZMPOP 1 a => -ERR wrong number of arguments for 'zmpop' command
      ZMPOP x a b => -ERR numkeys should be greater than 0: not started as an integer # Redis: -ERR numkeys should be greater than 0
      ZMPOP 2 a MIN => -ERR syntax error
      ZMPOP 2 a b MIN MIN => -ERR syntax error
      ZMPOP 1 a MIN MAX => -ERR syntax error
      ZMPOP 1 a MIN COUNT x => -ERR count should be greater than 0: not started as an integer # Redis: -ERR count should be greater than 0
      ZMPOP 1 a MIN COUNT 1 COUNT 10 => -ERR syntax error
      ZMPOP 1 a MIN COUNT 0 => -ERR count should be greater than 0
      ZMPOP 0 a MIN => -ERR numkeys should be greater than 0
      BZMPOP 0 1 a => -ERR wrong number of arguments for 'bzmpop' command
      BZMPOP 0 x a MIN => -ERR numkeys should be greater than 0: not started as an integer # Redis: -ERR numkeys should be greater than 0
      BZMPOP 0 2 a MIN => -ERR syntax error
      BZMPOP 0 1 a MIN MAX => -ERR syntax error
      BZMPOP 0 1 a MIN COUNT x => -ERR count should be greater than 0: not started as an integer # Redis: -ERR count should be greater than 0
      BZMPOP -1 1 a MIN => -ERR timeout is negative
      BZMPOP x 1 a MIN => -ERR timeout is not a float or out of range: not started as a number # Redis: -ERR timeout is not a float or out of range
      SET s v => OK
      ZMPOP 1 s MIN => -WRONGTYPE Operation against a key holding the wrong kind of value
      BZMPOP 0 1 s MIN => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'ZRANGESTORE stores a range over whatever is there': `
      ZADD z 1 a 2 b 3 c 4 d => 4
      ZRANGESTORE r z 0 -1 => 4
      ZRANGE r 0 -1 WITHSCORES =2> ["a" "1" "b" "2" "c" "3" "d" "4"] =3> [["a" ,1] ["b" ,2] ["c" ,3] ["d" ,4]]
      ZRANGESTORE r z 1 2 => 2
      ZRANGE r 0 -1 => ["b" "c"]
      ZRANGESTORE r z 0 1 REV => 2
      ZRANGE r 0 -1 => ["c" "d"]
      ZRANGESTORE r z (1 3 BYSCORE => 2
      ZRANGE r 0 -1 => ["b" "c"]
      ZRANGESTORE r z [b + BYLEX LIMIT 1 1 => 1
      ZRANGE r 0 -1 => ["c"]
      ZRANGESTORE r z 5 6 => 0
      EXISTS r => 0
      SET r v => OK
      ZRANGESTORE r z 0 0 => 1
      TYPE r => zset
      ZRANGESTORE r none 0 -1 => 0
      EXISTS r => 0
      ZRANGESTORE r z 0 => -ERR wrong number of arguments for 'zrangestore' command
      ZRANGESTORE r z => -ERR wrong number of arguments for 'zrangestore' command
      ZRANGESTORE r z 0 -1 WITHSCORES => -ERR syntax error
      ZRANGESTORE r z 0 -1 LIMIT 1 2 => -ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
      ZRANGESTORE r z x y => -ERR value is not an integer or out of range
      ZRANGESTORE r z 0 -1 BYLEX => -ERR min or max not valid string range item: the min is illegal # Redis: -ERR min or max not valid string range item
      SET s v => OK
      ZRANGESTORE r s 0 -1 => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'ZRANGE and ZREVRANGE count from either end and stop at both': `
      ZADD z 1 a 2 b 3 c 4 d => 4
      ZRANGE z 0 -1 => ["a" "b" "c" "d"]
      ZRANGE z 0 -2 => ["a" "b" "c"]
      ZRANGE z 1 -1 => ["b" "c" "d"]
      ZRANGE z 1 -2 => ["b" "c"]
      ZRANGE z -2 -1 => ["c" "d"]
      ZRANGE z -5 2 => ["a" "b" "c"]
      ZRANGE z 3 10 => ["d"]
      ZRANGE z 5 -1 => []
      ZRANGE z -5 -6 => []
      ZRANGE z 0 -1 WITHSCORES =2> ["a" "1" "b" "2" "c" "3" "d" "4"] =3> [["a" ,1] ["b" ,2] ["c" ,3] ["d" ,4]]
      ZRANGE z 0 1 REV WITHSCORES =2> ["d" "4" "c" "3"] =3> [["d" ,4] ["c" ,3]]
      ZREVRANGE z 0 -1 => ["d" "c" "b" "a"]
      ZREVRANGE z 0 -2 => ["d" "c" "b"]
      ZREVRANGE z 1 -2 => ["c" "b"]
      ZREVRANGE z -2 -1 => ["b" "a"]
      ZREVRANGE z -5 2 => ["d" "c" "b"]
      ZREVRANGE z 5 -1 => []
      ZREVRANGE z 0 -1 WITHSCORES =2> ["d" "4" "c" "3" "b" "2" "a" "1"] =3> [["d" ,4] ["c" ,3] ["b" ,2] ["a" ,1]]
      ZRANGE none 0 -1 => []
      ZRANGE z x 1 => -ERR value is not an integer or out of range
      ZRANGE z 0 -1 LIMIT 0 1 => -ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
      ZRANGE z 0 -1 nosuchoption => -ERR syntax error
    `,
    'ZRANK and ZREVRANK number the members from either end': `
      ZADD z 10 x 20 y 30 z => 3
      ZRANK z x => 0
      ZRANK z z => 2
      ZRANK z none => nil
      ZREVRANK z x => 2
      ZREVRANK z z => 0
      ZREVRANK z none => nil
      ZRANK none x => nil
      ZREM z y => 1
      ZRANK z x => 0
      ZRANK z z => 1
      ZREVRANK z x => 1
      ZREVRANK z z => 0
    `,
    'ZRANGEBYSCORE, ZREVRANGEBYSCORE and ZCOUNT': `
      ZADD z -inf a 1 b 2 c 3 d 4 e 5 f +inf g => 7
      ZRANGEBYSCORE z -inf 2 => ["a" "b" "c"]
      ZRANGEBYSCORE z 0 3 => ["b" "c" "d"]
      ZRANGEBYSCORE z 3 6 => ["d" "e" "f"]
      ZRANGEBYSCORE z 4 +inf => ["e" "f" "g"]
      ZREVRANGEBYSCORE z 2 -inf => ["c" "b" "a"]
      ZREVRANGEBYSCORE z 3 0 => ["d" "c" "b"]
      ZREVRANGEBYSCORE z +inf 4 => ["g" "f" "e"]
      ZCOUNT z 0 3 => 3
      ZRANGEBYSCORE z (-inf (2 => ["b"]
      ZRANGEBYSCORE z (0 (3 => ["b" "c"]
      ZRANGEBYSCORE z (4 (+inf => ["f"]
      ZREVRANGEBYSCORE z (2 (-inf => ["b"]
      ZREVRANGEBYSCORE z (+inf (4 => ["f"]
      ZCOUNT z (0 (3 => 2
      ZRANGEBYSCORE z 4 2 => []
      ZRANGEBYSCORE z (2 (2 => []
      ZRANGEBYSCORE z 2.4 2.6 => []
      ZRANGEBYSCORE z 0 3 WITHSCORES =2> ["b" "1" "c" "2" "d" "3"] =3> [["b" ,1] ["c" ,2] ["d" ,3]]
      ZREVRANGEBYSCORE z 3 0 WITHSCORES =2> ["d" "3" "c" "2" "b" "1"] =3> [["d" ,3] ["c" ,2] ["b" ,1]]
      ZRANGE z 0 3 BYSCORE => ["b" "c" "d"]
      ZRANGE z 3 0 BYSCORE REV => ["d" "c" "b"]
      ZRANGEBYSCORE z str 1 => -ERR min or max is not a float: not a double # Redis: -ERR min or max is not a float
      ZRANGEBYSCORE z 1 str => -ERR min or max is not a float: not a double # Redis: -ERR min or max is not a float
      ZRANGEBYSCORE z 1 NaN => -ERR min or max is not a float: not a double # Redis: -ERR min or max is not a float
      ZREVRANGEBYSCORE z 1 str => -ERR min or max is not a float: not a double # Redis: -ERR min or max is not a float
      ZCOUNT z 1 str => -ERR min or max is not a float: not a double # Redis: -ERR min or max is not a float
      ZCOUNT none 0 1 => 0
      ZRANGEBYSCORE none 0 1 => []
    `,
    'LIMIT skips and counts in ranges of scores': `
      ZADD z -inf a 1 b 2 c 3 d 4 e 5 f +inf g => 7
      ZRANGEBYSCORE z 0 10 LIMIT 0 2 => ["b" "c"]
      ZRANGEBYSCORE z 0 10 LIMIT 2 3 => ["d" "e" "f"]
      ZRANGEBYSCORE z 0 10 LIMIT 2 10 => ["d" "e" "f"]
      ZRANGEBYSCORE z 0 10 LIMIT 20 10 => []
      ZRANGEBYSCORE z 0 10 LIMIT 2 -1 => ["d" "e" "f"]
      ZREVRANGEBYSCORE z 10 0 LIMIT 0 2 => ["f" "e"]
      ZREVRANGEBYSCORE z 10 0 LIMIT 2 3 => ["d" "c" "b"]
      ZREVRANGEBYSCORE z 10 0 LIMIT 20 10 => []
      ZRANGEBYSCORE z 2 5 LIMIT 2 3 WITHSCORES =2> ["e" "4" "f" "5"] =3> [["e" ,4] ["f" ,5]]
      ZREVRANGEBYSCORE z 5 2 LIMIT 2 3 WITHSCORES =2> ["d" "3" "c" "2"] =3> [["d" ,3] ["c" ,2]]
      ZRANGEBYSCORE z 0 10 LIMIT -1 2 => []
      ZRANGEBYSCORE z 0 10 LIMIT x 2 => -ERR value is not an integer or out of range
      ZRANGEBYSCORE z 0 10 LIMIT 0 => -ERR syntax error
    `,
    'ZRANGEBYLEX, ZREVRANGEBYLEX and ZLEXCOUNT': `
      ZADD z 0 alpha 0 bar 0 cool 0 down 0 elephant 0 foo 0 great 0 hill 0 omega => 9
      ZRANGEBYLEX z - [cool => ["alpha" "bar" "cool"]
      ZRANGEBYLEX z [bar [down => ["bar" "cool" "down"]
      ZRANGEBYLEX z [g + => ["great" "hill" "omega"]
      ZREVRANGEBYLEX z [cool - => ["cool" "bar" "alpha"]
      ZREVRANGEBYLEX z [down [bar => ["down" "cool" "bar"]
      ZREVRANGEBYLEX z + [d => ["omega" "hill" "great" "foo" "elephant" "down"]
      ZLEXCOUNT z [ele [h => 3
      ZRANGEBYLEX z - (cool => ["alpha" "bar"]
      ZRANGEBYLEX z (bar (down => ["cool"]
      ZRANGEBYLEX z (great + => ["hill" "omega"]
      ZREVRANGEBYLEX z (cool - => ["bar" "alpha"]
      ZREVRANGEBYLEX z (down (bar => ["cool"]
      ZREVRANGEBYLEX z + (great => ["omega" "hill"]
      ZLEXCOUNT z (ele (great => 2
      ZRANGEBYLEX z (az (b => []
      ZRANGEBYLEX z (z + => []
      ZRANGEBYLEX z - [aaaa => []
      ZRANGEBYLEX z + - => []
      ZREVRANGEBYLEX z [a [g => []
      ZLEXCOUNT z - + => 9
      ZLEXCOUNT z + - => -ERR min > max # Redis: 0
      ZRANGEBYLEX z - [cool LIMIT 0 2 => ["alpha" "bar"]
      ZRANGEBYLEX z - [cool LIMIT 1 2 => ["bar" "cool"]
      ZRANGEBYLEX z [bar [down LIMIT 0 0 => []
      ZRANGEBYLEX z [bar [down LIMIT 2 2 => ["down"]
      ZRANGEBYLEX z [bar [down LIMIT 0 -1 => ["bar" "cool" "down"]
      ZREVRANGEBYLEX z + [d LIMIT 0 5 => ["omega" "hill" "great" "foo" "elephant"]
      ZREVRANGEBYLEX z + [d LIMIT 0 4 => ["omega" "hill" "great" "foo"]
      ZRANGE z [bar [down BYLEX => ["bar" "cool" "down"]
      ZRANGE z [down [bar BYLEX REV => ["down" "cool" "bar"]
      ZRANGEBYLEX z foo bar => -ERR min or max not valid string range item: the min is illegal # Redis: -ERR min or max not valid string range item
      ZRANGEBYLEX z [foo bar => -ERR min or max not valid string range item: the max is illegal # Redis: -ERR min or max not valid string range item
      ZRANGEBYLEX z foo [bar => -ERR min or max not valid string range item: the min is illegal # Redis: -ERR min or max not valid string range item
      ZRANGEBYLEX z +x [bar => -ERR min or max not valid string range item: the min is illegal # Redis: -ERR min or max not valid string range item
      ZLEXCOUNT z x [y => -ERR min or max not valid string range item: the min is illegal # Redis: -ERR min or max not valid string range item
      ZLEXCOUNT z [x y => -ERR min or max not valid string range item: the max is illegal # Redis: -ERR min or max not valid string range item
      ZLEXCOUNT none - + => 0
    `,
    'ZREMRANGEBYSCORE removes a range of scores': `
      ZADD z 1 a 2 b 3 c 4 d 5 e => 5
      ZREMRANGEBYSCORE z 2 4 => 3
      ZRANGE z 0 -1 => ["a" "e"]
      ZADD z 2 b 3 c 4 d => 3
      ZREMRANGEBYSCORE z -10 0 => 0
      ZREMRANGEBYSCORE z 10 12 => 0
      ZREMRANGEBYSCORE z (1 (3 => 1
      ZREMRANGEBYSCORE z (3 +inf => 2
      ZRANGE z 0 -1 => ["a" "c"]
      ZREMRANGEBYSCORE z str 1 => -ERR min or max is not a float: not a double # Redis: -ERR min or max is not a float
      ZREMRANGEBYSCORE z 1 NaN => -ERR min or max is not a float: not a double # Redis: -ERR min or max is not a float
      ZREMRANGEBYSCORE z -inf +inf => 2
      EXISTS z => 0
      ZREMRANGEBYSCORE none 0 1 => 0
    `,
    'ZREMRANGEBYRANK removes a range of ranks, ZREMRANGEBYLEX one of names': `
      ZADD z 1 a 2 b 3 c 4 d 5 e => 5
      ZREMRANGEBYRANK z 1 3 => 3
      ZRANGE z 0 -1 => ["a" "e"]
      ZREMRANGEBYRANK z 5 10 => 0
      ZREMRANGEBYRANK z -1 -1 => 1
      ZREMRANGEBYRANK z 0 0 => 1
      EXISTS z => 0
      ZADD z 0 a 0 b 0 c 0 d => 4
      ZREMRANGEBYLEX z [b (d => 2
      ZRANGE z 0 -1 => ["a" "d"]
      ZREMRANGEBYLEX z - + => 2
      EXISTS z => 0
      ZREMRANGEBYRANK z x 1 => -ERR value is not an integer or out of range
      ZREMRANGEBYLEX z a b => -ERR min or max not valid string range item: the min is illegal # Redis: -ERR min or max not valid string range item
    `,
    'ZRANDMEMBER gives each member once, or as many as are asked for with repeats': `
      ZADD z 1.5 only => 1
      ZRANDMEMBER z => "only"
      ZRANDMEMBER z 5 => ["only"]
      ZRANDMEMBER z -3 => ["only" "only" "only"]
      ZRANDMEMBER z 5 WITHSCORES =2> ["only" "1.5"] =3> [["only" ,1.5]]
      ZRANDMEMBER z -2 WITHSCORES =2> ["only" "1.5" "only" "1.5"] =3> [["only" ,1.5] ["only" ,1.5]]
      ZRANDMEMBER z 0 => []
      ZRANDMEMBER none => nil
      ZRANDMEMBER none 5 => []
      ZRANDMEMBER z x => -ERR value is not an integer or out of range
      ZRANDMEMBER z 1 nosuchoption => -ERR syntax error
    `,
    'ZMSCORE gives a score for each member, nil where there is none': `
      ZADD z 1 a 2.5 b => 2
      ZMSCORE z a none b => [,1 nil ,2.5]
      ZMSCORE none a => [nil]
      ZMSCORE z => -ERR wrong number of arguments for 'zmscore' command
      SET s v => OK
      ZMSCORE s a => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'sorted-set commands refuse other types': `
      SET s v => OK
      ZADD s 1 a => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZCARD s => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZSCORE s a => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZRANGE s 0 -1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZRANK s a => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZINCRBY s 1 a => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZREM s a => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZCOUNT s 0 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZPOPMIN s => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
  },
)

test('a sorted set is what a sorted array of its members would be', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const scores = new Map<string, number>()
  for (let step = 0; step < 2000; step++) {
    const member = `m${(step * 7919) % 600}`
    if (step % 5 === 4) {
      t.equal(await client.value('zrem', 'z', member), scores.delete(member) ? 1 : 0)
      continue
    }
    const score = step % 3 === 0 ? step % 50 : ((step * 31) % 997) / 8 - 60
    t.equal(await client.value('zadd', 'z', score, member), scores.has(member) ? 0 : 1)
    scores.set(member, score)
  }
  const ordered = [...scores].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
  const members = ordered.map(([member]) => member)
  t.same(await client.value('zrange', 'z', 0, -1), members)
  t.same(await client.value('zrevrange', 'z', 0, -1), members.toReversed())
  t.same(await client.value('zrangebyscore', 'z', '-inf', '+inf'), members)
  for (const [rank, [member, score]] of ordered.entries()) {
    t.equal(await client.value('zscore', 'z', member), String(score))
    t.equal(await client.value('zrank', 'z', member), rank)
    t.equal(await client.value('zrevrank', 'z', member), members.length - 1 - rank)
  }
  for (let min = -70; min < 70; min += 7) {
    for (const max of [min, min + 0.125, min + 30]) {
      const inside = ordered.filter(([, score]) => score >= min && score <= max).map(([member]) => member)
      const between = ordered.filter(([, score]) => score > min && score < max).map(([member]) => member)
      t.same(await client.value('zrangebyscore', 'z', min, max), inside)
      t.same(await client.value('zrevrangebyscore', 'z', max, min), inside.toReversed())
      t.same(await client.value('zrangebyscore', 'z', `(${min}`, `(${max}`), between)
      t.equal(await client.value('zcount', 'z', min, max), inside.length)
    }
  }
})

test('names of one score are what a sorted array would be', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  const names = Array.from({ length: 300 }, (_, index) => `${'abc'[index % 3]}${(index * 7919) % 300}`).sort()
  await client.run('zadd', 'z', ...names.toReversed().flatMap((name) => [0, name]))
  const bounds = ['a', 'a1', 'a299', 'b', 'b15', 'bzz', 'c', 'd']
  for (const min of bounds) {
    for (const max of bounds) {
      const inside = names.filter((name) => name >= min && name <= max)
      const between = names.filter((name) => name > min && name < max)
      t.same(await client.value('zrangebylex', 'z', `[${min}`, `[${max}`), inside)
      t.same(await client.value('zrevrangebylex', 'z', `(${max}`, `(${min}`), between.toReversed())
      t.equal(await client.value('zlexcount', 'z', `[${min}`, `(${max}`), inside.filter((name) => name < max).length)
      await client.run('copy', 'z', 'copy', 'replace')
      t.equal(await client.value('zremrangebylex', 'copy', `[${min}`, `[${max}`), inside.length)
      t.same(
        await client.value('zrange', 'copy', 0, -1),
        names.filter((name) => !inside.includes(name)),
      )
    }
  }
})
