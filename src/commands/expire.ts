/** When keys expire. Source: redis src/expire.c; kvrocks src/commands/cmd_key.cc. */

import { toInt64 } from '../bytes/int64.js'
import { NOTIFY_GENERIC } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err } from '../protocol/errors.js'
import * as keys from '../types/key.js'
import { type AnyCommand, command, FAST, FIRST_KEY, noOptions, READONLY, WRITE } from './command.js'
import type { Context } from './context.js'
import { anyExpiry, EX, EXAT, type Expiry, type ExpiryUnit, PX, PXAT, toUnixMs } from './expiry.js'

const CONDITIONS = '[NX | XX | GT | LT]'

export const expireCommands: readonly AnyCommand[] = [
  expireCommand('expire', EX, 'seconds', 'Sets the expiration time of a key in seconds.', '1.0.0'),
  expireCommand('pexpire', PX, 'milliseconds', 'Sets the expiration time of a key in milliseconds.', '2.6.0'),
  expireCommand(
    'expireat',
    EXAT,
    'unix-time-seconds',
    'Sets the expiration time of a key to a Unix timestamp.',
    '1.2.0',
  ),
  expireCommand(
    'pexpireat',
    PXAT,
    'unix-time-milliseconds',
    'Sets the expiration time of a key to a Unix milliseconds timestamp.',
    '2.6.0',
  ),
  timeCommand('ttl', 'Returns the expiration time in seconds of a key.', '1.0.0', (ms, nowMs) => seconds(ms - nowMs)),
  timeCommand('pttl', 'Returns the expiration time in milliseconds of a key.', '2.6.0', (ms, nowMs) => ms - nowMs),
  timeCommand('expiretime', 'Returns the expiration time of a key as a Unix timestamp.', '7.0.0', seconds),
  timeCommand(
    'pexpiretime',
    'Returns the expiration time of a key as a Unix milliseconds timestamp.',
    '7.0.0',
    (ms) => ms,
  ),
  command(
    {
      name: 'persist',
      arity: 2,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Removes the expiration time of a key.',
      since: '2.2.0',
    },
    noOptions,
    persist,
  ),
]

function seconds(ms: number): number {
  return Math.floor((ms + 500) / 1000)
}

interface ExpireOptions {
  readonly expiry: Expiry
  /** Bits ONLY_*. */
  readonly conditions: number
}

const ONLY_PERSISTENT = 1
const ONLY_EXPIRING = 2
const ONLY_LATER = 4
const ONLY_SOONER = 8

const CONDITION_WORDS = [
  ['nx', ONLY_PERSISTENT],
  ['xx', ONLY_EXPIRING],
  ['gt', ONLY_LATER],
  ['lt', ONLY_SOONER],
] as const

const INCOMPATIBLE = err('NX and XX, GT or LT options at the same time are not compatible')
const LATER_AND_SOONER = err('GT and LT options at the same time are not compatible')

function expireCommand(name: string, unit: ExpiryUnit, argument: string, summary: string, since: string): AnyCommand {
  return command(
    {
      name,
      arity: -3,
      flags: WRITE | FAST,
      keys: FIRST_KEY,
      syntax: `key ${argument} ${CONDITIONS}`,
      summary,
      since,
    },
    (args): ExpireOptions => ({
      conditions: parseConditions(args),
      expiry: anyExpiry(args.at(2), unit, name),
    }),
    expire,
  )
}

function parseConditions(args: Args): number {
  let conditions = 0
  for (let index = 3; index < args.count; index++) {
    const found = CONDITION_WORDS.find(([word]) => args.is(index, word))
    if (found === undefined) throw err(`Unsupported option ${args.latin1(index)}`)
    conditions |= found[1]
  }
  if ((conditions & ONLY_PERSISTENT) !== 0 && conditions !== ONLY_PERSISTENT) throw INCOMPATIBLE
  if ((conditions & ONLY_LATER) !== 0 && (conditions & ONLY_SOONER) !== 0) throw LATER_AND_SOONER
  return conditions
}

function expire({ db, reply, events }: Context, args: Args, { expiry, conditions }: ExpireOptions): void {
  const key = args.at(1)
  const ms = toUnixMs(expiry, db.nowMs)
  const currentMs = keys.expireMs(db, key)
  if (currentMs === undefined || !allows(conditions, currentMs, ms)) {
    reply.integer(0)
    return
  }
  if (ms <= db.nowMs) {
    keys.remove(db, key)
    events.notify(NOTIFY_GENERIC, 'del', key)
  } else {
    keys.setExpireMs(db, key, ms)
    events.notify(NOTIFY_GENERIC, 'expire', key)
  }
  reply.integer(1)
}

/** A key that never expires counts as one that expires after all others. */
function allows(conditions: number, currentMs: number, ms: number): boolean {
  const expires = currentMs !== 0
  if ((conditions & ONLY_PERSISTENT) !== 0 && expires) return false
  if ((conditions & ONLY_EXPIRING) !== 0 && !expires) return false
  if ((conditions & ONLY_LATER) !== 0 && (!expires || ms <= currentMs)) return false
  return (conditions & ONLY_SOONER) === 0 || !expires || ms < currentMs
}

/** A command that answers -2 for a key that does not exist, -1 for one that never expires, or else `show`. */
function timeCommand(
  name: string,
  summary: string,
  since: string,
  show: (ms: number, nowMs: number) => number,
): AnyCommand {
  return command(
    { name, arity: 2, flags: READONLY | FAST, keys: FIRST_KEY, syntax: 'key', summary, since },
    noOptions,
    ({ db, reply }, args) => {
      const ms = keys.expireMs(db, args.at(1))
      if (ms === undefined) reply.integer(-2)
      else reply.integer(ms === 0 ? -1 : exactInteger(show(ms, db.nowMs)))
    },
  )
}

/** A double above the safe integers is shown with all its digits. */
function exactInteger(value: number): number | bigint {
  return Number.isSafeInteger(value) ? value : toInt64(BigInt(value))
}

function persist({ db, reply, events }: Context, args: Args): void {
  const key = args.at(1)
  const isExpiring = (keys.expireMs(db, key) ?? 0) !== 0
  if (isExpiring) {
    keys.setExpireMs(db, key, 0)
    events.notify(NOTIFY_GENERIC, 'persist', key)
  }
  reply.integer(isExpiring ? 1 : 0)
}
