/** Integers of any width at any bit of a key. Source: redis src/bitops.c, bitfieldGeneric; kvrocks src/types/bitfield_util.h. */

import type { Bytes } from '../../bytes/bytes.js'
import type { Database } from '../../storage/database.js'
import { LOG_BITFIELD, logData } from '../../storage/log-data.js'
import { TYPE_BITMAP } from '../../storage/metadata.js'
import { type BitSource, type BitTarget, openBits, openForUpdate } from './rows.js'

export interface FieldType {
  readonly isSigned: boolean
  /** 1 to 64 bits, to 63 without a sign. */
  readonly bits: number
}

export type Overflow = 'wrap' | 'sat' | 'fail'

export type FieldOperation =
  | { readonly kind: 'get'; readonly type: FieldType; readonly offset: number }
  | {
      readonly kind: 'set' | 'incrby'
      readonly type: FieldType
      readonly offset: number
      readonly operand: bigint
      readonly overflow: Overflow
    }

/** Runs the operations in order. A result is undefined where an overflow made the operation fail. */
export function runFields(db: Database, key: Bytes, operations: readonly FieldOperation[]): (bigint | undefined)[] {
  if (operations.every((operation) => operation.kind === 'get')) {
    const source = openBits(db, key)
    return operations.map(({ type, offset }) => (source === undefined ? 0n : readField(source, type, offset)))
  }
  const target = openForUpdate(db, key)
  const results = operations.map((operation) => runField(target, operation))
  target.save(logData(TYPE_BITMAP, LOG_BITFIELD, ...writingWords(operations)))
  return results
}

/** The operations that write, as the log names them. Source: kvrocks src/types/redis_bitmap.cc, bitfieldWriteAheadLog. */
function writingWords(operations: readonly FieldOperation[]): string[] {
  const words: string[] = []
  let inForce: Overflow = 'wrap'
  for (const operation of operations) {
    if (operation.kind === 'get') continue
    const { kind, type, offset, operand, overflow } = operation
    if (overflow !== inForce) words.push('OVERFLOW', overflow.toUpperCase())
    inForce = overflow
    const value = kind === 'set' && !type.isSigned ? BigInt.asUintN(64, operand) : operand
    words.push(kind.toUpperCase(), `${type.isSigned ? 'i' : 'u'}${type.bits}`, String(offset), String(value))
  }
  return words
}

function runField(target: BitTarget, operation: FieldOperation): bigint | undefined {
  const { type, offset } = operation
  const current = readField(target.source, type, offset)
  if (operation.kind === 'get') return current
  const wanted = operation.kind === 'set' ? operation.operand : current + operation.operand
  const stored = fit(wanted, type, operation.overflow)
  if (stored === undefined) return undefined
  writeField(target, type, offset, stored)
  return operation.kind === 'set' ? current : stored
}

/** `value` as the type can hold it; undefined if it does not fit and may not be changed. */
function fit(value: bigint, { isSigned, bits }: FieldType, overflow: Overflow): bigint | undefined {
  const min = isSigned ? -(1n << BigInt(bits - 1)) : 0n
  const max = isSigned ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n
  if (value >= min && value <= max) return value
  if (overflow === 'fail') return undefined
  if (overflow === 'sat') return value > max ? max : min
  return isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
}

/** The integer at bit `offset`. */
export function readField(source: Pick<BitSource, 'byteAt'>, { isSigned, bits }: FieldType, offset: number): bigint {
  let value = 0n
  const lastByte = Math.floor((offset + bits - 1) / 8)
  for (let byte = Math.floor(offset / 8); byte <= lastByte; byte++) value = (value << 8n) | BigInt(source.byteAt(byte))
  const spare = (lastByte + 1) * 8 - (offset + bits)
  const field = BigInt.asUintN(bits, value >> BigInt(spare))
  return isSigned ? BigInt.asIntN(bits, field) : field
}

function writeField(target: BitTarget, { bits }: FieldType, offset: number, value: bigint): void {
  const firstByte = Math.floor(offset / 8)
  const lastByte = Math.floor((offset + bits - 1) / 8)
  const spare = BigInt((lastByte + 1) * 8 - (offset + bits))
  const mask = ((1n << BigInt(bits)) - 1n) << spare
  let present = 0n
  for (let byte = firstByte; byte <= lastByte; byte++) present = (present << 8n) | BigInt(target.source.byteAt(byte))
  let changed = (present & ~mask) | (BigInt.asUintN(bits, value) << spare)
  const bytes = Buffer.alloc(lastByte - firstByte + 1)
  for (let at = bytes.length - 1; at >= 0; at--) {
    bytes[at] = Number(changed & 0xffn)
    changed >>= 8n
  }
  target.write(firstByte, bytes)
}
