/** Reading the entries of streams. Source: kvrocks src/types/redis_stream.cc; redis src/t_stream.c. */

import { type Bytes, compare } from '../../bytes/bytes.js'
import { readVarint32, varint32Size, writeVarint32 } from '../../bytes/varint.js'
import type { Database } from '../../storage/database.js'
import { MetadataFormatError } from '../../storage/metadata.js'
import type { RowCursor } from '../../storage/row-cursor.js'
import { ENTRY_ID_MAX, ID_BYTES, ID_ZERO, nextId, type StreamId } from './ids.js'
import { type OpenStream, openStream, scanEntries } from './rows.js'

export interface Entry {
  readonly id: StreamId
  /** See `readFields`. */
  readonly value: Bytes
}

/** The fields and values of an entry in their stored form. */
export function encodeFields(words: readonly Bytes[]): Bytes {
  let length = 0
  for (const word of words) length += varint32Size(word.length) + word.length
  const value = Buffer.allocUnsafe(length)
  let at = 0
  for (const word of words) {
    at = writeVarint32(value, at, word.length)
    at += word.copy(value, at)
  }
  return value
}

/** The fields and values of an entry, in turn; views of `value`. Throws MetadataFormatError. */
export function readFields(value: Bytes): Bytes[] {
  const words: Bytes[] = []
  const cursor = { at: 0 }
  while (cursor.at < value.length) {
    const length = readVarint32(value, cursor)
    if (length === undefined || length > value.length - cursor.at) {
      throw new MetadataFormatError('a stream entry is cut off')
    }
    words.push(value.subarray(cursor.at, cursor.at + length))
    cursor.at += length
  }
  return words
}
/** Number of entries. */
export function size(db: Database, key: Bytes): number {
  return openStream(db, key)?.metadata.size ?? 0
}

/** Number of entries before or after `id`, without it. */
export function sizeBeside(db: Database, key: Bytes, id: StreamId, before: boolean): number {
  const stream = openStream(db, key)
  if (stream === undefined) return 0
  const next = nextId(id)
  if (!before && next === undefined) return 0
  using cursor = before
    ? scanEntries(stream, ID_ZERO, ENTRY_ID_MAX, { values: false })
    : scanEntries(stream, next as StreamId, ENTRY_ID_MAX, { values: false })
  let count = 0
  while (cursor.next() && !(before && compare(cursor.key, id) >= 0)) count++
  return count
}

/** The entry `id`. */
export function readEntry({ rows }: OpenStream, id: StreamId): Bytes | undefined {
  return compare(id, ENTRY_ID_MAX) <= 0 ? rows.get(id) : undefined
}

export interface Range {
  /** Inclusive. */
  readonly start: StreamId
  /** Inclusive. */
  readonly end: StreamId
  /** From the end to the start. */
  readonly reverse: boolean
  /** Entries at most; 0 = all. */
  readonly count: number
}

/** How many entries `range` has, and the id of the last of them: for replies that tell their length first. */
export function measure(stream: OpenStream, range: Range): { rows: number; last: StreamId } {
  const last = Buffer.alloc(ID_BYTES)
  let rows = 0
  using cursor = openRange(stream, range, false)
  while ((range.count === 0 || rows < range.count) && cursor.next()) {
    cursor.key.copy(last)
    rows++
  }
  return { rows, last }
}

/** Walks `range` from its start to its end: `count` only says how many entries are expected to be taken. */
export function openRange(stream: OpenStream, { start, end, reverse, count }: Range, values = true): RowCursor {
  return scanEntries(stream, start, end, { reverse, values, rowsExpected: count === 0 ? stream.metadata.size : count })
}

/** The entries of `range`, in copies. */
export function readRange(stream: OpenStream, range: Range): Entry[] {
  const entries: Entry[] = []
  using cursor = openRange(stream, range)
  while ((range.count === 0 || entries.length < range.count) && cursor.next()) {
    entries.push({ id: Buffer.from(cursor.key), value: Buffer.from(cursor.value) })
  }
  return entries
}
