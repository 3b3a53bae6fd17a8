/**
 * Rows as RocksDB has them, without what the turn has written. While `staysInMemory`, a read that would go to the disk
 * throws a ColdRead instead: whoever runs the command lets other threads fetch the rows, and runs it once more.
 */

import { type Bytes, copyPart, EMPTY } from '../bytes/bytes.js'
import { READ_TIER_ALL, READ_TIER_BLOCK_CACHE, READ_TIER_PAGE_CACHE, type ReadTier } from '../rocksdb/read-tier.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import type { RowIterator } from '../rocksdb/row-iterator.js'
import { ColdRead } from './cold-read.js'
import type { ColumnFamily } from './column-family.js'
import type { RowCache } from './row-cache.js'
import type { ScanRange } from './row-cursor.js'

/** Longer scans read from the disk, for what they find would drive out all else. */
const ROWS_IN_MEMORY_MAX = 1000
const NOT_IN_MEMORY = -2

export class StoredRows {
  /** Reads of single rows do not go to the disk. */
  staysInMemory = false
  /** Nor do scans: not of a command that may write, for a scan that it begins before its first write goes on after it. */
  scansStayInMemory = false
  /**
   * What counts as memory. The page cache does where the system can tell: to fetch from there what the block cache lacks
   * would cost twice the CPU of reading it at once (a GET of random keys 72 µs instead of 34).
   */
  memoryTier: ReadTier = process.platform === 'linux' ? READ_TIER_PAGE_CACHE : READ_TIER_BLOCK_CACHE
  readonly #rocks: RocksDB
  /** Reads see the database as it was at this snapshot; 0 = as it is. */
  readonly #snapshotId: number
  readonly #reads: { readonly snapshot: number }

  constructor(rocks: RocksDB, snapshotId: number) {
    this.#rocks = rocks
    this.#snapshotId = snapshotId
    this.#reads = { snapshot: snapshotId }
  }

  /** Reads the row of key[0..keyLength), and lets `rows` keep it. `key`: RocksDB's bound buffer, or a larger one. */
  read(cf: ColumnFamily, key: Buffer, keyLength: number, rows: RowCache | undefined): Buffer | undefined {
    const rocks = this.#rocks
    if (key !== rocks.keyBuffer) return rocks.get(cf, key.subarray(0, keyLength), this.#reads)
    const tier = this.staysInMemory ? this.memoryTier : READ_TIER_ALL
    const length = rocks.read(cf, keyLength, this.#snapshotId, tier)
    if (length === NOT_IN_MEMORY) throw new ColdRead(cf, [Buffer.from(key.subarray(0, keyLength))])
    if (length > rocks.valueBuffer.length) return rocks.takeValue()
    rows?.learn(keyLength, rocks.valueBuffer, length)
    if (length < 0) return undefined
    if (length === 0) return EMPTY
    return copyPart(rocks.valueBuffer, 0, length)
  }

  /**
   * Reads rows by whole keys, in one call. That is all that MultiGet is good for: of rows in the block cache, 16 by one
   * MultiGet take 0.96 of the time of 16 reads, 64 take 0.91, so the reads of a turn are not gathered for one; its
   * async_io, without io_uring in RocksDB, takes 1.03.
   */
  readMany(cf: ColumnFamily, keys: readonly Bytes[]): (Buffer | undefined)[] {
    if (!this.staysInMemory) return this.#rocks.multiGet(cf, keys, this.#reads)
    const missing: Bytes[] = []
    const rows = this.#rocks.multiGetWithin(this.memoryTier, cf, keys, missing)
    if (missing.length > 0) throw new ColdRead(cf, missing)
    return rows
  }

  iterate(cf: ColumnFamily, range: ScanRange): RowIterator {
    const { lower, upper, reverse = false, values = true, fillCache = true, rowsExpected } = range
    const staysInMemory = this.staysInMemory && this.scansStayInMemory && (rowsExpected ?? 0) <= ROWS_IN_MEMORY_MAX
    return this.#rocks.iterator({
      cf,
      lower,
      ...(upper === undefined ? {} : { upper }),
      reverse,
      keysOnly: !values,
      // What reads a snapshot reads all of it, once.
      fillCache: fillCache && this.#snapshotId === 0,
      snapshot: this.#snapshotId,
      ...(rowsExpected === undefined ? {} : { rowsExpected }),
      ...(staysInMemory ? { readTier: this.memoryTier } : {}),
    })
  }
}
