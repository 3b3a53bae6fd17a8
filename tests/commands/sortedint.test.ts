import { test } from 'tap'
import { startServer } from '../support/server.js'

test('sorted integers hold ids of 64 bits in order', async (t) => {
  await using s = await startServer()
  const client = await s.connect()
  t.equal(await client.run('siadd', 'k', 3, 1, '18446744073709551615', 2, 3), ':4\r\n')
  t.equal(await client.run('siadd', 'k', -1), '-ERR value is not an integer or out of range\r\n')
  t.equal(await client.run('sicard', 'k'), ':4\r\n')
  t.same(await client.value('siexists', 'k', 1, 9, 3), [1, 0, 1])
  t.same(await client.value('sirange', 'k', 0, 10), ['1', '2', '3', '18446744073709551615'])
  t.same(await client.value('sirange', 'k', 1, 2), ['2', '3'])
  t.same(await client.value('sirange', 'k', 0, 2, 'cursor', 1), ['2', '3'])
  t.same(await client.value('sirange', 'k', 0, 2, 'cursor', '18446744073709551615'), [])
  t.same(await client.value('sirevrange', 'k', 0, 2, 'cursor', 3), ['2', '1'])
  t.same(await client.value('sirangebyvalue', 'k', '(1', '+inf', 'limit', 1, 1), ['3'])
  t.same(await client.value('sirevrangebyvalue', 'k', 3, '-inf'), ['3', '2', '1'])
  t.equal(await client.run('sirangebyvalue', 'k', 5, 4), '-ERR min > max\r\n')
  t.equal(await client.run('sirangebyvalue', 'k', 'x', 4), "-ERR the min isn't integer\r\n")
  t.equal(await client.run('sirem', 'k', 1, 2, 3, 4), ':3\r\n')
  t.equal(await client.run('sirem', 'k', '18446744073709551615'), ':1\r\n')
  t.equal(await client.run('sicard', 'k'), ':0\r\n')
  t.equal(await client.run('set', 'k', 'v'), '+OK\r\n')
  t.match(await client.run('siadd', 'k', 1), /^-WRONGTYPE /)
})

test('GET shows a bitmap as a string, up to max-bitmap-to-string-mb', async (t) => {
  await using s = await startServer({ config: { 'max-bitmap-to-string-mb': 1 } })
  await s.run('setbit', 'b', 1, 1)
  await s.run('setbit', 'b', 8199, 1)
  t.equal(await s.run('get', 'b'), `$1025\r\n\x40${'\0'.repeat(1023)}\x01\r\n`)
  await s.run('setbit', 'b', 8 * 1024 * 1024, 1)
  t.match(await s.run('get', 'b'), /^-ERR Operation aborted: The size of the bitmap string exceeds/)
})

test('DUMP gives a set of the ids, as text', async (t) => {
  await using s = await startServer()
  await s.run('siadd', 'ids', '100', '200', '300', '18446744073709551615')
  const payload = Buffer.from((await s.run('dump', 'ids')).replace(/^\$\d+\r\n|\r\n$/g, ''), 'latin1')
  t.equal(await s.run('restore', 'copy', '0', payload), '+OK\r\n')
  t.equal(await s.run('type', 'copy'), '+set\r\n')
  t.equal(
    await s.run('smembers', 'copy'),
    '*4\r\n$3\r\n100\r\n$20\r\n18446744073709551615\r\n$3\r\n200\r\n$3\r\n300\r\n',
  )
})
