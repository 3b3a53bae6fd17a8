/** Commands of one type on keys of another. */

import { transcripts } from '../support/transcripts.js'

transcripts(
  'types',
  {},
  {
    'each type refuses the commands of the others': `
      SET string v => OK
      HSET hash f v => 1
      LPUSH list e => 1
      SADD set m => 1
      ZADD zset 1 m => 1
      XADD stream 1-1 f v => "1-1"
      GET hash => -WRONGTYPE Operation against a key holding the wrong kind of value
      GET list => -WRONGTYPE Operation against a key holding the wrong kind of value
      APPEND set x => -WRONGTYPE Operation against a key holding the wrong kind of value
      STRLEN zset => -WRONGTYPE Operation against a key holding the wrong kind of value
      INCR stream => -WRONGTYPE Operation against a key holding the wrong kind of value
      SETRANGE hash 0 x => -WRONGTYPE Operation against a key holding the wrong kind of value
      HGET string f => -WRONGTYPE Operation against a key holding the wrong kind of value
      HSET list f v => -WRONGTYPE Operation against a key holding the wrong kind of value
      HLEN set => -WRONGTYPE Operation against a key holding the wrong kind of value
      HGETALL zset => -WRONGTYPE Operation against a key holding the wrong kind of value
      HDEL stream f => -WRONGTYPE Operation against a key holding the wrong kind of value
      LPUSH string e => -WRONGTYPE Operation against a key holding the wrong kind of value
      LLEN hash => -WRONGTYPE Operation against a key holding the wrong kind of value
      LRANGE set 0 -1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      LPOP zset => -WRONGTYPE Operation against a key holding the wrong kind of value
      RPOP stream => -WRONGTYPE Operation against a key holding the wrong kind of value
      SADD string m => -WRONGTYPE Operation against a key holding the wrong kind of value
      SCARD hash => -WRONGTYPE Operation against a key holding the wrong kind of value
      SMEMBERS list => -WRONGTYPE Operation against a key holding the wrong kind of value
      SREM zset m => -WRONGTYPE Operation against a key holding the wrong kind of value
      SINTER stream => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZADD string 1 m => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZCARD hash => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZRANGE list 0 -1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZSCORE set m => -WRONGTYPE Operation against a key holding the wrong kind of value
      ZREM stream m => -WRONGTYPE Operation against a key holding the wrong kind of value
      XADD string 1-1 f v => -WRONGTYPE Operation against a key holding the wrong kind of value
      XLEN hash => -WRONGTYPE Operation against a key holding the wrong kind of value
      XRANGE list - + => -WRONGTYPE Operation against a key holding the wrong kind of value
      XDEL set 1-1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      XREAD STREAMS zset 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
      GEOADD string 1 1 m => -WRONGTYPE Operation against a key holding the wrong kind of value
      PFADD list a => -WRONGTYPE Operation against a key holding the wrong kind of value
      SETBIT hash 1 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      BITCOUNT list => -WRONGTYPE Operation against a key holding the wrong kind of value
      TYPE string => string
      TYPE hash => hash
      TYPE list => list
      TYPE set => set
      TYPE zset => zset
      TYPE stream => stream
    `,
    'each type refuses the commands of the others, those of Kvrocks, too': `
      # Not in Redis
      SETBIT bitmap 0 1 => 0
      SIADD sortedint 1 => 1
      HGET bitmap f => -WRONGTYPE Operation against a key holding the wrong kind of value
      LPUSH sortedint e => -WRONGTYPE Operation against a key holding the wrong kind of value
      SIADD bitmap 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      LPUSH bitmap x => -WRONGTYPE Operation against a key holding the wrong kind of value
      SETBIT sortedint 1 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
      INCR bitmap => -ERR value is not an integer or out of range
      HRANGEBYLEX sortedint - + => -WRONGTYPE Operation against a key holding the wrong kind of value
      TYPE bitmap => bitmap
      TYPE sortedint => sortedint
    `,
  },
)
