import type { Bytes } from './bytes.js'

/** Doubles as text, in the forms that Redis and Kvrocks print and accept, and as sortable bytes. */

/** C's printf("%.17g"), with "inf", "-inf" and "nan". Scores in the replies of Redis up to 7.0 and of Kvrocks. */
export function formatDouble17(n: number): string {
  if (!Number.isFinite(n)) return formatNonFinite(n)
  if (Number.isSafeInteger(n)) return Object.is(n, -0) ? '-0' : String(n)
  const magnitude = Math.abs(n)
  if (magnitude >= 1e-4 && magnitude < 1e17) {
    const text = n.toPrecision(17)
    return trimZeros(isTie(n, exponentOfFixed(text, n)) ? lastDigitEven(text) : text)
  }
  const [digits, exponent] = splitScientific(n.toExponential(16))
  const rounded = trimZeros(isTie(n, exponent) ? lastDigitEven(digits) : digits)
  const power = Math.abs(exponent)
  return `${rounded}e${exponent < 0 ? '-' : '+'}${power < 10 ? '0' : ''}${power}`
}

/** Up to here Redis prints all digits of a whole number. Source: redis src/util.c, double2ll. */
const INTEGER_MAX = 2 ** 62

/**
 * The shortest text that reads back as `n`, and all digits of a whole number up to INTEGER_MAX, in the form of Redis
 * since 7.2: 3.1, 1e-7, 1.5e+25, inf, -0.
 */
