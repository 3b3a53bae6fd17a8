/** Unions, intersections and differences of sorted sets. */

import { TXN_CONTEXTS_AND_RESP3, transcripts } from '../support/transcripts.js'

transcripts(
  'operations on several sorted sets',
  { configs: TXN_CONTEXTS_AND_RESP3 },
  {
    'ZUNIONSTORE, with weights and each way to combine': `
      ZUNIONSTORE r 1 none => 0
      EXISTS r => 0
      ZADD a 1 a 2 b 3 c => 3
      ZADD b 1 b 2 c 3 d => 3
      ZUNIONSTORE r 2 a none => 3
      ZRANGE r 0 -1 WITHSCORES =2> ["a" "1" "b" "2" "c" "3"] =3> [["a" ,1] ["b" ,2] ["c" ,3]]
      ZUNIONSTORE r 2 a b => 4
      ZRANGE r 0 -1 WITHSCORES =2> ["a" "1" "b" "3" "d" "3" "c" "5"] =3> [["a" ,1] ["b" ,3] ["d" ,3] ["c" ,5]]
      ZUNIONSTORE r 2 a b WEIGHTS 2 3 => 4
      ZRANGE r 0 -1 WITHSCORES =2> ["a" "2" "b" "7" "d" "9" "c" "12"] =3> [["a" ,2] ["b" ,7] ["d" ,9] ["c" ,12]]
      ZUNIONSTORE r 2 a b AGGREGATE MIN => 4
      ZRANGE r 0 -1 WITHSCORES =2> ["a" "1" "b" "1" "c" "2" "d" "3"] =3> [["a" ,1] ["b" ,1] ["c" ,2] ["d" ,3]]
      ZUNIONSTORE r 2 a b AGGREGATE MAX => 4
      ZRANGE r 0 -1 WITHSCORES =2> ["a" "1" "b" "2" "c" "3" "d" "3"] =3> [["a" ,1] ["b" ,2] ["c" ,3] ["d" ,3]]
      ZUNIONSTORE r 2 a b WEIGHTS 2 3 AGGREGATE SUM => 4
      ZADD i -inf neginf => 1
      ZADD j +inf neginf => 1
      ZUNIONSTORE r 2 i j => 1
      ZRANGE r 0 -1 WITHSCORES =2> ["neginf" "0"] =3> [["neginf" ,0]]
      SADD s a x => 2
      ZUNIONSTORE r 2 a s => 4
      ZRANGE r 0 -1 WITHSCORES =2> ["x" "1" "a" "2" "b" "2" "c" "3"] =3> [["x" ,1] ["a" ,2] ["b" ,2] ["c" ,3]]
      ZUNIONSTORE a 2 a b => 4
      ZRANGE a 0 -1 WITHSCORES =2> ["a" "1" "b" "3" "d" "3" "c" "5"] =3> [["a" ,1] ["b" ,3] ["d" ,3] ["c" ,5]]
    `,
    'operations on several refuse what makes no sense': `
      ZUNIONSTORE r x a => -ERR value is not an integer or out of range
      ZUNIONSTORE r 3.3 a => -ERR value is not an integer or out of range
      ZUNIONSTORE r 0 a => -ERR at least 1 input key is needed for 'zunionstore' command
      ZUNIONSTORE r 2 a => -ERR syntax error
      ZUNIONSTORE r 1 a WEIGHTS one => -ERR weight value is not a float: weight is not a double or out of range # Redis: -ERR weight value is not a float
      ZUNIONSTORE r 1 a WEIGHTS 3.3.3 => -ERR weight value is not a float: weight is not a double or out of range # Redis: -ERR weight value is not a float
      ZUNIONSTORE r 1 a WEIGHTS nan => -ERR weight value is not a float: weight is not a double or out of range # Redis: -ERR weight value is not a float
      ZUNIONSTORE r 1 a WEIGHTS => -ERR syntax error
      ZUNIONSTORE r 1 a AGGREGATE xxx => -ERR syntax error, aggregate param error # Redis: -ERR syntax error
      ZUNIONSTORE r 1 a AGGREGATE => -ERR syntax error
      ZUNION x a => -ERR value is not an integer or out of range
      ZUNION 0 a => -ERR at least 1 input key is needed for 'zunion' command
      ZUNION 2 a => -ERR syntax error
      ZUNION 1 a WEIGHTS x => -ERR weight value is not a float: weight is not a double or out of range # Redis: -ERR weight value is not a float
      ZUNION 1 a AGGREGATE x => -ERR syntax error, aggregate param error # Redis: -ERR syntax error
      ZUNION 1 a nosuchoption => -ERR syntax error
      ZINTER 0 a => -ERR at least 1 input key is needed for 'zinter' command
      ZDIFF 0 a => -ERR at least 1 input key is needed for 'zdiff' command
      ZDIFF 1 a WEIGHTS 1 => -ERR syntax error
      ZINTERCARD 0 a => -ERR at least 1 input key is needed for 'zintercard' command
      ZINTERCARD 1 a LIMIT -1 => -ERR LIMIT can't be negative
      ZINTERCARD 1 a LIMIT x => -ERR LIMIT can't be negative
      SET s v => OK
      ZUNIONSTORE r 1 s => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZUNION 1 s => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZINTER 1 s => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZDIFF 1 s => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZINTERCARD 1 s => -WRONGTYPE Operation against a key holding the wrong kind of value
    `,
    'ZUNION, with weights and each way to combine': `
      ZADD a 1 a 2 b 3 c => 3
      ZADD b 1 b 2 c 3 d => 3
      ZUNION 2 a b => ["a" "b" "d" "c"]
      ZUNION 2 a b WITHSCORES =2> ["a" "1" "b" "3" "d" "3" "c" "5"] =3> [["a" ,1] ["b" ,3] ["d" ,3] ["c" ,5]]
      ZUNION 2 a none WITHSCORES =2> ["a" "1" "b" "2" "c" "3"] =3> [["a" ,1] ["b" ,2] ["c" ,3]]
      ZUNION 2 a b WEIGHTS 2 3 WITHSCORES =2> ["a" "2" "b" "7" "d" "9" "c" "12"] =3> [["a" ,2] ["b" ,7] ["d" ,9] ["c" ,12]]
      ZUNION 2 a b AGGREGATE MIN WITHSCORES =2> ["a" "1" "b" "1" "c" "2" "d" "3"] =3> [["a" ,1] ["b" ,1] ["c" ,2] ["d" ,3]]
      ZUNION 2 a b AGGREGATE MAX WITHSCORES =2> ["a" "1" "b" "2" "c" "3" "d" "3"] =3> [["a" ,1] ["b" ,2] ["c" ,3] ["d" ,3]]
      ZADD p 0 m => 1
      ZADD n -0 m => 1
      ZUNION 2 p n AGGREGATE MIN WITHSCORES =2> ["m" "0"] =3> [["m" ,0]]
      ZUNION 2 n p AGGREGATE MIN WITHSCORES =2> ["m" "-0"] =3> [["m" ,-0]] # Redis: *
      ZUNION 2 p n AGGREGATE MAX WITHSCORES =2> ["m" "0"] =3> [["m" ,0]]
      ZUNION 2 n p AGGREGATE MAX WITHSCORES =2> ["m" "-0"] =3> [["m" ,-0]] # Redis: *
      ZUNION 1 none => []
    `,
    'ZINTERSTORE, ZINTER and ZINTERCARD': `
      ZADD a 1 a 2 b 3 c => 3
      ZADD b 1 b 2 c 3 d => 3
      ZINTERSTORE r 2 a b => 2
      ZRANGE r 0 -1 WITHSCORES =2> ["b" "3" "c" "5"] =3> [["b" ,3] ["c" ,5]]
      ZINTERSTORE r 2 a b WEIGHTS 2 3 => 2
      ZRANGE r 0 -1 WITHSCORES =2> ["b" "7" "c" "12"] =3> [["b" ,7] ["c" ,12]]
      ZINTERSTORE r 2 a b AGGREGATE MIN => 2
      ZRANGE r 0 -1 WITHSCORES =2> ["b" "1" "c" "2"] =3> [["b" ,1] ["c" ,2]]
      ZINTERSTORE r 2 a b AGGREGATE MAX => 2
      ZRANGE r 0 -1 WITHSCORES =2> ["b" "2" "c" "3"] =3> [["b" ,2] ["c" ,3]]
      ZINTERSTORE r 2 a none => 0
      EXISTS r => 0
      ZINTER 2 a b => ["b" "c"]
      ZINTER 2 a b WITHSCORES =2> ["b" "3" "c" "5"] =3> [["b" ,3] ["c" ,5]]
      ZINTER 2 a b WEIGHTS 2 3 WITHSCORES =2> ["b" "7" "c" "12"] =3> [["b" ,7] ["c" ,12]]
      ZINTER 2 a b AGGREGATE MIN WITHSCORES =2> ["b" "1" "c" "2"] =3> [["b" ,1] ["c" ,2]]
      ZINTER 2 a b AGGREGATE MAX WEIGHTS 1 10 WITHSCORES =2> ["b" "10" "c" "20"] =3> [["b" ,10] ["c" ,20]]
      ZINTER 2 a none => []
      ZINTERCARD 2 a b => 2
      ZINTERCARD 2 a b LIMIT 0 => 2
      ZINTERCARD 2 a b LIMIT 1 => 1
      ZINTERCARD 2 a b LIMIT 10 => 2
      ZINTERCARD 2 a none => 0
    `,
    'infinite scores and weights combine to no NaN': `
      ZADD a inf x => 1
      ZADD b inf x => 1
      ZUNIONSTORE r 2 a b => 1
      ZRANGE r 0 -1 WITHSCORES =2> ["x" "inf"] =3> [["x" ,inf]]
      ZINTERSTORE r 2 a b => 1
      ZRANGE r 0 -1 WITHSCORES =2> ["x" "inf"] =3> [["x" ,inf]]
      ZADD b -inf x => 0
      ZUNIONSTORE r 2 a b => 1
      ZRANGE r 0 -1 WITHSCORES =2> ["x" "0"] =3> [["x" ,0]]
      ZINTERSTORE r 2 a b => 1
      ZRANGE r 0 -1 WITHSCORES =2> ["x" "0"] =3> [["x" ,0]]
      ZADD c 0 x => 1
      ZUNIONSTORE r 2 a c WEIGHTS 1 inf => 1
      ZRANGE r 0 -1 WITHSCORES =2> ["x" "inf"] =3> [["x" ,inf]]
      ZUNIONSTORE r 2 a b WEIGHTS nan nan => -ERR weight value is not a float: weight is not a double or out of range # Redis: -ERR weight value is not a float
      ZINTERSTORE r 2 a b WEIGHTS nan nan => -ERR weight value is not a float: weight is not a double or out of range # Redis: -ERR weight value is not a float
      ZUNIONSTORE r 1 c WEIGHTS -inf => 1
      ZRANGE r 0 -1 WITHSCORES =2> ["x" "0"] =3> [["x" ,0]]
    `,
    'ZDIFF and ZDIFFSTORE': `
      ZADD a 1 a 2 b 3 c 4 d => 4
      ZADD b 1 b => 1
      ZADD c 5 c 6 x => 2
      ZDIFF 2 a b => ["a" "c" "d"]
      ZDIFF 3 a b c => ["a" "d"]
      ZDIFF 3 a b c WITHSCORES =2> ["a" "1" "d" "4"] =3> [["a" ,1] ["d" ,4]]
      ZDIFF 2 a none => ["a" "b" "c" "d"]
      ZDIFF 2 a none WITHSCORES =2> ["a" "1" "b" "2" "c" "3" "d" "4"] =3> [["a" ,1] ["b" ,2] ["c" ,3] ["d" ,4]]
      ZDIFF 2 none a => []
      ZDIFF 2 none a WITHSCORES => []
      ZDIFF 2 a a => []
      ZDIFF 2 a a WITHSCORES => []
      ZDIFF 1 none => []
      ZDIFFSTORE r 3 a b c => 2
      ZRANGE r 0 -1 WITHSCORES =2> ["a" "1" "d" "4"] =3> [["a" ,1] ["d" ,4]]
      ZDIFFSTORE r 2 none a => 0
      EXISTS r => 0
      ZDIFFSTORE r 2 a none => 4
      ZRANGE r 0 -1 => ["a" "b" "c" "d"]
      ZDIFFSTORE r 1 none => 0
      EXISTS r => 0
    `,
  },
)
