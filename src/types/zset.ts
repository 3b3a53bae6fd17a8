/**
 * Sorted sets: metadata, and two rows a member. Source: kvrocks src/types/redis_zset.cc.
 *
 *   default column family      sub-key = member, value = score(8)
 *   zset_score column family   sub-key = score(8) member, value empty
 *
 * Scores are sortable doubles, so the second one has the members in order of score, then of their bytes. -0 stands
 * before 0 there, although both are equal in every comparison of scores.
 */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import { readSortableDouble, SORTABLE_DOUBLE_SIZE, writeSortableDouble } from '../bytes/double.js'
import { err } from '../protocol/errors.js'
import { CF_DEFAULT, CF_ZSET_SCORE } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import { encodeMetadata, freshMetadata, type Metadata, TYPE_ZSET } from '../storage/metadata.js'
import { isFresh, readAnyRow, readMetadata, readOrFreshMetadata } from '../storage/rows.js'
import type { Subkeys } from '../storage/subkeys.js'
import { drawRows, drawSource } from './reservoir.js'

const NOT_A_NUMBER = err('resulting score is not a number (NaN)')

export interface ScoredMember {
  readonly member: Bytes
  readonly score: number
}

/** A sorted set as it lies in the database, for one command. */
export interface ZsetRows {
  readonly metadata: Metadata
  /** By member. */
  readonly members: Subkeys
  /** By score and member: see `memberOfRow` and `scoreOfRow`. */
  readonly scores: Subkeys
}

/** Undefined if the key is absent. Throws WRONG_TYPE, as all functions here do. */
export function open(db: Database, key: Bytes): ZsetRows | undefined {
  const metadata = readMetadata(db, key, TYPE_ZSET)
  return metadata === undefined ? undefined : rowsOf(db, key, metadata)
}

function rowsOf(db: Database, key: Bytes, metadata: Metadata): ZsetRows {
  const members = db.subkeys(CF_DEFAULT, key, metadata.version)
  return { metadata, members, scores: members.inFamily(CF_ZSET_SCORE) }
}

/** A score as it is stored. */
export function scoreBytes(score: number): Bytes {
  const bytes = Buffer.allocUnsafe(SORTABLE_DOUBLE_SIZE)
  writeSortableDouble(bytes, 0, score)
  return bytes
}

/** The sub-key of a member in the zset_score column family. */
export function scoreKey(score: number, member: Bytes): Bytes {
  const key = Buffer.allocUnsafe(SORTABLE_DOUBLE_SIZE + member.length)
  key.set(member, writeSortableDouble(key, 0, score))
  return key
}

/** The member in a sub-key of the zset_score column family; a view. */
export function memberOfRow(subKey: Bytes): Bytes {
  return subKey.subarray(SORTABLE_DOUBLE_SIZE)
}

/** The score in a sub-key of the zset_score column family, or in a value of the default one. */
export function scoreOfRow(bytes: Bytes): number {
  return readSortableDouble(bytes, 0)
}

/** Number of members. */
export function size(db: Database, key: Bytes): number {
  return readMetadata(db, key, TYPE_ZSET)?.size ?? 0
}

/** The scores in the order of `members`. */
export function scores(db: Database, key: Bytes, members: readonly Bytes[]): (number | undefined)[] {
  const found = open(db, key)
  return found === undefined ? members.map(() => undefined) : scoresIn(found, members)
}

function scoresIn(zset: ZsetRows, members: readonly Bytes[]): (number | undefined)[] {
  const rows = members.length === 1 ? [zset.members.get(members[0] as Bytes)] : zset.members.getMany(members)
  return rows.map((row) => (row === undefined ? undefined : scoreOfRow(row)))
}

/** Which pairs an addition takes. `higher` and `lower` say nothing of members that are new. */
export interface AddCondition {
  /** Whether the member must be there, or must not. */
  readonly presence: 'any' | 'present' | 'absent'
  /** How the new score must compare with that of a member that is there. */
  readonly change: 'any' | 'higher' | 'lower'
}

