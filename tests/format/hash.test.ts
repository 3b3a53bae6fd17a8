import { test } from 'tap'
import { batchesAfter } from '../support/batches.js'
import { startServer } from '../support/server.js'

type Words = readonly string[]

/** The batches of `command` on the hash h, after those of `before`, with its version written as V. */
async function written(before: readonly Words[], command: Words, advanceMs = 0): Promise<string[]> {
  await using s = await startServer({ nowMs: 1_700_000_000_000 })
  for (const words of before) await s.run(...words)
  s.advance(advanceMs)
  const sequence = s.server.store.latestSequence()
  await s.run(...command)
  if (sequence === s.server.store.latestSequence()) return []
  return batchesAfter(s, sequence)
    .flat()
    .map((line) => line.replace(/ default ~0000000168.{16}/, ' h V ').replace(/ = 82(.{16}).{16}/, ' = 82 $1 V '))
}

const NEVER = '0000000000000000'
/** 1,700,000,000,100. */
const AT = '0000018bcfe56864'
const LATER = '0000018bcfe568c8'

function u64(value: number): string {
  return value.toString(16).padStart(16, '0')
}

function bare(size: number): string {
  return `put metadata ~68 = 82 ${NEVER} V ${u64(size)}`
}

function expiring(size: number, persistent: number, earliest: string, latest: string): string {
  return `${bare(size)}01${u64(persistent)}${earliest}${latest}`
}

const PAIRS = [['hset', 'h', 'a', '1', 'b', '2']]
const EXPIRING = [...PAIRS, ['hpexpire', 'h', '100', 'FIELDS', '1', 'a']]

test('hashes without field expiry keep bare values and metadata', async (t) => {
  t.same(await written([], ['hset', 'h', 'a', '1', 'b', '2']), ['log 2', 'put h V 62 = 32', 'put h V 61 = 31', bare(2)])
  t.same(await written(PAIRS, ['hset', 'h', 'a', '3']), ['log 2', 'put h V 61 = 33'])
  t.same(await written(PAIRS, ['hincrby', 'h', 'a', '1']), ['log 2', 'put h V 61 = 32'])
  t.same(await written(PAIRS, ['hdel', 'h', 'a', 'b']), ['log 2', 'delete h V 61', 'delete h V 62', bare(0)])
  t.same(await written(PAIRS, ['hsetex', 'h', 'FIELDS', '1', 'c', '3']), ['log 2', 'put h V 63 = 33', bare(3)])
  t.same(await written(PAIRS, ['hpexpireat', 'h', '1', 'FIELDS', '1', 'a']), ['log 2', 'delete h V 61', bare(1)])
  t.same(await written(PAIRS, ['hpersist', 'h', 'FIELDS', '1', 'a']), [])
  t.same(await written(PAIRS, ['hgetex', 'h', 'FIELDS', '1', 'a']), [])
})

test('the first expiry puts one before all values, and counts the fields that never expire', async (t) => {
  t.same(await written(PAIRS, ['hpexpire', 'h', '100', 'FIELDS', '1', 'a']), [
    'log 2 13 1',
    `put h V 61 = ${NEVER}31`,
    `put h V 62 = ${NEVER}32`,
    `put h V 61 = ${AT}31`,
    expiring(2, 1, AT, AT),
  ])
  t.same(await written([], ['hsetex', 'h', 'PX', '100', 'FIELDS', '1', 'a', '1']), [
    'log 2 13 1',
    `put h V 61 = ${AT}31`,
    expiring(1, 0, AT, AT),
  ])
})

test('later operations keep the form, and the bounds of the expiries', async (t) => {
  t.same(await written(EXPIRING, ['hset', 'h', 'c', '3']), [
    'log 2 13 1',
    `put h V 63 = ${NEVER}33`,
    expiring(3, 2, AT, AT),
  ])
  t.same(await written(EXPIRING, ['hincrby', 'h', 'a', '1']), ['log 2 13 1', `put h V 61 = ${AT}32`])
  t.same(await written(EXPIRING, ['hgetex', 'h', 'PX', '100', 'FIELDS', '1', 'a']), [], 'the time that it has')
  t.same(await written(EXPIRING, ['hpexpire', 'h', '200', 'FIELDS', '1', 'b']), [
    'log 2 13 1',
    `put h V 62 = ${LATER}32`,
    expiring(2, 0, AT, LATER),
  ])
  t.same(await written(EXPIRING, ['hpersist', 'h', 'FIELDS', '1', 'a']), [
    'log 2 13 1',
    `put h V 61 = ${NEVER}31`,
    expiring(2, 2, NEVER, NEVER),
  ])
})

test('a write deletes the rows of fields that have expired', async (t) => {
  t.same(await written(EXPIRING, ['hset', 'h', 'c', '3'], 101), [
    'log 2 13 1 8',
    'delete h V 61',
    'log 0',
    'log 2 13 1',
    `put h V 63 = ${NEVER}33`,
    expiring(2, 2, NEVER, NEVER),
  ])
  t.same(await written(EXPIRING, ['hlen', 'h'], 101), [], 'reads write nothing')
})

test('the feed shows such values without their expiry', async (t) => {
  await using s = await startServer({ nowMs: 1_700_000_000_000 })
  await s.run(...(PAIRS[0] as string[]))
  const sequence = s.server.store.latestSequence()
  await s.run('hsetex', 'h', 'PX', '100', 'FIELDS', '1', 'a', '9')
  const client = await s.connect()
  const resp = JSON.stringify(await client.value('pollupdates', String(sequence + 1), 'max', '10', 'format', 'resp'))
  t.match(resp, '["HSET","h","b","2"]')
  t.match(resp, '["HSET","h","a","9"],["HPEXPIREAT","h","1700000000100","FIELDS","1","a"]')
  const json = JSON.stringify(await client.value('pollupdates', String(sequence + 1), 'max', '10', 'format', 'json'))
  t.match(json, 'HSETEX')
  t.notMatch(json, 'unknown')
})
