import { test } from 'tap'
import { batchOf, hex, NEVER, u64, type Words } from '../support/written.js'

/** Where the first element of a new list goes if it is pushed from the right. */
const ORIGIN = 0x7fffffffffffffffn

/** The index `offset` places after the origin. */
function at(offset: number): string {
  return u64(ORIGIN + BigInt(offset))
}

function put(offset: number, element: string, key = 'l'): string {
  return `put default ${key} V ${at(offset)} = ${hex(element)}`
}

function remove(offset: number, key = 'l'): string {
  return `delete default ${key} V ${at(offset)}`
}

function metadata(head: number, tail: number, key = 'l'): string {
  return `put metadata ${key} = 83 ${NEVER} V ${u64(tail - head)}${at(head)}${at(tail)}`
}

const ABC: Words[] = [['rpush', 'l', 'a', 'b', 'c']]

test('pushes write elements, then head and tail', async (t) => {
  t.same(await batchOf([], ['rpush', 'l', 'a', 'b']), ['log 3 7', put(0, 'a'), put(1, 'b'), metadata(0, 2)])
  t.same(await batchOf([], ['lpush', 'l', 'a', 'b']), ['log 3 6', put(-1, 'a'), put(-2, 'b'), metadata(-2, 0)])
  t.same(await batchOf(ABC, ['rpushx', 'l', 'd']), ['log 3 7', put(3, 'd'), metadata(0, 4)])
  t.same(await batchOf(ABC, ['lpushx', 'l', 'd']), ['log 3 6', put(-1, 'd'), metadata(-1, 3)])
  t.same(await batchOf([], ['rpushx', 'l', 'd']), [])
})

test('pops delete elements, and with the last one the key', async (t) => {
  t.same(await batchOf(ABC, ['lpop', 'l']), ['log 3 3', remove(0), metadata(1, 3)])
  t.same(await batchOf(ABC, ['rpop', 'l', '2']), ['log 3 4', remove(2), remove(1), metadata(0, 1)])
  t.same(await batchOf(ABC, ['lmpop', '1', 'l', 'LEFT', 'COUNT', '2']), [
    'log 3 3',
    remove(0),
    remove(1),
    metadata(2, 3),
  ])
  t.same(await batchOf([['rpush', 'l', 'a']], ['blpop', 'l', '0']), ['log 3 3', remove(0), 'delete metadata l'])
})

test('LSET writes the element alone, and nothing where it is the same', async (t) => {
  t.same(await batchOf(ABC, ['lset', 'l', '1', 'x']), ['log 3 0 1', put(1, 'x')])
  t.same(await batchOf(ABC, ['lset', 'l', '-1', 'x']), ['log 3 0 2', put(2, 'x')])
  t.same(await batchOf(ABC, ['lset', 'l', '1', 'b']), [])
})

test('LINSERT moves the shorter side by one', async (t) => {
  t.same(await batchOf(ABC, ['linsert', 'l', 'BEFORE', 'b', 'x']), [
    'log 3 1 1 b x',
    put(-1, 'a'),
    put(0, 'x'),
    metadata(-1, 3),
  ])
  t.same(await batchOf(ABC, ['linsert', 'l', 'AFTER', 'b', 'x']), [
    'log 3 1 0 b x',
    put(3, 'c'),
    put(2, 'x'),
    metadata(0, 4),
  ])
  t.same(await batchOf(ABC, ['linsert', 'l', 'AFTER', 'c', 'x']), ['log 3 1 0 c x', put(3, 'x'), metadata(0, 4)])
})

test('LTRIM deletes from both ends, and leaves a row of size 0 for an empty list', async (t) => {
  t.same(await batchOf(ABC, ['ltrim', 'l', '1', '1']), ['log 3 2 1 1', remove(0), remove(2), metadata(1, 2)])
  t.same(
    await batchOf(ABC, ['ltrim', 'l', '1', '9223372036854775807']),
    ['log 3 2 1 2', remove(0), metadata(1, 3)],
    'a stop that no reader of the log could take, and Kvrocks does not, is the last element',
  )
  t.same(await batchOf(ABC, ['ltrim', 'l', '-2', '-1']), ['log 3 2 1 2', remove(0), metadata(1, 3)])
})

test('LREM closes the gaps from the shorter side', async (t) => {
  const list: Words[] = [['rpush', 'l', 'a', 'x', 'b', 'c', 'd']]
  t.same(await batchOf(list, ['lrem', 'l', '0', 'x']), ['log 3 5 0 x', put(1, 'a'), remove(0), metadata(1, 5)])
  t.same(await batchOf(list, ['lrem', 'l', '-1', 'c']), ['log 3 5 -1 c', put(3, 'd'), remove(4), metadata(0, 4)])
  // Both sides are of one length: the left one moves.
  t.same(await batchOf(ABC, ['lrem', 'l', '0', 'b']), ['log 3 5 0 b', put(1, 'a'), remove(0), metadata(1, 3)])
  t.same(await batchOf([['rpush', 'l', 'x', 'x']], ['lrem', 'l', '0', 'x']), ['log 3 5 0 x', 'delete metadata l'])
})

test('moves delete at the source, then write at the destination', async (t) => {
  t.same(await batchOf(ABC, ['lmove', 'l', 'm', 'LEFT', 'RIGHT']), [
    'log 3 12 l m left right',
    remove(0),
    metadata(1, 3),
    put(0, 'a', 'm'),
    metadata(0, 1, 'm'),
  ])
  t.same(await batchOf([['rpush', 'l', 'a']], ['rpoplpush', 'l', 'm']), [
    'log 3 12 l m right left',
    remove(0),
    'delete metadata l',
    put(-1, 'a', 'm'),
    metadata(-1, 0, 'm'),
  ])
  t.same(await batchOf(ABC, ['lmove', 'l', 'l', 'LEFT', 'RIGHT']), [
    'log 3 12 l l left right',
    remove(0),
    put(3, 'a'),
    metadata(1, 4),
  ])
  t.same(await batchOf(ABC, ['lmove', 'l', 'l', 'LEFT', 'LEFT']), [])
})
