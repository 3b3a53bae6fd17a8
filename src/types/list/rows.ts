/**
 * Lists: metadata, and one row an element in the default column family: sub-key = index(8), value = element.
 *
 *   metadata tail  head(8) tail(8): the elements have the indexes from head up to, not including, tail
 *
 * A new list has head = tail = 2^63 - 1. Here an index is its distance from there, which is a safe integer.
 * Source: kvrocks src/types/redis_list.cc; ListMetadata in src/storage/redis_metadata.cc.
 */

import type { Bytes } from '../../bytes/bytes.js'
import { CF_DEFAULT } from '../../storage/column-family.js'
import type { Database } from '../../storage/database.js'
import { encodeMetadata, freshMetadata, type Metadata, MetadataFormatError, TYPE_LIST } from '../../storage/metadata.js'
import type { RowCursor } from '../../storage/row-cursor.js'
import { readMetadata } from '../../storage/rows.js'
import type { Subkeys } from '../../storage/subkeys.js'

const INDEX_BYTES = 8
const ORIGIN_HIGH = 0x8000_0000

/** A list that is open for reading or changing. */
export interface OpenList {
  readonly db: Database
  readonly key: Bytes
  readonly metadata: Metadata
  readonly rows: Subkeys
  /** Index of the first element. */
  head: number
  /** Index after the last element. */
  tail: number
}

/** The list at `key`; undefined if absent. Throws WRONG_TYPE. */
export function openList(db: Database, key: Bytes): OpenList | undefined {
  const metadata = readMetadata(db, key, TYPE_LIST)
  if (metadata === undefined) return undefined
  if (metadata.tail.length < 2 * INDEX_BYTES) throw new MetadataFormatError('list metadata is too short')
  const head = readIndex(metadata.tail, 0)
  const tail = readIndex(metadata.tail, INDEX_BYTES)
  return { db, key, metadata, rows: rowsOf(db, key, metadata), head, tail }
}

/** The list at `key`, or a new one that is not yet written. Throws WRONG_TYPE. */
export function openOrNewList(db: Database, key: Bytes): OpenList {
  return openList(db, key) ?? newList(db, key)
}

/** A new list in the place of whatever is at `key`, not yet written. */
export function newList(db: Database, key: Bytes): OpenList {
  const metadata = freshMetadata(TYPE_LIST, db.newVersion())
  return { db, key, metadata, rows: rowsOf(db, key, metadata), head: 0, tail: 0 }
}

/** Writes the metadata, with size, head and tail as they are. */
export function saveList(list: OpenList): void {
  const tail = Buffer.allocUnsafe(2 * INDEX_BYTES)
  writeIndex(tail, 0, list.head)
  writeIndex(tail, INDEX_BYTES, list.tail)
  list.metadata.tail = tail
  list.db.putMetadata(list.key, encodeMetadata(list.metadata))
}

/** The sub-key of an element. */
export function indexKey(index: number): Buffer {
  const subKey = Buffer.allocUnsafe(INDEX_BYTES)
  writeIndex(subKey, 0, index)
  return subKey
}

const BRIEF_KEY = Buffer.allocUnsafeSlow(INDEX_BYTES)

/** The same, valid until the next call. */
export function briefIndexKey(index: number): Buffer {
  writeIndex(BRIEF_KEY, 0, index)
  return BRIEF_KEY
}

/** The index that a sub-key stands for. */
export function readIndex(bytes: Bytes, at: number): number {
  return (bytes.readUInt32BE(at) - ORIGIN_HIGH) * 2 ** 32 + bytes.readUInt32BE(at + 4) + 1
}

function writeIndex(target: Buffer, at: number, index: number): void {
  const distance = index - 1
  const highWord = Math.floor(distance / 2 ** 32)
  put32(target, at, ORIGIN_HIGH + highWord)
  put32(target, at + 4, distance - highWord * 2 ** 32)
}

/** Byte by byte: Buffer's own check their arguments, which costs twice as much. */
function put32(target: Buffer, at: number, word: number): void {
  target[at] = word >>> 24
  target[at + 1] = word >>> 16
  target[at + 2] = word >>> 8
  target[at + 3] = word
}

/** Walks the elements with indexes from `from` up to, not including, `to`. */
export function scanElements(list: OpenList, from: number, to: number, reverse = false): RowCursor {
  return list.rows.scan({ from: indexKey(from), to: indexKey(to), reverse, rowsExpected: to - from })
}

function rowsOf(db: Database, key: Bytes, metadata: Metadata): Subkeys {
  return db.subkeys(CF_DEFAULT, key, metadata.version)
}