export const UNCONDITIONAL: AddCondition = { presence: 'any', change: 'any' }

export interface Added {
  readonly added: number
  /** Members that were there and have another score now. */
  readonly changed: number
}

/** What becomes of one member. */
interface Change {
  readonly member: Bytes
  readonly before: number | undefined
  after: number | undefined
}

/**
 * Adds members or changes their scores; pairs are taken one after the other. Rows are written from the last pair to the
 * first, as Kvrocks does.
 */
export function add(db: Database, key: Bytes, pairs: readonly ScoredMember[], condition = UNCONDITIONAL): Added {
  const zset = rowsOf(db, key, readOrFreshMetadata(db, key, TYPE_ZSET))
  if (pairs.length === 1) return addOne(db, key, zset, pairs[0] as ScoredMember, condition)
  const before = isFresh(zset.metadata)
    ? []
    : scoresIn(
        zset,
        pairs.map(({ member }) => member),
      )
  const changes = new Map<string, Change>()
  let added = 0
  let changed = 0
  pairs.forEach(({ member, score }, index) => {
    const name = member.latin1Slice(0)
    const change = changes.get(name) ?? { member, before: before[index], after: before[index] }
    // A member named again moves to the end: Kvrocks writes it where it stands last.
    changes.delete(name)
    changes.set(name, change)
    if (!isTaken(condition, change.after, score)) return
    if (change.after === undefined) added++
    else if (change.after !== score) changed++
    else return
    change.after = score
  })
  writeChanges(db, key, zset, [...changes.values()].reverse(), added)
  return { added, changed }
}

function addOne(
  db: Database,
  key: Bytes,
  zset: ZsetRows,
  { member, score }: ScoredMember,
  condition: AddCondition,
): Added {
  const row = isFresh(zset.metadata) ? undefined : zset.members.get(member)
  const before = row === undefined ? undefined : scoreOfRow(row)
  if (!isTaken(condition, before, score)) return { added: 0, changed: 0 }
  const added = before === undefined ? 1 : 0
  const changed = before === undefined || before === score ? 0 : 1
  if (added + changed > 0) writeChanges(db, key, zset, [{ member, before, after: score }], added)
  return { added, changed }
}

function isTaken({ presence, change }: AddCondition, before: number | undefined, after: number): boolean {
  if (before === undefined) return presence !== 'present'
  if (presence === 'absent') return false
  return change === 'any' || (change === 'higher' ? after > before : after < before)
}

/**
 * Adds `delta` to the score of a member, 0 if it is new. Returns the new score; undefined if the condition refuses it.
 * Throws if the sum is not a number.
 */
export function increment(
  db: Database,
  key: Bytes,
  { member, score: delta }: ScoredMember,
  condition = UNCONDITIONAL,
): number | undefined {
  const zset = rowsOf(db, key, readOrFreshMetadata(db, key, TYPE_ZSET))
  const before = isFresh(zset.metadata) ? undefined : scoresIn(zset, [member])[0]
  if (before !== undefined && condition.presence === 'absent') return undefined
  const after = before === undefined ? delta : before + delta
  if (Number.isNaN(after)) throw NOT_A_NUMBER
  if (!isTaken(condition, before, after)) return undefined
  writeChanges(db, key, zset, [{ member, before, after }], before === undefined ? 1 : 0)
  return after
}

function writeChanges(db: Database, key: Bytes, zset: ZsetRows, changes: readonly Change[], added: number): void {
  db.logData(TYPE_ZSET)
  for (const { member, before, after } of changes) {
    if (after === undefined || after === before) continue
    if (before !== undefined) zset.scores.delete(scoreKey(before, member))
    putMember(zset, member, after)
  }
  if (added > 0) resize(db, key, zset, added)
}

function putMember(zset: ZsetRows, member: Bytes, score: number): void {
  const row = scoreKey(score, member)
  zset.members.put(member, row.subarray(0, SORTABLE_DOUBLE_SIZE))
  zset.scores.put(row, EMPTY)
}

