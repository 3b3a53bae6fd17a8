/** The digest of a string value, as DIGEST shows it and IFDEQ compares it. Source: redis src/t_string.c, stringDigest. */

import type { Bytes } from '../bytes/bytes.js'
import { xxh3 } from '../bytes/xxh3.js'

/** Sixteen hexadecimal digits, lower case. */
export function digest(value: Bytes): string {
  return xxh3(value).toString(16).padStart(16, '0')
}
