/** When fields of hashes expire. Source: redis src/t_hash.c, hexpireGenericCommand … hgetdelCommand. */

import type { Bytes } from '../bytes/bytes.js'
import { parseInt64 } from '../bytes/int64.js'
import { NOTIFY_GENERIC, NOTIFY_HASH } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, invalidExpire, NOT_AN_INTEGER, wrongArity } from '../protocol/errors.js'
import * as hashes from '../types/hash.js'
import * as expiries from '../types/hash-expiry.js'
import { type AnyCommand, command, FAST, FIRST_KEY, READONLY, WRITE } from './command.js'
import type { Context } from './context.js'
import { EX, EXAT, type Expiry, type ExpiryUnit, PX, PXAT, toUnixMs } from './expiry.js'

const WRITE_FAST = { flags: WRITE | FAST, keys: FIRST_KEY }
const FIELDS = 'FIELDS numfields field [field ...]'

export const hashExpiryCommands: readonly AnyCommand[] = [
  expireCommand('hexpire', EX, 'seconds', 'Sets the expiration of fields in seconds.'),
  expireCommand('hpexpire', PX, 'milliseconds', 'Sets the expiration of fields in milliseconds.'),
  expireCommand('hexpireat', EXAT, 'unix-time-seconds', 'Sets the expiration of fields to a Unix timestamp.'),
  expireCommand(
    'hpexpireat',
    PXAT,
    'unix-time-milliseconds',
    'Sets the expiration of fields to a Unix milliseconds timestamp.',
  ),
  timeCommand('httl', 'Returns the expiration time in seconds of fields.', (ms, nowMs) => seconds(ms - nowMs)),
  timeCommand('hpttl', 'Returns the expiration time in milliseconds of fields.', (ms, nowMs) => ms - nowMs),
  timeCommand('hexpiretime', 'Returns the expiration time of fields as a Unix timestamp.', seconds),
  timeCommand('hpexpiretime', 'Returns the expiration time of fields as a Unix milliseconds timestamp.', (ms) => ms),
  command(
    {
      ...WRITE_FAST,
      name: 'hpersist',
      arity: -5,
      syntax: `key ${FIELDS}`,
      summary: 'Removes the expiration time of fields.',
      since: '7.4.0',
    },
    (args) => fieldsAt(args, 2, NOT_POSITIVE_COUNT),
    persist,
  ),
  command(
    {
      ...WRITE_FAST,
      name: 'hsetex',
      arity: -6,
      syntax:
        'key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]',
      summary: 'Sets the values of fields and, if asked, their expiration.',
      since: '8.0.0',
    },
    parseSet,
    setWithExpiry,
  ),
  command(
    {
      ...WRITE_FAST,
      name: 'hgetex',
      arity: -5,
      syntax: `key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] ${FIELDS}`,
      summary: 'Returns the values of fields and, if asked, sets their expiration.',
      since: '8.0.0',
    },
    parseGet,
    getWithExpiry,
  ),
  command(
    {
      ...WRITE_FAST,
      name: 'hgetdel',
      arity: -5,
      syntax: `key ${FIELDS}`,
      summary: 'Returns the values of fields and deletes them.',
      since: '8.0.0',
    },
    (args) => fieldsAt(args, 2, NOT_POSITIVE_COUNT),
    getAndDelete,
  ),
  command(
    {
      ...WRITE_FAST,
      name: 'hsetexpire',
      arity: -5,
      syntax: 'key seconds field value [field value ...]',
      summary: 'Sets fields of a hash, and the expiration of the whole hash.',
      since: '2.12.0',
    },
    parseSetExpire,
    setAndExpireKey,
  ),
]

/** What Redis leaves of 48 bits for its own use: the year 4199. Source: redis src/t_hash.c, HFE_MAX_ABS_TIME_MSEC. */
const TIME_MS_MAX = 2 ** 46 - 1
const NEGATIVE_TIME = err('invalid expire time, must be >= 0')
const FIELDS_MISSING = err('Mandatory argument FIELDS is missing or not at the right position')
const NOT_POSITIVE_COUNT = err('Number of fields must be a positive integer')
const COUNT_TOO_SMALL = err('Parameter `numFields` should be greater than 0')
const BAD_COUNT = err('invalid number of fields')
const COUNT_MISMATCH = err('The `numfields` parameter must match the number of arguments')
const MISSING_TIME = err('missing expire time')
const ONE_CONDITION = err('Only one of FXX or FNX arguments can be specified')
const ONE_EXPIRY = err('Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified')
const INCOMPLETE_PAIRS = err('Invalid number of arguments: field-value pairs must be complete')

const UNITS: readonly (readonly [string, ExpiryUnit])[] = [
  ['ex', EX],
  ['px', PX],
  ['exat', EXAT],
  ['pxat', PXAT],
]

const CONDITIONS = [
  ['nx', 'persistent'],
  ['xx', 'expiring'],
  ['gt', 'later'],
  ['lt', 'sooner'],
] as const

