/**
 * Unions, intersections and differences of sorted sets. A plain set counts as one whose scores are all 1, as in Redis.
 * Source: kvrocks src/types/redis_zset.cc, Union, Inter, Diff; redis src/t_zset.c, zunionInterDiffGenericCommand.
 */

import type { Bytes } from '../bytes/bytes.js'
import { CF_DEFAULT } from '../storage/column-family.js'
import type { Database } from '../storage/database.js'
import { rowType, TYPE_SET, TYPE_ZSET } from '../storage/metadata.js'
import type { RowCursor } from '../storage/row-cursor.js'
import { readAnyRow, readMetadata } from '../storage/rows.js'
import type { Subkeys } from '../storage/subkeys.js'
import { type ScoredMember, scoreOfRow } from './zset.js'

export type Aggregate = 'sum' | 'min' | 'max'

export interface Combination {
  readonly keys: readonly Bytes[]
  /** One for each key. */
  readonly weights: readonly number[]
  readonly aggregate: Aggregate
}

interface Source {
  readonly size: number
  readonly weight: number
  readonly rows: Subkeys
  /** The score in a row's value. */
  scoreOf(value: Bytes): number
}

function openSource(db: Database, key: Bytes, weight = 1): Source | undefined {
  const row = readAnyRow(db, key)
  const type = row !== undefined && rowType(row) === TYPE_SET ? TYPE_SET : TYPE_ZSET
  const metadata = readMetadata(db, key, type)
  if (metadata === undefined) return undefined
  const rows = db.subkeys(CF_DEFAULT, key, metadata.version)
  return { size: metadata.size, weight, rows, scoreOf: type === TYPE_SET ? () => 1 : scoreOfRow }
}

function weigh({ weight, scoreOf }: Source, value: Bytes): number {
  const weighed = scoreOf(value) * weight
  return Number.isNaN(weighed) ? 0 : weighed
}

function join(aggregate: Aggregate, a: number, b: number): number {
  if (aggregate === 'sum') return Number.isNaN(a + b) ? 0 : a + b
  // Of equal ones, -0 and 0, the first stays.
  const isBetter = aggregate === 'min' ? b < a : b > a
  return isBetter ? b : a
}

/** One source of a merge, at a row that was not yet taken. */
interface Head {
  readonly source: Source
  readonly cursor: RowCursor
  hasEnded: boolean
}

/** The members of any of the keys, in byte order; scores are joined in the order of the keys. */
export function unite(db: Database, { keys, weights, aggregate }: Combination): ScoredMember[] {
  const sources = keys.map((key, index) => openSource(db, key, weights[index]))
  const heads: Head[] = []
  try {
    for (const source of sources) {
      if (source !== undefined) heads.push({ source, cursor: source.rows.scan(), hasEnded: false })
    }
    for (const head of heads) head.hasEnded = !head.cursor.next()
    return merge(heads, aggregate)
  } finally {
    for (const { cursor } of heads) cursor.close()
  }
}

function merge(all: readonly Head[], aggregate: Aggregate): ScoredMember[] {
  const members: ScoredMember[] = []
  let heads = all.filter((head) => !head.hasEnded)
  while (heads.length > 0) {
    const member = Buffer.from(leastKey(heads))
    let score: number | undefined
    let someEnded = false
    for (const head of heads) {
      if (!head.cursor.key.equals(member)) continue
      const weighed = weigh(head.source, head.cursor.value)
      score = score === undefined ? weighed : join(aggregate, score, weighed)
      head.hasEnded = !head.cursor.next()
      someEnded ||= head.hasEnded
    }
    members.push({ member, score: score as number })
    if (someEnded) heads = heads.filter((head) => !head.hasEnded)
  }
  return members
}

function leastKey(heads: readonly Head[]): Bytes {
  let least: Bytes | undefined
  for (const { cursor } of heads) if (least === undefined || Buffer.compare(cursor.key, least) < 0) least = cursor.key
  return least as Bytes
}

/**
 * The members of all of the keys, in byte order; scores are joined in the order of the keys. `limit` > 0 ends early.
 * The smallest is walked, the others are asked.
 */
export function intersect(db: Database, { keys, weights, aggregate }: Combination, limit = 0): ScoredMember[] {
  const found = keys.map((key, index) => openSource(db, key, weights[index]))
  const sources = found.filter((source) => source !== undefined)
  const walked = sources.reduce((least, source) => (source.size < least.size ? source : least), sources[0] as Source)
  if (sources.length < found.length) return []
  const members: ScoredMember[] = []
  using cursor = walked.rows.scan()
  while (cursor.next()) {
    const member = Buffer.from(cursor.key)
    let score: number | undefined
    const isInAll = sources.every((source) => {
      const value = source === walked ? cursor.value : source.rows.get(member)
      if (value === undefined) return false
      const weighed = weigh(source, value)
      score = score === undefined ? weighed : join(aggregate, score, weighed)
      return true
    })
    if (!isInAll) continue
    members.push({ member, score: score as number })
    if (members.length === limit) break
  }
  return members
}

/** The members of the first key that are in none of the others, in order of score. */
export function subtract(db: Database, keys: readonly Bytes[]): ScoredMember[] {
  const [first, ...others] = keys.map((key) => openSource(db, key))
  if (first === undefined) return []
  const members: ScoredMember[] = []
  using cursor = first.rows.scan()
  while (cursor.next()) {
    const member = Buffer.from(cursor.key)
    if (others.some((other) => other?.rows.has(member))) continue
    members.push({ member, score: first.scoreOf(cursor.value) })
  }
  return sortByScore(members)
}

/** Sorts members in byte order by score; equal scores stay in byte order. */
export function sortByScore(members: ScoredMember[]): ScoredMember[] {
  return members.sort((a, b) => (a.score < b.score ? -1 : a.score > b.score ? 1 : 0))
}
