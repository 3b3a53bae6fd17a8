/**
 * CRC-32C: Castagnoli polynomial 0x1edc6f41, reflected, all bits set before and inverted after. RocksDB's backups name it
 * for each file. Four bytes are taken at a time through four tables (slicing by 4).
 */

const POLYNOMIAL = 0x82f63b78
const SLICES = 4
const TABLE = buildTables()

/** The checksum of what `crc` is the checksum of, 0 for nothing, with `bytes` behind it. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  const end = bytes.length
  let register = ~crc
  let at = 0
  for (; at + 4 <= end; at += 4) {
    const word = register ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    register =
      TABLE[768 | (word & 0xff)]! ^
      TABLE[512 | ((word >>> 8) & 0xff)]! ^
      TABLE[256 | ((word >>> 16) & 0xff)]! ^
      TABLE[word >>> 24]!
  }
  for (; at < end; at++) register = (register >>> 8) ^ TABLE[(register ^ bytes[at]!) & 0xff]!
  return ~register >>> 0
}

/** Table `k` moves a byte `k` bytes further than table 0 does. */
function buildTables(): Int32Array {
  const table = new Int32Array(256 * SLICES)
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0)
    table[byte] = value
  }
  for (let index = 256; index < table.length; index++) {
    const before = table[index - 256]!
    table[index] = (before >>> 8) ^ table[before & 0xff]!
  }
  return table
}
