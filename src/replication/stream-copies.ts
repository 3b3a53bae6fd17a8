/**
 * Streams that one operation wrote as a whole, by RENAME, COPY or RESTORE, as one command: no others say which deleted
 * entries are pending and how many entries there ever were.
 */

import { type Bytes, latin1 } from '../bytes/bytes.js'
import { decimal, readInt64, readUint64 } from '../bytes/int64.js'
import { factsOf, isCopy, type KeyFacts, readOperations } from '../cdc/operations.js'
import { entryStrings, isGroupRow } from '../cdc/stream-rows.js'
import { parseInternalKey, parseNsKey } from '../storage/keys.js'
import { TYPE_STREAM } from '../storage/metadata.js'
import { createPayload } from '../storage/rdb/payload.js'
import { withKnownOwners } from '../storage/rdb/stream-owners.js'
import type { PendingEntry, StreamConsumer, StreamEntry, StreamId, StreamValue } from '../storage/rdb/value.js'

export interface StreamCopy {
  readonly namespace: Bytes
  /** RESTORE, with the expiry. */
  readonly command: readonly Bytes[]
  /** Of the metadata row, with which the copy begins. */
  readonly sequence: number
}

export interface StreamCopies {
  readonly copies: readonly StreamCopy[]
  /** Sequences of the rows that the copies say. */
  readonly sequences: ReadonlySet<number>
}

const RESTORE = latin1('RESTORE')
const REPLACE = latin1('REPLACE')
const ABSTTL = latin1('ABSTTL')
const TAIL_BYTES_MIN = 88
const ID_BYTES = 16
const KIND_AT = 8
const GROUP = 1
const CONSUMER = 2
const PENDING = 3

/** The copies in a batch; those with rows that cannot be read are left to others. */
export function streamCopies(batch: Bytes, slotEncoded: boolean): StreamCopies {
  const copies: StreamCopy[] = []
  const sequences = new Set<number>()
  for (const operation of readOperations(batch).operations) {
    for (const [nsKey, facts] of factsOf(operation, slotEncoded)) {
      const parsed = parseNsKey(latin1(nsKey), slotEncoded)
      if (facts.type !== TYPE_STREAM || !isCopy(facts) || parsed === undefined) continue
      const value = streamOf(facts, slotEncoded)
      if (value === undefined) continue
      const { namespace, key } = parsed
      const expiry = decimal(facts.metadata?.expireMs ?? 0)
      const command = [RESTORE, key, expiry, createPayload(value), REPLACE, ABSTTL]
      copies.push({ namespace, command, sequence: facts.metadataSequence })
      for (const { sequence } of [...facts.puts, ...facts.removes]) sequences.add(sequence)
    }
  }
  return { copies, sequences }
}

interface GroupParts {
  lastId: StreamId
  entriesRead: number | bigint
  readonly pending: (PendingEntry & { readonly consumer: Bytes })[]
  readonly consumers: StreamConsumer[]
}

/** The stream that rows make; undefined if they cannot be read. */
function streamOf({ metadata, puts }: KeyFacts, slotEncoded: boolean): StreamValue | undefined {
  const tail = metadata?.tail
  if (tail === undefined || tail.length < TAIL_BYTES_MIN) return undefined
  const entries: StreamEntry[] = []
  const groups = new Map<string, GroupParts>()
  const groupOf = (name: Bytes): GroupParts => {
    const id = name.latin1Slice(0)
    const found = groups.get(id) ?? { lastId: idAt(tail, 0), entriesRead: -1, pending: [], consumers: [] }
    groups.set(id, found)
    return found
  }
  for (const { key, value } of puts) {
    const subKey = parseInternalKey(key, slotEncoded)?.subKey
    if (subKey === undefined) return undefined
    if (isGroupRow(subKey)) {
      if (!addGroupRow(subKey, value, groupOf)) return undefined
      continue
    }
    const fields = entryStrings(value)
    if (fields === undefined || subKey.length !== ID_BYTES) return undefined
    entries.push({ id: idAt(subKey, 0), fields })
  }
  return {
    type: 'stream',
    entries,
    state: {
      lastId: idAt(tail, 0),
      firstId: idAt(tail, 48),
      maxDeletedId: idAt(tail, 32),
      entriesAdded: readUint64(tail, 80),
      groups: [...groups].map(([name, group]) => ({
        ...group,
        name: latin1(name),
        pending: withKnownOwners(group.pending, group.consumers),
      })),
    },
  }
}

/** False if the row cannot be read. */
function addGroupRow(subKey: Bytes, value: Bytes, groupOf: (name: Bytes) => GroupParts): boolean {
  const name = sizedAt(subKey, KIND_AT + 1)
  if (name === undefined || value.length < 24) return false
  const group = groupOf(name)
  const rest = KIND_AT + 1 + 8 + name.length
  switch (subKey[KIND_AT]) {
    case GROUP:
      if (value.length < 40) return false
      group.lastId = idAt(value, 16)
      group.entriesRead = readInt64(value, 32)
      return true
    case CONSUMER: {
      const consumer = sizedAt(subKey, rest)
      if (consumer === undefined) return false
      group.consumers.push({ name: consumer, seenMs: readUint64(value, 8), activeMs: readUint64(value, 16) })
      return true
    }
    case PENDING: {
      const consumer = sizedAt(value, 16)
      if (consumer === undefined || subKey.length < rest + ID_BYTES) return false
      group.pending.push({
        id: idAt(subKey, rest),
        consumer,
        deliveredMs: readUint64(value, 0),
        deliveries: readUint64(value, 8),
      })
      return true
    }
    default:
      return false
  }
}

function idAt(bytes: Bytes, at: number): StreamId {
  return { ms: readUint64(bytes, at), seq: readUint64(bytes, at + 8) }
}

/** The bytes after a length of 8 bytes at `at`; undefined if there are not so many. */
function sizedAt(bytes: Bytes, at: number): Bytes | undefined {
  if (bytes.length < at + 8) return undefined
  const length = readUint64(bytes, at)
  return typeof length === 'number' && bytes.length >= at + 8 + length
    ? bytes.subarray(at + 8, at + 8 + length)
    : undefined
}
