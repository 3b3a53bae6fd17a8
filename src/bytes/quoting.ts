import type { Bytes } from './bytes.js'

const DOUBLE_QUOTE = 0x22
const SINGLE_QUOTE = 0x27
const BACKSLASH = 0x5c
const HEX = '0123456789abcdef'
const ESCAPES = new Map([
  [BACKSLASH, '\\\\'],
  [DOUBLE_QUOTE, '\\"'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x07, '\\a'],
  [0x08, '\\b'],
])
const UNESCAPES = new Map([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x61, 0x07],
])

/** The bytes in double quotes with everything unprintable escaped, as MONITOR shows them. Source: Redis sdscatrepr. */
export function quoteBytes(bytes: Uint8Array): string {
  let quoted = '"'
  for (const byte of bytes) {
    const escaped = ESCAPES.get(byte)
    if (escaped !== undefined) quoted += escaped
    else if (byte >= 0x20 && byte < 0x7f) quoted += String.fromCharCode(byte)
    else quoted += `\\x${HEX[byte >> 4]}${HEX[byte & 15]}`
  }
  return `${quoted}"`
}

/**
 * Splits a line into arguments as Redis does for inline commands and configuration lines: white space separates;
 * "…" knows \n \r \t \b \a \xHH and \c for any other c; '…' knows only \'. Undefined when quotes are unbalanced or a
 * closing quote is not followed by white space. Source: Redis sdssplitargs.
 */
export function splitArgs(text: Bytes): Bytes[] | undefined {
  // A NUL ends the line, as in C.
  const nul = text.indexOf(0)
  const line = nul < 0 ? text : text.subarray(0, nul)
  const args: Bytes[] = []
  const scratch = Buffer.allocUnsafe(line.length)
  let at = 0
  for (;;) {
    while (at < line.length && isSpace(line[at]!)) at++
    if (at >= line.length) return args
    let length = 0
    while (at < line.length && !isSpace(line[at]!)) {
      const byte = line[at]!
      if (byte !== DOUBLE_QUOTE && byte !== SINGLE_QUOTE) {
        scratch[length++] = byte
        at++
        continue
      }
      const quoted = byte === DOUBLE_QUOTE ? readDoubleQuoted(line, at + 1) : readSingleQuoted(line, at + 1)
      if (quoted === undefined) return undefined
      scratch.set(quoted.bytes, length)
      length += quoted.bytes.length
      at = quoted.end
      break
    }
    args.push(Buffer.from(scratch.subarray(0, length)))
  }
}

type Quoted = { bytes: Uint8Array; end: number }

function readDoubleQuoted(line: Bytes, from: number): Quoted | undefined {
  const bytes: number[] = []
  let at = from
  while (at < line.length && line[at] !== DOUBLE_QUOTE) {
    if (line[at] === BACKSLASH && at + 1 < line.length) {
      const high = hexValue(line[at + 2])
      const low = hexValue(line[at + 3])
      if (line[at + 1] === 0x78 && high >= 0 && low >= 0) {
        bytes.push(high * 16 + low)
        at += 4
        continue
      }
      at++
      bytes.push(UNESCAPES.get(line[at]!) ?? line[at]!)
    } else {
      bytes.push(line[at]!)
    }
    at++
  }
  return closeQuote(line, at, bytes)
}

function readSingleQuoted(line: Bytes, from: number): Quoted | undefined {
  const bytes: number[] = []
  let at = from
  while (at < line.length && line[at] !== SINGLE_QUOTE) {
    if (line[at] === BACKSLASH && line[at + 1] === SINGLE_QUOTE) at++
    bytes.push(line[at]!)
    at++
  }
  return closeQuote(line, at, bytes)
}

function closeQuote(line: Bytes, at: number, bytes: number[]): Quoted | undefined {
  const next = line[at + 1]
  if (at >= line.length || (next !== undefined && !isSpace(next))) return undefined
  return { bytes: Uint8Array.from(bytes), end: at + 1 }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1
}
