/**
 * Bitmaps: metadata whose size is the number of bytes in use, and one row a segment of 1,024 bytes in the default column
 * family: sub-key = offset of its first byte in decimal, value = up to 1,024 bytes. Missing segments and bytes are zero.
 *
 *   bit n   segment n / 8192, byte n / 8 mod 1024, bit n mod 8 counted from the LEAST significant
 *
 * Redis counts from the most significant, in strings: here bytes are shown as Redis shows them, and turned round at the
 * rows. A string that bits are set in stays a string. Source: kvrocks src/types/redis_bitmap.cc, redis_bitmap_string.cc.
 */

import { type Bytes, EMPTY, latin1 } from '../../bytes/bytes.js'
import { WRONG_TYPE } from '../../protocol/errors.js'
import { CF_DEFAULT } from '../../storage/column-family.js'
import type { Database } from '../../storage/database.js'
import * as metadata from '../../storage/metadata.js'
import { type Metadata, TYPE_BITMAP, TYPE_STRING } from '../../storage/metadata.js'
import { readAnyRow } from '../../storage/rows.js'
import type { Subkeys } from '../../storage/subkeys.js'

export const SEGMENT_BYTES = 1024

/** Each byte with its bits in the other order. */
const TURNED = Uint8Array.from({ length: 256 }, (_, byte) => {
  let turned = 0
  for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) turned |= 0x80 >> bit
  return turned
})

export function turnBits(bytes: Uint8Array): Buffer {
  const turned = Buffer.allocUnsafe(bytes.length)
  for (let at = 0; at < bytes.length; at++) turned[at] = TURNED[bytes[at] as number] as number
  return turned
}

/** The bits of a key, most significant first, whatever form they are stored in. */
export interface BitSource {
  /** Number of bytes. */
  readonly size: number
  /** The byte at `offset`, 0 where none is stored. */
  byteAt(offset: number): number
  /** Bytes of segment `index`, without trailing zeros that were not stored; undefined if all are zero. */
  segment(index: number): Bytes | undefined
  /** All stored segments, in any order. */
  segments(): Iterable<readonly [index: number, bytes: Bytes]>
}

/** The bits of the string or bitmap at `key`; undefined if absent. Throws WRONG_TYPE. */
export function openBits(db: Database, key: Bytes): BitSource | undefined {
  const row = readAnyRow(db, key)
  if (row === undefined) return undefined
  const type = metadata.rowType(row)
  if (type === TYPE_STRING) return stringBits(row.subarray(metadata.headerSize(row)))
  if (type !== TYPE_BITMAP) throw WRONG_TYPE
  return bitmapBits(db, key, metadata.decodeMetadata(row))
}

function stringBits(value: Bytes): BitSource {
  const count = Math.ceil(value.length / SEGMENT_BYTES)
  const segment = (index: number): Bytes | undefined => {
    const bytes = value.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES)
    return bytes.length === 0 ? undefined : bytes
  }
  return {
    size: value.length,
    byteAt: (offset) => value[offset] ?? 0,
    segment,
    *segments() {
      for (let index = 0; index < count; index++) yield [index, segment(index) as Bytes]
    },
  }
}

function bitmapBits(db: Database, key: Bytes, { size, version }: Metadata): BitSource {
  const rows = db.subkeys(CF_DEFAULT, key, version)
  const stored = segmentReader(rows)
  // A stored segment may be longer than what is in use.
  const shown = (index: number, bytes: Bytes): Bytes =>
    turnBits(bytes.subarray(0, Math.max(0, Math.min(SEGMENT_BYTES, size - index * SEGMENT_BYTES))))
  return {
    size,
    byteAt: (offset) => (offset < size ? turnedByte(stored(Math.floor(offset / SEGMENT_BYTES)), offset) : 0),
    segment(index) {
      const bytes = stored(index)
      return bytes === undefined ? undefined : shown(index, bytes)
    },
    *segments() {
      using cursor = rows.scan()
      while (cursor.next()) {
        const index = Number(cursor.key.latin1Slice()) / SEGMENT_BYTES
        yield [index, shown(index, cursor.value)]
      }
    },
  }
}

