/** What a change replaced, told from the rows that were there before its operation. */

import { type Bytes, latin1 } from '../bytes/bytes.js'
import { formatDouble, readSortableDouble } from '../bytes/double.js'
import { CF_DEFAULT, CF_METADATA, CF_STREAM, type ColumnFamily } from '../storage/column-family.js'
import {
  decodeMetadata,
  fieldValue,
  headerSize,
  isEmptyable,
  isReadable,
  rowType,
  sizeOf,
  TYPE_BITMAP,
  TYPE_STREAM,
  TYPE_STRING,
} from '../storage/metadata.js'
import { type FieldType, readField } from '../types/bitmap/bitfield.js'
import { SEGMENT_BYTES, segmentKey, turnBits } from '../types/bitmap/rows.js'
import type { Change, OldValue } from './change.js'
import type { Operation, Row } from './operations.js'
import { idText, streamRowContents } from './stream-rows.js'

/** Null = there was none. */
export type RowBefore = Bytes | null | 'unknown'

/** The rows before an operation. */
export interface RowsBefore {
  row(cf: ColumnFamily, key: Bytes): RowBefore
  /** The metadata row of the key that an element belongs to. */
  metadata(internalKey: Bytes): RowBefore
  /** True if the value of a field begins with its expiry. */
  fieldHasExpiry(row: Row): boolean | 'unknown'
}

const NUMBER_BYTES = 8
const ID_BYTES = 16
const ZERO = latin1('0')
const ONE = latin1('1')

/** A row that makes a change, and where it stands. */
export interface ChangedRow {
  readonly row: Row
  readonly operation: Operation
  /** Empty where the row is none of an element. */
  readonly subKey: Bytes
  readonly before: RowsBefore
}

/** The old value of `change`, which the row makes. */
export function oldValueOf(change: Change, changed: ChangedRow): OldValue {
  const { row, before } = changed
  if (row.cf === CF_METADATA) return ofKey(change, row, before)
  if (row.cf !== CF_DEFAULT && row.cf !== CF_STREAM) return 'unknown'
  if (change.type === 'list') return ofList(change, changed)
  if (change.type === 'bitmap' && change.op === 'put') return ofBitmap(change, changed)
  const stored = before.row(row.cf, row.key)
  if (stored === 'unknown') return 'unknown'
  return stored === null ? undefined : ofElement(change, stored, changed)
}

function ofKey({ op, command }: Change, { cf, key }: Row, before: RowsBefore): OldValue {
  const stored = before.row(cf, key)
  if (stored === 'unknown') return 'unknown'
  if (stored === null) return undefined
  if (op === 'opaque') return stored
  if (!isReadable(stored)) return 'unknown'
  const type = rowType(stored)
  if (type === TYPE_STRING) return stored.subarray(headerSize(stored))
  if (!isEmptyable(type) && sizeOf(stored) === 0) return undefined
  const { tail } = decodeMetadata(stored)
  const isSetId = nameOf(command) === 'XSETID' && type === TYPE_STREAM && tail.length >= ID_BYTES
  return isSetId ? idText(tail, 0) : 'unknown'
}

function ofElement({ type, subKey, op }: Change, stored: Bytes, changed: ChangedRow): OldValue {
  if (op === 'opaque') return stored
  switch (type) {
    case 'hash': {
      const hasExpiry = changed.before.fieldHasExpiry(changed.row)
      if (hasExpiry === 'unknown') return 'unknown'
      return hasExpiry ? fieldValue(stored) : stored
    }
    case 'zset':
      return stored.length === NUMBER_BYTES ? latin1(formatDouble(readSortableDouble(stored, 0))) : 'unknown'
    // To be a member is all that there is to it.
    case 'set':
    case 'sortedint':
      return subKey
    case 'stream':
      return streamRowContents(changed.subKey, stored) ?? 'unknown'
    default:
      return 'unknown'
  }
}

