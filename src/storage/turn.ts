/**
 * The writes of one turn of the event loop: one batch, committed by one write of RocksDB, and what later commands of the
 * turn see of it. Whoever runs commands calls `commit` before any reply of the turn leaves the process.
 */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import type { ReadTier } from '../rocksdb/read-tier.js'
import type { RocksDB } from '../rocksdb/rocksdb.js'
import { CF_ZSET_SCORE, COLUMN_FAMILY_NAMES, type ColumnFamily } from './column-family.js'
import { Derived } from './derived.js'
import { EmptyGaps } from './empty-gaps.js'
import { ExpiryHorizon } from './expiry-horizon.js'
import { HistoryMark } from './history-mark.js'
import { TYPE_LOG_DATA } from './log-data.js'
import { Overlay } from './overlay.js'
import { isCachedFamily, RowCache, type RowCacheStats } from './row-cache.js'
import { type FirstRowListener, RowCursor, type ScanRange } from './row-cursor.js'
import { StoredRows } from './stored-rows.js'
import { TouchedKeys } from './touched-keys.js'
import type { ExpiryListener, SubkeyListener } from './turn-listeners.js'
import { WaitingBatches } from './waiting-batches.js'
import { BATCH_HEADER_BYTES, readRecords, type Savepoint, WriteBatch } from './write-batch.js'

/** RocksDB refused a commit: nothing of it is stored. */
export class CommitError extends Error {
  constructor(override readonly cause: Error) {
    super(`commit failed: ${cause.message}`)
  }
}

/** A scan over this many touched rows commits first, so that merging stays cheap. */
const MERGED_ROWS_MAX = 256
const NONE = -1
/** What follows is no part of the operation before. */
const END_LOG_DATA = TYPE_LOG_DATA[0] as Buffer
const EMPTY_BATCH = { length: BATCH_HEADER_BYTES, count: 0 }

export class Turn {
  /** Unix milliseconds, the same for all commands of a turn. */
  nowMs = 0
  /** Told of keys that commands find expired and delete. */
  expiryListener: ExpiryListener | undefined
  subkeyListener: SubkeyListener | undefined
  /** Called with the latest sequence after each commit, before its replies leave. They must not write. */
  readonly commitListeners = new Set<(sequence: number) => void>()
  /** Of use-rsid-psync: which history the batches are of. */
  readonly mark = new HistoryMark()
  /** A batch of fewer records is committed where it stands: another thread would cost more than it saves. */
  flyingRecordsMin = 64
  /** Counts the commits, failed ones too: replies given under the same number stand or fall together. */
  epoch = 0
  readonly touched = new TouchedKeys()
  /** When writes have to look for keys that have expired unnoticed. */
  readonly expiries = new ExpiryHorizon()
  readonly rowCacheStats: RowCacheStats = { hits: 0, misses: 0, evictions: 0 }
  readonly #rocks: RocksDB
  readonly #stored: StoredRows
  readonly #writeFlags: number
  #overlay = new Overlay()
  #batch: WriteBatch
  /** What the commit under way writes; empty if there is none. */
  #flyingOverlay = new Overlay()
  #flyingBatch: WriteBatch
  #isFlying = false
  #flightError: CommitError | undefined
  /** Of the rows in order of score alone: sorted sets are what queues are made of. */
  readonly gaps: EmptyGaps
  /** Of the rows in the default column family. */
  readonly derived = new Derived()
  readonly waiting = new WaitingBatches()
  #pendingLog: Bytes = EMPTY
  /** Bytes of the batch when the command began that now runs, if it may write; -1 = it may not. */
  #commandStart = NONE
  #holds = 0
  /** Rows in memory, those of the turn included; undefined = the overlay alone knows what the turn wrote. */
  #rows: RowCache | undefined
  /** Up to where the overlay has the batch's rows of cached families: with a cache, it learns them when it is asked. */
  #cachedSeen = BATCH_HEADER_BYTES
  /** Rows of the batch may be missing from the cache. */
  #asksOverlay = false
  /** The composed row key: RocksDB's bound buffer, or a larger one for a key that does not fit. */
  #key: Buffer