/** A key that becomes empty stays as an empty row, as Kvrocks leaves it. */
export function resize(db: Database, key: Bytes, { metadata }: ZsetRows, change: number): void {
  metadata.size += change
  db.putMetadata(key, encodeMetadata(metadata))
}

export interface Removed {
  readonly removed: number
  /** The last member is gone, and the key with it. */
  readonly isEmpty: boolean
}

/** Removes members. */
export function remove(db: Database, key: Bytes, members: readonly Bytes[]): Removed {
  const zset = open(db, key)
  if (zset === undefined) return { removed: 0, isEmpty: false }
  let removed = 0
  db.logData(TYPE_ZSET)
  for (const member of members) {
    // A member named twice is not seen again: the overlay has it deleted.
    const row = zset.members.get(member)
    if (row === undefined) continue
    zset.members.delete(member)
    zset.scores.delete(scoreKey(scoreOfRow(row), member))
    removed++
  }
  if (removed > 0) resize(db, key, zset, -removed)
  return { removed, isEmpty: removed > 0 && zset.metadata.size === 0 }
}

/** Takes up to `count` members out, from the lowest score or from the highest. */
export function pop(
  db: Database,
  key: Bytes,
  count: number,
  end: 'min' | 'max',
): { popped: ScoredMember[]; isEmpty: boolean } {
  const zset = open(db, key)
  if (zset === undefined || count === 0) return { popped: [], isEmpty: false }
  const rows = zset.scores.outermost(count, end === 'max')
  if (rows.length === 0) return { popped: [], isEmpty: false }
  const popped = rows.map((row) => ({ member: memberOfRow(row), score: scoreOfRow(row) }))
  db.logData(TYPE_ZSET)
  rows.forEach((row, index) => {
    zset.members.delete(popped[index]!.member)
    zset.scores.delete(row)
  })
  resize(db, key, zset, -popped.length)
  return { popped, isEmpty: zset.metadata.size === 0 }
}

/** The member and score of a row of the zset_score column family, of its own. */
export function copyOfRow(subKey: Bytes): ScoredMember {
  return { member: Buffer.from(memberOfRow(subKey)), score: scoreOfRow(subKey) }
}

export interface Ranked {
  readonly rank: number
  readonly score: number
}

/** How many members come before `member`, from the lowest score or from the highest. Walks the rows before it. */
export function rank(db: Database, key: Bytes, member: Bytes, reverse: boolean): Ranked | undefined {
  const zset = open(db, key)
  const row = zset?.members.get(member)
  if (zset === undefined || row === undefined) return undefined
  const score = scoreOfRow(row)
  const at = scoreKey(score, member)
  using cursor = zset.scores.scan(
    reverse ? { from: Buffer.concat([at, Buffer.of(0)]), values: false } : { to: at, values: false },
  )
  let before = 0
  while (cursor.next()) before++
  return { rank: before, score }
}

/** Random members: see `sampleRows` for `count`. */
export function sample(db: Database, key: Bytes, count: number): ScoredMember[] {
  const zset = open(db, key)
  if (zset === undefined) return []
  return drawRows(db, drawSource(zset.members, zset.metadata.size), count).map((row) => ({
    member: row.key,
    score: scoreOfRow(row.value),
  }))
}

/**
 * Puts `pairs`, whose members are different, in the place of whatever is at `key`, in their order. None leaves an empty
 * row, as Kvrocks does.
 */
export function replace(db: Database, key: Bytes, pairs: readonly ScoredMember[]): number {
  const zset = rowsOf(db, key, freshMetadata(TYPE_ZSET, db.newVersion()))
  db.logData(TYPE_ZSET)
  for (const { member, score } of pairs) putMember(zset, member, score)
  resize(db, key, zset, pairs.length)
  return pairs.length
}

/** True if there is anything at `key`, of whatever type. */
export function exists(db: Database, key: Bytes): boolean {
  return readAnyRow(db, key) !== undefined
}
