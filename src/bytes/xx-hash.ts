import { Word64 } from './word64.js'

const PRIME_1 = new Word64(0x9e3779b1, 0x85ebca87)
const PRIME_2 = new Word64(0xc2b2ae3d, 0x27d4eb4f)
const PRIME_3 = new Word64(0x165667b1, 0x9e3779f9)
const PRIME_4 = new Word64(0x85ebca77, 0xc2b2ae63)
const PRIME_5 = new Word64(0x27d4eb2f, 0x165667c5)
const ZERO = new Word64(0, 0)
const STRIPE = 32

/** XXH64 with seed 0: the hash of Bloom filters. Source: the xxHash specification, XXH64. */
export function xxHash64(bytes: Uint8Array): Word64 {
  const length = bytes.length
  const word = new Word64(0, 0)
  const hash = new Word64(0, 0)
  let at = 0
  if (length >= STRIPE) at = hashStripes(bytes, hash, word)
  else hash.set(PRIME_5)
  hash.add(word.set(ZERO).add(new Word64(Math.floor(length / 0x1_0000_0000), length)))
  for (; at + 8 <= length; at += 8) {
    hash
      .xor(round(word, ZERO, bytes, at))
      .rotateLeft(27)
      .multiply(PRIME_1)
      .add(PRIME_4)
  }
  if (at + 4 <= length) {
    word.low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    word.high = 0
    hash.xor(word.multiply(PRIME_1)).rotateLeft(23).multiply(PRIME_2).add(PRIME_3)
    at += 4
  }
  for (; at < length; at++) {
    word.low = bytes[at]!
    word.high = 0
    hash.xor(word.multiply(PRIME_5)).rotateLeft(11).multiply(PRIME_1)
  }
  return hash.xorShiftRight(33).multiply(PRIME_2).xorShiftRight(29).multiply(PRIME_3).xorShiftRight(32)
}

/** target = rotate(lane + input * prime 2, 31) * prime 1; lane and target may be the same. */
function round(target: Word64, lane: Word64, bytes: Uint8Array, at: number): Word64 {
  const input = new Word64(0, 0).load(bytes, at).multiply(PRIME_2).add(lane)
  return target.set(input).rotateLeft(31).multiply(PRIME_1)
}

/** Four lanes over all whole stripes, merged into `hash`. Returns where the stripes end. */
function hashStripes(bytes: Uint8Array, hash: Word64, word: Word64): number {
  const lanes = [
    new Word64(0, 0).set(PRIME_1).add(PRIME_2),
    new Word64(0, 0).set(PRIME_2),
    new Word64(0, 0),
    new Word64(~PRIME_1.high, ~PRIME_1.low).add(new Word64(0, 1)),
  ]
  let at = 0
  for (; at + STRIPE <= bytes.length; at += STRIPE) {
    for (const [index, lane] of lanes.entries()) round(lane, lane, bytes, at + index * 8)
  }
  const rotations = [1, 7, 12, 18]
  for (const [index, lane] of lanes.entries()) hash.add(word.set(lane).rotateLeft(rotations[index]!))
  for (const lane of lanes) {
    const merged = lane.multiply(PRIME_2).rotateLeft(31).multiply(PRIME_1)
    hash.xor(merged).multiply(PRIME_1).add(PRIME_4)
  }
  return at
}
