/**
 * RocksDB's serialized write batch, which is also what the WAL, replication and the change feed carry.
 *
 *   sequence(8 LE) count(4 LE) record…
 *   put             05 varint(cf) key value      01 key value        (column family 0)
 *   delete          04 varint(cf) key            00 key
 *   delete range    0e varint(cf) begin end      0f begin end
 *   log data        03 blob                                          (takes no sequence)
 *   key, value, begin, end, blob: varint32 length, bytes
 *
 * Source: rocksdb db/write_batch.cc and db/dbformat.h, ValueType.
 */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import type { ColumnFamily } from './column-family.js'

export const BATCH_HEADER_BYTES = 12
const COUNT_OFFSET = 8
const DELETE = 0x00
const PUT = 0x01
const MERGE = 0x02
const LOG_DATA = 0x03
const DELETE_CF = 0x04
const PUT_CF = 0x05
const MERGE_CF = 0x06
const SINGLE_DELETE = 0x07
const SINGLE_DELETE_CF = 0x08
const BEGIN_PREPARE = 0x09
const NOOP = 0x0d
const DELETE_RANGE_CF = 0x0e
const DELETE_RANGE = 0x0f
/** Tag, column family and two lengths. */
const RECORD_HEAD_BYTES_MAX = 1 + 1 + 5 + 5
/** Keys are copied by whole words. */
const WORD_SLACK_BYTES = 3
const INITIAL_BYTES = 16 * 1024
/** Up to this a loop is faster than a call of `set`, and that than one of `copy`, which makes a view first. */
const SET_BY_LOOP_MAX = 24
const COPIED_BY_LOOP_MAX = 64
const KEPT_BYTES_MAX = 1 << 20

/** Builds one batch; begin again with `clear`. */
export class WriteBatch {
  /** Bytes used, header included. */
  length = BATCH_HEADER_BYTES
  /** Records that take a sequence number. */
  count = 0
  #buffer!: Buffer
  #view!: DataView
  readonly #keyBuffer: Bytes
  readonly #keyWords: Int32Array
  /** A bit for each column family that has records, or had some that were truncated. */
  #families = 0

  /** `keyBuffer`: where most keys stand, at its beginning. They are copied word by word then, several times as fast. */
  constructor(keyBuffer: Bytes = EMPTY) {
    this.#keyBuffer = keyBuffer
    this.#keyWords = new Int32Array(keyBuffer.buffer, keyBuffer.byteOffset, keyBuffer.length >> 2)
    this.#use(Buffer.alloc(INITIAL_BYTES))
  }

  get isEmpty(): boolean {
    return this.length === BATCH_HEADER_BYTES
  }

  /** False if no record is of `cf`. */
  touches(cf: ColumnFamily): boolean {
    return (this.#families & (1 << cf)) !== 0
  }

  /** The serialized batch with its count, sequence 0; a view until the next change. */
  serialize(): Buffer {
    this.#buffer.writeUInt32LE(this.count, COUNT_OFFSET)
    return this.#buffer.subarray(0, this.length)
  }

  /** Begins again in new memory: views of the old batch stay as they are. */
  renew(): void {
    this.length = BATCH_HEADER_BYTES
    this.count = 0
    this.#families = 0
    this.#use(Buffer.alloc(INITIAL_BYTES))
  }

  clear(): void {
    this.length = BATCH_HEADER_BYTES
    this.count = 0
    this.#families = 0
    if (this.#buffer.length > KEPT_BYTES_MAX) this.#use(Buffer.alloc(INITIAL_BYTES))
  }

  /** Forgets the records after a point that was noted as (`length`, `count`). */
  truncate(length: number, count: number): void {
    this.length = length
    this.count = count
  }

  /** Adds key = `value` + `tail`. */
  put(cf: ColumnFamily, key: Bytes, keyLength: number, value: Bytes, tail: Bytes = EMPTY): void {
    const valueLength = value.length + tail.length
    this.#reserve(RECORD_HEAD_BYTES_MAX + keyLength + WORD_SLACK_BYTES + valueLength)
    this.#tag(cf, PUT, PUT_CF)
    this.#key(key, keyLength)
    this.#varint(valueLength)
    this.#copy(value, value.length)
    if (tail.length > 0) this.#copy(tail, tail.length)
    this.count++
  }

  /** The last `length` bytes, as a view that is valid until `clear`. */
  last(length: number): Buffer {
    return this.#buffer.subarray(this.length - length, this.length)
  }

  delete(cf: ColumnFamily, key: Bytes, keyLength: number): void {
    this.#reserve(RECORD_HEAD_BYTES_MAX + keyLength + WORD_SLACK_BYTES)
    this.#tag(cf, DELETE, DELETE_CF)
    this.#key(key, keyLength)
    this.count++
  }

  /** Deletes the keys from `begin` up to, not including, `end`. */
  deleteRange(cf: ColumnFamily, begin: Bytes, end: Bytes): void {
    this.#reserve(RECORD_HEAD_BYTES_MAX + begin.length + end.length)
    this.#tag(cf, DELETE_RANGE, DELETE_RANGE_CF)
    this.#slice(begin, begin.length)
    this.#slice(end, end.length)
    this.count++
  }

  logData(blob: Bytes): void {
    this.#reserve(RECORD_HEAD_BYTES_MAX + blob.length)
    this.#buffer[this.length++] = LOG_DATA
    this.#slice(blob, blob.length)
  }

  /** Adds the records of a serialized batch. */
  append(batch: Bytes): void {
    this.#reserve(batch.length)
    this.count += batch.readUInt32LE(COUNT_OFFSET)
    this.#families = ~0
    this.length += batch.copy(this.#buffer, this.length, BATCH_HEADER_BYTES)
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.length)
    this.#use(grown)
  }

  #use(buffer: Buffer): void {
    this.#buffer = buffer
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
  }

  #tag(cf: ColumnFamily, plain: number, withFamily: number): void {
    this.#families |= 1 << cf
    if (cf === 0) {
      this.#buffer[this.length++] = plain
    } else {
      this.#buffer[this.length++] = withFamily
      this.#buffer[this.length++] = cf
    }
  }

