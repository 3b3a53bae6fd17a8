import fc from 'fast-check'
import { test } from 'tap'
import { latin1 } from '../../src/bytes/bytes.js'
import { murmurHash64A } from '../../src/bytes/murmur-hash.js'
import { Word64 } from '../../src/bytes/word64.js'
import { xxHash64 } from '../../src/bytes/xx-hash.js'
import '../support/seed.js'

const MASK = 2n ** 64n - 1n
const uint64 = fc.bigInt({ min: 0n, max: MASK })
const word = (value: bigint) => new Word64(Number(value >> 32n), Number(value & 0xffff_ffffn))

test('64-bit words calculate modulo 2^64', async () => {
  fc.assert(
    fc.property(uint64, uint64, fc.integer({ min: 1, max: 63 }), (a, b, bits) => {
      const n = BigInt(bits)
      const sums = word(a).add(word(b)).toBigInt() === ((a + b) & MASK)
      const products = word(a).multiply(word(b)).toBigInt() === ((a * b) & MASK)
      const rotated = word(a).rotateLeft(bits).toBigInt() === (((a << n) | (a >> (64n - n))) & MASK)
      return sums && products && rotated && word(a).xorShiftRight(bits).toBigInt() === (a ^ (a >> n))
    }),
  )
})

test('xxHash64 gives the published values', async (t) => {
  const hash = (text: string) => xxHash64(latin1(text)).toBigInt().toString(16)
  t.equal(hash(''), 'ef46db3751d8e999')
  t.equal(hash('a'), 'd24ec4f1a98c6e5b')
  t.equal(hash('abc'), '44bc2cf5ad770999')
  t.equal(hash('Nobody inspects the spammish repetition'), 'fbcea83c8a378bf1')
})

test('both hashes follow their definitions on bytes of any length', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(0xffff_ffff), (bytes, seed) => {
      const murmur = murmurHash64A(bytes, seed).toBigInt() === defineMurmur(Buffer.from(bytes), BigInt(seed))
      return murmur && xxHash64(bytes).toBigInt() === defineXx(Buffer.from(bytes))
    }),
  )
})

/** MurmurHash64A in bigints. */
function defineMurmur(bytes: Buffer, seed: bigint): bigint {
  const m = 0xc6a4a7935bd1e995n
  let hash = seed ^ ((BigInt(bytes.length) * m) & MASK)
  const whole = bytes.length - (bytes.length % 8)
  for (let at = 0; at < whole; at += 8) {
    let k = (bytes.readBigUInt64LE(at) * m) & MASK
    k ^= k >> 47n
    hash = ((hash ^ ((k * m) & MASK)) * m) & MASK
  }
  if (whole < bytes.length) {
    const tail = Buffer.concat([bytes.subarray(whole), Buffer.alloc(8)]).readBigUInt64LE(0)
    hash = ((hash ^ tail) * m) & MASK
  }
  hash ^= hash >> 47n
  hash = (hash * m) & MASK
  return hash ^ (hash >> 47n)
}

const P1 = 0x9e3779b185ebca87n
const P2 = 0xc2b2ae3d27d4eb4fn
const P3 = 0x165667b19e3779f9n
const P4 = 0x85ebca77c2b2ae63n
const P5 = 0x27d4eb2f165667c5n
const rotate = (value: bigint, bits: bigint) => ((value << bits) | (value >> (64n - bits))) & MASK
const round = (lane: bigint, input: bigint) => (rotate((lane + input * P2) & MASK, 31n) * P1) & MASK

/** XXH64 with seed 0 in bigints. */
function defineXx(bytes: Buffer): bigint {
  let at = 0
  let hash = P5
  if (bytes.length >= 32) {
    const lanes = [(P1 + P2) & MASK, P2, 0n, -P1 & MASK]
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane]!, bytes.readBigUInt64LE(at + lane * 8))
    }
    hash = [1n, 7n, 12n, 18n].reduce((sum, bits, lane) => (sum + rotate(lanes[lane]!, bits)) & MASK, 0n)
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * P1 + P4) & MASK
  }
  hash = (hash + BigInt(bytes.length)) & MASK
  for (; at + 8 <= bytes.length; at += 8) {
    hash = (rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * P1 + P4) & MASK
  }
  for (; at + 4 <= bytes.length; at += 4) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(at)) * P1) & MASK), 23n) * P2 + P3) & MASK
  }
  for (; at < bytes.length; at++) hash = (rotate(hash ^ ((BigInt(bytes[at]!) * P5) & MASK), 11n) * P1) & MASK
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK
  return hash ^ (hash >> 32n)
}
