import type { Bytes } from '../../bytes/bytes.js'
import { corrupt } from './rdb-error.js'

/**
 * LZF, the compression of long strings in RDB.
 *
 *   000lllll + l+1 bytes              literal bytes
 *   lllddddd dddddddd                 l+2 bytes from d+1 back, l from 1 to 6
 *   111ddddd llllllll dddddddd        l+9 bytes from d+1 back
 *
 * Source: LibLZF, lzf_d.c.
 */

const LITERAL_MAX = 32
const LONG_MATCH = 7
// The best that three bytes can stand for is 264; no honest text claims more.
const EXPANSION_MAX = 88

/** Expands `source` to exactly `size` bytes, in a new buffer; throws RdbError if it does not expand to that. */
export function expandLzf(source: Bytes, size: number): Bytes {
  if (size > source.length * EXPANSION_MAX) throw corrupt('compressed string claims an impossible length')
  const target = Buffer.allocUnsafe(size)
  let at = 0
  let end = 0
  while (at < source.length) {
    const control = source[at++]!
    if (control < LITERAL_MAX) {
      const length = control + 1
      if (at + length > source.length || end + length > size) throw corrupt('compressed string: literal out of bounds')
      source.copy(target, end, at, at + length)
      at += length
      end += length
      continue
    }
    let length = control >> 5
    if (length === LONG_MATCH) length += source[at++] ?? 0
    length += 2
    const from = end - ((control & 0x1f) << 8) - (source[at++] ?? 0) - 1
    if (at > source.length || from < 0 || end + length > size) throw corrupt('compressed string: match out of bounds')
    // Byte by byte: the match may overlap what it produces.
    for (let index = 0; index < length; index++) target[end + index] = target[from + index]!
    end += length
  }
  if (end !== size) throw corrupt('compressed string is shorter than it claims')
  return target
}
