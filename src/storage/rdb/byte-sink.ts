import type { Bytes } from '../../bytes/bytes.js'
import { type Int64, parseInt64, writeUint32, writeUint64 } from '../../bytes/int64.js'
import {
  ENCODED_INT8,
  ENCODED_INT16,
  ENCODED_INT32,
  LENGTH_14_BITS,
  LENGTH_32_BITS,
  LENGTH_64_BITS,
  LENGTH_ENCODED,
} from './format.js'

const START_BYTES = 1024
const INTEGER_TEXT_MAX = 11
const TWO_31 = 2 ** 31

/** Collects RDB's primitives in one growing buffer. */
export class ByteSink {
  #buffer = Buffer.allocUnsafe(START_BYTES)
  #end = 0

  /** Bytes collected since the last `take`. */
  get size(): number {
    return this.#end
  }

  /** Hands over what is collected, and starts anew. */
  take(): Bytes {
    const taken = this.#buffer.subarray(0, this.#end)
    this.#buffer = Buffer.allocUnsafe(START_BYTES)
    this.#end = 0
    return taken
  }

  /** Leaves room for `length` bytes and returns where it starts. This may replace the buffer: call it first. */
  #reserve(length: number): number {
    const from = this.#end
    const end = from + length
    if (end > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(end, this.#buffer.length * 2))
      grown.set(this.#buffer.subarray(0, from))
      this.#buffer = grown
    }
    this.#end = end
    return from
  }

  byte(value: number): void {
    const at = this.#reserve(1)
    this.#buffer[at] = value
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#buffer.set(bytes, at)
  }

  uint16(value: number): void {
    const at = this.#reserve(2)
    this.#buffer.writeUInt16LE(value, at)
  }

  float(value: number): void {
    const at = this.#reserve(4)
    this.#buffer.writeFloatLE(value, at)
  }

  double(value: number): void {
    const at = this.#reserve(8)
    this.#buffer.writeDoubleLE(value, at)
  }

  /** A time in milliseconds: signed, little-endian. */
  int64(value: Int64): void {
    const at = this.#reserve(8)
    this.#buffer.writeBigInt64LE(BigInt(value), at)
  }

  /** Half of a raw stream id: unsigned, big-endian. */
  uint64(value: Int64): void {
    const at = this.#reserve(8)
    writeUint64(this.#buffer, at, value)
  }

  /** A length, or an unsigned integer that is stored as one; -1 becomes 2^64-1. */
  length(value: Int64): void {
    if (typeof value === 'number' && value >= 0 && value < 64) {
      this.byte(value)
    } else if (typeof value === 'number' && value >= 0 && value < 16384) {
      const at = this.#reserve(2)
      this.#buffer[at] = LENGTH_14_BITS | (value >> 8)
      this.#buffer[at + 1] = value
    } else if (typeof value === 'number' && value >= 0 && value < 2 ** 32) {
      this.byte(LENGTH_32_BITS)
      const at = this.#reserve(4)
      writeUint32(this.#buffer, at, value)
    } else {
      this.byte(LENGTH_64_BITS)
      this.uint64(value)
    }
  }

  /** A string; short integers take one, two or four bytes, as Redis writes them. */
  string(bytes: Bytes): void {
    const integer = bytes.length <= INTEGER_TEXT_MAX ? parseInt64(bytes) : undefined
    if (typeof integer === 'number' && integer >= -TWO_31 && integer < TWO_31) this.#integer(integer)
    else this.block(bytes)
  }

  /** A string as it is: blocks, and what is no text. */
  block(bytes: Bytes): void {
    this.length(bytes.length)
    this.bytes(bytes)
  }

  #integer(value: number): void {
    if (value >= -128 && value <= 127) {
      this.byte(LENGTH_ENCODED | ENCODED_INT8)
      const at = this.#reserve(1)
      this.#buffer.writeInt8(value, at)
    } else if (value >= -32768 && value <= 32767) {
      this.byte(LENGTH_ENCODED | ENCODED_INT16)
      const at = this.#reserve(2)
      this.#buffer.writeInt16LE(value, at)
    } else {
      this.byte(LENGTH_ENCODED | ENCODED_INT32)
      const at = this.#reserve(4)
      this.#buffer.writeInt32LE(value, at)
    }
  }
}
