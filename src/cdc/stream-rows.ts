/**
 * Rows of streams: entries, groups, consumers, pending entries.
 *
 *   entry      ms(8) seq(8)                                       → varint32 length, bytes; for each field and value
 *   group      ff×8 01 len(8) group                               → consumers(8) pending(8) ms(8) seq(8) entriesRead(8) lag(8)
 *   consumer   ff×8 02 len(8) group len(8) consumer               → pending(8) attempted(8) successful(8)
 *   pending    ff×8 03 len(8) group ms(8) seq(8)                  → delivered(8) count(8) len(8) consumer
 *   metadata's tail: lastGenerated(16) recordedFirst(16) maxDeleted(16) first(16) last(16) entriesAdded(8) groups(8)
 *
 * Source: kvrocks src/types/redis_stream_base.h, redis_stream.cc; StreamMetadata in src/storage/redis_metadata.h.
 */

import { type Bytes, EMPTY, latin1 } from '../bytes/bytes.js'
import { decimal, readInt64, readUint64 } from '../bytes/int64.js'
import { type InternalKey, parseInternalKey } from '../storage/keys.js'
import type { Metadata } from '../storage/metadata.js'
import { isCopy, type KeyFacts, type Operation, type Row } from './operations.js'
import type { RowChange } from './row-change.js'

const XADD = latin1('XADD')
const XDEL = latin1('XDEL')
const XGROUP = latin1('XGROUP')
const CREATE = latin1('CREATE')
const SETID = latin1('SETID')
const DESTROY = latin1('DESTROY')
const CREATECONSUMER = latin1('CREATECONSUMER')
const DELCONSUMER = latin1('DELCONSUMER')
const MKSTREAM = latin1('MKSTREAM')
const ENTRIESREAD = latin1('ENTRIESREAD')
const XCLAIM = latin1('XCLAIM')
const XACK = latin1('XACK')
const XSETID = latin1('XSETID')
const ENTRIESADDED = latin1('ENTRIESADDED')
const MAXDELETEDID = latin1('MAXDELETEDID')
const TIME = latin1('TIME')
const RETRYCOUNT = latin1('RETRYCOUNT')
const FORCE = latin1('FORCE')
const JUSTID = latin1('JUSTID')
const ZERO = latin1('0')

const DELIMITER = Buffer.alloc(8, 0xff)
const KIND_AT = 8
const GROUP = 1
const CONSUMER = 2
const PENDING = 3
const ID_BYTES = 16
const GROUP_VALUE_BYTES = 48
const MAX_DELETED_AT = 32
const GROUPS_AT = 88
const TAIL_BYTES = 96
const ENTRIES_ADDED_AT = 80
const TAIL_BYTES_MIN = 88

interface Base {
  readonly namespace: Bytes
  readonly type: string
  readonly key: Bytes
}

/**
 * The change of a row in the column family of streams; `covered` where it belongs to that of another row, undefined if it
 * cannot be read.
 */
export function streamChange(row: Row, parsed: InternalKey, facts: KeyFacts): RowChange | 'covered' | undefined {
  const { namespace, key, subKey } = parsed
  const base = { namespace, type: 'stream', key }
  if (!isGroupRow(subKey)) return entryChange(row, base, subKey)
  const group = sizedAt(subKey, KIND_AT + 1)
  if (group === undefined) return undefined
  const rest = KIND_AT + 1 + 8 + group.length
  if (row.kind !== 'put' && subKey[KIND_AT] !== GROUP && removesGroup(row, subKey, rest, facts)) return 'covered'
  switch (subKey[KIND_AT]) {
    case GROUP:
      return groupChange(row, base, group, facts)
    case CONSUMER: {
      const consumer = sizedAt(subKey, rest)
      if (consumer === undefined) return undefined
      const word = row.kind === 'put' ? CREATECONSUMER : DELCONSUMER
      const op = row.kind === 'put' ? 'put' : 'remove'
      return { ...base, subKey: group, op, command: [XGROUP, word, key, group, consumer] }
    }
    case PENDING:
      return subKey.length === rest + ID_BYTES ? pendingChange(row, base, group, idText(subKey, rest)) : undefined
    default:
      return undefined
  }
}

