/**
 * Rows that are no data of clients: messages, scripts, functions, namespaces, indexes; and ranges of keys that are gone.
 * Source: kvrocks src/storage/storage.h, kPropagate…; src/server/namespace.cc; src/search/search_encoding.h.
 */

import { type Bytes, EMPTY, latin1, startsWith } from '../bytes/bytes.js'
import { CF_METADATA, CF_PROPAGATE, CF_PUBSUB, CF_SEARCH, COLUMN_FAMILY_NAMES } from '../storage/column-family.js'
import { namespacePrefix, parseNsKey, prefixEnd } from '../storage/keys.js'
import type { Row } from './operations.js'
import { type RowChange, unknownRow } from './row-change.js'

const PUBLISH = latin1('PUBLISH')
const SCRIPT = latin1('SCRIPT')
const FUNCTION = latin1('FUNCTION')
const LOAD = latin1('LOAD')
const REPLACE = latin1('REPLACE')
const DELETE = latin1('DELETE')
const FLUSH = latin1('FLUSH')
const FLUSHDB = latin1('FLUSHDB')
const FLUSHALL = latin1('FLUSHALL')

const SCRIPT_PREFIX = latin1('lua_f_')
const FUNCTION_PREFIX = latin1('lua_func_lib_')
const LIBRARY_PREFIX = latin1('lua_lib_code_')
const PROPAGATED_SCRIPT = 'script'
const NAMESPACES = '__namespace_keys__'
const REPLICATION_ID = 'replication_id_'

/** The change of a row in the column families of the server, or of a range in any. */
export function serverChange(row: Row, slotEncoded: boolean): RowChange {
  if (row.kind === 'range') return rangeChange(row, slotEncoded)
  switch (row.cf) {
    case CF_PUBSUB:
      if (row.kind !== 'put') return { namespace: EMPTY, type: 'pubsub', key: row.key, op: 'opaque' }
      return { namespace: EMPTY, type: 'pubsub', key: row.key, op: 'publish', command: [PUBLISH, row.key, row.value] }
    case CF_PROPAGATE:
      return propagated(row)
    case CF_SEARCH:
      return indexChange(row)
    default:
      return unknownRow(row)
  }
}

function propagated(row: Row): RowChange {
  const { key, value } = row
  const isPut = row.kind === 'put'
  const stored = isPut ? { value } : {}
  if (startsWith(key, SCRIPT_PREFIX)) {
    const base = { namespace: EMPTY, type: 'script', key: key.subarray(SCRIPT_PREFIX.length) }
    return isPut ? { ...base, op: 'put', command: [SCRIPT, LOAD, value] } : { ...base, op: 'opaque' }
  }
  if (startsWith(key, LIBRARY_PREFIX)) {
    const base = { namespace: EMPTY, type: 'function', key: key.subarray(LIBRARY_PREFIX.length) }
    return isPut
      ? { ...base, op: 'put', command: [FUNCTION, LOAD, REPLACE, value] }
      : { ...base, op: 'delete', command: [FUNCTION, DELETE, base.key] }
  }
  if (startsWith(key, FUNCTION_PREFIX)) {
    return { namespace: EMPTY, type: 'function', subKey: key.subarray(FUNCTION_PREFIX.length), op: 'opaque', ...stored }
  }
  const name = key.latin1Slice(0)
  if (name === PROPAGATED_SCRIPT && isPut) {
    const command = requestWords(value)
    if (command !== undefined) return { namespace: EMPTY, type: 'script', op: 'invalidate', command }
  }
  const type = name === NAMESPACES ? 'namespace' : name === REPLICATION_ID ? 'replication' : 'server'
  return { namespace: EMPTY, type, key, op: 'opaque', ...stored }
}

function indexChange(row: Row): RowChange {
  const end = 1 + (row.key[0] ?? 0)
  if (row.key.length <= end) return unknownRow(row)
  const base: RowChange = {
    namespace: row.key.subarray(1, end),
    type: 'search',
    subKey: row.key.subarray(end),
    op: 'opaque',
  }
  return row.kind === 'put' ? { ...base, value: row.value } : base
}

function rangeChange(row: Row, slotEncoded: boolean): RowChange {
  const range: readonly [Bytes, Bytes] = [row.key, row.value]
  if (row.cf === CF_PROPAGATE && startsWith(row.key, SCRIPT_PREFIX)) {
    return { namespace: EMPTY, type: 'script', op: 'invalidate', command: [SCRIPT, FLUSH], range }
  }
  if (row.cf !== CF_METADATA) {
    return { namespace: EMPTY, type: `column-family ${COLUMN_FAMILY_NAMES[row.cf]}`, op: 'invalidate', range }
  }
  const namespace = row.key.subarray(1, 1 + (row.key[0] ?? 0))
  const prefix = namespacePrefix(namespace)
  if (row.key.equals(prefix) && prefixEnd(prefix)?.equals(row.value) === true) {
    return { namespace, type: 'keyspace', op: 'invalidate', command: [FLUSHDB], range }
  }
  // FLUSHALL begins at the first key that there is; a cluster's slot is cleared from its two bytes on.
  const first = parseNsKey(row.key, slotEncoded)
  if (slotEncoded && first?.key.length === 0) return { namespace, type: 'keyspace', op: 'invalidate', range }
  return { namespace: EMPTY, type: 'keyspace', op: 'invalidate', command: [FLUSHALL], range }
}

/** The words of a RESP array of bulk strings. */
function requestWords(bytes: Bytes): Bytes[] | undefined {
  const words: Bytes[] = []
  let at = 0
  const line = (kind: number): number | undefined => {
    const end = bytes.indexOf('\r\n', at)
    if (bytes[at] !== kind || end === -1) return undefined
    const value = Number(bytes.latin1Slice(at + 1, end))
    at = end + 2
    return Number.isInteger(value) && value >= 0 ? value : undefined
  }
  const count = line(0x2a)
  if (count === undefined) return undefined
  for (let i = 0; i < count; i++) {
    const length = line(0x24)
    if (length === undefined || at + length + 2 > bytes.length) return undefined
    words.push(bytes.subarray(at, at + length))
    at += length + 2
  }
  return words.length > 0 ? words : undefined
}
