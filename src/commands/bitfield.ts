/** BITFIELD and BITFIELD_RO. Source: redis src/bitops.c, bitfieldCommand; kvrocks src/commands/cmd_bit.cc. */

import type { Bytes } from '../bytes/bytes.js'
import { parseInt64, toInt64 } from '../bytes/int64.js'
import { NOTIFY_STRING } from '../config/keyspace-events.js'
import type { Args } from '../protocol/args.js'
import { err, NOT_AN_INTEGER, SYNTAX } from '../protocol/errors.js'
import { type FieldOperation, type FieldType, type Overflow, runFields } from '../types/bitmap/bitfield.js'
import { BIT_OFFSET, BIT_OFFSET_MAX } from './bitmap.js'
import { type AnyCommand, command, FAST, FIRST_KEY, READONLY, WRITE } from './command.js'
import type { Context } from './context.js'
import { OptionReader } from './options.js'

const BAD_TYPE = err('Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.')
const BAD_OVERFLOW = err('Invalid OVERFLOW type specified')
const READ_ONLY = err('BITFIELD_RO only supports the GET subcommand')

export const bitfieldCommands: readonly AnyCommand[] = [
  command(
    {
      name: 'bitfield',
      arity: -2,
      flags: WRITE,
      keys: FIRST_KEY,
      syntax:
        'key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY encoding offset increment> [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY encoding offset increment> ...]]',
      summary: 'Performs arbitrary bitfield integer operations on strings.',
      since: '3.2.0',
    },
    parseOperations,
    run,
  ),
  command(
    {
      name: 'bitfield_ro',
      arity: -2,
      flags: READONLY | FAST,
      keys: FIRST_KEY,
      syntax: 'key [GET encoding offset [GET encoding offset ...]]',
      summary: 'Performs arbitrary read-only bitfield integer operations on strings.',
      since: '6.0.0',
    },
    (args) => {
      const operations = parseOperations(args)
      if (operations.some((operation) => operation.kind !== 'get')) throw READ_ONLY
      return operations
    },
    run,
  ),
]

function parseOperations(args: Args): FieldOperation[] {
  const options = new OptionReader(args, 2)
  const operations: FieldOperation[] = []
  let overflow: Overflow = 'wrap'
  while (options.hasMore) {
    if (options.take('overflow')) {
      overflow = parseOverflow(options)
      continue
    }
    const kind = (['get', 'set', 'incrby'] as const).find((word) => options.take(word))
    if (kind === undefined || options.left < (kind === 'get' ? 2 : 3)) throw SYNTAX
    const type = parseType(options.word())
    const offset = parseOffset(options.word(), type)
    if (kind === 'get') operations.push({ kind, type, offset })
    else operations.push({ kind, type, offset, operand: BigInt(options.int64(NOT_AN_INTEGER)), overflow })
  }
  options.end()
  return operations
}

function parseOverflow(options: OptionReader): Overflow {
  const found = (['wrap', 'sat', 'fail'] as const).find((word) => options.take(word))
  if (found === undefined) throw BAD_OVERFLOW
  return found
}

function parseType(text: Bytes): FieldType {
  const match = /^([iu])([1-9][0-9]?)$/.exec(text.latin1Slice(0))
  const isSigned = match?.[1] === 'i'
  const bits = Number(match?.[2])
  if (match === null || bits > (isSigned ? 64 : 63)) throw BAD_TYPE
  return { isSigned, bits }
}

/** A bit, or with `#` a multiple of the field's width. */
function parseOffset(text: Bytes, { bits }: FieldType): number {
  const isScaled = text[0] === 0x23
  const number = parseInt64(isScaled ? text.subarray(1) : text)
  const offset = typeof number === 'number' ? number * (isScaled ? bits : 1) : -1
  if (offset < 0 || offset + bits - 1 > BIT_OFFSET_MAX) throw BIT_OFFSET
  return offset
}

function run({ db, reply, events }: Context, args: Args, operations: readonly FieldOperation[]): void {
  const results = runFields(db, args.at(1), operations)
  if (operations.some(({ kind }, index) => kind !== 'get' && results[index] !== undefined)) {
    events.notify(NOTIFY_STRING, 'setbit', args.at(1))
  }
  reply.array(results.length)
  for (const result of results) {
    if (result === undefined) reply.nil()
    else reply.integer(toInt64(result))
  }
}
