/**
 * Sorted integers, a type of Kvrocks: metadata, and one row an id in the default column family: sub-key = id(8), value
 * empty. Ids are unsigned and have 64 bits. Source: kvrocks src/types/redis_sortedint.cc.
 */

import type { Bytes } from '../bytes/bytes.js'
import { type Int64, readUint64, UINT64_MAX, writeUint64 } from '../bytes/int64.js'
import { CF_DEFAULT } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import { encodeMetadata, type Metadata, TYPE_SORTEDINT } from '../storage/metadata.js'
import { isFresh, readMetadata, readOrFreshMetadata } from '../storage/rows.js'
import type { SubkeyScan, Subkeys } from '../storage/subkeys.js'

const ID_BYTES = 8

/** Number of ids. Throws WRONG_TYPE, as all functions here do. */
export function size(db: Database, key: Bytes): number {
  return readMetadata(db, key, TYPE_SORTEDINT)?.size ?? 0
}

/** Adds ids. Returns how many are new. */
export function add(db: Database, key: Bytes, ids: readonly Int64[]): number {
  const metadata = readOrFreshMetadata(db, key, TYPE_SORTEDINT)
  const rows = rowsOf(db, key, metadata)
  const mayHaveRows = !isFresh(metadata) || ids.length > 1
  let added = 0
  db.logData(TYPE_SORTEDINT)
  for (const id of ids) {
    const subKey = idKey(id)
    if (mayHaveRows && rows.has(subKey)) continue
    rows.put(subKey)
    added++
  }
  if (added > 0) resize(db, key, metadata, added)
  return added
}

/** Removes ids. Returns how many there were. A key that becomes empty stays as an empty row, as Kvrocks leaves it. */
export function remove(db: Database, key: Bytes, ids: readonly Int64[]): number {
  const metadata = readMetadata(db, key, TYPE_SORTEDINT)
  if (metadata === undefined) return 0
  const rows = rowsOf(db, key, metadata)
  let removed = 0
  db.logData(TYPE_SORTEDINT)
  for (const id of ids) {
    const subKey = idKey(id)
    if (!rows.has(subKey)) continue
    rows.delete(subKey)
    removed++
  }
  if (removed > 0) resize(db, key, metadata, -removed)
  return removed
}

/** For each of `ids` whether it is there. */
export function contains(db: Database, key: Bytes, ids: readonly Int64[]): boolean[] {
  const metadata = readMetadata(db, key, TYPE_SORTEDINT)
  if (metadata === undefined) return ids.map(() => false)
  return rowsOf(db, key, metadata)
    .getMany(ids.map(idKey))
    .map((row) => row !== undefined)
}

export interface IdRange {
  /** Inclusive; undefined = from the least. */
  readonly min?: Int64 | undefined
  /** Inclusive; undefined = to the greatest. */
  readonly max?: Int64 | undefined
  readonly reverse: boolean
  readonly offset: number
  /** Negative = all. */
  readonly count: number
}

/** The ids in a range, in ascending order or, with `reverse`, in descending order. */
export function range(db: Database, key: Bytes, { min, max, reverse, offset, count }: IdRange): Int64[] {
  const metadata = readMetadata(db, key, TYPE_SORTEDINT)
  const ids: Int64[] = []
  if (metadata === undefined || count === 0) return ids
  const bounds: SubkeyScan = {
    ...(min === undefined ? {} : { from: idKey(min) }),
    ...(max === undefined || BigInt(max) >= UINT64_MAX ? {} : { to: idKey(BigInt(max) + 1n) }),
  }
  using cursor = rowsOf(db, key, metadata).scan({
    ...bounds,
    reverse,
    values: false,
    rowsExpected: offset + (count < 0 ? metadata.size : count),
  })
  for (let skipped = 0; skipped < offset; skipped++) if (!cursor.next()) return ids
  while ((count < 0 || ids.length < count) && cursor.next()) ids.push(readUint64(cursor.key, 0))
  return ids
}

function idKey(id: Int64): Buffer {
  const subKey = Buffer.allocUnsafe(ID_BYTES)
  writeUint64(subKey, 0, id)
  return subKey
}

function rowsOf(db: Database, key: Bytes, metadata: Metadata): Subkeys {
  return db.subkeys(CF_DEFAULT, key, metadata.version)
}

function resize(db: Database, key: Bytes, metadata: Metadata, change: number): void {
  metadata.size += change
  db.putMetadata(key, encodeMetadata(metadata))
}
