/** SET with all of its options, CAS, CAD and DELEX. Source: redis src/t_string.c; kvrocks src/commands/cmd_string.cc. */

import type { Bytes } from '../bytes/bytes.js'
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { SYNTAX, WRONG_TYPE, wrongArity } from '../protocol/errors.js'
import type { Database } from '../storage/database.js'
import * as strings from '../types/string.js'
import { digest } from '../types/string-digest.js'
import { inspectShown, readShown } from './bitmap-string.js'
import { type AnyCommand, command, FAST, FIRST_KEY, NO_SIZE_CHECK, noOptions, READONLY, WRITE } from './command.js'
import type { Context } from './context.js'
import { type Expiry, type ExpiryWords, expiryOf, type TtlWords, takeExpiryAgain, takeTtl, toUnixMs } from './expiry.js'
import { OptionReader } from './options.js'

export const conditionalStringCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'set',
      arity: -3,
      flags: WRITE,
      keys: FIRST_KEY,
      syntax:
        'key value [NX | XX | IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]',
      summary: "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
      since: '1.0.0',
    },
    parseSet,
    set,
  ),
  command(
    {
      name: 'cas',
      arity: -4,
      flags: WRITE,
      keys: FIRST_KEY,
      syntax:
        'key old-value new-value [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds]',
      summary: 'Sets the string value of a key if it has a given value.',
      since: '2.0.0',
    },
    parseCas,
    compareAndSet,
  ),
  command(
    {
      name: 'cad',
      arity: 3,
      flags: WRITE | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key value',
      summary: 'Deletes a key if it has a given string value.',
      since: '2.0.0',
    },
    noOptions,
    compareAndDelete,
  ),
  command(
    {
      name: 'delex',
      arity: -2,
      flags: WRITE | FAST | NO_SIZE_CHECK,
      keys: FIRST_KEY,
      syntax: 'key [IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest]',
      summary: 'Deletes a key if its string value, or the digest of it, satisfies a condition.',
      since: '8.4.0',
    },
    parseDelEx,
    deleteIf,
  ),
  command(
    {
      name: 'digest',
      arity: 2,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key',
      summary: 'Returns the XXH3 digest of a string value as 16 hexadecimal digits.',
      since: '8.4.0',
    },
    noOptions,
    readDigest,
  ),
]

/** What must be true of the present value. */
type Condition =
  | { readonly kind: 'absent' }
  | { readonly kind: 'present' }
  | { readonly kind: 'equal' | 'different' | 'digest-equal' | 'digest-different'; readonly value: Bytes }

interface SetOptions {
  readonly condition: Condition | undefined
  readonly returnsFormer: boolean
  readonly keepsTtl: boolean
  readonly expiry: Expiry | undefined
}

const VALUE_CONDITIONS = [
  ['ifeq', 'equal'],
  ['ifne', 'different'],
  ['ifdeq', 'digest-equal'],
  ['ifdne', 'digest-different'],
] as const

function takeValueCondition(options: OptionReader): Condition | undefined {
  const found = VALUE_CONDITIONS.find(([word]) => options.take(word))
  return found === undefined ? undefined : { kind: found[1], value: options.word() }
}

function takeCondition(options: OptionReader): Condition | undefined {
  if (options.take('nx')) return { kind: 'absent' }
  if (options.take('xx')) return { kind: 'present' }
  return takeValueCondition(options)
}

const PLAIN_SET: SetOptions = { condition: undefined, returnsFormer: false, keepsTtl: false, expiry: undefined }

function parseSet(args: Args): SetOptions {
  if (args.count === 3) return PLAIN_SET
  const options = new OptionReader(args, 3)
  let condition: Condition | undefined
  const ttl: TtlWords = { expiry: undefined, isKept: false }
  let returnsFormer = false
  while (options.hasMore) {
    const taken = takeCondition(options)
    if (taken !== undefined) {
      if (condition !== undefined && condition.kind !== taken.kind) throw SYNTAX
      condition = taken
    } else if (options.take('get')) {
      returnsFormer = true
    } else {
      takeTtl(options, ttl)
    }
  }
  options.end()
  return { condition, returnsFormer, keepsTtl: ttl.isKept, expiry: expiryOf(ttl.expiry, 'set') }
}

