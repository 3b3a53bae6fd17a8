/**
 * Points on the globe, kept in sorted sets: the score of a member is its geohash. Source: kvrocks src/types/redis_geo.cc;
 * redis src/geo.c.
 */

import { type Bytes, copy } from '../bytes/bytes.js'
import { distanceInside, distanceMeters, type GeoShape, scoreRanges } from '../bytes/geo-search.js'
import { decodeGeohash, encodeGeohash, type GeoPoint } from '../bytes/geohash.js'
import type { Database } from '../storage/database.js'
import * as zsets from './zset.js'
import { findIn } from './zset-range.js'

export interface PlacedMember extends GeoPoint {
  readonly member: Bytes
}

/** A member that a search found. */
export interface GeoMatch extends zsets.ScoredMember, GeoPoint {
  /** From the middle of the area. */
  readonly distanceMeters: number
}

export interface GeoSelection {
  /** By distance; none: in the order in which the cells of the map are looked at. */
  readonly sort: 'none' | 'nearest' | 'farthest'
  /** Members to give; 0 = all. */
  readonly count: number
  /** Ends as soon as `count` are found, whichever they are. */
  readonly any: boolean
}

/** Adds members, or moves them. Throws WRONG_TYPE, as all functions here do. */
export function add(
  db: Database,
  key: Bytes,
  members: readonly PlacedMember[],
  condition: zsets.AddCondition,
): zsets.Added {
  const pairs = members.map(({ member, longitude, latitude }) => ({
    member,
    score: encodeGeohash(longitude, latitude),
  }))
  return zsets.add(db, key, pairs, condition)
}

/** Where the members are, in the order of `members`. */
export function positions(db: Database, key: Bytes, members: readonly Bytes[]): (GeoPoint | undefined)[] {
  return zsets.scores(db, key, members).map((score) => (score === undefined ? undefined : decodeGeohash(score)))
}

/** Undefined if one of the members is absent. */
export function distanceBetween(db: Database, key: Bytes, a: Bytes, b: Bytes): number | undefined {
  const [from, to] = positions(db, key, [a, b])
  return from === undefined || to === undefined ? undefined : distanceMeters(from, to)
}

/** The members inside the area. */
export function search(db: Database, key: Bytes, area: GeoShape, { sort, count, any }: GeoSelection): GeoMatch[] {
  const enough = any && count > 0 ? count : Number.POSITIVE_INFINITY
  const matches: GeoMatch[] = []
  const zset = zsets.open(db, key)
  if (zset === undefined) return []
  for (const range of scoreRanges(area)) {
    if (matches.length >= enough) break
    collectRange(zset, area, range, enough, matches)
  }
  if (sort === 'nearest') matches.sort((a, b) => a.distanceMeters - b.distanceMeters)
  if (sort === 'farthest') matches.sort((a, b) => b.distanceMeters - a.distanceMeters)
  return count > 0 ? matches.slice(0, count) : matches
}

function collectRange(
  zset: zsets.ZsetRows,
  area: GeoShape,
  { min, max }: { min: number; max: number },
  enough: number,
  matches: GeoMatch[],
): void {
  const found = findIn(zset, { kind: 'score', min, minExclusive: false, max, maxExclusive: true })
  if (found === undefined) return
  using cursor = found.open()
  while (matches.length < enough && cursor.next()) {
    const { score } = cursor
    const point = decodeGeohash(score)
    const distanceMeters = distanceInside(area, point)
    if (distanceMeters === undefined) continue
    const { longitude, latitude } = point
    matches.push({ longitude, latitude, member: copy(cursor.member), score, distanceMeters })
  }
}

/** Puts `pairs` in the place of whatever is at `key`; none deletes it. */
export function replace(db: Database, key: Bytes, pairs: readonly zsets.ScoredMember[]): void {
  if (pairs.length > 0) zsets.replace(db, key, pairs)
  else if (zsets.exists(db, key)) db.deleteMetadata(key)
}
