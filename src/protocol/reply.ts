/**
 * Writes replies into one growing buffer. The only place that knows RESP2 from RESP3: a command says what it answers,
 * and a RESP2 client gets the form that Redis gives it. Source: redis src/networking.c, addReply*; RESP3 specification.
 */

import { type Bytes, EMPTY } from '../bytes/bytes.js'
import { formatDouble, formatDouble17 } from '../bytes/double.js'
import type { Int64 } from '../bytes/int64.js'
import type { ReplyError } from './errors.js'

const CRLF_BYTES = 2
/** Longest header: type, 20 digits, CRLF. */
const HEADER_BYTES_MAX = 24
const INITIAL_BYTES = 1024
const KEPT_BYTES_MAX = 1 << 20
/** Below this a loop over the bytes is faster than a call of `copy`. */
const LOOP_BYTES_MAX = 24
/** The same where a call has to make a view first. */
const PART_LOOP_BYTES_MAX = 64

const OK = Buffer.from('+OK\r\n')
const QUEUED = Buffer.from('+QUEUED\r\n')
const PONG = Buffer.from('+PONG\r\n')
const NIL_2 = Buffer.from('$-1\r\n')
const NIL_ARRAY_2 = Buffer.from('*-1\r\n')
const NIL_3 = Buffer.from('_\r\n')
const TRUE_3 = Buffer.from('#t\r\n')
const FALSE_3 = Buffer.from('#f\r\n')

export type Protocol = 2 | 3

export class Reply {
  protocol: Protocol
  /** Bytes written. */
  length = 0
  /** Bytes put aside. */
  asideLength = 0
  #buffer: Buffer
  /** Holds what was put aside; else memory for the next time. */
  #aside: Buffer | undefined

  constructor(protocol: Protocol = 2, capacityBytes: number = INITIAL_BYTES) {
    this.protocol = protocol
    this.#buffer = Buffer.allocUnsafeSlow(capacityBytes)
  }

  /** What has been written, as a view: valid until the next write or `clear`. */
  written(): Buffer {
    return this.#buffer.subarray(0, this.length)
  }

  /** Hands the written bytes over for good and begins a new buffer. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.length)
    this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
    this.length = 0
    return taken
  }

  /** Puts what has been written aside, to be sent before all that follows. Only one part can be aside. */
  setAside(): void {
    const written = this.#buffer
    this.asideLength = this.length
    this.#buffer = this.#aside ?? Buffer.allocUnsafeSlow(INITIAL_BYTES)
    this.#aside = written
    this.length = 0
  }

  /** What was put aside, as a view: valid until `dropAside`. */
  aside(): Buffer {
    return this.#aside === undefined ? EMPTY : this.#aside.subarray(0, this.asideLength)
  }

  /** Writes `error` `count` times over what was put aside after the first `from` bytes. */
  refuseAside(from: number, count: number, error: ReplyError): void {
    const rest = new Reply(this.protocol)
    for (let i = 0; i < count; i++) rest.error(error)
    this.#aside = Buffer.concat([this.aside().subarray(0, from), rest.written()])
    this.asideLength = this.#aside.length
  }

