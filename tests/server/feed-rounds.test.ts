/** When readers at the end of the change feed are served. */
import { test } from 'tap'
import { FeedRounds } from '../../src/server/feed-rounds.js'

test('a round waits for a few milliseconds after the one before, unless much was written', (t) => {
  const rounds = new FeedRounds({ hasWaiting: () => true, serve: () => t.fail('nobody is to be served') })
  t.equal(rounds.delayMs(1, 0), 0, 'after a quiet time at once')
  rounds.held(10, 100)
  t.equal(rounds.delayMs(11, 100), 5)
  t.equal(rounds.delayMs(11, 101.5), 4)
  t.equal(rounds.delayMs(1009, 104.9), 1)
  t.equal(rounds.delayMs(1010, 100), 0, 'a thousand changes')
  t.equal(rounds.delayMs(11, 105), 0)
  t.equal(rounds.delayMs(11, 1_000_000), 0)
  t.end()
})

test('what is committed while a round is due is told in it, and nothing is done where nobody waits', async (t) => {
  let hasWaiting = false
  let served = 0
  const rounds = new FeedRounds({
    hasWaiting: () => hasWaiting,
    serve: () => {
      served++
    },
  })
  const nextTurn = (): Promise<void> => new Promise((done) => setImmediate(done))
  rounds.committed(1)
  await nextTurn()
  t.equal(served, 0)
  hasWaiting = true
  rounds.committed(2)
  rounds.want(3)
  rounds.committed(4)
  t.equal(served, 0, 'the turn ends first')
  await nextTurn()
  t.equal(served, 1)
  t.equal(rounds.delayMs(5, Number.NEGATIVE_INFINITY), Number.POSITIVE_INFINITY)
  rounds.committed(1004)
  await nextTurn()
  t.equal(served, 2, 'a thousand changes after the last that was told')
})