export function formatDouble(n: number): string {
  if (!Number.isFinite(n)) return formatNonFinite(n)
  if (Number.isSafeInteger(n)) return Object.is(n, -0) ? '-0' : String(n)
  if (Number.isInteger(n) && Math.abs(n) <= INTEGER_MAX) return String(BigInt(n))
  const [mantissa, exponent] = splitScientific(n.toExponential())
  const sign = n < 0 ? '-' : ''
  const digits = mantissa.slice(sign.length).replace('.', '')
  const power = exponent - digits.length + 1
  const magnitude = Math.abs(exponent)
  if (power >= 0 && magnitude < digits.length + 7) return sign + digits + '0'.repeat(power)
  if (power < 0 && (power > -7 || magnitude < 4)) return sign + placePoint(digits, exponent)
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${magnitude}`
}

/** C's printf("%f"): six decimals. What Kvrocks stores after INCRBYFLOAT and HINCRBYFLOAT. */
export function formatFixed6(n: number): string {
  if (!Number.isFinite(n)) return formatNonFinite(n)
  if (Math.abs(n) >= 1e21) return `${BigInt(n)}.000000`
  const fixed = n.toFixed(6)
  // toFixed rounds an exact half away from zero, C to the even digit; such a half is an odd multiple of 2^-7.
  const units = n * 128
  if (Number.isInteger(units) && units % 2 !== 0) return lastDigitEven(fixed)
  return Object.is(n, -0) || (n < 0 && fixed[0] !== '-') ? `-${fixed}` : fixed
}

/** "inf", "-inf" or "nan". */
function formatNonFinite(n: number): string {
  return Number.isNaN(n) ? 'nan' : n > 0 ? 'inf' : '-inf'
}

/**
 * Whether `n`, whose first digit stands for 10^exponent, lies exactly between two numbers of 17 digits. JavaScript then
 * rounds up and C to the even digit. Such a number has 17 - exponent decimals, so as many binary places.
 */
function isTie(n: number, exponent: number): boolean {
  const units = n * 2 ** (17 - exponent)
  return Number.isInteger(units) && units % 2 !== 0
}

/** The power of ten of the first digit that is not 0. */
function exponentOfFixed(text: string, n: number): number {
  const sign = n < 0 ? 1 : 0
  if (text[sign] === '0') {
    let at = sign + 2
    while (text[at] === '0') at++
    return sign + 1 - at
  }
  const point = text.indexOf('.')
  return (point < 0 ? text.length : point) - sign - 1
}

function splitScientific(text: string): [string, number] {
  const split = text.indexOf('e')
  return [text.slice(0, split), Number(text.slice(split + 1))]
}

/** Drops zeros at the end of the decimals, and the point with the last of them. */
function trimZeros(text: string): string {
  if (!text.includes('.')) return text
  let end = text.length
  while (text[end - 1] === '0') end--
  return text.slice(0, text[end - 1] === '.' ? end - 1 : end)
}

/** Takes back a rounding up to an odd last digit. */
function lastDigitEven(digits: string): string {
  const last = digits.charCodeAt(digits.length - 1) - 0x30
  return last % 2 === 1 ? digits.slice(0, -1) + String(last - 1) : digits
}

function placePoint(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0')
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i
const INFINITE = /^([+-]?)inf(?:inity)?$/i
const TEXT_BYTES_MAX = 5 * 1024
const FAST_DIGITS_MAX = 15

/**
 * The double that `bytes` spells, or undefined. As Redis reads scores: what strtod takes as a whole, without leading
 * space, not NaN, and neither too large nor too small for a double; infinities by name; hexadecimal too.
 * Source: Redis util.c, string2d.
 */
export function parseDouble(bytes: Bytes): number | undefined {
  const length = bytes.length
  if (length === 0 || length > TEXT_BYTES_MAX) return undefined
  if (length <= FAST_DIGITS_MAX) {
    const value = parseDigits(bytes)
    if (value >= 0) return value
  }
  const text = bytes.toString('latin1')
  if (DECIMAL.test(text)) {
    const value = Number(text)
    if (!Number.isFinite(value)) return undefined
    return value === 0 && /^[^e]*[1-9]/i.test(text) ? undefined : value
  }
  const infinite = INFINITE.exec(text)
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return parseHexadecimal(text)
}

function parseDigits(bytes: Bytes): number {
  let value = 0
  for (let index = 0; index < bytes.length; index++) {
    const digit = bytes[index]! - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function parseHexadecimal(text: string): number | undefined {
  const parts = HEXADECIMAL.exec(text)
  const whole = parts?.[2] ?? ''
  const fraction = parts?.[3] ?? ''
  if (!parts || whole + fraction === '') return undefined
  const mantissa = BigInt(`0x${whole}${fraction}`)
  const exponent = Math.max(-30_000, Math.min(30_000, Number(parts[4] ?? 0))) - 4 * fraction.length
  const value = scaleByPowerOf2(mantissa, exponent)
  if (value === Number.POSITIVE_INFINITY || (value === 0 && mantissa !== 0n)) return undefined
  return parts[1] === '-' ? -value : value
}

const DOUBLE_BITS = 53

/** mantissa * 2^exponent, rounded to the nearest double, ties to even. */
function scaleByPowerOf2(mantissa: bigint, exponent: number): number {
  const bits = mantissa.toString(2).length
  // Below the normal range fewer bits are left, and rounding must happen once, at the last one.
  const keep = Math.min(DOUBLE_BITS, bits + exponent + 1074)
  const drop = BigInt(Math.max(0, bits - keep))
  if (keep < 0) return 0
  const half = drop === 0n ? 0n : 1n << (drop - 1n)
  const rest = mantissa & ((1n << drop) - 1n)
  let kept = mantissa >> drop
  if (drop > 0n && (rest > half || (rest === half && (kept & 1n) === 1n))) kept++
  const power = exponent + Number(drop)
  // Two steps: 2^power alone may be out of range although the product is not.
  const step = Math.trunc(power / 2)
  return Number(kept) * 2 ** step * 2 ** (power - step)
}

/** Number of bytes of a sortable double. */
export const SORTABLE_DOUBLE_SIZE = 8

const SCRATCH = Buffer.alloc(8)

/**
 * Writes a double so that the order of the bytes is that of the numbers, and returns the offset behind it:
 *
 *   negative: all 64 bits of IEEE 754 inverted; otherwise the sign bit set; big-endian
 *
 * -0 sorts before 0, and differs from it. Source: kvrocks src/common/encoding.h, EncodeDoubleToUInt64.
 */
export function writeSortableDouble(target: Buffer, at: number, n: number): number {
  target.writeDoubleBE(n, at)
  if (target[at]! >= 0x80) for (let index = at; index < at + 8; index++) target[index] = ~target[index]!
  else target[at] = target[at]! | 0x80
  return at + 8
}

/** Reads what `writeSortableDouble` wrote. */
export function readSortableDouble(source: Uint8Array, at: number): number {
  const flip = source[at]! >= 0x80 ? 0 : 0xff
  for (let index = 0; index < 8; index++) SCRATCH[index] = source[at + index]! ^ flip
  if (flip === 0) SCRATCH[0] = SCRATCH[0]! & 0x7f
  return SCRATCH.readDoubleBE(0)
}
