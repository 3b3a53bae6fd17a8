/** A bitmap read as the string that Redis would show. Source: kvrocks src/types/redis_bitmap.cc, GetString. */

import type { Bytes } from '../../bytes/bytes.js'
import { err } from '../../protocol/errors.js'
import type { Database } from '../../storage/database.js'
import { rowType, TYPE_BITMAP } from '../../storage/metadata.js'
import { readAnyRow } from '../../storage/rows.js'
import { type BitSource, openBits, SEGMENT_BYTES, wholeBits } from './rows.js'

const MIB = 1024 * 1024
const TOO_LARGE = err(
  'Operation aborted: The size of the bitmap string exceeds the configuration item max-bitmap-to-string-mb',
)

/** The bytes of the bitmap at `key`; undefined if there is none. Throws where it has more than `mibMax` MiB. */
export function readBitmapAsString(db: Database, key: Bytes, mibMax: number): Bytes | undefined {
  const source = openBitmap(db, key)
  if (source === undefined) return undefined
  if (source.size > mibMax * MIB) throw TOO_LARGE
  return wholeBits(source)
}

/** How many bytes the bitmap at `key` has; undefined if there is none. */
export function bitmapSize(db: Database, key: Bytes): number | undefined {
  return openBitmap(db, key)?.size
}

/** Its bytes from `from` up to, not including, `to`. Throws where they are more than `mibMax` MiB. */
export function readBitmapRange(db: Database, key: Bytes, from: number, to: number, mibMax: number): Bytes | undefined {
  const source = openBitmap(db, key)
  if (source === undefined) return undefined
  if (to - from > mibMax * MIB) throw TOO_LARGE
  const range = Buffer.alloc(to - from)
  for (let index = Math.floor(from / SEGMENT_BYTES); index * SEGMENT_BYTES < to; index++) {
    const at = index * SEGMENT_BYTES - from
    source.segment(index)?.subarray(Math.max(0, -at)).copy(range, Math.max(0, at))
  }
  return range
}

function openBitmap(db: Database, key: Bytes): BitSource | undefined {
  const row = readAnyRow(db, key)
  return row !== undefined && rowType(row) === TYPE_BITMAP ? openBits(db, key) : undefined
}
