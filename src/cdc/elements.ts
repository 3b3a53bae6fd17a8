/** Rows of the default column family: elements of hashes, lists, sets, sorted sets, bitmaps and the opaque types. */

import { type Bytes, concat, latin1 } from '../bytes/bytes.js'
import { formatDouble, readSortableDouble } from '../bytes/double.js'
import { decimal, readUint64 } from '../bytes/int64.js'
import type { InternalKey } from '../storage/keys.js'
import { LOG_BITFIELD, LOG_BITOP, LOG_SETBIT, type LogData } from '../storage/log-data.js'
import {
  isEmptyable,
  type Metadata,
  TYPE_BITMAP,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_NAMES,
  TYPE_SET,
  TYPE_SORTEDINT,
  TYPE_STREAM,
  TYPE_ZSET,
} from '../storage/metadata.js'
import { listChange } from './list-rows.js'
import type { KeyFacts, Operation, Row } from './operations.js'
import { type RowChange, unknownRow } from './row-change.js'

const HSET = latin1('HSET')
const HDEL = latin1('HDEL')
const SADD = latin1('SADD')
const SREM = latin1('SREM')
const ZADD = latin1('ZADD')
const ZREM = latin1('ZREM')
const SIADD = latin1('SIADD')
const SIREM = latin1('SIREM')
const SETBIT = latin1('SETBIT')
const SETRANGE = latin1('SETRANGE')
const BITFIELD = latin1('BITFIELD')
const ZERO = latin1('0')
const ONE = latin1('1')
const NUMBER_BYTES = 8
const SEGMENT_BYTES = 1024

/** The change of an element; undefined where it belongs to that of another row. */
export function elementChange(
  row: Row,
  parsed: InternalKey,
  operation: Operation,
  facts: KeyFacts,
): RowChange | undefined {
  const type = facts.type ?? operation.log?.type ?? 0
  const { namespace, key, subKey } = parsed
  const base = { namespace, type: TYPE_NAMES[type] ?? 'none', key, subKey }
  const isPut = row.kind === 'put'
  switch (type) {
    case TYPE_HASH:
      return isPut
        ? { ...base, op: 'put', command: [HSET, key, subKey, row.value] }
        : { ...base, op: 'remove', command: [HDEL, key, subKey] }
    case TYPE_SET:
      return isPut
        ? { ...base, op: 'put', command: [SADD, key, subKey] }
        : { ...base, op: 'remove', command: [SREM, key, subKey] }
    case TYPE_ZSET:
      if (!isPut) return { ...base, op: 'remove', command: [ZREM, key, subKey] }
      if (row.value.length !== NUMBER_BYTES) return unknownRow(row)
      return { ...base, op: 'put', command: [ZADD, key, scoreText(row.value), subKey] }
    case TYPE_SORTEDINT: {
      if (subKey.length !== NUMBER_BYTES) return unknownRow(row)
      const id = decimal(readUint64(subKey, 0))
      return { ...base, subKey: id, op: isPut ? 'put' : 'remove', command: [isPut ? SIADD : SIREM, key, id] }
    }
    case TYPE_LIST:
      return listChange(row, parsed, operation, facts)
    case TYPE_BITMAP:
      return bitmapChange(row, parsed, operation, facts)
    default:
      return isPut ? { ...base, op: 'opaque', value: row.value } : { ...base, op: 'opaque' }
  }
}

/** True if all that the key holds was put by the operation, so that what it held before is gone. */
export function isRewritten(facts: KeyFacts, metadata: Metadata): boolean {
  const { puts, removes } = facts
  if (removes.length > 0 || puts.length < metadata.size || metadata.size === 0) return false
  if (metadata.type === TYPE_STREAM || metadata.type === TYPE_BITMAP || isEmptyable(metadata.type)) return false
  return new Set(puts.map((row) => row.key.latin1Slice(0))).size === metadata.size
}

function scoreText(stored: Bytes): Bytes {
  return latin1(formatDouble(readSortableDouble(stored, 0)))
}

/** The word of list and bitmap log data that says which command it was. */
function commandOf(log: LogData | undefined): number | undefined {
  const word = log?.words[0]
  return word === undefined ? undefined : Number(word.latin1Slice(0))
}

/**
 * Bits lie from the lowest to the highest in each byte, other than Redis shows them. BITOP is said by its result, which
 * does not depend on the source keys and on how their names were split.
 */
function bitmapChange(row: Row, parsed: InternalKey, operation: Operation, facts: KeyFacts): RowChange | undefined {
  const { namespace, key, subKey } = parsed
  const base = { namespace, type: 'bitmap', key, subKey }
  const segmentAt = Number(subKey.latin1Slice(0))
  if (!Number.isInteger(segmentAt) || segmentAt % SEGMENT_BYTES !== 0) return unknownRow(row)
  if (row.kind !== 'put') return { ...base, op: 'opaque' }
  const { log } = operation
  const command = log?.type === TYPE_BITMAP ? commandOf(log) : undefined
  const isFirst = facts.puts[0] === row
  if (log !== undefined && command === LOG_SETBIT && log.words[1] !== undefined) {
    const offset = Number(log.words[1].latin1Slice(0))
    const byte = row.value[Math.floor(offset / 8) % SEGMENT_BYTES] ?? 0
    return { ...base, op: 'put', command: [SETBIT, key, log.words[1], ((byte >> (offset % 8)) & 1) === 1 ? ONE : ZERO] }
  }
  if (log !== undefined && command === LOG_BITFIELD) {
    return isFirst
      ? { namespace, type: 'bitmap', key, op: 'put', command: [BITFIELD, key, ...log.words.slice(1)] }
      : undefined
  }
  const size = facts.metadata?.size ?? segmentAt + row.value.length
  const shown = reversedBits(row.value.subarray(0, Math.max(0, size - segmentAt)))
  const change: RowChange = { ...base, op: 'put', command: [SETRANGE, key, decimal(segmentAt), shown] }
  if (isFirst && (command === undefined || command === LOG_BITOP)) change.isFresh = true
  return change
}

function reversedBits(bytes: Bytes): Bytes {
  const reversed = concat(bytes, Buffer.alloc(0))
  for (let i = 0; i < reversed.length; i++) {
    let byte = reversed[i] as number
    byte = ((byte & 0xf0) >> 4) | ((byte & 0x0f) << 4)
    byte = ((byte & 0xcc) >> 2) | ((byte & 0x33) << 2)
    reversed[i] = ((byte & 0xaa) >> 1) | ((byte & 0x55) << 1)
  }
  return reversed
}
