import type { Bytes } from './bytes.js'

/**
 * Redis's glob patterns: * any bytes, ? one byte, [a-z] one of a class, [^a-z] one outside it, \x the byte x.
 * Malformed patterns are not errors: they mean what Redis makes of them. Source: Redis util.c, stringmatchlen.
 */

const STAR = 0x2a
const QUESTION = 0x3f
const OPEN = 0x5b
const CLOSE = 0x5d
const CARET = 0x5e
const DASH = 0x2d
const BACKSLASH = 0x5c
const NO_MATCH = -1

/**
 * Whether `text` matches `pattern` from end to end. Time is at most proportional to the product of their lengths: when
 * what follows a star fails, only that last star is worth another try.
 */
export function globMatch(pattern: Uint8Array, text: Uint8Array, ignoreCase = false): boolean {
  const patternEnd = pattern.length
  const textEnd = text.length
  // Redis never looks at the pattern when there is no text; only a lone * is special to the commands that use this.
  if (textEnd === 0) return patternEnd === 0 || (patternEnd === 1 && pattern[0] === STAR)
  let at = 0
  let textAt = 0
  let retryAt = NO_MATCH
  let retryTextAt = 0
  while (textAt < textEnd) {
    if (at < patternEnd && pattern[at] === STAR) {
      at = skipStars(pattern, at)
      if (at === patternEnd) return true
      retryAt = at
      retryTextAt = textAt
      continue
    }
    const next = at < patternEnd ? matchOne(pattern, at, text[textAt]!, ignoreCase) : NO_MATCH
    if (next !== NO_MATCH) {
      at = next
      textAt++
    } else if (retryAt !== NO_MATCH) {
      at = retryAt
      textAt = ++retryTextAt
    } else {
      return false
    }
  }
  return skipStars(pattern, at) === patternEnd
}

/**
 * The bytes with which every text that matches `pattern` begins: what stands before the first special byte, escapes
 * resolved. A scan seeks there and stops behind it.
 */
export function globPrefix(pattern: Uint8Array): Bytes {
  const prefix = Buffer.allocUnsafe(pattern.length)
  let length = 0
  for (let at = 0; at < pattern.length; at++) {
    const byte = pattern[at]!
    if (isSpecial(byte)) break
    if (byte === BACKSLASH && at + 1 < pattern.length) at++
    prefix[length++] = pattern[at]!
  }
  return prefix.subarray(0, length)
}

/** Whether one text alone can match `pattern`: `globPrefix(pattern)`. */
export function isLiteral(pattern: Uint8Array): boolean {
  for (let at = 0; at < pattern.length; at++) {
    const byte = pattern[at]!
    if (isSpecial(byte)) return false
    if (byte === BACKSLASH) at++
  }
  return true
}

function isSpecial(byte: number): boolean {
  return byte === STAR || byte === QUESTION || byte === OPEN
}

function skipStars(pattern: Uint8Array, from: number): number {
  let at = from
  while (at < pattern.length && pattern[at] === STAR) at++
  return at
}

/** Matches one byte against the element at `at`; returns where the next element starts, or NO_MATCH. */
function matchOne(pattern: Uint8Array, at: number, byte: number, ignoreCase: boolean): number {
  const element = pattern[at]!
  if (element === QUESTION) return at + 1
  if (element === OPEN) return matchClass(pattern, at + 1, byte, ignoreCase)
  const literalAt = element === BACKSLASH && at + 1 < pattern.length ? at + 1 : at
  return sameByte(pattern[literalAt]!, byte, ignoreCase) ? literalAt + 1 : NO_MATCH
}

/** A class whose ']' is missing reaches to the end of the pattern. */
function matchClass(pattern: Uint8Array, from: number, byte: number, ignoreCase: boolean): number {
  const end = pattern.length
  const inverted = pattern[from] === CARET
  let at = inverted ? from + 1 : from
  let found = false
  for (; at < end && pattern[at] !== CLOSE; at++) {
    if (pattern[at] === BACKSLASH && at + 1 < end) {
      // An escaped member is compared with its case, as in Redis.
      if (pattern[++at] === byte) found = true
    } else if (at + 2 < end && pattern[at + 1] === DASH) {
      if (inRange(pattern[at]!, pattern[at + 2]!, byte, ignoreCase)) found = true
      at += 2
    } else if (sameByte(pattern[at]!, byte, ignoreCase)) {
      found = true
    }
  }
  if (found === inverted) return NO_MATCH
  return at < end ? at + 1 : end
}

/** Ranges order bytes as signed chars and may be given backwards, as in Redis. */
function inRange(first: number, last: number, byte: number, ignoreCase: boolean): boolean {
  let low = Math.min(signed(first), signed(last))
  let high = Math.max(signed(first), signed(last))
  let value = signed(byte)
  if (ignoreCase) {
    low = lower(low)
    high = lower(high)
    value = lower(value)
  }
  return value >= low && value <= high
}

function sameByte(a: number, b: number, ignoreCase: boolean): boolean {
  return a === b || (ignoreCase && lower(a) === lower(b))
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
}

function signed(byte: number): number {
  return (byte << 24) >> 24
}
