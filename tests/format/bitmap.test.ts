import { test } from 'tap'
import { batchOf, hex, NEVER, u64, type Words } from '../support/written.js'

/** Segments hold 1024 bytes, the lowest bit of each byte first; they are named by the offset of their first byte. */
function put(offset: number, bytes: string, key = 'b'): string {
  return `put default ${key} V ${hex(String(offset))} = ${bytes}`
}

function metadata(size: number, key = 'b'): string {
  return `put metadata ${key} = 86 ${NEVER} V ${u64(size)}`
}

test('SETBIT writes a segment, as long as needed or twice as long as before', async (t) => {
  const bit9: Words[] = [['setbit', 'b', '9', '1']]
  t.same(await batchOf([], bit9[0] as Words), ['log 6 9 9', put(0, '0002'), metadata(2)])
  t.same(await batchOf(bit9, ['setbit', 'b', '17', '1']), ['log 6 9 17', put(0, '00020200'), metadata(3)])
  t.same(await batchOf(bit9, ['setbit', 'b', '40', '1']), ['log 6 9 40', put(0, '000200000001'), metadata(6)])
  t.same(await batchOf(bit9, ['setbit', 'b', '8200', '1']), ['log 6 9 8200', put(1024, '0001'), metadata(1026)])
  t.same(await batchOf(bit9, ['setbit', 'b', '8', '1']), ['log 6 9 8', put(0, '0003')], 'the size is the same')
  t.same(await batchOf(bit9, ['setbit', 'b', '9', '0']), ['log 6 9 9', put(0, '0000')])
})

test('SETBIT on a string edits the string, the highest bit of each byte first', async (t) => {
  t.same(await batchOf([['set', 's', 'A']], ['setbit', 's', '6', '1']), [
    'log 1',
    `put metadata s = 81 ${NEVER} ${hex('C')}`,
  ])
})

test('BITOP writes a new life, and deletes the destination for nothing', async (t) => {
  const two: Words[] = [
    ['setbit', 'b', '9', '1'],
    ['setbit', 'c', '0', '1'],
    ['setbit', 'c', '9', '1'],
  ]
  t.same(await batchOf(two, ['bitop', 'AND', 'd', 'b', 'c']), [
    'log 6 10 AND b c',
    put(0, '0002', 'd'),
    metadata(2, 'd'),
  ])
  t.same(await batchOf(two, ['bitop', 'XOR', 'd', 'b', 'c']), [
    'log 6 10 XOR b c',
    put(0, '0100', 'd'),
    metadata(2, 'd'),
  ])
  t.same(await batchOf([['setbit', 'd', '0', '1']], ['bitop', 'OR', 'd', 'none']), ['delete metadata d'])
})

test('BITFIELD says in the log what it wrote, not what it read', async (t) => {
  t.same(await batchOf([], ['bitfield', 'b', 'GET', 'u4', '0', 'SET', 'u8', '0', '1', 'INCRBY', 'i5', '8', '3']), [
    'log 6 11 SET u8 0 1 INCRBY i5 8 3',
    // 1 is 00000001, read from the lowest bit on; then 3 in five bits: 00011000.
    put(0, '8018'),
    metadata(2),
  ])
  t.same(await batchOf([], ['bitfield', 'b', 'GET', 'u4', '0']), [])
  t.same(await batchOf([], ['bitfield', 'b', 'SET', 'u8', '#1', '-1', 'OVERFLOW', 'SAT', 'INCRBY', 'u8', '0', '-1']), [
    'log 6 11 SET u8 8 18446744073709551615 OVERFLOW SAT INCRBY u8 0 -1',
    put(0, '00ff'),
    metadata(2),
  ])
  const twice = ['OVERFLOW', 'SAT', 'INCRBY', 'u8', '0', '1', 'INCRBY', 'u8', '8', '1', 'OVERFLOW', 'WRAP']
  t.same(await batchOf([], ['bitfield', 'b', ...twice, 'INCRBY', 'u8', '0', '0']), [
    'log 6 11 OVERFLOW SAT INCRBY u8 0 1 INCRBY u8 8 1 OVERFLOW WRAP INCRBY u8 0 0',
    put(0, '8080'),
    metadata(2),
  ])
})