/** True if the group of the row, a consumer or a pending entry, goes with it. */
function removesGroup(row: Row, subKey: Bytes, rest: number, facts: KeyFacts): boolean {
  facts.removedGroups ??= removedGroups(facts.removes, row.key.length - subKey.length)
  return facts.removedGroups.has(subKey.latin1Slice(KIND_AT + 1, rest))
}

/** The groups of which rows are removed, each as its length and name; the keys of all rows have as long a prefix. */
function removedGroups(removes: readonly Row[], prefixBytes: number): ReadonlySet<string> {
  const groups = new Set<string>()
  for (const { key } of removes) {
    const subKey = key.subarray(prefixBytes)
    if (isGroupRow(subKey) && subKey[KIND_AT] === GROUP) groups.add(subKey.latin1Slice(KIND_AT + 1))
  }
  return groups
}

/** True of XSETID. */
export function isSetId({ log }: Operation): boolean {
  return log?.words[0]?.latin1Slice(0) === 'XSETID'
}

/** The change of a stream's metadata row; undefined where the rows beside it say it all. */
export function streamMetadataChange(
  base: Base,
  metadata: Metadata | undefined,
  operation: Operation,
  hasRows: boolean,
): RowChange | undefined {
  const tail = metadata?.tail
  if ((hasRows && !isSetId(operation)) || tail === undefined || tail.length < TAIL_BYTES_MIN) return undefined
  const added = decimal(readUint64(tail, ENTRIES_ADDED_AT))
  const last = idText(tail, 0)
  const deleted = idText(tail, MAX_DELETED_AT)
  return { ...base, op: 'put', command: [XSETID, base.key, last, ENTRIESADDED, added, MAXDELETEDID, deleted] }
}

/**
 * True if all that the stream holds was put by the operation: of a copy, whose metadata stand before its rows, and of a
 * stream without history.
 */
export function isRewrittenStream(facts: KeyFacts, slotEncoded: boolean): boolean {
  if (isCopy(facts)) return true
  const { metadata, puts, removes } = facts
  if (metadata === undefined || removes.length > 0 || metadata.tail.length < TAIL_BYTES) return false
  const kinds = puts.map(({ key }) => parseInternalKey(key, slotEncoded)?.subKey ?? EMPTY)
  const entries = kinds.filter((subKey) => !isGroupRow(subKey)).length
  const groups = kinds.filter((subKey) => isGroupRow(subKey) && subKey[KIND_AT] === GROUP).length
  const added = readUint64(metadata.tail, ENTRIES_ADDED_AT)
  return entries > 0 && added === entries && readUint64(metadata.tail, GROUPS_AT) === groups
}

/** What the key of a group's row says; `idBytes` of a pending entry. */
export interface StreamRowName {
  readonly group: Bytes
  readonly consumer?: Bytes
  readonly idBytes?: Bytes
}

/** Undefined if the key cannot be read. */
export function streamRowName(subKey: Bytes): StreamRowName | undefined {
  const group = sizedAt(subKey, KIND_AT + 1)
  if (group === undefined) return undefined
  const rest = KIND_AT + 1 + 8 + group.length
  if (subKey[KIND_AT] === GROUP) return { group }
  if (subKey[KIND_AT] === PENDING) return { group, idBytes: subKey.subarray(rest, rest + ID_BYTES) }
  const consumer = sizedAt(subKey, rest)
  return consumer === undefined ? undefined : { group, consumer }
}

