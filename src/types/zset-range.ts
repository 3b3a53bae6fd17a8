/**
 * Ranges of sorted sets: by rank, by score, by member. Ranks and scores walk the zset_score column family, members the
 * default one. Source: kvrocks src/types/redis_zset.cc, RangeByRank, RangeByScore, RangeByLex.
 */

import { type Bytes, compare, concat, EMPTY } from '../bytes/bytes.js'
import { readSortableDouble, SORTABLE_DOUBLE_SIZE } from '../bytes/double.js'
import type { Database } from '../storage/database.js'
import { prefixEnd } from '../storage/keys.js'
import { TYPE_ZSET } from '../storage/metadata.js'
import type { BulkSink, RowCursor } from '../storage/row-cursor.js'
import type { SubkeyScan } from '../storage/subkeys.js'
import { type LexRange, lexBounds } from './lex-range.js'
import {
  open,
  type Removed,
  resize,
  type ScoredMember,
  scoreBytes,
  scoreKey,
  scoreOfRow,
  type ZsetRows,
} from './zset.js'

/** Ranks from `start` to `stop`, both inclusive; negative ones count from the end. */
export interface RankRange {
  readonly kind: 'rank'
  readonly start: number
  readonly stop: number
}

export interface ScoreRange {
  readonly kind: 'score'
  readonly min: number
  readonly minExclusive: boolean
  readonly max: number
  readonly maxExclusive: boolean
}

/** Members in byte order, all of them with the same score by convention. */
export interface MemberRange extends LexRange {
  readonly kind: 'lex'
  /** `+` as minimum or `-` as maximum: nothing is in it. */
  readonly isEmpty: boolean
}

export type ZsetRange = RankRange | ScoreRange | MemberRange

/** A part of a range; ranks have none. */
export interface RangeWindow {
  readonly reverse: boolean
  /** Members to skip; negative: nothing is found. */
  readonly offset: number
  /** Members to give; negative: all. */
  readonly count: number
}

const FORWARD: RangeWindow = { reverse: false, offset: 0, count: -1 }

/** Walks members; close it, or declare it with `using`. */
export class MemberCursor {
  readonly #rows: RowCursor
  readonly #byScore: boolean
  #offset: number
  #left: number

  /** `byScore`: the rows are those of the zset_score column family. */
  constructor(rows: RowCursor, byScore: boolean, offset: number, count: number) {
    this.#rows = rows
    this.#byScore = byScore
    this.#offset = offset
    this.#left = count < 0 ? Number.POSITIVE_INFINITY : count
  }

  /** A view until the next `next`. */
  get member(): Bytes {
    return this.#rows.keyFrom(this.#byScore ? SORTABLE_DOUBLE_SIZE : 0)
  }

  /** Writes the member; no view is made for that. */
  writeMember(to: BulkSink): void {
    this.#rows.writeKey(to, this.#byScore ? SORTABLE_DOUBLE_SIZE : 0)
  }

  get score(): number {
    const rows = this.#rows
    return this.#byScore ? readSortableDouble(rows.keyHolder, rows.keyOffset) : scoreOfRow(rows.value)
  }

