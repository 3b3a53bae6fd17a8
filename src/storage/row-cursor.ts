/** Walks rows in order of their keys: those of the database, with the turn's own writes laid over them. */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import type { RowIterator } from '../rocksdb/row-iterator.js'
import { ColdRead, isNotInMemory } from './cold-read.js'
import type { ColumnFamily } from './column-family.js'
import type { Overlay, OverlayRow } from './overlay.js'

/** So many rows are fetched at first for a scan that does not say how many it will take. */
const ROWS_FETCHED = 64

/** Told once, of the first `next`: the key of the row that it found, as the cursor shows it; undefined if there is none. */
export type FirstRowListener = (key: Bytes | undefined) => void

/** What a cursor walks. */
export interface ScanRange {
  /** First key, inclusive. */
  readonly lower: Bytes
  /** End, exclusive; undefined = to the end of the column family. */
  readonly upper: Bytes | undefined
  readonly reverse?: boolean
  /** Bytes at the start of each key that the cursor does not show. */
  readonly keySkip?: number
  /** False for keys alone. */
  readonly values?: boolean
  /** How many rows the caller expects to take; more can be taken. */
  readonly rowsExpected?: number | undefined
  /** Rows are kept in the block cache. Scans of unbounded length say no. */
  readonly fillCache?: boolean
}

export interface CursorView {
  /** What the iterator walks. */
  readonly range: ScanRange
  /** Bytes at the start of each key that are not shown. */
  readonly keySkip: number
  readonly reverse: boolean
  readonly onFirst?: FirstRowListener | undefined
}

/** Takes parts of buffers as bulk strings: a Reply. */
export interface BulkSink {
  bulkPart(bytes: Bytes, from: number, to: number): void
}

/** What walks rows: a RowCursor, or one that shows them in another way. Its views are valid until the next `next`. */
export interface RowWalk extends Disposable {
  readonly key: Bytes
  readonly value: Bytes
  /** Moves to the next row. False at the end. */
  next(): boolean
  /** Writes the key of the current row, without its first bytes, or its value; no view is made for that. */
  writeKey(to: BulkSink, skip?: number): void
  writeValue(to: BulkSink): void
  close(): void
}

/** Close it, or declare it with `using`: an open cursor pins files and memory of RocksDB. */
export class RowCursor implements RowWalk {
  /** The current row if it is the turn's own; else it is the iterator's, of which views are only made when asked for. */
  #ownKey: Bytes | undefined = EMPTY
  #ownValue: Bytes = EMPTY
  readonly #base: RowIterator
  readonly #overlay: Overlay | undefined
  readonly #cf: ColumnFamily
  readonly #range: ScanRange
  readonly #reverse: boolean
  readonly #keySkip: number
  /** Touched rows in the order of the scan, and the first that has not been reached. */
  readonly #touched: [string, OverlayRow][]
  #touchedAt = 0
  #baseValid: boolean | undefined
  #baseKey = ''

  #onFirst: FirstRowListener | undefined

  /** `overlay` undefined: the turn touched nothing here. `touched` ascends. */
  constructor(
    base: RowIterator,
    cf: ColumnFamily,
    { range, keySkip, reverse, onFirst }: CursorView,
    overlay?: Overlay,
    touched: [string, OverlayRow][] = [],
  ) {
    this.#onFirst = onFirst
    this.#base = base
    this.#cf = cf
    this.#range = range
    this.#keySkip = keySkip
    this.#reverse = reverse
    this.#overlay = overlay
    this.#touched = reverse ? touched.reverse() : touched
  }

  /** Key of the current row without the part that all rows of the scan share; a view until the next `next`. */
  get key(): Bytes {
    return this.keyFrom(0)
  }

  /** The same without its first `skip` bytes. */
  keyFrom(skip: number): Bytes {
    if (this.#ownKey !== undefined) return skip === 0 ? this.#ownKey : this.#ownKey.subarray(skip)
    const base = this.#base
    return base.chunk.subarray(base.keyAt + this.#keySkip + skip, base.valueAt)
  }

  /** What holds the key of the current row, and from where on, without the part that all share: no view is made. */
  get keyHolder(): Bytes {
    return this.#ownKey ?? this.#base.chunk
  }

  get keyOffset(): number {
    return this.#ownKey === undefined ? this.#base.keyAt + this.#keySkip : 0
  }

  /** Value of the current row; a view until the next `next`. */
  get value(): Bytes {
    return this.#ownKey === undefined ? this.#base.value : this.#ownValue
  }

  writeKey(to: BulkSink, skip = 0): void {
    if (this.#ownKey !== undefined) {
      to.bulkPart(this.#ownKey, skip, this.#ownKey.length)
      return
    }
    const base = this.#base
    to.bulkPart(base.chunk, base.keyAt + this.#keySkip + skip, base.valueAt)
  }

  writeValue(to: BulkSink): void {
    if (this.#ownKey === undefined) to.bulkPart(this.#base.chunk, this.#base.valueAt, this.#base.rowEnd)
    else to.bulkPart(this.#ownValue, 0, this.#ownValue.length)
  }

  /** Moves to the next row. False at the end. */
  next(): boolean {
    if (this.#onFirst !== undefined) return this.#first(this.#onFirst)
    if (this.#overlay !== undefined) return this.#nextMerged()
    if (!this.#nextStored()) return false
    this.#ownKey = undefined
    return true
  }

  #first(listener: FirstRowListener): boolean {
    this.#onFirst = undefined
    const isFound = this.next()
    listener(isFound ? this.key : undefined)
    return isFound
  }

  close(): void {
    this.#base.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #nextMerged(): boolean {
    for (;;) {
      if (this.#baseValid === undefined) this.#advanceBase()
      const touched = this.#touched[this.#touchedAt]
      if (touched === undefined) return this.#baseValid === true && this.#showBase()
      const order = this.#baseValid === true ? this.#compare(touched[0], this.#baseKey) : -1
      if (order > 0) return this.#showBase()
      this.#touchedAt++
      if (order === 0) this.#baseValid = undefined
      if (touched[1] === null) continue
      this.#ownKey = Buffer.from(touched[0], 'latin1').subarray(this.#keySkip)
      this.#ownValue = touched[1]
      return true
    }
  }

  #compare(a: string, b: string): number {
    if (a === b) return 0
    return a < b !== this.#reverse ? -1 : 1
  }

  #nextStored(): boolean {
    try {
      return this.#base.next()
    } catch (error) {
      if (!isNotInMemory(error)) throw error
      const { lower, upper, rowsExpected = ROWS_FETCHED } = this.#range
      throw new ColdRead(this.#cf, { lower, upper, reverse: this.#reverse, rowsMax: rowsExpected })
    }
  }

  #advanceBase(): void {
    const overlay = this.#overlay as Overlay
    while (this.#nextStored()) {
      this.#baseKey = this.#base.key.latin1Slice(0)
      const isTouched = this.#touchedAt < this.#touched.length
      // A touched row inside a deleted range was written after it, or is null in the overlay: the merge decides.
      if (!overlay.hasDeletedRanges || !overlay.isInDeletedRange(this.#cf, this.#baseKey)) {
        this.#baseValid = true
        return
      }
      if (isTouched && this.#touched[this.#touchedAt]?.[0] === this.#baseKey) {
        this.#baseValid = true
        return
      }
    }
    this.#baseValid = false
  }

  #showBase(): boolean {
    this.#ownKey = undefined
    this.#baseValid = undefined
    return true
  }
}
