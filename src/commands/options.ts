/**
 * Reads the options after a command's fixed arguments. The first mistake is latched, so that a parser reads on without
 * looking and checks once, by `end`.
 */

import type { Bytes } from '../bytes/bytes.js'
import { parseDouble } from '../bytes/double.js'
import { type Int64, parseInt64 } from '../bytes/int64.js'
import type { Args } from '../protocol/args.js'
import { NOT_A_FLOAT, NOT_AN_INTEGER, type ReplyError, SYNTAX } from '../protocol/errors.js'

export class OptionReader {
  readonly #args: Args
  #at: number
  #refusal: ReplyError | undefined

  /** Begins at word `from`. */
  constructor(args: Args, from: number) {
    this.#args = args
    this.#at = from
  }

  /** True while words are left and no mistake was found. */
  get hasMore(): boolean {
    return this.#refusal === undefined && this.#at < this.#args.count
  }

  /** Index of the next word. */
  get index(): number {
    return this.#at
  }

  /** Words that are left. */
  get left(): number {
    return this.#args.count - this.#at
  }

  /** Takes the next word if it is `word` (lower case), whatever its case. */
  take(word: string): boolean {
    if (!this.hasMore || !this.#args.is(this.#at, word)) return false
    this.#at++
    return true
  }

  /** The next word as it is; none left is a syntax error, and then the result is empty. */
  word(): Bytes {
    if (!this.hasMore) {
      this.refuse(SYNTAX)
      return Buffer.alloc(0)
    }
    return this.#args.at(this.#at++)
  }

  /** The next word as an int64. */
  int64(refusal: ReplyError = NOT_AN_INTEGER): Int64 {
    const value = parseInt64(this.word())
    if (value !== undefined) return value
    this.refuse(refusal)
    return 0
  }

  /** The next word as a number between `min` and `max`, both safe integers. */
  integer(min: number, max: number, refusal: ReplyError = NOT_AN_INTEGER): number {
    const value = parseClamped(this.word())
    if (value !== undefined && value >= min && value <= max) return value
    this.refuse(refusal)
    return min
  }

  double(refusal: ReplyError = NOT_A_FLOAT): number {
    const value = parseDouble(this.word())
    if (value !== undefined) return value
    this.refuse(refusal)
    return 0
  }

  /** Remembers the first mistake; the caller may go on reading. */
  refuse(error: ReplyError): void {
    this.#refusal ??= error
  }

  /** Throws the first mistake, or a syntax error if words are left. */
  end(): void {
    if (this.#refusal !== undefined) throw this.#refusal
    if (this.#at < this.#args.count) throw SYNTAX
  }
}

/** Word `index` as an int64. Throws `refusal`. */
export function int64At(args: Args, index: number, refusal: ReplyError = NOT_AN_INTEGER): Int64 {
  const value = parseInt64(args.at(index))
  if (value === undefined) throw refusal
  return value
}

/** Word `index` as a safe integer between `min` and `max`. Throws `refusal`. */
export function integerAt(
  args: Args,
  index: number,
  min: number = Number.MIN_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
  refusal: ReplyError = NOT_AN_INTEGER,
): number {
  const value = parseClamped(args.at(index))
  if (value === undefined || value < min || value > max) throw refusal
  return value
}

/** Word `index` as a double. Throws `refusal`. */
export function doubleAt(args: Args, index: number, refusal: ReplyError = NOT_A_FLOAT): number {
  const value = parseDouble(args.at(index))
  if (value === undefined) throw refusal
  return value
}

/** An int64; beyond the safe integers, where no count or position of ours can lie, the nearest of them. */
function parseClamped(text: Bytes): number | undefined {
  const value = parseInt64(text)
  if (typeof value !== 'bigint') return value
  return value > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
}

/** True for ON, false for OFF. Throws SYNTAX. */
export function onOffAt(args: Args, index: number): boolean {
  if (args.is(index, 'on')) return true
  if (args.is(index, 'off')) return false
  throw SYNTAX
}
