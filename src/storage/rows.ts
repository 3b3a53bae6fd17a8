/** Reading a key as a type: the checks that every command makes, once. Source: kvrocks src/storage/redis_db.cc, GetMetadata. */

import type { Bytes } from '../bytes/bytes.js'
import { WRONG_TYPE } from '../protocol/errors.js'
import type { Database } from './database.js'
import {
  checkRow,
  type DataType,
  decodeMetadata,
  expiredPart,
  freshMetadata,
  isEmptyable,
  isExpired,
  isReadable,
  type Metadata,
  rowType,
} from './metadata.js'

/** The metadata row of `key`, whatever its type; undefined if absent or expired. */
export function readAnyRow(db: Database, key: Bytes): Buffer | undefined {
  const row = db.getMetadata(key)
  if (row === undefined) return undefined
  checkRow(row)
  return isOver(db, key, row) ? undefined : row
}

/** Deletes `key` if its time is over, where a command may write and has written nothing yet. */
export function noticeIfExpired(db: Database, key: Bytes): void {
  if (db.isSurelyAlive(key)) return
  const row = db.getMetadata(key)
  if (row !== undefined && isReadable(row)) isOver(db, key, row)
}

/**
 * The metadata row of `key`; undefined if absent or expired. Throws WRONG_TYPE if it is alive and of another type.
 * Counts the hit or the miss.
 */
export function readRow(db: Database, key: Bytes, type: DataType): Buffer | undefined {
  const row = db.getMetadata(key)
  if (row === undefined) {
    db.stats.misses++
    return undefined
  }
  return checkTypedRow(db, key, row, type)
}

/** The same check for a row that was read before, e.g. one of `getMetadataOf`. */
export function checkTypedRow(db: Database, key: Bytes, row: Buffer, type: DataType): Buffer | undefined {
  checkRow(row)
  if (isOver(db, key, row)) {
    db.stats.misses++
    return undefined
  }
  if (rowType(row) !== type) throw WRONG_TYPE
  db.stats.hits++
  return row
}

/** The decoded metadata of a collection; undefined if absent, expired or empty. Throws WRONG_TYPE. */
export function readMetadata(db: Database, key: Bytes, type: DataType): Metadata | undefined {
  const row = readRow(db, key, type)
  return row === undefined ? undefined : decodeMetadata(row)
}

/** The decoded metadata of `key`, or of a new life of it, which is not yet written. Throws WRONG_TYPE. */
export function readOrFreshMetadata(db: Database, key: Bytes, type: DataType): Metadata {
  return readMetadata(db, key, type) ?? freshMetadata(type, db.newVersion())
}

/** True if `metadata` is of a life that has no rows yet, so that sub-keys need not be looked up. */
export function isFresh(metadata: Metadata): boolean {
  return metadata.size === 0 && !isEmptyable(metadata.type)
}

/** True if the row counts as absent; a command that may write then deletes a key whose time is over. */
function isOver(db: Database, key: Bytes, row: Buffer): boolean {
  if (!isExpired(row, db.nowMs)) return false
  const part = expiredPart(row, db.nowMs)
  if (part !== undefined) db.noticeExpired(key, part, row)
  return true
}
