/** When fields of hashes expire. Source: kvrocks src/types/redis_hash.cc, ExpireFields … GetFieldsWithExpire. */

import { type Bytes, copy } from '../bytes/bytes.js'
import type { Database } from '../storage/database.js'
import { fieldExpireMs, fieldExpiryOf, TYPE_HASH } from '../storage/metadata.js'
import { readMetadata } from '../storage/rows.js'
import type { FieldValue } from './hash.js'
import { HashFields, liveValue, type OnExpired, rowsOf, type StoredField } from './hash-fields.js'

/** When a field's expiry may be set: it has none, has one, has an earlier or a later one. */
export type ExpiryCondition = 'none' | 'persistent' | 'expiring' | 'later' | 'sooner'

export const NO_FIELD = -2
export const NO_EXPIRY = -1
export const NOT_SET = 0
export const SET = 1
export const DELETED = 2

/** What became of the fields of a call, and whether it left the hash without any. */
export interface FieldChanges<Result> {
  readonly results: Result[]
  readonly updated: number
  readonly deleted: number
  readonly isEmpty: boolean
}

function nothing<Result>(names: readonly Bytes[], result: Result): FieldChanges<Result> {
  return { results: names.map(() => result), updated: 0, deleted: 0, isEmpty: false }
}

/** When fields expire, in Unix milliseconds, or NO_EXPIRY, or NO_FIELD. */
export function expireTimes(db: Database, key: Bytes, names: readonly Bytes[]): number[] {
  const metadata = readMetadata(db, key, TYPE_HASH)
  if (metadata === undefined) return names.map(() => NO_FIELD)
  const expires = fieldExpiryOf(metadata) !== undefined
  return rowsOf(db, key, metadata)
    .getMany(names)
    .map((row) => {
      if (row === undefined || liveValue(row, metadata, db.nowMs) === undefined) return NO_FIELD
      return (expires ? fieldExpireMs(row) : 0) || NO_EXPIRY
    })
}

/** Makes fields expire at `atMs`, Unix milliseconds; deletes them if that is not in the future. SET, DELETED, NOT_SET or NO_FIELD. */
export function expire(
  db: Database,
  key: Bytes,
  names: readonly Bytes[],
  atMs: number,
  condition: ExpiryCondition,
  onExpired: OnExpired,
): FieldChanges<number> {
  const hash = HashFields.open(db, key, names, onExpired)
  if (hash === undefined) return nothing(names, NO_FIELD)
  let updated = 0
  let deleted = 0
  const results = names.map((name) => {
    const field = hash.find(name)
    if (field === undefined) return NO_FIELD
    if (!allows(condition, field.expireMs, atMs)) return NOT_SET
    if (expireOne(db, hash, name, field, atMs)) {
      deleted++
      return DELETED
    }
    updated++
    return SET
  })
  return { results, updated, deleted, isEmpty: hash.finish() }
}

/** True if the field was deleted, for `atMs` is not in the future. */
function expireOne(db: Database, hash: HashFields, name: Bytes, field: StoredField, atMs: number): boolean {
  if (atMs <= db.nowMs) {
    hash.delete(name, field)
    return true
  }
  const value = copy(field.value)
  hash.allowExpiry()
  hash.put(name, value, atMs, field)
  return false
}

/** A field that never expires counts as one that expires after all others. */
function allows(condition: ExpiryCondition, currentMs: number, atMs: number): boolean {
  switch (condition) {
    case 'none':
      return true
    case 'persistent':
      return currentMs === 0
    case 'expiring':
      return currentMs !== 0
    case 'later':
      return currentMs !== 0 && atMs > currentMs
    case 'sooner':
      return currentMs === 0 || atMs < currentMs
  }
}

/** Makes fields never expire. SET, NO_EXPIRY or NO_FIELD. */
export function persist(db: Database, key: Bytes, names: readonly Bytes[], onExpired: OnExpired): FieldChanges<number> {
  const hash = HashFields.open(db, key, names, onExpired)
  if (hash === undefined) return nothing(names, NO_FIELD)
  let updated = 0
  const results = names.map((name) => {
    const field = hash.find(name)
    if (field === undefined) return NO_FIELD
    if (field.expireMs === 0) return NO_EXPIRY
    hash.put(name, copy(field.value), 0, field)
    updated++
    return SET
  })
  return { results, updated, deleted: 0, isEmpty: hash.finish() }
}

