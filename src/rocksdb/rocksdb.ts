/**
 * RocksDB on one thread: synchronous reads and writes, keys and values through bound buffers.
 *
 * Ownership: buffers that are passed in are borrowed until the call returns. What a call returns belongs to the caller,
 * except the views of a RowIterator and the contents of keyBuffer and valueBuffer, which the next read overwrites.
 */

import { RocksDBError } from './errors.js'
import { type NativeSession, native } from './native.js'
import { type RocksDBOptions, toNativeSettings } from './open-options.js'
import { READ_TIER_ALL, type ReadTier } from './read-tier.js'
import { ChunkSlots, type IteratorOptions, RowIterator } from './row-iterator.js'
import { Snapshot } from './snapshot.js'
import { WalIterator } from './wal-iterator.js'

const BOUND_BYTES = 64 * 1024
const ABSENT = -1

/** The version of RocksDB that is linked, such as '7.8.3'. */
export const rocksdbVersion: string = native.rocksdbVersion
/** 'system': the shared librocksdb of the machine; 'static': built into the addon. */
export const linkage: 'system' | 'static' = native.linkage

/** The place of a column family in the list that open() was given; also its id on disk. */
export type ColumnFamilyIndex = number

export interface GetOptions {
  readonly snapshot?: number
  /** With READ_TIER_BLOCK_CACHE a value that is not in memory throws RocksDBError 'Incomplete'. */
  readonly readTier?: ReadTier
}

export interface MultiGetOptions extends GetOptions {
  readonly asyncIo?: boolean
}

/** Sets the clock of compaction filters and collectors, process-wide; undefined is the system's clock. For tests. */
export function setFilterClock(unixMs: number | undefined): void {
  native.setFilterClock(unixMs ?? 0)
}

export class RocksDB {
  /** Opens or creates. Throws RocksDBError. */
  static open(path: string, options: RocksDBOptions): RocksDB {
    return new RocksDB(native.open(path, toNativeSettings(options)))
  }

  /** A second use of a database that this process has open, for another thread. Throws 'NotFound' if there is none. */
  static attach(path: string): RocksDB {
    return new RocksDB(native.attach(path))
  }

  /** Where read() takes its key from. */
  readonly keyBuffer: Buffer = Buffer.allocUnsafeSlow(BOUND_BYTES)
  /** Where read() leaves the value. */
  readonly valueBuffer: Buffer = Buffer.allocUnsafeSlow(BOUND_BYTES)
  readonly #session: NativeSession
  readonly #slots: ChunkSlots
  #packedKeys: Buffer = Buffer.allocUnsafeSlow(BOUND_BYTES)

  private constructor(session: NativeSession) {
    this.#session = session
    this.#slots = new ChunkSlots(session)
    session.bind(this.keyBuffer, this.valueBuffer)
  }

  /**
   * Looks up keyBuffer[0..keyLength). Returns the value's length, -1 if absent, -2 if not in memory (only with
   * READ_TIER_BLOCK_CACHE). The value is in valueBuffer if it fits there; a longer one waits for takeValue().
   */
  read(cf: ColumnFamilyIndex, keyLength: number, snapshotId = 0, readTier: ReadTier = READ_TIER_ALL): number {
    const target = packTarget(cf, keyLength, readTier)
    return snapshotId === 0 ? this.#session.read(target) : this.#session.read(target, snapshotId)
  }

  /** The value that the last read() found too long for valueBuffer. */
  takeValue(): Buffer {
    return this.#session.takeValue()
  }

  /** The value of a key of any length, or undefined. */
  get(cf: ColumnFamilyIndex, key: Buffer, options: GetOptions = {}): Buffer | undefined {
    const target = packTarget(cf, 0, options.readTier ?? READ_TIER_ALL)
    const value = this.#session.get(target, options.snapshot ?? 0, key)
    if (value === null) throw notInMemory()
    return value
  }

  /** The values of many keys by one call, in their order. The values share one memory block. */
  multiGet(cf: ColumnFamilyIndex, keys: readonly Buffer[], options: MultiGetOptions = {}): (Buffer | undefined)[] {
    if (keys.length === 0) return []
    const target = packTarget(cf, 0, options.readTier ?? READ_TIER_ALL)
    const packed = this.#packKeys(keys)
    const values = this.#session.multiGet(target, options.snapshot ?? 0, packed, keys.length, options.asyncIo ?? false)
    const result: (Buffer | undefined)[] = []
    let at = 0
    for (let i = 0; i < keys.length; i++) {
      const length = values.readInt32LE(at)
      at += 4
      if (length >= 0) result.push(values.subarray(at, at + length))
      else if (length === ABSENT) result.push(undefined)
      else throw notInMemory()
      at += Math.max(length, 0)
    }
    return result
  }

  #packKeys(keys: readonly Buffer[]): Buffer {
    let bytes = 0
    for (const key of keys) bytes += 4 + key.length
    if (bytes > this.#packedKeys.length) this.#packedKeys = Buffer.allocUnsafeSlow(bytes * 2)
    const packed = this.#packedKeys
    let at = 0
    for (const key of keys) {
      packed.writeUInt32LE(key.length, at)
      packed.set(key, at + 4)
      at += 4 + key.length
    }
    return packed
  }

  /** Commits the serialized WriteBatch batch[0..length). `flags`: bits WRITE_*. Throws RocksDBError. */
  write(batch: Buffer, length: number, flags: number): void {
    this.#session.write(batch, length, flags)
  }

  /** Must be closed before the database is. */
  iterator(options: IteratorOptions): RowIterator {
    return new RowIterator(this.#session, this.#slots, options)
  }

  snapshot(): Snapshot {
    return new Snapshot(this.#session)
  }

  /** The sequence of the last committed record; 0 in a database that was never written to. */
  latestSequence(): number {
    return this.#session.latestSequence()
  }

  /** The write-ahead log from the batch that contains `sequence`. Must be closed before the database is. */
  updatesSince(sequence: number): WalIterator {
    return new WalIterator(this.#session, sequence)
  }

  /** A property's text, such as 'rocksdb.stats'; undefined if RocksDB does not know it. */
  property(cf: ColumnFamilyIndex, name: string): string | undefined {
    return this.#session.property(cf, name)
  }

  intProperty(cf: ColumnFamilyIndex, name: string): number | undefined {
    return this.#session.intProperty(cf, name)
  }

  mapProperty(cf: ColumnFamilyIndex, name: string): Record<string, string> | undefined {
    return this.#session.mapProperty(cf, name)
  }

  /**
   * Closes this use of the database, and with the last one the database. Throws RocksDBError 'Busy' while iterators or
   * WAL iterators live; snapshots are released. Closing twice does nothing.
   */
  close(): void {
    const [iterators, walReaders] = this.#session.liveHandles()
    if (iterators + walReaders > 0) {
      const message = `The database has ${iterators} open iterators and ${walReaders} open WAL iterators`
      throw new RocksDBError('Busy', 'None', 'none', false, message)
    }
    this.#session.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** A read's target: bits 0-3 column family, bit 4 read tier, from bit 5 the key's length. */
function packTarget(cf: number, keyLength: number, readTier: ReadTier): number {
  return cf | (readTier << 4) | (keyLength << 5)
}

function notInMemory(): RocksDBError {
  return new RocksDBError('Incomplete', 'None', 'none', false, 'The value is not in memory')
}
