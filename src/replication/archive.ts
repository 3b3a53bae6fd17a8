/**
 * Archived write batches: the log beyond a backup, in segment files that are named by their first sequence.
 *
 *   file     "KVTSWAL1" record…
 *   record   length(4) crc32(4) timeMs(8) batch(length)
 *
 * Numbers are little-endian. The checksum is of time and batch; the time, in Unix milliseconds by the server's clock, is
 * when the batch was seen to be committed. The last record of the last file may be cut, where an archiver was killed.
 */

import { closeSync, fdatasyncSync, ftruncateSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Bytes } from '../bytes/bytes.js'
import { BATCH_HEADER_BYTES, batchCount, batchSequence } from '../storage/write-batch.js'

const MAGIC = Buffer.from('KVTSWAL1')
const HEAD_BYTES = 16
const SEGMENT_BYTES = 64 * 1024 * 1024
const NAME = /^\d{20}\.wal$/

/** An archive that cannot be used; the message says which file, and where in it. */
export class ArchiveError extends Error {}

export interface ArchivedBatch {
  readonly sequence: number
  readonly count: number
  /** Unix milliseconds. */
  readonly timeMs: number
  /** The serialized batch; a view of its file. */
  readonly data: Bytes
}

/** How an archive ends. */
export interface ArchiveEnd {
  /** The sequence after the last whole batch; undefined in an empty archive. */
  readonly next: number | undefined
  /** Says where the last record is cut, if it is. */
  readonly cut: string | undefined
}

/** The segment files of a directory, in their order. */
export function segmentsOf(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => NAME.test(name))
    .sort()
}

/**
 * The batches of an archive that end at or after `from`, in order and without gaps. Returns how it ends. Throws
 * ArchiveError at a damaged record, at a gap, and where anything but the very end is cut.
 */
export function* readArchive(directory: string, from = 0): Generator<ArchivedBatch, ArchiveEnd> {
  const names = segmentsOf(directory)
  // The last segment that begins at or before `from` is the first to be read.
  const start = Math.max(
    0,
    names.findLastIndex((name) => firstSequence(name) <= from),
  )
  let next: number | undefined
  for (const name of names.slice(start)) {
    const segment = new SegmentReader(join(directory, name))
    for (const batch of segment.batches()) {
      if (next === undefined && batch.sequence !== firstSequence(name)) {
        throw new ArchiveError(`${segment.path} begins with sequence ${batch.sequence}`)
      }
      if (next !== undefined && batch.sequence !== next) {
        throw new ArchiveError(`${segment.path}: sequence ${next} is missing, ${batch.sequence} follows`)
      }
      next = batch.sequence + batch.count
      if (next > from) yield batch
    }
    if (segment.cut === undefined) continue
    if (name !== names.at(-1)) throw new ArchiveError(segment.cut)
    return { next, cut: segment.cut }
  }
  return { next, cut: undefined }
}

/** Appends to an archive, which is made if need be. A cut record at its end is removed. */
export class ArchiveWriter {
  /** The sequence after the last archived batch; undefined while there is none. */
  next: number | undefined
  readonly #directory: string
  #file: number | undefined
  #bytes = 0

  /** Throws ArchiveError if the last segment is damaged. */
  constructor(directory: string) {
    this.#directory = directory
    const last = segmentsOf(directory).at(-1)
    if (last === undefined) return
    const segment = new SegmentReader(join(directory, last))
    this.next = firstSequence(last)
    for (const { sequence, count } of segment.batches()) this.next = sequence + count
    this.#file = openSync(segment.path, 'r+')
    ftruncateSync(this.#file, segment.wholeBytes)
    this.#bytes = segment.wholeBytes
    if (this.#bytes === 0) this.#write(MAGIC)
  }

  /** Adds a batch, which must continue the archive. It is durable after `sync`. Throws ArchiveError. */
  append(data: Bytes, timeMs: number): void {
    const sequence = batchSequence(data)
    if (this.next !== undefined && sequence !== this.next) {
      throw new ArchiveError(`the archive goes on at sequence ${this.next}, not at ${sequence}`)
    }
    if (this.#file === undefined || this.#bytes >= SEGMENT_BYTES) this.#begin(sequence)
    const record = Buffer.allocUnsafe(HEAD_BYTES + data.length)
    record.writeUInt32LE(data.length, 0)
    record.writeBigUInt64LE(BigInt(timeMs), 8)
    data.copy(record, HEAD_BYTES)
    record.writeUInt32LE(crc32(record.subarray(8)), 4)
    this.#write(record)
    this.next = sequence + batchCount(data)
  }

  sync(): void {
    if (this.#file !== undefined) fdatasyncSync(this.#file)
  }

  close(): void {
    this.sync()
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #begin(sequence: number): void {
    this.close()
    this.#file = openSync(join(this.#directory, `${String(sequence).padStart(20, '0')}.wal`), 'wx')
    this.#bytes = 0
    this.#write(MAGIC)
  }

  #write(bytes: Bytes): void {
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(this.#file as number, bytes, at, bytes.length - at, this.#bytes + at)
    }
    this.#bytes += bytes.length
  }
}

class SegmentReader {
  readonly path: string
  /** Up to where the file is whole; known at the end of `batches`. */
  wholeBytes = 0
  /** Says where the file is cut, if it is. */
  cut: string | undefined

  constructor(path: string) {
    this.path = path
  }

  *batches(): Generator<ArchivedBatch> {
    const bytes = readFileSync(this.path)
    if (!bytes.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, bytes.length))) {
      throw new ArchiveError(`${this.path} is no archived log`)
    }
    if (bytes.length < MAGIC.length) {
      this.cut = `${this.path} is cut in its header`
      return
    }
    for (let at = MAGIC.length; ; ) {
      this.wholeBytes = at
      if (at === bytes.length) return
      const length = at + HEAD_BYTES <= bytes.length ? bytes.readUInt32LE(at) : 0
      const end = at + HEAD_BYTES + length
      if (at + HEAD_BYTES > bytes.length || end > bytes.length) {
        this.cut = `${this.path} is cut in the record at offset ${at}`
        return
      }
      if (crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32LE(at + 4) || length < BATCH_HEADER_BYTES) {
        throw new ArchiveError(`${this.path}: the record at offset ${at} is damaged (wrong checksum)`)
      }
      const data = bytes.subarray(at + HEAD_BYTES, end)
      const timeMs = Number(bytes.readBigUInt64LE(at + 8))
      yield { sequence: batchSequence(data), count: batchCount(data), timeMs, data }
      at = end
    }
  }
}

function firstSequence(name: string): number {
  return Number(name.slice(0, 20))
}
