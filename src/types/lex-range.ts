/** Ranges of sub-keys in the order of their bytes: of the fields of a hash, of the members of a sorted set. */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import type { SubkeyScan } from '../storage/subkeys.js'

/** Where a range begins and ends; undefined bounds are open. */
export interface LexRange {
  readonly min: Bytes | undefined
  readonly minExclusive: boolean
  readonly max: Bytes | undefined
  readonly maxExclusive: boolean
}

/** The range as first sub-key, inclusive, and end, exclusive. */
export function lexBounds({ min, minExclusive, max, maxExclusive }: LexRange): SubkeyScan {
  const after = (bytes: Bytes): Bytes => Buffer.concat([bytes, Buffer.of(0)])
  const from = min === undefined ? EMPTY : minExclusive ? after(min) : Buffer.from(min)
  if (max === undefined) return { from }
  return { from, to: maxExclusive ? Buffer.from(max) : after(max) }
}
