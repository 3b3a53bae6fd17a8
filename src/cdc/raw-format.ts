/** Batches as upper-case hexadecimal text. Source: kvrocks src/common/string_util.cc, StringToHex. */

import type { Bytes } from '../bytes/bytes.js'

const DIGITS = Buffer.from('0123456789ABCDEF')

/** Two digits a byte, nothing between them. */
export function hexText(bytes: Bytes): Bytes {
  const text = Buffer.allocUnsafe(bytes.length * 2)
  let at = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    text[at++] = DIGITS[byte >> 4] as number
    text[at++] = DIGITS[byte & 0x0f] as number
  }
  return text
}
