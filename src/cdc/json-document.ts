/**
 * The value of a JSON key as text: format(1) document, which is 0 text or 1 CBOR (RFC 8949).
 * Source: kvrocks src/types/json.h, JsonValue::FromCBOR; jsoncons for how it encodes.
 */

import type { Bytes } from '../bytes/bytes.js'
import { readUint64 } from '../bytes/int64.js'

const TEXT = 0
const CBOR = 1
const DEPTH_MAX = 1024

/** Undefined if the document cannot be read. */
export function jsonText(stored: Bytes): Bytes | undefined {
  if (stored[0] === TEXT) return stored.subarray(1)
  if (stored[0] !== CBOR) return undefined
  const reader = new CborReader(stored.subarray(1))
  try {
    const text = reader.item(0)
    return reader.isAtEnd ? Buffer.from(text, 'utf8') : undefined
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Throws a RangeError where the bytes are cut or not JSON. */
class CborReader {
  readonly #bytes: Bytes
  #at = 0

  constructor(bytes: Bytes) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  item(depth: number): string {
    if (depth > DEPTH_MAX) throw new RangeError('nested too deep')
    const head = this.#bytes.readUInt8(this.#at++)
    const major = head >> 5
    const info = head & 0x1f
    if (major === 7) return this.#simple(info)
    const length = this.#argument(info)
    switch (major) {
      case 0:
        return String(length)
      case 1:
        return String(-1n - BigInt(length))
      case 3:
        return JSON.stringify(this.#take(Number(length)).utf8Slice())
      case 4:
        return this.#array(Number(length), depth)
      case 5:
        return this.#map(Number(length), depth)
      case 6:
        return this.#tagged(Number(length), depth)
      default:
        throw new RangeError('bytes are not JSON')
    }
  }

  #array(count: number, depth: number): string {
    const parts: string[] = []
    for (let i = 0; i < count; i++) parts.push(this.item(depth + 1))
    return `[${parts.join(',')}]`
  }

  #map(count: number, depth: number): string {
    const parts: string[] = []
    for (let i = 0; i < count; i++) parts.push(`${this.item(depth + 1)}:${this.item(depth + 1)}`)
    return `{${parts.join(',')}}`
  }

  /** Integers of more than 64 bits, as jsoncons writes them. */
  #tagged(tag: number, depth: number): string {
    if (tag !== 2 && tag !== 3) return this.item(depth + 1)
    const head = this.#bytes.readUInt8(this.#at++)
    if (head >> 5 !== 2) throw new RangeError('a big integer is bytes')
    const digits = this.#take(Number(this.#argument(head & 0x1f)))
    const magnitude = digits.length === 0 ? 0n : BigInt(`0x${digits.toString('hex')}`)
    return String(tag === 2 ? magnitude : -1n - magnitude)
  }

  #simple(info: number): string {
    if (info === 20) return 'false'
    if (info === 21) return 'true'
    if (info === 22 || info === 23) return 'null'
    const at = this.#at
    if (info === 25) return number(half(this.#take(2).readUInt16BE(0)))
    if (info === 26) return number(this.#take(4).readFloatBE(0))
    if (info === 27) return number(this.#take(8).readDoubleBE(0))
    throw new RangeError(`no JSON at ${at}`)
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info
    if (info === 24) return this.#take(1).readUInt8(0)
    if (info === 25) return this.#take(2).readUInt16BE(0)
    if (info === 26) return this.#take(4).readUInt32BE(0)
    if (info === 27) return readUint64(this.#take(8), 0)
    throw new RangeError('no length')
  }

  #take(length: number): Bytes {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('cut')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}

/** A double stays one: whole numbers show `.0`. */
function number(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  const text = String(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  const magnitude =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 0x1f
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (1 + fraction / 1024) * 2 ** (exponent - 15)
  return (bits & 0x8000) === 0 ? magnitude : -magnitude
}
