import type { Bytes } from '../../bytes/bytes.js'
import { decimal, type Int64, toInt64 } from '../../bytes/int64.js'
import { corrupt } from './rdb-error.js'

/** The blocks in which Redis before 7.0 kept small collections: ziplists, zipmaps and intsets. Reading only. */

const ZIPLIST_HEADER_SIZE = 10
const COUNT_UNKNOWN = 65535
const END = 0xff
const WIDE_PREVIOUS = 0xfe

/**
 * The entries of a ziplist, integers in decimal.
 *
 *   size(4) offset of the last entry(4) count(2) entry… ff                   little-endian
 *   entry = length of the entry before (1, or fe + 4) encoding data
 *
 *   00llllll data          string below 64 bytes      c0 d0 e0 + 2 4 8    signed
 *   01llllll l data        below 16384, big-endian    f0 + 3, fe + 1      signed
 *   80 llll data           any length, big-endian     f1 to fd            0 to 12
 *
 * Source: Redis ziplist.c.
 */
export function readZiplist(block: Bytes): Bytes[] {
  const end = block.length - 1
  if (end < ZIPLIST_HEADER_SIZE || block.readUInt32LE(0) !== block.length || block[end] !== END) {
    throw corrupt('ziplist: wrong size')
  }
  const entries: Bytes[] = []
  let at = ZIPLIST_HEADER_SIZE
  let last = at
  let previous = 0
  while (at < end) {
    last = at
    if (block[at] !== WIDE_PREVIOUS) {
      if (block[at] !== previous) throw corrupt('ziplist: wrong length of an entry')
      at += 1
    } else {
      if (at + 5 > end || block.readUInt32LE(at + 1) !== previous) throw corrupt('ziplist: wrong length of an entry')
      at += 5
    }
    const [head, length] = ziplistShape(block, at, end)
    const next = at + head + length
    if (next > end) throw corrupt('ziplist: entry out of bounds')
    const isString = block[at]! < 0xc0
    entries.push(isString ? block.subarray(at + head, next) : decimal(readZiplistInteger(block, at, length)))
    previous = next - last
    at = next
  }
  const count = block.readUInt16LE(8)
  if (count !== COUNT_UNKNOWN && count !== entries.length) throw corrupt('ziplist: wrong count')
  if (block.readUInt32LE(4) !== last) throw corrupt('ziplist: wrong offset of the last entry')
  return entries
}

function ziplistShape(block: Bytes, at: number, end: number): [head: number, length: number] {
  if (at >= end) throw corrupt('ziplist: entry out of bounds')
  const first = block[at]!
  if (first < 0x40) return [1, first]
  if (first < 0x80) return [2, ((first & 0x3f) << 8) | block[at + 1]!]
  if (first === 0x80 && at + 5 < end) return [5, block.readUInt32BE(at + 1)]
  if (first === 0xc0) return [1, 2]
  if (first === 0xd0) return [1, 4]
  if (first === 0xe0) return [1, 8]
  if (first === 0xf0) return [1, 3]
  if (first === 0xfe) return [1, 1]
  if (first > 0xf0 && first < 0xfe) return [1, 0]
  throw corrupt('ziplist: unknown encoding')
}

function readZiplistInteger(block: Bytes, at: number, length: number): Int64 {
  if (length === 0) return block[at]! - 0xf1
  if (length === 8) return toInt64(block.readBigInt64LE(at + 1))
  return block.readIntLE(at + 1, length)
}

/**
 * The fields and values of a zipmap, alternating.
 *
 *   count(1) (length field length free(1) value free-bytes)… ff
 *   length = 1 byte below 254, or fe + 4 little-endian
 *
 * Source: Redis zipmap.c.
 */
export function readZipmap(block: Bytes): Bytes[] {
  const entries: Bytes[] = []
  let at = 1
  const read = (isValue: boolean) => {
    const first = block[at]
    if (first === undefined || first === END || (first === WIDE_PREVIOUS && at + 5 > block.length)) {
      throw corrupt('zipmap: out of bounds')
    }
    const length = first === WIDE_PREVIOUS ? block.readUInt32LE(at + 1) : first
    at += first === WIDE_PREVIOUS ? 5 : 1
    const free = isValue ? (block[at++] ?? 0) : 0
    if (at + length + free >= block.length) throw corrupt('zipmap: out of bounds')
    entries.push(block.subarray(at, at + length))
    at += length + free
  }
  while (at < block.length && block[at] !== END) {
    read(false)
    read(true)
  }
  if (at !== block.length - 1) throw corrupt('zipmap: wrong size')
  if (block[0]! < WIDE_PREVIOUS && block[0] !== entries.length / 2) throw corrupt('zipmap: wrong count')
  return entries
}

/**
 * The members of an intset, in decimal.
 *
 *   width of a member(4: 2, 4 or 8) count(4) member…      little-endian, ascending
 *
 * Source: Redis intset.c.
 */
export function readIntset(block: Bytes): Bytes[] {
  if (block.length < 8) throw corrupt('intset: wrong size')
  const width = block.readUInt32LE(0)
  const count = block.readUInt32LE(4)
  if (width !== 2 && width !== 4 && width !== 8) throw corrupt('intset: unknown encoding')
  if (8 + count * width !== block.length || count === 0) throw corrupt('intset: wrong size')
  const members: Bytes[] = []
  let previous: Int64 | undefined
  for (let at = 8; at < block.length; at += width) {
    const member = width === 8 ? toInt64(block.readBigInt64LE(at)) : block.readIntLE(at, width)
    if (previous !== undefined && member <= previous) throw corrupt('intset: not in order')
    members.push(decimal(member))
    previous = member
  }
  return members
}
