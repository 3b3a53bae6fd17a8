import type { Bytes } from './bytes.js'

/**
 * INCRBYFLOAT's arithmetic, and the way in which GEOPOS prints coordinates. Redis computes in x87 long doubles (64 bits of mantissa) and prints 17 decimals without
 * trailing zeros; JavaScript has no such type, so the two numbers are rationals here, rounded to 64 bits where the
 * processor would round. Source: Redis util.c, string2ld and ld2string (LD_STR_HUMAN).
 */

/** mantissa * 2^exponent; the mantissa has at most 64 bits, and a sign. */
export type LongDouble = { readonly mantissa: bigint; readonly exponent: number }

const MANTISSA_BITS = 64
const EXPONENT_MAX = 16384
const EXPONENT_MIN = -16445
const DECIMALS = 17
const TEXT_BYTES_MAX = 5 * 1024
// Beyond this every number is out of range, whatever its digits: 5,119 digits and the exponent range of the type.
const DECIMAL_EXPONENT_MAX = 20_000
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i
const INFINITE = /^[+-]?inf(?:inity)?$/i

/** A number, 'infinite', or undefined if `bytes` is not a number that fits. Leading space and NaN are refused. */
export function parseLongDouble(bytes: Bytes): LongDouble | 'infinite' | undefined {
  if (bytes.length === 0 || bytes.length >= TEXT_BYTES_MAX) return undefined
  const text = bytes.toString('latin1')
  if (INFINITE.test(text)) return 'infinite'
  const parts = NUMBER.exec(text) ?? HEXADECIMAL.exec(text)
  if (!parts) return undefined
  const whole = parts[2] ?? ''
  const fraction = parts[3] ?? ''
  const digits = whole + fraction
  if (digits === '') return undefined
  const isHexadecimal = /x/i.test(text)
  const magnitude = BigInt(isHexadecimal ? `0x${digits}` : digits)
  if (magnitude === 0n) return { mantissa: 0n, exponent: 0 }
  const given = Number(parts[4] ?? 0)
  const signed = parts[1] === '-' ? -magnitude : magnitude
  if (isHexadecimal) return inRange(roundRatio(signed, 1n, clamp(given) - 4 * fraction.length))
  const power = clamp(given) - fraction.length
  const value =
    power >= 0 ? roundRatio(signed * 10n ** BigInt(power), 1n, 0) : roundRatio(signed, 10n ** BigInt(-power), 0)
  return inRange(value)
}

/** The sum, rounded once; undefined if it is out of range. */
export function addLongDouble(a: LongDouble, b: LongDouble): LongDouble | undefined {
  const exponent = Math.min(a.exponent, b.exponent)
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent))
  return sum === 0n ? { mantissa: 0n, exponent: 0 } : inRange(roundRatio(sum, 1n, exponent))
}

/** The exact value of a finite double. */
export function toLongDouble(n: number): LongDouble {
  // Every double is a multiple of 2^-1074, and scaling by powers of two is exact while the result is a normal number.
  let exponent = 0
  let mantissa = n
  while (!Number.isSafeInteger(mantissa)) {
    const isLarge = Math.abs(mantissa) > Number.MAX_SAFE_INTEGER
    mantissa = isLarge ? mantissa / 2 : mantissa * 2
    exponent += isLarge ? 1 : -1
  }
  return { mantissa: BigInt(mantissa), exponent }
}

/** At most 17 decimals, rounded half to even, without trailing zeros and never "-0". */
export function formatLongDouble(value: LongDouble): string {
  const { mantissa, exponent } = value
  const scaled = (mantissa < 0n ? -mantissa : mantissa) * 10n ** BigInt(DECIMALS)
  const units = exponent >= 0 ? scaled << BigInt(exponent) : divideToEven(scaled, 1n << BigInt(-exponent))
  const digits = units.toString().padStart(DECIMALS + 1, '0')
  const whole = digits.slice(0, -DECIMALS)
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '')
  const text = fraction === '' ? whole : `${whole}.${fraction}`
  return mantissa < 0n && text !== '0' ? `-${text}` : text
}

function clamp(exponent: number): number {
  return Math.max(-DECIMAL_EXPONENT_MAX, Math.min(DECIMAL_EXPONENT_MAX, exponent))
}

function inRange(value: LongDouble): LongDouble | undefined {
  const top = value.exponent + bitLength(value.mantissa)
  return top > EXPONENT_MAX || top <= EXPONENT_MIN ? undefined : value
}

/** numerator / denominator * 2^exponent with a mantissa of 64 bits. */
function roundRatio(numerator: bigint, denominator: bigint, exponent: number): LongDouble {
  const magnitude = numerator < 0n ? -numerator : numerator
  let shift = MANTISSA_BITS - (bitLength(magnitude) - bitLength(denominator))
  let mantissa = shiftedQuotient(magnitude, denominator, shift)
  if (bitLength(mantissa) > MANTISSA_BITS) mantissa = shiftedQuotient(magnitude, denominator, --shift)
  return { mantissa: numerator < 0n ? -mantissa : mantissa, exponent: exponent - shift }
}

function shiftedQuotient(numerator: bigint, denominator: bigint, shift: number): bigint {
  if (shift >= 0) return divideToEven(numerator << BigInt(shift), denominator)
  return divideToEven(numerator, denominator << BigInt(-shift))
}

function divideToEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  const twice = (numerator % denominator) * 2n
  return twice > denominator || (twice === denominator && (quotient & 1n) === 1n) ? quotient + 1n : quotient
}

function bitLength(value: bigint): number {
  return (value < 0n ? -value : value).toString(2).length
}
