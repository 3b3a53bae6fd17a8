/**
 * An unsigned 64-bit word in two halves that is changed in place, for a hash function: bigints would take some 50 ns a
 * step. Arithmetic is modulo 2^64; both halves are int32, signed as the bit operators leave them.
 */
export class Word64 {
  high: number
  low: number

  constructor(high: number, low: number) {
    this.high = high | 0
    this.low = low | 0
  }

  /** Takes in eight bytes, little-endian. */
  load(bytes: Uint8Array, at: number): this {
    this.low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    this.high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)
    return this
  }

  xor(other: Word64): this {
    this.high ^= other.high
    this.low ^= other.low
    return this
  }

  multiply(other: Word64): this {
    const cross = Math.imul(this.low, other.high) + Math.imul(this.high, other.low)
    this.high = (highOfProduct(this.low, other.low) + cross) | 0
    this.low = Math.imul(this.low, other.low)
    return this
  }

  /** word ^= word >>> bits, for 1 to 63 bits. */
  xorShiftRight(bits: number): this {
    const { high, low } = this
    if (bits < 32) {
      this.low = low ^ ((low >>> bits) | (high << (32 - bits)))
      this.high = high ^ (high >>> bits)
    } else {
      this.low = low ^ (high >>> (bits - 32))
    }
    return this
  }

  toBigInt(): bigint {
    return (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0)
  }
}

/** The upper 32 bits of the product of two unsigned 32-bit integers. */
function highOfProduct(a: number, b: number): number {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const cross = a0 * b1
  const other = a1 * b0
  const carry = ((a0 * b0) >>> 16) + (cross & 0xffff) + (other & 0xffff)
  return a1 * b1 + (cross >>> 16) + (other >>> 16) + (carry >>> 16)
}
