/**
 * What a file of the write-ahead log says of itself. RocksDB's own list of them waits for all deletions of files to end,
 * which stalls the caller for up to 135 ms under load (measured): too long for every second.
 *
 *   record    crc(4) length(2) type(1) [log number(4), types 5 to 8] payload(length)
 *   payload   of types full and first: the beginning of a write batch, which is its sequence(8)
 *
 * Numbers are little-endian. Source: rocksdb db/log_format.h, db/write_batch.cc.
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

export interface WalFileHead {
  /** Of its first batch; undefined if that cannot be told from here, as in compressed files. */
  readonly startSequence: number | undefined
  readonly bytes: number
  /** Unix milliseconds of its last write, by the machine's clock. */
  readonly writtenAtMs: number
}

const FULL = 1
const FIRST = 2
/** Is added to the type of records in files that are used again. */
const RECYCLABLE = 4
const HEADER_BYTES = 7
const RECYCLABLE_HEADER_BYTES = 11
const SEQUENCE_BYTES = 8

/** Undefined if there is no such file, or no record in it. */
export function readWalHead(path: string): WalFileHead | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { size, mtimeMs } = fstatSync(file)
    const head = Buffer.alloc(RECYCLABLE_HEADER_BYTES + SEQUENCE_BYTES)
    if (readSync(file, head, 0, head.length, 0) < head.length) return undefined
    return { startSequence: firstSequence(head), bytes: size, writtenAtMs: mtimeMs }
  } finally {
    closeSync(file)
  }
}

function firstSequence(head: Buffer): number | undefined {
  const type = head.readUInt8(6)
  if (type === FULL || type === FIRST) return Number(head.readBigUInt64LE(HEADER_BYTES))
  const isRecyclable = type === FULL + RECYCLABLE || type === FIRST + RECYCLABLE
  return isRecyclable ? Number(head.readBigUInt64LE(RECYCLABLE_HEADER_BYTES)) : undefined
}
