/**
 * The words of one request. They are borrowed: a view that `at` returns, and the Args themselves, live until the command
 * has been executed; what outlives it is copied.
 */

import type { Bytes } from '../bytes/bytes.js'

export class Args {
  /** Number of words, the command's name included. */
  count = 0
  #buffer: Bytes
  #starts: number[] = []
  #lengths: number[] = []

  constructor(buffer: Bytes) {
    this.#buffer = buffer
  }

  /** Args over copies of `words`, which nothing else shares. */
  static of(words: readonly Bytes[]): Args {
    const args = new Args(Buffer.concat(words))
    let at = 0
    for (const word of words) {
      args.push(at, word.length)
      at += word.length
    }
    return args
  }

  /** Word `index` as a view; throws a RangeError past the end, for that is a mistake of the command's author. */
  at(index: number): Bytes {
    if (index < 0 || index >= this.count) throw new RangeError(`argument ${index} of ${this.count}`)
    const start = this.#starts[index] as number
    return this.#buffer.subarray(start, start + (this.#lengths[index] as number))
  }

  lengthAt(index: number): number {
    return this.#lengths[index] ?? 0
  }

  /** Word `index` decoded byte by byte, as names of commands and options are. */
  latin1(index: number): string {
    const start = this.#starts[index] as number
    return this.#buffer.latin1Slice(start, start + (this.#lengths[index] as number))
  }

  /** Compares word `index`, ignoring the case of ASCII letters, with `word`, which must be lower case. */
  is(index: number, word: string): boolean {
    if (index >= this.count || this.#lengths[index] !== word.length) return false
    const start = this.#starts[index] as number
    for (let i = 0; i < word.length; i++) {
      let byte = this.#buffer[start + i] as number
      if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20
      if (byte !== word.charCodeAt(i)) return false
    }
    return true
  }

  /** A hash of word `index` that ignores the case of ASCII letters; see `hashWord`. */
  hashAt(index: number): number {
    const start = this.#starts[index] as number
    const end = start + (this.#lengths[index] as number)
    let hash = end - start
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + ((this.#buffer[at] as number) | 0x20)) | 0
    return hash >>> 0
  }

  /** Words `from` to the end as views. */
  rest(from: number): Bytes[] {
    const words: Bytes[] = []
    for (let index = from; index < this.count; index++) words.push(this.at(index))
    return words
  }

  /** A copy that stays valid. */
  copy(): Args {
    return Args.of(this.rest(0))
  }

  /** Sum of the words' lengths in bytes. */
  byteLength(): number {
    let total = 0
    for (let index = 0; index < this.count; index++) total += this.#lengths[index] as number
    return total
  }

  /** For the parser: forgets all words; later words lie in `buffer`. */
  reset(buffer: Bytes): void {
    this.#buffer = buffer
    this.count = 0
  }

  /** For the parser: adds a word by its place in the buffer. */
  push(start: number, length: number): void {
    this.#starts[this.count] = start
    this.#lengths[this.count] = length
    this.count++
  }

  /** For the parser: the same words after their bytes moved to `buffer`, `shift` bytes nearer to its start. */
  rebase(buffer: Bytes, shift: number): void {
    this.#buffer = buffer
    for (let index = 0; index < this.count; index++) this.#starts[index] = (this.#starts[index] as number) - shift
  }
}

/** The hash of a lower-case name, equal to `Args.hashAt` of any spelling of it. */
export function hashWord(word: string): number {
  let hash = word.length
  for (let i = 0; i < word.length; i++) hash = (Math.imul(hash, 31) + (word.charCodeAt(i) | 0x20)) | 0
  return hash >>> 0
}
