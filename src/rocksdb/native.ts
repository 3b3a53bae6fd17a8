/**
 * The addon: the only place that loads the .node file, and the types of what it exports. Arguments are positional; the
 * C++ file in native/ that has a function says in its comment how its buffers are laid out.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { RocksDBError, type RocksDBErrorCode, type RocksDBErrorSeverity } from './errors.js'
import type { NativeEvent } from './events.js'
import type { Histogram, LiveFile, TableProperties, WalFile } from './files.js'

/** Bits of the write flags. */
export const WRITE_SYNC = 1
export const WRITE_DISABLE_WAL = 2
export const WRITE_NO_SLOWDOWN = 4
export const WRITE_LOW_PRI = 8
export const WRITE_MEMTABLE_INSERT_HINT = 16

/** Bits of the iterator flags. */
export const ITERATOR_REVERSE = 1
export const ITERATOR_KEYS_ONLY = 2
export const ITERATOR_FILL_CACHE = 4
export const ITERATOR_CACHE_ONLY = 8
export const ITERATOR_ASYNC_IO = 16
export const ITERATOR_NO_WAIT = 32

/** A flat list: name, value, name, value. Names and values are RocksDB's option strings. */
export type OptionPairs = readonly string[]

/** What open() reads. See native/settings.cc. */
export interface NativeSettings {
  readonly mode: 'readWrite' | 'readOnly' | 'secondary'
  readonly secondaryPath: string
  readonly slotEncoded: boolean
  readonly reclaimBeforeMs: number
  readonly db: OptionPairs
  readonly columnFamilies: readonly NativeColumnFamily[]
  readonly statistics: boolean
  readonly blockCacheType: 'lru' | 'hcc'
  readonly blockCacheBytes: number
  readonly blockCacheHighPriRatio: number
  /** Without effect before RocksDB 7.7, which has no cache for blobs. */
  readonly cachesBlobs: boolean
  readonly blockBytes: number
  readonly rowCacheBytes: number
  /** 0 = no rate limiter. */
  readonly rateBytesPerSecond: number
  readonly rateAutoTuned: boolean
  /** 0 = no limit. */
  readonly deleteRateBytesPerSecond: number
}

export interface NativeColumnFamily {
  readonly name: string
  readonly options: OptionPairs
  readonly table: OptionPairs
  /** '' = none. */
  readonly filter: string
  /** '' = none. */
  readonly collector: string
  readonly sharesBlockCache: boolean
}

