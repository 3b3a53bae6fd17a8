import { createHash } from 'node:crypto'

/** The SHA-1 of `bytes` as 40 lower-case hexadecimal digits: the name of a script. */
export function sha1Hex(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}
