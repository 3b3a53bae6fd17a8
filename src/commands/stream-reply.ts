/** Entries of streams in replies: written at once where they are few, piece by piece where they are many. */

import type { Bytes } from '../bytes/bytes.js'
import type { Reply } from '../protocol/reply.js'
import type { RowCursor } from '../storage/row-cursor.js'
import { measure, openRange, type Range, readFields } from '../types/stream/entries.js'
import { formatId, type StreamId } from '../types/stream/ids.js'
import type { OpenStream } from '../types/stream/rows.js'
import type { Context, ReplySource } from './context.js'

/** Up to so many entries are written at once. */
const WHOLE_ENTRIES_MAX = 1000
const PIECE_BYTES = 32 * 1024

/** `[id, [field, value, …]]`. `value` is the entry's stored form. */
export function replyEntry(reply: Reply, id: StreamId, value: Bytes): void {
  const words = readFields(value)
  reply.array(2)
  reply.bulk(formatId(id))
  reply.array(words.length)
  for (const word of words) reply.bulk(word)
}

/** A range of a stream, and what stands before it in the reply. */
export interface RangeReply {
  readonly stream: OpenStream
  readonly range: Range
  /** Writes what stands before the array of entries. It may be called after the command: it must own what it writes. */
  begin?(reply: Reply): void
}

/** Answers with an array of entries for each range, one after the other, after what `begin` writes. */
export function replyRanges(context: Context, ranges: readonly RangeReply[], begin?: (reply: Reply) => void): void {
  const { db, reply } = context
  let entriesMax = 0
  for (const { stream, range } of ranges) {
    entriesMax += range.count === 0 ? stream.metadata.size : Math.min(range.count, stream.metadata.size)
  }
  if (entriesMax <= WHOLE_ENTRIES_MAX || db.turn.isHeld) {
    begin?.(reply)
    for (const range of ranges) replyWhole(reply, range)
    return
  }
  // The reply outlives the turn: what it shows must be in the database.
  db.turn.commit()
  const measured = ranges.map((range) => new MeasuredRange(range))
  begin?.(reply)
  context.stream(new RangesSource(measured))
}

/** Answers with one range at once, however long it is. */
export function replyWhole(reply: Reply, { stream, range, begin }: RangeReply): void {
  begin?.(reply)
  using cursor = openRange(stream, range)
  reply.counted('array', () => {
    let count = 0
    while ((range.count === 0 || count < range.count) && cursor.next()) {
      replyEntry(reply, cursor.key, cursor.value)
      count++
    }
    return count
  })
}

/**
 * A range whose rows were counted, in the snapshot that its cursor keeps. The stream's own size is not enough: Kvrocks
 * lets it differ from the rows, and a reply that promised too much would hang the client.
 */
class MeasuredRange {
  readonly cursor: RowCursor
  readonly #rows: number
  readonly #begin: ((reply: Reply) => void) | undefined
  #left: number

  constructor({ stream, range, begin }: RangeReply) {
    this.#rows = measure(stream, range).rows
    this.#left = this.#rows
    this.#begin = begin
    this.cursor = openRange(stream, range)
  }

  begin(reply: Reply): void {
    this.#begin?.(reply)
    reply.array(this.#rows)
  }

  /** Writes an entry; false after the last. */
  write(reply: Reply): boolean {
    if (this.#left === 0) return false
    this.#left--
    if (!this.cursor.next()) throw new Error('a stream has fewer entries than were counted')
    replyEntry(reply, this.cursor.key, this.cursor.value)
    return true
  }
}

class RangesSource implements ReplySource {
  readonly #ranges: readonly MeasuredRange[]
  #at = -1

  constructor(ranges: readonly MeasuredRange[]) {
    this.#ranges = ranges
  }

  write(reply: Reply): boolean {
    const end = reply.length + PIECE_BYTES
    while (reply.length < end) {
      if (this.#ranges[this.#at]?.write(reply) === true) continue
      const next = this.#ranges[++this.#at]
      if (next === undefined) return false
      next.begin(reply)
    }
    return true
  }

  close(): void {
    for (const { cursor } of this.#ranges) cursor.close()
  }
}
