/**
 * XXH3, 64 bits, seed 0 and the default secret: the hash that DIGEST shows. Up to 240 bytes the arithmetic is on bigints;
 * beyond that the accumulators are pairs of 32-bit halves, which is some twenty times as fast.
 * Source: the XXH3 specification of xxHash (doc/xxhash_spec.md), XXH3_64bits.
 */

import type { Bytes } from './bytes.js'

const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248e' +
    'e03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d' +
    '8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc' +
    '8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
)

const PRIME32_1 = 0x9e3779b1
const PRIME32_2 = 0x85ebca77
const PRIME32_3 = 0xc2b2ae3d
const PRIME64_1 = 0x9e3779b185ebca87n
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn
const PRIME64_3 = 0x165667b19e3779f9n
const PRIME64_4 = 0x85ebca77c2b2ae63n
const PRIME64_5 = 0x27d4eb2f165667c5n
const AVALANCHE_PRIME = 0x165667919e3779f9n
const RRMXMX_PRIME = 0x9fb21c651e98df25n
const MASK = 0xffff_ffff_ffff_ffffn

const STRIPE_BYTES = 64
const LANES = 8
const SECRET_STEP = 8
const STRIPES_PER_BLOCK = (SECRET.length - STRIPE_BYTES) / SECRET_STEP
const BLOCK_BYTES = STRIPES_PER_BLOCK * STRIPE_BYTES
const SCRAMBLE_SECRET_AT = SECRET.length - STRIPE_BYTES
const LAST_STRIPE_SECRET_AT = SECRET.length - STRIPE_BYTES - 7
const MERGE_SECRET_AT = 11
const MIDDLE_BYTES_MAX = 240

/** The hash of `input`. */
export function xxh3(input: Bytes): bigint {
  const { length } = input
  if (length > MIDDLE_BYTES_MAX) return hashLong(input)
  if (length > 128) return hash129To240(input)
  if (length > 16) return hash17To128(input)
  if (length > 8) return hash9To16(input)
  if (length > 3) return hash4To8(input)
  if (length > 0) return hash1To3(input)
  return avalanche64(secret64(56) ^ secret64(64))
}

function hash1To3(input: Bytes): bigint {
  const { length } = input
  const first = input[0] as number
  const middle = input[length >> 1] as number
  const last = input[length - 1] as number
  const combined = ((first << 16) | (middle << 24) | last | (length << 8)) >>> 0
  const flip = (SECRET.readUInt32LE(0) ^ SECRET.readUInt32LE(4)) >>> 0
  return avalanche64(BigInt((combined ^ flip) >>> 0))
}

function hash4To8(input: Bytes): bigint {
  const { length } = input
  const joined = BigInt(input.readUInt32LE(length - 4)) + (BigInt(input.readUInt32LE(0)) << 32n)
  let hash = joined ^ secret64(8) ^ secret64(16)
  hash ^= rotateLeft(hash, 49n) ^ rotateLeft(hash, 24n)
  hash = (hash * RRMXMX_PRIME) & MASK
  hash ^= ((hash >> 35n) + BigInt(length)) & MASK
  hash = (hash * RRMXMX_PRIME) & MASK
  return hash ^ (hash >> 28n)
}

function hash9To16(input: Bytes): bigint {
  const { length } = input
  const low = input.readBigUInt64LE(0) ^ secret64(24) ^ secret64(32)
  const high = input.readBigUInt64LE(length - 8) ^ secret64(40) ^ secret64(48)
  return avalanche(BigInt(length) + swapBytes(low) + high + foldedProduct(low, high))
}

function hash17To128(input: Bytes): bigint {
  const { length } = input
  let sum = BigInt(length) * PRIME64_1
  // Pairs of 16 bytes from both ends towards the middle.
  for (let pair = Math.floor((length - 1) / 32); pair >= 0; pair--) {
    sum += mix16(input, pair * 16, pair * 32)
    sum += mix16(input, length - (pair + 1) * 16, pair * 32 + 16)
  }
  return avalanche(sum)
}

function hash129To240(input: Bytes): bigint {
  const { length } = input
  const rounds = length >> 4
  let sum = BigInt(length) * PRIME64_1
  for (let round = 0; round < 8; round++) sum += mix16(input, round * 16, round * 16)
  sum = avalanche(sum)
  for (let round = 8; round < rounds; round++) sum += mix16(input, round * 16, (round - 8) * 16 + 3)
  return avalanche(sum + mix16(input, length - 16, 136 - 17))
}

/** The eight 64-bit accumulators, as their low and high halves. */
interface Accumulators {
  readonly low: Uint32Array
  readonly high: Uint32Array
}

function hashLong(input: Bytes): bigint {
  const sums = initialSums()
  const blocks = Math.floor((input.length - 1) / BLOCK_BYTES)
  for (let block = 0; block < blocks; block++) {
    for (let stripe = 0; stripe < STRIPES_PER_BLOCK; stripe++) {
      accumulate(sums, input, block * BLOCK_BYTES + stripe * STRIPE_BYTES, stripe * SECRET_STEP)
    }
    scramble(sums)
  }
  const rest = blocks * BLOCK_BYTES
  const stripes = Math.floor((input.length - 1 - rest) / STRIPE_BYTES)
  for (let stripe = 0; stripe < stripes; stripe++) {
    accumulate(sums, input, rest + stripe * STRIPE_BYTES, stripe * SECRET_STEP)
  }
  accumulate(sums, input, input.length - STRIPE_BYTES, LAST_STRIPE_SECRET_AT)
  return merge(sums, BigInt(input.length) * PRIME64_1)
}

