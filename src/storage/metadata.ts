/**
 * The value of a row in the metadata column family.
 *
 *   flags(1) expire(8 ms | 4 s, big-endian, 0 = never) rest
 *   flags    bit 7: wide (64-bit) fields; bits 0-3: data type
 *   rest     string, JSON: the value; others: version(8) size(8 | 4) tail of the type
 *
 * New rows are wide; both forms are read, and a row that is rewritten in place keeps its form.
 * Source: kvrocks src/storage/redis_metadata.cc, Metadata::Decode, Metadata::Encode, Metadata::Expired.
 */

import { type Bytes, EMPTY, put } from '../bytes/bytes.js'

export const TYPE_NONE = 0
export const TYPE_STRING = 1
export const TYPE_HASH = 2
export const TYPE_LIST = 3
export const TYPE_SET = 4
export const TYPE_ZSET = 5
export const TYPE_BITMAP = 6
export const TYPE_SORTEDINT = 7
export const TYPE_STREAM = 8
export const TYPE_BLOOM = 9
export const TYPE_JSON = 10
export const TYPE_HYPERLOGLOG = 11
export const TYPE_TDIGEST = 12
export const TYPE_TIMESERIES = 13

/** A number of the table of types; numbers that are not in it read as unknown. */
export type DataType = number

/** What TYPE answers, by number. Source: kvrocks src/storage/redis_metadata.h, RedisTypeNames. */
export const TYPE_NAMES: readonly string[] = [
  'none',
  'string',
  'hash',
  'list',
  'set',
  'zset',
  'bitmap',
  'sortedint',
  'stream',
  'MBbloom--',
  'ReJSON-RL',
  'hyperloglog',
  'TDIS-TYPE',
  'timeseries',
]

const WIDE = 0x80
const TYPE_MASK = 0x0f
const WIDE_HEADER_BYTES = 9
const NARROW_HEADER_BYTES = 5
const VERSION_BYTES = 8

/** Keys of these types live while their size is 0. Source: kvrocks Metadata::IsEmptyableType. */
const EMPTYABLE = bits(TYPE_STRING, TYPE_STREAM, TYPE_BLOOM, TYPE_JSON, TYPE_HYPERLOGLOG, TYPE_TDIGEST, TYPE_TIMESERIES)
const SINGLE_ROW = bits(TYPE_STRING, TYPE_JSON)

function bits(...types: number[]): number {
  return types.reduce((mask, type) => mask | (1 << type), 0)
}

/** The row is shorter than its form needs. */
export class MetadataFormatError extends Error {}

export function rowType(row: Bytes): DataType {
  return (row[0] as number) & TYPE_MASK
}

/** True if all of the key is in its metadata row. */
export function isSingleRow(type: DataType): boolean {
  return (SINGLE_ROW & (1 << type)) !== 0
}

export function isEmptyable(type: DataType): boolean {
  return (EMPTYABLE & (1 << type)) !== 0
}

/** Offset of what follows the expiry: the payload of a string, or the version. */
export function headerSize(row: Bytes): number {
  return ((row[0] as number) & WIDE) !== 0 ? WIDE_HEADER_BYTES : NARROW_HEADER_BYTES
}

/** When the key expires, in Unix milliseconds; 0 = never. */
export function expireMsOf(row: Bytes): number {
  if (((row[0] as number) & WIDE) !== 0) {
    return row.readUInt32BE(1) * 2 ** 32 + row.readUInt32BE(5)
  }
  return row.readUInt32BE(1) * 1000
}

/** Number of elements of a collection; 0 for single rows. */
export function sizeOf(row: Bytes): number {
  if (isSingleRow(rowType(row))) return 0
  const at = headerSize(row) + VERSION_BYTES
  return ((row[0] as number) & WIDE) !== 0
    ? row.readUInt32BE(at) * 2 ** 32 + row.readUInt32BE(at + 4)
    : row.readUInt32BE(at)
}

/** True if the row counts as absent at `nowMs`. A key is alive at the very millisecond of its expiry. */
export function isExpired(row: Bytes, nowMs: number): boolean {
  const expireMs = expireMsOf(row)
  if (expireMs !== 0 && expireMs < nowMs) return true
  if (isEmptyable(rowType(row))) return false
  return sizeOf(row) === 0 || (rowType(row) === TYPE_HASH && allFieldsExpired(row, nowMs))
}

/**
 * True if the row of `length` bytes at `offset` has a time of its own, or none, and it is not over at `nowMs`. False says
 * nothing: of old rows, and of hashes whose fields may expire.
 */
export function isSurelyAlive(bytes: Bytes, offset: number, length: number, nowMs: number): boolean {
  const flags = bytes[offset] as number
  if (length < WIDE_HEADER_BYTES || (flags & WIDE) === 0) return false
  if ((flags & TYPE_MASK) === TYPE_HASH && length > WIDE_HEADER_BYTES + VERSION_BYTES + 8) return false
  const expireMs = readWide(bytes, offset + 1)
  return expireMs === 0 || expireMs >= nowMs
}

