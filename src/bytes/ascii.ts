import type { Bytes } from './bytes.js'

/** The byte with A-Z turned into a-z; anything else as it is. */
export function lowerByte(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
}

/** A copy with A-Z turned into a-z. Bytes beyond ASCII stay as they are. */
export function lowerCase(bytes: Bytes): Bytes {
  const lowered = Buffer.allocUnsafe(bytes.length)
  for (let index = 0; index < bytes.length; index++) lowered[index] = lowerByte(bytes[index]!)
  return lowered
}

/**
 * Whether `bytes` is `literal` when the case of ASCII letters is ignored. `literal` is written in lower case. This is
 * how options and subcommands are recognised; it allocates nothing.
 */
export function equalsIgnoreCase(bytes: Bytes, literal: string): boolean {
  const length = bytes.length
  if (length !== literal.length) return false
  for (let index = 0; index < length; index++) {
    const byte = bytes[index]!
    if ((byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte) !== literal.charCodeAt(index)) return false
  }
  return true
}
