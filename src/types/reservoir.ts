/**
 * Random members of large collections. To draw one, the rows have to be walked up to it; so a walk draws many, and those
 * that are not asked for yet are kept. A kept member that is gone meanwhile is passed over, which leaves the draws what
 * they would be one by one; one that was added meanwhile is only drawn after the next walk, so what is kept grows old
 * soon.
 */

import type { Bytes } from '../bytes/bytes.js'
import type { Database } from '../storage/database.js'
import type { Subkeys } from '../storage/subkeys.js'
import type { Turn } from '../storage/turn.js'
import { type SampledRow, sampleRows } from './sample.js'

/** Below it, walking costs less than looking up what was kept. */
const SIZE_MIN = 128
const KEPT_MAX = 8192
const KEPT_BYTES_MAX = 256 * 1024
/** More than this of what is kept is never asked for at once: the walk would be due too soon again. */
const COUNT_MAX = 16
const COLLECTIONS_MAX = 16
/** For so long, and for another second each hundred thousand members, which is how the walk's time grows. */
const AGE_MS_MAX = 1000
const ELEMENTS_PER_MS = 100

/** What is kept of one collection. */
interface Reservoir {
  readonly keys: Bytes[]
  readonly filledAtMs: number
  readonly size: number
}

/** By the prefix of a collection's rows: a new life of a key has another. The one filled last stands last. */
type Reservoirs = Map<string, Reservoir>

const ofTurns = new WeakMap<Turn, Reservoirs>()

/** The same as `sampleRows` of the rows, of which there are `size`. */
export function drawRows(db: Database, rows: Subkeys, size: number, count: number, values = true): SampledRow[] {
  const open = () => rows.scan({ values })
  if (size < SIZE_MIN || count < 1 || count > COUNT_MAX) return sampleRows(size, count, open)
  const reservoirs = reservoirsOf(db.turn)
  const name = rows.prefix.latin1Slice(0)
  const kept = reservoirs.get(name)
  const isFresh = kept !== undefined && kept.keys.length >= count && isYoung(kept, size, db.nowMs)
  const reservoir = isFresh ? kept : fill(db, rows, size)
  if (!isFresh) keep(reservoirs, name, reservoir)
  const drawn: SampledRow[] = []
  while (drawn.length < count) {
    const key = reservoir.keys.pop()
    // Too few are left of those that were kept.
    if (key === undefined) return sampleRows(size, count, open)
    const value = rows.get(key)
    if (value !== undefined) drawn.push({ key, value })
  }
  return drawn
}

function isYoung({ filledAtMs, size: sizeThen }: Reservoir, size: number, nowMs: number): boolean {
  const ageMs = nowMs - filledAtMs
  return ageMs >= 0 && ageMs <= AGE_MS_MAX + sizeThen / ELEMENTS_PER_MS && size <= sizeThen
}

function fill(db: Database, rows: Subkeys, size: number): Reservoir {
  const keys: Bytes[] = []
  let bytes = 0
  for (const { key } of sampleRows(size, Math.min(KEPT_MAX, size), () => rows.scan({ values: false }))) {
    bytes += key.length
    if (bytes > KEPT_BYTES_MAX && keys.length >= COUNT_MAX) break
    keys.push(key)
  }
  return { keys, filledAtMs: db.nowMs, size }
}

function keep(reservoirs: Reservoirs, name: string, reservoir: Reservoir): void {
  reservoirs.delete(name)
  reservoirs.set(name, reservoir)
  for (const oldest of reservoirs.keys()) {
    if (reservoirs.size <= COLLECTIONS_MAX) break
    reservoirs.delete(oldest)
  }
}

function reservoirsOf(turn: Turn): Reservoirs {
  const known = ofTurns.get(turn)
  if (known !== undefined) return known
  const made: Reservoirs = new Map()
  ofTurns.set(turn, made)
  return made
}
