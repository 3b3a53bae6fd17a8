/** Bitmap commands. Source: kvrocks src/commands/cmd_bit.cc; redis src/bitops.c. */

import { NOTIFY_GENERIC, NOTIFY_STRING } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, NOT_AN_INTEGER, SYNTAX } from '../protocol/errors.js'
import { LOG_BITOP, logData } from '../storage/log-data.js'
import { TYPE_BITMAP } from '../storage/metadata.js'
import * as bitmaps from '../types/bitmap/bitmap.js'
import { type AnyCommand, command, FAST, FIRST_KEY, READONLY, SLOW, WRITE } from './command.js'
import type { Context } from './context.js'
import { int64At, integerAt } from './options.js'

export const BIT_OFFSET = err('bit offset is not an integer or out of range')
/** Bits of a key of 512 MiB. */
export const BIT_OFFSET_MAX = 2 ** 32 - 1
const BIT_VALUE = err('bit is not an integer or out of range')
const BIT_ARGUMENT = err('The bit argument must be 1 or 0.')
const NOT_NEEDS_ONE = err('BITOP NOT must be called with a single source key.')

function needsTwo(operator: string): ReturnType<typeof err> {
  return err(`BITOP ${operator.toUpperCase()} must be called with at least two source keys.`)
}

export const bitmapCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'getbit',
      arity: 3,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key offset',
      summary: 'Returns a bit value by offset.',
      since: '2.2.0',
    },
    (args) => integerAt(args, 2, 0, BIT_OFFSET_MAX, BIT_OFFSET),
    ({ db, reply }, args, offset) => reply.integer(bitmaps.getBit(db, args.at(1), offset)),
  ),
  command(
    {
      name: 'setbit',
      arity: 4,
      flags: WRITE,
      keys: FIRST_KEY,
      syntax: 'key offset value',
      summary: "Sets or clears the bit at offset of the string value. Creates the key if it doesn't exist.",
      since: '2.2.0',
    },
    (args) => {
      const offset = integerAt(args, 2, 0, BIT_OFFSET_MAX, BIT_OFFSET)
      return { offset, bit: integerAt(args, 3, 0, 1, BIT_VALUE) as 0 | 1 }
    },
    setBit,
  ),
  command(
    {
      name: 'bitcount',
      arity: -2,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key [start end [BYTE | BIT]]',
      summary: 'Counts the number of set bits (population counting) in a string.',
      since: '2.6.0',
    },
    parseCount,
    ({ db, reply }, args, range) => reply.integer(bitmaps.countBits(db, args.at(1), range)),
  ),
  command(
    {
      name: 'bitpos',
      arity: -3,
      flags: READONLY | SLOW,
      keys: FIRST_KEY,
      syntax: 'key bit [start [end [BYTE | BIT]]]',
      summary: 'Finds the first set (1) or clear (0) bit in a string.',
      since: '2.8.7',
    },
    parsePosition,
    ({ db, reply }, args, { bit, range, isEndGiven }) =>
      reply.integer(bitmaps.findBit(db, args.at(1), bit, range, isEndGiven)),
  ),
  command(
    {
      name: 'bitop',
      arity: -4,
      flags: WRITE | SLOW,
      keys: { first: 2, last: -1, step: 1 },
      syntax: '<AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE> destkey key [key ...]',
      summary: 'Performs bitwise operations on multiple strings, and stores the result.',
      since: '2.6.0',
    },
    parseOperator,
    combine,
  ),
]

function setBit({ db, reply, events }: Context, args: Args, { offset, bit }: { offset: number; bit: 0 | 1 }): void {
  reply.integer(bitmaps.setBit(db, args.at(1), offset, bit))
  events.notify(NOTIFY_STRING, 'setbit', args.at(1))
}

function parseUnit(args: Args, index: number): 'byte' | 'bit' {
  if (args.count <= index || args.is(index, 'byte')) return 'byte'
  if (args.is(index, 'bit')) return 'bit'
  throw SYNTAX
}

function parseCount(args: Args): bitmaps.BitRange {
  if (args.count === 2) return { start: 0, stop: -1, unit: 'byte' }
  if (args.count === 3 || args.count > 5) throw SYNTAX
  const start = Number(int64At(args, 2))
  const stop = Number(int64At(args, 3))
  return { start, stop, unit: parseUnit(args, 4) }
}

interface PositionOptions {
  readonly bit: 0 | 1
  readonly range: bitmaps.BitRange
  readonly isEndGiven: boolean
}

function parsePosition(args: Args): PositionOptions {
  const bit = integerAt(args, 2, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, NOT_AN_INTEGER)
  if (bit !== 0 && bit !== 1) throw BIT_ARGUMENT
  if (args.count > 6) throw SYNTAX
  const start = args.count > 3 ? Number(int64At(args, 3)) : 0
  const stop = args.count > 4 ? Number(int64At(args, 4)) : -1
  const unit = parseUnit(args, 5)
  return { bit, range: { start, stop, unit }, isEndGiven: args.count > 4 }
}

function parseOperator(args: Args): bitmaps.BitOperator {
  const operator = bitmaps.BIT_OPERATORS.find((name) => args.is(1, name))
  if (operator === undefined) throw SYNTAX
  if (operator === 'not' && args.count !== 4) throw NOT_NEEDS_ONE
  if (['diff', 'diff1', 'andor'].includes(operator) && args.count < 5) throw needsTwo(operator)
  return operator
}

function combine({ db, reply, events }: Context, args: Args, operator: bitmaps.BitOperator): void {
  const log = logData(TYPE_BITMAP, LOG_BITOP, args.at(1), ...args.rest(3))
  const size = bitmaps.combine(db, operator, args.at(2), args.rest(3), log)
  if (size > 0) events.notify(NOTIFY_STRING, 'set', args.at(2))
  else events.notify(NOTIFY_GENERIC, 'del', args.at(2))
  reply.integer(size)
}
