/** Streams answer as redis-server does, byte for byte: the same commands run against both. */
import { type Test, test } from 'tap'
import { RawClient } from '../support/raw-client.js'
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import { startServer } from '../support/server.js'

/** Runs each line, words parted by spaces, on both servers. Ids are explicit, so the replies have no time in them. */
async function compare(t: Test, lines: readonly string[], protocol = 2): Promise<void> {
  const redis = await startRedisServer()
  await using s = await startServer()
  const theirs = await RawClient.connect(redis.port)
  const ours = await s.connect()
  try {
    if (protocol === 3) for (const client of [theirs, ours]) await client.run('hello', 3)
    for (const line of lines) {
      const words = line.split(' ').map((word) => (word === "''" ? '' : word))
      const expected = await theirs.run(...words)
      t.equal(await ours.run(...words), expected, line)
    }
  } finally {
    theirs.close()
    await redis.stop()
  }
  t.same(s.logged, [])
}

const ENTRIES = [
  'XADD s 1-1 a 1',
  'XADD s 1-1 a 1',
  'XADD s 1-* b 2',
  'XADD s 5 c 3 d 4',
  'XADD s 0-0 a 1',
  'XADD s 0-* a 1',
  'XADD s 4-* a 1',
  'XADD s 18446744073709551614-18446744073709551614 z 1',
  'XADD s 18446744073709551614-* z 2',
  'XADD s x a 1',
  'XADD s 1- a 1',
  'XADD s -1 a 1',
  'XADD s 7 a',
  'XADD s 7 a 1 b',
  'XADD none NOMKSTREAM 1 a 1',
  'EXISTS none',
  'XLEN s',
  'XLEN none',
  'XRANGE s - +',
  'XRANGE s 1 5',
  'XRANGE s (1-1 (5',
  'XRANGE s (18446744073709551615-18446744073709551615 +',
  'XRANGE s - (0-0',
  'XRANGE s - + COUNT 2',
  'XRANGE s - + COUNT 0',
  'XRANGE s - + COUNT -1',
  'XRANGE s - + COUNT',
  'XRANGE s - + FOO 1',
  'XRANGE s 5 1',
  'XRANGE s 00001-0001 1',
  'XRANGE none - +',
  'XREVRANGE s + -',
  'XREVRANGE s (5 (1-1 COUNT 9',
  'XREVRANGE s 5 1 COUNT 2',
  'XRANGE s x y',
  'XDEL s 1-1 1-1 9-9',
  'XDEL s 18446744073709551614-18446744073709551615 5',
  'XDEL none 1',
  'XDEL s x',
  'XRANGE s - +',
  'XINFO STREAM s',
  'SET str x',
  'XADD str 1 a 1',
  'XLEN str',
  'XRANGE str - +',
  'XDEL str 1',
  'XTRIM str MAXLEN 1',
  'XREAD STREAMS str 0',
  'XSETID str 1-1',
  'XADD zeros 0-1 a 1',
  'XADD zeros 0-* a 1',
  'XADD auto 0-* a 1',
]

