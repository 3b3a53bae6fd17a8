/** What one configuration option is: how its text is read, checked and printed. Source: kvrocks src/config/config_type.h. */

/**
 * A value that an option refuses. `message` is the text for the start of the server (Kvrocks's wording), `reply` the
 * one that a client gets from CONFIG SET (Redis's wording where Redis has one).
 */
export class OptionError extends Error {
  readonly reply: string

  constructor(message: string, reply: string = message) {
    super(message)
    this.reply = reply
  }
}

/** One entry of the options table. `T` is the type of its value in `Config.values`. */
export interface Option<T> {
  readonly default: T
  /** What conf/kvrocks.conf sets, where that is not the default. */
  readonly shipped: string | undefined
  /** Whether CONFIG SET may change it. */
  readonly mutable: boolean
  /** True for an option whose lines add up (rename-command). CONFIG GET prints one pair a line. */
  readonly multiple: boolean
  /** One sentence: what it does. conf/kvrocks.conf carries the same sentence. */
  readonly doc: string
  /** The unit of the number: `s`, `ms`, `µs`, `MiB`, …; empty where there is none. */
  readonly unit: string
  /** The kind of value and its range, for people. */
  readonly type: string
  /** Reads a value; `current` is what is in force, for options whose text changes only a part. Throws OptionError. */
  parse(text: string, current: T): T
  /** The text that CONFIG GET prints. */
  format(value: T): string
  /** The text that CONFIG REWRITE writes; `source` is the text that the value was last set from. */
  formatForFile(value: T, source: string): string
}

/** Fields that every kind of option takes. */
export interface Spec<T> {
  readonly default: T
  /** False where absent. */
  readonly mutable?: boolean
  readonly doc: string
  readonly unit?: string
  readonly shipped?: string
}

type Behaviour<T> = Pick<Option<T>, 'type' | 'parse' | 'format'> &
  Partial<Pick<Option<T>, 'formatForFile' | 'multiple'>>

/** Builds an option from its fields and its behaviour; new kinds outside this file use it too. */
export function option<T>(spec: Spec<T>, behaviour: Behaviour<T>): Option<T> {
  return {
    default: spec.default,
    shipped: spec.shipped,
    mutable: spec.mutable ?? false,
    multiple: false,
    doc: spec.doc,
    unit: spec.unit ?? '',
    formatForFile: (value) => behaviour.format(value),
    ...behaviour,
  }
}

export const INT32_MAX = 2 ** 31 - 1
export const INT64_MAX = 2n ** 63n - 1n
export const UINT64_MAX = 2n ** 64n - 1n

const NOT_AN_INTEGER = "argument couldn't be parsed into an integer"
const outside = (min: number | bigint, max: number | bigint): OptionError =>
  new OptionError('out of numeric range', `argument must be between ${min} and ${max} inclusive`)

/**
 * Reads the integer at the start of `text` as C's strtoll does: leading white space, a sign, and with `radix` 0 the
 * prefixes 0x (base 16) and 0 (base 8). Returns it with the rest of the text, or throws where none starts there.
 * Source: kvrocks src/common/parse_util.h, TryParseInt.
 */
export function scanInteger(text: string, radix: 0 | 8 | 10): { value: bigint; rest: string } {
  const match = /^[ \t\n\v\f\r]*([+-]?)(0[xX](?=[0-9a-fA-F]))?/.exec(text)!
  const hexadecimal = radix === 0 && match[2] !== undefined
  const bodyAt = match[0].length - (hexadecimal ? 0 : (match[2]?.length ?? 0))
  const octal = radix === 8 || (radix === 0 && !hexadecimal && text[bodyAt] === '0')
  const digits = (hexadecimal ? /^[0-9a-fA-F]+/ : octal ? /^[0-7]+/ : /^[0-9]+/).exec(text.slice(bodyAt))?.[0]
  if (digits === undefined) throw new OptionError('not started as an integer', NOT_AN_INTEGER)
  const magnitude = BigInt(`${hexadecimal ? '0x' : octal ? '0o' : ''}${digits}`)
  return { value: match[1] === '-' ? -magnitude : magnitude, rest: text.slice(bodyAt + digits.length) }
}

function parseInteger(text: string, min: bigint, max: bigint, radix: 0 | 8): bigint {
  const { value, rest } = scanInteger(text, radix)
  if (rest !== '') throw new OptionError('encounter non-integer characters', NOT_AN_INTEGER)
  if (value < min || value > max) throw outside(min, max)
  return value
}

