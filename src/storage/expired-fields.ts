/**
 * Keys and fields of hashes whose time is over are deleted as operations of their own, which the feed tells from other
 * deletions by their log data. Only fields that are committed are looked for: what the turn has written cannot have
 * expired in it.
 */

import { type Bytes, copy } from '../bytes/bytes.js'
import { CF_DEFAULT, CF_METADATA } from './column-family.js'
import { prefixEnd } from './keys.js'
import { EXPIRE_LOG_DATA, FIELDS_EXPIRED_LOG_DATA } from './log-data.js'
import { fieldExpireMs } from './metadata.js'
import type { Turn } from './turn.js'

export interface FieldRange {
  /** What the internal keys of the hash begin with. */
  readonly prefix: Bytes
  /** The first field; empty: from the first of all. */
  readonly from: Bytes
  readonly rowsMax: number
}

export interface DroppedFields {
  readonly count: number
  /** Fields of the range that are left, and those of them that never expire, as far as they are committed. */
  readonly left: number
  readonly persistent: number
  /** When the first of the fields expires that are left; infinite if none does. */
  readonly earliestMs: number
  /** Where to go on; undefined at the end of the hash. */
  readonly next: Bytes | undefined
}

/** Deletes the metadata row at the composed key of the turn. */
export function deleteExpired(turn: Turn, keyLength: number): void {
  turn.aside(EXPIRE_LOG_DATA, () => turn.delete(CF_METADATA, keyLength))
}

/** Deletes the fields of a range that are expired at `nowMs`, of a hash whose values begin with their expiry. */
export function dropExpiredFields(turn: Turn, { prefix, from, rowsMax }: FieldRange, nowMs: number): DroppedFields {
  const lower = Buffer.concat([prefix, from])
  const expired: Bytes[] = []
  let earliestMs = Number.POSITIVE_INFINITY
  let persistent = 0
  let left = 0
  let next: Bytes | undefined
  using rows = turn.committedRows(CF_DEFAULT, lower, prefixEnd(prefix))
  for (let count = 0; rows.next(); count++) {
    if (count === rowsMax) {
      next = copy(rows.key.subarray(prefix.length))
      break
    }
    const expireMs = fieldExpireMs(rows.value)
    if (expireMs !== 0 && expireMs < nowMs) {
      expired.push(copy(rows.key.subarray(prefix.length)))
      continue
    }
    left++
    if (expireMs === 0) persistent++
    else earliestMs = Math.min(earliestMs, expireMs)
  }
  return { count: dropFields(turn, prefix, expired, nowMs), left, persistent, earliestMs, next }
}

/** Deletes those of `fields` that are expired, which the turn may have written or deleted since. Returns how many were. */
function dropFields(turn: Turn, prefix: Bytes, fields: readonly Bytes[], nowMs: number): number {
  let count = 0
  turn.aside(FIELDS_EXPIRED_LOG_DATA, () => {
    for (const field of fields) {
      const row = turn.read(CF_DEFAULT, turn.compose(prefix, field))
      const expireMs = row === undefined ? 0 : fieldExpireMs(row)
      if (expireMs === 0 || expireMs >= nowMs) continue
      turn.delete(CF_DEFAULT, turn.compose(prefix, field))
      turn.subkeyListener?.deleted(prefix, field)
      count++
    }
  })
  return count
}
