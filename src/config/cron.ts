/** Schedules in the notation of crontab. Source: kvrocks src/common/cron.h and cron.cc. */
import { OptionError } from './option.js'

interface Field {
  readonly name: 'minute' | 'hour' | 'day' | 'month' | 'weekday'
  readonly min: number
  readonly max: number
}

const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12 },
  { name: 'weekday', min: 0, max: 6 },
]

/** For each field of one schedule, the set of numbers that match. */
type Schedule = readonly ReadonlySet<number>[]

/**
 * One or more schedules: `minute hour day month weekday`, repeated. Each field is `*`, a number, `a-b` with a < b, a
 * comma list of those, or `*` with a step; weekday 0 is Sunday. All five fields have to match, unlike in crontab, where
 * day and weekday are alternatives.
 */
export class Cron {
  readonly #schedules: readonly Schedule[]
  #lastDueMinute = Number.NEGATIVE_INFINITY

  /** Throws OptionError. An empty text never matches. */
  constructor(text: string) {
    const words = text.split(/[ \t]+/).filter((word) => word !== '')
    if (words.length % FIELDS.length !== 0) {
      throw new OptionError('cron expression format error, should only contain 5x fields')
    }
    const schedules: Schedule[] = []
    for (let at = 0; at < words.length; at += FIELDS.length) {
      schedules.push(FIELDS.map((field, index) => parseField(words[at + index]!, field)))
    }
    this.#schedules = schedules
  }

  get enabled(): boolean {
    return this.#schedules.length > 0
  }

  /** Whether a schedule names the minute of `date`, in local time. */
  matches(date: Date): boolean {
    const now = [date.getMinutes(), date.getHours(), date.getDate(), date.getMonth() + 1, date.getDay()]
    return this.#schedules.some((schedule) => schedule.every((numbers, index) => numbers.has(now[index]!)))
  }

  /** As `matches`, but true only once in a minute: for a caller that asks more often than that. */
  isDue(date: Date): boolean {
    const minute = Math.floor(date.getTime() / 60_000)
    if (minute === this.#lastDueMinute || !this.matches(date)) return false
    this.#lastDueMinute = minute
    return true
  }
}

function parseField(word: string, field: Field): ReadonlySet<number> {
  const { min, max } = field
  if (word === '*') return range(min, max, 1)
  if (word.startsWith('*/')) {
    const step = parseNumber(word.slice(2), field, 'after `*/` in a cron expression')
    if (step === 0) throw refuse('interval value after `*/` cannot be zero')
    return range(min, max, step)
  }
  const numbers = new Set<number>()
  const parts = word.split(',').filter((part) => part !== '')
  if (parts.length === 0) throw refuse('invalid cron expression')
  for (const part of parts) {
    const dashAt = part.indexOf('-')
    if (dashAt < 0) {
      numbers.add(parseNumber(part, field, 'in a cron expression'))
      continue
    }
    const first = parseNumber(part.slice(0, dashAt), field, 'before `-` in a cron expression')
    const last = parseNumber(part.slice(dashAt + 1), field, 'after `-` in a cron expression')
    if (first >= last) throw refuse('for pattern `l-r` in cron expression, r should be larger than l')
    for (const number of range(first, last, 1)) numbers.add(number)
  }
  return numbers
}

function range(first: number, last: number, step: number): Set<number> {
  const numbers = new Set<number>()
  for (let number = first; number <= last; number += step) numbers.add(number)
  return numbers
}

/** Decimal alone: Kvrocks reads a leading zero as octal, so that its "08" is an error and its "010" is 8. */
function parseNumber(digits: string, { min, max }: Field, where: string): number {
  const prefix = `an integer is expected ${where}`
  if (!/^[0-9]/.test(digits)) throw refuse(`${prefix}: not started as an integer`)
  if (!/^[0-9]+$/.test(digits)) throw refuse(`${prefix}: encounter non-integer characters`)
  const number = Number(digits)
  if (number < min || number > max) throw refuse(`${prefix}: out of numeric range`)
  return number
}

function refuse(detail: string): OptionError {
  return new OptionError(`cron expression format error: ${detail}`)
}
