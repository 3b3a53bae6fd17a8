/** A bitmap read as the string that Redis would show. Source: kvrocks src/types/redis_bitmap.cc, GetString. */

import type { Bytes } from '../../bytes/bytes.js'
import { err } from '../../protocol/errors.js'
import type { Database } from '../../storage/database.js'
import { rowType, TYPE_BITMAP } from '../../storage/metadata.js'
import { readAnyRow } from '../../storage/rows.js'
import { openBits, wholeBits } from './rows.js'

const MIB = 1024 * 1024
const TOO_LARGE = err(
  'Operation aborted: The size of the bitmap string exceeds the configuration item max-bitmap-to-string-mb',
)

/** The bytes of the bitmap at `key`; undefined if there is none. Throws where it has more than `mibMax` MiB. */
export function readBitmapAsString(db: Database, key: Bytes, mibMax: number): Bytes | undefined {
  const row = readAnyRow(db, key)
  if (row === undefined || rowType(row) !== TYPE_BITMAP) return undefined
  const source = openBits(db, key)
  if (source === undefined) return undefined
  if (source.size > mibMax * MIB) throw TOO_LARGE
  return wholeBits(source)
}
