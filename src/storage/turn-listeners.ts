/** Who wants to know what a turn writes. */

import type { Bytes } from '../bytes/bytes.js'
import type { Expired } from './metadata.js'

/** Called for each key that is deleted because time was over; views, valid until it returns. */
export type ExpiryListener = (namespace: Bytes, key: Bytes, part: Expired) => void

/** Told of the rows of collections in the default column family. All arguments are views, valid until the call returns. */
export interface SubkeyListener {
  /** `prefix` is what the internal keys of the collection begin with. */
  written(prefix: Bytes, subKey: Bytes): void
  deleted(prefix: Bytes, subKey: Bytes): void
  /** Rows of the collection were deleted as a range. */
  rangeDeleted(prefix: Bytes): void
  /** Another server's batch is about to be committed. */
  foreignBatch(batch: Bytes): void
  /** What was told may not be so: writes were taken back. */
  takenBack(): void
}
