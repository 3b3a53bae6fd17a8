/**
 * RocksDB on one thread: synchronous reads and writes, keys and values through bound buffers.
 *
 * Ownership: buffers that are passed in are borrowed until the call returns. What a call returns belongs to the caller,
 * except the views of a RowIterator and the contents of keyBuffer and valueBuffer, which the next read overwrites.
 */

import { RocksDBError } from './errors.js'
import { type RocksDBEvent, toEvent } from './events.js'
import type { Histogram, LiveFile, TableProperties, WalFile } from './files.js'
import { type NativeSession, native } from './native.js'
import { type OptionRecord, type RocksDBOptions, toNativeSettings, toPairs } from './open-options.js'
import type { PerfLevel } from './perf-level.js'
import { READ_TIER_ALL, type ReadTier } from './read-tier.js'
import { ChunkSlots, type IteratorOptions, RowIterator } from './row-iterator.js'
import { Snapshot } from './snapshot.js'
import { WalIterator } from './wal-iterator.js'

const BOUND_BYTES = 64 * 1024
const ABSENT = -1
const UINT32_MAX = 2 ** 32 - 1
// In the order of rocksdb/options.h, BottommostLevelCompaction.
const BOTTOMMOST = ['skip', 'ifFilter', 'force', 'forceOptimized'] as const

/** The version of RocksDB that is linked, such as '7.8.3'. */
export const rocksdbVersion: string = native.rocksdbVersion
/** 'system': the shared librocksdb of the machine; 'static': built into the addon. */
export const linkage: 'system' | 'static' = native.linkage
/** Whether RocksDB was compiled with assertions, as Debian's is: its reads and writes then take nearly twice as long. */
export const asserts: boolean = native.asserts

/** The place of a column family in the list that open() was given; also its id on disk. */
export type ColumnFamilyIndex = number

export interface GetOptions {
  readonly snapshot?: number
  /** With another than READ_TIER_ALL a value that is not in memory throws RocksDBError 'Incomplete'. */
  readonly readTier?: ReadTier
}

/** [begin, end) */
export type KeyRange = readonly [begin: Buffer, end: Buffer]

export interface FlushOptions {
  /** Default true: the promise resolves when the files are written. */
  readonly wait?: boolean
  /** Default false: the flush waits until it does not stall writes. */
  readonly allowWriteStall?: boolean
}

export interface CompactOptions {
  /** Default: the first key. */
  readonly begin?: Buffer | undefined
  /** Inclusive; default: the last key. */
  readonly end?: Buffer | undefined
  /** Moves the result to the lowest level that can hold it. */
  readonly changeLevel?: boolean
  /** What happens to the files of the last level: default 'ifFilter', recompacted where the family has a filter. */
  readonly bottommost?: (typeof BOTTOMMOST)[number]
  /** No automatic compaction runs meanwhile. */
  readonly exclusive?: boolean
}

export interface SizeOptions {
  /** Default true. */
  readonly includeMemtables?: boolean
  /** Default true. */
  readonly includeFiles?: boolean
  /** The error that may be taken for speed, as a share; default: none. */
  readonly errorMargin?: number
}

/** The rows of [lower, upper) that a scan meets first. */
export interface FetchRange {
  readonly lower: Buffer
  /** Undefined: to the last key. */
  readonly upper: Buffer | undefined
  readonly reverse: boolean
  readonly rowsMax: number
}

export interface MultiGetOptions extends GetOptions {
  readonly asyncIo?: boolean
}

/** Deletes the files of a database that is not open; nothing happens where there is none. */
export function destroyDatabase(path: string): void {
  native.destroy(path)
}

/** Salvages what can be read of a database that does not open. Loses what cannot. */
export function repairDatabase(path: string, options: RocksDBOptions): void {
  native.repair(path, toNativeSettings(options))
}