/** Whose time was over: that of the key itself, or that of the last of its fields. */
export type ExpiredPart = 'key' | 'fields'

/** The same, or some of its fields while others are left. */
export type Expired = ExpiredPart | 'some fields'

/** Of a row that `isExpired`; undefined of one that is merely empty: the deletion of its key was told before. */
export function expiredPart(row: Bytes, nowMs: number): ExpiredPart | undefined {
  if (!isEmptyable(rowType(row)) && sizeOf(row) === 0) return undefined
  const expireMs = expireMsOf(row)
  return expireMs !== 0 && expireMs < nowMs ? 'key' : 'fields'
}

/** Throws MetadataFormatError if `row` is too short to be read by the functions here. */
export function checkRow(row: Bytes): void {
  if (!isReadable(row)) throw new MetadataFormatError('metadata is too short')
}

/** True if `row` is long enough to be read by the functions here. */
export function isReadable(row: Bytes): boolean {
  if (row.length < NARROW_HEADER_BYTES) return false
  const wide = ((row[0] as number) & WIDE) !== 0
  let needed = wide ? WIDE_HEADER_BYTES : NARROW_HEADER_BYTES
  if (!isSingleRow(rowType(row))) needed += VERSION_BYTES + (wide ? 8 : 4)
  return row.length >= needed
}

/** The header of a new single row: `type`, expiring at `expireMs` (0 = never). */
export function freshHeader(type: DataType, expireMs = 0): Buffer {
  const header = Buffer.allocUnsafe(WIDE_HEADER_BYTES)
  header[0] = WIDE | type
  header.writeUInt32BE(Math.floor(expireMs / 2 ** 32), 1)
  header.writeUInt32BE(expireMs >>> 0, 5)
  return header
}

/** A copy of `row` that expires at `expireMs` (0 = never), in the form that it has. */
export function withExpireMs(row: Bytes, expireMs: number): Buffer {
  const copy = Buffer.from(row)
  writeExpireMs(copy, expireMs)
  return copy
}

function writeExpireMs(row: Buffer, expireMs: number): void {
  if (((row[0] as number) & WIDE) !== 0) {
    row.writeUInt32BE(Math.floor(expireMs / 2 ** 32), 1)
    row.writeUInt32BE(expireMs >>> 0, 5)
    return
  }
  const seconds = expireMs === 0 ? 0 : expireMs < 1000 ? 1 : Math.floor((expireMs + 499) / 1000)
  row.writeUInt32BE(Math.min(seconds, 0xffffffff), 1)
}

/** The metadata of a collection, decoded. Fields may be changed and written back with `encodeMetadata`. */
export interface Metadata {
  readonly type: DataType
  /** 64-bit fields; false for rows that an old Kvrocks wrote. */
  readonly wide: boolean
  /** Unix milliseconds; 0 = never. */
  expireMs: number
  /** 8 bytes that tell the rows of this life of the key from those of former ones. */
  version: Bytes
  /** Number of elements. */
  size: number
  /** What the type keeps after the size. */
  tail: Bytes
}

/** Throws MetadataFormatError. The tail and the version are views of `row`. */
export function decodeMetadata(row: Bytes): Metadata {
  checkRow(row)
  const wide = ((row[0] as number) & WIDE) !== 0
  const versionAt = headerSize(row)
  const tailAt = versionAt + VERSION_BYTES + (wide ? 8 : 4)
  return {
    type: rowType(row),
    wide,
    expireMs: expireMsOf(row),
    version: row.subarray(versionAt, versionAt + VERSION_BYTES),
    size: sizeOf(row),
    tail: row.length === tailAt ? EMPTY : row.subarray(tailAt),
  }
}

export function encodeMetadata(metadata: Metadata): Buffer {
  const { wide, tail } = metadata
  const versionAt = wide ? WIDE_HEADER_BYTES : NARROW_HEADER_BYTES
  const tailAt = versionAt + VERSION_BYTES + (wide ? 8 : 4)
  const row = Buffer.allocUnsafe(tailAt + tail.length)
  row[0] = (wide ? WIDE : 0) | metadata.type
  writeExpireMs(row, metadata.expireMs)
  put(row, versionAt, metadata.version)
  if (wide) row.writeUInt32BE(Math.floor(metadata.size / 2 ** 32), versionAt + VERSION_BYTES)
  row.writeUInt32BE(metadata.size >>> 0, tailAt - 4)
  put(row, tailAt, tail)
  return row
}

/** Metadata of a key that begins a new life with `version` and no elements. */
export function freshMetadata(type: DataType, version: Bytes, tail: Bytes = EMPTY): Metadata {
  return { type, wide: true, expireMs: 0, version, size: 0, tail }
}

const VERSION_COUNTER_BITS = 2 ** 11
let versionCounter = Math.floor(Math.random() * VERSION_COUNTER_BITS)