  /** What was put aside is sent; `isKept`: somebody still holds the bytes. */
  dropAside(isKept: boolean): void {
    this.asideLength = 0
    if (isKept || (this.#aside?.length ?? 0) > KEPT_BYTES_MAX) this.#aside = undefined
  }

  /** Forgets all; a buffer that has grown large is given back. */
  clear(): void {
    this.length = 0
    if (this.#buffer.length > KEPT_BYTES_MAX) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  }

  /** Forgets what was written after the first `length` bytes. */
  truncate(length: number): void {
    this.length = length
  }

  ok(): void {
    this.raw(OK)
  }

  queued(): void {
    this.raw(QUEUED)
  }

  pong(): void {
    this.raw(PONG)
  }

  /** A simple string; `text` is ASCII without line ends. */
  status(text: string): void {
    this.#line(0x2b, text)
  }

  error(error: ReplyError): void {
    this.errorLine(error.text)
  }

  /** An error by its whole line; line ends inside become spaces, as they would end it. */
  errorLine(text: string): void {
    const line = Buffer.from(/[\r\n]/.test(text) ? text.replace(/[\r\n]/g, ' ') : text, 'latin1')
    this.#reserve(line.length + HEADER_BYTES_MAX)
    this.#buffer[this.length++] = 0x2d
    this.length += line.copy(this.#buffer, this.length)
    this.#crlf()
  }

  /** What the reply that begins at `start` says if it is an error, without its dash. */
  errorAt(start: number): string | undefined {
    if (this.length <= start || this.#buffer[start] !== 0x2d) return undefined
    return this.#buffer.latin1Slice(start + 1, this.length).split('\r\n', 1)[0]
  }

  integer(value: Int64): void {
    if (typeof value === 'number') this.#header(0x3a, value)
    else this.#line(0x3a, value.toString())
  }

  bulk(value: Bytes): void {
    const size = value.length
    this.#reserve(size + HEADER_BYTES_MAX + CRLF_BYTES)
    this.#header(0x24, size)
    this.#bytes(value)
    this.#crlf()
  }

  /** A bulk string that stands inside of other bytes. */
  bulkPart(bytes: Bytes, from: number, to: number): void {
    const size = to - from
    this.#reserve(size + HEADER_BYTES_MAX + CRLF_BYTES)
    this.#header(0x24, size)
    const buffer = this.#buffer
    let at = this.length
    if (size > PART_LOOP_BYTES_MAX) at += bytes.copy(buffer, at, from, to)
    else for (let i = from; i < to; i++) buffer[at++] = bytes[i] as number
    this.length = at
    this.#crlf()
  }

  /** A bulk string from text, as UTF-8. */
  bulkText(text: string): void {
    this.bulk(Buffer.from(text, 'utf8'))
  }

  bulkOrNil(value: Bytes | undefined): void {
    if (value === undefined) this.nil()
    else this.bulk(value)
  }

  /** A bulk string whose two parts lie apart. */
  bulkParts(head: Bytes, tail: Bytes): void {
    this.#reserve(head.length + tail.length + HEADER_BYTES_MAX + CRLF_BYTES)
    this.#header(0x24, head.length + tail.length)
    this.#bytes(head)
    this.#bytes(tail)
    this.#crlf()
  }

  /** No value, where a string or a scalar would stand. */
  nil(): void {
    this.raw(this.protocol === 3 ? NIL_3 : NIL_2)
  }

  /** No value, where an array would stand. */
  nilArray(): void {
    this.raw(this.protocol === 3 ? NIL_3 : NIL_ARRAY_2)
  }

  /** `count` replies follow. */
  array(count: number): void {
    this.#header(0x2a, count)
  }

  /** `count` pairs of replies follow. */
  map(count: number): void {
    if (this.protocol === 3) this.#header(0x25, count)
    else this.#header(0x2a, count * 2)
  }

  /** `count` different replies follow. */
  set(count: number): void {
    this.#header(this.protocol === 3 ? 0x7e : 0x2a, count)
  }

  /** `count` replies follow that answer no request. */
  push(count: number): void {
    this.#header(this.protocol === 3 ? 0x3e : 0x2a, count)
  }

  /** `count` pairs of attributes of the next reply follow; RESP2 has none, so the caller writes them for RESP3 alone. */
  attribute(count: number): void {
    this.#header(0x7c, count)
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.raw(value ? TRUE_3 : FALSE_3)
    else this.integer(value ? 1 : 0)
  }

  /** A double; RESP2 gets a bulk string with 17 significant digits. */
  double(value: number): void {
    if (this.protocol === 3) this.#line(0x2c, formatDouble17(value))
    else this.bulkText(formatDouble17(value))
  }

  /** A score of a sorted set or a coordinate, in the shortest form that reads back equal. */
  score(value: number): void {
    if (this.protocol === 3) this.#line(0x2c, formatDouble(value))
    else this.bulkText(formatDouble(value))
  }

  /** An integer of any length, by its digits. */
  bigNumber(digits: string): void {
    if (this.protocol === 3) this.#line(0x28, digits)
    else this.bulkText(digits)
  }

  /** Text with a three-letter format, `txt` or `mkd`; RESP2 gets a bulk string. */
  verbatim(format: string, text: Bytes): void {
    if (this.protocol !== 3) {
      this.bulk(text)
      return
    }
    this.#reserve(text.length + HEADER_BYTES_MAX + 8)
    this.#header(0x3d, text.length + 4)
    this.#bytes(Buffer.from(`${format}:`, 'latin1'))
    this.#bytes(text)
    this.#crlf()
  }

  /** Makes room for so many bytes at once: memory that grows with what is written is copied again and again. */
  expect(bytes: number): void {
    this.#reserve(bytes + HEADER_BYTES_MAX)
  }

  /** Bytes that are already a reply, or part of one. */
  raw(bytes: Bytes): void {
    this.#reserve(bytes.length)
    this.#bytes(bytes)
  }

  /**
   * For a collection whose count is known only after its elements: writes them, then puts the header in front.
   * `kind` is the method that writes the header; for maps `count` is in pairs.
   */
  counted(kind: 'array' | 'set' | 'map', writeElements: () => number): void {
    const start = this.length
    const count = writeElements()
    const end = this.length
    this[kind](count)
    const header = Buffer.from(this.#buffer.subarray(end, this.length))
    this.#buffer.copyWithin(start + header.length, start, end)
    header.copy(this.#buffer, start)
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.length)
    this.#buffer = grown
  }

  #bytes(value: Bytes): void {
    const buffer = this.#buffer
    const size = value.length
    if (size > LOOP_BYTES_MAX) {
      buffer.set(value, this.length)
    } else {
      for (let i = 0, at = this.length; i < size; i++) buffer[at++] = value[i] as number
    }
    this.length += size
  }

  #crlf(): void {
    this.#buffer[this.length++] = 0x0d
    this.#buffer[this.length++] = 0x0a
  }

  #line(type: number, text: string): void {
    this.#reserve(text.length + HEADER_BYTES_MAX)
    this.#buffer[this.length++] = type
    this.length += this.#buffer.latin1Write(text, this.length)
    this.#crlf()
  }

  #header(type: number, value: number): void {
    this.#reserve(HEADER_BYTES_MAX)
    const buffer = this.#buffer
    buffer[this.length++] = type
    if (value >= 0 && value < 10) buffer[this.length++] = 0x30 + value
    else this.#digits(value)
    this.#crlf()
  }

  #digits(value: number): void {
    const buffer = this.#buffer
    let rest = value
    if (rest < 0) {
      buffer[this.length++] = 0x2d
      rest = -rest
    }
    let digits = 1
    for (let bound = 10; bound <= rest; bound *= 10) digits++
    let at = this.length + digits
    this.length = at
    while (rest >= 0x7fffffff) {
      buffer[--at] = 0x30 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    for (let left = rest | 0; at > this.length - digits; left = (left / 10) | 0) buffer[--at] = 0x30 + (left % 10)
  }
}
