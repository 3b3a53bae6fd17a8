import { test } from 'tap'
import { batchesAfter } from '../support/batches.js'
import { startServer } from '../support/server.js'

type Words = readonly string[]

/**
 * The only batch of `command`, after those of `before`, with its version written as V. A row of the member m of z is
 * `default m = SCORE` or `score SCORE m`; the metadata row of a key ends with its size.
 */
async function written(before: readonly Words[], command: Words): Promise<string[]> {
  await using s = await startServer()
  for (const words of before) await s.run(...words)
  const sequence = s.server.store.latestSequence()
  await s.run(...command)
  if (sequence === s.server.store.latestSequence()) return []
  const batches = batchesAfter(s, sequence)
  if (batches.length !== 1) throw new Error(`${batches.length} batches`)
  return (batches[0] as string[]).map((line) =>
    line
      .replace(/ default ~000000017a.{16}/, ' default z V ')
      .replace(/ zset_score ~000000017a.{16}/, ' score z V ')
      .replace(/ = 85(.{16}).{16}/, ' = 85 $1 V '),
  )
}

const ONE = 'bff0000000000000'
const TWO = 'c000000000000000'
const MINUS_ONE = '400fffffffffffff'
const NEVER = '0000000000000000'

function metadata(size: number): string {
  return `put metadata ~7a = 85 ${NEVER} V ${size.toString(16).padStart(16, '0')}`
}

test('ZADD writes pairs from the last to the first, by member and by score, and the size at last', async (t) => {
  t.same(await written([], ['zadd', 'z', '1', 'a', '-1', 'b', '2', 'a']), [
    'log 5',
    `put default z V 61 = ${TWO}`,
    `put score z V ${TWO}61 = `,
    `put default z V 62 = ${MINUS_ONE}`,
    `put score z V ${MINUS_ONE}62 = `,
    metadata(2),
  ])
})

test('ZADD moves the row of a score, and writes nothing where the score is the same', async (t) => {
  const moved = ['log 5', `delete score z V ${ONE}61`, `put default z V 61 = ${TWO}`, `put score z V ${TWO}61 = `]
  t.same(await written([['zadd', 'z', '1', 'a']], ['zadd', 'z', '2', 'a']), moved)
  t.same(await written([['zadd', 'z', '1', 'a']], ['zincrby', 'z', '1', 'a']), moved)
  t.same(await written([['zadd', 'z', '1', 'a']], ['zadd', 'z', '1', 'a']), [])
  t.same(await written([['zadd', 'z', '1', 'a']], ['zadd', 'z', 'NX', '2', 'a']), [])
  t.same(await written([['zadd', 'z', '0', 'a']], ['zadd', 'z', '-0', 'a']), [])
})

test('infinities and both zeros have rows of their own', async (t) => {
  t.same(await written([], ['zadd', 'z', '-inf', 'a', '+inf', 'b', '-0', 'c', '0', 'd']), [
    'log 5',
    'put default z V 64 = 8000000000000000',
    'put score z V 800000000000000064 = ',
    'put default z V 63 = 7fffffffffffffff',
    'put score z V 7fffffffffffffff63 = ',
    'put default z V 62 = fff0000000000000',
    'put score z V fff000000000000062 = ',
    'put default z V 61 = 000fffffffffffff',
    'put score z V 000fffffffffffff61 = ',
    metadata(4),
  ])
})

test('removals delete by member, then by score, and leave a row of size 0', async (t) => {
  const before = [['zadd', 'z', '1', 'a', '2', 'b']]
  const both = [
    `delete default z V 61`,
    `delete score z V ${ONE}61`,
    `delete default z V 62`,
    `delete score z V ${TWO}62`,
  ]
  t.same(await written(before, ['zrem', 'z', 'a', 'x', 'b', 'a']), ['log 5', ...both, metadata(0)])
  t.same(await written(before, ['zpopmin', 'z', '9']), ['log 5', ...both, metadata(0)])
  t.same(await written(before, ['zremrangebyscore', 'z', '1', '2']), ['log 5', ...both, metadata(0)])
  t.same(await written(before, ['zremrangebyrank', 'z', '0', '-1']), ['log 5', ...both, metadata(0)])
  t.same(await written(before, ['zpopmax', 'z']), ['log 5', ...both.slice(2), metadata(1)])
  t.same(await written(before, ['zrem', 'z', 'x']), [])
})

test('a removal by member deletes by score first', async (t) => {
  t.same(await written([['zadd', 'z', '1', 'a', '1', 'b']], ['zremrangebylex', 'z', '-', '[a']), [
    'log 5',
    `delete score z V ${ONE}61`,
    `delete default z V 61`,
    metadata(1),
  ])
})

test('stores write a new life in the order of the result, and an empty row for nothing', async (t) => {
  const before = [
    ['zadd', 'x', '1', 'b', '2', 'a'],
    ['zadd', 'y', '1', 'c'],
  ]
  const byMember = [
    `put default z V 61 = ${TWO}`,
    `put score z V ${TWO}61 = `,
    `put default z V 62 = ${ONE}`,
    `put score z V ${ONE}62 = `,
  ]
  const byScore = [...byMember.slice(2), ...byMember.slice(0, 2)]
  const other = [`put default z V 63 = ${ONE}`, `put score z V ${ONE}63 = `]
  t.same(await written(before, ['zunionstore', 'z', '2', 'x', 'y']), ['log 5', ...byMember, ...other, metadata(3)])
  t.same(await written(before, ['zdiffstore', 'z', '2', 'x', 'y']), ['log 5', ...byScore, metadata(2)])
  t.same(await written(before, ['zrangestore', 'z', 'x', '0', '-1', 'REV']), ['log 5', ...byMember, metadata(2)])
  t.same(await written(before, ['zinterstore', 'z', '2', 'x', 'y']), ['log 5', metadata(0)].slice(0, 2))
})
