/** Transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH. */

import { test } from 'tap'
import { eventually } from '../support/eventually.js'
import { startNode } from '../support/nodes.js'
import { TXN_CONTEXTS, transcripts } from '../support/transcripts.js'

transcripts(
  'transactions',
  { configs: TXN_CONTEXTS },
  {
    'what is queued is run by EXEC, and forgotten by DISCARD': `
      RPUSH l a b c => 3
      MULTI => OK
      LRANGE l 0 -1 => QUEUED
      PING => QUEUED
      EXEC => [["a" "b" "c"] PONG]
      MULTI => OK
      DEL l => QUEUED
      DISCARD => OK
      LRANGE l 0 -1 => ["a" "b" "c"]
      MULTI => OK
      EXEC => []
    `,
    'MULTI inside MULTI, EXEC and DISCARD without it are refused': `
      MULTI => OK
      MULTI => -ERR MULTI calls can not be nested
      SET k v => QUEUED
      EXEC => [OK]
      EXEC => -ERR EXEC without MULTI
      DISCARD => -ERR DISCARD without MULTI
      GET k => "v"
    `,
    'commands that are replicated as others do the same in a transaction': `
      SADD s a => 1
      MULTI => OK
      SPOP s => QUEUED
      EXEC => ["a"]
      EXISTS s => 0
    `,
    'a transaction sees its own writes': `
      HSET h f0 v0 => 1
      MULTI => OK
      SET k visible => QUEUED
      GET k => QUEUED
      HSET h f1 v1 f2 v2 => QUEUED
      HGETALL h => QUEUED
      RPUSH l a b => QUEUED
      LPOP l => QUEUED
      SADD s m => QUEUED
      SMEMBERS s => QUEUED
      ZADD z 1 m => QUEUED
      ZINCRBY z 1 m => QUEUED
      XADD x 1-1 f v => QUEUED
      XLEN x => QUEUED
      DEL h => QUEUED
      EXISTS h k => QUEUED
      EXEC => [OK "visible" 2 {"f0" "v0" "f1" "v1" "f2" "v2"} 2 "a" 1 ~["m"] 1 ,2 "1-1" 1 1 1]
    `,
    'a mistake while queueing aborts the whole': `
      MULTI => OK
      SET a 1 => QUEUED
      nosuchcommand =~> ^-ERR unknown command
      SET b 2 => QUEUED
      EXEC => -EXECABORT Transaction discarded # Redis: -EXECABORT Transaction discarded because of previous errors.
      EXISTS a b => 0
      PING => PONG
      MULTI => OK
      GET => -ERR wrong number of arguments for 'get' command
      EXEC => -EXECABORT Transaction discarded # Redis: -EXECABORT Transaction discarded because of previous errors.
      PING => PONG
    `,
    'blocking commands do not block in a transaction': String.raw`
      MULTI => OK
      BLPOP none 0 => QUEUED
      BRPOP none 0 => QUEUED
      BLMOVE none other LEFT LEFT 0 => QUEUED
      BZPOPMIN none 0 => QUEUED
      XREAD BLOCK 0 STREAMS none 0 => QUEUED
      EXEC =~> ^\[nil(-array)? nil(-array)? nil(-array)? nil(-array)? nil(-array)?\]$
    `,
    'commands that a transaction cannot have abort it': `
      MULTI => OK
      SET a 1 => QUEUED
      WATCH k => -ERR WATCH inside MULTI is not allowed
      EXEC => [OK]
      MULTI => OK
      SET b 1 => QUEUED
      MULTI => -ERR MULTI calls can not be nested
      EXEC => [OK]
      GET b => "1"
    `,
    'WATCH inside MULTI is refused': `
      MULTI => OK
      WATCH k => -ERR WATCH inside MULTI is not allowed
      EXEC => []
    `,
    'a watched key that changes lets EXEC do nothing': `
      SET x 30 => OK
      WATCH x => OK
      EXEC => -ERR EXEC without MULTI
      b> SET x 40 => OK
      MULTI => OK
      PING => QUEUED
      EXEC => nil-array
      MULTI => OK
      PING => QUEUED
      EXEC => [PONG]
      WATCH x => OK
      MULTI => OK
      PING => QUEUED
      EXEC => [PONG]
      WATCH x => OK
      b> SET y 1 => OK
      MULTI => OK
      PING => QUEUED
      EXEC => [PONG]
      WATCH a b x c => OK
      b> SET x 50 => OK
      MULTI => OK
      PING => QUEUED
      EXEC => nil-array
      WATCH a b c d x => OK
      b> SET x 60 => OK
      MULTI => OK
      PING => QUEUED
      EXEC => nil-array
      WATCH x => OK
      MULTI => OK
      PING => QUEUED
      EXEC => [PONG]
      b> SET x 70 => OK
      MULTI => OK
      PING => QUEUED
      EXEC => [PONG]
    `,
    'UNWATCH forgets what is watched': `
      UNWATCH => OK
      SET x 30 => OK
      WATCH x => OK
      b> SET x 40 => OK
      UNWATCH => OK
      MULTI => OK
      PING => QUEUED
      EXEC => [PONG]
    `,
    'FLUSHALL and FLUSHDB change watched keys': `
      SET x 30 => OK
      WATCH x => OK
      b> FLUSHALL => OK
      MULTI => OK
      PING => QUEUED
      EXEC => nil-array
      SET x 30 => OK
      WATCH x => OK
      b> FLUSHDB => OK
      MULTI => OK
      PING => QUEUED
      EXEC => nil-array
    `,
    'DISCARD forgets what is watched, and that it was changed': `
      WATCH x => OK
      DISCARD => -ERR DISCARD without MULTI
      b> SET x 10 => OK
      MULTI => OK
      PING => QUEUED
      EXEC => nil-array
      WATCH x => OK
      b> SET x 20 => OK
      MULTI => OK
      DISCARD => OK
      MULTI => OK
      PING => QUEUED
      EXEC => [PONG]
      WATCH x => OK
      MULTI => OK
      DISCARD => OK
      b> SET x 30 => OK
      MULTI => OK
      PING => QUEUED
      EXEC => [PONG]
    `,
    'a watched key changes by any command on it, and by its expiry': `
      SET x 1 PX 100000 => OK
      WATCH x => OK
      b> EXPIRE x 200 => 1
      MULTI => OK
      PING => QUEUED
      EXEC => nil-array
      RPUSH l a => 1
      WATCH l => OK
      b> LPOP l => "a"
      MULTI => OK
      PING => QUEUED
      EXEC => nil-array
      WATCH a => OK
      b> RENAME x a => OK
      MULTI => OK
      PING => QUEUED
      EXEC => nil-array
    `,
  },
)

test('what Sentinel sends for a failover runs as one', async (t) => {
  await using master = await startNode()
  await using s = await startNode()
  const client = await s.connect()
  const failover = async (...slaveof: string[]) => {
    await client.run('multi')
    for (const words of [slaveof, ['client', 'kill', 'type', 'normal'], ['client', 'kill', 'type', 'pubsub']]) {
      t.equal(await client.run(...words), '+QUEUED\r\n')
    }
    return client.run('exec')
  }
  t.match(await failover('slaveof', '127.0.0.1', String(master.port)), /^\*3\r\n\+OK\r\n/)
  t.match(await client.value('role'), ['slave', '127.0.0.1', master.port])
  t.match(await failover('slaveof', 'no', 'one'), /^\*3\r\n\+OK\r\n/)
  await eventually(async () => ((await client.run('role')).includes('master') ? true : undefined))
})
