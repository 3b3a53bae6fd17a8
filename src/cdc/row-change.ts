/** What the decoders of rows share. */

import { EMPTY } from '../bytes/bytes.js'
import type { Change } from './change.js'
import type { Row } from './operations.js'

/** A change without what all changes of a batch have in common. */
export type RowChange = Omit<Change, 'sequence' | 'batchSequence' | 'replicationId'>

/** A row that cannot be read. */
export function unknownRow(row: Row): RowChange {
  const base: RowChange = { namespace: EMPTY, type: 'none', key: row.key, op: 'unknown' }
  return row.kind === 'put' ? { ...base, value: row.value } : base
}