/** The byte at `offset` of the bitmap in its segment, most significant bit first. */
function turnedByte(segment: Bytes | undefined, offset: number): number {
  return TURNED[segment?.[offset % SEGMENT_BYTES] ?? 0] as number
}

/** Reads segments as they are stored, and keeps the last one: the bytes of a field are mostly in one. */
function segmentReader(rows: Subkeys): (index: number) => Bytes | undefined {
  let readAt = -1
  let read: Bytes | undefined
  return (index) => {
    if (readAt !== index) read = rows.get(segmentKey(index))
    readAt = index
    return read
  }
}

/** Those of bitmaps of up to a megabyte are kept. */
const SEGMENT_KEYS: Bytes[] = []
const SEGMENT_KEYS_MAX = 1024

/** The sub-key of a segment; shared, not to be changed. */
export function segmentKey(index: number): Bytes {
  const known = SEGMENT_KEYS[index]
  if (known !== undefined) return known
  const made = latin1(String(index * SEGMENT_BYTES))
  if (index < SEGMENT_KEYS_MAX) SEGMENT_KEYS[index] = made
  return made
}

/** Bits that are being changed; `save` writes what was changed. */
export interface BitTarget {
  readonly source: BitSource
  /** Puts `bytes` at byte `offset`, growing where needed. At most one segment's length. */
  write(offset: number, bytes: Bytes): void
  /** Writes the rows. */
  save(log: Bytes): void
}

/** Segments are changed here and copied by the write. */
const SEGMENT = Buffer.allocUnsafeSlow(SEGMENT_BYTES)

/**
 * Sets the bit at `offset` of the bitmap at `key`, new if absent: what openForUpdate does, with nothing to gather. Returns
 * what it was; undefined, and nothing is done, if the key is of another type.
 */
export function setStoredBit(db: Database, key: Bytes, offset: number, bit: 0 | 1, log: Bytes): 0 | 1 | undefined {
  const row = readAnyRow(db, key)
  if (row !== undefined && metadata.rowType(row) !== TYPE_BITMAP) return undefined
  const decoded =
    row === undefined ? metadata.freshMetadata(TYPE_BITMAP, db.newVersion()) : metadata.decodeMetadata(row)
  const rows = db.subkeys(CF_DEFAULT, key, decoded.version)
  const byte = Math.floor(offset / 8)
  const subKey = segmentKey(Math.floor(byte / SEGMENT_BYTES))
  const stored = rows.get(subKey) ?? EMPTY
  const at = byte % SEGMENT_BYTES
  const size = grownSize(stored.length, at + 1)
  SEGMENT.set(stored)
  if (size > stored.length) SEGMENT.fill(0, stored.length, size)
  const mask = 1 << (offset % 8)
  const before = byte < decoded.size ? (SEGMENT[at] as number) : 0
  SEGMENT[at] = bit === 1 ? before | mask : before & ~mask
  db.logData(log)
  rows.put(subKey, SEGMENT.subarray(0, size))
  if (byte >= decoded.size) {
    decoded.size = byte + 1
    db.putMetadata(key, metadata.encodeMetadata(decoded))
  }
  return (before & mask) === 0 ? 0 : 1
}

/** Opens `key` for changes: as the string that it is, or as a bitmap, new if absent. Throws WRONG_TYPE. */
export function openForUpdate(db: Database, key: Bytes): BitTarget {
  const row = readAnyRow(db, key)
  if (row !== undefined && metadata.rowType(row) === TYPE_STRING) return stringTarget(db, key, row)
  if (row !== undefined && metadata.rowType(row) !== TYPE_BITMAP) throw WRONG_TYPE
  const decoded =
    row === undefined ? metadata.freshMetadata(TYPE_BITMAP, db.newVersion()) : metadata.decodeMetadata(row)
  return bitmapTarget(db, key, decoded)
}

