/** What RocksDB tells about its files. */

/** One file of the write-ahead log. */
export interface WalFile {
  /** Relative to the database's directory, with a leading slash. */
  readonly path: string
  readonly logNumber: number
  /** No longer needed for recovery; kept for readers of the log. */
  readonly archived: boolean
  readonly startSequence: number
  readonly bytes: number
}

/** One SST file. */
export interface LiveFile {
  /** With a leading slash. */
  readonly name: string
  readonly columnFamily: string
  readonly level: number
  readonly bytes: number
  readonly entries: number
  readonly deletions: number
  readonly smallestKey: Buffer
  readonly largestKey: Buffer
  readonly smallestSequence: number
  readonly largestSequence: number
  /** Unix time in seconds. */
  readonly creationTime: number
  readonly beingCompacted: boolean
}

/** The property block of one SST file. */
export interface TableProperties {
  /** Absolute path. */
  readonly file: string
  readonly columnFamily: string
  readonly entries: number
  readonly deletions: number
  readonly dataBytes: number
  readonly rawKeyBytes: number
  readonly rawValueBytes: number
  /** Unix time in seconds of the oldest data in it; 0 = unknown. */
  readonly creationTime: number
  readonly fileCreationTime: number
  /** What collectors counted: total_keys and deleted_keys as decimal text, start_key and stop_key. */
  readonly user: Readonly<Record<string, Buffer>>
}

export interface Histogram {
  readonly median: number
  readonly p95: number
  readonly p99: number
  readonly average: number
  readonly standardDeviation: number
  readonly max: number
  readonly min: number
  readonly count: number
  readonly sum: number
}
