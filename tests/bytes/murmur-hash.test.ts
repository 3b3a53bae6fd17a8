import fc from 'fast-check'
import { test } from 'tap'
import { murmurHash64A } from '../../src/bytes/murmur-hash.js'
import { Word64 } from '../../src/bytes/word64.js'
import '../support/seed.js'

const MASK = 2n ** 64n - 1n
const uint64 = fc.bigInt({ min: 0n, max: MASK })
const word = (value: bigint) => new Word64(Number(value >> 32n), Number(value & 0xffff_ffffn))

test('64-bit words calculate modulo 2^64', async () => {
  fc.assert(
    fc.property(uint64, uint64, fc.integer({ min: 1, max: 63 }), (a, b, bits) => {
      const products = word(a).multiply(word(b)).toBigInt() === ((a * b) & MASK)
      return products && word(a).xorShiftRight(bits).toBigInt() === (a ^ (a >> BigInt(bits)))
    }),
  )
})

test('MurmurHash64A follows its definition on bytes of any length', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(0xffff_ffff), (bytes, seed) => {
      return murmurHash64A(bytes, seed).toBigInt() === defineMurmur(Buffer.from(bytes), BigInt(seed))
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
