/** Random elements: what SRANDMEMBER, HRANDFIELD and ZRANDMEMBER have in common. */

import type { Args } from '../protocol/args.js'
import { OUT_OF_RANGE, SYNTAX } from '../protocol/errors.js'
import type { Reply } from '../protocol/reply.js'
import { randomBelow } from '../types/sample.js'
import type { Context, ReplySource } from './context.js'
import { integerAt } from './options.js'

/** Up to so many draws are made at once. */
const WHOLE_DRAWS_MAX = 100_000
/** So many different elements are drawn from in a longer reply: all of a smaller collection, random ones of a larger. */
const POOL_MAX = 10_000
const PIECE_BYTES = 32 * 1024
/** So that the reply's number of elements stays a safe one. Source: redis src/t_hash.c, hrandfieldCommand. */
const COUNT_MAX = Number.MAX_SAFE_INTEGER / 2

export interface RandomOptions {
  /** Undefined: one element, not in an array; < 0: so many draws, with repeats. */
  readonly count: number | undefined
  readonly withValues: boolean
}

/** `key [count [WITHVALUES]]`, where `valuesWord` is the last word; without one, nothing may follow the count. */
export function parseRandom(args: Args, valuesWord?: string): RandomOptions {
  if (args.count === 2) return { count: undefined, withValues: false }
  const count = integerAt(args, 2)
  const withValues = args.count === 4 && valuesWord !== undefined && args.is(3, valuesWord)
  if (args.count > 3 && !withValues) throw SYNTAX
  if (Math.abs(count) > COUNT_MAX) throw OUT_OF_RANGE
  return { count, withValues }
}

/**
 * Answers with `count` elements, by and by where repeats make them more than a reply may hold at once. Throws OUT_OF_RANGE
 * for so many inside a transaction or a script, whose reply is written whole.
 *
 * @param draw gives so many elements, which outlive the command
 * @param begin writes what stands before `total` elements
 */
export function replyRandom<Item>(
  context: Context,
  count: number,
  draw: (count: number) => readonly Item[],
  begin: (reply: Reply, total: number) => void,
  write: (reply: Reply, item: Item) => void,
): void {
  const { reply } = context
  if (count >= -WHOLE_DRAWS_MAX) {
    const items = draw(count)
    begin(reply, items.length)
    for (const item of items) write(reply, item)
    return
  }
  if (context.db.turn.isHeld) throw OUT_OF_RANGE
  const pool = draw(POOL_MAX)
  const total = pool.length === 0 ? 0 : -count
  begin(reply, total)
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
