/** notify-keyspace-events: what is told of which key, on which channel, and when. */

import { test } from 'tap'
import { startServer } from '../support/server.js'
import { transcripts } from '../support/transcripts.js'

const EVENTS = `
      CONFIG SET notify-keyspace-events KEA => OK
      a> PSUBSCRIBE __keyspace@0__:* => >["psubscribe" "__keyspace@0__:*" 1]
      a> PSUBSCRIBE __keyevent@0__:* => >["psubscribe" "__keyevent@0__:*" 2]`

/** The two messages of one event. */
function told(event: string, key: string): string {
  return `
      a> => >["pmessage" "__keyspace@0__:*" "__keyspace@0__:${key}" "${event}"]
      a> => >["pmessage" "__keyevent@0__:*" "__keyevent@0__:${event}" "${key}"]`
}

transcripts(
  'keyspace events',
  {},
  {
    'a write tells the channel of the key, then that of the event': `${EVENTS}
      SET k v => OK${told('set', 'k')}
      SETEX k 60 v => OK${told('set', 'k')}${told('expire', 'k')}
      UNLINK k => 1${told('del', 'k')}
    `,
    'class n tells of keys that come to be, before what made them': `${EVENTS}
      CONFIG SET notify-keyspace-events KEAn => OK
      SET k v => OK${told('new', 'k')}${told('set', 'k')}
      SET k w => OK${told('set', 'k')}
      DEL k => 1${told('del', 'k')}
      RPUSH k a b => 2${told('new', 'k')}${told('rpush', 'k')}
      RPUSH k c => 3${told('rpush', 'k')}
      HSET h f v g v => 2${told('new', 'h')}${told('hset', 'h')}
      HSET h f w => 0${told('hset', 'h')}
      ZADD z 1 a 2 b => 2${told('new', 'z')}${told('zadd', 'z')}
      SADD s a => 1${told('new', 's')}${told('sadd', 's')}
      SPOP s => "a"${told('spop', 's')}${told('del', 's')}
      SADD s b => 1${told('new', 's')}${told('sadd', 's')}
      XADD x 1-1 f v => "1-1"${told('new', 'x')}${told('xadd', 'x')}
      SETBIT b 1 1 => 0${told('new', 'b')}${told('setbit', 'b')}
      PFADD p a => 1${told('new', 'p')}${told('pfadd', 'p')}
      GEOADD g 1 1 a => 1${told('new', 'g')}${told('zadd', 'g')}
      INCR n => 1${told('new', 'n')}${told('incrby', 'n')}
      MSET m 2 => OK${told('new', 'm')}${told('set', 'm')}
      MSET m 3 o 4 q 5 => OK${told('set', 'm')}${told('new', 'o')}${told('set', 'o')}${told('new', 'q')}${told('set', 'q')}
      MSETNX u 1 v 1 => 1${told('new', 'u')}${told('set', 'u')}${told('new', 'v')}${told('set', 'v')}
      CONFIG SET notify-keyspace-events KEA => OK
      SET last v => OK${told('set', 'last')}
    `,
    'a write that does not happen tells nothing': `${EVENTS}
      SET k v => OK${told('set', 'k')}
      SETNX k w => 0
      SET k w GET NX => "v"
      SET none v GET XX => nil
      SET none v GET NX => nil${told('set', 'none')}
    `,
    'DEL tells each key that it deletes, once': `${EVENTS}
      SET k v => OK${told('set', 'k')}
      DEL k none k => 1${told('del', 'k')}
      SET k v => OK${told('set', 'k')}
    `,
    'commands of a script tell their events': `${EVENTS}
      EVAL "redis.call('set', KEYS[1], 'v') redis.call('del', KEYS[1]) return 1" 1 k => 1${told('set', 'k')}${told('del', 'k')}
    `,
    'commands of a transaction tell their events, as each was asked to': `${EVENTS}
      MULTI => OK
      SET k v => QUEUED
      DEL k => QUEUED
      EXEC => [OK 1]${told('set', 'k')}${told('del', 'k')}
      CONFIG SET notify-keyspace-events E$ => OK
      MULTI => OK
      SET first v => QUEUED
      CONFIG SET notify-keyspace-events "" => QUEUED
      SET silent v => QUEUED
      CONFIG SET notify-keyspace-events K$ => QUEUED
      SET last v => QUEUED
      EXEC => [OK OK OK OK OK]
      a> => >["pmessage" "__keyevent@0__:*" "__keyevent@0__:set" "first"]
      a> => >["pmessage" "__keyspace@0__:*" "__keyspace@0__:last" "set"]
    `,
    'nothing is told before it is asked for, and letters that mean nothing are refused': `
      CONFIG SET notify-keyspace-events "" => OK
      a> PSUBSCRIBE __key*__:* => >["psubscribe" "__key*__:*" 1]
      SET k v => OK
      DEL k => 1
      CONFIG SET notify-keyspace-events KEA => OK
      SET k v => OK
      a> => >["pmessage" "__key*__:*" "__keyspace@0__:k" "set"]
      a> => >["pmessage" "__key*__:*" "__keyevent@0__:set" "k"]
      CONFIG SET notify-keyspace-events Kq =~> ^-ERR CONFIG SET failed
    `,
  },
)

transcripts(
  'keyspace events of conditional writes',
  { withoutRedis: 'they are younger than Redis 7.0' },
  {
    'SET IFEQ tells its event where it writes': `${EVENTS}
      SET k v1 => OK${told('set', 'k')}
      SET k v2 GET IFEQ other => "v1"
      SET k v2 GET IFEQ v1 => "v1"${told('set', 'k')}
    `,
  },
)

test('events of a database, and of a namespace, are told there by its name', async (t) => {
  await using numbered = await startServer({ config: { 'redis-databases': 16 } })
  await using named = await startServer({ config: { requirepass: 'admin', 'repl-namespace-enabled': true } })
  await named.run('auth', 'admin')
  await named.run('namespace', 'add', 'tenant:1', 'token')
  for (const [server, enter, name] of [
    [numbered, ['select', '1'], '1'],
    [named, ['auth', 'token'], 'ns:tenant%3A1'],
  ] as const) {
    await server.run('config', 'set', 'notify-keyspace-events', 'KEA')
    const [listener, writer] = [await server.connect(), await server.connect()]
    for (const client of [listener, writer]) t.equal(await client.run(...enter), '+OK\r\n')
    await listener.run('psubscribe', `__key*@${name}__:*`)
    await writer.run('set', 'k', 'v')
    await writer.run('del', 'k')
    for (const [channel, message] of [
      [`__keyspace@${name}__:k`, 'set'],
      [`__keyevent@${name}__:set`, 'k'],
      [`__keyspace@${name}__:k`, 'del'],
      [`__keyevent@${name}__:del`, 'k'],
    ]) {
      t.same((await listener.nextReply()).value, ['pmessage', `__key*@${name}__:*`, channel, message])
    }
  }
})
