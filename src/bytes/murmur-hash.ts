import { Word64 } from './word64.js'

const MULTIPLIER = new Word64(0xc6a4a793, 0x5bd1e995)
const SHIFT = 47

/** MurmurHash64A on little-endian words: the hash of HyperLogLog. `seed` is below 2^32. Source: Austin Appleby's SMHasher. */
export function murmurHash64A(bytes: Uint8Array, seed: number): Word64 {
  const length = bytes.length
  const hash = new Word64(0, length).multiply(MULTIPLIER)
  hash.low ^= seed
  const word = new Word64(0, 0)
  let at = 0
  for (; at + 8 <= length; at += 8) {
    word.load(bytes, at).multiply(MULTIPLIER).xorShiftRight(SHIFT).multiply(MULTIPLIER)
    hash.xor(word).multiply(MULTIPLIER)
  }
  if (at < length) {
    let low = 0
    let high = 0
    for (let index = length - 1; index >= at; index--) {
      if (index - at >= 4) high = (high << 8) | bytes[index]!
      else low = (low << 8) | bytes[index]!
    }
    hash.low ^= low
    hash.high ^= high
    hash.multiply(MULTIPLIER)
  }
  return hash.xorShiftRight(SHIFT).multiply(MULTIPLIER).xorShiftRight(SHIFT)
}
