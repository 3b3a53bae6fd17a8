/** Random elements with repeats, more of them than a reply may hold at once. */

import { OUT_OF_RANGE } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { randomBelow } from '../types/sample.js'
import type { Context, ReplySource } from './context.js'

/** Up to so many draws are made at once. */
const WHOLE_DRAWS_MAX = 100_000
/** So many different elements are drawn from in a longer reply: all of a smaller collection, random ones of a larger. */
export const POOL_MAX = 10_000
const PIECE_BYTES = 32 * 1024

/** True if a count asks for more draws with repeats than are made at once: then `replyDraws` answers. */
export function isLongDraw(count: number | undefined): count is number {
  return count !== undefined && count < -WHOLE_DRAWS_MAX
}

/**
 * Answers with `-count` elements of `pool`, which outlives the command. Throws OUT_OF_RANGE inside a transaction or a
 * script, whose reply is written whole.
 *
 * @param begin writes what stands before `total` elements
 */
export function replyDraws<Item>(
  context: Context,
  pool: readonly Item[],
  count: number,
  begin: (reply: Reply, total: number) => void,
  write: (reply: Reply, item: Item) => void,
): void {
  if (context.db.turn.isHeld) throw OUT_OF_RANGE
  const total = pool.length === 0 ? 0 : -count
  begin(context.reply, total)
  if (total > 0) context.stream(new DrawSource(pool, total, write))
}

class DrawSource<Item> implements ReplySource {
  readonly #pool: readonly Item[]
  readonly #write: (reply: Reply, item: Item) => void
  #left: number

  constructor(pool: readonly Item[], left: number, write: (reply: Reply, item: Item) => void) {
    this.#pool = pool
    this.#left = left
    this.#write = write
  }

  write(reply: Reply): boolean {
    const end = reply.length + PIECE_BYTES
    while (reply.length < end && this.#left > 0) {
      this.#write(reply, this.#pool[randomBelow(this.#pool.length)] as Item)
      this.#left--
    }
    return this.#left > 0
  }

  close(): void {}
}