/** Pushed elements replace nothing. */
function ofList({ command }: Change, { row, operation, before }: ChangedRow): OldValue {
  switch (nameOf(command)) {
    case 'LPUSH':
    case 'RPUSH':
    case 'LINSERT':
      return undefined
    case 'LREM': {
      const removed = command?.[3]
      return removed === undefined ? 'unknown' : removedRows(row, operation).map(() => removed)
    }
    case 'LTRIM': {
      const keys = removedRows(row, operation).map(({ key }) => key)
      return allKnown(keys.sort(Buffer.compare).map((key) => before.row(row.cf, key)))
    }
    case 'LSET':
    case 'LPOP':
    case 'RPOP':
    case 'LMOVE':
      return before.row(row.cf, row.key) ?? undefined
    default:
      return 'unknown'
  }
}

/** The rows that the operation removes of the list that `row` belongs to. */
function removedRows(row: Row, { rows }: Operation): Row[] {
  const list = row.key.subarray(0, -NUMBER_BYTES)
  return rows.filter(
    ({ kind, cf, key }) => kind === 'delete' && cf === row.cf && key.subarray(0, -NUMBER_BYTES).equals(list),
  )
}

function allKnown(rows: readonly RowBefore[]): OldValue {
  const known = rows.filter((row): row is Bytes => row !== null && row !== 'unknown')
  return known.length === rows.length ? known : 'unknown'
}

/** Bits that no segment holds are zeros. */
function ofBitmap({ command }: Change, changed: ChangedRow): OldValue {
  const { row, before } = changed
  const words = command ?? []
  switch (nameOf(command)) {
    case 'SETBIT':
      return ofBit(Number(words[2]?.latin1Slice(0)), before.row(row.cf, row.key))
    case 'BITFIELD':
      return ofFields(words.slice(2), changed)
    case 'SETRANGE': {
      const stored = before.row(row.cf, row.key)
      if (stored === null || stored === 'unknown') return stored ?? undefined
      return ofSegment(Number(words[2]?.latin1Slice(0)), stored, before.metadata(row.key))
    }
    default:
      return 'unknown'
  }
}

function ofBit(offset: number, segment: RowBefore): OldValue {
  if (segment === 'unknown') return 'unknown'
  const byte = segment?.[Math.floor(offset / 8) % SEGMENT_BYTES] ?? 0
  return ((byte >> (offset % 8)) & 1) === 1 ? ONE : ZERO
}

/** The bytes of a segment as a client sees them; what is stored may be longer than the bitmap. */
function ofSegment(segmentAt: number, stored: Bytes, metadata: RowBefore): OldValue {
  if (metadata === 'unknown' || metadata === null || !isReadable(metadata)) return 'unknown'
  if (rowType(metadata) !== TYPE_BITMAP) return undefined
  return turnBits(stored.subarray(0, Math.max(0, sizeOf(metadata) - segmentAt)))
}

/** The integers that were at the fields which BITFIELD names, one for each of its operations. */
function ofFields(words: readonly Bytes[], changed: ChangedRow): OldValue {
  const segments = new Segments(changed)
  const values: Bytes[] = []
  for (let at = 0; at < words.length; ) {
    const [name, type, offset] = words.slice(at, at + 3).map((word) => word.latin1Slice(0))
    if (name === 'OVERFLOW') {
      at += 2
      continue
    }
    if (type === undefined || offset === undefined) return 'unknown'
    values.push(latin1(String(readField(segments, fieldType(type), Number(offset)))))
    at += 4
  }
  return segments.isKnown ? values : 'unknown'
}

/** The bytes of a bitmap before an operation, most significant bit first. */
class Segments {
  isKnown = true
  readonly #changed: ChangedRow

  constructor(changed: ChangedRow) {
    this.#changed = changed
  }

  byteAt(offset: number): number {
    const { row, subKey, before } = this.#changed
    const bitmap = row.key.subarray(0, row.key.length - subKey.length)
    const segment = before.row(row.cf, Buffer.concat([bitmap, segmentKey(Math.floor(offset / SEGMENT_BYTES))]))
    if (segment === 'unknown') this.isKnown = false
    if (segment === null || segment === 'unknown') return 0
    const at = offset % SEGMENT_BYTES
    return turnBits(segment.subarray(at, at + 1))[0] ?? 0
  }
}

function fieldType(word: string): FieldType {
  return { isSigned: word[0] === 'i', bits: Number(word.slice(1)) }
}

function nameOf(command: readonly Bytes[] | undefined): string | undefined {
  return command?.[0]?.latin1Slice(0)
}
