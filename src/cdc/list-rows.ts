/**
 * Rows of lists. Which rows an operation writes depends on where it is cheaper to shift, so the log data says what it was.
 * Its words are not escaped: what may hold spaces is taken from the blob's rest or from the rows themselves.
 *
 * Source: kvrocks src/types/redis_list.cc, for the order of the rows.
 */

import { type Bytes, latin1 } from '../bytes/bytes.js'
import { type InternalKey, parseInternalKey } from '../storage/keys.js'
import {
  LOG_LINSERT,
  LOG_LMOVE,
  LOG_LPOP,
  LOG_LPUSH,
  LOG_LREM,
  LOG_LSET,
  LOG_LTRIM,
  LOG_RPOP,
} from '../storage/log-data.js'
import { TYPE_LIST } from '../storage/metadata.js'
import type { KeyFacts, Operation, Row } from './operations.js'
import { type RowChange, unknownRow } from './row-change.js'

const LPUSH = latin1('LPUSH')
const RPUSH = latin1('RPUSH')
const LPOP = latin1('LPOP')
const RPOP = latin1('RPOP')
const LSET = latin1('LSET')
const LREM = latin1('LREM')
const LTRIM = latin1('LTRIM')
const LINSERT = latin1('LINSERT')
const LMOVE = latin1('LMOVE')
const BEFORE = latin1('BEFORE')
const AFTER = latin1('AFTER')
const SPACE = 0x20

/** The change of a row of a list; undefined for rows that were only shifted. */
export function listChange(
  row: Row,
  parsed: InternalKey,
  operation: Operation,
  facts: KeyFacts,
): RowChange | undefined {
  const { namespace, key } = parsed
  const base = { namespace, type: 'list', key }
  const log = operation.log?.type === TYPE_LIST ? operation.log : undefined
  const words = log?.words ?? []
  const isPut = row.kind === 'put'
  switch (words[0] === undefined ? undefined : Number(words[0].latin1Slice(0))) {
    case LOG_LPUSH:
      return isPut ? { ...base, op: 'put', command: [LPUSH, key, row.value] } : unknownRow(row)
    case LOG_LPOP:
      return isPut ? unknownRow(row) : { ...base, op: 'remove', command: [LPOP, key] }
    case LOG_RPOP:
      return isPut ? unknownRow(row) : { ...base, op: 'remove', command: [RPOP, key] }
    case LOG_LSET:
      if (!isPut || words[1] === undefined) return unknownRow(row)
      return { ...base, subKey: words[1], op: 'put', command: [LSET, key, words[1], row.value] }
    case LOG_LINSERT:
      return insertion(row, base, operation, facts)
    case LOG_LTRIM:
      if (words[1] === undefined || words[2] === undefined) return unknownRow(row)
      return facts.removes[0] === row ? { ...base, op: 'remove', command: [LTRIM, key, words[1], words[2]] } : undefined
    case LOG_LREM: {
      const [count, rest] = splitOff(operation.logBlob, 2)
      if (count === undefined || rest === undefined) return unknownRow(row)
      return facts.removes[0] === row ? { ...base, op: 'remove', command: [LREM, key, count, rest] } : undefined
    }
    case LOG_LMOVE:
      return movement(row, parsed, operation)
    default:
      // Where the list is copied over, its first element says that it begins anew.
      if (!isPut) return facts.puts.length > 0 ? undefined : { ...base, op: 'opaque' }
      return { ...base, op: 'put', command: [RPUSH, key, row.value] }
  }
}

interface ListBase {
  readonly namespace: Bytes
  readonly type: string
  readonly key: Bytes
}

/** The new element is the last row that is put; before it stand the rows that made room. */
function insertion(row: Row, base: ListBase, { logBlob }: Operation, { puts }: KeyFacts): RowChange | undefined {
  if (puts.at(-1) !== row) return undefined
  const [side, rest] = splitOff(logBlob, 2)
  if (side === undefined || rest === undefined) return unknownRow(row)
  // The rest is the pivot, a space and the element.
  const pivotEnd = rest.length - row.value.length - 1
  if (pivotEnd < 0 || rest[pivotEnd] !== SPACE || !rest.subarray(pivotEnd + 1).equals(row.value)) return unknownRow(row)
  const word = side.latin1Slice(0) === '1' ? BEFORE : AFTER
  return { ...base, op: 'put', command: [LINSERT, base.key, word, rest.subarray(0, pivotEnd), row.value] }
}

/** The change belongs to the first row of the operation; the keys are those of its rows. */
function movement(row: Row, source: InternalKey, operation: Operation): RowChange | undefined {
  const elements = operation.rows.filter(({ cf, kind }) => cf === 0 && kind !== 'range')
  if (elements[0] !== row) return undefined
  const words = operation.log?.words ?? []
  const from = words.at(-2)
  const to = words.at(-1)
  const target = elements.find(({ kind }) => kind === 'put')
  if (from === undefined || to === undefined || target === undefined || row.kind !== 'delete') return unknownRow(row)
  const slotEncoded = isSlotEncoded(row.key, source)
  const destination = parseInternalKey(target.key, slotEncoded)
  if (destination === undefined) return unknownRow(row)
  const { namespace, key } = source
  return {
    namespace,
    type: 'list',
    key,
    subKey: destination.key,
    op: 'move',
    command: [LMOVE, key, destination.key, from, to],
    value: target.value,
  }
}

function isSlotEncoded(internalKey: Bytes, { namespace, key, version, subKey }: InternalKey): boolean {
  return internalKey.length !== 1 + namespace.length + 4 + key.length + version.length + subKey.length
}

/** The word with index `index` of a blob, and all that follows the space after it. */
function splitOff(blob: Bytes, index: number): [word: Bytes | undefined, rest: Bytes | undefined] {
  let start = 0
  for (let i = 0; i < index; i++) {
    start = blob.indexOf(SPACE, start) + 1
    if (start === 0) return [undefined, undefined]
  }
  const end = blob.indexOf(SPACE, start)
  return end === -1 ? [undefined, undefined] : [blob.subarray(start, end), blob.subarray(end + 1)]
}
