/** Keys of whatever type: their life, their time, and their names. Source: kvrocks src/storage/redis_db.cc. */

import { type Bytes, copy as copyBytes } from '../bytes/bytes.js'
import { CF_DEFAULT, CF_STREAM, CF_ZSET_SCORE, type ColumnFamily } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import {
  EXPIRE_LOG_DATA,
  FIELD_EXPIRY_COPY_LOG_DATA,
  FIELD_EXPIRY_LOG_DATA,
  LOG_COPY,
  logData,
} from '../storage/log-data.js'
import {
  type DataType,
  decodeMetadata,
  expireMsOf,
  fieldExpiryOf,
  isSingleRow,
  type Metadata,
  rowType,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_NONE,
  TYPE_SET,
  TYPE_SORTEDINT,
  TYPE_STREAM,
  TYPE_ZSET,
  withExpireMs,
} from '../storage/metadata.js'
import { readAnyRow } from '../storage/rows.js'

export function exists(db: Database, key: Bytes): boolean {
  return readAnyRow(db, key) !== undefined
}

/** How many of `keys` exist; one that is named twice counts twice. Counts hits and misses. */
export function countExisting(db: Database, keys: readonly Bytes[]): number {
  let found = 0
  for (const key of keys) if (readAnyRow(db, key) !== undefined) found++
  db.stats.hits += found
  db.stats.misses += keys.length - found
  return found
}

/** TYPE_NONE if the key does not exist. */
export function typeOf(db: Database, key: Bytes): DataType {
  const row = readAnyRow(db, key)
  return row === undefined ? TYPE_NONE : rowType(row)
}

/** Deletes keys, as DEL does. Returns those that existed. */
export function removeMany(db: Database, keys: readonly Bytes[]): Bytes[] {
  db.logData(TYPE_NONE)
  // A key that is named twice is absent the second time: the turn has deleted it.
  return keys.filter((key) => removeRow(db, key))
}

/** Deletes a key as a side effect, which says nothing of itself in the log. False if there was none. */
export function remove(db: Database, key: Bytes): boolean {
  return removeRow(db, key)
}

function removeRow(db: Database, key: Bytes): boolean {
  if (readAnyRow(db, key) === undefined) return false
  db.deleteMetadata(key)
  return true
}

/** When the key expires, in Unix milliseconds; 0 = never, undefined = there is no such key. */
export function expireMs(db: Database, key: Bytes): number | undefined {
  const row = readAnyRow(db, key)
  return row === undefined ? undefined : expireMsOf(row)
}

/**
 * Makes an existing key expire at `ms` (Unix milliseconds, 0 = never). Nothing is written if it does so already.
 * Source: kvrocks src/storage/redis_db.cc, Database::Expire.
 */
export function setExpireMs(db: Database, key: Bytes, ms: number): void {
  const row = readAnyRow(db, key)
  if (row === undefined || expireMsOf(row) === ms) return
  db.logData(EXPIRE_LOG_DATA)
  db.putMetadata(key, withExpireMs(row, ms))
}

/** A key by its database and its name. */
export interface Place {
  readonly db: Database
  readonly key: Bytes
}

/** Batches of copies in parts grow to this. */
const PART_BYTES = 1 << 20
/** Up to so many elements a copy is one batch. */
const WHOLE_ELEMENTS_MAX = 10_000
/** Types that the change feed can tell in parts: each of their elements has a command of its own, and their size counts them. */
const PARTABLE: ReadonlySet<DataType> = new Set([TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_SORTEDINT, TYPE_ZSET])
/** So long ago has the target of a copy in parts expired until the last part; old rows round to seconds. */
const HIDDEN_MS_AGO = 1000

/**
 * Copies the key at `from`, which exists, to `to`, whatever is there, with its expiry and its version, and deletes the
 * source if `moves`. The places differ.
 *
 * Because the version stays, rows that a former life of the target left behind under the same version would come back to
 * life (RENAME a b; HDEL b f; RENAME b a): they are deleted, which Kvrocks does not do.
 * Source: kvrocks src/storage/redis_db.cc, Database::Copy.
 */