function set(context: Context, args: Args, options: SetOptions): void {
  const { db, reply, events } = context
  const key = args.at(1)
  const { condition, returnsFormer, keepsTtl, expiry } = options
  if (condition === undefined && !returnsFormer && !keepsTtl) {
    // The hot case: nothing of the former value is needed.
    strings.write(db, key, args.at(2), expiry === undefined ? 0 : toUnixMs(expiry, db.nowMs))
    announce(events, key, expiry)
    reply.ok()
    return
  }
  const isValueNeeded = returnsFormer || (condition !== undefined && 'value' in condition)
  const former = isValueNeeded ? inspectShown(context, key) : strings.inspect(db, key)
  if (returnsFormer) strings.checkType(former)
  const isAllowed = condition === undefined || allows(condition, former)
  if (isAllowed) {
    const kept = keepsTtl ? former.expireMs : 0
    strings.write(db, key, args.at(2), expiry === undefined ? kept : toUnixMs(expiry, db.nowMs))
    announce(events, key, expiry)
  }
  if (returnsFormer) reply.bulkOrNil(former.value)
  else if (isAllowed) reply.ok()
  else reply.nil()
}

function announce(events: Context['events'], key: Bytes, expiry: Expiry | undefined): void {
  if (events.classes === 0) return
  events.notify(NOTIFY_STRING, 'set', key)
  if (expiry !== undefined) events.notify(NOTIFY_GENERIC, 'expire', key)
}

/** Throws WRONG_TYPE where a value is asked for and the key is of another type. */
function allows(condition: Condition, current: strings.Current): boolean {
  const { value, isOtherType } = current
  if (condition.kind === 'absent') return value === undefined && !isOtherType
  if (condition.kind === 'present') return value !== undefined || isOtherType
  if (isOtherType) throw WRONG_TYPE
  // An absent key differs from everything.
  if (value === undefined) return condition.kind === 'different' || condition.kind === 'digest-different'
  if (condition.kind === 'equal') return value.equals(condition.value)
  if (condition.kind === 'different') return !value.equals(condition.value)
  const isEqual = digest(value) === condition.value.latin1Slice(0).toLowerCase()
  return isEqual === (condition.kind === 'digest-equal')
}

function parseCas(args: Args): Expiry | undefined {
  const options = new OptionReader(args, 4)
  let expiry: ExpiryWords | undefined
  while (options.hasMore) expiry = takeExpiryAgain(options, expiry)
  options.end()
  return expiryOf(expiry, 'cas')
}

const COMPARISON_REPLY: Readonly<Record<strings.Comparison, number>> = { equal: 1, different: 0, absent: -1 }

function compareAndSet({ db, reply, events }: Context, args: Args, expiry: Expiry | undefined): void {
  const key = args.at(1)
  const expireMs = expiry === undefined ? 0 : toUnixMs(expiry, db.nowMs)
  const result = strings.compareAndSet(db, key, args.at(2), args.at(3), expireMs)
  if (result === 'equal') announce(events, key, expiry)
  reply.integer(COMPARISON_REPLY[result])
}

function compareAndDelete({ db, reply, events }: Context, args: Args): void {
  const result = strings.compareAndDelete(db, args.at(1), args.at(2))
  if (result === 'equal') events.notify(NOTIFY_GENERIC, 'del', args.at(1))
  reply.integer(COMPARISON_REPLY[result])
}

function parseDelEx(args: Args): Condition | undefined {
  if (args.count === 3 || args.count > 4) throw wrongArity('delex')
  const options = new OptionReader(args, 2)
  const condition = takeValueCondition(options)
  options.end()
  return condition
}

function deleteIf(context: Context, args: Args, condition: Condition | undefined): void {
  const { db, reply, events } = context
  const key = args.at(1)
  const isDeleted = exists(db, key) && (condition === undefined || allows(condition, inspectShown(context, key)))
  if (isDeleted) {
    strings.remove(db, key)
    events.notify(NOTIFY_GENERIC, 'del', key)
  }
  reply.integer(isDeleted ? 1 : 0)
}

function exists(db: Database, key: Bytes): boolean {
  return strings.anyExists(db, [key])
}

function readDigest(context: Context, args: Args): void {
  const { reply } = context
  const value = readShown(context, args.at(1))
  if (value === undefined) reply.nil()
  else reply.bulkText(digest(value))
}
