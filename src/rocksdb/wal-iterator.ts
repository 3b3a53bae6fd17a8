/**
 * Batches of the write-ahead log in sequence order.
 *
 *   u64 sequence, u32 byte length (both little-endian), the serialized WriteBatch
 */
import type { NativeSession } from './native.js'

const BATCH_HEADER_BYTES = 12
// Offset of the count in a serialized WriteBatch.
const COUNT_AT = 8
const BYTES_MAX = 1024 * 1024

export interface WalBatch {
  /** The sequence of its first record. */
  readonly sequence: number
  /** How many sequences it takes. */
  readonly count: number
  /** The serialized WriteBatch; a copy, which the caller may keep. */
  readonly data: Buffer
}

/**
 * Stays open and resumes: at the end of the log next() returns nothing, and more once more has been written. The first
 * batch is the one that contains the asked sequence, or, where the log no longer reaches so far back, the oldest one
 * there is: compare its `sequence`.
 */
export class WalIterator {
  readonly #session: NativeSession
  readonly #id: number
  #closed = false

  constructor(session: NativeSession, sequence: number) {
    this.#session = session
    this.#id = session.walOpen(sequence)
  }

  /**
   * Up to `batchesMax` batches; ends early, but not before the first one, when `bytesMax` bytes are reached. Empty at the
   * end of the log. Throws RocksDBError when the log cannot be read; the next call tries again from the same place.
   */
  next(batchesMax: number, bytesMax: number = BYTES_MAX): WalBatch[] {
    const packed = this.#session.walRead(this.#id, batchesMax, bytesMax)
    const batches: WalBatch[] = []
    if (!packed) return batches
    for (let at = 0; at < packed.length; ) {
      const dataAt = at + BATCH_HEADER_BYTES
      const end = dataAt + packed.readUInt32LE(at + 8)
      const data = packed.subarray(dataAt, end)
      batches.push({ sequence: Number(packed.readBigUInt64LE(at)), count: data.readUInt32LE(COUNT_AT), data })
      at = end
    }
    return batches
  }

  /** Closing twice, or after the database, does nothing. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#session.walClose(this.#id)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