/** The names of a database's column families in the order of their ids. */
export function listColumnFamilies(path: string): string[] {
  return native.listColumnFamilies(path)
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

  /** Opens what exists; writes throw 'NotSupported'. Sees what was committed when it was opened. */
  static openReadOnly(path: string, options: RocksDBOptions): RocksDB {
    return new RocksDB(native.open(path, toNativeSettings(options, 'readOnly')))
  }

  /**
   * Follows a database that another process has open, without disturbing it: see tryCatchUpWithPrimary().
   * `secondaryPath`: a directory for the secondary's own logs.
   */
  static openAsSecondary(path: string, secondaryPath: string, options: RocksDBOptions): RocksDB {
    return new RocksDB(native.open(path, toNativeSettings(options, 'secondary', secondaryPath)))
  }

  /** A second use of a database that this process has open, for another thread. Throws 'NotFound' if there is none. */
  static attach(path: string): RocksDB {
    return new RocksDB(native.attach(path))
  }

  /** Where read() takes its key from. */
  readonly keyBuffer: Buffer = Buffer.allocUnsafeSlow(BOUND_BYTES)
  /** Where read() leaves the value. */
  readonly valueBuffer: Buffer = Buffer.allocUnsafeSlow(BOUND_BYTES)
  /** Called after each write that `beginWrite` began, also when `endWrite` has waited for it. */
  writtenListener: (() => void) | undefined
  #session: NativeSession
  #slots: ChunkSlots
  #isOpen = true
  readonly #pending = new Set<Promise<unknown>>()
  #checkpoints = 0
  #packedKeys: Buffer = Buffer.allocUnsafeSlow(BOUND_BYTES)
  /** What is to be called when the fetch of a ticket has ended. */
  readonly #fetches = new Map<number, () => void>()
  #lastTicket = 0
  #fetchThreads = 1

  private constructor(session: NativeSession) {
    this.#session = session
    this.#slots = new ChunkSlots(session)
    this.#bind()
  }

  #bind(): void {
    this.#session.bind(this.keyBuffer, this.valueBuffer)
    // The session must not keep a forgotten database alive.
    const self = new WeakRef(this)
    this.#session.onWritten(() => self.deref()?.writtenListener?.())
    this.#session.onFetched(() => {
      const database = self.deref()
      if (database !== undefined) database.#takeFetched()
    })
    this.#session.setFetchThreads(this.#fetchThreads)
  }

  /** False between close() and reopen(). */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /**
   * After close(): the same object is the use of what stands at `path` now. Rates, listener and options that were set on
   * the open database are those of `options` again. Throws RocksDBError, and then it stays closed.
   */
  reopen(path: string, options: RocksDBOptions): void {
    this.#session = native.open(path, toNativeSettings(options))
    this.#slots = new ChunkSlots(this.#session)
    this.#bind()
    this.#isOpen = true
  }

  /**
   * Looks up keyBuffer[0..keyLength). Returns the value's length, -1 if absent, -2 if not in memory (never with
   * READ_TIER_ALL). The value is in valueBuffer if it fits there; a longer one waits for takeValue().
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
    const missing: Buffer[] = []
    const values = this.#multiGet(cf, keys, options, missing)
    if (missing.length > 0) throw notInMemory()
    return values
  }

  /** The same as far as `readTier` allows: a value that is not there is undefined, and its key is added to `missing`. */
  multiGetWithin(
    readTier: ReadTier,
    cf: ColumnFamilyIndex,
    keys: readonly Buffer[],
    missing: Buffer[],
  ): (Buffer | undefined)[] {
    return this.#multiGet(cf, keys, { readTier }, missing)
  }

  #multiGet(
    cf: ColumnFamilyIndex,
    keys: readonly Buffer[],
    options: MultiGetOptions,
    missing: Buffer[],
  ): (Buffer | undefined)[] {
    if (keys.length === 0) return []
    const target = packTarget(cf, 0, options.readTier ?? READ_TIER_ALL)
    const packed = this.#packKeys(keys)
    const values = this.#session.multiGet(target, options.snapshot ?? 0, packed, keys.length, options.asyncIo ?? false)
    let at = 0
    return keys.map((key) => {
      const length = values.readInt32LE(at)
      at += 4 + Math.max(length, 0)
      if (length >= 0) return values.subarray(at - length, at)
      if (length !== ABSENT) missing.push(key)
      return undefined
    })
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

  /**
   * Begins write() on a thread of its own; the batch is copied. One at a time: `endWrite` has to be called before the
   * next. `writtenListener` is called when it is done.
   */
  beginWrite(batch: Buffer, length: number, flags: number): void {
    this.#session.beginWrite(batch, length, flags)
  }

  /** True if no write that was begun is under way. */
  hasWritten(): boolean {
    return this.#session.hasWritten()
  }

  /** Waits for the write that was begun, if there is one. Throws RocksDBError if it failed. */
  endWrite(): void {
    this.#session.endWrite()
  }

  /** How many threads fetch rows. */
  setFetchThreads(count: number): void {
    this.#fetchThreads = count
    this.#session.setFetchThreads(count)
  }

  /**
   * Reads rows into the block cache on other threads. `done` is called on a later turn, whatever came of it: who reads
   * them then learns that. It is not called once the database is closed.
   */
  fetch(cf: ColumnFamilyIndex, keys: readonly Buffer[], done: () => void): void {
    this.#session.fetch(this.#newTicket(done), cf, this.#packKeys(keys), keys.length)
  }

  /** The same for the rows that a scan will meet. */
  fetchRange(cf: ColumnFamilyIndex, { lower, upper, reverse, rowsMax }: FetchRange, done: () => void): void {
    this.#session.fetchRange(this.#newTicket(done), cf, reverse, Math.min(rowsMax, UINT32_MAX), lower, upper)
  }

  #newTicket(done: () => void): number {
    this.#lastTicket = (this.#lastTicket + 1) >>> 0
    this.#fetches.set(this.#lastTicket, done)
    return this.#lastTicket
  }

  #takeFetched(): void {
    for (const ticket of this.#session.takeFetched()) {
      const done = this.#fetches.get(ticket)
      this.#fetches.delete(ticket)
      done?.()
    }
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

  /** Like write(), on another thread. The batch is copied at once. Several at a time are committed in any order. */
  writeAsync(batch: Buffer, length: number, flags: number): Promise<void> {
    return this.#track(this.#session.writeAsync(batch, length, flags))
  }

  /** Removes all keys of [begin, end) by one record. */
  deleteRange(cf: ColumnFamilyIndex, begin: Buffer, end: Buffer, flags = 0): void {
    this.#session.deleteRange(cf, begin, end, flags)
  }

  /** Writes memtables to files: one family's, or all. */
  flush(cf?: ColumnFamilyIndex, options: FlushOptions = {}): Promise<void> {
    return this.#track(this.#session.flush(cf ?? -1, options.wait ?? true, options.allowWriteStall ?? false))
  }

  /** Compacts [begin, end] of a family, or all of it. Rejects with 'Incomplete' after cancelCompactions(). */
  compactRange(cf: ColumnFamilyIndex, options: CompactOptions = {}): Promise<void> {
    const { begin, end, changeLevel = false, bottommost = 'ifFilter', exclusive = false } = options
    return this.#track(
      this.#session.compactRange(cf, begin, end, changeLevel, BOTTOMMOST.indexOf(bottommost), exclusive),
    )
  }

  /** Ends running manual compactions, and refuses new ones until allowCompactions() was called as often. */
  cancelCompactions(): void {
    this.#session.setManualCompactionsAllowed(false)
  }

  allowCompactions(): void {
    this.#session.setManualCompactionsAllowed(true)
  }

  /**
   * Makes an openable copy of the database in `path`, which must not exist, by hard links where the file system allows.
   * Memtables are flushed if the log holds `logBytesForFlush` or more; otherwise the log is copied. Resolves to the
   * sequence up to which the copy certainly reaches.
   */
  checkpoint(path: string, logBytesForFlush = 0): Promise<{ sequence: number }> {
    const made = this.#track(this.#session.checkpoint(path, logBytesForFlush))
    const ended = (): void => void this.#checkpoints--
    this.#checkpoints++
    made.then(ended, ended)
    return made
  }

  /** True while checkpoint() works: it fails if a file of the log vanishes under its eyes. */
  get isCheckpointing(): boolean {
    return this.#checkpoints > 0
  }

  /**
   * Tries to leave the read-only state after a background error that is not fatal, by writing out the memtables. After a
   * lack of space RocksDB does not do so by itself.
   */
  resume(): Promise<void> {
    return this.#track(this.#session.resume())
  }

  /** Makes everything that was written without WRITE_SYNC durable. */
  syncWal(): Promise<void> {
    return this.#track(this.#session.syncWal())
  }

  /** Reads every block of every file; rejects with 'Corruption' at the first bad one. */
  verifyChecksum(): Promise<void> {
    return this.#track(this.#session.verifyChecksum())
  }

  /** Brings a secondary up to what its primary has written. */
  tryCatchUpWithPrimary(): Promise<void> {
    return this.#track(this.#session.tryCatchUpWithPrimary())
  }

  /** Changes options of one family by RocksDB's names. Throws 'InvalidArgument' for one that cannot change. */
  setOptions(cf: ColumnFamilyIndex, options: OptionRecord): void {
    this.#session.setOptions(cf, toPairs(options))
  }

  /** Changes options of the whole database by RocksDB's names. */
  setDBOptions(options: OptionRecord): void {
    this.#session.setDbOptions(toPairs(options))
  }

  /** How many bytes a second flushes and compactions may write. */
  setRateBytesPerSecond(bytes: number): void {
    this.#session.setRateBytesPerSecond(bytes)
  }

  /** How many bytes a second of table files are deleted; 0 = no limit. Until then they stay, their names end in .trash. */
  setDeleteRateBytesPerSecond(bytes: number): void {
    this.#session.setDeleteRateBytesPerSecond(bytes)
  }

  /**
   * Compactions drop what has expired before `unixMs` and before now; later rows they keep, and what belongs to them, for
   * the sake of whoever has still to tell of their end. Not those that are merely empty. Until then it is as open() said.
   */
  setReclaimBefore(unixMs: number): void {
    this.#session.setReclaimBefore(unixMs)
  }

  /** How much all SST files may take; 0 = no limit. Beyond it flushes fail, with a retryable background error. */
  setSpaceBytesMax(bytes: number): void {
    this.#session.setSpaceBytesMax(bytes)
  }

  setBlockCacheBytes(bytes: number): void {
    this.#session.setBlockCacheBytes(bytes)
  }

  /** Drops everything from the shared block cache that is not in use at the moment. */
  clearBlockCache(): void {
    this.#session.clearBlockCache()
  }

  /** Of the shared block cache, in bytes. */
  blockCacheUsage(): { capacity: number; used: number; pinned: number } {
    const [capacity, used, pinned] = this.#session.blockCacheUsage()
    return { capacity, used, pinned }
  }

  /** The counter 'rocksdb.block.cache.hit' and its like; undefined if there is none, or no statistics. */
  ticker(name: string): number | undefined {
    return this.#session.ticker(name)
  }

  /** All counters by name; empty without statistics. */
  tickers(): Record<string, number> {
    return this.#session.tickers() ?? {}
  }

  /** All histograms by name; empty without statistics. */
  histograms(): Record<string, Histogram> {
    return this.#session.histograms() ?? {}
  }

  resetStatistics(): void {
    this.#session.resetStatistics()
  }

  /** The files of the write-ahead log, oldest first, archived ones included. */
  sortedWalFiles(): WalFile[] {
    return this.#session.sortedWalFiles()
  }

  /** All SST files. */
  liveFiles(): LiveFile[] {
    return this.#session.liveFiles()
  }

  /** The names of all files that make up the database, and how much of the manifest belongs to it. */
  liveFileNames(flushMemtable = false): { files: string[]; manifestBytes: number } {
    return this.#session.liveFileNames(flushMemtable)
  }

  /** The property blocks of a family's SST files by file name; reads from disk what is not in memory. */
  tableProperties(cf: ColumnFamilyIndex): Promise<TableProperties[]> {
    return this.#track(this.#session.tableProperties(cf))
  }

  /** Keeps obsolete files until enableFileDeletions() was called as often. */
  disableFileDeletions(): void {
    this.#session.setFileDeletions(false)
  }

  enableFileDeletions(): void {
    this.#session.setFileDeletions(true)
  }

  /** About how many bytes each range [begin, end) takes. */
  approximateSizes(cf: ColumnFamilyIndex, ranges: readonly KeyRange[], options: SizeOptions = {}): number[] {
    const { includeMemtables = true, includeFiles = true, errorMargin = -1 } = options
    return this.#session.approximateSizes(cf, ranges.flat(), includeMemtables, includeFiles, errorMargin)
  }

  /** Drops the files that lie wholly within a range [begin, end); older versions of their keys may reappear. */
  deleteFilesInRanges(cf: ColumnFamilyIndex, ranges: readonly KeyRange[]): void {
    this.#session.deleteFilesInRanges(cf, ranges.flat())
  }

  /** The one listener of this use of the database; called on a later turn. It does not keep the process alive. */
  setListener(listener: ((event: RocksDBEvent) => void) | undefined): void {
    this.#session.setListener(listener && ((event) => listener(toEvent(event))))
  }

  /** What RocksDB counts for this thread from now on; PERF_DISABLE ends it. */
  setPerfLevel(level: PerfLevel): void {
    this.#session.setPerfLevel(level)
  }

  /** The counters since setPerfLevel() that are not zero, as RocksDB's text: 'name = value, …'. */
  perfContext(): string {
    return this.#session.perfContext()
  }

  ioStats(): string {
    return this.#session.ioStats()
  }

  /**
   * Closes this use of the database, and with the last one the database. Throws RocksDBError 'Busy' while iterators, WAL
   * iterators or promises are pending; snapshots are released. `force` closes iterators too, and leaves only promises in
   * the way: see closeWhenIdle(). Closing twice does nothing.
   */
  close({ force = false }: { readonly force?: boolean } = {}): void {
    const [iterators, walReaders, , jobs] = this.#session.liveHandles()
    if ((iterators + walReaders > 0 && !force) || jobs > 0) {
      const what = `${iterators} open iterators, ${walReaders} open WAL iterators, ${jobs} pending promises`
      throw new RocksDBError('Busy', 'None', 'none', false, `Busy: The database has ${what}`)
    }
    this.#session.close()
    this.#fetches.clear()
    this.#isOpen = false
  }

  /** Ends manual compactions, waits for what else is pending, and closes by force. Starts nothing new meanwhile. */
  async closeWhenIdle(): Promise<void> {
    if (this.#pending.size > 0) {
      this.cancelCompactions()
      await Promise.allSettled(this.#pending)
      this.allowCompactions()
    }
    this.close({ force: true })
  }

  #track<Result>(promise: Promise<Result>): Promise<Result> {
    this.#pending.add(promise)
    const forget = () => this.#pending.delete(promise)
    promise.then(forget, forget)
    return promise
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** A read's target: bits 0-3 column family, bits 4-5 read tier, from bit 6 the key's length. */
function packTarget(cf: number, keyLength: number, readTier: ReadTier): number {
  return cf | (readTier << 4) | (keyLength << 6)
}

function notInMemory(): RocksDBError {
  return new RocksDBError('Incomplete', 'None', 'none', false, 'Result incomplete: The value is not in memory')
}
