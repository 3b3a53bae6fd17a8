/** CRC16-CCITT in its XModem form (polynomial 0x1021, initial value 0): the hash of Redis Cluster's slots. */

const TABLE = buildTable()

/** Number of hash slots in a cluster. */
const SLOT_COUNT = 16384

const OPEN = 0x7b
const CLOSE = 0x7d

/** The checksum of `bytes` from `start` to `end`. */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0
  for (let index = start; index < end; index++) {
    crc = ((crc << 8) & 0xffff) ^ TABLE[((crc >>> 8) ^ bytes[index]!) & 0xff]!
  }
  return crc
}

/**
 * The cluster slot of a key, 0 to 16383: of what stands between the first '{' and the first '}' after it, if that is
 * there and not empty, of the whole key otherwise. Source: Redis Cluster specification, hash tags.
 */
export function keySlot(key: Uint8Array): number {
  const open = key.indexOf(OPEN)
  if (open < 0) return crc16(key) & (SLOT_COUNT - 1)
  const close = key.indexOf(CLOSE, open + 1)
  if (close <= open + 1) return crc16(key) & (SLOT_COUNT - 1)
  return crc16(key, open + 1, close) & (SLOT_COUNT - 1)
}

function buildTable(): Uint16Array {
  const table = new Uint16Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
    table[byte] = crc
  }
  return table
}