  /** `slotEncoded`: keys carry their cluster slot. `snapshotId`: of a snapshot to read; 0 = none. */
  constructor(rocks: RocksDB, writeFlags: number, slotEncoded: boolean, snapshotId = 0) {
    this.#rocks = rocks
    this.#stored = new StoredRows(rocks, snapshotId)
    this.gaps = new EmptyGaps(slotEncoded)
    this.#writeFlags = writeFlags
    this.#key = rocks.keyBuffer
    this.#batch = new WriteBatch(rocks.keyBuffer)
    this.#flyingBatch = new WriteBatch(rocks.keyBuffer)
  }

  /** Bytes of the batch so far. */
  get batchBytes(): number {
    return this.#batch.length
  }

  /** Records of the batch so far. */
  get batchCount(): number {
    return this.#batch.count
  }

  /**
   * From now on, until the first write or commit, what is not in memory is not read: a ColdRead is thrown. The command that
   * runs has changed nothing until then, so that it can be run anew. `scans`: so do scans.
   */
  stayInMemory(stays: boolean, scans = false): void {
    this.#stored.scansStayInMemory = scans
    this.#stored.staysInMemory = stays
  }

  /** Says what counts as memory. For tests: nothing is certain of the page cache. */
  set memoryTier(tier: ReadTier) {
    this.#stored.memoryTier = tier
  }

  /** True if there is something to commit. */
  get isDirty(): boolean {
    return !this.#batch.isEmpty
  }

  /** True while RocksDB commits the turn before on its own thread. */
  get isFlying(): boolean {
    return this.#isFlying
  }

  /** True if the commit under way has failed, until `takeFlightError`: all that was built on it will be refused. */
  get hasLostFlight(): boolean {
    return this.#flightError !== undefined
  }

  /** True if replies that are given now depend on a commit whose outcome is not known, or not told. */
  get isUnsure(): boolean {
    return this.isDirty || this.#isFlying || this.hasLostFlight
  }

  /** True inside a transaction or a script, whose writes are committed together. */
  get isHeld(): boolean {
    return this.#holds > 0
  }

  /**
   * Composes the row key `prefix` + `rest` and returns its length. The next read or write of a row uses it.
   * `slot` >= 0 is put in between, in 2 bytes.
   */
  compose(prefix: Bytes, rest: Bytes, slot = -1): number {
    const prefixLength = prefix.length
    const restLength = rest.length
    const restAt = slot < 0 ? prefixLength : prefixLength + 2
    const length = restAt + restLength
    const key = length <= this.#rocks.keyBuffer.length ? this.#rocks.keyBuffer : Buffer.allocUnsafe(length)
    this.#key = key
    for (let i = 0; i < prefixLength; i++) key[i] = prefix[i] as number
    if (slot >= 0) {
      key[prefixLength] = slot >> 8
      key[prefixLength + 1] = slot & 0xff
    }
    if (restLength > 32) rest.copy(key, restAt)
    else for (let i = 0; i < restLength; i++) key[restAt + i] = rest[i] as number
    return length
  }

  /** The composed key as a latin1 string. */
  composedKey(length: number): string {
    return this.#key.latin1Slice(0, length)
  }

  /** Reads the row with the composed key. The result is valid until the command returns, and not to be changed. */
  read(cf: ColumnFamily, keyLength: number): Buffer | undefined {
    if (this.#rows !== undefined && isCachedFamily(cf)) return this.#readCached(this.#rows, cf, keyLength)
    if (!this.#overlay.isClean(cf)) {
      const row = this.#overlay.get(cf, this.#key.latin1Slice(0, keyLength))
      if (row !== undefined) return row ?? undefined
    }
    if (this.#isFlying && !this.#flyingOverlay.isClean(cf)) {
      const row = this.#flyingOverlay.get(cf, this.#key.latin1Slice(0, keyLength))
      if (row !== undefined) return row ?? undefined
    }
    return this.#stored.read(cf, this.#key, keyLength, undefined)
  }

  #readCached(rows: RowCache, cf: ColumnFamily, keyLength: number): Buffer | undefined {
    const isCacheable = this.#isCacheable(rows, keyLength)
    if (isCacheable) {
      const handle = rows.find(cf, keyLength)
      if (handle !== 0) return rows.read(handle)
    }
    if (this.#asksOverlay || rows.lostWrites) {
      this.finish()
      this.#showCached()
      const row = this.#overlay.get(cf, this.#key.latin1Slice(0, keyLength))
      if (row !== undefined) return row ?? undefined
    }
    return this.#stored.read(cf, this.#key, keyLength, isCacheable ? rows : undefined)
  }