export interface SetWithExpiry {
  /** All fields must exist, or none may; undefined = that is no matter. */
  readonly wants: 'all' | 'none' | undefined
  /** Unix milliseconds; 0: never; undefined: as before. */
  readonly atMs: number | undefined
}

/** Sets fields and their expiry. Results hold one truth: whether they were set. A time that is past deletes them. */
export function setWithExpiry(
  db: Database,
  key: Bytes,
  pairs: readonly FieldValue[],
  { wants, atMs }: SetWithExpiry,
  onExpired: OnExpired,
): FieldChanges<boolean> {
  const names = pairs.map(([name]) => name)
  const hash = HashFields.make(db, key, names, onExpired)
  if (wants !== undefined && names.some((name) => (hash.find(name) !== undefined) !== (wants === 'all'))) {
    return { results: [false], updated: 0, deleted: 0, isEmpty: hash.finish() }
  }
  const isPast = atMs !== undefined && atMs !== 0 && atMs <= db.nowMs
  if (atMs !== undefined && atMs !== 0 && !isPast) hash.allowExpiry()
  let updated = 0
  let deleted = 0
  for (const [name, value] of new Map(pairs.map((pair) => [pair[0].latin1Slice(0), pair])).values()) {
    const field = hash.find(name)
    if (isPast) {
      if (field !== undefined) hash.delete(name, field)
      deleted++
      continue
    }
    const expireMs = atMs ?? field?.expireMs ?? 0
    if (atMs !== undefined && atMs !== 0) updated++
    hash.put(name, value, expireMs, field)
  }
  return { results: [true], updated, deleted, isEmpty: hash.finish() }
}

/** The values of fields, whose expiry becomes `atMs`: Unix milliseconds, 0 = never, undefined = as before. */
export function getWithExpiry(
  db: Database,
  key: Bytes,
  names: readonly Bytes[],
  atMs: number | undefined,
  onExpired: OnExpired,
): FieldChanges<Bytes | undefined> {
  const hash = HashFields.open(db, key, names, onExpired)
  if (hash === undefined) return nothing(names, undefined)
  let updated = 0
  let deleted = 0
  const results = names.map((name) => {
    const field = hash.find(name)
    if (field === undefined) return undefined
    const value = copy(field.value)
    if (atMs === undefined || atMs === field.expireMs) return value
    if (atMs === 0) hash.put(name, value, 0, field)
    else if (expireOne(db, hash, name, field, atMs)) deleted++
    if (atMs === 0 || atMs > db.nowMs) updated++
    return value
  })
  return { results, updated, deleted, isEmpty: hash.finish() }
}

/** The values of fields, which are deleted. */
export function getAndDelete(
  db: Database,
  key: Bytes,
  names: readonly Bytes[],
  onExpired: OnExpired,
): FieldChanges<Bytes | undefined> {
  const hash = HashFields.open(db, key, names, onExpired)
  if (hash === undefined) return nothing(names, undefined)
  let deleted = 0
  const results = names.map((name) => {
    const field = hash.find(name)
    if (field === undefined) return undefined
    const value = copy(field.value)
    hash.delete(name, field)
    deleted++
    return value
  })
  return { results, updated: 0, deleted, isEmpty: hash.finish() }
}

/** Writes fields with the expiry that each has, undefined = never; those that have expired are left out. */
export function restoreFields(
  db: Database,
  key: Bytes,
  entries: readonly (readonly [field: Bytes, value: Bytes, expireMs?: number])[],
): void {
  const hash = HashFields.make(db, key, [])
  if (entries.some(([, , expireMs = 0]) => expireMs > db.nowMs)) hash.allowExpiry()
  for (const [name, value, expireMs = 0] of entries) {
    if (expireMs === 0 || expireMs > db.nowMs) hash.put(name, value, expireMs, hash.find(name))
  }
  hash.finish()
}
