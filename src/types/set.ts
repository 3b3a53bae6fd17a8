/**
 * Sets: metadata, and one row a member in the default column family: sub-key = member, value empty.
 * Source: kvrocks src/types/redis_set.cc.
 */

import type { Bytes } from '../bytes/bytes.js'
import { CF_DEFAULT } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import { encodeMetadata, freshMetadata, type Metadata, TYPE_SET } from '../storage/metadata.js'
import type { RowCursor } from '../storage/row-cursor.js'
import { isFresh, readMetadata, readOrFreshMetadata } from '../storage/rows.js'
import type { SubkeyScan, Subkeys } from '../storage/subkeys.js'
import { drawRows, drawSource } from './reservoir.js'

/** Number of members. Throws WRONG_TYPE, as all functions here do. */
export function size(db: Database, key: Bytes): number {
  return readMetadata(db, key, TYPE_SET)?.size ?? 0
}

/** Adds members. Returns how many are new. */
export function add(db: Database, key: Bytes, members: readonly Bytes[]): number {
  const metadata = readOrFreshMetadata(db, key, TYPE_SET)
  const rows = rowsOf(db, key, metadata)
  // A new life has no rows but those that this very call writes.
  const mayHaveRows = !isFresh(metadata) || members.length > 1
  let added = 0
  db.logData(TYPE_SET)
  for (const member of members) {
    if (mayHaveRows && rows.has(member)) continue
    rows.put(member)
    added++
  }
  if (added > 0) {
    metadata.size += added
    db.putMetadata(key, encodeMetadata(metadata))
  }
  return added
}

/** Removes members. Returns how many there were; the last one takes the key with it. */
export function remove(db: Database, key: Bytes, members: readonly Bytes[]): { removed: number; isEmpty: boolean } {
  const metadata = readMetadata(db, key, TYPE_SET)
  if (metadata === undefined) return { removed: 0, isEmpty: false }
  const rows = rowsOf(db, key, metadata)
  let removed = 0
  db.logData(TYPE_SET)
  for (const member of members) {
    if (!rows.has(member)) continue
    rows.delete(member)
    removed++
  }
  if (removed === 0) return { removed, isEmpty: false }
  metadata.size -= removed
  if (metadata.size > 0) db.putMetadata(key, encodeMetadata(metadata))
  else db.deleteMetadata(key)
  return { removed, isEmpty: metadata.size === 0 }
}

/** For each of `members` whether it is in the set. */
export function contains(db: Database, key: Bytes, members: readonly Bytes[]): boolean[] {
  const metadata = readMetadata(db, key, TYPE_SET)
  if (metadata === undefined) return members.map(() => false)
  const rows = rowsOf(db, key, metadata)
  if (members.length === 1) return [rows.has(members[0] as Bytes)]
  return rows.getMany(members).map((row) => row !== undefined)
}

/** Random members: see `sampleRows` for `count`. */
export function sample(db: Database, key: Bytes, count: number): Bytes[] {
  const metadata = readMetadata(db, key, TYPE_SET)
  if (metadata === undefined) return []
  return drawRows(db, drawSource(rowsOf(db, key, metadata), metadata.size), count, false).map((row) => row.key)
}

/** Takes up to `count` random members out. A key that becomes empty stays as an empty row, as Kvrocks leaves it. */
export function pop(db: Database, key: Bytes, count: number): { members: Bytes[]; isEmpty: boolean } {
  const metadata = readMetadata(db, key, TYPE_SET)
  if (metadata === undefined) return { members: [], isEmpty: false }
  const rows = rowsOf(db, key, metadata)
  const members = drawRows(db, drawSource(rows, metadata.size), count, false).map((row) => row.key)
  if (members.length === 0) return { members, isEmpty: false }
  db.logData(TYPE_SET)
  for (const member of members) rows.delete(member)
  metadata.size -= members.length
  db.putMetadata(key, encodeMetadata(metadata))
  return { members, isEmpty: metadata.size === 0 }
}

/** Puts `members`, which are different, in the place of whatever is at `key`; none leave a row of size 0. */
export function replace(db: Database, key: Bytes, members: Iterable<Bytes>): number {
  const metadata = freshMetadata(TYPE_SET, db.newVersion())
  const rows = rowsOf(db, key, metadata)
  db.logData(TYPE_SET)
  for (const member of members) {
    rows.put(member)
    metadata.size++
  }
  db.putMetadata(key, encodeMetadata(metadata))
  return metadata.size
}

/** A scan of the members in byte order, and their number; undefined if the key is absent. */
export interface MemberScan {
  readonly size: number
  open(range?: SubkeyScan): RowCursor
  has(member: Bytes): boolean
}

export function scan(db: Database, key: Bytes): MemberScan | undefined {
  const metadata = readMetadata(db, key, TYPE_SET)
  if (metadata === undefined) return undefined
  const rows = rowsOf(db, Buffer.from(key), metadata)
  return {
    size: metadata.size,
    open: (range) => rows.scan({ rowsExpected: metadata.size, ...range, values: false }),
    has: (member) => rows.has(member),
  }
}

/** The members that are in all of the sets at `keys`, in byte order; `limit` > 0 ends early. Copies. */
export function* intersect(db: Database, keys: readonly Bytes[], limit = 0): Generator<Bytes> {
  const found = keys.map((key) => scan(db, key))
  const sets = found.filter((set) => set !== undefined)
  if (sets.length < found.length) return
  // The smallest is walked, the others are asked.
  const [smallest, ...others] = sets.sort((a, b) => a.size - b.size)
  if (smallest === undefined) return
  let given = 0
  using cursor = smallest.open()
  while (cursor.next()) {
    const member = Buffer.from(cursor.key)
    if (!others.every((other) => other.has(member))) continue
    yield member
    if (++given === limit) return
  }
}

/** The members of the first set that are in none of the others, in byte order. Copies. */
export function* subtract(db: Database, keys: readonly Bytes[]): Generator<Bytes> {
  const [first, ...others] = keys.map((key) => scan(db, key))
  if (first === undefined) return
  using cursor = first.open()
  while (cursor.next()) {
    const member = Buffer.from(cursor.key)
    if (!others.some((other) => other?.has(member))) yield member
  }
}

/** The members that are in any of the sets, each once, in byte order. Copies. */
export function* unite(db: Database, keys: readonly Bytes[]): Generator<Bytes> {
  const cursors: RowCursor[] = []
  try {
    for (const key of keys) {
      const cursor = scan(db, key)?.open()
      if (cursor !== undefined) cursors.push(cursor)
    }
    let heads = cursors.filter((cursor) => cursor.next())
    while (heads.length > 0) {
      const least = Buffer.from(heads.reduce((min, head) => (Buffer.compare(head.key, min.key) < 0 ? head : min)).key)
      yield least
      heads = heads.filter((head) => !head.key.equals(least) || head.next())
    }
  } finally {
    for (const cursor of cursors) cursor.close()
  }
}

function rowsOf(db: Database, key: Bytes, metadata: Metadata): Subkeys {
  return db.subkeys(CF_DEFAULT, key, metadata.version)
}
