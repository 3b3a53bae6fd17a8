/**
 * Methods that Node's Buffer has in all versions and its types leave out. They save `toString('latin1')` its look-up of
 * the encoding, some 15 ns a call, which row keys pay on every read and write.
 */

interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {
  latin1Slice(start?: number, end?: number): string
  utf8Write(text: string, offset?: number, length?: number): number
  utf8Slice(start?: number, end?: number): string
  latin1Write(text: string, offset?: number, length?: number): number
}
