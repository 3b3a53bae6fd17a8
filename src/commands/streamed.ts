/** Replies made of the rows of a scan: written at once where they are few, piece by piece where they are many. */

import type { Reply } from '../protocol/reply.js'
import type { RowCursor } from '../storage/row-cursor.js'
import type { Context, ReplySource } from './context.js'

/** Up to so many rows are written at once. */
const WHOLE_ROWS_MAX = 1000
const PIECE_BYTES = 32 * 1024

/** What walks rows: a RowCursor, or one that shows them in another way. */
export interface Walk extends Disposable {
  next(): boolean
  close(): void
}

interface Rows<Cursor extends Walk> {
  /** Opens the scan. It may outlive the command: it must not refer to the arguments. */
  open(): Cursor
  /** Writes the cursor's row. */
  write(reply: Reply, cursor: Cursor): void
}

export interface RowReply<Cursor extends Walk = RowCursor> extends Rows<Cursor> {
  /** Number of rows that the scan will give. */
  readonly rows: number
  /** Writes what stands before the rows. */
  begin(reply: Reply): void
}

export interface UncountedReply<Cursor extends Walk = RowCursor> extends Rows<Cursor> {
  /** Number of the array's elements that `write` writes for each row. */
  readonly perRow: number
  /** Walks the rows to count them. */
  count(): number
}

/** Answers with rows. What the turn has written is committed first where the scan outlives the command. */
export function replyRows<Cursor extends Walk>(context: Context, rows: RowReply<Cursor>): void {
  const { turn } = context.db
  if (rows.rows <= WHOLE_ROWS_MAX || turn.isHeld) {
    using cursor = rows.open()
    rows.begin(context.reply)
    while (cursor.next()) rows.write(context.reply, cursor)
    return
  }
  turn.commit()
  rows.begin(context.reply)
  context.stream(new RowSource(rows.open(), rows))
}

/** Answers with an array of rows whose number is not known. Where they are many they are walked once more to count them. */
export function replyUncounted<Cursor extends Walk>(context: Context, rows: UncountedReply<Cursor>): void {
  const { reply, db } = context
  const start = reply.length
  let written = 0
  reply.counted('array', () => {
    using cursor = rows.open()
    while ((written <= WHOLE_ROWS_MAX || db.turn.isHeld) && cursor.next()) {
      rows.write(reply, cursor)
      written++
    }
    return written * rows.perRow
  })
  if (written <= WHOLE_ROWS_MAX || db.turn.isHeld) return
  reply.truncate(start)
  const count = rows.count()
  replyRows(context, {
    rows: count,
    begin: (to) => to.array(count * rows.perRow),
    open: () => rows.open(),
    write: (to, cursor) => rows.write(to, cursor),
  })
}

class RowSource<Cursor extends Walk> implements ReplySource {
  readonly #cursor: Cursor
  readonly #rows: RowReply<Cursor>

  constructor(cursor: Cursor, rows: RowReply<Cursor>) {
    this.#cursor = cursor
    this.#rows = rows
  }

  write(reply: Reply): boolean {
    const end = reply.length + PIECE_BYTES
    while (reply.length < end) {
      if (!this.#cursor.next()) return false
      this.#rows.write(reply, this.#cursor)
    }
    return true
  }

  close(): void {
    this.#cursor.close()
  }
}
