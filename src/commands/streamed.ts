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
  /** Number of rows that the scan should give. It gives less where the key's size is wrong. */
  readonly rows: number
  /** Writes what stands before so many rows. */
  begin(reply: Reply, rows: number): void
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
    const start = context.reply.length
    const written = writeRows(context.reply, rows, rows.rows)
    if (written === rows.rows) return
    context.reply.truncate(start)
    writeRows(context.reply, rows, written)
    return
  }
  turn.commit()
  rows.begin(context.reply, rows.rows)
  context.stream(new RowSource(rows.open(), rows))
}

/** Writes `count` rows, or as many as there are, and returns their number. */
function writeRows<Cursor extends Walk>(reply: Reply, rows: RowReply<Cursor>, count: number): number {
  using cursor = rows.open()
  rows.begin(reply, count)
  let written = 0
  for (; written < count && cursor.next(); written++) rows.write(reply, cursor)
  return written
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
    begin: (to, found) => to.array(found * rows.perRow),
    open: () => rows.open(),
    write: (to, cursor) => rows.write(to, cursor),
  })
}

class RowSource<Cursor extends Walk> implements ReplySource {
  readonly #cursor: Cursor
  readonly #rows: RowReply<Cursor>
  #left: number

  constructor(cursor: Cursor, rows: RowReply<Cursor>) {
    this.#cursor = cursor
    this.#rows = rows
    this.#left = rows.rows
  }

  /** Throws if there are fewer rows than were announced: the client would wait for them. */
  write(reply: Reply): boolean {
    const end = reply.length + PIECE_BYTES
    while (reply.length < end) {
      if (this.#left === 0) return false
      if (!this.#cursor.next()) throw new Error(`the key lacks ${this.#left} of its ${this.#rows.rows} elements`)
      this.#rows.write(reply, this.#cursor)
      this.#left--
    }
    return true
  }

  close(): void {
    this.#cursor.close()
  }
}
