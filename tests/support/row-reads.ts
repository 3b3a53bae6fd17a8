/** What commands read of the rows of collections: for tests of how much they do and hold at once. */

import { Subkeys } from '../../src/storage/subkeys.js'

export interface RowReads extends Disposable {
  /** Rows that scans went over. */
  walked: number
  /** The most rows that were asked for in one read. */
  atOnceMax: number
}

/** Counts until it is disposed. */
export function countRowReads(): RowReads {
  const { scan, getMany } = Subkeys.prototype
  const reads = {
    walked: 0,
    atOnceMax: 0,
    [Symbol.dispose]: () => void Object.assign(Subkeys.prototype, { scan, getMany }),
  }
  Subkeys.prototype.scan = function (range) {
    const cursor = scan.call(this, range)
    const next = cursor.next.bind(cursor)
    cursor.next = () => {
      const isRow = next()
      if (isRow) reads.walked++
      return isRow
    }
    return cursor
  }
  Subkeys.prototype.getMany = function (subKeys) {
    reads.atOnceMax = Math.max(reads.atOnceMax, subKeys.length)
    return getMany.call(this, subKeys)
  }
  return reads
}
