/** The names of RocksDB's status codes. Source: rocksdb/status.h. */
export type RocksDBErrorCode =
  | 'NotFound'
  | 'Corruption'
  | 'NotSupported'
  | 'InvalidArgument'
  | 'IOError'
  | 'MergeInProgress'
  | 'Incomplete'
  | 'ShutdownInProgress'
  | 'TimedOut'
  | 'Aborted'
  | 'Busy'
  | 'Expired'
  | 'TryAgain'
  | 'CompactionTooLarge'
  | 'ColumnFamilyDropped'
  | 'Unknown'

export type RocksDBErrorSeverity = 'none' | 'soft' | 'hard' | 'fatal' | 'unrecoverable'

/** A RocksDB status that is not OK. The message is RocksDB's own, `Status::ToString()`. */
export class RocksDBError extends Error {
  override readonly name = 'RocksDBError'

  constructor(
    readonly code: RocksDBErrorCode,
    /** For example 'NoSpace', 'MemoryLimit', 'ManualCompactionPaused'; 'None' for most. */
    readonly subcode: string,
    readonly severity: RocksDBErrorSeverity,
    /** True for a lack of space that is not fatal: after space was made, `RocksDB.resume()` can be expected to help. */
    readonly retryable: boolean,
    message: string,
  ) {
    super(message)
  }
}
