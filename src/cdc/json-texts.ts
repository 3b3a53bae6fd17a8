/** JSON texts of changes in the bytes that a client gets, one behind the other in memory that is used again. */

import { isUtf8 } from 'node:buffer'
import { type Bytes, latin1 } from '../bytes/bytes.js'
import type { Reply } from '../protocol/reply.js'

const INITIAL_BYTES = 64 * 1024
/** Memory of longer texts is not kept. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024
/** Printable ASCII is written as it is looked at, if it is no longer than this. */
const PLAIN_BYTES_MAX = 256
const NUMBER_BYTES_MAX = 17
const QUOTE = 0x22
const BACKSLASH = 0x5c

export class JsonTexts {
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  /** Bytes of all texts, finished or not. */
  length = 0
  readonly #ends: number[] = []

  /** Number of finished texts. */
  get count(): number {
    return this.#ends.length
  }

  clear(): void {
    this.length = 0
    this.#ends.length = 0
    if (this.#buffer.length > KEPT_BYTES_MAX) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  }

  /** What was written since the text before is a text. */
  end(): void {
    this.#ends.push(this.length)
  }

  /** Forgets what was written since the text before. */
  drop(): void {
    this.length = this.#ends.at(-1) ?? 0
  }

  writeTo(reply: Reply, index: number): void {
    reply.bulkPart(this.#buffer, index === 0 ? 0 : (this.#ends[index - 1] as number), this.#ends[index] as number)
  }

  /** What was written since the text before, as a string. */
  begunText(): string {
    return this.#buffer.utf8Slice(this.#ends.at(-1) ?? 0, this.length)
  }

  /** JSON as it is; not long. */
  put(bytes: Uint8Array): void {
    const size = bytes.length
    this.#reserve(size)
    const buffer = this.#buffer
    let at = this.length
    for (let i = 0; i < size; i++) buffer[at++] = bytes[i] as number
    this.length = at
  }

  putText(text: string): void {
    this.put(latin1(text))
  }

  /** A whole number that is exact. */
  number(value: number): void {
    if (value < 0) {
      this.putText(String(value))
      return
    }
    this.#reserve(NUMBER_BYTES_MAX)
    const buffer = this.#buffer
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits++
    let rest = value
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const next = rest < 0x80000000 ? ((rest | 0) / 10) | 0 : Math.floor(rest / 10)
      buffer[at] = 0x30 + (rest - next * 10)
      rest = next
    }
    this.length += digits
  }

  /** A byte string: a JSON string where it is valid UTF-8, else {"base64":"…"}. */
  bytes(source: Bytes, from = 0, to = source.length): void {
    if (to - from <= PLAIN_BYTES_MAX && this.#plain(source, from, to)) return
    const value = source.subarray(from, to)
    const text = isUtf8(value) ? JSON.stringify(value.utf8Slice(0)) : `{"base64":"${value.toString('base64')}"}`
    const size = Buffer.byteLength(text)
    this.#reserve(size)
    this.length += this.#buffer.utf8Write(text, this.length, size)
  }

  /** Writes printable ASCII that JSON does not escape, as most words are. False, and nothing written, of any other. */
  #plain(source: Bytes, from: number, to: number): boolean {
    this.#reserve(to - from + 2)
    const buffer = this.#buffer
    let at = this.length
    buffer[at++] = QUOTE
    for (let i = from; i < to; i++) {
      const byte = source[i] as number
      if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) return false
      buffer[at++] = byte
    }
    buffer[at++] = QUOTE
    this.length = at
    return true
  }

  #reserve(size: number): void {
    const needed = this.length + size
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.length)
    this.#buffer = larger
  }
}