const TRIMS = [
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((id) => `XADD t ${id} f ${id}`),
  'XTRIM t MAXLEN 7',
  'XTRIM t MAXLEN = 6',
  'XTRIM t MAXLEN -1',
  'XTRIM t MAXLEN x',
  'XTRIM t MAXLEN ~ 100 LIMIT 5',
  'XTRIM t MAXLEN 5 LIMIT 5',
  'XTRIM t LIMIT 5',
  'XTRIM t FOO 5',
  'XTRIM t MAXLEN',
  'XTRIM t MAXLEN = 5 MINID 3',
  'XTRIM t MINID 4',
  'XTRIM t MINID 4',
  'XTRIM t MINID x',
  'XTRIM t MAXLEN ~ 1 LIMIT -1',
  'XRANGE t - +',
  'XADD t MAXLEN 2 9 f 9',
  'XADD t MAXLEN = 2 10 f 10',
  'XADD t MINID 10 11 f 11',
  'XADD t LIMIT 1 12 f 12',
  'XADD t LIMIT 0 12 f 12',
  'XADD t MAXLEN 1 LIMIT 1 12 f 12',
  'XADD t MAXLEN 2',
  'XRANGE t - +',
  'XADD t MAXLEN 0 13 f 13',
  'XLEN t',
  'EXISTS t',
  'XADD t 13 f 13',
  'XADD t MINID 99 14 f 14',
  'XLEN t',
  'XADD t 15 f 15',
  'XTRIM t MAXLEN 0',
  'TYPE t',
  'XTRIM none MAXLEN 0',
  'XSETID t 10',
  'XSETID t 30-5',
  'XADD t 30-4 a 1',
  'XADD t 30-* a 1',
  'XSETID t 1',
  'XSETID t 40 ENTRIESADDED 0',
  'XSETID t 40 ENTRIESADDED -5',
  'XSETID t 40 ENTRIESADDED 90 MAXDELETEDID 41',
  'XSETID t 40 ENTRIESADDED 90 MAXDELETEDID 39',
  'XSETID t 40 FOO 1',
  'XSETID none 1',
  'XINFO STREAM t',
]

const READS = [
  'XADD a 1 f 1',
  'XADD a 2 f 2',
  'XADD b 1 g 1',
  'XREAD STREAMS a b 0 0',
  'XREAD COUNT 1 STREAMS a b 0 0',
  'XREAD COUNT -5 STREAMS a b 1 1',
  'XREAD STREAMS a b $ $',
  'XREAD STREAMS none 0',
  'XREAD COUNT x STREAMS a 0',
  'XREAD FOO STREAMS a 0',
  'XREAD NOACK STREAMS a 0',
  'XREAD GROUP g c STREAMS a 0',
  'XREAD COUNT 1 BLOCK 10',
  'XREAD STREAMS a >',
  'XREAD BLOCK -1 STREAMS a 0',
  'XREAD BLOCK x STREAMS a 0',
  'XREAD BLOCK 1 STREAMS a $',
  'XREAD STREAMS a -',
  'XREAD STREAMS a 18446744073709551615-18446744073709551615',
  'XREAD BLOCK 1 COUNT 1 STREAMS none a 0 1',
  'XGROUP CREATE a g 0',
  'XGROUP CREATE b g 0',
  'XREADGROUP GROUP g c STREAMS a b a > > >',
  'XREADGROUP GROUP g c STREAMS a a > >',
  'XREADGROUP GROUP g c STREAMS a a > 1',
  'XGROUP SETID a g 0',
  'XREADGROUP GROUP g d COUNT 1 STREAMS a a a > > >',
  'XPENDING a g',
]

