/** Replies made of the rows of a scan: written at once where they are few, piece by piece where they are many. */

import type { Reply } from '../protocol/reply.js'
import type { RowCursor } from '../storage/row-cursor.js'
import type { Context, ReplySource } from './context.js'

/** Up to so many rows are written at once. */
const WHOLE_ROWS_MAX = 1000
const PIECE_BYTES = 32 * 1024

export interface RowReply {
  /** Number of rows that the scan will give. */
  readonly rows: number
  /** Writes what stands before the rows. */
  begin(reply: Reply): void
  /** Opens the scan. It may outlive the command: it must not refer to the arguments. */
  open(): RowCursor
  /** Writes the cursor's row. */
  write(reply: Reply, cursor: RowCursor): void
}

/** Answers with rows. What the turn has written is committed first where the scan outlives the command. */
export function replyRows(context: Context, rows: RowReply): void {
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

class RowSource implements ReplySource {
  readonly #cursor: RowCursor
  readonly #rows: RowReply

  constructor(cursor: RowCursor, rows: RowReply) {
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
