/** Times of expiry as commands give them: relative or absolute, in seconds or milliseconds. */

import type { Bytes } from '../bytes/bytes.js'
import { type Int64, parseInt64 } from '../bytes/int64.js'
import { invalidExpire, NOT_AN_INTEGER } from '../protocol/errors.js'
import type { OptionReader } from './options.js'

/** A time as given; `toUnixMs` makes a moment of it when the command runs. */
export interface Expiry {
  /** Milliseconds. */
  readonly ms: number
  readonly isAbsolute: boolean
}

export interface ExpiryUnit {
  readonly scale: 1 | 1000
  readonly isAbsolute: boolean
}

export const EX: ExpiryUnit = { scale: 1000, isAbsolute: false }
export const PX: ExpiryUnit = { scale: 1, isAbsolute: false }
export const EXAT: ExpiryUnit = { scale: 1000, isAbsolute: true }
export const PXAT: ExpiryUnit = { scale: 1, isAbsolute: true }

const UNITS: readonly (readonly [string, ExpiryUnit])[] = [
  ['ex', EX],
  ['px', PX],
  ['exat', EXAT],
  ['pxat', PXAT],
]

/** The unit that the next word of `options` names, if it does. */
export function takeExpiryUnit(options: OptionReader): ExpiryUnit | undefined {
  return UNITS.find(([word]) => options.take(word))?.[1]
}

/** A time that must be in the future, as SET EX wants it. `name` is the command's, for the error. */
export function positiveExpiry(text: Bytes, unit: ExpiryUnit, name: string): Expiry {
  const value = parseInt64(text)
  if (value === undefined) throw NOT_AN_INTEGER
  const ms = scaled(value, unit)
  if (ms === undefined || ms <= 0) throw invalidExpire(name)
  return { ms, isAbsolute: unit.isAbsolute }
}

/** Any time, as EXPIRE takes it. Throws where it does not fit. */
export function anyExpiry(text: Bytes, unit: ExpiryUnit, name: string): Expiry {
  const value = parseInt64(text)
  if (value === undefined) throw NOT_AN_INTEGER
  const ms = scaled(value, unit)
  if (ms === undefined) throw invalidExpire(name)
  return { ms, isAbsolute: unit.isAbsolute }
}

/** The moment, in Unix milliseconds. */
export function toUnixMs({ ms, isAbsolute }: Expiry, nowMs: number): number {
  return isAbsolute ? ms : nowMs + ms
}

function scaled(value: Int64, { scale }: ExpiryUnit): number | undefined {
  const ms = Number(value) * scale
  return Number.isSafeInteger(ms) && Math.abs(ms) <= EXPIRY_MS_MAX ? ms : undefined
}

/** Some 280,000 years, so that adding the present stays exact. */
const EXPIRY_MS_MAX = Number.MAX_SAFE_INTEGER - 2 ** 48