function initialSums(): Accumulators {
  const initial = [
    BigInt(PRIME32_3),
    PRIME64_1,
    PRIME64_2,
    PRIME64_3,
    PRIME64_4,
    BigInt(PRIME32_2),
    PRIME64_5,
    BigInt(PRIME32_1),
  ]
  return {
    low: Uint32Array.from(initial, (sum) => Number(sum & 0xffff_ffffn)),
    high: Uint32Array.from(initial, (sum) => Number(sum >> 32n)),
  }
}

const SECRET_WORDS = secretWords()

/** The 32-bit words of the secret at each offset where a stripe may read one. */
function secretWords(): Uint32Array {
  return Uint32Array.from({ length: SECRET.length - 3 }, (_, at) => SECRET.readUInt32LE(at))
}

function accumulate({ low, high }: Accumulators, input: Bytes, at: number, secretAt: number): void {
  for (let lane = 0; lane < LANES; lane++) {
    const from = at + lane * 8
    const valueLow = word(input, from)
    const valueHigh = word(input, from + 4)
    const keyLow = valueLow ^ (SECRET_WORDS[secretAt + lane * 8] as number)
    const keyHigh = valueHigh ^ (SECRET_WORDS[secretAt + lane * 8 + 4] as number)
    addTo(low, high, lane ^ 1, valueLow >>> 0, valueHigh)
    addTo(low, high, lane, Math.imul(keyLow, keyHigh) >>> 0, productHigh(keyLow, keyHigh))
  }
}

function word(input: Bytes, at: number): number {
  return (
    (input[at] as number) |
    ((input[at + 1] as number) << 8) |
    ((input[at + 2] as number) << 16) |
    ((input[at + 3] as number) << 24)
  )
}

/** Adds a 64-bit value by halves; `valueLow` is not negative. */
function addTo(low: Uint32Array, high: Uint32Array, lane: number, valueLow: number, valueHigh: number): void {
  const sum = (low[lane] as number) + valueLow
  low[lane] = sum
  high[lane] = ((high[lane] as number) + valueHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0
}

/** The upper 32 bits of the product of two unsigned 32-bit numbers. */
function productHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const lowHigh = aLow * bHigh
  const highLow = aHigh * bLow
  const middle = ((aLow * bLow) / 0x10000) >>> 0
  const carry = ((lowHigh & 0xffff) + (highLow & 0xffff) + middle) >>> 16
  return (aHigh * bHigh + (lowHigh >>> 16) + (highLow >>> 16) + carry) | 0
}

function scramble({ low, high }: Accumulators): void {
  for (let lane = 0; lane < LANES; lane++) {
    const sumLow = low[lane] as number
    const sumHigh = high[lane] as number
    const keyAt = SCRAMBLE_SECRET_AT + lane * 8
    const mixedLow = (sumLow ^ (sumHigh >>> 15) ^ (SECRET_WORDS[keyAt] as number)) >>> 0
    const mixedHigh = (sumHigh ^ (SECRET_WORDS[keyAt + 4] as number)) >>> 0
    low[lane] = Math.imul(mixedLow, PRIME32_1)
    high[lane] = (productHigh(mixedLow, PRIME32_1) + Math.imul(mixedHigh, PRIME32_1)) | 0
  }
}

function merge({ low, high }: Accumulators, start: bigint): bigint {
  const sum = (lane: number): bigint => (BigInt(high[lane] as number) << 32n) | BigInt(low[lane] as number)
  let hash = start
  for (let pair = 0; pair < LANES / 2; pair++) {
    const keyAt = MERGE_SECRET_AT + pair * 16
    hash += foldedProduct(sum(pair * 2) ^ secret64(keyAt), sum(pair * 2 + 1) ^ secret64(keyAt + 8))
  }
  return avalanche(hash)
}

function mix16(input: Bytes, at: number, secretAt: number): bigint {
  const first = input.readBigUInt64LE(at) ^ secret64(secretAt)
  const second = input.readBigUInt64LE(at + 8) ^ secret64(secretAt + 8)
  return foldedProduct(first, second)
}

/** Both halves of the 128-bit product, xored. */
function foldedProduct(a: bigint, b: bigint): bigint {
  const product = a * b
  return (product & MASK) ^ (product >> 64n)
}

function avalanche(unbounded: bigint): bigint {
  let hash = unbounded & MASK
  hash ^= hash >> 37n
  hash = (hash * AVALANCHE_PRIME) & MASK
  return hash ^ (hash >> 32n)
}

/** The finish of the older XXH64, which the shortest inputs use. */
function avalanche64(start: bigint): bigint {
  let hash = start
  hash ^= hash >> 33n
  hash = (hash * PRIME64_2) & MASK
  hash ^= hash >> 29n
  hash = (hash * PRIME64_3) & MASK
  return hash ^ (hash >> 32n)
}

function rotateLeft(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK
}

function swapBytes(value: bigint): bigint {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64LE(value)
  return bytes.readBigUInt64BE()
}

function secret64(at: number): bigint {
  return SECRET.readBigUInt64LE(at)
}
