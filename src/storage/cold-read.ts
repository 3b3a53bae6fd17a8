/** Reads of rows that are not in memory, by a command that is to stay there. */

import type { Bytes } from '../bytes/bytes.js'
import { RocksDBError } from '../rocksdb/errors.js'
import type { FetchRange } from '../rocksdb/rocksdb.js'
import type { ColumnFamily } from './column-family.js'

/** The command has to be run again when what it wanted has been fetched. */
export class ColdRead extends Error {
  readonly cf: ColumnFamily
  /** Keys, or the range of a scan; borrowed until the command returns. */
  readonly wanted: readonly Bytes[] | FetchRange

  constructor(cf: ColumnFamily, wanted: readonly Bytes[] | FetchRange) {
    // One is thrown for each miss, and a stack takes longer than a read.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super('rows are not in memory')
    Error.stackTraceLimit = stackTraceLimit
    this.cf = cf
    this.wanted = wanted
  }
}

/** True for the error of an iterator whose next row is not in memory. */
export function isNotInMemory(error: unknown): boolean {
  return error instanceof RocksDBError && error.code === 'Incomplete'
}
