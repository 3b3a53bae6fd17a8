/**
 * Ids of stream entries: `ms-seq`, two unsigned 64-bit numbers. Here an id is its stored form of 16 bytes, ms(8) seq(8),
 * big-endian: exact, ordered as the ids are, and ready to be a key. Source: redis src/t_stream.c.
 */

import { type Bytes, compare } from '../../bytes/bytes.js'
import { type Int64, parseUint64, readUint64, UINT64_MAX, writeDecimal, writeUint64 } from '../../bytes/int64.js'

/** 16 bytes; not to be changed, for ids are shared. */
export type StreamId = Bytes

export const ID_BYTES = 16
const SEQ_AT = 8
const DASH = 0x2d
const STAR = 0x2a
const ZERO = 0x30
/** Two safe integers and the dash. */
const SHORT_ID_BYTES_MAX = 35

/** 0-0, which no entry has. */
export const ID_ZERO: StreamId = Buffer.alloc(ID_BYTES)
/** What `+` stands for. */
export const ID_LAST: StreamId = Buffer.alloc(ID_BYTES, 0xff)
/** The largest id of an entry: with the largest ms the rows of groups begin. */
export const ENTRY_ID_MAX: StreamId = makeId(UINT64_MAX - 1n, UINT64_MAX)

export function makeId(ms: Int64, seq: Int64): StreamId {
  const id = Buffer.allocUnsafe(ID_BYTES)
  writeUint64(id, 0, ms)
  writeUint64(id, SEQ_AT, seq)
  return id
}

export function isZero(id: StreamId): boolean {
  return compare(id, ID_ZERO) === 0
}

export function minId(a: StreamId, b: StreamId): StreamId {
  return compare(a, b) <= 0 ? a : b
}

export function maxId(a: StreamId, b: StreamId): StreamId {
  return compare(a, b) >= 0 ? a : b
}

/** The id after `id`; undefined after the last. */
export function nextId(id: StreamId): StreamId | undefined {
  const next = Buffer.from(id)
  for (let at = ID_BYTES - 1; at >= 0; at--) {
    next[at] = ((id[at] as number) + 1) & 0xff
    if (next[at] !== 0) return next
  }
  return undefined
}

/** The id before `id`; undefined before the first. */
export function previousId(id: StreamId): StreamId | undefined {
  const previous = Buffer.from(id)
  for (let at = ID_BYTES - 1; at >= 0; at--) {
    previous[at] = ((id[at] as number) - 1) & 0xff
    if (id[at] !== 0) return previous
  }
  return undefined
}

/** `ms-seq` in ASCII. */
export function formatId(id: StreamId): Bytes {
  const ms = readUint64(id, 0)
  const seq = readUint64(id, SEQ_AT)
  if (typeof ms !== 'number' || typeof seq !== 'number') return Buffer.from(`${ms}-${seq}`, 'latin1')
  const text = Buffer.allocUnsafe(SHORT_ID_BYTES_MAX)
  let end = writeDecimal(text, 0, ms)
  text[end++] = DASH
  end = writeDecimal(text, end, seq)
  return text.subarray(0, end)
}

/** The id that `ms` or `ms-seq` spells; `missingSeq` is the second part where it is not there. Undefined if malformed. */
export function parseId(text: Bytes, missingSeq: Int64 = 0): StreamId | undefined {
  const dashAt = text.indexOf(DASH)
  const ms = parsePart(dashAt < 0 ? text : text.subarray(0, dashAt))
  const seq = dashAt < 0 ? missingSeq : parsePart(text.subarray(dashAt + 1))
  return ms === undefined || seq === undefined ? undefined : makeId(ms, seq)
}

/** Digits; unlike other numbers of the protocol they may begin with zeros. */
function parsePart(text: Bytes): Int64 | undefined {
  let start = 0
  while (start < text.length - 1 && text[start] === ZERO) start++
  return parseUint64(start === 0 ? text : text.subarray(start))
}

/** The id that XADD asks for: a part that is undefined is to be made from the clock and the last id. */
export interface WantedId {
  readonly ms: Int64 | undefined
  readonly seq: Int64 | undefined
}

/** The forms `*`, `ms`, `ms-seq`, `ms-*` and, of Kvrocks, `*-seq`. Undefined if malformed. */
export function parseWantedId(text: Bytes): WantedId | undefined {
  if (isStar(text)) return { ms: undefined, seq: undefined }
  const dashAt = text.indexOf(DASH)
  const msText = dashAt < 0 ? text : text.subarray(0, dashAt)
  const seqText = dashAt < 0 ? undefined : text.subarray(dashAt + 1)
  const ms = isStar(msText) ? undefined : parsePart(msText)
  if (ms === undefined && !isStar(msText)) return undefined
  if (seqText === undefined) return { ms, seq: 0 }
  if (isStar(seqText)) return ms === undefined ? undefined : { ms, seq: undefined }
  const seq = parsePart(seqText)
  return seq === undefined ? undefined : { ms, seq }
}

function isStar(text: Bytes): boolean {
  return text.length === 1 && text[0] === STAR
}
