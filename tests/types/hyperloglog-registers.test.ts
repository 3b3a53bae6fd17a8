import fc from 'fast-check'
import { test } from 'tap'
import {
  countSegment,
  emptyHistogram,
  estimateCount,
  getRegister,
  hitRegister,
  mergeSegment,
  REGISTER_COUNT,
  registersForRedis,
  registersOfRedis,
  SEGMENT_BYTES,
  SEGMENT_COUNT,
  SEGMENT_REGISTERS,
  setRegister,
} from '../../src/types/hyperloglog-registers.js'
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js'
import '../support/seed.js'

test('registers are packed without touching their neighbours', async () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(SEGMENT_REGISTERS - 1), fc.nat(63)), { maxLength: 50 }), (writes) => {
      const segment = Buffer.alloc(SEGMENT_BYTES)
      const model = new Array<number>(SEGMENT_REGISTERS).fill(0)
      for (const [index, value] of writes) {
        setRegister(segment, index, value)
        model[index] = value
      }
      return model.every((value, index) => getRegister(segment, index) === value)
    }),
    { numRuns: 30 },
  )
})

test('the first registers stand in the low bits', async (t) => {
  const segment = Buffer.alloc(SEGMENT_BYTES)
  for (const [index, value] of [1, 2, 3, 63].entries()) setRegister(segment, index, value)
  t.equal(segment.toString('hex', 0, 4), '8130fc00')
  t.equal(getRegister(segment, 4), 0)
})

test('merging keeps the greater register and says whether any was raised', async (t) => {
  const target = Buffer.alloc(SEGMENT_BYTES)
  const source = Buffer.alloc(SEGMENT_BYTES)
  setRegister(target, 5, 9)
  setRegister(source, 5, 8)
  t.equal(mergeSegment(target, source), false)
  setRegister(source, 1023, 51)
  t.equal(mergeSegment(target, source), true)
  t.same([getRegister(target, 5), getRegister(target, 1023)], [9, 51])
})

test('no elements count as 0', async (t) => {
  const histogram = emptyHistogram()
  for (let segment = 0; segment < SEGMENT_COUNT; segment++) countSegment(histogram, undefined)
  t.equal(estimateCount(histogram), 0)
})

test('strings that are no HyperLogLog are told apart', async (t) => {
  const sparse = (hex: string) => Buffer.from(`48594c4c01000000${'0'.repeat(16)}${hex}`, 'hex')
  t.ok(registersOfRedis(sparse('7fff')))
  for (const text of [sparse('7ffe'), sparse('7fff00'), sparse('7f'), sparse(''), Buffer.from('HYLL')]) {
    t.equal(registersOfRedis(text), undefined)
  }
  t.equal(registersOfRedis(Buffer.alloc(16 + 12288, 'HYLX')), undefined)
  t.equal(registersOfRedis(registersForRedis([]).subarray(1)), undefined)
})

/** All registers in one buffer, after the elements. */
function registersFor(elements: readonly string[]): Buffer {
  const registers = Buffer.alloc(SEGMENT_COUNT * SEGMENT_BYTES)
  for (const element of elements) {
    const { index, value } = hitRegister(Buffer.from(element))
    if (value > getRegister(registers, index)) setRegister(registers, index, value)
  }
  return registers
}

function segmentsOf(registers: Buffer): Buffer[] {
  return Array.from({ length: SEGMENT_COUNT }, (_, index) =>
    registers.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES),
  )
}

test('registers and counts are those of redis-server, sparse and dense', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer()
  t.teardown(redis.stop)
  const { client } = redis
  for (const size of [1, 2, 10, 100, 1000, 5000, 50_000]) {
    const elements = Array.from({ length: size }, (_, index) => `element ${size} ${index * 7919}`)
    for (let at = 0; at < size; at += 1000) await client.pfadd('k', ...elements.slice(at, at + 1000))
    const registers = registersFor(elements)
    t.same(registersOfRedis((await client.getBuffer('k'))!), registers, `${size} elements: registers`)
    const histogram = emptyHistogram()
    for (const segment of segmentsOf(registers)) countSegment(histogram, segment)
    t.equal(
      histogram.reduce((sum, count) => sum + count),
      REGISTER_COUNT,
    )
    t.equal(estimateCount(histogram), await client.pfcount('k'), `${size} elements: count`)
    await client.set('copy', registersForRedis(segmentsOf(registers)))
    t.equal(await client.pfcount('copy'), await client.pfcount('k'), `${size} elements: restored`)
    await client.del('k')
  }
})
