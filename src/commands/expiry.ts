/** Times of expiry as commands give them: relative or absolute, in seconds or milliseconds. */

import type { Bytes } from '../bytes/bytes.js'
import { INT64_MAX, INT64_MIN, parseInt64 } from '../bytes/int64.js'
import { invalidExpire, NOT_AN_INTEGER, SYNTAX } from '../protocol/errors.js'
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
function takeExpiryUnit(options: OptionReader): ExpiryUnit | undefined {
  return UNITS.find(([word]) => options.take(word))?.[1]
}

/** A time among options, not yet looked at: Redis finds fault with it after all mistakes of syntax. */
export interface ExpiryWords {
  readonly unit: ExpiryUnit
  readonly time: Bytes
}

/** What SET and its kin say of the time to live. */
export interface TtlWords {
  expiry: ExpiryWords | undefined
  /** KEEPTTL. */
  isKept: boolean
}

/**
 * Takes KEEPTTL, or a time with its unit, from options where nothing else may stand. The same may be given again, the other
 * or another unit may not: throws, as where neither comes. Source: redis src/t_string.c, parseExtendedStringArgumentsOrReply.
 */
export function takeTtl(options: OptionReader, ttl: TtlWords): void {
  if (options.take('keepttl')) {
    if (ttl.expiry !== undefined) throw SYNTAX
    ttl.isKept = true
    return
  }
  if (ttl.isKept) throw SYNTAX
  ttl.expiry = takeExpiryAgain(options, ttl.expiry)
}

/**
 * The time among options that the next words give, in place of `former`. The same unit may be given again, another one
 * may not: throws, as where no unit comes. Source: redis src/t_string.c, parseExtendedStringArgumentsOrReply.
 */
export function takeExpiryAgain(options: OptionReader, former: ExpiryWords | undefined): ExpiryWords {
  const unit = takeExpiryUnit(options)
  if (unit === undefined || (former !== undefined && former.unit !== unit)) throw SYNTAX
  return { unit, time: options.word() }
}

/** The time of `words`, as `positiveExpiry`; undefined for none. */
export function expiryOf(words: ExpiryWords | undefined, name: string): Expiry | undefined {
  return words === undefined ? undefined : positiveExpiry(words.time, words.unit, name)
}

/** A time that must be in the future, as SET EX wants it. `name` is the command's, for the error. */
export function positiveExpiry(text: Bytes, unit: ExpiryUnit, name: string): Expiry {
  const expiry = anyExpiry(text, unit, name)
  if (expiry.ms <= 0) throw invalidExpire(name)
  return expiry
}

/** Any time, as EXPIRE takes it. Throws where it, or the moment that it means, is beyond int64 milliseconds. */
export function anyExpiry(text: Bytes, { scale, isAbsolute }: ExpiryUnit, name: string): Expiry {
  const value = parseInt64(text)
  if (value === undefined) throw NOT_AN_INTEGER
  const ms = Number(value) * scale
  if (!Number.isSafeInteger(ms)) {
    const exact = BigInt(value) * BigInt(scale)
    if (exact < INT64_MIN || exact > (isAbsolute ? INT64_MAX : RELATIVE_MS_MAX)) throw invalidExpire(name)
  }
  return { ms, isAbsolute }
}

/** The moment, in Unix milliseconds. Beyond the year 287,396 it is rounded to the next double. */
export function toUnixMs({ ms, isAbsolute }: Expiry, nowMs: number): number {
  return isAbsolute ? ms : nowMs + ms
}

/** So much is left of int64 when the present is added, for the next 100 years. */
const RELATIVE_MS_MAX = INT64_MAX - 2n ** 42n
