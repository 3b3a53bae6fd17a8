/**
 * Rows in key order, fetched by the chunk: one native call a row costs ten times as much.
 *
 *   chunk: rows, one after the other
 *   row:   u32 key length, u32 value length (both little-endian), key, value
 */
import { RocksDBError } from './errors.js'
import {
  ITERATOR_ASYNC_IO,
  ITERATOR_CACHE_ONLY,
  ITERATOR_FILL_CACHE,
  ITERATOR_KEYS_ONLY,
  ITERATOR_NO_WAIT,
  ITERATOR_REVERSE,
  type NativeSession,
} from './native.js'
import { READ_TIER_BLOCK_CACHE, READ_TIER_PAGE_CACHE, type ReadTier } from './read-tier.js'

const ROW_HEADER_BYTES = 8
const CHUNK_BYTES = 64 * 1024
// Most iterations end within a few rows, so the first chunk is small.
const FIRST_ROWS = 16
const ROWS_MAX = 256
// A row that nobody takes costs as much as one that is taken, and a call as much as a few rows.
const CHUNK_GROWTH = 1.5

export interface IteratorOptions {
  readonly cf: number
  /** Inclusive. */
  readonly lower?: Buffer
  /** Exclusive. */
  readonly upper?: Buffer
  readonly reverse?: boolean
  /** The id of a Snapshot; without one the iterator has its own, of the moment it is made. */
  readonly snapshot?: number
  /** Other than READ_TIER_ALL: next() throws RocksDBError 'Incomplete' where a row would have to be read from disk. */
  readonly readTier?: ReadTier
  /** Default false: a scan should not drive out what point reads use. */
  readonly fillCache?: boolean
  /** Values are empty. */
  readonly keysOnly?: boolean
  /** How many rows are fetched at a time; default 16 at first, growing to 256. A chunk ends before at 64 KiB. */
  readonly rowsPerChunk?: number
  /** How many rows the caller expects to take: so many are fetched at first, up to 256. */
  readonly rowsExpected?: number
  readonly asyncIo?: boolean
}

/** Buffers that iterators of a database fill; an iterator owns the slot's buffer while it is open. */
export class ChunkSlots {
  readonly #session: NativeSession
  readonly #chunks: Buffer[] = []
  readonly #free: number[] = []

  constructor(session: NativeSession) {
    this.#session = session
  }

  acquire(): number {
    const free = this.#free.pop()
    if (free !== undefined) return free
    const slot = this.#chunks.length
    this.#replace(slot, CHUNK_BYTES)
    return slot
  }

  chunk(slot: number): Buffer {
    return this.#chunks[slot]!
  }

  enlarge(slot: number, bytes: number): Buffer {
    return this.#replace(slot, bytes)
  }

  /** Gives the slot back; a chunk that grew for a large row does not stay. */
  release(slot: number): void {
    if (this.#chunks[slot]!.length > CHUNK_BYTES) this.#replace(slot, CHUNK_BYTES)
    this.#free.push(slot)
  }

  #replace(slot: number, bytes: number): Buffer {
    const chunk = Buffer.allocUnsafeSlow(bytes)
    this.#session.bindChunk(slot, chunk)
    this.#chunks[slot] = chunk
    return chunk
  }
}

/**
 * Must be closed (`using`, or close()). `key` and `value` are views that hold until the next call of next(), seek() or
 * close(): what outlives that is copied by the caller.
 */
export class RowIterator {
  readonly #session: NativeSession
  readonly #slots: ChunkSlots
  readonly #slot: number
  #closed = false
  #rowsNext: number
  readonly #rowsMax: number
  /** Holds the current row, until the next call: its key is at `keyAt`, its value from `valueAt` to `rowEnd`. */
  chunk: Buffer
  keyAt = 0
  valueAt = 0
  rowEnd = 0
  #chunkEnd = 0
  #ended = false

  constructor(session: NativeSession, slots: ChunkSlots, options: IteratorOptions) {
    this.#session = session
    this.#slots = slots
    this.#slot = slots.acquire()
    this.chunk = slots.chunk(this.#slot)
    this.#rowsNext = options.rowsPerChunk ?? Math.min(Math.max(options.rowsExpected ?? FIRST_ROWS, 1), ROWS_MAX)
    this.#rowsMax = options.rowsPerChunk ?? ROWS_MAX
    try {
      session.iteratorOpen(
        this.#slot,
        options.cf,
        iteratorFlags(options),
        options.snapshot ?? 0,
        options.lower,
        options.upper,
      )
    } catch (error) {
      slots.release(this.#slot)
      throw error
    }
  }

  /** Moves to the next row, the first one at the first call. False at the end, and from then on. */
  next(): boolean {
    let at = this.rowEnd
    if (at >= this.#chunkEnd) {
      if (!this.#fill()) return false
      at = 0
    }
    const chunk = this.chunk
    this.keyAt = at + ROW_HEADER_BYTES
    this.valueAt = this.keyAt + chunk.readUInt32LE(at)
    this.rowEnd = this.valueAt + chunk.readUInt32LE(at + 4)
    return true
  }

  /** Makes the first row at or after `key` (in reverse: at or before it) the one that next() moves to. */
  seek(key: Buffer): void {
    // The slot may belong to another iterator by now.
    if (this.#closed) throw new RocksDBError('InvalidArgument', 'None', 'none', false, 'The iterator is closed')
    this.#session.iteratorSeek(this.#slot, key)
    this.rowEnd = 0
    this.#chunkEnd = 0
    this.keyAt = 0
    this.valueAt = 0
    this.#ended = false
  }

  #fill(): boolean {
    if (this.#ended) return false
    let filled = this.#session.iteratorFill(this.#slot, this.#rowsNext)
    if (filled < 0) {
      this.chunk = this.#slots.enlarge(this.#slot, -filled)
      filled = this.#session.iteratorFill(this.#slot, this.#rowsNext)
    }
    this.#rowsNext = Math.min(Math.ceil(this.#rowsNext * CHUNK_GROWTH), this.#rowsMax)
    this.#chunkEnd = filled
    this.rowEnd = 0
    this.keyAt = 0
    this.valueAt = 0
    this.#ended = filled === 0
    return filled > 0
  }

  /** Closing twice, or after the database, does nothing. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#ended = true
    this.rowEnd = 0
    this.#chunkEnd = 0
    this.#session.iteratorClose(this.#slot)
    this.#slots.release(this.#slot)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  get key(): Buffer {
    return this.chunk.subarray(this.keyAt, this.valueAt)
  }

  get value(): Buffer {
    return this.chunk.subarray(this.valueAt, this.rowEnd)
  }
}

function iteratorFlags(options: IteratorOptions): number {
  return (
    (options.reverse ? ITERATOR_REVERSE : 0) |
    (options.keysOnly ? ITERATOR_KEYS_ONLY : 0) |
    (options.fillCache ? ITERATOR_FILL_CACHE : 0) |
    (options.readTier === READ_TIER_BLOCK_CACHE ? ITERATOR_CACHE_ONLY : 0) |
    (options.readTier === READ_TIER_PAGE_CACHE ? ITERATOR_NO_WAIT : 0) |
    (options.asyncIo ? ITERATOR_ASYNC_IO : 0)
  )
}