/** A number of at most 53 bits; `min` is 0 and `max` 2^31-1 where absent. */
export function integer(spec: Spec<number> & { min?: number; max?: number }): Option<number> {
  const { min = 0, max = INT32_MAX } = spec
  return option(spec, {
    type: `integer ${min}..${max}`,
    parse: (text) => Number(parseInteger(text, BigInt(min), BigInt(max), 0)),
    format: String,
  })
}

/** A number of 64 bits, exact; for settings that nothing reads on a hot path. `min` is 0 and `max` 2^63-1 where absent. */
export function int64(spec: Spec<bigint> & { min?: bigint; max?: bigint }): Option<bigint> {
  const { min = 0n, max = INT64_MAX } = spec
  return option(spec, {
    type: `integer ${min}..${max}`,
    parse: (text) => parseInteger(text, min, max, 0),
    format: String,
  })
}

/** A file mode in octal. Its value is the mode itself (0o777), printed without a leading zero. */
export function octal(spec: Spec<number> & { min?: number; max?: number }): Option<number> {
  const { min = 0, max = INT32_MAX } = spec
  const print = (value: number): string => value.toString(8)
  return option(spec, {
    type: `octal ${print(min)}..${print(max)}`,
    parse: (text) => Number(parseInteger(text, BigInt(min), BigInt(max), 8)),
    format: print,
  })
}

const UNITS = ['', 'K', 'M', 'G', 'T', 'P']

/**
 * Reads a number of bytes with an optional unit: K, M, G, T or P in any case, all powers of 1,024, with or without a B
 * behind it as Redis writes it. (Redis's K without B is 1,000; Kvrocks has no such unit.)
 */
export function parseBytes(text: string): bigint {
  const { value, rest } = scanInteger(text, 10)
  const unit = rest.toUpperCase().replace(/^([KMGTP])B$/, '$1')
  const power = unit === 'B' ? 0 : UNITS.indexOf(unit)
  if (power < 0) throw new OptionError(`encounter unexpected unit: \`${rest}\``, 'argument must be a memory value')
  return value << BigInt(power * 10)
}

/**
 * A number of bytes with an optional unit. Values above 2^53-1, which no memory holds, count as 2^53-1. CONFIG GET
 * prints plain bytes; CONFIG REWRITE keeps the unit in which the value was given.
 * Source: kvrocks src/config/config_type.h, IntWithUnitField.
 */
export function bytes(spec: Spec<number> & { min?: number; max?: bigint }): Option<number> {
  const { min = 0, max = UINT64_MAX } = spec
  return option(
    { unit: 'bytes', ...spec },
    {
      type: `bytes ${min}..${max}, or with a unit K, M, G, T, P`,
      parse(text) {
        const value = parseBytes(text)
        if (value > UINT64_MAX) throw new OptionError('arithmetic overflow', 'argument must be a memory value')
        if (value < min || value > max) {
          throw new OptionError(
            `this config value should be between ${min} and ${max}`,
            `argument must be between ${min} and ${max} inclusive`,
          )
        }
        return Math.min(Number(value), Number.MAX_SAFE_INTEGER)
      },
      format: String,
      formatForFile(value, source) {
        const power = Math.max(0, UNITS.indexOf(source.toUpperCase().replace(/B$/, '').slice(-1)))
        const inUnit = value / 1024 ** power
        return Number.isInteger(inUnit) ? `${inUnit}${UNITS[power]}` : String(value)
      },
    },
  )
}

/** yes or no, in any case. */
export function bool(spec: Spec<boolean>): Option<boolean> {
  return option(spec, {
    type: 'yes or no',
    parse(text) {
      const word = text.toLowerCase()
      if (word !== 'yes' && word !== 'no') throw new OptionError("argument must be 'yes' or 'no'")
      return word === 'yes'
    },
    format: (value) => (value ? 'yes' : 'no'),
  })
}

/** One of several words, in any case. */
export function oneOf<const W extends string>(words: readonly W[], spec: Spec<NoInfer<W>>): Option<W> {
  return option<W>(spec, {
    type: `one of ${words.join(', ')}`,
    parse(text) {
      const wanted = text.toLowerCase()
      const word = words.find((candidate) => candidate === wanted)
      if (word !== undefined) return word
      const acceptable = words.map((candidate) => `'${candidate}'`).join(', ')
      throw new OptionError(`invalid enum option, acceptable values are ${acceptable}`)
    },
    format: String,
  })
}

/** Any text. */
export function text(spec: Spec<string>): Option<string> {
  return option(spec, { type: 'text', parse: (value) => value, format: String })
}

/** Lines that add up; there is no way to take one back. */
export function lines(spec: Spec<readonly string[]>): Option<readonly string[]> {
  return option<readonly string[]>(spec, {
    type: 'text, may stand several times',
    multiple: true,
    parse: (line, current) => [...current, line],
    format: (value) => value.join('\n'),
  })
}