const GROUPS = [
  'XGROUP CREATE s g $',
  'XGROUP CREATE s g $ MKSTREAM',
  'XGROUP CREATE s g $ MKSTREAM',
  'XGROUP CREATE s h x',
  'XGROUP CREATE s h -',
  'XGROUP CREATE s h 0 FOO',
  'XGROUP CREATE s h 0 ENTRIESREAD -2',
  'XGROUP CREATE s h 0 ENTRIESREAD x',
  'XGROUP CREATE s h 0 ENTRIESREAD 3',
  'XGROUP CREATE s',
  'XGROUP FOO s g',
  'XGROUP SETID s none 0',
  'XGROUP SETID none g 0',
  'XGROUP SETID s h 0 MKSTREAM',
  'XGROUP SETID s h 0',
  'XGROUP CREATECONSUMER s g c',
  'XGROUP CREATECONSUMER s g c',
  'XGROUP CREATECONSUMER s none c',
  'XGROUP CREATECONSUMER none g c',
  'XGROUP CREATECONSUMER s g 0digit',
  'XGROUP DELCONSUMER s g 0digit',
  'XGROUP DELCONSUMER s g none',
  'XGROUP DELCONSUMER s none c',
  'XGROUP DESTROY none g',
  'XGROUP DESTROY s none',
  ...[1, 2, 3, 4, 5, 6].map((id) => `XADD s ${id} f ${id}`),
  'XINFO GROUPS s',
  'XREADGROUP GROUP g c COUNT 2 STREAMS s >',
  'XINFO GROUPS s',
  'XREADGROUP GROUP g d COUNT 1 STREAMS s >',
  'XREADGROUP GROUP g n NOACK COUNT 1 STREAMS s >',
  'XREADGROUP GROUP h d STREAMS s >',
  'XREADGROUP GROUP h d STREAMS s >',
  'XREADGROUP GROUP h d BLOCK 1 STREAMS s >',
  'XREADGROUP GROUP g c STREAMS s 0',
  'XREADGROUP GROUP g c COUNT 1 STREAMS s 0',
  'XREADGROUP GROUP g c STREAMS s 1',
  'XREADGROUP GROUP g nobody STREAMS s 0',
  'XREADGROUP GROUP g c STREAMS s $',
  'XREADGROUP GROUP none c STREAMS s >',
  'XREADGROUP GROUP g c STREAMS none >',
  'XREADGROUP GROUP g c STREAMS s s > 0',
  'XREADGROUP COUNT 1 NOACK BLOCK 1 STREAMS s >',
  'XREADGROUP GROUP g c STREAMS s x',
  'XINFO GROUPS s',
  'XPENDING s g',
  'XPENDING s h',
  'XPENDING s none',
  'XPENDING none g',
  'XPENDING s g - +',
  'XPENDING s g IDLE 1000000 - + 10',
  'XPENDING s g IDLE x - + 10',
  'XPENDING s g - + x',
  'XPENDING s g - + 0',
  'XPENDING s g - + 10 nobody',
  'XPENDING s g IDLE 100000 - + 10 c',
  'XPENDING s g (9-9 (0-0 10',
  'XACK s g 1 1 99',
  'XACK s none 1',
  'XACK none g 1',
  'XACK s g x',
  'XPENDING s g',
  'XDEL s 2',
  'XREADGROUP GROUP g c STREAMS s 0',
  'XCLAIM s g e 0 2 3 JUSTID',
  'XCLAIM s g e 0 3',
  'XCLAIM s g e 0 3 RETRYCOUNT 9',
  'XCLAIM s g e 100000 3',
  'XCLAIM s g e 0 1 FORCE',
  'XCLAIM s g e 0 4 FORCE JUSTID',
  'XCLAIM s g e 0 77 FORCE',
  'XCLAIM s g e 0 1 FOO',
  'XCLAIM s g e x 1',
  'XCLAIM s g e 0 1 IDLE x',
  'XCLAIM s g e 0 1 TIME x',
  'XCLAIM s g e 0 1 RETRYCOUNT x',
  'XCLAIM s g e 0 1 LASTID x',
  'XCLAIM s none e 0 1',
  'XCLAIM none g e 0 1',
  'XCLAIM s g e 0 1 1 LASTID 50',
  'XPENDING s g',
  'XINFO GROUPS s',
  'XDEL s 3',
  'XAUTOCLAIM s h f 0 0 COUNT 2',
  'XAUTOCLAIM s h f 0 3 COUNT 2 JUSTID',
  'XAUTOCLAIM s h f 0 (5',
  'XAUTOCLAIM s h f 100000 0',
  'XAUTOCLAIM s h f 0 0 COUNT 0',
  'XAUTOCLAIM s h f x 0',
  'XAUTOCLAIM s h f 0 x',
  'XAUTOCLAIM s h f 0 0 FOO',
  'XAUTOCLAIM s none f 0 0',
  'XAUTOCLAIM none g f 0 0',
  'XPENDING s h',
  'XGROUP SETID s h 4',
  'XREADGROUP GROUP h z STREAMS s >',
  'XPENDING s h',
  'XINFO GROUPS s',
  'XINFO STREAM s',
  'XINFO STREAM s FOO',
  'XINFO STREAM s FULL COUNT x',
  'XINFO STREAM none',
  'XINFO GROUPS none',
  'XINFO CONSUMERS s none',
  'XINFO CONSUMERS none g',
  'XINFO FOO s',
  'XGROUP DELCONSUMER s h z',
  'XPENDING s h',
  'XGROUP DESTROY s g',
  'XGROUP DESTROY s g',
  'XINFO GROUPS s',
  'XRANGE s - +',
  'XREADGROUP GROUP h d STREAMS s >',
  'SET str x',
  'XGROUP CREATE str g 0',
  'XACK str g 1',
  'XPENDING str g',
  'XCLAIM str g c 0 1',
  'XAUTOCLAIM str g c 0 0',
  'XINFO STREAM str',
  'XREADGROUP GROUP g c STREAMS str >',
]