/** An open database on this thread. See native/methods.h. */
export interface NativeSession {
  bind(keyBuffer: Buffer, valueBuffer: Buffer): void
  close(): void
  liveHandles(): [iterators: number, walReaders: number, snapshots: number, jobs: number]
  read(packedTarget: number, snapshotId?: number): number
  takeValue(): Buffer
  get(packedTarget: number, snapshotId: number, key: Buffer): Buffer | undefined | null
  multiGet(packedTarget: number, snapshotId: number, keys: Buffer, count: number, asyncIo: boolean): Buffer
  write(batch: Buffer, length: number, flags: number): void
  onWritten(listener: () => void): void
  beginWrite(batch: Buffer, length: number, flags: number): void
  hasWritten(): boolean
  endWrite(): void
  onFetched(listener: () => void): void
  setFetchThreads(count: number): void
  fetch(ticket: number, cf: number, keys: Buffer, count: number): void
  fetchRange(ticket: number, cf: number, reverse: boolean, rowsMax: number, lower: Buffer, upper?: Buffer): void
  takeFetched(): number[]
  snapshot(): number
  snapshotSequence(id: number): number | undefined
  releaseSnapshot(id: number): void
  latestSequence(): number
  bindChunk(slot: number, buffer: Buffer): void
  iteratorOpen(slot: number, cf: number, flags: number, snapshotId: number, lower?: Buffer, upper?: Buffer): void
  iteratorSeek(slot: number, key: Buffer): void
  iteratorFill(slot: number, rowsMax: number): number
  iteratorClose(slot: number): void
  walOpen(sequence: number): number
  walRead(id: number, batchesMax: number, bytesMax: number): Buffer | undefined
  walClose(id: number): void
  property(cf: number, name: string): string | undefined
  intProperty(cf: number, name: string): number | undefined
  mapProperty(cf: number, name: string): Record<string, string> | undefined
  setListener(listener: ((event: NativeEvent) => void) | undefined): void
  writeAsync(batch: Buffer, length: number, flags: number): Promise<void>
  flush(cfOrAll: number, wait: boolean, allowWriteStall: boolean): Promise<void>
  compactRange(
    cf: number,
    begin: Buffer | undefined,
    end: Buffer | undefined,
    changeLevel: boolean,
    bottommost: number,
    exclusive: boolean,
  ): Promise<void>
  checkpoint(path: string, logBytesForFlush: number): Promise<{ sequence: number }>
  resume(): Promise<void>
  syncWal(): Promise<void>
  verifyChecksum(): Promise<void>
  tryCatchUpWithPrimary(): Promise<void>
  setManualCompactionsAllowed(allowed: boolean): void
  setOptions(cf: number, options: OptionPairs): void
  setDbOptions(options: OptionPairs): void
  setRateBytesPerSecond(bytes: number): void
  setDeleteRateBytesPerSecond(bytes: number): void
  setReclaimBefore(unixMs: number): void
  setSpaceBytesMax(bytes: number): void
  setBlockCacheBytes(bytes: number): void
  clearBlockCache(): void
  blockCacheUsage(): [capacity: number, used: number, pinned: number]
  ticker(name: string): number | undefined
  tickers(): Record<string, number> | undefined
  histograms(): Record<string, Histogram> | undefined
  resetStatistics(): void
  setPerfLevel(level: number): void
  perfContext(): string
  ioStats(): string
  sortedWalFiles(): WalFile[]
  liveFiles(): LiveFile[]
  liveFileNames(flushMemtable: boolean): { files: string[]; manifestBytes: number }
  tableProperties(cf: number): Promise<TableProperties[]>
  setFileDeletions(enabled: boolean): void
  approximateSizes(
    cf: number,
    ranges: readonly Buffer[],
    includeMemtables: boolean,
    includeFiles: boolean,
    errorMargin: number,
  ): number[]
  deleteFilesInRanges(cf: number, ranges: readonly Buffer[]): void
  deleteRange(cf: number, begin: Buffer, end: Buffer, flags: number): void
}

interface NativeAddon {
  readonly rocksdbVersion: string
  readonly linkage: 'system' | 'static'
  readonly asserts: boolean
  open(path: string, settings: NativeSettings): NativeSession
  attach(path: string): NativeSession
  /** Stops the threads of RocksDB and of jobs, for a process that ends. */
  stopDatabases(): void
  destroy(path: string): void
  repair(path: string, settings: NativeSettings): void
  listColumnFamilies(path: string): string[]
  setFilterClock(unixMs: number): void
  setErrorFactory(
    factory: (
      code: RocksDBErrorCode,
      subcode: string,
      severity: RocksDBErrorSeverity,
      retryable: boolean,
      message: string,
    ) => RocksDBError,
  ): void
}

export const native = load()

native.setErrorFactory(
  (code, subcode, severity, retryable, message) => new RocksDBError(code, subcode, severity, retryable, message),
)

// exit() destroys RocksDB's static objects, which its threads may still be using, and Node runs no cleanup hooks of the
// main thread before. A worker's hooks do run.
if (isMainThread) process.once('exit', () => native.stopDatabases())

function load(): NativeAddon {
  const path = join(packageRoot(), 'src/rocksdb/build/Release/rocksdb.node')
  return createRequire(import.meta.url)(path) as NativeAddon
}

/** The directory of package.json, whether this file runs from src or, compiled, from dist/src. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory)
    if (parent === directory) throw new Error(`No package.json above ${fileURLToPath(import.meta.url)}`)
    directory = parent
  }
  return directory
}
