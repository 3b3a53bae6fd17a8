import type { Bytes } from '../../bytes/bytes.js'
import { decimal, type Int64, readUint32, readUint64, toInt64 } from '../../bytes/int64.js'
import {
  ENCODED_INT8,
  ENCODED_INT16,
  ENCODED_INT32,
  ENCODED_LZF,
  LENGTH_14_BITS,
  LENGTH_32_BITS,
  LENGTH_64_BITS,
  LENGTH_ENCODED,
} from './format.js'
import { expandLzf } from './lzf.js'
import { corrupt, RdbError } from './rdb-error.js'

/** No string, and no encoded collection, is longer: Node's limit for one buffer is twice this. */
const STRING_BYTES_MAX = 2 ** 31

/**
 * Reads RDB's primitives from a window of bytes. When the window ends too early, `missing` says how many bytes would
 * have been enough for the read that failed, and an RdbError 'truncated' is thrown; a caller that can get more puts
 * `at` back to where it was sure, extends the window and tries again.
 */
export class ByteSource {
  window: Bytes
  at = 0
  missing = 0

  constructor(window: Bytes) {
    this.window = window
  }

  /** Bytes that are left in the window. */
  get left(): number {
    return this.window.length - this.at
  }

  /** Moves behind the next `length` bytes and returns where they start. */
  #pass(length: number): number {
    const from = this.at
    if (length > this.window.length - from) {
      this.missing = length - (this.window.length - from)
      throw new RdbError('truncated', 'unexpected end of the data')
    }
    this.at = from + length
    return from
  }

  byte(): number {
    return this.window[this.#pass(1)]!
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Bytes {
    const from = this.#pass(length)
    return this.window.subarray(from, from + length)
  }

  int32(): number {
    return this.window.readInt32LE(this.#pass(4))
  }

  float(): number {
    return this.window.readFloatLE(this.#pass(4))
  }

  double(): number {
    return this.window.readDoubleLE(this.#pass(8))
  }

  /** A signed little-endian 64-bit integer: RDB's times in milliseconds. */
  int64(): Int64 {
    return toInt64(this.window.readBigInt64LE(this.#pass(8)))
  }

  /** A big-endian unsigned 64-bit integer: the halves of a raw stream id. */
  uint64(): Int64 {
    return readUint64(this.window, this.#pass(8))
  }

  /** A length, or any unsigned integer that is stored as one. */
  length(): Int64 {
    const first = this.byte()
    if (first < LENGTH_14_BITS) return first
    if (first < LENGTH_32_BITS) return ((first & 0x3f) << 8) | this.byte()
    if (first === LENGTH_32_BITS) return readUint32(this.window, this.#pass(4))
    if (first === LENGTH_64_BITS) return this.uint64()
    throw corrupt('length expected')
  }

  /** A length that counts something; more than 2^53 of anything is a lie. */
  count(): number {
    const count = this.length()
    if (typeof count === 'bigint') throw corrupt('impossible count')
    return count
  }

  /** A string in any of its encodings; a view where it stands as it is. */
  string(): Bytes {
    const first = this.window[this.#pass(1)]!
    if (first < LENGTH_14_BITS) return this.bytes(first)
    this.at--
    if (first < LENGTH_ENCODED) return this.bytes(this.#stringLength())
    this.at++
    const encoding = first & 0x3f
    if (encoding === ENCODED_LZF) {
      const packedLength = this.#stringLength()
      const length = this.#stringLength()
      return expandLzf(this.bytes(packedLength), length)
    }
    if (encoding === ENCODED_INT8) return decimal(this.window.readInt8(this.#pass(1)))
    if (encoding === ENCODED_INT16) return decimal(this.window.readInt16LE(this.#pass(2)))
    if (encoding === ENCODED_INT32) return decimal(this.int32())
    throw corrupt('unknown encoding of a string')
  }

  #stringLength(): number {
    const length = this.count()
    if (length > STRING_BYTES_MAX) throw corrupt('impossible length of a string')
    return length
  }
}