/**
 * The version of a life that begins at `nowMs`: (µs since 1970 << 11) + counter. The clock gives milliseconds, so the
 * counter's carry stands for the microseconds: two million versions a millisecond are different.
 * Source: kvrocks src/storage/redis_metadata.cc, Metadata::generateVersion.
 */
export function newVersion(nowMs: number): Buffer {
  versionCounter = (versionCounter + 1) % (VERSION_COUNTER_BITS * 1000)
  const us = nowMs * 1000 + Math.floor(versionCounter / VERSION_COUNTER_BITS)
  const version = Buffer.allocUnsafe(VERSION_BYTES)
  version.writeUInt32BE(Math.floor(us / 2 ** 21), 0)
  version.writeUInt32BE((us % 2 ** 21) * VERSION_COUNTER_BITS + (versionCounter % VERSION_COUNTER_BITS), 4)
  return version
}

/** What the metadata of a hash says of its fields' expiry, as far as it is known: the times are bounds. */
export interface FieldExpiry {
  /** Number of fields that never expire. */
  persistent: number
  /** No field expires before this, in Unix milliseconds; 0 if none does. */
  earliestMs: number
  /** All fields that do expire have done so after this; 0 if none does. */
  latestMs: number
}

/**
 * The tail of a hash whose fields may expire. Hashes without one keep bare values.
 *
 *   mode(1) persistent(8) earliest(8 ms) latest(8 ms)
 *   mode    1: each value begins with when the field expires (8 ms, 0 = never)
 *
 * Source: kvrocks src/storage/redis_metadata.cc, HashMetadata::Encode, HashMetadata::EncodeSubkeyValue.
 */
const FIELDS_EXPIRE_MODE = 1
const FIELD_EXPIRY_TAIL_BYTES = 25
const FIELD_PREFIX_BYTES = 8

/** Undefined if the fields of the hash cannot expire. */
export function fieldExpiryOf({ type, tail }: Metadata): FieldExpiry | undefined {
  if (type !== TYPE_HASH || tail.length < FIELD_EXPIRY_TAIL_BYTES || tail[0] !== FIELDS_EXPIRE_MODE) return undefined
  return { persistent: readWide(tail, 1), earliestMs: readWide(tail, 9), latestMs: readWide(tail, 17) }
}

export function fieldExpiryTail({ persistent, earliestMs, latestMs }: FieldExpiry): Buffer {
  const tail = Buffer.allocUnsafe(FIELD_EXPIRY_TAIL_BYTES)
  tail[0] = FIELDS_EXPIRE_MODE
  writeWide(tail, 1, persistent)
  writeWide(tail, 9, earliestMs)
  writeWide(tail, 17, latestMs)
  return tail
}

/** When the field of a stored value expires, in Unix milliseconds; 0 = never. Throws MetadataFormatError. */
export function fieldExpireMs(stored: Bytes): number {
  if (stored.length < FIELD_PREFIX_BYTES) throw new MetadataFormatError('hash field is too short')
  return readWide(stored, 0)
}

/** The value behind the expiry; a view. */
export function fieldValue(stored: Bytes): Bytes {
  return stored.subarray(FIELD_PREFIX_BYTES)
}

export function storedField(value: Bytes, expireMs: number): Buffer {
  const stored = Buffer.allocUnsafe(FIELD_PREFIX_BYTES + value.length)
  writeWide(stored, 0, expireMs)
  put(stored, FIELD_PREFIX_BYTES, value)
  return stored
}

/** The first moment at which the key, or a field of it, may expire, in Unix milliseconds; 0 = never. */
export function nextExpiryMs(row: Bytes): number {
  const expireMs = expireMsOf(row)
  const fieldMs = rowType(row) === TYPE_HASH ? earliestFieldMs(row) : 0
  return expireMs === 0 || fieldMs === 0 ? expireMs + fieldMs : Math.min(expireMs, fieldMs)
}

/** When the first field of a hash may expire, by its metadata row, in Unix milliseconds; 0 = never. */
export function earliestFieldMs(row: Bytes): number {
  const tailAt = fieldTailAt(row)
  return tailAt === undefined ? 0 : readWide(row, tailAt + 9)
}

function fieldTailAt(row: Bytes): number | undefined {
  const tailAt = headerSize(row) + VERSION_BYTES + (((row[0] as number) & WIDE) !== 0 ? 8 : 4)
  return row.length < tailAt + FIELD_EXPIRY_TAIL_BYTES || row[tailAt] !== FIELDS_EXPIRE_MODE ? undefined : tailAt
}

/** True if every field of the hash has expired at `nowMs`. As keys, fields are alive at the millisecond of their expiry. */
function allFieldsExpired(row: Bytes, nowMs: number): boolean {
  const tailAt = fieldTailAt(row)
  if (tailAt === undefined) return false
  const latestMs = readWide(row, tailAt + 17)
  return readWide(row, tailAt + 1) === 0 && latestMs !== 0 && latestMs < nowMs
}

function readWide(bytes: Bytes, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}

function writeWide(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  bytes.writeUInt32BE(value >>> 0, at + 4)
}