function stringTarget(db: Database, key: Bytes, row: Bytes): BitTarget {
  const header = row.subarray(0, metadata.headerSize(row))
  let value: Buffer = row.subarray(header.length)
  let isChanged = false
  return {
    get source() {
      return stringBits(value)
    },
    write(offset, bytes) {
      const grown = Buffer.alloc(Math.max(value.length, offset + bytes.length))
      value.copy(grown)
      bytes.copy(grown, offset)
      value = grown
      isChanged = true
    },
    save() {
      if (!isChanged) return
      db.logData(TYPE_STRING)
      db.putMetadata(key, header, value)
    },
  }
}

function bitmapTarget(db: Database, key: Bytes, decoded: Metadata): BitTarget {
  const rows = db.subkeys(CF_DEFAULT, key, decoded.version)
  const before = bitmapBits(db, key, decoded)
  /** Changed segments as they will be stored. */
  const changed = new Map<number, Buffer>()
  let size = decoded.size
  const stored = segmentReader(rows)
  const load = (index: number): Buffer => changed.get(index) ?? Buffer.from(stored(index) ?? EMPTY)
  return {
    source: {
      get size() {
        return size
      },
      byteAt(offset) {
        if (offset >= size) return 0
        const index = Math.floor(offset / SEGMENT_BYTES)
        return turnedByte(changed.get(index) ?? stored(index), offset)
      },
      segment: (index) => (changed.has(index) ? turnBits(changed.get(index) as Buffer) : before.segment(index)),
      segments: () => before.segments(),
    },
    write(offset, bytes) {
      for (let done = 0; done < bytes.length; ) {
        const index = Math.floor((offset + done) / SEGMENT_BYTES)
        const at = (offset + done) % SEGMENT_BYTES
        const part = bytes.subarray(done, done + SEGMENT_BYTES - at)
        const segment = grow(load(index), at + part.length)
        turnBits(part).copy(segment, at)
        changed.set(index, segment)
        done += part.length
      }
      size = Math.max(size, offset + bytes.length)
    },
    save(log) {
      if (changed.size === 0) return
      db.logData(log)
      for (const [index, segment] of changed) rows.put(segmentKey(index), segment)
      if (size === decoded.size) return
      decoded.size = size
      db.putMetadata(key, metadata.encodeMetadata(decoded))
    },
  }
}

/** A segment of at least `bytes`. */
function grow(segment: Buffer, bytes: number): Buffer {
  if (bytes <= segment.length) return segment
  const grown = Buffer.alloc(grownSize(segment.length, bytes))
  segment.copy(grown)
  return grown
}

/** The length of a segment of `size` that needs `bytes`: twice as long as it was, so that it does not grow byte by byte. */
function grownSize(size: number, bytes: number): number {
  return bytes <= size ? size : Math.max(bytes, Math.min(SEGMENT_BYTES, size * 2))
}

/** Puts a bitmap of `bytes` in the place of whatever is at `key`; none deletes the key. */
export function replaceBitmap(
  db: Database,
  key: Bytes,
  bytes: number,
  parts: Iterable<readonly [number, Bytes]>,
  log: Bytes,
): void {
  if (bytes === 0) {
    if (readAnyRow(db, key) !== undefined) db.deleteMetadata(key)
    return
  }
  const fresh = metadata.freshMetadata(TYPE_BITMAP, db.newVersion())
  const rows = db.subkeys(CF_DEFAULT, key, fresh.version)
  db.logData(log)
  for (const [index, part] of parts) if (part.some((byte) => byte !== 0)) rows.put(segmentKey(index), turnBits(part))
  fresh.size = bytes
  db.putMetadata(key, metadata.encodeMetadata(fresh))
}

/** All bytes of a source in one buffer. */
export function wholeBits(source: BitSource): Buffer {
  const whole = Buffer.alloc(source.size)
  for (const [index, bytes] of source.segments()) bytes.copy(whole, index * SEGMENT_BYTES)
  return whole
}