for (const [name, lines] of Object.entries({ entries: ENTRIES, trims: TRIMS, reads: READS, groups: GROUPS })) {
  for (const protocol of [2, 3]) {
    test(`${name} of streams, RESP${protocol}`, { skip: REDIS_MISSING }, (t) => compare(t, lines, protocol))
  }
}

/**
 * Payloads have the form that Redis 7.0 reads too, and that says of a consumer when it was seen, not when it was active:
 * Redis 7.2 and later, which tell the latter (-1 for never), take the one for the other.
 */
function activeWhenSeen(reply: string): string {
  return reply.replace(/(seen-time\r\n:(\d+)\r\n\$11\r\nactive-time\r\n):-?\d+/g, '$1:$2')
}

test('DUMP and RESTORE carry streams to Redis and back, groups and all', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer()
  await using s = await startServer()
  const theirs = await RawClient.connect(redis.port)
  const ours = await s.connect()
  try {
    for (let id = 1; id <= 250; id++) await theirs.run('xadd', 's', id, 'f', `value ${id}`, 'g', 'x')
    await theirs.run('xadd', 's', 251, 'other', 'fields')
    await theirs.run('xdel', 's', 100)
    await theirs.run('xgroup', 'create', 's', 'g', 0)
    await theirs.run('xgroup', 'create', 's', 'h', '$')
    await theirs.run('xgroup', 'createconsumer', 's', 'h', 'idle')
    await theirs.run('xreadgroup', 'group', 'g', 'c', 'count', 3, 'streams', 's', '>')
    await theirs.run('xreadgroup', 'group', 'g', 'd', 'count', 1, 'streams', 's', '>')
    const dumped = (await theirs.value('dump', 's')) as string
    t.equal(await ours.run('restore', 's', 0, Buffer.from(dumped, 'latin1')), '+OK\r\n')
    const back = (await ours.value('dump', 's')) as string
    t.equal(await theirs.run('restore', 'copy', 0, Buffer.from(back, 'latin1')), '+OK\r\n')
    for (const command of [
      ['xrange', 'KEY', '-', '+'],
      ['xinfo', 'groups', 'KEY'],
      ['xpending', 'KEY', 'g'],
      ['xpending', 'KEY', 'h'],
      ['xinfo', 'stream', 'KEY', 'full'],
    ]) {
      const run = (client: RawClient, key: string) => client.run(...command.map((word) => word.replace('KEY', key)))
      const expected = await run(theirs, 's')
      if (!command.includes('full')) t.equal(await run(ours, 's'), expected, command.join(' '))
      t.equal(await run(theirs, 'copy'), activeWhenSeen(expected), command.join(' '))
    }
    t.equal(await ours.run('copy', 's', 't'), ':1\r\n')
    t.equal(await ours.run('xinfo', 'groups', 't'), await ours.run('xinfo', 'groups', 's'))
    t.equal(await ours.run('xlen', 't'), ':250\r\n')
  } finally {
    theirs.close()
    await redis.stop()
  }
})
