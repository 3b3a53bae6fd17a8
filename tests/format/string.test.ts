import { test } from 'tap'
import { batchOf, hex, NEVER, type Words } from '../support/written.js'

/** The clock of a test server starts at 1,700,000,000,000 ms. */
const IN_TEN_SECONDS = '0000018bcfe58f10'

function put(value: string, expire = NEVER, key = 'k'): string {
  return `put metadata ${key} = 81 ${expire} ${hex(value)}`
}

const EXPIRING: Words[] = [['set', 'k', '10', 'EX', '10']]

test('numbers are text, and keep their expiry', async (t) => {
  t.same(await batchOf([], ['incr', 'k']), ['log 1', put('1')])
  t.same(await batchOf(EXPIRING, ['decrby', 'k', '3']), ['log 1', put('7', IN_TEN_SECONDS)])
  t.same(await batchOf(EXPIRING, ['incrbyfloat', 'k', '0.5']), ['log 1', put('10.5', IN_TEN_SECONDS)])
})

test('APPEND and SETRANGE write the whole value', async (t) => {
  t.same(await batchOf(EXPIRING, ['append', 'k', 'x']), ['log 1', put('10x', IN_TEN_SECONDS)])
  t.same(await batchOf([], ['setrange', 'k', '2', 'x']), ['log 1', put('\0\0x')])
  t.same(await batchOf([], ['append', 'k', '']), ['log 1', put('')])
})

test('SET and GETSET drop the expiry, KEEPTTL keeps it', async (t) => {
  t.same(await batchOf(EXPIRING, ['set', 'k', 'v']), ['log 1', put('v')])
  t.same(await batchOf(EXPIRING, ['set', 'k', 'v', 'KEEPTTL']), ['log 1', put('v', IN_TEN_SECONDS)])
  t.same(await batchOf(EXPIRING, ['getset', 'k', 'v']), ['log 1', put('v')])
  t.same(await batchOf(EXPIRING, ['set', 'k', 'v', 'NX']), [])
})

test('a string over a collection is one row; the sub-keys are left to compaction', async (t) => {
  t.same(await batchOf([['rpush', 'k', 'a']], ['set', 'k', 'v']), ['log 1', put('v')])
})
