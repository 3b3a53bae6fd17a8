import { test } from 'tap'
import { startServer } from '../support/server.js'

/** The reply that is an array of these bulk strings. */
function bulks(...values: (string | null)[]): string {
  return `*${values.length}\r\n${values.map((value) => (value === null ? '$-1\r\n' : `$${value.length}\r\n${value}\r\n`)).join('')}`
}

test('SORT orders lists, sets and sorted sets by number or text', async (t) => {
  await using s = await startServer()
  await s.run('rpush', 'l', '10', '9', '2', '1.5')
  t.equal(await s.run('sort', 'l'), bulks('1.5', '2', '9', '10'))
  t.equal(await s.run('sort', 'l', 'desc', 'limit', '1', '2'), bulks('9', '2'))
  t.equal(await s.run('sort', 'l', 'alpha'), bulks('1.5', '10', '2', '9'))
  t.equal(await s.run('sort', 'l', 'by', 'nosort', 'desc'), bulks('1.5', '2', '9', '10'))
  await s.run('zadd', 'z', '1', 'c', '2', 'a', '3', 'b')
  t.equal(await s.run('sort', 'z', 'alpha'), bulks('a', 'b', 'c'))
  t.equal(await s.run('sort', 'z', 'by', 'nosort', 'desc'), bulks('b', 'a', 'c'))
  t.equal(await s.run('sort', 'z'), "-ERR One or more scores can't be converted into double\r\n")
  t.equal(await s.run('sort', 'absent'), '*0\r\n')
  await s.run('set', 'k', 'v')
  t.equal(await s.run('sort', 'k'), '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n')
})

test('SORT looks weights and results up in other keys and hash fields', async (t) => {
  await using s = await startServer()
  await s.run('sadd', 's', '1', '2', '3')
  await s.run('mset', 'weight_1', '30', 'weight_2', '20', 'name_1', 'one', 'name_3', 'three')
  await s.run('hset', 'hash_2', 'f', 'two')
  t.equal(await s.run('sort', 's', 'by', 'weight_*'), bulks('3', '2', '1'))
  t.equal(
    await s.run('sort', 's', 'get', '#', 'get', 'name_*', 'get', 'hash_*->f'),
    bulks('1', 'one', null, '2', null, 'two', '3', 'three', null),
  )
})

test('SORT STORE replaces what is there, and nothing to store deletes it', async (t) => {
  await using s = await startServer()
  await s.run('sadd', 's', '3', '1', '2')
  await s.run('set', 'dst', 'v')
  t.equal(await s.run('sort', 's', 'store', 'dst'), ':3\r\n')
  t.equal(await s.run('lrange', 'dst', '0', '-1'), bulks('1', '2', '3'))
  t.equal(await s.run('sort', 's', 'get', 'none_*', 'store', 'dst'), ':3\r\n')
  t.equal(await s.run('lrange', 'dst', '0', '-1'), bulks('', '', ''))
  t.equal(await s.run('sort', 'absent', 'store', 'dst'), ':0\r\n')
  t.equal(await s.run('exists', 'dst'), ':0\r\n')
  t.equal(await s.run('sort_ro', 's', 'store', 'dst'), '-ERR syntax error\r\n')
  t.equal(await s.run('command', 'getkeys', 'sort', 's', 'by', 'store', 'store', 'dst'), bulks('s', 'dst'))
})

test('SORT sorts more than 512 elements', async (t) => {
  await using s = await startServer()
  const numbers = Array.from({ length: 2000 }, (_, index) => String((index * 7919) % 2000))
  await s.run('rpush', 'l', ...numbers)
  t.equal(await s.run('sort', 'l'), bulks(...Array.from({ length: 2000 }, (_, index) => String(index))))
})