  next(): boolean {
    for (; this.#offset > 0; this.#offset--) if (!this.#rows.next()) return false
    if (this.#left <= 0 || !this.#rows.next()) return false
    this.#left--
    return true
  }

  close(): void {
    this.#rows.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** The members of a range that can be walked again and again. */
export interface FoundRange {
  /** How many there are, where that is known without walking. */
  readonly size: number | undefined
  /** `scores` false: the cursor's score is not asked for. */
  open(scores?: boolean): MemberCursor
}

/** Undefined if the key is absent or nothing can be in the range. */
export function find(db: Database, key: Bytes, range: ZsetRange, window = FORWARD): FoundRange | undefined {
  const zset = open(db, key)
  return zset === undefined ? undefined : findIn(zset, range, window)
}

/** The same in a sorted set that is open. */
export function findIn(zset: ZsetRows, range: ZsetRange, window = FORWARD): FoundRange | undefined {
  return range.kind === 'rank' ? findRanks(zset, range, window.reverse) : findBounded(zset, range, window)
}

function findRanks(zset: ZsetRows, range: RankRange, reverse: boolean): FoundRange | undefined {
  const { size } = zset.metadata
  const start = Math.max(0, range.start < 0 ? range.start + size : range.start)
  const stop = Math.min(size - 1, range.stop < 0 ? range.stop + size : range.stop)
  if (start > stop) return undefined
  const count = stop - start + 1
  return { size: count, open: () => openRanks(zset, start, count, reverse) }
}

/** Ranks are found by walking, from whichever end is nearer. */
function openRanks(zset: ZsetRows, start: number, count: number, reverse: boolean): MemberCursor {
  const { size } = zset.metadata
  const all: SubkeyScan = { reverse, values: false }
  if (start <= size / 2) {
    return new MemberCursor(zset.scores.scan({ ...all, rowsExpected: start + count }), true, start, count)
  }
  using back = zset.scores.scan({ reverse: !reverse, values: false, rowsExpected: size - start })
  for (let left = size - start; left > 0 && back.next(); left--);
  const first = Buffer.from(back.key)
  return new MemberCursor(
    zset.scores.scan({
      ...all,
      rowsExpected: count,
      ...(reverse ? { to: concat(first, Buffer.of(0)) } : { from: first }),
    }),
    true,
    0,
    count,
  )
}

function findBounded(zset: ZsetRows, range: ScoreRange | MemberRange, window: RangeWindow): FoundRange | undefined {
  const bounds = boundsOf(range)
  const { reverse, offset, count } = window
  if (bounds === undefined || offset < 0 || count === 0) return undefined
  const byScore = range.kind === 'score'
  const rows = byScore ? zset.scores : zset.members
  return {
    size: undefined,
    open: (scores = true) =>
      new MemberCursor(rows.scan({ ...bounds, reverse, values: scores && !byScore }), byScore, offset, count),
  }
}

/** Undefined if nothing can lie between the bounds. */
function boundsOf(range: ScoreRange | MemberRange): SubkeyScan | undefined {
  if (range.kind === 'lex' && range.isEmpty) return undefined
  const bounds = range.kind === 'score' ? scoreBounds(range) : lexBounds(range)
  const { from = EMPTY, to } = bounds
  return to !== undefined && compare(from, to) >= 0 ? undefined : bounds
}

/** -0 and 0 are one score, with rows of their own. */
function scoreBounds({ min, minExclusive, max, maxExclusive }: ScoreRange): SubkeyScan {
  const to = maxExclusive ? scoreBytes(max === 0 ? -0 : max) : prefixEnd(scoreBytes(max === 0 ? 0 : max))
  const from = minExclusive ? prefixEnd(scoreBytes(min === 0 ? 0 : min)) : scoreBytes(min === 0 ? -0 : min)
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

/** Number of members in the range. */
export function count(db: Database, key: Bytes, range: ZsetRange): number {
  const found = find(db, key, range)
  return found === undefined ? 0 : countFound(found)
}

export function countFound(found: FoundRange): number {
  if (found.size !== undefined) return found.size
  using cursor = found.open(false)
  let counted = 0
  while (cursor.next()) counted++
  return counted
}

/** The members of the range, copied. */
export function collect(db: Database, key: Bytes, range: ZsetRange, window = FORWARD): ScoredMember[] {
  const found = find(db, key, range, window)
  if (found === undefined) return []
  const members: ScoredMember[] = []
  using cursor = found.open()
  while (cursor.next()) members.push({ member: Buffer.from(cursor.member), score: cursor.score })
  return members
}

/**
 * Removes the members of the range. Kvrocks gives no log data to a removal by rank, so that its tools that turn batches
 * into commands lose it; ours has it.
 */
export function removeRange(db: Database, key: Bytes, range: ZsetRange): Removed {
  const zset = open(db, key)
  const found = find(db, key, range)
  if (zset === undefined || found === undefined) return { removed: 0, isEmpty: false }
  const scoreFirst = range.kind === 'lex'
  let removed = 0
  db.logData(TYPE_ZSET)
  using cursor = found.open()
  while (cursor.next()) {
    const { member } = cursor
    const row = scoreKey(cursor.score, member)
    if (scoreFirst) zset.scores.delete(row)
    zset.members.delete(member)
    if (!scoreFirst) zset.scores.delete(row)
    removed++
  }
  if (removed > 0) resize(db, key, zset, -removed)
  return { removed, isEmpty: removed > 0 && zset.metadata.size === 0 }
}
