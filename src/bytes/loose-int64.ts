import type { Bytes } from './bytes.js'
import { INT64_MAX, INT64_MIN, type Int64, toInt64 } from './int64.js'

/** What `parseLooseInt64` found: a value, or which of Kvrocks's complaints applies. */
export type LooseInt64 =
  | { readonly ok: true; readonly value: Int64 }
  | { readonly ok: false; readonly fault: 'not-started' | 'trailing' | 'out-of-range' }

const NOT_STARTED: LooseInt64 = { ok: false, fault: 'not-started' }
const TRAILING: LooseInt64 = { ok: false, fault: 'trailing' }
const OUT_OF_RANGE: LooseInt64 = { ok: false, fault: 'out-of-range' }

/**
 * Parses as C's strtoll does: leading white space, an optional sign, then digits in `base`; base 0 takes a leading 0x
 * as hexadecimal and a leading 0 as octal. Unlike `parseInt64` this accepts "+1", " 1" and "007", as Kvrocks does
 * where it reads options rather than stored values.
 *
 * Source: kvrocks src/common/parse_util.h, ParseInt.
 */
export function parseLooseInt64(bytes: Bytes, base: 0 | 8 | 10 | 16 = 10): LooseInt64 {
  let at = 0
  while (at < bytes.length && isSpace(bytes[at]!)) at++
  const negative = bytes[at] === 0x2d
  if (negative || bytes[at] === 0x2b) at++
  const prefixed = bytes[at] === 0x30 && lower(bytes[at + 1] ?? 0) === 0x78 && digitValue(bytes[at + 2] ?? 0) < 16
  let radix: number = base
  if ((base === 0 || base === 16) && prefixed) {
    radix = 16
    at += 2
  } else if (base === 0) {
    radix = bytes[at] === 0x30 ? 8 : 10
  }
  const first = at
  let magnitude = 0n
  let small = 0
  while (at < bytes.length) {
    const digit = digitValue(bytes[at]!)
    if (digit >= radix) break
    at++
    if (magnitude > INT64_MAX) continue
    if (small <= 0xffff_ffff_ffff && magnitude === 0n) small = small * radix + digit
    else magnitude = (magnitude === 0n ? BigInt(small) : magnitude) * BigInt(radix) + BigInt(digit)
  }
  if (at === first) return NOT_STARTED
  const total = magnitude === 0n ? BigInt(small) : magnitude
  const value = negative ? -total : total
  if (value < INT64_MIN || value > INT64_MAX) return OUT_OF_RANGE
  if (at !== bytes.length) return TRAILING
  return { ok: true, value: toInt64(value) }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

function lower(byte: number): number {
  return byte | 0x20
}

function digitValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = lower(byte)
  return letter >= 0x61 && letter <= 0x7a ? letter - 0x61 + 10 : 99
}
