/**
 * Geohashes as Redis keeps them in the scores of sorted sets: 26 bits of longitude and 26 of latitude, interleaved.
 *
 *   score   bit 51: longitude's first, bit 50: latitude's first, … bit 0: latitude's last
 *
 * Longitude spans ±180 degrees, latitude ±85.05112878 (Web Mercator's square). Source: Redis geohash.c.
 */

export const LONGITUDE_MAX = 180
export const LATITUDE_MAX = 85.05112878
/** Bits of each axis in a score. */
export const GEOHASH_STEPS = 26

/** How many cells an axis has at each step: 2 to its power, which is slow to compute. */
export const AXIS_CELLS = Float64Array.from({ length: GEOHASH_STEPS + 1 }, (_, step) => 2 ** step)

const TEXT_LATITUDE_MAX = 90
const TEXT_ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz'
const TEXT_DIGITS = 10
const TWO_16 = 0x1_0000
const TWO_32 = 0x1_0000_0000

export type GeoPoint = { readonly longitude: number; readonly latitude: number }

/** Whether a point can be encoded. NaN cannot. */
export function isEncodable(longitude: number, latitude: number): boolean {
  return Math.abs(longitude) <= LONGITUDE_MAX && Math.abs(latitude) <= LATITUDE_MAX
}

/** The score of an encodable point. */
export function encodeGeohash(longitude: number, latitude: number): number {
  return interleave(
    cellIndex(longitude, LONGITUDE_MAX, GEOHASH_STEPS),
    cellIndex(latitude, LATITUDE_MAX, GEOHASH_STEPS),
  )
}

/** The middle of the cell that a score stands for. Fractions and signs of a score mean nothing. */
export function decodeGeohash(score: number): GeoPoint {
  const bits = Math.abs(Math.trunc(score))
  const high = Math.floor(bits / TWO_32) >>> 0
  const low = bits >>> 0
  const longitude = gather(high >>> 1) * TWO_16 + gather(low >>> 1)
  const latitude = gather(high) * TWO_16 + gather(low)
  return {
    longitude: cellMiddle(longitude, LONGITUDE_MAX),
    latitude: cellMiddle(latitude, LATITUDE_MAX),
  }
}

/** The standard geohash of a point, as on geohash.org: 11 characters, of which the last is always 0. */
export function geohashText(longitude: number, latitude: number): string {
  const bits = interleave(
    cellIndex(longitude, LONGITUDE_MAX, GEOHASH_STEPS),
    cellIndex(latitude, TEXT_LATITUDE_MAX, GEOHASH_STEPS),
  )
  let text = ''
  for (let digit = 1; digit <= TEXT_DIGITS; digit++) {
    text += TEXT_ALPHABET[Math.floor(bits / 2 ** (52 - digit * 5)) % 32]
  }
  return `${text}0`
}

/** Which of the 2^step cells of an axis from -max to max a coordinate is in; 2^step for the far end itself. */
export function cellIndex(degrees: number, max: number, step: number): number {
  return Math.floor(((degrees + max) / (2 * max)) * AXIS_CELLS[step]!)
}

/** Where a cell begins, in degrees. */
export function cellStart(index: number, max: number, step: number): number {
  return -max + (index / AXIS_CELLS[step]!) * (2 * max)
}

/** The bits of two indices, the first one's above the second one's. */
export function interleave(longitudeIndex: number, latitudeIndex: number): number {
  const high = (spread(longitudeIndex / TWO_16) << 1) | spread(latitudeIndex / TWO_16)
  const low = (spread(longitudeIndex) << 1) | spread(latitudeIndex)
  return (high >>> 0) * TWO_32 + (low >>> 0)
}

function cellMiddle(index: number, max: number): number {
  const middle = (cellStart(index, max, GEOHASH_STEPS) + cellStart(index + 1, max, GEOHASH_STEPS)) / 2
  return Math.max(-max, Math.min(max, middle))
}

/** Puts a zero in front of each of the lowest 16 bits. */
function spread(value: number): number {
  let bits = value & 0xffff
  bits = (bits | (bits << 8)) & 0x00ff00ff
  bits = (bits | (bits << 4)) & 0x0f0f0f0f
  bits = (bits | (bits << 2)) & 0x33333333
  return (bits | (bits << 1)) & 0x55555555
}

/** Takes every other bit, from the lowest on: 16 of 32. */
function gather(value: number): number {
  let bits = value & 0x55555555
  bits = (bits | (bits >>> 1)) & 0x33333333
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f
  bits = (bits | (bits >>> 4)) & 0x00ff00ff
  return (bits | (bits >>> 8)) & 0xffff
}
