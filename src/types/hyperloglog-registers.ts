import type { Bytes } from '../bytes/bytes.js'
import { murmurHash64A } from '../bytes/murmur-hash.js'

/**
 * The registers of a HyperLogLog: 16,384 of six bits, in 16 segments of 1,024, which are rows of the database.
 *
 *   segment   768 bytes; register i from bit 6i on, least significant bit first
 *
 * A missing segment is all zero. One after the other the segments are what Redis calls the dense representation.
 * Source: Redis hyperloglog.c; kvrocks src/types/hyperloglog.h.
 */

export const SEGMENT_COUNT = 16
export const SEGMENT_REGISTERS = 1024
export const SEGMENT_BYTES = 768
export const REGISTER_COUNT = SEGMENT_COUNT * SEGMENT_REGISTERS
const REGISTER_MAX = 63

const INDEX_BITS = 14
const HASH_BITS = 50
const HASH_SEED = 0xadc83b19
const GUARD_BIT = 1 << (HASH_BITS - 32)
const ALPHA = 0.5 / Math.LN2

/** Which register an element touches, and the least value that it gives it: 1 to 51. */
export type RegisterHit = { readonly index: number; readonly value: number }

/** Hashes an element. */
export function hitRegister(element: Uint8Array): RegisterHit {
  const { high, low } = murmurHash64A(element, HASH_SEED)
  const index = low & (REGISTER_COUNT - 1)
  const lowRest = (low >>> INDEX_BITS) | (high << (32 - INDEX_BITS))
  const zeros = lowRest !== 0 ? trailingZeros(lowRest) : 32 + trailingZeros((high >>> INDEX_BITS) | GUARD_BIT)
  return { index, value: zeros + 1 }
}

function trailingZeros(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}

/** Register `index` of a segment, 0 to 1,023. */
export function getRegister(segment: Uint8Array, index: number): number {
  const bit = index * 6
  const at = bit >> 3
  const pair = segment[at]! | ((segment[at + 1] ?? 0) << 8)
  return (pair >> (bit & 7)) & REGISTER_MAX
}

/** Sets register `index` of a segment. */
export function setRegister(segment: Uint8Array, index: number, value: number): void {
  const bit = index * 6
  const at = bit >> 3
  const shift = bit & 7
  segment[at] = (segment[at]! & ~(REGISTER_MAX << shift)) | (value << shift)
  if (shift > 2) segment[at + 1] = (segment[at + 1]! & ~(REGISTER_MAX >> (8 - shift))) | (value >> (8 - shift))
}

/** Raises each register of `target` to that of `source`. Returns whether any was raised. */
export function mergeSegment(target: Uint8Array, source: Uint8Array): boolean {
  let raised = false
  for (let index = 0; index < SEGMENT_REGISTERS; index++) {
    const value = getRegister(source, index)
    if (value > getRegister(target, index)) {
      setRegister(target, index, value)
      raised = true
    }
  }
  return raised
}

/** How many registers have each value. */
export type Histogram = Uint32Array

/** A histogram of no registers. */
export function emptyHistogram(): Histogram {
  return new Uint32Array(REGISTER_MAX + 1)
}

/** Counts a segment's registers, or those of a missing one. */
export function countSegment(histogram: Histogram, segment: Uint8Array | undefined): void {
  if (segment === undefined) {
    histogram[0]! += SEGMENT_REGISTERS
    return
  }
  for (let at = 0; at < SEGMENT_BYTES; at += 3) {
    const four = segment[at]! | (segment[at + 1]! << 8) | (segment[at + 2]! << 16)
    histogram[four & 63]!++
    histogram[(four >> 6) & 63]!++
    histogram[(four >> 12) & 63]!++
    histogram[four >> 18]!++
  }
}

/**
 * The number of elements that gave all 16,384 registers in the histogram their values.
 * Source: Otmar Ertl, New cardinality estimation algorithms for HyperLogLog sketches, arXiv:1702.01284.
 */
export function estimateCount(histogram: Histogram): number {
  let z = REGISTER_COUNT * tau((REGISTER_COUNT - histogram[HASH_BITS + 1]!) / REGISTER_COUNT)
  for (let value = HASH_BITS; value >= 1; value--) z = (z + histogram[value]!) * 0.5
  z += REGISTER_COUNT * sigma(histogram[0]! / REGISTER_COUNT)
  return Math.round((ALPHA * REGISTER_COUNT * REGISTER_COUNT) / z)
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY
  let x = share
  let y = 1
  let z = x
  for (let previous = Number.NaN; z !== previous; y += y) {
    x *= x
    previous = z
    z += x * y
  }
  return z
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let x = share
  let y = 1
  let z = 1 - x
  for (let previous = Number.NaN; z !== previous; ) {
    x = Math.sqrt(x)
    previous = z
    y *= 0.5
    z -= (1 - x) ** 2 * y
  }
  return z / 3
}

/**
 * HyperLogLogs as Redis keeps them, in a string.
 *
 *   "HYLL" encoding(1: 0 dense, 1 sparse) unused(3) cached count(8, its top bit set: stale) registers
 *   sparse: 00zzzzzz            z+1 registers of 0
 *           01zzzzzz zzzzzzzz   z+1 registers of 0
 *           1vvvvvnn            n+1 registers of v+1
 */
const REDIS_MAGIC = 'HYLL'
const REDIS_HEADER_SIZE = 16
const REDIS_DENSE = 0
const REDIS_SPARSE = 1
const REDIS_STALE = 0x80

/** The registers of a HyperLogLog that Redis made, all segments in one buffer; undefined if it is none. */
export function registersOfRedis(text: Bytes): Bytes | undefined {
  if (text.length < REDIS_HEADER_SIZE || text.toString('latin1', 0, 4) !== REDIS_MAGIC) return undefined
  const body = text.subarray(REDIS_HEADER_SIZE)
  const size = SEGMENT_COUNT * SEGMENT_BYTES
  if (text[4] === REDIS_DENSE) return body.length === size ? Buffer.from(body) : undefined
  if (text[4] !== REDIS_SPARSE) return undefined
  const registers = Buffer.alloc(size)
  let index = 0
  for (let at = 0; at < body.length; at++) {
    const opcode = body[at]!
    if (opcode < 0x40) index += opcode + 1
    else if (opcode < 0x80) index += (((opcode & 0x3f) << 8) | (body[++at] ?? 0)) + 1
    else {
      const end = Math.min(index + (opcode & 3) + 1, REGISTER_COUNT)
      for (; index < end; index++) setRegister(registers, index, ((opcode >> 2) & 31) + 1)
    }
  }
  return index === REGISTER_COUNT ? registers : undefined
}

/** A string that Redis takes as a HyperLogLog, from all segments; undefined stands for a missing one. */
export function registersForRedis(segments: readonly (Uint8Array | undefined)[]): Bytes {
  const text = Buffer.alloc(REDIS_HEADER_SIZE + SEGMENT_COUNT * SEGMENT_BYTES)
  text.write(REDIS_MAGIC, 'latin1')
  text[REDIS_HEADER_SIZE - 1] = REDIS_STALE
  for (const [index, segment] of segments.entries()) {
    if (segment !== undefined) text.set(segment, REDIS_HEADER_SIZE + index * SEGMENT_BYTES)
  }
  return text
}
