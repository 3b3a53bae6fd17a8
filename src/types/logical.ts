/**
 * Values as DUMP, RESTORE and RDB files see them: what a key is, whatever its rows are. A type joins by an entry here.
 * Bitmaps are strings to Redis; a HyperLogLog is a string that says so in its first bytes. Sorted integers, which Redis
 * does not have, are sets of their decimal forms. Source: kvrocks src/storage/rdb/rdb.cc, SaveObject.
 */

import type { Bytes } from '../bytes/bytes.js'
import { decimal } from '../bytes/int64.js'
import type { Database } from '../storage/database.js'
import {
  type DataType,
  headerSize,
  TYPE_BITMAP,
  TYPE_HASH,
  TYPE_HYPERLOGLOG,
  TYPE_LIST,
  TYPE_SET,
  TYPE_SORTEDINT,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from '../storage/metadata.js'
import type { HashEntry, HashValue, RdbValue, ZsetValue } from '../storage/rdb/value.js'
import type { RowWalk } from '../storage/row-cursor.js'
import { readAnyRow } from '../storage/rows.js'
import { openBits, wholeBits } from './bitmap/rows.js'
import * as hashes from './hash.js'
import { restoreFields } from './hash-expiry.js'
import type { FieldRows } from './hash-fields.js'
import * as hyperloglogs from './hyperloglog.js'
import * as keys from './key.js'
import * as lists from './list/list.js'
import * as sets from './set.js'
import * as sortedints from './sortedint.js'
import * as streams from './stream/logical.js'
import * as strings from './string.js'
import * as zsets from './zset.js'

/** Values may be views that are valid until the command returns. */
type Reader = (db: Database, key: Bytes) => RdbValue

const READERS: Readonly<Record<DataType, Reader>> = {
  [TYPE_STRING]: (db, key) => {
    const row = readAnyRow(db, key) as Buffer
    return { type: 'string', value: row.subarray(headerSize(row)) }
  },
  [TYPE_BITMAP]: (db, key) => {
    const bits = openBits(db, key)
    return { type: 'string', value: bits === undefined ? Buffer.alloc(0) : wholeBits(bits) }
  },
  [TYPE_HYPERLOGLOG]: (db, key) => ({ type: 'string', value: hyperloglogs.toRedisString(db, key) }),
  [TYPE_HASH]: (db, key) => ({
    type: 'hash',
    entries: collect<HashEntry, FieldRows>(hashes.scan(db, key)?.open(), ({ key: field, value, expireMs = 0 }) =>
      expireMs === 0 ? [Buffer.from(field), Buffer.from(value)] : [Buffer.from(field), Buffer.from(value), expireMs],
    ),
  }),
  [TYPE_SET]: (db, key) => ({
    type: 'set',
    members: collect(sets.scan(db, key)?.open(), (row) => Buffer.from(row.key)),
  }),
  [TYPE_LIST]: (db, key) => ({
    type: 'list',
    elements: collect(lists.range(db, key, 0, -1)?.open(), (row) => Buffer.from(row.value)),
  }),
  [TYPE_ZSET]: (db, key) => ({
    type: 'zset',
    entries: collect(zsets.open(db, key)?.scores.scan({ values: false }), (row) => {
      const { member, score } = zsets.copyOfRow(row.key)
      return [member, score]
    }),
  }),
  [TYPE_SORTEDINT]: (db, key) => ({
    type: 'set',
    members: sortedints.range(db, key, { reverse: false, offset: 0, count: -1 }).map(decimal),
  }),
  [TYPE_STREAM]: streams.toValue,
}

function collect<T, Row extends RowWalk>(rows: Row | undefined, copyRow: (row: Row) => T): T[] {
  const copies: T[] = []
  if (rows === undefined) return copies
  using cursor = rows
  while (cursor.next()) copies.push(copyRow(cursor))
  return copies
}

/** The value of a key that exists and is of `type`; undefined if the type has no such form. */
export function readValue(db: Database, key: Bytes, type: DataType): RdbValue | undefined {
  return READERS[type]?.(db, key)
}

/**
 * Makes `value` the value of `key`, which must not exist, and never expire. False if the value cannot be written: that of
 * a module, or a hash with fields that will expire.
 */
export function writeValue(db: Database, key: Bytes, value: RdbValue): boolean {
  switch (value.type) {
    case 'string':
      if (!hyperloglogs.fromRedisString(db, key, value.value)) strings.write(db, key, value.value)
      return true
    case 'hash':
      addFields(db, key, value)
      return true
    case 'set':
      sets.replace(db, key, value.members)
      return true
    case 'list':
      lists.replace(db, key, value.elements)
      return true
    case 'zset':
      zsets.replace(db, key, scoredMembers(value))
      return true
    case 'stream':
      streams.fromValue(db, key, value)
      return true
    case 'module':
      return false
  }
}

/** Adds a further part of a collection to a key that `writeValue` made of the first. False as there. */
export function appendValue(db: Database, key: Bytes, value: RdbValue): boolean {
  if (value.type === 'hash') addFields(db, key, value)
  else if (value.type === 'set') sets.add(db, key, value.members)
  else if (value.type === 'list') lists.push(db, key, 'right', value.elements)
  else if (value.type === 'zset') zsets.add(db, key, scoredMembers(value))
  else if (value.type === 'stream') streams.appendValue(db, key, value)
  else throw new RangeError(`a ${value.type} has no parts`)
  return true
}

/** Fields whose time is over are left out. */
function addFields(db: Database, key: Bytes, { entries }: HashValue): void {
  if (entries.some(([, , expireMs]) => expireMs !== undefined)) restoreFields(db, key, entries)
  else {
    const pairs = entries.map(([field, content]) => [field, content] as const)
    hashes.set(db, key, pairs)
  }
}

function scoredMembers({ entries }: ZsetValue): zsets.ScoredMember[] {
  return entries.map(([member, score]) => ({ member, score }))
}

/** Deletes what is at `key` and makes `value` its value, to expire at `expireMs` (0 = never). False as `writeValue`. */
export function replaceValue(db: Database, key: Bytes, value: RdbValue, expireMs: number): boolean {
  keys.remove(db, key)
  if (!writeValue(db, key, value)) return false
  if (expireMs !== 0) keys.setExpireMs(db, key, expireMs)
  return true
}