function unitAt(args: Args, index: number): ExpiryUnit | undefined {
  return UNITS.find(([word]) => index < args.count && args.is(index, word))?.[1]
}

function timeAt(args: Args, index: number, { scale, isAbsolute }: ExpiryUnit, name: string): Expiry {
  const value = parseInt64(args.at(index))
  if (value === undefined) throw NOT_AN_INTEGER
  if (value < 0) throw NEGATIVE_TIME
  const ms = Number(value) * scale
  if (ms > TIME_MS_MAX) throw invalidExpire(name)
  return { ms, isAbsolute }
}

/** The moment that `expiry` means. Throws where it is beyond what can be stored. */
function momentOf(db: Context['db'], expiry: Expiry, name: string): number {
  const ms = toUnixMs(expiry, db.nowMs)
  if (ms > TIME_MS_MAX) throw invalidExpire(name)
  // A stored 0 means never; both moments are past.
  return Math.max(ms, 1)
}

/** The fields of `FIELDS numfields field …` at word `index`. */
function fieldsAt(args: Args, index: number, badCount: typeof BAD_COUNT): Bytes[] {
  if (index + 1 >= args.count || !args.is(index, 'fields')) throw FIELDS_MISSING
  const count = parseInt64(args.at(index + 1))
  if (typeof count !== 'number' || count < 1) throw badCount
  if (count !== args.count - index - 2) throw COUNT_MISMATCH
  return args.rest(index + 2)
}

interface ExpireOptions {
  readonly expiry: Expiry
  readonly condition: expiries.ExpiryCondition
  readonly fields: Bytes[]
}

function expireCommand(name: string, unit: ExpiryUnit, argument: string, summary: string): AnyCommand {
  return command(
    {
      ...WRITE_FAST,
      name,
      arity: -6,
      syntax: `key ${argument} [NX | XX | GT | LT] ${FIELDS}`,
      summary,
      since: '7.4.0',
    },
    (args): ExpireOptions => {
      const expiry = timeAt(args, 2, unit, name)
      const condition = CONDITIONS.find(([word]) => args.is(3, word))?.[1] ?? 'none'
      return { expiry, condition, fields: fieldsAt(args, condition === 'none' ? 3 : 4, COUNT_TOO_SMALL) }
    },
    (context, args, options) => expire(context, args, options, name),
  )
}

function expire(context: Context, args: Args, { expiry, condition, fields }: ExpireOptions, name: string): void {
  const { db } = context
  const key = args.at(1)
  const atMs = momentOf(db, expiry, name)
  const changes = expiries.expire(db, key, fields, atMs, condition, expired(context, key))
  replyIntegers(context, changes.results)
  tell(context, key, changes, 'hexpire')
}

function expired({ events }: Context, key: Bytes): () => void {
  return () => events.notify(NOTIFY_HASH, 'hexpired', key)
}

/** Tells of fields that were updated, of those that were deleted, and of a hash that has none left. */
function tell({ events }: Context, key: Bytes, changes: expiries.FieldChanges<unknown>, update: string): void {
  if (changes.updated > 0) events.notify(NOTIFY_HASH, update, key)
  if (changes.deleted > 0) events.notify(NOTIFY_HASH, 'hdel', key)
  if (changes.isEmpty) events.notify(NOTIFY_GENERIC, 'del', key)
}

function replyIntegers({ reply }: Context, values: readonly number[]): void {
  reply.array(values.length)
  for (const value of values) reply.integer(value)
}

function replyValues({ reply }: Context, values: readonly (Bytes | undefined)[]): void {
  reply.array(values.length)
  for (const value of values) reply.bulkOrNil(value)
}

/** Rounded up, so that a field that is alive never shows 0. */
function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}

function timeCommand(name: string, summary: string, show: (ms: number, nowMs: number) => number): AnyCommand {
  return command(
    {
      name,
      arity: -5,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: `key ${FIELDS}`,
      summary,
      since: '7.4.0',
    },
    (args) => fieldsAt(args, 2, NOT_POSITIVE_COUNT),
    (context, args, fields) => {
      const { db } = context
      const times = expiries.expireTimes(db, args.at(1), fields)
      replyIntegers(
        context,
        times.map((ms) => (ms < 0 ? ms : show(ms, db.nowMs))),
      )
    },
  )
}

function persist(context: Context, args: Args, fields: readonly Bytes[]): void {
  const key = args.at(1)
  const changes = expiries.persist(context.db, key, fields, expired(context, key))
  replyIntegers(context, changes.results)
  tell(context, key, changes, 'hpersist')
}

interface SetOptions {
  readonly wants: 'all' | 'none' | undefined
  /** Undefined: the expiry of fields stays; 'never': they lose it. */
  readonly expiry: Expiry | 'never' | undefined
  readonly pairs: hashes.FieldValue[]
}

