import type { Bytes } from './bytes.js'

/**
 * A 64-bit integer: a number when it is a safe integer, a bigint otherwise. Every function here keeps this invariant,
 * so two equal values are `===`. Signed or unsigned is the matter of the function that makes it.
 */
export type Int64 = number | bigint

export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n
export const UINT64_MAX = 2n ** 64n - 1n

const MINUS = 0x2d
const ZERO = 0x30
const SAFE_DIGITS_MAX = 15
const INT64_DIGITS_MAX = 19
const UINT64_DIGITS_MAX = 20

/** The canonical form of a bigint. */
export function toInt64(value: bigint): Int64 {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

/**
 * The signed integer that `bytes` spells, or undefined: an optional '-', decimal digits without a leading zero, and
 * nothing else, within int64. Source: Redis util.c, string2ll.
 */
export function parseInt64(bytes: Bytes): Int64 | undefined {
  const length = bytes.length
  const negative = length > 1 && bytes[0] === MINUS
  const start = negative ? 1 : 0
  const digits = length - start
  if (digits === 1 && !negative) {
    const digit = bytes[0]! - ZERO
    return digit >= 0 && digit <= 9 ? digit : undefined
  }
  if (digits < 1 || digits > INT64_DIGITS_MAX || bytes[start]! <= ZERO) return undefined
  if (digits > SAFE_DIGITS_MAX) return parseLong(bytes, start, negative ? INT64_MIN : INT64_MAX)
  const magnitude = accumulate(bytes, start, length)
  if (magnitude < 0) return undefined
  return negative ? -magnitude : magnitude
}

/** The unsigned integer that `bytes` spells, as strictly as `parseInt64`, within uint64; or undefined. */
export function parseUint64(bytes: Bytes): Int64 | undefined {
  const digits = bytes.length
  if (digits < 1 || digits > UINT64_DIGITS_MAX) return undefined
  if (bytes[0] === ZERO) return digits === 1 ? 0 : undefined
  if (digits > SAFE_DIGITS_MAX) return parseLong(bytes, 0, UINT64_MAX)
  const value = accumulate(bytes, 0, digits)
  return value < 0 ? undefined : value
}

/** The value of the digits, at most 15 of them; -1 if there is anything else. */
function accumulate(bytes: Bytes, start: number, end: number): number {
  let value = 0
  for (let index = start; index < end; index++) {
    const digit = bytes[index]! - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Sixteen to twenty digits, in two halves that doubles hold exactly. `limit` is the extreme value, with its sign. */
function parseLong(bytes: Bytes, start: number, limit: bigint): Int64 | undefined {
  const split = bytes.length - SAFE_DIGITS_MAX
  const high = accumulate(bytes, start, split)
  const low = accumulate(bytes, split, bytes.length)
  if (high < 0 || low < 0) return undefined
  const magnitude = BigInt(high) * 1_000_000_000_000_000n + BigInt(low)
  if (limit < 0n) return magnitude > -limit ? undefined : toInt64(-magnitude)
  return magnitude > limit ? undefined : toInt64(magnitude)
}

/** `a + b`, or undefined if that is outside int64. */
export function addInt64(a: Int64, b: Int64): Int64 | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return inInt64(BigInt(a) + BigInt(b))
}

/** `a - b`, or undefined if that is outside int64. */
export function subInt64(a: Int64, b: Int64): Int64 | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (Number.isSafeInteger(difference)) return difference
  }
  return inInt64(BigInt(a) - BigInt(b))
}

/** `-n`, or undefined for the smallest int64. Never -0. */
export function negateInt64(n: Int64): Int64 | undefined {
  return typeof n === 'number' ? 0 - n : inInt64(-n)
}

function inInt64(value: bigint): Int64 | undefined {
  return value < INT64_MIN || value > INT64_MAX ? undefined : toInt64(value)
}

/** `n` in ASCII decimal, in a new buffer. */
export function decimal(n: Int64): Bytes {
  if (typeof n === 'bigint') return Buffer.from(n.toString(), 'latin1')
  const target = Buffer.allocUnsafe(decimalLength(n))
  writeDecimal(target, 0, n)
  return target
}

const INT32_MAX = 0x7fffffff

/** How many bytes `writeDecimal` needs for the safe integer `n`: 1 to 17. */
export function decimalLength(n: number): number {
  const sign = n < 0 ? 1 : 0
  let rest = n < 0 ? -n : n
  let length = 1 + sign
  while (rest >= 10_000) {
    rest /= 10_000
    length += 4
  }
  return rest >= 1000 ? length + 3 : rest >= 100 ? length + 2 : rest >= 10 ? length + 1 : length
}

/** Writes the safe integer `n` in ASCII decimal at `at` and returns the offset behind it. The room must be there. */
export function writeDecimal(target: Buffer, at: number, n: number): number {
  let rest = n
  let start = at
  if (rest < 0) {
    target[start++] = MINUS
    rest = -rest
  }
  const end = start + decimalLength(rest)
  let index = end - 1
  // Doubles only while they must: integer division of small integers is several times as fast.
  while (rest > INT32_MAX) {
    const quotient = Math.floor(rest / 10)
    target[index--] = ZERO + (rest - quotient * 10)
    rest = quotient
  }
  let small = rest | 0
  while (index >= start) {
    const quotient = (small / 10) | 0
    target[index--] = ZERO + (small - quotient * 10)
    small = quotient
  }
  return end
}

/** Reads an unsigned big-endian 64-bit integer, exactly. */
export function readUint64(buffer: Uint8Array, at: number): Int64 {
  const high = readUint32(buffer, at)
  const low = readUint32(buffer, at + 4)
  return high < 0x200000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low)
}

/** Reads a two's complement big-endian 64-bit integer, exactly. */
export function readInt64(buffer: Uint8Array, at: number): Int64 {
  const value = readUint64(buffer, at)
  return typeof value === 'number' ? value : toInt64(BigInt.asIntN(64, value))
}

/**
 * Writes `value` in eight bytes, big-endian, and returns the offset behind them. A negative value is written as its
 * two's complement, so this serves signed and unsigned fields alike.
 */
export function writeUint64(buffer: Uint8Array, at: number, value: Int64): number {
  if (typeof value === 'number' && value >= 0) {
    const high = Math.floor(value / 0x1_0000_0000)
    writeUint32(buffer, at, high)
    return writeUint32(buffer, at + 4, value - high * 0x1_0000_0000)
  }
  const bits = BigInt.asUintN(64, BigInt(value))
  writeUint32(buffer, at, Number(bits >> 32n))
  return writeUint32(buffer, at + 4, Number(bits & 0xffff_ffffn))
}

/** Reads an unsigned big-endian 32-bit integer. Unlike Buffer's method it checks nothing: the caller has. */
export function readUint32(buffer: Uint8Array, at: number): number {
  return ((buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!) >>> 0
}

/** Writes an unsigned big-endian 32-bit integer and returns the offset behind it. */
export function writeUint32(buffer: Uint8Array, at: number, value: number): number {
  buffer[at] = value >>> 24
  buffer[at + 1] = value >>> 16
  buffer[at + 2] = value >>> 8
  buffer[at + 3] = value
  return at + 4
}