export function copy(from: Place, to: Place, moves: boolean): void {
  const found = readAnyRow(from.db, from.key)
  if (found === undefined) throw new RangeError('the source of a copy exists')
  // A copy: the scans below may commit the turn, and what it wrote is gone then.
  const row = copyBytes(found)
  const type = rowType(row)
  const metadata = isSingleRow(type) ? undefined : decodeMetadata(row)
  const stale = metadata === undefined ? [] : staleRows(from, to, metadata)
  if (metadata !== undefined && stale.length === 0 && mayComeInParts(to, metadata)) {
    copyInParts(from, to, metadata, row, moves)
    return
  }
  using source = metadata === undefined ? undefined : rowsOf(from, CF_OF[type] ?? CF_DEFAULT, metadata).scan()
  to.db.logData(logDataOf(type, metadata))
  if (moves) from.db.deleteMetadata(from.key)
  for (const { cf, subKey } of stale) rowsOf(to, cf, metadata as Metadata).delete(subKey)
  to.db.putMetadata(to.key, row)
  if (source !== undefined) copyRowsOf(source, to, metadata as Metadata)
}

/** A target that exists is replaced by one batch: parts would lose it before the source is gone. */
function mayComeInParts({ db, key }: Place, { type, size }: Metadata): boolean {
  return size > WHOLE_ELEMENTS_MAX && PARTABLE.has(type) && !db.turn.isHeld && readAnyRow(db, key) === undefined
}

/**
 * Copies a large key by several batches, so that none of them has to fit in memory. The first one begins with a row by
 * which the target has expired: no reader sees it until the last one, no compaction drops its elements meanwhile, and if
 * the server dies in between, the sweep deletes it, which tells those who follow the log.
 */
function copyInParts(from: Place, to: Place, metadata: Metadata, row: Bytes, moves: boolean): void {
  const { type } = metadata
  using source = rowsOf(from, CF_DEFAULT, metadata).scan()
  to.db.logData(fieldExpiryOf(metadata) === undefined ? logData(type, LOG_COPY) : FIELD_EXPIRY_COPY_LOG_DATA)
  to.db.putMetadata(to.key, withExpireMs(row, to.db.nowMs - HIDDEN_MS_AGO))
  copyRowsOf(source, to, metadata, true)
  to.db.logData(logDataOf(type, metadata))
  if (moves) from.db.deleteMetadata(from.key)
  to.db.putMetadata(to.key, row)
}

function logDataOf(type: DataType, metadata: Metadata | undefined): DataType | Bytes {
  return metadata !== undefined && fieldExpiryOf(metadata) !== undefined ? FIELD_EXPIRY_LOG_DATA : type
}

/** Where the sub-keys of a type are, if not in the default column family. */
const CF_OF: Readonly<Record<DataType, ColumnFamily>> = { [TYPE_STREAM]: CF_STREAM }

function rowsOf({ db, key }: Place, cf: ColumnFamily, { version }: Metadata) {
  return db.subkeys(cf, key, version)
}

function copyRowsOf(
  source: ReturnType<ReturnType<typeof rowsOf>['scan']>,
  to: Place,
  metadata: Metadata,
  inParts = false,
): void {
  const { turn } = to.db
  const target = rowsOf(to, CF_OF[metadata.type] ?? CF_DEFAULT, metadata)
  const scores = metadata.type === TYPE_ZSET ? rowsOf(to, CF_ZSET_SCORE, metadata) : undefined
  while (source.next()) {
    target.put(source.key, source.value)
    scores?.put(Buffer.concat([source.value, source.key]))
    if (!inParts || turn.batchBytes < PART_BYTES) continue
    turn.commit()
    to.db.logData(logDataOf(metadata.type, metadata))
  }
}

interface StaleRow {
  readonly cf: ColumnFamily
  readonly subKey: Bytes
}

/** Rows that lie under the target's key with the source's version and that the copy would not overwrite. */
function staleRows(from: Place, to: Place, metadata: Metadata): StaleRow[] {
  const stale: StaleRow[] = []
  const families = metadata.type === TYPE_ZSET ? [CF_DEFAULT, CF_ZSET_SCORE] : [CF_OF[metadata.type] ?? CF_DEFAULT]
  for (const cf of families as ColumnFamily[]) {
    const source = rowsOf(from, cf, metadata)
    using cursor = rowsOf(to, cf, metadata).scan({ values: false })
    while (cursor.next()) if (!source.has(cursor.key)) stale.push({ cf, subKey: copyBytes(cursor.key) })
  }
  return stale
}
