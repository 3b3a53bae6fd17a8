/** SORT of lists, sets and sorted sets. */

import { transcripts } from '../support/transcripts.js'

transcripts(
  'SORT',
  {},
  {
    'SORT refuses what it does not understand': `
      RPUSH l 5 4 3 2 1 => 5
      SORT => -ERR wrong number of arguments for 'sort' command
      SORT l BadArg => -ERR syntax error
      SORT l LIMIT => -ERR syntax error
      SORT l LIMIT 1 => -ERR syntax error
      SORT l LIMIT 1 x => -ERR value is not an integer or out of range
      SORT l STORE => -ERR syntax error
      SORT l BY => -ERR syntax error
      SORT l GET => -ERR syntax error
      SORT_RO l STORE r => -ERR syntax error
      HSET h f v => 1
      SORT h => -WRONGTYPE Operation against a key holding the wrong kind of value
      SORT none => []
    `,
    'elements are sorted as numbers': `
      RPUSH l 30 1.5 10 8 => 4
      SORT l => ["1.5" "8" "10" "30"]
      SORT l ASC => ["1.5" "8" "10" "30"]
      SORT l DESC => ["30" "10" "8" "1.5"]
      SORT_RO l ASC => ["1.5" "8" "10" "30"]
      SORT_RO l DESC => ["30" "10" "8" "1.5"]
      SADD s 30 1.5 10 8 => 4
      SORT s => ["1.5" "8" "10" "30"]
      SORT s DESC => ["30" "10" "8" "1.5"]
      SORT_RO s DESC => ["30" "10" "8" "1.5"]
      ZADD z 1 30 2 1.5 3 10 4 8 => 4
      SORT z => ["1.5" "8" "10" "30"]
      SORT z DESC => ["30" "10" "8" "1.5"]
      SORT_RO z => ["1.5" "8" "10" "30"]
    `,
    'elements are sorted as text with ALPHA': `
      RPUSH l www.reddit.com www.slashdot.com www.infoq.com => 3
      SORT l ALPHA => ["www.infoq.com" "www.reddit.com" "www.slashdot.com"]
      SORT l ALPHA DESC => ["www.slashdot.com" "www.reddit.com" "www.infoq.com"]
      SORT l => -ERR One or more scores can't be converted into double
      SADD s www.reddit.com www.slashdot.com www.infoq.com => 3
      SORT s ALPHA => ["www.infoq.com" "www.reddit.com" "www.slashdot.com"]
      SORT s => -ERR One or more scores can't be converted into double
      ZADD z 1 www.reddit.com 2 www.slashdot.com 3 www.infoq.com => 3
      SORT z ALPHA => ["www.infoq.com" "www.reddit.com" "www.slashdot.com"]
      SORT z => -ERR One or more scores can't be converted into double
    `,
    'LIMIT skips and counts': `
      RPUSH l 1 3 5 7 9 2 4 6 8 10 => 10
      SORT l LIMIT 0 5 => ["1" "2" "3" "4" "5"]
      SORT l LIMIT 0 5 DESC => ["10" "9" "8" "7" "6"]
      SORT l LIMIT 10 0 => []
      SORT l LIMIT 10 1 => []
      SORT l LIMIT 11 1 => []
      SORT l LIMIT 8 -1 => ["9" "10"]
      SADD s 1 3 5 7 9 2 4 6 8 10 => 10
      SORT s LIMIT 0 5 => ["1" "2" "3" "4" "5"]
      SORT s LIMIT 8 5 DESC => ["2" "1"]
      ZADD z 1 1 2 3 3 5 4 7 5 9 6 2 7 4 8 6 9 8 10 10 => 10
      SORT z LIMIT 0 5 => ["1" "2" "3" "4" "5"]
      SORT z LIMIT 8 5 => ["9" "10"]
      SORT z BY nosort LIMIT 2 3 => ["5" "7" "9"]
    `,
    'what is stored of a set has an order, also where none is asked for': `
      SADD s c a d b => 4
      SORT s BY nosort STORE r => 4
      LRANGE r 0 -1 => ["a" "b" "c" "d"]
      SORT s BY nosort DESC STORE r => 4
      LRANGE r 0 -1 => ["d" "c" "b" "a"]
    `,
    'LIMIT with a negative offset': `
      RPUSH l 1 3 2 => 3
      SORT l LIMIT -1 0 => []
      SORT l LIMIT -1 1 => ["1"]
      SORT l LIMIT -2 2 => ["1" "2"]
      SORT l LIMIT -2 -1 => ["1" "2" "3"]
    `,
    'BY and GET look up other keys, and fields of hashes': `
      MSET level_1 9999 level_2 10 level_3 25 level_4 70 name_1 admin name_2 jack name_3 peter name_4 mary => OK
      HSET info_1 name admin level 9999 => 2
      HSET info_2 name jack level 10 => 2
      HSET info_3 name peter level 25 => 2
      HSET info_4 name mary level 70 => 2
      LPUSH l 1 2 3 4 => 4
      SORT l BY level_* => ["2" "3" "4" "1"]
      SORT l GET name_* => ["admin" "jack" "peter" "mary"]
      SORT l BY level_* GET name_* => ["jack" "peter" "mary" "admin"]
      SORT l GET level_* GET name_* => ["9999" "admin" "10" "jack" "25" "peter" "70" "mary"]
      SORT l GET # GET level_* GET name_* => ["1" "9999" "admin" "2" "10" "jack" "3" "25" "peter" "4" "70" "mary"]
      SORT l BY nosuchkey => ["4" "3" "2" "1"]
      SORT l BY nosuchkey LIMIT 1 2 => ["3" "2"]
      SORT l BY nosuchkey LIMIT 4 1 => []
      SORT l BY nosuchkey LIMIT 1 -1 => ["3" "2" "1"]
      SORT l BY nosuchkey DESC => ["1" "2" "3" "4"]
      SORT l BY nosuchkey GET # GET level_* => ["4" "70" "3" "25" "2" "10" "1" "9999"]
      SORT l BY info_*->level => ["2" "3" "4" "1"]
      SORT l BY info_*->level GET info_*->name => ["jack" "peter" "mary" "admin"]
      SADD s 1 2 3 4 => 4
      SORT s BY level_* => ["2" "3" "4" "1"]
      SORT s BY level_* GET name_* => ["jack" "peter" "mary" "admin"]
      SORT s BY info_*->level GET info_*->name => ["jack" "peter" "mary" "admin"]
      ZADD z 4 1 3 2 2 3 1 4 => 4
      SORT z BY level_* => ["2" "3" "4" "1"]
      SORT z BY nosuchkey => ["4" "3" "2" "1"]
      SORT z BY nosuchkey DESC => ["1" "2" "3" "4"]
      SORT z BY info_*->level GET # GET info_*->name => ["2" "jack" "3" "peter" "4" "mary" "1" "admin"]
      LPUSH few 4 5 6 => 3
      MSET name_5 tom level_5 -1 => OK
      SORT few GET name_* => ["mary" "tom" nil]
      SORT few BY level_* => ["5" "6" "4"]
      SET name_6 "" => OK
      SORT few GET name_* => ["mary" "tom" ""]
      SORT few GET none_*->f => [nil nil nil]
    `,
    'STORE keeps the result as a list': `
      RPUSH l 1 3 5 7 9 2 4 6 8 10 => 10
      SORT l STORE r => 10
      LRANGE r 0 -1 => ["1" "2" "3" "4" "5" "6" "7" "8" "9" "10"]
      LPUSH k 123 3 21 => 3
      SORT k BY nosuchkey STORE r => 3
      LRANGE r 0 -1 => ["21" "3" "123"]
      MSET name_123 mary name_3 tom => OK
      SORT k GET name_* STORE r => 3
      LRANGE r 0 -1 => ["tom" "" "mary"]
      SADD s 3 1 2 => 3
      SORT s DESC STORE r => 3
      LRANGE r 0 -1 => ["3" "2" "1"]
      ZADD z 1 b 2 a => 2
      SORT z ALPHA STORE r => 2
      LRANGE r 0 -1 => ["a" "b"]
      SET r x => OK
      SORT none STORE r => 0
      EXISTS r => 0
    `,
  },
)