/** Of an entry its words, of a group its last id, of a pending entry and of a consumer the name of the consumer. */
export function streamRowContents(subKey: Bytes, value: Bytes): Bytes | readonly Bytes[] | undefined {
  if (!isGroupRow(subKey)) return entryStrings(value)
  const name = streamRowName(subKey)
  if (name === undefined) return undefined
  if (subKey[KIND_AT] === GROUP) return value.length < GROUP_VALUE_BYTES ? undefined : idText(value, 16)
  return name.idBytes === undefined ? name.consumer : sizedAt(value, 16)
}

/** True of rows of groups, consumers and pending entries. */
export function isGroupRow(subKey: Bytes): boolean {
  return subKey.length > KIND_AT && subKey.subarray(0, KIND_AT).equals(DELIMITER)
}

/** `ms-seq` of the 16 bytes at `at`. */
export function idText(bytes: Bytes, at: number): Bytes {
  return latin1(`${readUint64(bytes, at)}-${readUint64(bytes, at + 8)}`)
}

/** The strings of an entry, field and value in turn; undefined if they cannot be read. */
export function entryStrings(value: Bytes): Bytes[] | undefined {
  const strings: Bytes[] = []
  let at = 0
  while (at < value.length) {
    let length = 0
    let scale = 1
    let byte: number | undefined
    do {
      byte = value[at++]
      if (byte === undefined) return undefined
      length += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80 && scale <= 2 ** 28)
    if (at + length > value.length) return undefined
    strings.push(value.subarray(at, at + length))
    at += length
  }
  return strings
}

function entryChange(row: Row, base: Base, subKey: Bytes): RowChange | undefined {
  if (subKey.length !== ID_BYTES) return undefined
  const id = idText(subKey, 0)
  if (row.kind !== 'put') return { ...base, subKey: id, op: 'remove', command: [XDEL, base.key, id] }
  const strings = entryStrings(row.value)
  if (strings === undefined) return undefined
  return { ...base, subKey: id, op: 'put', command: [XADD, base.key, id, ...strings] }
}

/** A new group comes with the stream's metadata, for it counts the groups, and without changes of entries or of its own, or in a copy. */
function groupChange(row: Row, base: Base, group: Bytes, facts: KeyFacts): RowChange | undefined {
  const { key } = base
  if (row.kind !== 'put') return { ...base, subKey: group, op: 'remove', command: [XGROUP, DESTROY, key, group] }
  if (row.value.length < GROUP_VALUE_BYTES) return undefined
  const id = idText(row.value, 16)
  const read = decimal(readInt64(row.value, 32))
  const isNew = facts.metadata !== undefined && (facts.removes.length === 0 || isCopy(facts))
  const command = isNew
    ? [XGROUP, CREATE, key, group, id, MKSTREAM, ENTRIESREAD, read]
    : [XGROUP, SETID, key, group, id, ENTRIESREAD, read]
  return { ...base, subKey: group, op: 'put', command }
}

function pendingChange(row: Row, base: Base, group: Bytes, id: Bytes): RowChange | undefined {
  const { key } = base
  if (row.kind !== 'put') return { ...base, subKey: group, op: 'remove', command: [XACK, key, group, id] }
  if (row.value.length < 24) return undefined
  const consumer = sizedAt(row.value, 16)
  if (consumer === undefined) return undefined
  const time = decimal(readUint64(row.value, 0))
  const count = decimal(readUint64(row.value, 8))
  const command = [XCLAIM, key, group, consumer, ZERO, id, TIME, time, RETRYCOUNT, count, FORCE, JUSTID]
  return { ...base, subKey: group, op: 'put', command }
}

/** The bytes after a length of 8 bytes at `at`; undefined if there are not so many. */
function sizedAt(bytes: Bytes, at: number): Bytes | undefined {
  if (bytes.length < at + 8) return undefined
  const length = readUint64(bytes, at)
  if (typeof length !== 'number' || bytes.length < at + 8 + length) return undefined
  return bytes.subarray(at + 8, at + 8 + length)
}
