/**
 * Cuts a connection's bytes into requests: arrays of bulk strings, or inline lines. It keeps its place inside a frame, so
 * that bytes are looked at once however they arrive, and takes memory only for bytes that did arrive.
 * Source: redis src/networking.c, processMultibulkBuffer and processInlineBuffer.
 */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import { splitArgs } from '../bytes/quoting.js'
import { Args } from './args.js'
import * as errors from './errors.js'

const CR = 0x0d
const LF = 0x0a
const STAR = 0x2a
const DOLLAR = 0x24
const LINE_BYTES_MAX = 64 * 1024
const UNAUTHENTICATED_WORDS_MAX = 10
const UNAUTHENTICATED_BULK_BYTES_MAX = 16_384
const WORDS_MAX = 1024 * 1024
/** A buffer that grew past this for one large request is given back after it. */
const KEPT_BYTES_MAX = 64 * 1024

export interface ParserLimits {
  /** proto-max-bulk-len, in bytes. */
  bulkBytesMax: number
  /** False until the client has authenticated: then a request is small. */
  authenticated: boolean
}

export class RequestParser {
  /** The words of the request that `next` found; borrowed until the next call of `next` or `feed`. */
  readonly args = new Args(EMPTY)
  readonly #limits: ParserLimits
  #buffer: Bytes = EMPTY
  #owned = false
  #at = 0
  #end = 0
  /** Where the request begun but not complete starts. */
  #frameStart = 0
  /** Words still missing in that request; 0 between requests. */
  #wordsLeft = 0
  /** Length of the bulk string whose header has been read; -1 if none. */
  #bulkBytes = -1
  /** No line end lies before this offset. */
  #scannedTo = 0

  constructor(limits: ParserLimits) {
    this.#limits = limits
  }

  /** Bytes that have arrived and belong to no complete request. */
  get pendingBytes(): number {
    return this.#end - this.#frameStart
  }

  /** Bytes that have arrived behind the request that `next` has given. */
  get unreadBytes(): number {
    return this.#end - this.#at
  }

