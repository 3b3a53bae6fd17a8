/**
 * LEB128, the variable-length integers of RocksDB's write batches: seven bits a byte, least significant first, the top
 * bit set on all but the last. Source: RocksDB util/coding.h.
 */

/** A position in a buffer; readers move it on. */
export type Cursor = { at: number }

/** How many bytes the varint of `value`, below 2^32, takes: 1 to 5. */
export function varint32Size(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x1000_0000 ? 4 : 5
}

/** Writes `value`, below 2^32, and returns the offset behind it. The room must be there. */
export function writeVarint32(target: Uint8Array, at: number, value: number): number {
  let rest = value
  let end = at
  while (rest >= 0x80) {
    target[end++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[end++] = rest
  return end
}

/** Reads a varint below 2^32 and moves the cursor behind it; undefined, cursor unmoved, if cut off or too long. */
export function readVarint32(source: Uint8Array, cursor: Cursor): number | undefined {
  let at = cursor.at
  let value = 0
  for (let shift = 0; shift <= 28 && at < source.length; shift += 7) {
    const byte = source[at++]!
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      if (shift === 28 && byte > 0x0f) return undefined
      cursor.at = at
      return value >>> 0
    }
  }
  return undefined
}
