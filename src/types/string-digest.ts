import type { Bytes } from '../bytes/bytes.js'
/** placeholder */
export function digest(value: Bytes): string {
  throw new Error(String(value.length))
}