  /** Takes the next bytes of the connection; they are borrowed until the next `feed`. */
  feed(chunk: Bytes): void {
    const kept = this.#end - this.#frameStart
    if (kept === 0) {
      this.#adopt(chunk)
      return
    }
    const needed = kept + chunk.length
    if (this.#owned && this.#end + chunk.length <= this.#buffer.length) {
      chunk.copy(this.#buffer, this.#end)
      this.#end += chunk.length
      return
    }
    const grown = Buffer.allocUnsafeSlow(this.#roomFor(needed))
    this.#buffer.copy(grown, 0, this.#frameStart, this.#end)
    chunk.copy(grown, kept)
    this.#move(grown, needed)
  }

  /** Finds the next complete request. False: more bytes are needed. Throws a ProtocolError. */
  next(): boolean {
    for (;;) {
      if (this.#wordsLeft === 0) {
        this.#frameStart = this.#at
        if (this.#at === this.#end) return this.#drained()
        this.args.reset(this.#buffer)
        if (this.#buffer[this.#at] !== STAR) {
          if (!this.#readInline()) return false
          if (this.args.count > 0) return true
          continue
        }
        if (!this.#readCount()) return false
        if (this.#wordsLeft === 0) continue
      }
      return this.#readWords()
    }
  }

  #adopt(chunk: Bytes): void {
    this.#buffer = chunk
    this.#owned = false
    this.#at = 0
    this.#frameStart = 0
    this.#scannedTo = 0
    this.#end = chunk.length
  }

  /** What a large announced string needs is taken at once up to 1 MiB, beyond that as bytes arrive, by doubling. */
  #roomFor(needed: number): number {
    const announced = this.#bulkBytes > 0 ? this.#at - this.#frameStart + this.#bulkBytes + 2 : 0
    return Math.max(needed * 2, Math.min(announced, Math.max(1 << 20, needed * 2)))
  }

  #move(grown: Bytes, length: number): void {
    const shift = this.#frameStart
    this.args.rebase(grown, shift)
    this.#buffer = grown
    this.#owned = true
    this.#at -= shift
    this.#scannedTo = Math.max(0, this.#scannedTo - shift)
    this.#frameStart = 0
    this.#end = length
  }

  #drained(): boolean {
    if (this.#buffer.length > KEPT_BYTES_MAX || !this.#owned) this.#buffer = EMPTY
    this.#owned = false
    this.#at = 0
    this.#end = 0
    this.#frameStart = 0
    this.#scannedTo = 0
    return false
  }

  /** Offset of the LF that ends the line at #at, or -1. */
  #lineEnd(tooLong: errors.ProtocolError): number {
    const from = Math.max(this.#at, this.#scannedTo)
    const found = this.#buffer.subarray(0, this.#end).indexOf(LF, from)
    const length = (found === -1 ? this.#end : found) - this.#at
    if (length > LINE_BYTES_MAX) throw tooLong
    if (found === -1) this.#scannedTo = this.#end
    return found
  }

  #readInline(): boolean {
    const lf = this.#lineEnd(errors.LONG_INLINE)
    if (lf === -1) return false
    const end = lf > this.#at && this.#buffer[lf - 1] === CR ? lf - 1 : lf
    const words = splitArgs(this.#buffer.subarray(this.#at, end))
    if (words === undefined) throw errors.UNBALANCED_QUOTES
    this.#at = lf + 1
    const text = Buffer.concat(words)
    this.args.reset(text)
    let at = 0
    for (const word of words) {
      this.args.push(at, word.length)
      at += word.length
    }
    return true
  }

  #readCount(): boolean {
    // Nearly every count has one digit, and all of its line is here.
    const at = this.#at
    if (at + 4 <= this.#end && this.#buffer[at + 2] === CR && this.#buffer[at + 3] === LF) {
      const digit = (this.#buffer[at + 1] as number) - 0x30
      if (digit >= 0 && digit <= 9) {
        this.#at = at + 4
        this.#wordsLeft = digit
        return true
      }
    }
    const lf = this.#lineEnd(errors.LONG_MULTIBULK_LINE)
    if (lf === -1) return false
    const count = this.#lineNumber(lf)
    if (count === undefined || count > WORDS_MAX) throw errors.BAD_MULTIBULK_LENGTH
    if (count > UNAUTHENTICATED_WORDS_MAX && !this.#limits.authenticated) throw errors.UNAUTHENTICATED_MULTIBULK
    this.#at = lf + 1
    this.#wordsLeft = Math.max(0, count)
    return true
  }

  #readWords(): boolean {
    const buffer = this.#buffer
    while (this.#wordsLeft > 0) {
      if (this.#bulkBytes === -1 && !this.#readBulkLength()) return false
      const next = this.#at + this.#bulkBytes + 2
      if (next > this.#end) return false
      if (buffer[next - 2] !== CR || buffer[next - 1] !== LF) throw errors.BAD_BULK_LENGTH
      this.args.push(this.#at, this.#bulkBytes)
      this.#at = next
      this.#bulkBytes = -1
      this.#wordsLeft--
    }
    return true
  }

  #readBulkLength(): boolean {
    const buffer = this.#buffer
    const at = this.#at
    if (at >= this.#end) return false
    if (buffer[at] !== DOLLAR) throw errors.expectedBulk(buffer[at] as number)
    // Nearly every length has one or two digits, and all of its line is here.
    if (at + 5 <= this.#end) {
      const first = (buffer[at + 1] as number) - 0x30
      if (first >= 0 && first <= 9) {
        if (buffer[at + 2] === CR && buffer[at + 3] === LF) return this.#bulkHeader(first, at + 4)
        const second = (buffer[at + 2] as number) - 0x30
        if (second >= 0 && second <= 9 && buffer[at + 3] === CR && buffer[at + 4] === LF) {
          return this.#bulkHeader(first * 10 + second, at + 5)
        }
      }
    }
    const lf = this.#lineEnd(errors.LONG_BULK_LINE)
    if (lf === -1) return false
    const length = this.#lineNumber(lf)
    if (length === undefined || length < 0 || length > this.#limits.bulkBytesMax) throw errors.BAD_BULK_LENGTH
    if (length > UNAUTHENTICATED_BULK_BYTES_MAX && !this.#limits.authenticated) throw errors.UNAUTHENTICATED_BULK
    return this.#bulkHeader(length, lf + 1)
  }

  #bulkHeader(length: number, next: number): boolean {
    this.#bulkBytes = length
    this.#at = next
    return true
  }

  /** The number between the first byte of the line at #at and the CRLF whose LF is at `lf`; undefined if malformed. */
  #lineNumber(lf: number): number | undefined {
    const end = this.#buffer[lf - 1] === CR ? lf - 1 : -1
    let at = this.#at + 1
    const negative = this.#buffer[at] === 0x2d
    if (negative) at++
    if (end <= at || end - at > 15) return undefined
    let value = 0
    for (; at < end; at++) {
      const digit = (this.#buffer[at] as number) - 0x30
      if (digit < 0 || digit > 9) return undefined
      value = value * 10 + digit
    }
    return negative ? -value : value
  }
}
