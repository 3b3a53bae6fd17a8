/** What can be told of a key besides its value. Source: kvrocks src/storage/redis_db.cc, Dump; src/stats/disk_stats.cc. */

import type { Bytes } from '../bytes/bytes.js'
import { type Int64, parseInt64, readUint64 } from '../bytes/int64.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import { CF_DEFAULT, CF_STREAM, CF_ZSET_SCORE, type ColumnFamily } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import { prefixEnd } from '../storage/keys.js'
import * as metadata from '../storage/metadata.js'
import { readAnyRow } from '../storage/rows.js'

/** A field of OBJECT DUMP and KMETADATA. */
export type KeyFact = readonly [name: string, value: Int64 | string]

/** Offset of head and tail in the tail of a list's metadata. */
const LIST_HEAD_AT = 0
const LIST_TAIL_AT = 8
const VERSION_SHIFT = 11n

/** The metadata of a key, field by field; undefined if it does not exist. */
export interface KeyFacts {
  readonly type: string
  readonly isSingleRow: boolean
  /** First byte of the row. */
  readonly flags: number
  readonly isWide: boolean
  /** Unix milliseconds; 0 = never. */
  readonly expireMs: number
  readonly size: number
  /** 0 for single rows. */
  readonly version: Int64
  /** Of lists: where the first element is, and where the next one would be. */
  readonly ends: { readonly head: Int64; readonly tail: Int64 } | undefined
}

export function factsOf(db: Database, key: Bytes): KeyFacts | undefined {
  const row = readAnyRow(db, key)
  if (row === undefined) return undefined
  const type = metadata.rowType(row)
  const isSingleRow = metadata.isSingleRow(type)
  const decoded = isSingleRow ? undefined : metadata.decodeMetadata(row)
  const isList = type === metadata.TYPE_LIST && decoded !== undefined
  return {
    type: metadata.TYPE_NAMES[type] ?? 'unknown',
    isSingleRow,
    flags: row[0] as number,
    isWide: metadata.headerSize(row) > 5,
    expireMs: metadata.expireMsOf(row),
    size: metadata.sizeOf(row),
    version: decoded === undefined ? 0 : readUint64(decoded.version, 0),
    ends: isList
      ? { head: readUint64(decoded.tail, LIST_HEAD_AT), tail: readUint64(decoded.tail, LIST_TAIL_AT) }
      : undefined,
  }
}

/** Microseconds since 1970 at which the life of the key with `version` began. */
export function createdAtUs(version: Int64): number {
  return Number(BigInt(version) >> VERSION_SHIFT)
}

/**
 * Bytes that the key takes: its metadata row, and RocksDB's estimate of its sub-keys, in memory and in files, where they
 * are compressed. Undefined if it does not exist.
 */
export function storedBytes(db: Database, rocks: RocksDB, key: Bytes): number | undefined {
  const row = readAnyRow(db, key)
  if (row === undefined) return undefined
  const rowBytes = db.nsKey(key).length + row.length
  const type = metadata.rowType(row)
  if (metadata.isSingleRow(type)) return rowBytes
  const { version } = metadata.decodeMetadata(row)
  return familiesOf(type).reduce((sum, cf) => {
    const prefix = db.subkeys(cf, key, version).prefix
    const [bytes = 0] = rocks.approximateSizes(cf, [[prefix, prefixEnd(prefix) as Buffer]])
    return sum + bytes
  }, rowBytes)
}

function familiesOf(type: metadata.DataType): readonly ColumnFamily[] {
  if (type === metadata.TYPE_STREAM) return [CF_STREAM]
  return type === metadata.TYPE_ZSET ? [CF_DEFAULT, CF_ZSET_SCORE] : [CF_DEFAULT]
}

/** Sizes up to which Redis packs a collection. Source: redis redis.conf, *-max-listpack-*, set-max-intset-entries. */
const PACKED_ENTRIES_MAX = 128
const PACKED_ELEMENT_BYTES_MAX = 64
const INTSET_ENTRIES_MAX = 512
const EMBEDDED_BYTES_MAX = 44
const PACKED_LIST_BYTES_MAX = 8192

/** The encoding that Redis 7.2 would choose for the value, for tools that ask; undefined if there is no such key. */
export function redisEncoding(db: Database, key: Bytes): string | undefined {
  const row = readAnyRow(db, key)
  if (row === undefined) return undefined
  const type = metadata.rowType(row)
  switch (type) {
    case metadata.TYPE_STRING:
      return stringEncoding(row.subarray(metadata.headerSize(row)))
    case metadata.TYPE_HASH:
    case metadata.TYPE_LIST:
    case metadata.TYPE_SET:
    case metadata.TYPE_ZSET:
      return collectionEncoding(db, key, metadata.decodeMetadata(row))
    case metadata.TYPE_STREAM:
      return 'stream'
    default:
      return 'raw'
  }
}

function stringEncoding(value: Bytes): string {
  if (parseInt64(value) !== undefined) return 'int'
  return value.length <= EMBEDDED_BYTES_MAX ? 'embstr' : 'raw'
}

const LOOSE_ENCODING: Readonly<Record<number, string>> = {
  [metadata.TYPE_HASH]: 'hashtable',
  [metadata.TYPE_LIST]: 'quicklist',
  [metadata.TYPE_SET]: 'hashtable',
  [metadata.TYPE_ZSET]: 'skiplist',
}

function collectionEncoding(db: Database, key: Bytes, { type, size, version }: metadata.Metadata): string {
  const loose = LOOSE_ENCODING[type] as string
  if (type !== metadata.TYPE_LIST && size > INTSET_ENTRIES_MAX) return loose
  using rows = db.subkeys(CF_DEFAULT, key, version).scan()
  let isPacked = type === metadata.TYPE_LIST || size <= PACKED_ENTRIES_MAX
  let isIntset = type === metadata.TYPE_SET
  let bytes = 0
  while ((isPacked || isIntset) && rows.next()) {
    bytes += rows.value.length
    if (type === metadata.TYPE_LIST) {
      isPacked = bytes <= PACKED_LIST_BYTES_MAX
      continue
    }
    const isLong = rows.key.length > PACKED_ELEMENT_BYTES_MAX || rows.value.length > PACKED_ELEMENT_BYTES_MAX
    if (isLong) isPacked = false
    if (isIntset && parseInt64(rows.key) === undefined) isIntset = false
  }
  if (isIntset) return 'intset'
  return isPacked ? 'listpack' : loose
}