  #key(key: Bytes, length: number): void {
    if (key !== this.#keyBuffer) {
      this.#slice(key, length)
      return
    }
    this.#varint(length)
    const view = this.#view
    const words = this.#keyWords
    for (let i = 0, at = this.length; i << 2 < length; i++, at += 4) view.setInt32(at, words[i] as number, true)
    this.length += length
  }

  #slice(bytes: Bytes, length: number): void {
    this.#varint(length)
    this.#copy(bytes, length)
  }

  #varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#buffer[this.length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#buffer[this.length++] = rest
  }

  #copy(bytes: Bytes, length: number): void {
    const buffer = this.#buffer
    if (length === bytes.length && length > SET_BY_LOOP_MAX) {
      buffer.set(bytes, this.length)
    } else if (length > COPIED_BY_LOOP_MAX) {
      bytes.copy(buffer, this.length, 0, length)
    } else {
      for (let i = 0, at = this.length; i < length; i++) buffer[at++] = bytes[i] as number
    }
    this.length += length
  }
}

/** What `readBatch` calls, in the order of the records. Keys and values are views of the batch. */
export interface BatchVisitor {
  put(cf: ColumnFamily, key: Bytes, value: Bytes): void
  delete(cf: ColumnFamily, key: Bytes): void
  deleteRange(cf: ColumnFamily, begin: Bytes, end: Bytes): void
  logData(blob: Bytes): void
}

/** The bytes are not a write batch that this server understands. */
export class BatchFormatError extends Error {}

export function batchSequence(batch: Bytes): number {
  return batch.readUInt32LE(0) + batch.readUInt32LE(4) * 2 ** 32
}

export function batchCount(batch: Bytes): number {
  return batch.readUInt32LE(COUNT_OFFSET)
}

/** Walks the records of a serialized batch. Throws BatchFormatError where it is cut, unknown, or its count is wrong. */
export function readBatch(batch: Bytes, visitor: BatchVisitor): void {
  const counted = new BatchReader(batch, visitor, BATCH_HEADER_BYTES).read()
  if (counted === batchCount(batch)) return
  throw new BatchFormatError(`the write batch says ${batchCount(batch)} records and has ${counted}`)
}

/** Walks the records of a serialized batch from the one that begins at `offset`. Throws BatchFormatError. */
export function readRecords(batch: Bytes, offset: number, visitor: BatchVisitor): void {
  new BatchReader(batch, visitor, offset).read()
}

class BatchReader {
  readonly #batch: Bytes
  readonly #visitor: BatchVisitor
  #at: number

  constructor(batch: Bytes, visitor: BatchVisitor, offset: number) {
    if (batch.length < BATCH_HEADER_BYTES) throw new BatchFormatError('a write batch has at least 12 bytes')
    this.#batch = batch
    this.#visitor = visitor
    this.#at = offset
  }

  /** Returns how many sequence numbers the records take. */
  read(): number {
    let counted = 0
    while (this.#at < this.#batch.length) counted += this.#record()
    return counted
  }

  /** Returns how many sequence numbers the record takes. */
  #record(): 0 | 1 {
    const tag = this.#batch[this.#at++] as number
    switch (tag) {
      case PUT:
      case PUT_CF: {
        const cf = this.#family(tag === PUT_CF)
        const key = this.#slice()
        this.#visitor.put(cf, key, this.#slice())
        return 1
      }
      case DELETE:
      case DELETE_CF:
      case SINGLE_DELETE:
      case SINGLE_DELETE_CF:
        this.#visitor.delete(this.#family(tag === DELETE_CF || tag === SINGLE_DELETE_CF), this.#slice())
        return 1
      case DELETE_RANGE:
      case DELETE_RANGE_CF: {
        const cf = this.#family(tag === DELETE_RANGE_CF)
        const begin = this.#slice()
        this.#visitor.deleteRange(cf, begin, this.#slice())
        return 1
      }
      case LOG_DATA:
        this.#visitor.logData(this.#slice())
        return 0
      case NOOP:
        return 0
      case MERGE:
      case MERGE_CF:
        throw new BatchFormatError('the write batch has a merge record, which Kvrocks never writes')
      default:
        throw new BatchFormatError(
          `the write batch has a record of type ${tag} at offset ${this.#at - 1}${tag >= BEGIN_PREPARE ? ' (of a transaction)' : ''}`,
        )
    }
  }

  #family(explicit: boolean): ColumnFamily {
    const cf = explicit ? this.#varint() : 0
    if (cf > 6) throw new BatchFormatError(`the write batch names column family ${cf}`)
    return cf as ColumnFamily
  }

  #slice(): Bytes {
    const length = this.#varint()
    const end = this.#at + length
    if (end > this.#batch.length) throw new BatchFormatError(`the write batch is cut at offset ${this.#at}`)
    const slice = this.#batch.subarray(this.#at, end)
    this.#at = end
    return slice
  }

  #varint(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.#batch[this.#at++]
      if (byte === undefined) throw new BatchFormatError('the write batch is cut inside a length')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new BatchFormatError('the write batch has a length of more than 32 bits')
  }
}

/** A point that a batch can be taken back to, while its turn goes on. */
export interface Savepoint {
  readonly epoch: number
  readonly length: number
  readonly count: number
}
