/**
 * JSON texts of changes in the bytes that a client gets, one behind the other in memory that is used again: each after the
 * same frame, and as a bulk string.
 */

import { isUtf8 } from 'node:buffer'
import { type Bytes, EMPTY } from '../bytes/bytes.js'
import type { Reply } from '../protocol/reply.js'

const INITIAL_BYTES = 64 * 1024
/** Memory of longer texts is not kept. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024
/** Up to this ASCII is written as it is looked at. */
const PLAIN_BYTES_MAX = 1024
/** Up to this a loop over words is faster than a call of `copyWithin`. */
const LOOP_BYTES_MAX = 256
const NUMBER_BYTES_MAX = 17
/** Left free before a text: as much as the header of most takes. */
const HEADER_BYTES = '$123\r\n'.length
const HEADER_BYTES_MAX = 24
const HEADER_DIGITS = 3
const CRLF_BYTES = 2
export const WORD_BYTES = 4
const DOLLAR = 0x24
const CR = 0x0d
const LF = 0x0a
export const QUOTE = 0x22
export const BACKSLASH = 0x5c
const DIGIT_0 = 0x30

/** ASCII that is written again and again, as words of 4 bytes: storing these takes a third of the time. */
export class FixedText {
  readonly size: number
  readonly words: Int32Array

  constructor(text: string) {
    const bytes = Buffer.alloc(Math.ceil(text.length / WORD_BYTES) * WORD_BYTES)
    bytes.latin1Write(text, 0)
    this.size = text.length
    this.words = Int32Array.from({ length: bytes.length / WORD_BYTES }, (_, i) => bytes.readInt32LE(i * WORD_BYTES))
  }
}

interface TextsMark {
  readonly count: number
  readonly end: number
  readonly finishedBytes: number
}

