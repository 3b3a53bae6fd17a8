import { test } from 'tap'
import { batchOf, NEVER, u64, type Words } from '../support/written.js'

function put(id: number | bigint): string {
  return `put default i V ${u64(id)} = `
}

function remove(id: number): string {
  return `delete default i V ${u64(id)}`
}

function metadata(size: number): string {
  return `put metadata i = 87 ${NEVER} V ${u64(size)}`
}

const IDS: Words[] = [['siadd', 'i', '1', '258']]

test('SIADD writes ids as sub-keys without a value, then the size', async (t) => {
  t.same(await batchOf([], ['siadd', 'i', '258', '1']), ['log 7', put(258), put(1), metadata(2)])
  t.same(await batchOf([], ['siadd', 'i', '18446744073709551615']), ['log 7', put(2n ** 64n - 1n), metadata(1)])
  t.same(await batchOf(IDS, ['siadd', 'i', '1', '2']), ['log 7', put(2), metadata(3)])
})

test('SIREM deletes rows, and leaves one of size 0', async (t) => {
  t.same(await batchOf(IDS, ['sirem', 'i', '258', '7']), ['log 7', remove(258), metadata(1)])
  t.same(await batchOf(IDS, ['sirem', 'i', '1', '258']), ['log 7', remove(1), remove(258), metadata(0)])
})