function parseSet(args: Args): SetOptions {
  let wants: SetOptions['wants']
  let expiry: SetOptions['expiry'] = 'never'
  let hasExpiry = false
  for (let index = 2; index < args.count; index++) {
    const unit = unitAt(args, index)
    if (args.is(index, 'fields')) return { wants, expiry, pairs: pairsAt(args, index) }
    if (unit !== undefined || args.is(index, 'keepttl')) {
      if (hasExpiry) throw ONE_EXPIRY
      hasExpiry = true
      expiry = undefined
      if (unit === undefined) continue
      if (++index >= args.count) throw MISSING_TIME
      expiry = timeAt(args, index, unit, 'hsetex')
    } else if (args.is(index, 'fxx') || args.is(index, 'fnx')) {
      if (wants !== undefined) throw ONE_CONDITION
      wants = args.is(index, 'fxx') ? 'all' : 'none'
    } else {
      throw err(`unknown argument: ${args.latin1(index)}`)
    }
  }
  throw wrongArity('hsetex')
}

function pairsAt(args: Args, index: number): hashes.FieldValue[] {
  if (index >= args.count - 3) throw wrongArity('hsetex')
  const count = parseInt64(args.at(index + 1))
  if (typeof count !== 'number' || count < 1 || count > 2 ** 31 - 1) throw BAD_COUNT
  const words = args.rest(index + 2)
  if (words.length !== count * 2) throw wrongArity('hsetex')
  return Array.from({ length: count }, (_, at) => [words[at * 2] as Bytes, words[at * 2 + 1] as Bytes] as const)
}

function setWithExpiry(context: Context, args: Args, { wants, expiry, pairs }: SetOptions): void {
  const { db, reply, events } = context
  const key = args.at(1)
  const atMs = expiry === 'never' ? 0 : expiry === undefined ? undefined : momentOf(db, expiry, 'hsetex')
  const changes = expiries.setWithExpiry(db, key, pairs, { wants, atMs }, expired(context, key))
  const isSet = changes.results[0] === true
  if (isSet) events.notify(NOTIFY_HASH, 'hset', key)
  tell(context, key, changes, 'hexpire')
  reply.integer(isSet ? 1 : 0)
}

interface GetOptions {
  /** Undefined: the expiry of fields stays; 'never': they lose it. */
  readonly expiry: Expiry | 'never' | undefined
  readonly fields: Bytes[]
}

function parseGet(args: Args): GetOptions {
  if (args.is(2, 'persist')) return { expiry: 'never', fields: fieldsAt(args, 3, NOT_POSITIVE_COUNT) }
  const unit = unitAt(args, 2)
  if (unit === undefined) return { expiry: undefined, fields: fieldsAt(args, 2, NOT_POSITIVE_COUNT) }
  const expiry = timeAt(args, 3, unit, 'hgetex')
  return { expiry, fields: fieldsAt(args, 4, NOT_POSITIVE_COUNT) }
}

function getWithExpiry(context: Context, args: Args, { expiry, fields }: GetOptions): void {
  const { db } = context
  const key = args.at(1)
  const atMs = expiry === 'never' ? 0 : expiry === undefined ? undefined : momentOf(db, expiry, 'hgetex')
  const changes = expiries.getWithExpiry(db, key, fields, atMs, expired(context, key))
  replyValues(context, changes.results)
  tell(context, key, changes, expiry === 'never' ? 'hpersist' : 'hexpire')
}

function getAndDelete(context: Context, args: Args, fields: readonly Bytes[]): void {
  const key = args.at(1)
  const changes = expiries.getAndDelete(context.db, key, fields, expired(context, key))
  replyValues(context, changes.results)
  tell(context, key, changes, 'hdel')
}

interface SetExpireOptions {
  readonly expiry: Expiry
  readonly pairs: hashes.FieldValue[]
}

/** Source: kvrocks src/commands/cmd_hash.cc, CommandHSetExpire. */
function parseSetExpire(args: Args): SetExpireOptions {
  const value = parseInt64(args.at(2))
  if (value === undefined || value < 0) throw NOT_AN_INTEGER
  const ms = Number(value) * 1000
  if (!Number.isSafeInteger(ms)) throw invalidExpire('hsetexpire')
  if (args.count % 2 !== 1) throw INCOMPLETE_PAIRS
  const words = args.rest(3)
  const pairs = Array.from(
    { length: words.length / 2 },
    (_, at) => [words[at * 2] as Bytes, words[at * 2 + 1] as Bytes] as const,
  )
  return { expiry: { ms, isAbsolute: false }, pairs }
}

function setAndExpireKey(context: Context, args: Args, { expiry, pairs }: SetExpireOptions): void {
  const { db, reply, events } = context
  const key = args.at(1)
  hashes.set(db, key, pairs, { expireMs: toUnixMs(expiry, db.nowMs), onExpired: expired(context, key) })
  events.notify(NOTIFY_HASH, 'hset', key)
  events.notify(NOTIFY_GENERIC, 'expire', key)
  reply.ok()
}