  #isCacheable(rows: RowCache, keyLength: number): boolean {
    return this.#key === this.#rocks.keyBuffer && rows.fits(keyLength)
  }

  /** Lets the overlay know what the batch writes to the families that are cached. */
  #showCached(): void {
    if (this.#rows === undefined || this.#cachedSeen === this.#batch.length) return
    this.#overlay.replay(this.#batch.serialize(), this.#cachedSeen, isCachedFamily)
    this.#cachedSeen = this.#batch.length
  }

  /** Reads rows by whole keys, in one call of RocksDB for those that are not in memory. */
  readMany(cf: ColumnFamily, keys: readonly Bytes[]): (Buffer | undefined)[] {
    const cache = isCachedFamily(cf) ? this.#rows : undefined
    if (cache === undefined && this.#flyingBatch.touches(cf)) this.finish()
    if (cache === undefined && this.#overlay.isClean(cf)) return this.#stored.readMany(cf, keys)
    const rows: (Buffer | undefined)[] = new Array(keys.length)
    const missing: Bytes[] = []
    const missingAt: number[] = []
    keys.forEach((key, index) => {
      const row = cache === undefined ? this.#overlay.get(cf, key.latin1Slice(0)) : this.#knownRow(cache, cf, key)
      if (row !== undefined) {
        rows[index] = row ?? undefined
      } else {
        missing.push(key)
        missingAt.push(index)
      }
    })
    if (missing.length > 0) {
      this.#stored.readMany(cf, missing).forEach((row, index) => {
        rows[missingAt[index] as number] = row
        const key = missing[index] as Bytes
        if (cache !== undefined && this.#composeCacheable(cache, key) && cache.find(cf, key.length) === 0) {
          cache.learn(key.length, row ?? EMPTY, row === undefined ? -1 : row.length)
        }
      })
    }
    return rows
  }

  /** What memory says about a row: null = absent, undefined = nothing. */
  #knownRow(rows: RowCache, cf: ColumnFamily, key: Bytes): Buffer | null | undefined {
    if (this.#composeCacheable(rows, key)) {
      const handle = rows.find(cf, key.length)
      if (handle !== 0) return rows.read(handle) ?? null
    }
    if (!this.#asksOverlay && !rows.lostWrites) return undefined
    this.finish()
    this.#showCached()
    return this.#overlay.get(cf, key.latin1Slice(0))
  }

  #composeCacheable(rows: RowCache, key: Bytes): boolean {
    return rows.fits(key.length) && this.#isCacheable(rows, this.compose(key, EMPTY))
  }

  /** Writes value + tail at the composed key. */
  put(cf: ColumnFamily, keyLength: number, value: Bytes, tail: Bytes = EMPTY): void {
    this.#stored.staysInMemory = false
    this.#flushLog()
    this.#batch.put(cf, this.#key, keyLength, value, tail)
    if (this.#rows !== undefined && isCachedFamily(cf)) {
      const isKept = this.#isCacheable(this.#rows, keyLength) && this.#rows.put(cf, keyLength, value, tail)
      if (!isKept) this.#asksOverlay = true
      return
    }
    const key = this.#key.latin1Slice(0, keyLength)
    this.#overlay.set(cf, key, this.#batch.last(value.length + tail.length))
    if (cf === CF_ZSET_SCORE) this.gaps.notePut(key)
  }

  /** Deletes the row at the composed key. */
  delete(cf: ColumnFamily, keyLength: number): void {
    this.#stored.staysInMemory = false
    this.#flushLog()
    this.#batch.delete(cf, this.#key, keyLength)
    if (this.#rows !== undefined && isCachedFamily(cf)) {
      if (this.#isCacheable(this.#rows, keyLength)) this.#rows.putAbsent(cf, keyLength)
      else this.#asksOverlay = true
      return
    }
    const key = this.#key.latin1Slice(0, keyLength)
    this.#overlay.set(cf, key, null)
    if (cf === CF_ZSET_SCORE) this.gaps.noteDelete(key)
  }

  /** A command begins that may write, and says anew what it writes: until `endCommand`, or its first row, keys that it finds expired are deleted. */
  beginCommand(): void {
    this.#pendingLog = EMPTY
    this.#commandStart = this.#batch.length
  }

  endCommand(): void {
    this.#commandStart = NONE
  }

  /** True while an expired key may be deleted by the way, between two operations. */
  get noticesExpired(): boolean {
    return this.#commandStart === this.#batch.length
  }

  /** What `write` writes becomes an operation of its own, of which `blob` is the log data, between two others. */
  aside(blob: Bytes, write: () => void): void {
    const [pending, { length }] = [this.#pendingLog, this.#batch]
    this.#pendingLog = blob
    write()
    if (this.#batch.length !== length) this.#batch.logData(END_LOG_DATA)
    this.#pendingLog = pending
    if (this.#commandStart !== NONE) this.#commandStart = this.#batch.length
  }

  /** The rows of a range as they are in the database, without what the turn wrote. */
  committedRows(cf: ColumnFamily, lower: Bytes, upper: Bytes | undefined) {
    return this.#rocks.iterator({ cf, lower, ...(upper === undefined ? {} : { upper }), fillCache: false })
  }

  /** Deletes rows from `begin` up to, not including, `end`: in a batch of its own unless the turn is held. */
  deleteRange(cf: ColumnFamily, begin: Bytes, end: Bytes): void {
    if (!this.isHeld) this.commit()
    this.deleteRows(cf, begin, end)
    if (!this.isHeld) this.commit()
  }

  /** Deletes rows from `begin` up to, not including, `end` by one record of the turn's batch. */
  deleteRows(cf: ColumnFamily, begin: Bytes, end: Bytes): void {
    this.#stored.staysInMemory = false
    this.#flushLog()
    this.#batch.deleteRange(cf, begin, end)
    if (this.#rows !== undefined && isCachedFamily(cf)) {
      this.#rows.forget(cf)
      this.#asksOverlay = true
      return
    }
    this.#overlay.deleteRange(cf, begin.latin1Slice(0), end.latin1Slice(0))
  }

  /** Log data for the rows that follow; without any it is not written. */
  logData(blob: Bytes): void {
    this.#pendingLog = blob
  }

  /** Forgets the log data for rows that will not follow. */
  dropLogData(): void {
    this.#pendingLog = EMPTY
  }

  scan(cf: ColumnFamily, range: ScanRange): RowCursor {
    if (this.#flyingBatch.touches(cf)) this.finish()
    if (isCachedFamily(cf)) this.#showCached()
    if (this.#overlay.size(cf) > MERGED_ROWS_MAX && !this.isHeld) this.#commitBeforeScan()
    // What was known to be empty may be skipped, and what is found to be is learned.
    const narrowed = cf === CF_ZSET_SCORE ? this.gaps.narrow(range) : undefined
    return this.#openCursor(cf, narrowed?.range ?? range, narrowed?.onFirst)
  }

  #openCursor(cf: ColumnFamily, range: ScanRange, onFirst?: FirstRowListener): RowCursor {
    const { lower, upper, reverse = false, keySkip = 0 } = range
    const base = this.#stored.iterate(cf, range)
    if (this.#overlay.isClean(cf)) return new RowCursor(base, cf, { range, keySkip, reverse, onFirst })
    const touched = this.#overlay.between(cf, lower.latin1Slice(0), upper?.latin1Slice(0))
    return new RowCursor(base, cf, { range, keySkip, reverse, onFirst }, this.#overlay, touched)
  }

  savepoint(): Savepoint {
    return { epoch: this.epoch, length: this.#batch.length, count: this.#batch.count }
  }

  /** Takes back what was written after `savepoint`. */
  rollback(savepoint: Savepoint): void {
    if (this.hasLostFlight) {
      // The savepoint may be of the batch that was discarded with it.
      this.discard()
      return
    }
    this.#pendingLog = EMPTY
    // After a commit in between, all that the batch holds was written since.
    const { length, count } = savepoint.epoch === this.epoch ? savepoint : EMPTY_BATCH
    if (this.#batch.length <= length) return
    this.#forgetRows(this.#batch.serialize(), length)
    this.#batch.truncate(length, count)
    // What was forgotten may also have been written by the commit under way, which a read then waits for.
    this.#asksOverlay = this.#isFlying || !this.#batch.isEmpty
    this.#overlay.clear()
    this.#forgetLearned()
    // Rolling back is rare, so the overlay keeps no journal: the batch itself says what it was.
    this.#overlay.replay(
      this.#batch.serialize(),
      BATCH_HEADER_BYTES,
      (cf) => this.#rows === undefined || !isCachedFamily(cf),
    )
    this.#cachedSeen = BATCH_HEADER_BYTES
  }

  /** Takes the rows that `batch` writes from `offset` on out of the cache. */
  #forgetRows(batch: Bytes, offset = BATCH_HEADER_BYTES): void {
    const rows = this.#rows
    if (rows === undefined) return
    const drop = (cf: ColumnFamily, key: Bytes): void => {
      if (isCachedFamily(cf) && this.#composeCacheable(rows, key)) rows.drop(cf, key.length)
    }
    const deleteRange = (cf: ColumnFamily): void => {
      rows.forget(cf)
    }
    readRecords(batch, offset, { put: drop, delete: drop, deleteRange, logData: () => {} })
  }

  /** The cache of rows, if there is one. */
  get rowCache(): RowCache | undefined {
    return this.#rows
  }

  /** Begins with an empty cache of `bytes`; 0 = without one. */
  cacheRows(bytes: number): void {
    this.finish()
    this.#showCached()
    this.#rows = bytes === 0 ? undefined : new RowCache(bytes, this.#rocks.keyBuffer, this.rowCacheStats)
    this.#asksOverlay = !this.#batch.isEmpty
  }

  /** Until the matching `release`, nothing is committed. */
  hold(): void {
    this.#holds++
  }

  release(): void {
    this.#holds--
    if (this.#holds > 0) return
    this.waiting.writeAll(
      () => this.commit(),
      (batch) => this.#write(batch),
    )
  }

  /** Commits what the turn has written so far, then `batch` by itself; it is copied where it has to wait. Throws CommitError. */
  writeAlone(batch: WriteBatch): void {
    this.mark.addTo(batch)
    if (this.isHeld) {
      this.waiting.add(batch.serialize())
      return
    }
    this.commit()
    this.#write(batch.serialize())
  }

  /** Commits what the turn has written so far, then the foreign `batch` as it is. Throws CommitError. */
  writeForeign(batch: Bytes, writeFlags = this.#writeFlags): void {
    this.commit()
    this.gaps.forget()
    this.derived.forget()
    this.subkeyListener?.foreignBatch(batch)
    this.#forgetRows(batch)
    this.#write(batch, writeFlags)
    this.expiries.forget()
  }

  /** True if `beginCommit` would. */
  get mayFly(): boolean {
    if (this.isHeld || this.#asksOverlay || this.mark.isPending || this.#rows?.lostWrites === true) return false
    return this.#batch.count >= this.flyingRecordsMin
  }

  /**
   * Lets RocksDB commit the turn on its own thread, and begins the next, which sees all of it. False if it is better
   * committed at once. When `writtenListener` of the database is called, or before, `finish` tells how it went.
   */
  beginCommit(): boolean {
    if (!this.mayFly) return false
    this.finish()
    this.#pendingLog = EMPTY
    this.mark.addTo(this.#batch)
    const batch = this.#batch.serialize()
    this.#rocks.beginWrite(batch, batch.length, this.#writeFlags)
    ;[this.#batch, this.#flyingBatch] = [this.#flyingBatch, this.#batch]
    ;[this.#overlay, this.#flyingOverlay] = [this.#flyingOverlay, this.#overlay]
    this.#cachedSeen = BATCH_HEADER_BYTES
    this.#rows?.beginTurn(true)
    this.#isFlying = true
    this.epoch++
    return true
  }

  /**
   * Waits for the commit under way. Throws CommitError if it has failed: nothing of it is stored, nor of the turn that saw
   * it. A transaction or a script is not told so in its midst: it runs to its end, and is refused as a whole.
   */
  finish(): void {
    if (this.#isFlying) this.#awaitFlight()
    if (this.#flightError !== undefined && !this.isHeld) throw this.#flightError
  }

  #awaitFlight(): void {
    this.#isFlying = false
    this.#rows?.land()
    try {
      this.#rocks.endWrite()
    } catch (error) {
      this.#flightError = new CommitError(error as Error)
      this.discard()
      return
    } finally {
      // Rows that a command has read stay: the memory is used again only after the turn's end.
      this.#flyingBatch.clear()
      this.#flyingOverlay.clear()
    }
    this.#tellCommitted()
  }

  /** Why the last commit under way failed, once. */
  takeFlightError(): CommitError | undefined {
    const error = this.#flightError
    this.#flightError = undefined
    return error
  }

  /** Writes all to RocksDB. Throws CommitError, and then nothing of the turn is stored or seen any more. */
  commit(): void {
    this.#commit(false)
  }

  /** The commit at the end of a turn, when nobody holds a row of it any more: its memory is used again. */
  commitAtEnd(): void {
    this.#commit(true)
  }

  /** An operation that scans may have said already what it is, and may hold rows that this turn wrote. */
  #commitBeforeScan(): void {
    const log = this.#pendingLog
    this.#commit(false)
    this.#pendingLog = log
  }

  #commit(reusesMemory: boolean): void {
    this.#stored.staysInMemory = false
    if (this.#isFlying) this.#awaitFlight()
    if (this.#flightError !== undefined) throw this.#flightError
    this.#pendingLog = EMPTY
    if (this.#batch.isEmpty) return
    this.mark.addTo(this.#batch)
    try {
      this.#write(this.#batch.serialize())
      this.epoch++
    } catch (error) {
      this.#forgetRows(this.#batch.serialize())
      throw error
    } finally {
      if (reusesMemory) this.#batch.clear()
      else this.#batch.renew()
      this.#forgetBatch()
    }
  }

  /** Forgets what was not committed, and all that is known of stored rows. */
  discard(): void {
    this.expiries.forget()
    this.#forgetLearned()
    for (const cf of COLUMN_FAMILY_NAMES.keys()) this.#rows?.forget(cf as ColumnFamily)
    this.#pendingLog = EMPTY
    this.waiting.drop()
    // A command that runs on may hold rows of it.
    this.#batch.renew()
    this.#forgetBatch()
  }

  /** What the overlay and the cache knew of a batch that has come to its end. */
  #forgetBatch(): void {
    this.#overlay.clear()
    this.#cachedSeen = BATCH_HEADER_BYTES
    this.#asksOverlay = false
    this.#rows?.beginTurn()
  }

  /** Writes that readers have drawn conclusions from were taken back. */
  #forgetLearned(): void {
    this.gaps.forget()
    this.derived.forget()
    this.subkeyListener?.takenBack()
  }

  #write(batch: Bytes, writeFlags = this.#writeFlags): void {
    try {
      this.mark.open((opening) => this.#rocks.write(opening, opening.length, writeFlags))
      this.#rocks.write(batch, batch.length, writeFlags)
    } catch (error) {
      this.#forgetLearned()
      throw new CommitError(error as Error)
    }
    this.#tellCommitted()
  }

  #tellCommitted(): void {
    if (this.commitListeners.size === 0) return
    const sequence = this.#rocks.latestSequence()
    for (const listener of this.commitListeners) listener(sequence)
  }

  #flushLog(): void {
    if (this.#pendingLog.length === 0) return
    this.#batch.logData(this.#pendingLog)
    this.#pendingLog = EMPTY
  }
}
