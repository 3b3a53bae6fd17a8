/** Rows of the default column family: elements of hashes, lists, sets, sorted sets, bitmaps and the opaque types. */

import { type Bytes, latin1 } from '../bytes/bytes.js'
import { formatDouble, readSortableDouble } from '../bytes/double.js'
import { decimal, readUint64 } from '../bytes/int64.js'
import type { InternalKey } from '../storage/keys.js'
import { hasFieldExpiry, isFieldExpiry } from '../storage/log-data.js'
import {
  fieldExpireMs,
  fieldExpiryOf,
  fieldValue,
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
import { bitmapChange } from './bitmap-rows.js'
import { listChange } from './list-rows.js'
import { isCopy, type KeyFacts, type Operation, type Row } from './operations.js'
import { type RowChange, unknownRow } from './row-change.js'

const HSET = latin1('HSET')
const HDEL = latin1('HDEL')
const HSETEX = latin1('HSETEX')
const PXAT = latin1('PXAT')
const FIELDS = latin1('FIELDS')
const ONE = latin1('1')
const SADD = latin1('SADD')
const SREM = latin1('SREM')
const ZADD = latin1('ZADD')
const ZREM = latin1('ZREM')
const SIADD = latin1('SIADD')
const SIREM = latin1('SIREM')
const NUMBER_BYTES = 8

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
      if (!isPut)
        return { ...base, op: isFieldExpiry(operation.log) ? 'expire' : 'remove', command: [HDEL, key, subKey] }
      if (!carriesExpiry(operation, facts)) return { ...base, op: 'put', command: [HSET, key, subKey, row.value] }
      return expiringFieldChange(row, base)
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

function carriesExpiry({ log }: Operation, { metadata }: KeyFacts): boolean {
  if (metadata !== undefined) return fieldExpiryOf(metadata) !== undefined
  return hasFieldExpiry(log)
}

/** A field of a hash whose values begin with their expiry. */
function expiringFieldChange(row: Row, base: { namespace: Bytes; type: string; key: Bytes; subKey: Bytes }): RowChange {
  if (row.value.length < NUMBER_BYTES) return unknownRow(row)
  const { key, subKey } = base
  const expireMs = fieldExpireMs(row.value)
  const value = fieldValue(row.value)
  if (expireMs === 0) return { ...base, op: 'put', command: [HSET, key, subKey, value] }
  return { ...base, op: 'put', command: [HSETEX, key, PXAT, decimal(expireMs), FIELDS, ONE, subKey, value] }
}

/** True if all that the key holds was put by the operation, so that what it held before is gone. */
export function isRewritten(facts: KeyFacts, metadata: Metadata): boolean {
  const { puts, removes } = facts
  if ((removes.length > 0 && !isCopy(facts)) || puts.length < metadata.size || metadata.size === 0) return false
  if (metadata.type === TYPE_STREAM || metadata.type === TYPE_BITMAP || isEmptyable(metadata.type)) return false
  return new Set(puts.map((row) => row.key.latin1Slice(0))).size === metadata.size
}

function scoreText(stored: Bytes): Bytes {
  return latin1(formatDouble(readSortableDouble(stored, 0)))
}
