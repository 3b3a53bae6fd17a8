/** Batches as upper-case hexadecimal text. Source: kvrocks src/common/string_util.cc, StringToHex. */

import type { Bytes } from '../bytes/bytes.js'

const INITIAL_BYTES = 64 * 1024
/** Memory of longer texts is not kept. */
const KEPT_BYTES_MAX = 1024 * 1024

/** Memory for text, and the same as pairs of digits: a store for each pair takes half the time. */
class Digits {
  readonly text: Buffer
  readonly pairs: Uint16Array

  constructor(sizeBytes: number) {
    this.text = Buffer.allocUnsafeSlow(sizeBytes)
    this.pairs = new Uint16Array(this.text.buffer)
  }
}

/** Those of each byte. */
const PAIRS = pairsOfBytes()
let kept = new Digits(INITIAL_BYTES)

/** Two digits a byte, nothing between them. Valid until the next call. */
export function hexText(bytes: Bytes): Bytes {
  const size = bytes.length * 2
  const digits = size <= kept.text.length ? kept : new Digits(size)
  if (size <= KEPT_BYTES_MAX) kept = digits
  const { text, pairs } = digits
  for (let i = 0; i < bytes.length; i++) pairs[i] = PAIRS[bytes[i] as number] as number
  return text.subarray(0, size)
}

function pairsOfBytes(): Uint16Array {
  const { text, pairs } = new Digits(512)
  for (let byte = 0; byte < 256; byte++) text.latin1Write(byte.toString(16).toUpperCase().padStart(2, '0'), byte * 2)
  return pairs
}
