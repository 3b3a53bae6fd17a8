/**
 * CRC-64 in Redis's form: Jones polynomial 0xad93d23594c935a9, reflected, initial value 0, no final xor. It closes
 * DUMP payloads and RDB files. Source: Redis crc64.c.
 *
 * JavaScript has no fast 64-bit integers, so the register is two 32-bit halves, and eight bytes are taken at a time
 * through eight tables (slicing by 8).
 */

const POLYNOMIAL = 0xad93d23594c935a9n
const SLICES = 8
const { low: LOW, high: HIGH } = buildTables()

/** A running checksum over chunks. */
export class Crc64 {
  #low = 0
  #high = 0

  /** Takes in `bytes` from `start` to `end`. */
  update(bytes: Uint8Array, start = 0, end = bytes.length): this {
    let low = this.#low
    let high = this.#high
    let at = start
    for (; at + 8 <= end; at += 8) {
      const a = low ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
      const b = high ^ (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24))
      const i7 = 1792 | (a & 0xff)
      const i6 = 1536 | ((a >>> 8) & 0xff)
      const i5 = 1280 | ((a >>> 16) & 0xff)
      const i4 = 1024 | (a >>> 24)
      const i3 = 768 | (b & 0xff)
      const i2 = 512 | ((b >>> 8) & 0xff)
      const i1 = 256 | ((b >>> 16) & 0xff)
      const i0 = b >>> 24
      low = LOW[i7]! ^ LOW[i6]! ^ LOW[i5]! ^ LOW[i4]! ^ LOW[i3]! ^ LOW[i2]! ^ LOW[i1]! ^ LOW[i0]!
      high = HIGH[i7]! ^ HIGH[i6]! ^ HIGH[i5]! ^ HIGH[i4]! ^ HIGH[i3]! ^ HIGH[i2]! ^ HIGH[i1]! ^ HIGH[i0]!
    }
    for (; at < end; at++) {
      const index = (low ^ bytes[at]!) & 0xff
      low = ((low >>> 8) | (high << 24)) ^ LOW[index]!
      high = (high >>> 8) ^ HIGH[index]!
    }
    this.#low = low
    this.#high = high
    return this
  }

  /** The checksum so far. */
  value(): bigint {
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0)
  }

  /** Writes the checksum so far in eight bytes, little-endian, as RDB does, and returns the offset behind it. */
  write(target: Buffer, at: number): number {
    target.writeInt32LE(this.#low | 0, at)
    return target.writeInt32LE(this.#high | 0, at + 4)
  }

  /** Whether the eight bytes at `at`, little-endian, are the checksum so far. */
  matches(source: Buffer, at: number): boolean {
    return source.readInt32LE(at) === (this.#low | 0) && source.readInt32LE(at + 4) === (this.#high | 0)
  }
}

/** The checksum of `bytes` from `start` to `end`. */
export function crc64(bytes: Uint8Array, start = 0, end = bytes.length): bigint {
  return new Crc64().update(bytes, start, end).value()
}

function buildTables(): { low: Int32Array; high: Int32Array } {
  const reflected = reflect(POLYNOMIAL)
  const table: bigint[] = []
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ reflected : crc >> 1n
    table.push(crc)
  }
  const low = new Int32Array(SLICES * 256)
  const high = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = table[byte]!
    for (let slice = 0; slice < SLICES; slice++) {
      low[slice * 256 + byte] = Number(crc & 0xffff_ffffn)
      high[slice * 256 + byte] = Number(crc >> 32n)
      crc = (crc >> 8n) ^ table[Number(crc & 0xffn)]!
    }
  }
  return { low, high }
}

function reflect(polynomial: bigint): bigint {
  let reflected = 0n
  for (let bit = 0n; bit < 64n; bit++) if (polynomial & (1n << bit)) reflected |= 1n << (63n - bit)
  return reflected
}
