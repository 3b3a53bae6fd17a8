/** Counting, finding and combining bits. Source: redis src/bitops.c; kvrocks src/types/redis_bitmap.cc. */

import type { Bytes } from '../../bytes/bytes.js'
import type { Database } from '../../storage/database.js'
import { LOG_SETBIT, logData } from '../../storage/log-data.js'
import { TYPE_BITMAP } from '../../storage/metadata.js'
import { type BitSource, openBits, openForUpdate, replaceBitmap, SEGMENT_BYTES, setStoredBit } from './rows.js'

/** The bit at `offset`, 0 beyond the end. Throws WRONG_TYPE, as all functions here do. */
export function getBit(db: Database, key: Bytes, offset: number): 0 | 1 {
  const source = openBits(db, key)
  return source === undefined ? 0 : bitOf(source, offset)
}

function bitOf(source: BitSource, offset: number): 0 | 1 {
  return (source.byteAt(Math.floor(offset / 8)) & (0x80 >> (offset % 8))) === 0 ? 0 : 1
}

/** Sets a bit. Returns what it was. */
export function setBit(db: Database, key: Bytes, offset: number, bit: 0 | 1): 0 | 1 {
  const former = setStoredBit(db, key, offset, bit, logData(TYPE_BITMAP, LOG_SETBIT, offset))
  if (former !== undefined) return former
  const target = openForUpdate(db, key)
  const byte = Math.floor(offset / 8)
  const mask = 0x80 >> (offset % 8)
  const before = target.source.byteAt(byte)
  target.write(byte, Buffer.of(bit === 1 ? before | mask : before & ~mask))
  target.save(logData(TYPE_BITMAP, LOG_SETBIT, offset))
  return (before & mask) === 0 ? 0 : 1
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1
  return ones
})

/** A range of bytes or of bits, both ends inclusive and counted from the end where negative. */
export interface BitRange {
  readonly start: number
  readonly stop: number
  readonly unit: 'byte' | 'bit'
}

/** The range in bits, [from, to], within `bytes`; undefined if empty. */
function resolve({ start, stop, unit }: BitRange, bytes: number): { from: number; to: number } | undefined {
  const total = unit === 'bit' ? bytes * 8 : bytes
  const from = Math.max(0, start < 0 ? total + start : start)
  const to = Math.min(total - 1, Math.max(0, stop < 0 ? total + stop : stop))
  if (from > to) return undefined
  return unit === 'bit' ? { from, to } : { from: from * 8, to: to * 8 + 7 }
}

/** Number of bits that are set, in all or in `range`. */
export function countBits(db: Database, key: Bytes, range: BitRange): number {
  // BITCOUNT alone calls such a range empty before it is fitted to the value.
  if (range.start < 0 && range.stop < 0 && range.start > range.stop) return 0
  const source = openBits(db, key)
  const bounds = source === undefined ? undefined : resolve(range, source.size)
  if (source === undefined || bounds === undefined) return 0
  const { from, to } = bounds
  const firstByte = Math.floor(from / 8)
  const lastByte = Math.floor(to / 8)
  let count = 0
  for (const [index, bytes] of source.segments()) {
    const start = index * SEGMENT_BYTES
    const end = Math.min(bytes.length, lastByte - start + 1)
    for (let at = Math.max(0, firstByte - start); at < end; at++) {
      let bits = bytes[at] as number
      if (start + at === firstByte) bits &= 0xff >> (from % 8)
      if (start + at === lastByte) bits &= (0xff << (7 - (to % 8))) & 0xff
      count += ONES[bits] as number
    }
  }
  return count
}

/**
 * Position of the first bit that is `bit`, -1 if there is none. Beyond the end all is zero, so without an end given a
 * clear bit is always found.
 */
export function findBit(db: Database, key: Bytes, bit: 0 | 1, range: BitRange, isEndGiven: boolean): number {
  const source = openBits(db, key)
  if (source === undefined) return bit === 1 ? -1 : 0
  const bounds = resolve(range, source.size)
  if (bounds === undefined) return -1
  const { from, to } = bounds
  const skipped = bit === 1 ? 0x00 : 0xff
  for (let byte = Math.floor(from / 8); byte <= Math.floor(to / 8); ) {
    const segment = source.segment(Math.floor(byte / SEGMENT_BYTES))
    const segmentEnd = (Math.floor(byte / SEGMENT_BYTES) + 1) * SEGMENT_BYTES
    if (segment === undefined && bit === 1) {
      byte = segmentEnd
      continue
    }
    for (; byte < segmentEnd && byte <= Math.floor(to / 8); byte++) {
      const bits = segment?.[byte % SEGMENT_BYTES] ?? 0
      if (bits === skipped) continue
      for (let offset = Math.max(from, byte * 8); offset <= Math.min(to, byte * 8 + 7); offset++) {
        if (((bits & (0x80 >> (offset % 8))) !== 0) === (bit === 1)) return offset
      }
    }
  }
  return bit === 0 && !isEndGiven ? source.size * 8 : -1
}

/** The operators of BITOP, those of Redis 8.2 included. */
export const BIT_OPERATORS = ['and', 'or', 'xor', 'not', 'diff', 'diff1', 'andor', 'one'] as const
export type BitOperator = (typeof BIT_OPERATORS)[number]

const COMBINE: Readonly<Record<BitOperator, (bytes: readonly number[]) => number>> = {
  and: (bytes) => bytes.reduce((a, b) => a & b),
  or: (bytes) => bytes.reduce((a, b) => a | b),
  xor: (bytes) => bytes.reduce((a, b) => a ^ b),
  not: ([byte]) => ~(byte as number) & 0xff,
  // In the first and in none of the others.
  diff: ([first, ...others]) => (first as number) & ~or(others),
  // In some of the others and not in the first.
  diff1: ([first, ...others]) => or(others) & ~(first as number),
  // In the first and in some of the others.
  andor: ([first, ...others]) => (first as number) & or(others),
  one: exactlyOne,
}

function or(bytes: readonly number[]): number {
  return bytes.reduce((a, b) => a | b, 0)
}

function exactlyOne(bytes: readonly number[]): number {
  let once = 0
  let more = 0
  for (const byte of bytes) {
    more |= once & byte
    once = (once | byte) & ~more
  }
  return once
}

/** Combines the bits of `sources` into a bitmap at `destination`. Returns its length in bytes, that of the longest. */
export function combine(
  db: Database,
  operator: BitOperator,
  destination: Bytes,
  sources: readonly Bytes[],
  log: Bytes,
): number {
  const inputs = sources.map((key) => openBits(db, key))
  const size = inputs.reduce((max, input) => Math.max(max, input?.size ?? 0), 0)
  const parts: [number, Bytes][] = []
  for (let index = 0; index * SEGMENT_BYTES < size; index++) {
    const segments = inputs.map((input) => input?.segment(index))
    if (operator !== 'not' && segments.every((segment) => segment === undefined)) continue
    const part = Buffer.alloc(Math.min(SEGMENT_BYTES, size - index * SEGMENT_BYTES))
    for (let at = 0; at < part.length; at++) part[at] = COMBINE[operator](segments.map((segment) => segment?.[at] ?? 0))
    parts.push([index, part])
  }
  replaceBitmap(db, destination, size, parts, log)
  return size
}
