import { test } from 'tap'
import { batchesAfter } from '../support/batches.js'
import { startServer } from '../support/server.js'

const VERSION = /(?<=~(?:0000000167|0000000164)).{16}/

test('GEOADD writes the geohash as the score of a sorted set', async (t) => {
  await using s = await startServer()
  await s.run('geoadd', 'g', '13.361389', '38.115556', 'Palermo')
  const [batch] = batchesAfter(s, 0)
  const score = scoreOf(3479099956230698)
  t.same(
    batch?.map((line) => line.replace(VERSION, ' V ')),
    [
      'log 5',
      `put default ~0000000167 V 50616c65726d6f = ${score}`,
      `put zset_score ~0000000167 V ${score}50616c65726d6f = `,
      batch?.[3],
    ],
  )
  t.match(batch?.[3], /^put metadata ~67 = 850000000000000000.{16}0000000000000001$/)
})

/** A positive sortable double: the bits of IEEE 754 with the sign bit set. */
function scoreOf(value: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  bytes[0] = (bytes[0] as number) | 0x80
  return bytes.toString('hex')
}

test('GEOSEARCHSTORE writes matches in their order, and deletes the destination for none', async (t) => {
  await using s = await startServer()
  await s.run('geoadd', 'g', '13.361389', '38.115556', 'P', '15.087269', '37.502669', 'C')
  const first = s.server.store.latestSequence()
  await s.run('geosearchstore', 'd', 'g', 'fromlonlat', '15', '37', 'byradius', '200', 'km', 'asc')
  const [stored] = batchesAfter(s, first)
  t.same(
    stored?.slice(0, 5).map((line) => line.replace(VERSION, ' V ')),
    [
      'log 5',
      `put default ~0000000164 V 43 = ${scoreOf(3479447370796909)}`,
      `put zset_score ~0000000164 V ${scoreOf(3479447370796909)}43 = `,
      `put default ~0000000164 V 50 = ${scoreOf(3479099956230698)}`,
      `put zset_score ~0000000164 V ${scoreOf(3479099956230698)}50 = `,
    ],
  )
  const second = s.server.store.latestSequence()
  await s.run('geosearchstore', 'd', 'g', 'fromlonlat', '0', '0', 'byradius', '1', 'm')
  t.same(batchesAfter(s, second), [['delete metadata ~64']])
})
