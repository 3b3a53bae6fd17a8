import type { Bytes } from '../../bytes/bytes.js'
import { decimal, type Int64, parseInt64, toInt64 } from '../../bytes/int64.js'
import { corrupt } from './rdb-error.js'

/**
 * Listpacks: small collections in one block, since Redis 5 in streams and since 7.0 everywhere.
 *
 *   size(4) count(2, 65535 = unknown) entry… ff         little-endian
 *   entry = encoding data length-of-both backwards
 *
 *   0xxxxxxx                  0 to 127             10llllll data         string below 64 bytes
 *   110xxxxx x                13 bits, signed      1110llll l data       string below 4096 bytes
 *   f1 f2 f3 f4 + 2 3 4 8     signed               f0 llll data          string of any length
 *
 * Source: Redis listpack.c.
 */

const HEADER_SIZE = 6
const COUNT_UNKNOWN = 65535
const END = 0xff
const STRING_32_BITS = 0xf0
const INT16 = 0xf1
const INT24 = 0xf2
const INT32 = 0xf3
const INT64 = 0xf4

/** Walks the entries of a listpack and checks each on the way. Strings are views of the block. */
export class ListpackReader {
  readonly #block: Bytes
  readonly #count: number
  #at = HEADER_SIZE
  #read = 0
  #text: Bytes | undefined
  #integer: Int64 = 0

  constructor(block: Bytes) {
    const end = block.length - 1
    if (end < HEADER_SIZE || block.readUInt32LE(0) !== block.length || block[end] !== END) {
      throw corrupt('listpack: wrong size')
    }
    this.#block = block
    this.#count = block.readUInt16LE(4)
  }

  /** Whether all entries are read; throws if their number is not what the header says. */
  get done(): boolean {
    if (this.#at < this.#block.length - 1) return false
    if (this.#count !== COUNT_UNKNOWN && this.#count !== this.#read) throw corrupt('listpack: wrong count')
    return true
  }

  /** The next entry as bytes, integers in decimal. */
  bytes(): Bytes {
    this.#next()
    return this.#text ?? decimal(this.#integer)
  }

  /** The next entry, which has to be an integer. */
  integer(): Int64 {
    this.#next()
    if (this.#text === undefined) return this.#integer
    const value = parseInt64(this.#text)
    if (value === undefined) throw corrupt('listpack: integer expected')
    return value
  }

  #next(): void {
    const block = this.#block
    const start = this.#at
    const end = block.length - 1
    if (start >= end) throw corrupt('listpack: too few entries')
    const [head, length] = entryShape(block, start)
    const next = start + head + length
    if (next > end) throw corrupt('listpack: entry out of bounds')
    if (head === 0 || block[start]! >= INT16 || (block[start]! & 0xe0) === 0xc0) {
      this.#text = undefined
      this.#integer = readInteger(block, start)
    } else {
      this.#text = block.subarray(start + head, next)
    }
    this.#at = passBackLength(block, next, head + length)
    if (this.#at > end) throw corrupt('listpack: entry out of bounds')
    this.#read++
  }
}

/** How many bytes the encoding takes before the data, and how many the data; for small integers 0 and 1. */
function entryShape(block: Bytes, at: number): [head: number, length: number] {
  const first = block[at]!
  if (first < 0x80) return [0, 1]
  if (first < 0xc0) return [1, first & 0x3f]
  if (first < 0xe0) return [1, 1]
  if (first < 0xf0) return [2, ((first & 0x0f) << 8) | block[at + 1]!]
  if (first === STRING_32_BITS && at + 5 < block.length) return [5, block.readUInt32LE(at + 1)]
  if (first === INT16) return [1, 2]
  if (first === INT24) return [1, 3]
  if (first === INT32) return [1, 4]
  if (first === INT64) return [1, 8]
  throw corrupt('listpack: unknown encoding')
}

function readInteger(block: Bytes, at: number): Int64 {
  const first = block[at]!
  if (first < 0x80) return first
  if (first < 0xe0) return ((((first & 0x1f) << 8) | block[at + 1]!) << 19) >> 19
  if (first === INT64) return toInt64(block.readBigInt64LE(at + 1))
  return block.readIntLE(at + 1, first === INT16 ? 2 : first === INT24 ? 3 : 4)
}

/** The length of an entry, seven bits a byte, most significant first, all but the first marked; read from its end. */
function backLengthSize(length: number): number {
  return length < 128 ? 1 : length < 16384 ? 2 : length < 2097152 ? 3 : length < 268435456 ? 4 : 5
}

function passBackLength(block: Bytes, at: number, length: number): number {
  const next = at + backLengthSize(length)
  let rest = length
  for (let index = next - 1; index >= at; index--) {
    if (block[index] !== ((rest & 0x7f) | (index > at ? 0x80 : 0))) throw corrupt('listpack: wrong length of an entry')
    rest = Math.floor(rest / 128)
  }
  return next
}

const GROW_MIN = 256

/** Builds a listpack. */
export class ListpackWriter {
  #block = Buffer.allocUnsafe(GROW_MIN)
  #end = HEADER_SIZE
  #count = 0

  /** Bytes so far. */
  get size(): number {
    return this.#end + 1
  }

  /** Appends a string as it is. Integers may stand as strings: every reader takes either. */
  bytes(text: Bytes): void {
    const length = text.length
    const head = length < 64 ? 1 : length < 4096 ? 2 : 5
    const at = this.#reserve(head + length)
    if (head === 1) this.#block[at] = 0x80 | length
    else if (head === 2) this.#block.writeUInt16BE(0xe000 | length, at)
    else {
      this.#block[at] = STRING_32_BITS
      this.#block.writeUInt32LE(length, at + 1)
    }
    this.#block.set(text, at + head)
    this.#close(at, head + length)
  }

  /** Appends a signed integer. */
  integer(value: Int64): void {
    const at = this.#reserve(9)
    const block = this.#block
    if (typeof value === 'number' && value >= 0 && value < 128) {
      block[at] = value
      this.#close(at, 1)
    } else if (typeof value === 'number' && value >= -32768 && value <= 32767) {
      block[at] = INT16
      this.#close(at, block.writeInt16LE(value, at + 1) - at)
    } else if (typeof value === 'number' && value >= -2147483648 && value <= 2147483647) {
      block[at] = INT32
      this.#close(at, block.writeInt32LE(value, at + 1) - at)
    } else {
      block[at] = INT64
      this.#close(at, block.writeBigInt64LE(BigInt(value), at + 1) - at)
    }
  }

  /** The finished block. The writer is not used any more. */
  finish(): Bytes {
    const block = this.#block.subarray(0, this.#end + 1)
    block.writeUInt32LE(block.length, 0)
    block.writeUInt16LE(Math.min(this.#count, COUNT_UNKNOWN), 4)
    block[this.#end] = END
    return block
  }

  /** Makes room for an entry, the length behind it and the end mark. */
  #reserve(length: number): number {
    const needed = this.#end + length + 6
    if (needed > this.#block.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#block.length * 2))
      grown.set(this.#block.subarray(0, this.#end))
      this.#block = grown
    }
    return this.#end
  }

  #close(at: number, length: number): void {
    const start = at + length
    const next = start + backLengthSize(length)
    let rest = length
    for (let index = next - 1; index >= start; index--) {
      this.#block[index] = (rest & 0x7f) | (index > start ? 0x80 : 0)
      rest = Math.floor(rest / 128)
    }
    this.#end = next
    this.#count++
  }
}
