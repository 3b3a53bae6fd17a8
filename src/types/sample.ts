/** Random elements of a collection whose rows can be walked in order. Source: redis src/t_hash.c, hrandfieldWithCountCommand. */

import type { Bytes } from '../bytes/bytes.js'
import type { RowWalk } from '../storage/row-cursor.js'

export interface SampledRow {
  readonly key: Bytes
  readonly value: Bytes
}

/**
 * `count` > 0: so many different rows, or all; < 0: -`count` rows, each drawn from all. In random order.
 * Walks the rows once, up to the last that was drawn; each is copied.
 */
export function sampleRows(size: number, count: number, open: () => RowWalk): SampledRow[] {
  if (size === 0 || count === 0) return []
  const wanted = count < 0 ? drawWithRepeats(size, -count) : drawDistinct(size, Math.min(count, size))
  const rows = new Map<number, SampledRow>()
  const last = wanted.reduce((max, index) => Math.max(max, index), 0)
  const isWanted = new Set(wanted)
  using cursor = open()
  for (let index = 0; index <= last && cursor.next(); index++) {
    if (isWanted.has(index)) rows.set(index, { key: Buffer.from(cursor.key), value: Buffer.from(cursor.value) })
  }
  return wanted.flatMap((index) => rows.get(index) ?? [])
}

function drawWithRepeats(size: number, count: number): number[] {
  return Array.from({ length: count }, () => randomBelow(size))
}

/** Floyd's way: no list of all indexes is made. */
function drawDistinct(size: number, count: number): number[] {
  const drawn = new Set<number>()
  for (let bound = size - count; bound < size; bound++) {
    const index = randomBelow(bound + 1)
    drawn.add(drawn.has(index) ? bound : index)
  }
  return shuffled([...drawn])
}

function shuffled(items: number[]): number[] {
  for (let at = items.length - 1; at > 0; at--) {
    const other = randomBelow(at + 1)
    const item = items[at] as number
    items[at] = items[other] as number
    items[other] = item
  }
  return items
}

/** A random integer from 0 to below `bound`. */
export function randomBelow(bound: number): number {
  return Math.floor(Math.random() * bound)
}
