/**
 * Streams that an operation writes as a whole: copies, and streams without entries and groups. No command but RESTORE
 * gives them all that their metadata say.
 */

import { type Bytes, EMPTY, latin1 } from '../bytes/bytes.js'
import { readInt64, readUint64 } from '../bytes/int64.js'
import { parseInternalKey } from '../storage/keys.js'
import type { Metadata } from '../storage/metadata.js'
import { createPayload } from '../storage/rdb/payload.js'
import { withKnownOwners } from '../storage/rdb/stream-owners.js'
import type { PendingEntry, StreamConsumer, StreamEntry, StreamId, StreamState } from '../storage/rdb/value.js'
import { isCopy, type KeyFacts } from './operations.js'
import { entryStrings, isGroupRow, type StreamRowName, streamRowName } from './stream-rows.js'

const RESTORE = latin1('RESTORE')
const ZERO = latin1('0')
const REPLACE = latin1('REPLACE')
const TAIL_BYTES = 96

/** The command that makes the stream of `facts`; undefined if the operation does not hold all of it. */
export function streamRestore(key: Bytes, facts: KeyFacts, slotEncoded: boolean): readonly Bytes[] | undefined {
  const { metadata } = facts
  if (metadata === undefined || metadata.tail.length < TAIL_BYTES) return undefined
  const isEmpty = metadata.size === 0 && groupsOf(metadata) === 0 && facts.puts.length + facts.removes.length === 0
  if (!isEmpty && !isCopy(facts)) return undefined
  const parts = new StreamParts()
  for (const { key: internalKey, value } of facts.puts) {
    const subKey = parseInternalKey(internalKey, slotEncoded)?.subKey
    if (subKey === undefined || !parts.add(subKey, value)) return undefined
  }
  if (parts.entries.length !== metadata.size) return undefined
  const state = parts.state(metadata.tail)
  return [RESTORE, key, ZERO, createPayload({ type: 'stream', entries: parts.entries, state }), REPLACE]
}

function groupsOf({ tail }: Metadata): number {
  return Number(readUint64(tail, 88))
}

interface Group {
  readonly row: Bytes
  readonly pending: (PendingEntry & { readonly consumer: Bytes })[]
  readonly consumers: StreamConsumer[]
}

class StreamParts {
  readonly entries: StreamEntry[] = []
  readonly #groups = new Map<string, Group>()

  /** False if the row cannot be read. Rows come in the order of their keys. */
  add(subKey: Bytes, value: Bytes): boolean {
    if (!isGroupRow(subKey)) {
      const fields = entryStrings(value)
      if (fields === undefined || subKey.length !== 16) return false
      this.entries.push({ id: idAt(subKey, 0), fields })
      return true
    }
    const name = streamRowName(subKey)
    return name !== undefined && this.#addToGroup(name, value)
  }

  #addToGroup({ group, consumer, idBytes }: StreamRowName, value: Bytes): boolean {
    const id = group.latin1Slice(0)
    if (consumer === undefined && idBytes === undefined) {
      this.#groups.set(id, { row: value, pending: [], consumers: [] })
      return value.length >= 48
    }
    const found = this.#groups.get(id)
    if (found === undefined || value.length < 24) return false
    if (idBytes === undefined) {
      found.consumers.push({ name: consumer ?? EMPTY, seenMs: readInt64(value, 8), activeMs: readInt64(value, 16) })
      return true
    }
    found.pending.push({
      id: idAt(idBytes, 0),
      consumer: value.subarray(24),
      deliveredMs: readUint64(value, 0),
      deliveries: readUint64(value, 8),
    })
    return true
  }

  state(tail: Bytes): StreamState {
    return {
      lastId: idAt(tail, 0),
      maxDeletedId: idAt(tail, 32),
      firstId: idAt(tail, 48),
      entriesAdded: readUint64(tail, 80),
      groups: [...this.#groups].map(([name, { row, pending, consumers }]) => ({
        name: latin1(name),
        lastId: idAt(row, 16),
        entriesRead: readInt64(row, 32),
        pending: withKnownOwners(pending, consumers),
        consumers,
      })),
    }
  }
}

function idAt(bytes: Bytes, at: number): StreamId {
  return { ms: readUint64(bytes, at), seq: readUint64(bytes, at + 8) }
}
