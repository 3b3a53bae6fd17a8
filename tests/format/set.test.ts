import { test } from 'tap'
import { batchOf, hex, NEVER, u64, type Words } from '../support/written.js'

function put(member: string, key = 's'): string {
  return `put default ${key} V ${hex(member)} = `
}

function remove(member: string, key = 's'): string {
  return `delete default ${key} V ${hex(member)}`
}

function metadata(size: number, key = 's'): string {
  return `put metadata ${key} = 84 ${NEVER} V ${u64(size)}`
}

const AB: Words[] = [['sadd', 's', 'a', 'b']]

test('SADD writes new members without a value, then the size', async (t) => {
  t.same(await batchOf([], ['sadd', 's', 'b', 'a']), ['log 4', put('b'), put('a'), metadata(2)])
  t.same(await batchOf(AB, ['sadd', 's', 'a', 'c']), ['log 4', put('c'), metadata(3)])
  t.same(await batchOf(AB, ['sadd', 's', 'a']), [])
})

test('SREM deletes the key with the last member, SPOP leaves a row of size 0', async (t) => {
  t.same(await batchOf(AB, ['srem', 's', 'x', 'b']), ['log 4', remove('b'), metadata(1)])
  t.same(await batchOf(AB, ['srem', 's', 'b', 'a']), ['log 4', remove('b'), remove('a'), 'delete metadata s'])
  t.same(await batchOf([['sadd', 's', 'a']], ['spop', 's']), ['log 4', remove('a'), metadata(0)])
})

test('SMOVE is a removal and an addition', async (t) => {
  t.same(await batchOf(AB, ['smove', 's', 'd', 'a']), [
    'log 4',
    remove('a'),
    metadata(1),
    'log 4',
    put('a', 'd'),
    metadata(1, 'd'),
  ])
})

test('stores write a new life, with an empty row for nothing', async (t) => {
  const sets: Words[] = [...AB, ['sadd', 'o', 'b', 'c'], ['sadd', 'd', 'old']]
  t.same(await batchOf(sets, ['sinterstore', 'd', 's', 'o']), ['log 4', put('b', 'd'), metadata(1, 'd')])
  t.same(await batchOf(sets, ['sdiffstore', 'd', 's', 'o']), ['log 4', put('a', 'd'), metadata(1, 'd')])
  t.same(await batchOf(sets, ['sunionstore', 'd', 's', 'o']), [
    'log 4',
    put('a', 'd'),
    put('b', 'd'),
    put('c', 'd'),
    metadata(3, 'd'),
  ])
  t.same(await batchOf(sets, ['sinterstore', 'd', 's', 'none']), ['log 4', metadata(0, 'd')])
})
