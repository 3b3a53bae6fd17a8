import type { RdbValue, StreamId } from '../../src/storage/rdb/value.js'

/** A value as plain text and numbers, collections without an order sorted, to compare and to read in a failure. */
export function describeValue(value: RdbValue): unknown {
  switch (value.type) {
    case 'string':
      return text(value.value)
    case 'list':
      return value.elements.map(text)
    case 'set':
      return value.members.map(text).sort()
    case 'hash':
      return value.entries.map(([field, content, ...expiry]) => [text(field), text(content), ...expiry]).sort(byName)
    case 'zset':
      return value.entries.map(([member, score]) => [text(member), score]).sort(byName)
    case 'stream':
      return {
        entries: value.entries.map(({ id, fields }) => [idText(id), ...fields.map(text)]),
        state: value.state && describeState(value.state),
      }
    case 'module':
      return value
  }
}

function describeState(state: NonNullable<Extract<RdbValue, { type: 'stream' }>['state']>): unknown {
  return {
    lastId: idText(state.lastId),
    firstId: idText(state.firstId),
    maxDeletedId: idText(state.maxDeletedId),
    entriesAdded: state.entriesAdded,
    groups: state.groups.map((group) => ({
      name: text(group.name),
      lastId: idText(group.lastId),
      entriesRead: group.entriesRead,
      pending: group.pending.map((entry) => [
        idText(entry.id),
        entry.consumer && text(entry.consumer),
        entry.deliveredMs,
        entry.deliveries,
      ]),
      consumers: group.consumers.map((consumer) => [text(consumer.name), consumer.seenMs, consumer.activeMs]),
    })),
  }
}

export function idText(id: StreamId): string {
  return `${id.ms}-${id.seq}`
}

function text(bytes: Buffer): string {
  return bytes.toString('latin1')
}

function byName(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1
}
