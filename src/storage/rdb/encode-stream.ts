import { type Bytes, equals } from '../../bytes/bytes.js'
import { type Int64, toInt64 } from '../../bytes/int64.js'
import type { ByteSink } from './byte-sink.js'
import { STREAM_ENTRY_SAME_FIELDS, STREAM_ID_SIZE, TYPE_STREAM_LISTPACKS_3 } from './format.js'
import { ListpackWriter } from './listpack.js'
import type { PendingEntry, StreamEntry, StreamGroup, StreamId, StreamState } from './value.js'

/** Writes streams; the layout stands in decode-stream.ts. */

const NODE_ENTRIES_MAX = 100
const NODE_BYTES_MAX = 64 * 1024

/** Cuts entries into nodes as Redis would: up to 100 entries, and up to 64 KiB unless one entry has more. */
export function cutNodes(entries: readonly StreamEntry[]): StreamEntry[][] {
  const nodes: StreamEntry[][] = []
  let node: StreamEntry[] = []
  let bytes = 0
  for (const entry of entries) {
    let size = 0
    for (const field of entry.fields) size += field.length
    if (node.length === NODE_ENTRIES_MAX || (node.length > 0 && bytes + size > NODE_BYTES_MAX)) {
      nodes.push(node)
      node = []
      bytes = 0
    }
    node.push(entry)
    bytes += size
  }
  if (node.length > 0) nodes.push(node)
  return nodes
}

/** Writes a node, which is not empty; the first entry's id and field names are the master's. */
export function writeStreamNode(sink: ByteSink, entries: readonly StreamEntry[]): void {
  const first = entries[0]!
  const names = first.fields.filter((_, index) => index % 2 === 0)
  const pack = new ListpackWriter()
  pack.integer(entries.length)
  pack.integer(0)
  pack.integer(names.length)
  for (const name of names) pack.bytes(name)
  pack.integer(0)
  for (const { id, fields } of entries) {
    const same = sameNames(fields, names)
    pack.integer(same ? STREAM_ENTRY_SAME_FIELDS : 0)
    pack.integer(delta(id.ms, first.id.ms))
    pack.integer(delta(id.seq, first.id.seq))
    if (!same) pack.integer(fields.length / 2)
    for (let index = 0; index < fields.length; index++) if (!same || index % 2 === 1) pack.bytes(fields[index]!)
    pack.integer(same ? names.length + 3 : fields.length + 4)
  }
  sink.length(STREAM_ID_SIZE)
  writeRawId(sink, first.id)
  sink.block(pack.finish())
}

function sameNames(fields: readonly Bytes[], names: readonly Bytes[]): boolean {
  if (fields.length !== names.length * 2) return false
  return names.every((name, index) => equals(name, fields[index * 2]!))
}

/** The difference as a signed 64-bit integer. */
function delta(value: Int64, base: Int64): Int64 {
  if (typeof value === 'number' && typeof base === 'number') return value - base
  return toInt64(BigInt.asIntN(64, BigInt(value) - BigInt(base)))
}

/** Writes what follows the nodes. Pending entries without a consumer have no place in these forms and are left out. */
export function writeStreamState(sink: ByteSink, type: number, entryCount: Int64, state: StreamState): void {
  sink.length(entryCount)
  writeId(sink, state.lastId)
  writeId(sink, state.firstId)
  writeId(sink, state.maxDeletedId)
  sink.length(state.entriesAdded)
  sink.length(state.groups.length)
  for (const group of state.groups) writeGroup(sink, type, group)
}

function writeGroup(sink: ByteSink, type: number, group: StreamGroup): void {
  const owned = group.pending.filter((entry) => entry.consumer !== undefined)
  sink.string(group.name)
  writeId(sink, group.lastId)
  sink.length(group.entriesRead)
  sink.length(owned.length)
  for (const { id, deliveredMs, deliveries } of owned) {
    writeRawId(sink, id)
    sink.int64(deliveredMs)
    sink.length(deliveries)
  }
  const byConsumer = new Map<string, PendingEntry[]>()
  for (const { name } of group.consumers) byConsumer.set(name.toString('latin1'), [])
  for (const entry of owned) {
    const entries = byConsumer.get(entry.consumer!.toString('latin1'))
    if (entries === undefined) throw new TypeError('pending entry of a consumer that the group does not have')
    entries.push(entry)
  }
  sink.length(group.consumers.length)
  for (const { name, seenMs, activeMs } of group.consumers) {
    sink.string(name)
    sink.int64(seenMs)
    if (type >= TYPE_STREAM_LISTPACKS_3) sink.int64(activeMs)
    const entries = byConsumer.get(name.toString('latin1')) ?? []
    sink.length(entries.length)
    for (const { id } of entries) writeRawId(sink, id)
  }
}

function writeId(sink: ByteSink, id: StreamId): void {
  sink.length(id.ms)
  sink.length(id.seq)
}

function writeRawId(sink: ByteSink, id: StreamId): void {
  sink.uint64(id.ms)
  sink.uint64(id.seq)
}