export class JsonTexts {
  /** Number of finished texts. */
  count = 0
  /** Where the next byte goes. */
  position = 0
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  /** The memory, for those who write in place after `reserve`. */
  view = new DataView(this.#buffer.buffer)
  #frame: Bytes = EMPTY
  /** Bytes of the finished texts, without what stands around them. */
  #finishedBytes = 0
  /** Where the finished texts end, and the one under way begins. */
  #end = 0
  #start = 0
  /** Where the text before begins. */
  before = 0

  constructor() {
    this.#begin()
  }

  /** Bytes of the text under way. */
  get begunBytes(): number {
    return this.position - this.#start
  }

  /** Bytes of all texts, finished or not. */
  get length(): number {
    return this.#finishedBytes + this.position - this.#start
  }

  /** Forgets all. `frame`: what is to stand before each text. */
  clear(frame: Bytes = EMPTY): void {
    if (this.#buffer.length > KEPT_BYTES_MAX) this.#use(Buffer.allocUnsafeSlow(INITIAL_BYTES))
    this.#frame = frame
    this.count = 0
    this.#finishedBytes = 0
    this.#end = 0
    this.position = 0
    this.#begin()
  }

  /** What was written since the text before is a text. */
  end(): void {
    const size = this.position - this.#start
    if (size < 100 || size > 999) this.#move(size)
    const buffer = this.#buffer
    let at = this.#start - CRLF_BYTES
    buffer[at] = CR
    buffer[at + 1] = LF
    let rest = size
    do {
      const next = (rest / 10) | 0
      buffer[--at] = DIGIT_0 + rest - next * 10
      rest = next
    } while (rest > 0)
    buffer[at - 1] = DOLLAR
    this.reserve(CRLF_BYTES)
    this.#buffer[this.position++] = CR
    this.#buffer[this.position++] = LF
    this.#end = this.position
    this.#finishedBytes += size
    this.before = this.#start
    this.count++
    this.#begin()
  }

  /** Forgets what was written since the text before. */
  drop(): void {
    this.position = this.#start
  }

  /** Where the finished texts end, to return to. */
  mark(): TextsMark {
    return { count: this.count, end: this.#end, finishedBytes: this.#finishedBytes }
  }

  /** Forgets all texts after `mark`. */
  returnTo({ count, end, finishedBytes }: TextsMark): void {
    this.count = count
    this.#end = end
    this.#finishedBytes = finishedBytes
    this.position = end
    this.#begin()
  }

  /** All finished texts. */
  writeTo(reply: Reply): void {
    reply.raw(this.#buffer.subarray(0, this.#end))
  }

  /** What was written since the text before, as a string. */
  begunText(): string {
    return this.#buffer.utf8Slice(this.#start, this.position)
  }

  /** Makes room for so many bytes from `position` on. */
  reserve(size: number): void {
    const needed = this.position + size
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.position)
    this.#use(larger)
  }

  /** JSON as it is. */
  put(text: FixedText): void {
    this.reserve(text.size + WORD_BYTES)
    this.position = putText(this.view, this.position, text)
  }

  /** JSON as it is, in ASCII; not long. */
  putText(text: string): void {
    const size = text.length
    this.reserve(size)
    const buffer = this.#buffer
    let at = this.position
    for (let i = 0; i < size; i++) buffer[at++] = text.charCodeAt(i)
    this.position = at
  }

  /** Writes again what stands from `from` up to `end`. */
  repeat(from: number, end: number): void {
    this.reserve(end - from + WORD_BYTES)
    const at = this.position
    this.position += end - from
    if (end - from > LOOP_BYTES_MAX) {
      this.#buffer.copyWithin(at, from, end)
      return
    }
    copyWords(this.view, at, from, end - from)
  }

  /** A whole number that is exact. */
  number(value: number): void {
    if (value < 0) {
      this.putText(String(value))
      return
    }
    this.reserve(NUMBER_BYTES_MAX)
    const buffer = this.#buffer
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits++
    let rest = value
    for (let at = this.position + digits - 1; at >= this.position; at--) {
      const next = rest < 0x80000000 ? ((rest | 0) / 10) | 0 : Math.floor(rest / 10)
      buffer[at] = DIGIT_0 + (rest - next * 10)
      rest = next
    }
    this.position += digits
  }

  /** A byte string: a JSON string where it is valid UTF-8, else {"base64":"…"}. */
  bytes(source: Bytes, from = 0, to = source.length): void {
    if (to - from <= PLAIN_BYTES_MAX && this.#plain(source, from, to)) return
    const value = source.subarray(from, to)
    const text = isUtf8(value) ? JSON.stringify(value.utf8Slice(0)) : `{"base64":"${value.toString('base64')}"}`
    const size = Buffer.byteLength(text)
    this.reserve(size)
    this.position += this.#buffer.utf8Write(text, this.position, size)
  }

  /** Writes ASCII without control characters, as most words are. False, and nothing written, of any other. */
  #plain(source: Bytes, from: number, to: number): boolean {
    this.reserve((to - from) * 2 + 2)
    const buffer = this.#buffer
    const view = this.view
    let at = this.position
    buffer[at++] = QUOTE
    for (let i = from; i < to; ) {
      if (i + WORD_BYTES <= to) {
        const word = wordAt(source, i)
        if (isPlain(word)) {
          view.setInt32(at, word, true)
          at += WORD_BYTES
          i += WORD_BYTES
          continue
        }
      }
      const byte = source[i++] as number
      if (byte < 0x20 || byte > 0x7f) return false
      if (byte === QUOTE || byte === BACKSLASH) buffer[at++] = BACKSLASH
      buffer[at++] = byte
    }
    buffer[at++] = QUOTE
    this.position = at
    return true
  }

  /** Writes the frame, and leaves room for a header. */
  #begin(): void {
    const frame = this.#frame
    const size = frame.length
    this.reserve(size + HEADER_BYTES_MAX)
    const buffer = this.#buffer
    let at = this.position
    for (let i = 0; i < size; i++) buffer[at++] = frame[i] as number
    this.position = at + HEADER_BYTES
    this.#start = this.position
  }

  /** Moves the text under way to where it has to begin if its header takes less or more room than was left for it. */
  #move(size: number): void {
    const by = String(size).length - HEADER_DIGITS
    this.reserve(by + CRLF_BYTES)
    this.#buffer.copyWithin(this.#start + by, this.#start, this.position)
    this.#start += by
    this.position += by
  }

  #use(buffer: Buffer<ArrayBuffer>): void {
    this.#buffer = buffer
    this.view = new DataView(buffer.buffer)
  }
}

/** Copies at least `size` bytes within `view`, and up to three more. */
export function copyWords(view: DataView, toAt: number, fromAt: number, size: number): void {
  for (let i = 0; i < size; i += WORD_BYTES) view.setInt32(toAt + i, view.getInt32(fromAt + i, true), true)
}

/** Writes `text` at `at`, and up to three bytes more. Returns where it ends. */
export function putText(view: DataView, at: number, { words, size }: FixedText): number {
  for (let i = 0; i < words.length; i++) view.setInt32(at + i * WORD_BYTES, words[i] as number, true)
  return at + size
}

/** The 4 bytes from `at` on. */
function wordAt(bytes: Bytes, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
  return low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)
}

/** True if none of a word's 4 bytes is a control character, a quote, a backslash or not ASCII. */
export function isPlain(word: number): boolean {
  const quotes = word ^ 0x22222222
  const backslashes = word ^ 0x5c5c5c5c
  // The highest bit of a byte that is less than another one, or zero, is set in the difference alone.
  const marks =
    word |
    ((word - 0x20202020) & ~word) |
    ((quotes - 0x01010101) & ~quotes) |
    ((backslashes - 0x01010101) & ~backslashes)
  return (marks & 0x80808080) === 0
}
